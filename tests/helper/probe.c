/* SPDX-License-Identifier: MIT */
/*
 * probe - a stand-in for the daemon, for tests without a shell: does what its arguments say, in order
 *
 *   exit N          end with code N
 *   kill SIG        die of signal SIG
 *   sleep MS        wait, through signals
 *   wait            wait for ever
 *   ignore SIG      ignore a signal
 *   obey SIG N      end with code N on a signal
 *   report          print every signal that comes, "signal N CODE VALUE", until the end
 *   orphans N       leave N children behind that end at once
 *   linger SECONDS  leave a child in a session of its own that ends by itself after a while
 *   stubborn SECONDS the same, ignoring SIGTERM
 *   state           print user, groups, capabilities, signal mask, descriptors
 *   print TEXT      print a line
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t obey_code;

static int number(const char *text)
{
	return text ? (int)strtol(text, NULL, 10) : 0;
}

static void pause_ms(long ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0)
		;
}

static void on_obey(int sig)
{
	(void)sig;
	_exit(obey_code);
}

static void leave_orphans(int n)
{
	if (fork() != 0)
		return;
	for (int i = 0; i < n; i++)
		if (fork() == 0)
			_exit(0);
	_exit(0);
}

static void leave_one(int seconds, bool is_stubborn)
{
	if (fork() != 0)
		return;
	(void)setsid();
	if (is_stubborn)
		(void)signal(SIGTERM, SIG_IGN);
	pause_ms(seconds * 1000L);
	_exit(0);
}

static void report_signals(void)
{
	sigset_t all;
	siginfo_t si;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)printf("ready\n");
	(void)fflush(stdout);
	for (;;) {
		int sig = sigwaitinfo(&all, &si);

		if (sig <= 0)
			continue;
		(void)printf("signal %d %d %d\n", sig, si.si_code, si.si_value.sival_int);
		(void)fflush(stdout);
		if (sig == SIGTERM)
			_exit(0);
	}
}

static void print_status_lines(void)
{
	static const char *const keys[] = { "Uid", "Gid", "Groups", "Sig", "Shd", "Cap", "NoNew" };
	char line[512];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				(void)fputs(line, stdout);
	if (f)
		(void)fclose(f);
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			(void)printf("fd %d\n", fd);
	(void)printf("pgrp %d pid %d ppid %d\n", getpgrp(), getpid(), getppid());
	(void)fflush(stdout);
}

/* Runs one verb; returns how many arguments it took. */
static int run(char **argv)
{
	const char *verb = argv[0];
	const char *arg = argv[1];

	if (strcmp(verb, "exit") == 0)
		_exit(number(arg));
	if (strcmp(verb, "wait") == 0)
		for (;;)
			(void)pause();
	if (strcmp(verb, "report") == 0)
		report_signals();
	if (strcmp(verb, "state") == 0) {
		print_status_lines();
		return 1;
	}
	if (strcmp(verb, "kill") == 0)
		(void)raise(number(arg));
	else if (strcmp(verb, "sleep") == 0)
		pause_ms(number(arg));
	else if (strcmp(verb, "ignore") == 0)
		(void)signal(number(arg), SIG_IGN);
	else if (strcmp(verb, "orphans") == 0)
		leave_orphans(number(arg));
	else if (strcmp(verb, "linger") == 0 || strcmp(verb, "stubborn") == 0)
		leave_one(number(arg), *verb == 's');
	else if (strcmp(verb, "print") == 0)
		(void)puts(arg ? arg : "");
	else if (strcmp(verb, "obey") == 0 && arg) {
		obey_code = number(argv[2]);
		(void)signal(number(arg), on_obey);
		return 3;
	} else {
		(void)fprintf(stderr, "probe: unknown verb %s\n", verb);
		_exit(99);
	}
	(void)fflush(stdout);
	return 2;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc;)
		i += run(argv + i);
	return 0;
}
