/* SPDX-License-Identifier: MIT */
/*
 * sink - a place for output, such as standard error, written without ever waiting for its reader
 *
 * O_NONBLOCK must not leak to the programs that share an inherited description, so a sink gets a
 * description of its own where that is possible. Sockets cannot be reopened, but have a flag per
 * call; a pipe of another user's may not be, and is asked by poll(2) before every write; a regular
 * file never blocks, and a second offset would overwrite what the others write.
 */
#ifndef COMMON_SINK_H
#define COMMON_SINK_H

#include <stddef.h>
#include <sys/types.h>

/* A write of this much to a pipe that poll(2) calls writable does not wait (PIPE_BUF). */
#define SINK_WRITE_MAX 4096

enum sink_kind {
	SINK_POLLED,   /* a description we share: ask before each write */
	SINK_OWN,      /* our own non-blocking description */
	SINK_SOCKET,   /* MSG_DONTWAIT */
	SINK_STRAIGHT, /* a regular file */
};

/**
 * struct sink - Where output goes
 * @fd:		Descriptor, what to watch for EPOLLOUT when the sink is full
 * @kind:	How to write without waiting
 */
struct sink {
	int fd;
	enum sink_kind kind;
};

/**
 * sink_open() - Find out how to write to a descriptor without waiting
 * @s:		Sink to fill
 * @fd:		Descriptor; borrowed for good; may be closed, then writes fail with -EBADF
 */
void sink_open(struct sink *s, int fd);

/**
 * sink_write() - Write what fits now; never waits, leaves no SIGPIPE or SIGXFSZ pending
 * @s:		Sink
 * @buf:	Bytes; borrowed
 * @len:	Bytes in @buf, 1 to SINK_WRITE_MAX
 *
 * Return: bytes written (to a pipe: all of them), -EAGAIN when the sink is full, or another negative
 *         errno value when it is broken
 */
ssize_t sink_write(const struct sink *s, const void *buf, size_t len);

#endif /* COMMON_SINK_H */
