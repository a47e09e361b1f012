/* SPDX-License-Identifier: MIT */
/*
 * json - read JSON as tolerantly as existing nodes do, write it byte for byte as they do; pure
 *
 * Existing nodes use Go's encoding/json (protocol.md sections 4 and 5). Reading: member names match
 * without regard to case, the last duplicate counts, null is absent, text that is not UTF-8 becomes
 * U+FFFD. Writing: compact, or indented by two spaces; '<', '>' and '&' are escaped.
 */
#ifndef DAEMON_WIRE_JSON_H
#define DAEMON_WIRE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * json_init() - Seed jansson's hash tables against chosen collisions
 *
 * Reads /dev/urandom, so call it before the sandbox closes. Without it the first object is slower.
 */
void json_init(void);

/**
 * json_wipe_memory() - Have jansson overwrite all memory that it frees
 * @on:		For documents that hold secrets: its strings and its lexer's buffers have them too
 *
 * What was allocated while it was on is to be freed while it is on.
 *
 * Return: what held before, to be restored
 */
bool json_wipe_memory(bool on);

/**
 * json_parse() - Parse one JSON object
 * @text:	Bytes from anybody; borrowed
 * @len:	Bytes in @text; the caller has bounded it
 * @error:	Receives place and code on failure, may be NULL. Its text quotes the input: do not
 *		show it where the input holds secrets.
 *
 * Nesting is bounded by jansson (2048 levels). Trailing garbage is refused, numbers are kept apart
 * as integers and reals.
 *
 * Return: object owned by the caller (json_decref()), or NULL
 */
json_t *json_parse(const void *text, size_t len, json_error_t *error);

/**
 * json_member() - Find a member of an object
 * @object:	Object; borrowed
 * @name:	Lower-case name
 *
 * Return: the value, borrowed; NULL when it is absent or null
 */
json_t *json_member(json_t *object, const char *name);

/**
 * struct json_text - A string inside a document
 * @s:		UTF-8, NUL-terminated; borrowed from the document
 * @len:	Bytes in @s; it may contain NUL bytes
 */
struct json_text {
	const char *s;
	size_t len;
};

/**
 * json_text_copy() - Take a string that has to fit and must have no NUL inside
 * @dst:	Receives the copy; empty on failure
 * @size:	Room in @dst, at least 1
 * @text:	String
 *
 * Return: 0 or -EINVAL
 */
int json_text_copy(char *dst, size_t size, const struct json_text *text);

/*
 * json_member_*() - Read a member that may be absent
 *
 * Each sets *@out to the type's zero value (empty text, 0, false, NULL) when the member is absent.
 * json_as_text() does the same for a list element, which may be null.
 *
 * Return: 0, or -EINVAL for a wrong JSON type
 */
int json_as_text(struct json_text *out, const json_t *value);
int json_member_text(struct json_text *out, json_t *object, const char *name);
int json_member_int(int64_t *out, json_t *object, const char *name);
int json_member_bool(bool *out, json_t *object, const char *name);
int json_member_list(const json_t **out, json_t *object, const char *name);

/**
 * struct json_writer - A document being written into a buffer
 * @out:	Buffer; borrowed
 * @size:	Room in @out; 0 just counts
 * @len:	Bytes written so far, those that did not fit included
 * @depth:	Open objects and lists
 * @indented:	Two spaces per level and line breaks, as in state files
 * @is_first:	Nothing stands in the innermost object or list yet
 *
 * It is a plain value: copy it to remember a place, assign the copy to go back there.
 */
struct json_writer {
	char *out;
	size_t size;
	size_t len;
	unsigned int depth;
	bool indented;
	bool is_first;
};

void json_write_init(struct json_writer *w, char *out, size_t size, bool indented);

/*
 * json_write_*() - Add a value
 *
 * @name is the member's name, or NULL for a list element and for the document itself. @bracket is
 * '{' or '[', closed by '}' or ']'. Text must be ASCII or valid UTF-8.
 */
void json_write_open(struct json_writer *w, const char *name, char bracket);
void json_write_close(struct json_writer *w, char bracket);
void json_write_text(struct json_writer *w, const char *name, const char *text);
void json_write_int(struct json_writer *w, const char *name, int64_t number);
void json_write_true(struct json_writer *w, const char *name);
void json_write_null(struct json_writer *w, const char *name);

/**
 * json_write_end() - Terminate the document with a NUL
 *
 * Return: bytes without the NUL, or -EMSGSIZE when they did not fit
 */
long json_write_end(struct json_writer *w);

#endif /* DAEMON_WIRE_JSON_H */
