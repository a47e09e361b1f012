/* SPDX-License-Identifier: MIT */
#include "daemon/net/growbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096
#define TEXT_SIZE  256

static int fail(struct growbuf *b, int code)
{
	b->error = code;
	return code;
}

/* Not realloc(): it would leave a copy of the bytes behind in freed memory. */
static int grow(struct growbuf *b, size_t need)
{
	size_t size = b->size > 0 ? b->size : FIRST_SIZE;
	uint8_t *data;

	while (size < need)
		size *= 2;
	data = malloc(size);
	if (!data)
		return fail(b, -ENOMEM);
	if (b->data) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data, b->size);
		free(b->data);
	}
	b->data = data;
	b->size = size;
	return 0;
}

void *growbuf_reserve(struct growbuf *b, size_t room)
{
	if (b->error < 0)
		return NULL;
	if (room > GROWBUF_MAX - b->len) {
		(void)fail(b, -EFBIG);
		return NULL;
	}
	if ((!b->data || room > b->size - b->len) && grow(b, b->len + room) < 0)
		return NULL;
	return b->data + b->len;
}

int growbuf_append(struct growbuf *b, const void *data, size_t len)
{
	void *to = growbuf_reserve(b, len);

	if (!to)
		return b->error;
	if (len > 0)
		memcpy(to, data, len);
	b->len += len;
	return 0;
}

int growbuf_printf(struct growbuf *b, const char *fmt, ...)
{
	char *to = growbuf_reserve(b, TEXT_SIZE);
	va_list ap;
	int n;

	if (!to)
		return b->error;
	va_start(ap, fmt);
	n = vsnprintf(to, TEXT_SIZE, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= TEXT_SIZE)
		return fail(b, -EFBIG);
	b->len += (size_t)n;
	return 0;
}

void growbuf_reset(struct growbuf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->size);
	b->len = 0;
	b->error = 0;
}

void growbuf_free(struct growbuf *b)
{
	growbuf_reset(b);
	free(b->data);
	*b = (struct growbuf) { 0 };
}
