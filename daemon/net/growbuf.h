/* SPDX-License-Identifier: MIT */
/*
 * growbuf - bytes of unknown length, up to a limit, that may be secret; pure
 *
 * Old memory is wiped whenever the bytes move or the buffer ends: requests and answers of WireGuard
 * carry private and preshared keys. A failed append sticks, so that a writer checks once, at the end.
 */
#ifndef DAEMON_NET_GROWBUF_H
#define DAEMON_NET_GROWBUF_H

#include <stddef.h>
#include <stdint.h>

/* More than any honest answer: WireGuard with 30,000 peers. */
#define GROWBUF_MAX ((size_t)16 * 1024 * 1024)

/**
 * struct growbuf - The buffer; a zeroed one is empty and valid
 * @data:	Bytes, aligned for any type; NULL while empty
 * @len:	Bytes in use
 * @size:	Bytes allocated
 * @error:	0, -ENOMEM, or -EFBIG once more than GROWBUF_MAX bytes were asked for
 */
struct growbuf {
	uint8_t *data;
	size_t len;
	size_t size;
	int error;
};

/**
 * growbuf_reserve() - Make room behind the bytes in use
 * @b:		Buffer
 * @room:	Bytes wanted
 *
 * Return: where to write, valid until the next call here; NULL with @b->error set
 */
void *growbuf_reserve(struct growbuf *b, size_t room);

/**
 * growbuf_append() - Append bytes
 *
 * Return: 0, or the error that sticks in @b
 */
int growbuf_append(struct growbuf *b, const void *data, size_t len);

/**
 * growbuf_printf() - Append text, without its NUL; 255 bytes at most a call
 */
__attribute__((format(printf, 2, 3))) int growbuf_printf(struct growbuf *b, const char *fmt, ...);

/**
 * growbuf_reset() - Forget the bytes and the error, wipe the memory, keep it
 */
void growbuf_reset(struct growbuf *b);

/**
 * growbuf_free() - Wipe and release; the buffer is empty and valid again
 */
void growbuf_free(struct growbuf *b);

#define auto_growbuf __attribute__((cleanup(growbuf_free)))

#endif /* DAEMON_NET_GROWBUF_H */
