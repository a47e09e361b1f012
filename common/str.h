/* SPDX-License-Identifier: MIT */
/* str - strict parsers and bounded copies; pure */
#ifndef COMMON_STR_H
#define COMMON_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STR_JSON_SIZE 8 /* "\\u001f" and its NUL, rounded up */
#define STR_UTC_SIZE  20

/**
 * str_copy() - Copy a string, or report that it does not fit
 * @dst:	Receives the copy; empty on failure
 * @size:	Room in @dst, at least 1
 * @src:	String; borrowed
 *
 * Return: 0 or -ENAMETOOLONG
 */
int str_copy(char *dst, size_t size, const char *src);

/**
 * str_cut() - Copy at most so many bytes, cutting what does not fit
 * @dst:	Receives the copy, always terminated
 * @size:	Room in @dst, at least 1
 * @src:	Bytes; borrowed, need not be terminated
 * @len:	Bytes in @src
 */
void str_cut(char *dst, size_t size, const char *src, size_t len);

/**
 * str_parse_u64() - Parse a decimal number and nothing else
 * @out:	Receives the number
 * @text:	One to twenty digits; no sign, no white space, no suffix
 * @min:	Smallest number accepted
 * @max:	Largest number accepted
 *
 * Return: 0, -EINVAL when it is not a number, -ERANGE when it lies outside
 */
int str_parse_u64(uint64_t *out, const char *text, uint64_t min, uint64_t max);

/**
 * str_parse_duration_ms() - Parse "8", "8s", "500ms", "2m" or "1h" as milliseconds
 * @out:	Receives milliseconds
 * @text:	Decimal number and optional unit; without a unit, seconds
 * @max:	Largest number of milliseconds accepted
 *
 * Return: 0, -EINVAL or -ERANGE
 */
int str_parse_duration_ms(uint64_t *out, const char *text, uint64_t max);

/**
 * str_parse_bool() - Parse a boolean as Go's flag package does
 * @out:	Receives the value
 * @text:	1 t T true TRUE True 0 f F false FALSE False, also yes/no and on/off
 *
 * Return: 0 or -EINVAL
 */
int str_parse_bool(bool *out, const char *text);

/* What stands for bytes that are no UTF-8: the replacement character. */
#define STR_UTF8_BAD 0xfffdU

/**
 * str_utf8() - Take one character of a text that should be UTF-8 (RFC 3629)
 * @code:	Receives its code point, STR_UTF8_BAD for a byte that is part of none
 * @s:		Text, not at its end; borrowed
 *
 * Return: bytes that it takes, 1 to 4
 */
size_t str_utf8(uint32_t *code, const char *s);

/**
 * str_is_printable() - Is a character harmless on a terminal?
 * @code:	Code point; control characters, and those that turn a line around, are not
 */
bool str_is_printable(uint32_t code);

/**
 * str_json_escape() - How one character is written inside a JSON string (RFC 8259 section 7)
 * @out:	Receives the text and a NUL: the character itself, or its escape
 * @s:		Text, not at its end; borrowed; any bytes, of which those that are no UTF-8 are replaced
 *
 * Return: bytes of @s that this stands for, 1 to 4
 */
size_t str_json_escape(char out[static STR_JSON_SIZE], const char *s);

/**
 * str_visible() - Write a name that anybody may have made up so that it can be printed
 * @out:	Receives the name, cut where it does not fit; what is not printable ASCII, and the backslash,
 *		becomes \xNN
 * @size:	Room in @out, at least 1
 * @name:	Name; borrowed
 *
 * Return: @out
 */
const char *str_visible(char *out, size_t size, const char *name);

/**
 * str_utc() - Write a time as "2026-01-01T00:00:00", in UTC
 * @out:	Receives the text
 * @seconds:	Seconds since 1970; what lies beyond the year 9999 becomes its last second
 *
 * gmtime_r(3) and strftime(3) would do, and bring time zones and locales into PID 1.
 */
void str_utc(char out[static STR_UTC_SIZE], uint64_t seconds);

/**
 * str_distance() - Edit distance of two short names, for "did you mean"
 * @a:		First name
 * @b:		Second name
 *
 * Return: insertions, deletions and substitutions between them; names are cut at 63 bytes
 */
unsigned int str_distance(const char *a, const char *b);

/**
 * str_is_interface_name() - May this be the name of our network interface?
 * @name:	Candidate
 *
 * Return: true for a letter followed by letters, digits, '_' or '-', 15 bytes at most
 *         (protocol.md section 4 and IFNAMSIZ)
 */
bool str_is_interface_name(const char *name);

/**
 * struct str_out - A text that grows in a buffer
 * @out:	Buffer; borrowed; always terminated after the first str_add()
 * @size:	Room in @out, the NUL included
 * @len:	Bytes so far, without the NUL
 */
struct str_out {
	char *out;
	size_t size;
	size_t len;
};

/**
 * str_add() - Add to a text; what does not fit is left out whole: half of it could mean something else
 * @t:		Text
 * @fmt:	As for printf(3)
 */
__attribute__((format(printf, 2, 3))) void str_add(struct str_out *t, const char *fmt, ...);

#endif /* COMMON_STR_H */
