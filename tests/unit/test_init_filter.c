/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/defs.h"
#include "init/process/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OURS  AUDIT_ARCH_X86_64
#define OTHER AUDIT_ARCH_I386
#else
#define OURS  AUDIT_ARCH_AARCH64
#define OTHER AUDIT_ARCH_ARM
#endif

#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
/* An instruction that no kernel knows, or a program without an end. */
#define UNKNOWN	  1
#define CALLS_MAX 1024
#define CALL(...) run(&(struct seccomp_data) { .arch = OURS, __VA_ARGS__ })
#define NUMBERS(n)           \
	{                    \
		__NR_##n, #n \
	}

static struct sock_filter code[FILTER_ROOM];
static size_t code_len;

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	assert_true(offset % 4 == 0 && offset + 4 <= sizeof(*data));
	memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

static size_t jump(const struct sock_filter *i, bool is_true)
{
	return is_true ? i->jt : i->jf;
}

/* What the kernel's interpreter does with the few instructions that there are. */
static uint32_t run(const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < code_len; pc++) {
		const struct sock_filter *i = &code[pc];

		if (i->code == (BPF_RET | BPF_K))
			return i->k;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS))
			a = load(data, i->k);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == (BPF_JMP | BPF_JEQ | BPF_K))
			pc += jump(i, a == i->k);
		else if (i->code == (BPF_JMP | BPF_JGE | BPF_K))
			pc += jump(i, a >= i->k);
		else if (i->code == (BPF_JMP | BPF_JGT | BPF_K))
			pc += jump(i, a > i->k);
		else
			return UNKNOWN;
	}
	return UNKNOWN;
}

/* Every call that may ever succeed; those with a condition are looked at again below. */
/* clang-format off */
static const int list[] = {
	__NR_epoll_pwait, __NR_epoll_ctl, __NR_read, __NR_write, __NR_readv, __NR_writev,
	__NR_pread64, __NR_pwrite64, __NR_close, __NR_lseek, __NR_fsync, __NR_fdatasync,
	__NR_ftruncate, __NR_fcntl, __NR_fstat, __NR_newfstatat, __NR_statx, __NR_statfs,
	__NR_fstatfs, __NR_readlinkat, __NR_getdents64, __NR_faccessat, __NR_openat, __NR_ioctl,
	__NR_clock_gettime, __NR_getrandom, __NR_kill, __NR_waitid, __NR_accept4, __NR_sendto,
	__NR_sendmsg, __NR_recvfrom, __NR_recvmsg, __NR_getsockopt, __NR_shutdown, __NR_ppoll,
	__NR_rt_sigqueueinfo, __NR_pidfd_open, __NR_pidfd_send_signal, __NR_setpgid,
	__NR_getpgid, __NR_getsid, __NR_getpid, __NR_getppid, __NR_gettid, __NR_getuid, __NR_geteuid,
	__NR_getgid, __NR_getegid, __NR_rt_sigprocmask, __NR_rt_sigaction, __NR_rt_sigtimedwait,
	__NR_rt_sigreturn, __NR_restart_syscall, __NR_tgkill, __NR_brk, __NR_munmap,
	__NR_madvise, __NR_futex, __NR_mmap, __NR_mprotect, __NR_exit_group, __NR_exit,
	__NR_timerfd_settime,
#ifdef __NR_open
	__NR_open, __NR_stat, __NR_lstat, __NR_readlink, __NR_access, __NR_poll, __NR_epoll_wait,
#endif
};
/* clang-format on */

static bool is_on_the_list(int nr)
{
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (list[i] == nr)
			return true;
	return false;
}

static void whatever_is_not_listed_fails_and_nothing_kills(void **state)
{
	(void)state;
	for (int nr = 0; nr < CALLS_MAX; nr++) {
		/* No argument at all is what the conditions find harmless, but for ioctl(2). */
		uint32_t verdict = CALL(.nr = nr);
		bool is_allowed = is_on_the_list(nr) && nr != __NR_ioctl;

		if (verdict != (is_allowed ? SECCOMP_RET_ALLOW : REFUSED))
			fail_msg("call %d: verdict %#x", nr, verdict);
	}
}

