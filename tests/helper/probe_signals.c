/* SPDX-License-Identifier: MIT */
/* probe_signals - the verbs that receive signals, and what a process can say about itself */
#include "common/defs.h"
#include "tests/helper/probe.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_MAX 64

enum answer { ANSWER_NONE, ANSWER_EXIT, ANSWER_COUNTS, ANSWER_STATE };

static struct {
	enum answer answer;
	int code;
	unsigned int count;
} signals[SIGNAL_MAX + 1];

static int signal_number(const char *text)
{
	int sig;

	for (sig = 1; sig < SIGRTMIN; sig++) {
		const char *name = sigabbrev_np(sig);

		if (name && strcmp(name, text) == 0)
			return sig;
	}
	sig = number(text);
	if (sig < 1 || sig > SIGNAL_MAX)
		misuse(text);
	return sig;
}

static void print_status(void)
{
	static const char *const keys[] = { "Uid", "Gid",   "Groups",	  "Sig",    "Shd",
					    "Cap", "NSpid", "NoNewPrivs", "Seccomp" };
	char line[512];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				(void)fputs(line, stdout);
	if (f)
		(void)fclose(f);
}

static void print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;
	char target[256];

	while (dir && (d = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof(target));

		if (n > 0 && number(d->d_name) != dirfd(dir))
			(void)printf("Fd: %s %.*s\n", d->d_name, (int)n, target);
	}
	if (dir)
		(void)closedir(dir);
}

void run_state(char **args)
{
	char cwd[256] = "";

	(void)args;
	print_status();
	print_descriptors();
	(void)printf("Pid: %d\nPPid: %d\nPgrp: %d\nSession: %d\nForeground: %d\nCwd: %s\n",
		     getpid(), getppid(), getpgrp(), getsid(0), tcgetpgrp(STDIN_FILENO),
		     getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	for (char **entry = environ; *entry; entry++)
		(void)printf("Env: %s\n", *entry);
	(void)puts("State: end");
}

static void print_counts(void)
{
	for (int sig = 1; sig <= SIGNAL_MAX; sig++)
		if (signals[sig].count)
			(void)printf("count %d %u\n", sig, signals[sig].count);
	(void)puts("counts: end");
}

static void obey(int sig)
{
	_exit(signals[sig].code);
}

void run_obey(char **args)
{
	int sig = signal_number(args[0]);

	signals[sig].answer = ANSWER_EXIT;
	signals[sig].code = number(args[1]);
	(void)signal(sig, obey);
}

void run_answer(char **args)
{
	bool is_state = strcmp(args[1], "state") == 0;

	if (!is_state && strcmp(args[1], "counts") != 0)
		misuse(args[1]);
	signals[signal_number(args[0])].answer = is_state ? ANSWER_STATE : ANSWER_COUNTS;
}

/* A set of one signal or of all of them, the two that glibc keeps to itself included. */
static uint64_t signal_set(const char *text)
{
	bool is_all = strcmp(text, "all") == 0;

	return is_all ? UINT64_MAX : UINT64_C(1) << (signal_number(text) - 1);
}

void run_ignore(char **args)
{
	uint64_t set = signal_set(args[0]);

	for (int sig = 1; sig <= SIGNAL_MAX; sig++)
		if (set >> (sig - 1) & 1)
			(void)signal(sig, SIG_IGN);
}

static void block(uint64_t set)
{
	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof(set));
}

void run_block(char **args)
{
	block(signal_set(args[0]));
}

void run_kill(char **args)
{
	const struct rlimit none = { 0, 0 };
	int sig = signal_number(args[0]);
	sigset_t set;

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	/* Not raise(3), which refuses the two signals that glibc keeps to itself. */
	(void)kill(getpid(), sig);
}

static void take(const siginfo_t *si, bool is_loud)
{
	int sig = si->si_signo;

	switch (signals[sig].answer) {
	case ANSWER_COUNTS:
		print_counts();
		break;
	case ANSWER_STATE:
		run_state(NULL);
		break;
	case ANSWER_EXIT:
	case ANSWER_NONE:
		signals[sig].count++;
		if (is_loud)
			(void)printf("signal %d %d %d\n", sig, si->si_code, si->si_value.sival_int);
		break;
	}
	(void)fflush(stdout);
	if (signals[sig].answer == ANSWER_EXIT)
		_exit(signals[sig].code);
}

static void receive(bool is_loud)
{
	const uint64_t all = UINT64_MAX;
	siginfo_t si;

	block(all);
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		if (syscall(SYS_rt_sigtimedwait, &all, &si, NULL, sizeof(all)) > 0)
			take(&si, is_loud);
}

void run_report(char **args)
{
	(void)args;
	receive(true);
}

void run_count(char **args)
{
	(void)args;
	receive(false);
}
