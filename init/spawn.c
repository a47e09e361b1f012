/* SPDX-License-Identifier: MIT */
#include "init/spawn.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "init/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Marks everything above 2 as closed at exec, the error pipe included, so that it reports until then. */
static void close_inherited(void)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = 3; fd < 1024; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int confine(const struct spawn_program *p, struct err *e)
{
	int r = caps_become(p->uid, p->gid, p->keep, p->n_keep, e);

	if (r < 0) {
		e->exit_code = EXITS_NO_PERMISSION;
		return r;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_exit(e, EXITS_SYSTEM, -errno, "set no_new_privs");
	return 0;
}

/* Which exit code says why a program could not be executed; ENOMEM and its like may pass. */
static int exec_exit_code(int error)
{
	switch (error) {
	case ENOENT:
		return EXITS_NOT_FOUND;
	case EAGAIN:
	case ENOMEM:
	case ENFILE:
		return EXITS_SYSTEM;
	default:
		return EXITS_NOT_EXECUTABLE;
	}
}

static int become_program(const struct spawn_program *p, struct err *e)
{
	int r;
	int saved;

	(void)setpgid(0, 0);
	/* SIGTTOU is still blocked here, so that a background group may do this. */
	if (p->foreground && isatty(STDIN_FILENO))
		(void)tcsetpgrp(STDIN_FILENO, getpid());
	if (p->confine) {
		r = confine(p, e);
		if (r < 0)
			return r;
	}
	close_inherited();
	if (p->hand_over > 0)
		(void)fcntl(p->hand_over, F_SETFD, 0);
	mask_unblock_all();
	(void)execvpe(p->argv[0], p->argv, p->envp);
	saved = errno;
	return err_exit(e, exec_exit_code(saved), -saved, "execute %s", p->argv[0]);
}

/*
 * What fork(3) does besides is for programs with threads and handlers at fork, which this is not:
 * half a dozen system calls around the one, to block and restore signals that are all blocked.
 */
static pid_t fork_raw(void)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)SIGCHLD, 0L, 0L, 0L, 0L);
}

int spawn_program(const struct spawn_program *p, struct spawn_child *out, struct err *e)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe for %s", p->argv[0]);
	pid = fork_raw();
	if (pid < 0) {
		int r = -errno;

		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_set(e, r, "fork a process for %s", p->argv[0]);
	}
	if (pid == 0) {
		struct err why = { 0 };

		(void)become_program(p, &why);
		(void)io_write_full(fds[1], &why, sizeof(why));
		_exit(why.exit_code);
	}
	/* In both processes: whoever comes first, a signal to the group finds it. */
	(void)setpgid(pid, pid);
	(void)close(fds[1]);
	out->pid = pid;
	out->error_fd = fds[0];
	return 0;
}

int spawn_error(struct spawn_child *child, struct err *e)
{
	struct err why = { 0 };
	ssize_t n = -1;

	if (child->error_fd >= 0) {
		n = io_read_bounded(child->error_fd, &why, sizeof(why));
		(void)close(child->error_fd);
	}
	child->error_fd = -1;
	if (n != (ssize_t)sizeof(why))
		return 0;
	why.msg[sizeof(why.msg) - 1] = '\0';
	return err_exit(e, why.exit_code, why.code, "%s", why.msg);
}

pid_t spawn_function(int (*run)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(run(arg));
	return pid;
}