static void nothing_new_runs_and_no_right_is_gained(void **state)
{
	static const struct {
		int nr;
		const char *name;
	} bad[] = {
		NUMBERS(execve),      NUMBERS(execveat),
		NUMBERS(clone),	      NUMBERS(clone3),
		NUMBERS(ptrace),      NUMBERS(mount),
		NUMBERS(umount2),     NUMBERS(setuid),
		NUMBERS(setresuid),   NUMBERS(setgroups),
		NUMBERS(capset),      NUMBERS(socket),
		NUMBERS(bind),	      NUMBERS(listen),
		NUMBERS(connect),     NUMBERS(unshare),
		NUMBERS(setns),	      NUMBERS(bpf),
		NUMBERS(prctl),	      NUMBERS(openat2),
		NUMBERS(unlinkat),    NUMBERS(renameat2),
		NUMBERS(fchownat),    NUMBERS(fchmodat),
		NUMBERS(pidfd_getfd), NUMBERS(process_vm_writev),
		NUMBERS(mknodat),
#ifdef __NR_fork
		NUMBERS(fork),	      NUMBERS(vfork),
		NUMBERS(creat),	      NUMBERS(unlink),
#endif
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (CALL(.nr = bad[i].nr) != REFUSED)
			fail_msg("%s is allowed", bad[i].name);
}

static void files_are_opened_to_read_only(void **state)
{
	static const int writing[] = { O_WRONLY, O_RDWR,    O_CREAT,
				       O_TRUNC,	 O_TMPFILE, O_RDWR | O_CREAT };
	const unsigned long reading = O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK;

	(void)state;
	assert_int_equal(CALL(.nr = __NR_openat, .args = { 0, 0, reading }), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(writing); i++)
		assert_int_equal(CALL(.nr = __NR_openat, .args = { 0, 0, (unsigned)writing[i] }),
				 REFUSED);
#ifdef __NR_open
	assert_int_equal(CALL(.nr = __NR_open, .args = { 0, reading }), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(writing); i++)
		assert_int_equal(CALL(.nr = __NR_open, .args = { 0, (unsigned)writing[i] }),
				 REFUSED);
#endif
}

static void memory_never_becomes_code(void **state)
{
	const unsigned long data = PROT_READ | PROT_WRITE;

	(void)state;
	assert_int_equal(CALL(.nr = __NR_mmap, .args = { 0, 1, data }), SECCOMP_RET_ALLOW);
	assert_int_equal(CALL(.nr = __NR_mprotect, .args = { 0, 1, data }), SECCOMP_RET_ALLOW);
	assert_int_equal(CALL(.nr = __NR_mmap, .args = { 0, 1, data | PROT_EXEC }), REFUSED);
	assert_int_equal(CALL(.nr = __NR_mprotect, .args = { 0, 1, PROT_EXEC }), REFUSED);
}

static void the_terminal_is_asked_and_handed_over_but_not_typed_into(void **state)
{
	(void)state;
	assert_int_equal(CALL(.nr = __NR_ioctl, .args = { 0, TIOCSPGRP }), SECCOMP_RET_ALLOW);
	assert_int_equal(CALL(.nr = __NR_ioctl, .args = { 0, TCGETS }), SECCOMP_RET_ALLOW);
	assert_int_equal(CALL(.nr = __NR_ioctl, .args = { 0, TIOCGWINSZ }), SECCOMP_RET_ALLOW);
	assert_int_equal(CALL(.nr = __NR_ioctl, .args = { 0, TIOCSTI }), REFUSED);
}

static void a_condition_does_not_spoil_the_rules_after_it(void **state)
{
	(void)state;
	assert_int_equal(CALL(.nr = __NR_exit_group, .args = { 0, O_RDWR, O_RDWR }),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(CALL(.nr = __NR_futex, .args = { TIOCSTI, TIOCSTI, PROT_EXEC }),
			 SECCOMP_RET_ALLOW);
}

static void calls_of_another_architecture_fail(void **state)
{
	(void)state;
	for (int nr = 0; nr < CALLS_MAX; nr++) {
		assert_int_equal(run(&(struct seccomp_data) { .arch = OTHER, .nr = nr }), REFUSED);
#if defined(__x86_64__)
		assert_int_equal(CALL(.nr = nr | 0x40000000), REFUSED);
#endif
	}
}

#ifndef __SANITIZE_ADDRESS__

/* Return: 0, or the number of the claim that is not true */
static int live_under_the_filter(void)
{
	if (filter_install(NULL) < 0)
		return 1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != -1 || errno != EPERM)
		return 2;
	if (socket(AF_INET, SOCK_DGRAM, 0) != -1 || errno != EPERM)
		return 3;
	if (open("/proc/self/stat", O_RDONLY | O_CLOEXEC) < 0)
		return 4;
	if (open("/dev/null", O_RDWR | O_CLOEXEC) != -1 || errno != EPERM)
		return 5;
	if (fork() != -1 || errno != EPERM)
		return 6;
	(void)execl("/bin/true", "true", (char *)NULL);
	return errno == EPERM ? 0 : 7;
}

#else

/* The sanitizer needs more calls, so its build has no filter. */
static int live_under_the_filter(void)
{
	return filter_install(NULL) == 0 ? 0 : 1;
}

#endif

static void the_kernel_takes_it_and_the_process_lives(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(live_under_the_filter());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int build(void **state)
{
	(void)state;
	code_len = filter_build(code);
	return code_len > 0 && code_len <= FILTER_ROOM ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_not_listed_fails_and_nothing_kills),
		cmocka_unit_test(nothing_new_runs_and_no_right_is_gained),
		cmocka_unit_test(files_are_opened_to_read_only),
		cmocka_unit_test(memory_never_becomes_code),
		cmocka_unit_test(the_terminal_is_asked_and_handed_over_but_not_typed_into),
		cmocka_unit_test(a_condition_does_not_spoil_the_rules_after_it),
		cmocka_unit_test(calls_of_another_architecture_fail),
		cmocka_unit_test(the_kernel_takes_it_and_the_process_lives),
	};

	return cmocka_run_group_tests(tests, build, NULL);
}
