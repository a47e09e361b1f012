/* SPDX-License-Identifier: MIT */
/*
 * initbench - measures one run of an init as PID 1 of a new PID namespace; bench.py compares them
 *
 *   life CPU ARGV...          start, wait for the end; prints nanoseconds
 *   begin CPU FILE ARGV...    start, wait until the child is up, kill; prints the nanoseconds until it was
 *   stop CPU FILE ARGV...     start, wait until the child is up, SIGTERM, wait; prints nanoseconds
 *   calls ARGV...             prints the number of system calls on the way to the child's execve
 *   hold CPU FILE ARGV...     start, print the number of PID 1 once the child is up; kill it at the end of input
 *   signals CPU PID FILE N    send N signals to PID; prints the nanoseconds until the child had each
 *   burst PID FILE N          have the child leave N zombies to PID 1; prints the nanoseconds until all are gone
 *   child FILE                what an init runs in these measurements
 *
 * CPU is the one CPU that everybody has to share, or -1. FILE is a page of memory shared with the child,
 * by name and not by descriptor, because some inits close descriptors. Nothing but results is printed:
 * standard input, output and error of what runs are /dev/null. Exit code 1 when something fails.
 */
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BURST_MAX 20000
#define TIMEOUT_S 20
#define SETTLE_US 2000
#define PAUSE_US  100
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

/* The page: the child counts `turn` up whenever it has done something; 1 means that it is up. */
struct page {
	_Atomic uint32_t turn;
	uint32_t burst;
	uint64_t ns;
	pid_t zombies[BURST_MAX];
};

static FILE *results;

static void fail(const char *what)
{
	(void)fprintf(results ? results : stderr, "initbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void pause_us(long us)
{
	const struct timespec ts = { .tv_nsec = us * 1000 };

	(void)nanosleep(&ts, NULL);
}

static long number(const char *text)
{
	return strtol(text, NULL, 10);
}

static struct page *open_page(const char *path)
{
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct page *page;

	if (fd < 0 || ftruncate(fd, sizeof(*page)) < 0)
		fail(path);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (page == MAP_FAILED)
		fail("mmap");
	return page;
}

/* Sleeps until the child has taken its turn; a spinning parent would take a CPU from those measured. */
static void await_turn(struct page *page, uint32_t before)
{
	const struct timespec limit = { .tv_sec = TIMEOUT_S };

	while (atomic_load(&page->turn) == before)
		if (syscall(SYS_futex, &page->turn, FUTEX_WAIT, before, &limit, NULL, 0) < 0 &&
		    errno == ETIMEDOUT)
			fail("the child does not answer");
}

static void take_turn(struct page *page)
{
	(void)atomic_fetch_add(&page->turn, 1);
	(void)syscall(SYS_futex, &page->turn, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void share_one_cpu(const char *text)
{
	long cpu = number(text);
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fail("sched_setaffinity");
}

/* From here on, 0 to 2 are /dev/null, and results go where standard output was. */
static void silence(void)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	results = out < 0 ? NULL : fdopen(out, "w");
	if (!results || null < 0)
		fail("/dev/null");
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
}

/*
 * A shell in the background leaves two signals ignored, posix_spawn(3) two others, of the C library's
 * own, which only the raw call resets; and some inits undo them one by one.
 */
static void reset_signals(void)
{
	static const uint64_t dfl[4];

	for (int sig = 1; sig <= 64; sig++)
		(void)syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof(uint64_t));
}

static pid_t start(char **argv, bool is_traced)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		fail("clone into a new PID namespace");
	if (pid > 0)
		return pid;
	reset_signals();
	if (is_traced)
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	(void)execv(argv[0], argv);
	_exit(127);
}

static void await_end(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = ECHILD;
		fail("it did not end with 0");
	}
}

static void print_ns(uint64_t ns)
{
	(void)fprintf(results, "%" PRIu64 "\n", ns);
}

static void run_life(char **args)
{
	uint64_t begun;

	silence();
	share_one_cpu(args[0]);
	begun = now_ns();
	await_end(start(args + 1, false));
	print_ns(now_ns() - begun);
}

static pid_t start_and_await_child(char **args)
{
	struct page *page = open_page(args[1]);
	pid_t pid;

	share_one_cpu(args[0]);
	atomic_store(&page->turn, 0);
	pid = start(args + 2, false);
	await_turn(page, 0);
	return pid;
}

