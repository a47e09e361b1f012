/* SPDX-License-Identifier: MIT */
/*
 * probe - a stand-in for the supervised program: does what its arguments say, in order, then ends with 0
 *
 * Ends      exit N               end with code N
 *           kill SIG             die of a signal, without a core file
 *           obey SIG N           end with code N when the signal comes, from now on
 *           hang                 SIGSTOP itself
 * Signals   report               print every signal that comes as "signal N CODE VALUE", for ever
 *           count                the same, but print nothing by itself
 *           answer SIG counts    on this signal, report and count print "count N TIMES" for each so far
 *           answer SIG state     on this signal, they print what the verb state prints
 *           ignore SIG, block SIG  ignore or block a signal, or "all"
 * Time      sleep MS             wait, through signals
 *           wait                 wait for ever
 * Family    twin                 fork; both go on with the next verb, in one process group
 *           orphans N            N grandchildren that end at once, in bursts; "orphans N" when all are made
 *           storm N              the same from a process of its own, while the next verbs run
 *           linger FILE          a child in its own session; at SIGTERM it tidies up for 300 ms, makes FILE, ends
 *           daemon FILE          the same, but daemonised: forked twice, an orphan
 *           stubborn             a child in its own session that ignores SIGTERM
 * Terminal  read                 read a line and print "read LINE", or "read nothing" at its end
 * Output    print TEXT           a line on standard output
 *           complain TEXT        a line on standard error
 *           output FILE          standard output goes to FILE from now on
 *           state                lines "Key: value": ids, capabilities, masks, Fd, Env, Cwd, Foreground ...
 *           close-all            close all descriptors, 0 to 2 too
 * Becoming  close FD, open FD    a descriptor closed, or opened on /dev/zero and left open at exec
 *           chdir DIR            another working directory
 *           terminal             the session leader of the terminal on standard input
 *           exec PROGRAM ARG...  another program, with all the state that was made so far
 * Memory    eat MEGABYTES        take memory, use it, and keep it
 * sd_notify notify TEXT          send a datagram to $NOTIFY_SOCKET; \n in TEXT stands for a newline
 *           notify-as-child TEXT   the same from a forked child, which ends at once
 *           notify-as-session TEXT the same from a child in a session of its own
 *           beat MS              WATCHDOG=1 every MS milliseconds, for ever
 *
 * SIG is a number or a name as TERM. The descendants that stay end by themselves after a minute. report
 * and count block all signals, print "ready", and obey. Exit codes: 98 something failed, 99 wrong usage.
 */
#include "tests/helper/probe.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXIT_TROUBLE 98
#define EXIT_MISUSE  99

void fail(const char *what)
{
	(void)fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	_exit(EXIT_TROUBLE);
}

void misuse(const char *what)
{
	(void)fprintf(stderr, "probe: %s: what is that?\n", what);
	_exit(EXIT_MISUSE);
}

int number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > 1000000)
		misuse(text);
	return (int)n;
}

void pause_ms(long ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0)
		;
}

/* Ends and time */

static void run_exit(char **args)
{
	_exit(number(args[0]));
}

static void run_hang(char **args)
{
	(void)args;
	(void)raise(SIGSTOP);
}

static void run_sleep(char **args)
{
	pause_ms(number(args[0]));
}

/* Output, terminal, memory */

static void run_read(char **args)
{
	char line[256];
	ssize_t n;

	(void)args;
	while ((n = read(STDIN_FILENO, line, sizeof(line))) < 0 && errno == EINTR)
		;
	if (n > 0 && line[n - 1] == '\n')
		n--;
	(void)printf("read %.*s\n", n > 0 ? (int)n : 7, n > 0 ? line : "nothing");
}

static void run_print(char **args)
{
	(void)puts(args[0]);
}

static void run_complain(char **args)
{
	(void)fprintf(stderr, "%s\n", args[0]);
}

static void run_output(char **args)
{
	if (!freopen(args[0], "ae", stdout))
		fail(args[0]);
}

static void run_close_all(char **args)
{
	(void)args;
	(void)syscall(SYS_close_range, 0U, ~0U, 0U);
}

static void run_close(char **args)
{
	(void)close(number(args[0]));
}

static void run_open(char **args)
{
	auto_close int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, number(args[0])) < 0)
		fail("open");
}

static void run_chdir(char **args)
{
	if (chdir(args[0]) < 0)
		fail(args[0]);
}

static void run_terminal(char **args)
{
	(void)args;
	(void)setsid();
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 1) < 0)
		fail("terminal");
}

static void run_exec(char **args)
{
	(void)execvp(args[0], args);
	fail(args[0]);
}

static void run_eat(char **args)
{
	size_t len = (size_t)number(args[0]) << 20;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	memset(p, 1, len);
}

/* sd_notify */

static size_t unescape(char *out, size_t size, const char *text)
{
	size_t len = 0;

	for (; *text && len < size; text++) {
		bool is_newline = text[0] == '\\' && text[1] == 'n';

		out[len++] = *(is_newline ? "\n" : text);
		text += is_newline;
	}
	return len;
}

static void notify(const void *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len = path ? strlen(path) : 0;
	char message[1024];

	if (len == 0 || len >= sizeof(to.sun_path))
		misuse("NOTIFY_SOCKET");
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';
	if (sendto(fd, message, unescape(message, sizeof(message), text), MSG_NOSIGNAL,
		   (const struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		fail("notify");
}

static void notify_in_session(const void *text)
{
	(void)setsid();
	notify(text);
}

static void run_notify(char **args)
{
	notify(args[0]);
}

static void run_notify_as_child(char **args)
{
	in_child(notify, args[0]);
}

static void run_notify_as_session(char **args)
{
	in_child(notify_in_session, args[0]);
}

static void run_beat(char **args)
{
	for (;;) {
		notify("WATCHDOG=1");
		pause_ms(number(args[0]));
	}
}

static const struct verb {
	const char *name;
	int n_args;
	void (*run)(char **args);
} verbs[] = {
	{ "exit", 1, run_exit },
	{ "kill", 1, run_kill },
	{ "obey", 2, run_obey },
	{ "hang", 0, run_hang },
	{ "report", 0, run_report },
	{ "count", 0, run_count },
	{ "answer", 2, run_answer },
	{ "ignore", 1, run_ignore },
	{ "sleep", 1, run_sleep },
	{ "wait", 0, run_wait },
	{ "twin", 0, run_twin },
	{ "orphans", 1, run_orphans },
	{ "storm", 1, run_storm },
	{ "linger", 1, run_linger },
	{ "daemon", 1, run_daemon },
	{ "stubborn", 0, run_stubborn },
	{ "read", 0, run_read },
	{ "print", 1, run_print },
	{ "complain", 1, run_complain },
	{ "output", 1, run_output },
	{ "state", 0, run_state },
	{ "block", 1, run_block },
	{ "close", 1, run_close },
	{ "open", 1, run_open },
	{ "chdir", 1, run_chdir },
	{ "terminal", 0, run_terminal },
	{ "exec", 1, run_exec },
	{ "close-all", 0, run_close_all },
	{ "eat", 1, run_eat },
	{ "notify", 1, run_notify },
	{ "notify-as-child", 1, run_notify_as_child },
	{ "notify-as-session", 1, run_notify_as_session },
	{ "beat", 1, run_beat },
};

static const struct verb *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	misuse(name);
	return NULL;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc;) {
		const struct verb *verb = find(argv[i]);

		if (i + verb->n_args >= argc)
			misuse(verb->name);
		verb->run(argv + i + 1);
		(void)fflush(stdout);
		i += 1 + verb->n_args;
	}
	return 0;
}
