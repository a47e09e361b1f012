/* SPDX-License-Identifier: MIT */
#include "init/process/spawn.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "init/process/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Programs become children of our parent. */
static bool makes_siblings;

_Static_assert(sizeof(struct spawn_report) <= 512, "POSIX's smallest PIPE_BUF keeps reports whole");

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

/*
 * After the change of user, which would clear it. A parent that died before it was set would never
 * be noticed, so the parent is looked at again.
 */
static int die_with(pid_t parent, struct err *e)
{
	if (parent <= 1)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_exit(e, EXITS_SYSTEM, -errno, "ask to end with wgmesh-init");
	if (getppid() != parent)
		return err_exit(e, EXITS_SYSTEM, -ESRCH, "start a program: wgmesh-init is gone");
	return 0;
}

/* Which exit code says why a program could not be executed; what may pass is tried again. */
static int exec_exit_code(int error)
{
	switch (error) {
	case ENOENT:
		return EXITS_NOT_FOUND;
	case EAGAIN:
	case EIO:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ESTALE:
	case ETXTBSY:
		return EXITS_SYSTEM;
	default:
		return EXITS_NOT_EXECUTABLE;
	}
}

/*
 * In a shell's background, the terminal is not ours to give. SIGTTOU is still blocked here, so that
 * a group that is not in the foreground yet may ask for it.
 */
static void lead_group(const struct spawn_program *p)
{
	pid_t ours = p->foreground && isatty(STDIN_FILENO) ? getpgrp() : 0;
	pid_t has_it = ours ? tcgetpgrp(STDIN_FILENO) : -1;

	(void)setpgid(0, 0);
	if (has_it > 0 && (has_it == ours || has_it == p->last_group))
		(void)tcsetpgrp(STDIN_FILENO, getpid());
}

static int become_program(const struct spawn_program *p, struct err *e)
{
	int r = 0;
	int saved;

	lead_group(p);
	if (p->stdout_fd > STDERR_FILENO && dup2(p->stdout_fd, STDOUT_FILENO) < 0)
		return err_exit(e, EXITS_SYSTEM, -errno, "redirect standard output");
	if (p->stderr_fd > STDERR_FILENO && dup2(p->stderr_fd, STDERR_FILENO) < 0)
		return err_exit(e, EXITS_SYSTEM, -errno, "redirect standard error");
	if (p->confine)
		r = confine(p, e);
	if (r == 0)
		r = die_with(p->parent, e);
	if (r == 0 && p->check)
		r = p->check(p->check_arg, e);
	if (r < 0)
		return r;
	close_inherited();
	if (p->hand_over > 0)
		(void)fcntl(p->hand_over, F_SETFD, 0);
	mask_unblock_all();
	(void)execvpe(p->argv[0], p->argv, p->envp);
	saved = errno;
	return err_exit(e, exec_exit_code(saved), -saved, "execute %s", p->argv[0]);
}

_Noreturn static void run_child(const struct spawn_program *p)
{
	struct spawn_report report = { 0 };

	(void)become_program(p, &report.why);
	report.pid = getpid();
	if (p->error_fd > STDERR_FILENO)
		(void)io_write_full(p->error_fd, &report, sizeof(report));
	_exit(report.why.exit_code);
}

/*
 * The raw call, because no C library has one for CLONE_PARENT. What fork(3) does besides is for
 * programs with threads and handlers at fork, which this is not: half a dozen system calls around
 * the one, to block and restore signals that are all blocked.
 */
static pid_t raw_clone(int flags)
{
	return (pid_t)syscall(SYS_clone, (long)flags, 0L, 0L, 0L, 0L);
}

bool spawn_can_make_siblings(void)
{
	pid_t pid = getpid() == 1 ? raw_clone(CLONE_PARENT | SIGCHLD) : -1;

	if (pid == 0)
		_exit(0);
	/* A child that should not be is reaped with the orphans. */
	return getpid() != 1 || (pid < 0 && errno == EINVAL);
}

void spawn_make_siblings(void)
{
	makes_siblings = true;
}

static pid_t make_process(void)
{
	return raw_clone(makes_siblings ? CLONE_PARENT | SIGCHLD : SIGCHLD);
}

pid_t spawn_program(const struct spawn_program *p)
{
	pid_t pid = make_process();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(p);
	return pid;
}

int spawn_errors_open(struct spawn_errors *s, struct err *e)
{
	int fds[2];

	memset(s, 0, sizeof(*s));
	/* A child must end even if nobody reads: then its exit code alone has to do. */
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		s->read_fd = -1;
		s->write_fd = -1;
		return err_set(e, -errno, "make a pipe for errors of programs");
	}
	s->read_fd = fds[0];
	s->write_fd = fds[1];
	return 0;
}

void spawn_errors_close(struct spawn_errors *s)
{
	if (s->read_fd >= 0)
		(void)close(s->read_fd);
	if (s->write_fd >= 0)
		(void)close(s->write_fd);
	s->read_fd = -1;
	s->write_fd = -1;
}

static void read_reports(struct spawn_errors *s)
{
	struct spawn_report report;

	while (s->read_fd >= 0 && read(s->read_fd, &report, sizeof(report)) == sizeof(report)) {
		report.why.msg[sizeof(report.why.msg) - 1] = '\0';
		s->kept[s->n_kept++ % SPAWN_REPORTS_KEPT] = report;
	}
}

int spawn_errors_take(struct spawn_errors *s, pid_t pid, struct err *e)
{
	read_reports(s);
	for (size_t i = 0; i < SPAWN_REPORTS_KEPT; i++) {
		struct spawn_report *report = &s->kept[i];

		if (report->pid != pid)
			continue;
		report->pid = 0;
		return err_exit(e, report->why.exit_code, report->why.code, "%s", report->why.msg);
	}
	return 0;
}

pid_t spawn_function(int (*run)(void *arg), void *arg)
{
	pid_t pid = make_process();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(run(arg));
	return pid;
}
