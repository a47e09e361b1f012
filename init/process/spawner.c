/* SPDX-License-Identifier: MIT */
#include "init/process/spawner.h"
#include "common/defs.h"
#include "common/exits.h"
#include "init/process/descriptors.h"
#include "init/process/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PROCESS_NAME "wgmesh-spawner"
#define ANSWER_S     5

struct request {
	uint32_t job;
	uint32_t size;
	_Alignas(max_align_t) uint8_t payload[SPAWNER_PAYLOAD_MAX];
};

struct birth {
	struct spawner *spawner;
	int fd;
	pid_t parent;
};

void spawner_init(struct spawner *s, spawner_function *start, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->start = start;
	s->arg = arg;
	s->fd = -1;
}

static bool is_kept(const struct spawner *s, int fd)
{
	for (size_t i = 0; i < s->n_keep; i++)
		if (s->keep[i] == fd)
			return true;
	return false;
}

void spawner_keep(struct spawner *s, int fd)
{
	if (fd > STDERR_FILENO && s->n_keep < SPAWNER_KEEP_MAX && !is_kept(s, fd))
		s->keep[s->n_keep++] = fd;
}

/* The smallest kept descriptor that is not below @from, or INT_MAX. */
static unsigned int next_kept(const struct spawner *s, unsigned int from)
{
	unsigned int least = (unsigned int)INT32_MAX;

	for (size_t i = 0; i < s->n_keep; i++)
		if ((unsigned int)s->keep[i] >= from && (unsigned int)s->keep[i] < least)
			least = (unsigned int)s->keep[i];
	return least;
}

/* The lock of the state directory among others: it must not outlive PID 1 by a moment. */
static void close_others(const struct spawner *s)
{
	unsigned int fd = STDERR_FILENO + 1;

	while (fd < (unsigned int)INT32_MAX) {
		unsigned int kept = next_kept(s, fd);

		if (kept > fd)
			descriptors_close(fd, kept - 1);
		fd = kept + 1;
	}
}

/* Return: false when there is nobody left to work for */
static bool settle_in(struct birth *b)
{
	struct spawner *s = b->spawner;

	spawner_keep(s, b->fd);
	close_others(s);
	(void)prctl(PR_SET_NAME, PROCESS_NAME, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	spawn_make_siblings();
	/* PID 1 may have taken on the daemon's real user; with it, the daemon could kill us. */
	if (setresuid(geteuid(), (uid_t)-1, (uid_t)-1) < 0)
		return false;
	return getppid() == b->parent;
}

static int serve(void *arg)
{
	struct birth *b = arg;
	struct spawner *s = b->spawner;
	struct request rq;

	if (!settle_in(b))
		return EXITS_SYSTEM;
	for (;;) {
		int32_t answer;
		ssize_t n = recv(b->fd, &rq, sizeof(rq), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(rq))
			return n == 0 ? EXITS_OK : EXITS_SYSTEM;
		answer = s->start(s->arg, rq.job, rq.size > 0 ? rq.payload : NULL);
		if (send(b->fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			return EXITS_SYSTEM;
	}
}

/* One descriptor more than the caller's is kept: the line itself. */
static bool has_room(const struct spawner *s)
{
	return s->n_keep < SPAWNER_KEEP_MAX;
}

int spawner_detach(struct spawner *s, struct err *e)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	struct birth b = { .spawner = s, .parent = getpid() };
	int fds[2];
	pid_t pid;

	if (!has_room(s))
		return err_set(e, -EMFILE, "keep so many descriptors in the spawner");
	if (!spawn_can_make_siblings())
		return err_set(e, -ENOSYS,
			       "have another process start programs for this one "
			       "(CLONE_PARENT does not work here)");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_set(e, -errno, "make a line to the spawner");
	(void)setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	b.fd = fds[1];
	pid = spawn_function(serve, &b);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return err_set(e, (int)pid, "fork the spawner");
	}
	s->fd = fds[0];
	s->pid = pid;
	s->is_detached = true;
	return 0;
}

void spawner_close(struct spawner *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

static pid_t give_up(struct spawner *s, struct err *e)
{
	if (s->fd >= 0 && s->pid > 0)
		(void)kill(s->pid, SIGKILL);
	spawner_close(s);
	return err_set(e, -EPIPE,
		       "the process that starts programs for wgmesh-init was killed or hangs, and "
		       "wgmesh-init itself has given up the right to; restart the container");
}

/* Return: the answer, or -EPIPE when there is none */
static pid_t ask(const struct spawner *s, const struct request *rq)
{
	int32_t answer = 0;

	if (s->fd < 0 || send(s->fd, rq, sizeof(*rq), MSG_NOSIGNAL) != (ssize_t)sizeof(*rq))
		return -EPIPE;
	if (recv(s->fd, &answer, sizeof(answer), 0) != (ssize_t)sizeof(answer) || answer == 0)
		return -EPIPE;
	return answer;
}

static pid_t start_anywhere(struct spawner *s, const struct request *rq, struct err *e)
{
	pid_t pid;

	if (!s->is_detached)
		return s->start(s->arg, rq->job, rq->size > 0 ? rq->payload : NULL);
	pid = ask(s, rq);
	return pid == -EPIPE ? give_up(s, e) : pid;
}

pid_t spawner_start(struct spawner *s, unsigned int job, const void *payload, size_t size,
		    struct err *e)
{
	struct request rq = { .job = job, .size = (uint32_t)size };
	pid_t pid;

	if (size > sizeof(rq.payload))
		return err_set(e, -EMSGSIZE, "hand so much to a program");
	if (size > 0)
		memcpy(rq.payload, payload, size);
	pid = start_anywhere(s, &rq, e);
	/*
	 * Here and in the child: whoever comes first. Not at a start of our own: its child has to see
	 * first whether the terminal is that of our group, and a signal finds it without a group, too.
	 */
	if (pid > 0 && s->is_detached)
		(void)setpgid(pid, pid);
	if (pid < 0 && pid != -EPIPE)
		(void)err_set(e, (int)pid, "make a process for a program");
	return pid;
}
