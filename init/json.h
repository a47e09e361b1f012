/* SPDX-License-Identifier: MIT */
/* json - write strings as JSON; PID 1 reads none */
#ifndef INIT_JSON_H
#define INIT_JSON_H

#include <stdio.h>

/**
 * json_put_string() - Write a string in quotes, escaped (RFC 8259 section 7)
 * @out:	Stream
 * @s:		String
 */
void json_put_string(FILE *out, const char *s);

#endif /* INIT_JSON_H */
