/* SPDX-License-Identifier: MIT */
/*
 * tracer - run a program and do one thing to it at one of its system calls
 *
 *   tracer [nfs] REPORT list -- PROGRAM...           write every call into the file REPORT
 *   tracer [nfs] REPORT FAULT HOW PROCESS CALL -- PROGRAM...
 *
 * FAULT is an errno number, "short" (half of the bytes, really moved), "kill" (the process, as the
 * call begins: it does not happen) or "killall" (every process, as when a container ends). A call
 * that fails does not happen, except for close(2). HOW is "once", "twice" (the next call of the same
 * kind too) or "from" (every later call that changes the disk too). PROCESS and CALL count from 1;
 * calls count per process, from execve(2) on.
 *
 * With "nfs", renameat2(2) knows no flags, as on file systems that cannot rename without replacing.
 *
 * A tool that overwrites results, as strace's retval= does, cannot do a short write: it would say
 * that bytes were written of which none was.
 *
 * The report has a line "PROCESS CALL NUMBER FLAGS TARGET" for each call, or for each call that
 * something was done to. FLAGS are w (changes the disk), s (can come out short), l (goes to the log)
 * or "-". The exit status is the program's; a signal that ended it ends the tracer too.
 */
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"
#include "tests/fault/calls.h"
#include "tests/fault/regs.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEES_MAX  64
#define SYSCALL_STOP (SIGTRAP | 0x80)

enum fault { FAULT_LIST, FAULT_ERRNO, FAULT_SHORT, FAULT_KILL, FAULT_KILL_ALL };

enum how { HOW_ONCE, HOW_TWICE, HOW_FROM };

/**
 * struct tracee - One process
 * @pid:	Process id, 0 for a free row
 * @order:	1 for the program, then in the order of birth
 * @calls:	System calls begun
 * @is_counted:	The program has begun: what came before was ours
 * @error:	Result to give to the call that it is in, 0 for none
 * @count:	Argument that was halved, 0 for none
 * @bytes:	What it was
 */
struct tracee {
	pid_t pid;
	unsigned int order;
	unsigned int calls;
	bool is_counted;
	int error;
	int count;
	uint64_t bytes;
};

/**
 * struct tracer - What to do, and whom we have seen
 * @is_nfs:	The file system cannot rename without replacing
 * @report:	File to report to
 * @fault:	What to do
 * @how:	How often
 * @error:	Errno number of FAULT_ERRNO
 * @process:	Order of the process
 * @call:	Which of its calls
 * @last_nr:	Number of the call that was hit, once @hits is not 0
 * @hits:	Calls that something was done to
 * @tracees:	All processes
 * @n:		Processes seen so far
 */
struct tracer {
	bool is_nfs;
	FILE *report;
	enum fault fault;
	enum how how;
	int error;
	unsigned int process;
	unsigned int call;
	uint64_t last_nr;
	unsigned int hits;
	struct tracee tracees[TRACEES_MAX];
	unsigned int n;
};

static struct tracee *find(struct tracer *t, pid_t pid)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (t->tracees[i].pid == pid)
			return &t->tracees[i];
	if (t->n == TRACEES_MAX)
		return NULL;
	t->tracees[t->n] =
		(struct tracee) { .pid = pid, .order = t->n + 1, .is_counted = t->n > 0 };
	return &t->tracees[t->n++];
}

static void report(struct tracer *t, const struct tracee *who, const struct call *c)
{
	char target[CALL_TARGET_SIZE];
	char flags[4] = "";

	call_target(c, target);
	if (call_changes_disk(c))
		(void)strncat(flags, "w", 2);
	if (call_count_argument(c) > 0)
		(void)strncat(flags, "s", 2);
	if (call_is_log(c))
		(void)strncat(flags, "l", 2);
	(void)fprintf(t->report, "%u %u %llu %s %s\n", who->order, who->calls,
		      (unsigned long long)c->nr, flags[0] ? flags : "-", target);
}

static bool is_meant(const struct tracer *t, const struct tracee *who, const struct call *c)
{
	if (who->order == t->process && who->calls == t->call)
		return true;
	if (t->hits == 0 || t->how == HOW_ONCE)
		return false;
	if (t->how == HOW_TWICE)
		return t->hits == 1 && who->order == t->process && c->nr == t->last_nr;
	return call_changes_disk(c);
}

static void kill_all(const struct tracer *t)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (t->tracees[i].pid > 0)
			(void)kill(t->tracees[i].pid, SIGKILL);
}

static void halve(struct tracee *who, const struct call *c)
{
	who->count = call_count_argument(c);
	if (who->count < 0) {
		who->count = 0;
		return;
	}
	who->bytes = c->args[who->count];
	(void)regs_set_argument(c->pid, (unsigned int)who->count, (who->bytes + 1) / 2);
}

static void strike(struct tracer *t, struct tracee *who, const struct call *c)
{
	t->hits++;
	t->last_nr = c->nr;
	report(t, who, c);
	switch (t->fault) {
	case FAULT_ERRNO:
		/* close(2) closes, whatever it returns. */
		if (c->nr == SYS_close || regs_skip_call(c->pid) == 0)
			who->error = t->error;
		break;
	case FAULT_SHORT:
		halve(who, c);
		break;
	case FAULT_KILL:
		(void)kill(c->pid, SIGKILL);
		break;
	case FAULT_KILL_ALL:
		kill_all(t);
		break;
	case FAULT_LIST:
		break;
	}
}

