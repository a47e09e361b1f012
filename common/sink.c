/* SPDX-License-Identifier: MIT */
#include "common/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(SINK_WRITE_MAX <= 4096, "PIPE_BUF on Linux: not waiting depends on it");

/* A description of our own, or -1. Never one of the three that programs inherit. */
static int reopen(int fd)
{
	char path[32];
	int own;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own >= 0 && own <= STDERR_FILENO) {
		(void)close(own);
		return -1;
	}
	return own;
}

void sink_open(struct sink *s, int fd)
{
	struct stat st;
	int own;

	*s = (struct sink) { .fd = fd, .kind = SINK_POLLED };
	if (fstat(fd, &st) < 0)
		return;
	if (S_ISREG(st.st_mode)) {
		s->kind = SINK_STRAIGHT;
	} else if (S_ISSOCK(st.st_mode)) {
		s->kind = SINK_SOCKET;
	} else {
		own = reopen(fd);
		if (own >= 0)
			*s = (struct sink) { .fd = own, .kind = SINK_OWN };
	}
}

/* An error or a hang-up counts as writable: the write then says what is wrong. */
static int has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 0 ? -EAGAIN : 0;
}

/*
 * A write to a pipe without readers raises SIGPIPE, one beyond the limit of a file's size SIGXFSZ.
 * Where that is blocked it would wait to be taken for one that somebody sent; it is this thread's
 * own, so it is the first to be taken.
 */
static void swallow(int sig)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, sig);
	(void)sigtimedwait(&set, NULL, &at_once);
}

ssize_t sink_write(const struct sink *s, const void *buf, size_t len)
{
	ssize_t n;
	int r;

	if (s->kind == SINK_POLLED) {
		r = has_room(s->fd);
		if (r < 0)
			return r;
	}
	if (s->kind == SINK_SOCKET)
		n = send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		n = write(s->fd, buf, len);
	if (n >= 0)
		return n;
	r = -errno;
	if (r == -EPIPE && s->kind != SINK_SOCKET)
		swallow(SIGPIPE);
	if (r == -EFBIG)
		swallow(SIGXFSZ);
	return r;
}
