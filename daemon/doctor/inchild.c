/* SPDX-License-Identifier: MIT */
#include "daemon/doctor/inchild.h"
#include "common/defs.h"
#include "common/io.h"
#include "daemon/clock.h"
#include "daemon/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t parent;

void inchild_die_with_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* It may have ended before. */
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

__attribute__((noreturn)) static void run(inchild_fn *fn, const void *arg, struct inchild *c)
{
	inchild_die_with_parent();
	/* A node that hangs up on us is an answer, too. */
	(void)signal(SIGPIPE, SIG_IGN);
	fn(c->buf, arg);
	_exit(io_write_full(c->fd, c->buf, c->size) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int start(struct inchild *c, inchild_fn *fn, const void *arg)
{
	int ends[2];

	c->buf = calloc(1, c->size);
	if (!c->buf)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	c->fd = ends[0];
	parent = getpid();
	c->pid = fork();
	if (c->pid == 0) {
		(void)close(ends[0]);
		c->fd = ends[1];
		run(fn, arg, c);
	}
	(void)close(ends[1]);
	return c->pid < 0 ? -errno : 0;
}

void inchild_start(struct inchild *c, inchild_fn *fn, const void *arg, size_t size)
{
	*c = (struct inchild) { .fd = -1, .size = size };
	c->code = start(c, fn, arg);
}

/* Return: true when there is no more to be had */
static bool read_some(struct inchild *c)
{
	ssize_t n = read(c->fd, c->buf + c->used, c->size - c->used);

	if (n < 0 && errno == EINTR)
		return false;
	/* It ended without a whole answer: it crashed, or was killed for want of memory. */
	if (n <= 0)
		c->code = -ECHILD;
	else
		c->used += (size_t)n;
	return c->code < 0 || c->used == c->size;
}

bool inchild_wait(struct inchild *c, int64_t until_ms)
{
	while (c->code == 0 && c->used < c->size) {
		struct pollfd fds = { .fd = c->fd, .events = POLLIN };
		int64_t left_ms = until_ms - clock_now().mono_ms;

		if (poll(&fds, 1, left_ms > 0 ? (int)left_ms : 0) > 0) {
			if (read_some(c))
				break;
		} else if (left_ms <= 0) {
			return false;
		}
	}
	return true;
}

int inchild_take(struct inchild *c, void *out)
{
	int r = c->code;

	if (r == 0 && c->used < c->size)
		r = -ETIMEDOUT;
	if (r == 0)
		memcpy(out, c->buf, c->size);
	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		/* Not waited for: it may be stuck. Whoever inherits it from us will reap it. */
		(void)waitpid(c->pid, NULL, WNOHANG);
	}
	if (c->fd >= 0)
		(void)close(c->fd);
	if (c->buf)
		crypto_wipe(c->buf, c->size);
	free(c->buf);
	*c = (struct inchild) { .fd = -1, .code = -ECHILD };
	return r;
}