static void run_begin(char **args)
{
	struct page *page = open_page(args[1]);
	uint64_t begun;
	pid_t pid;

	silence();
	share_one_cpu(args[0]);
	atomic_store(&page->turn, 0);
	begun = now_ns();
	pid = start(args + 2, false);
	await_turn(page, 0);
	print_ns(page->ns - begun);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void run_stop(char **args)
{
	uint64_t begun;
	pid_t pid;

	silence();
	pid = start_and_await_child(args);
	/* Until the init, too, is where it waits. */
	pause_us(SETTLE_US);
	begun = now_ns();
	(void)kill(pid, SIGTERM);
	await_end(pid);
	print_ns(now_ns() - begun);
}

static void run_hold(char **args)
{
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	char end;
	pid_t pid;

	silence();
	pid = start_and_await_child(args);
	(void)fprintf(results, "%d\n", pid);
	(void)fflush(results);
	while (read(in, &end, 1) > 0)
		;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void run_signals(char **args)
{
	struct page *page = open_page(args[2]);
	pid_t pid = (pid_t)number(args[1]);

	silence();
	share_one_cpu(args[0]);
	for (long i = number(args[3]); i > 0; i--) {
		uint32_t turn = atomic_load(&page->turn);
		uint64_t begun = now_ns();

		if (kill(pid, SIGUSR1) < 0)
			fail("kill");
		await_turn(page, turn);
		print_ns(page->ns - begun);
		pause_us(PAUSE_US);
	}
}

static void run_burst(char **args)
{
	struct page *page = open_page(args[1]);
	uint32_t turn = atomic_load(&page->turn);

	silence();
	page->burst = (uint32_t)number(args[2]);
	if (page->burst > BURST_MAX || kill((pid_t)number(args[0]), SIGUSR2) < 0)
		fail("burst");
	await_turn(page, turn);
	print_ns(page->ns);
}

/* calls: from the init's own execve to that of its child */

static bool is_entry(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* The signal that a stop is about, to be delivered; 0 for one that only the tracer sees. */
static int signal_of_stop(int status)
{
	int sig = WSTOPSIG(status);
	bool is_ours = sig == (SIGTRAP | 0x80) || sig == SIGTRAP || sig == SIGSTOP;

	return is_ours ? 0 : sig;
}

static bool is_birth(int status)
{
	int event = status >> 16;

	return event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	       event == PTRACE_EVENT_CLONE;
}

/* On the way to the program is the init up to its fork, then the child; the init's later ones are beside. */
static void run_calls(char **args)
{
	unsigned int n = 0;
	int status = 0;
	bool has_child = false;
	pid_t init;
	pid_t pid;

	silence();
	pid = init = start(args, true);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, OPTIONS) < 0)
		fail("trace");
	while (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
		if (WIFSTOPPED(status))
			(void)ptrace(PTRACE_SYSCALL, pid, NULL, (long)signal_of_stop(status));
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			fail("the child was never executed");
		if (!WIFSTOPPED(status))
			continue;
		has_child = has_child || is_birth(status);
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && is_entry(pid))
			n += pid == init && has_child ? 0 : 1;
	}
	/* Less the child's execve itself. */
	(void)fprintf(results, "%u\n", n - 1);
}

/* child */

/* Zombies as one process's children, which all become PID 1's in the moment that process ends. */
static void make_zombies(struct page *page)
{
	siginfo_t si;

	for (uint32_t i = 0; i < page->burst; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0)
			_exit(1);
		page->zombies[i] = pid;
	}
	for (uint32_t i = 0; i < page->burst; i++)
		(void)waitid(P_PID, (id_t)page->zombies[i], &si, WEXITED | WNOWAIT);
	page->ns = now_ns();
	_exit(0);
}

static void leave_zombies(struct page *page)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		make_zombies(page);
	/* Nobody answers then, and the other side says so. */
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		_exit(1);
	for (uint32_t i = 0; i < page->burst;)
		if (kill(page->zombies[i], 0) == 0)
			pause_us(PAUSE_US);
		else
			i++;
	page->ns = now_ns() - page->ns;
}

static void run_child(char **args)
{
	struct page *page = open_page(args[0]);
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGUSR2);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	page->ns = now_ns();
	take_turn(page);
	for (;;) {
		int sig = sigwaitinfo(&set, NULL);

		if (sig == SIGTERM)
			_exit(0);
		if (sig == SIGUSR1)
			page->ns = now_ns();
		else if (sig == SIGUSR2)
			leave_zombies(page);
		take_turn(page);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int n_args;
		void (*run)(char **args);
	} verbs[] = {
		{ "life", 2, run_life },   { "begin", 3, run_begin }, { "stop", 3, run_stop },
		{ "calls", 1, run_calls }, { "hold", 3, run_hold },   { "signals", 4, run_signals },
		{ "burst", 3, run_burst }, { "child", 1, run_child },
	};

	for (size_t i = 0; i < ARRAY_LEN(verbs) && argc > 1; i++)
		if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 >= verbs[i].n_args) {
			verbs[i].run(argv + 2);
			return 0;
		}
	(void)fputs("usage: see the head of tests/bench/initbench.c\n", stderr);
	return 64;
}