static void at_entry(struct tracer *t, struct tracee *who, const struct __ptrace_syscall_info *info)
{
	struct call c = { .pid = who->pid, .nr = info->entry.nr };

	if (!who->is_counted)
		return;
	memcpy(c.args, info->entry.args, sizeof(c.args));
	who->calls++;
	if (t->is_nfs && c.nr == SYS_renameat2 && c.args[4] != 0 && regs_skip_call(c.pid) == 0)
		who->error = EINVAL;
	if (t->fault == FAULT_LIST)
		report(t, who, &c);
	else if (is_meant(t, who, &c))
		strike(t, who, &c);
}

/* The program may use the argument again: the kernel does not change it, nor may we. */
static void at_exit(struct tracee *who)
{
	if (who->error != 0)
		(void)regs_set_result(who->pid, -who->error);
	if (who->count != 0)
		(void)regs_set_argument(who->pid, (unsigned int)who->count, who->bytes);
	who->error = 0;
	who->count = 0;
}

static void at_system_call(struct tracer *t, struct tracee *who)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, who->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		at_entry(t, who, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		at_exit(who);
}

/* Returns the signal to deliver to a stopped process. */
static int at_stop(struct tracer *t, struct tracee *who, int status)
{
	int event = status >> 16;
	int sig = WSTOPSIG(status);

	if (sig == SYSCALL_STOP) {
		at_system_call(t, who);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC)
		who->is_counted = true;
	/* A new process begins stopped, which is no signal of anybody's. */
	return event != 0 || sig == SIGSTOP ? 0 : sig;
}

static int run(struct tracer *t, pid_t program)
{
	int status;
	int result = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct tracee *who = find(t, pid);

		if (WIFSTOPPED(status)) {
			int sig = who ? at_stop(t, who, status) : 0;

			(void)ptrace(PTRACE_SYSCALL, pid, NULL, (unsigned long)sig);
			continue;
		}
		if (pid == program)
			result = status;
		if (who)
			who->pid = 0;
	}
	return result;
}

static void start(char **argv)
{
	(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	(void)raise(SIGSTOP);
	(void)execv(argv[0], argv);
	(void)fprintf(stderr, "tracer: %s: %s\n", argv[0], strerror(errno));
	_exit(EXITS_NOT_FOUND);
}

/* As the program ended, so does this one. */
static int pass_on(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	(void)signal(WTERMSIG(status), SIG_DFL);
	(void)raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int trace(struct tracer *t, char **argv)
{
	const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
				      PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
				      PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		start(argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !find(t, pid) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0 ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0) {
		(void)fprintf(stderr, "tracer: cannot trace: %s\n", strerror(errno));
		return EXITS_SYSTEM;
	}
	status = run(t, pid);
	(void)fclose(t->report);
	return pass_on(status);
}

static int parse_fault(struct tracer *t, const char *text)
{
	uint64_t number = 0;

	if (strcmp(text, "short") == 0)
		t->fault = FAULT_SHORT;
	else if (strcmp(text, "kill") == 0)
		t->fault = FAULT_KILL;
	else if (strcmp(text, "killall") == 0)
		t->fault = FAULT_KILL_ALL;
	else if (str_parse_u64(&number, text, 1, 4095) == 0)
		t->fault = FAULT_ERRNO;
	else
		return -EINVAL;
	t->error = t->fault == FAULT_ERRNO ? (int)number : 0;
	return 0;
}

static int parse_place(struct tracer *t, char **argv)
{
	static const char *const names[] = { "once", "twice", "from" };
	uint64_t process;
	uint64_t call;

	for (t->how = HOW_ONCE; strcmp(argv[0], names[t->how]) != 0; t->how++)
		if (t->how == HOW_FROM)
			return -EINVAL;
	if (str_parse_u64(&process, argv[1], 1, TRACEES_MAX) < 0 ||
	    str_parse_u64(&call, argv[2], 1, UINT32_MAX) < 0)
		return -EINVAL;
	t->process = (unsigned int)process;
	t->call = (unsigned int)call;
	return 0;
}

int main(int argc, char **argv)
{
	static struct tracer t;
	int first;

	t.is_nfs = argc > 1 && strcmp(argv[1], "nfs") == 0;
	argc -= t.is_nfs;
	argv += t.is_nfs;
	first = argc > 2 && strcmp(argv[2], "list") == 0 ? 3 : 6;
	if (argc < first + 2 || strcmp(argv[first], "--") != 0 ||
	    (first == 6 && (parse_fault(&t, argv[2]) < 0 || parse_place(&t, argv + 3) < 0))) {
		(void)fputs(
			"usage: tracer [nfs] REPORT list|(FAULT HOW PROCESS CALL) -- PROGRAM...\n",
			stderr);
		return EXITS_USAGE;
	}
	t.report = fopen(argv[1], "we");
	if (!t.report) {
		(void)fprintf(stderr, "tracer: %s: %s\n", argv[1], strerror(errno));
		return EXITS_CANNOT_CREATE;
	}
	return trace(&t, argv + first + 1);
}
