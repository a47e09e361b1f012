/* SPDX-License-Identifier: MIT */
/*
 * bencode - read and write bencoded messages (BEP 3); pure
 *
 * A message is checked once, as a whole; then values are looked up in it, which cannot fail half-way.
 * Nothing is allocated and nothing is copied: a value is a pair of pointers into the datagram. The
 * parser does not call itself, so that no message can make it use more stack than another.
 */
#ifndef DAEMON_DHT_BENCODE_H
#define DAEMON_DHT_BENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCODE_LEN_MAX	  4096 /* of a whole message: no datagram of the DHT comes near */
#define BENCODE_DEPTH_MAX 8    /* KRPC needs four: message, "r", "values", one of them */

enum bencode_type {
	BENCODE_NONE, /* of a zeroed struct, and of what was looked for and is not there */
	BENCODE_INTEGER,
	BENCODE_STRING,
	BENCODE_LIST,
	BENCODE_DICT,
};

/**
 * struct bencode - One value; points into the message, which must outlive it
 * @type:	What it is
 * @data:	Bytes of a string; members of a list or dictionary, encoded
 * @len:	Bytes in @data
 * @integer:	The value of an integer
 */
struct bencode {
	enum bencode_type type;
	const uint8_t *data;
	size_t len;
	int64_t integer;
};

/**
 * bencode_parse() - Check a whole message
 * @out:	Receives its outermost value; BENCODE_NONE on failure
 * @buf:	Message; borrowed, and must outlive @out
 * @len:	Bytes in @buf
 *
 * Strict: integers of 64 bits in their one form, lengths without leading zeros, keys that are strings,
 * nothing behind the end. The order of keys is not checked, because not everybody keeps it; of a key
 * that comes twice the first one counts.
 *
 * Return: 0 or -EBADMSG
 */
int bencode_parse(struct bencode *out, const void *buf, size_t len);

/**
 * bencode_find() - Look up a key
 * @dict:	Dictionary of a checked message; anything else has no keys
 * @key:	Key
 *
 * Return: the value, of type BENCODE_NONE when there is none
 */
struct bencode bencode_find(const struct bencode *dict, const char *key);

/**
 * bencode_next() - Take the first value off a list
 * @out:	Receives it
 * @rest:	List of a checked message; is shortened
 *
 * Return: false at the end
 */
bool bencode_next(struct bencode *out, struct bencode *rest);

/**
 * bencode_is() - Is it a string with these bytes?
 */
bool bencode_is(const struct bencode *value, const char *text);

/**
 * struct bencode_out - A message that grows in a buffer
 * @buf:	Buffer; borrowed
 * @size:	Room in @buf
 * @len:	Bytes so far
 * @is_full:	Something did not fit: the message is worthless
 *
 * Dictionaries must be given their keys in order, which is what BEP 3 asks for.
 */
struct bencode_out {
	uint8_t *buf;
	size_t size;
	size_t len;
	bool is_full;
};

void bencode_put_dict(struct bencode_out *out);
void bencode_put_list(struct bencode_out *out);
void bencode_put_end(struct bencode_out *out);
void bencode_put_integer(struct bencode_out *out, int64_t value);
void bencode_put_string(struct bencode_out *out, const void *data, size_t len);
void bencode_put_text(struct bencode_out *out, const char *text); /* a key, most often */

#endif /* DAEMON_DHT_BENCODE_H */
