/* SPDX-License-Identifier: MIT */
/* probe_family - the verbs that leave descendants behind */
#include "tests/helper/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BURST	     5000
#define TIDY_MS	     300
#define LIFE_SECONDS 60

static const char *lingering_file;

static pid_t fork_or_retry(void)
{
	pid_t pid;

	/* Whoever reaps may be behind. */
	while ((pid = fork()) < 0 && errno == EAGAIN)
		(void)sched_yield();
	if (pid < 0)
		fail("fork");
	return pid;
}

/* Runs something in a child and waits for its end. */
void in_child(void (*run)(const void *arg), const void *arg)
{
	pid_t pid = fork_or_retry();

	if (pid == 0) {
		run(arg);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void run_wait(char **args)
{
	(void)args;
	for (;;)
		(void)pause();
}

void run_twin(char **args)
{
	(void)args;
	(void)fork_or_retry();
}

static void make_burst(const void *arg)
{
	for (int i = *(const int *)arg; i > 0; i--)
		if (fork_or_retry() == 0)
			_exit(0);
}

static void make_orphans(int n)
{
	/* They die as children of a process that never asks, and become PID 1's when it ends. */
	for (int left = n; left > 0; left -= BURST)
		in_child(make_burst, left < BURST ? &left : &(int) { BURST });
	(void)printf("orphans %d\n", n);
	(void)fflush(stdout);
}

void run_orphans(char **args)
{
	make_orphans(number(args[0]));
}

static void start_storm(const void *arg)
{
	if (fork_or_retry() != 0)
		return;
	make_orphans(*(const int *)arg);
	_exit(0);
}

void run_storm(char **args)
{
	int n = number(args[0]);

	in_child(start_storm, &n);
}

static void tidy_up(int sig)
{
	(void)sig;
	pause_ms(TIDY_MS);
	_exit(open(lingering_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0);
}

/* The child stays, and says through the pipe that it is what it should be. */
static void stay(void (*at_term)(int sig))
{
	int fds[2];
	char end;

	if (pipe2(fds, O_CLOEXEC) < 0)
		fail("pipe");
	if (fork_or_retry() == 0) {
		(void)setsid();
		(void)signal(SIGTERM, at_term);
		(void)alarm(LIFE_SECONDS);
		(void)close(fds[0]);
		(void)close(fds[1]);
		run_wait(NULL);
	}
	(void)close(fds[1]);
	if (read(fds[0], &end, 1) < 0)
		fail("read");
	(void)close(fds[0]);
}

void run_linger(char **args)
{
	lingering_file = args[0];
	stay(tidy_up);
}

static void become_daemon(const void *arg)
{
	lingering_file = arg;
	(void)setsid();
	stay(tidy_up);
}

void run_daemon(char **args)
{
	in_child(become_daemon, args[0]);
}

void run_stubborn(char **args)
{
	(void)args;
	stay(SIG_IGN);
}
