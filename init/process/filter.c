/* SPDX-License-Identifier: MIT */
#include "init/process/filter.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
/* Numbers from here on are the x32 ABI's: the same calls under other numbers. */
#define FOREIGN_FROM 0x40000000U
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define REFUSED (SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA))

/* A rule without a condition. */
#define ANY_ARG 0xff
/* Rules that can be passed over by one jump. */
#define CHUNK 8

/**
 * struct rule - A system call that is allowed
 * @nr:		Its number
 * @arg:	Argument that decides, or ANY_ARG
 * @mask:	Bits of the argument that are looked at; the kernel takes these arguments as 32 bits
 * @value:	What they have to be
 */
struct rule {
	uint32_t nr;
	uint32_t arg;
	uint32_t mask;
	uint32_t value;
};

#define ALLOW(name)                        \
	{                                  \
		__NR_##name, ANY_ARG, 0, 0 \
	}
#define ALLOW_IS(name, n, v)                  \
	{                                     \
		__NR_##name, n, UINT32_MAX, v \
	}
#define ALLOW_LACKS(name, n, m)      \
	{                            \
		__NR_##name, n, m, 0 \
	}

/* Opening to read only; the bit of O_TMPFILE that is not O_DIRECTORY's is the last one. */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* clang-format off */
static const struct rule rules[] = {
	/* The loop, and what is behind its descriptors. */
#ifdef __NR_epoll_wait
	ALLOW(epoll_wait),
#endif
	ALLOW(epoll_pwait), ALLOW(read), ALLOW(clock_gettime), ALLOW(getrandom), ALLOW(kill),
	ALLOW(waitid), ALLOW(timerfd_settime), ALLOW(write), ALLOW(close), ALLOW(epoll_ctl),
	ALLOW(accept4), ALLOW(sendto), ALLOW(sendmsg), ALLOW(recvfrom), ALLOW(recvmsg),
	ALLOW(getsockopt), ALLOW(shutdown), ALLOW(ppoll),
#ifdef __NR_poll
	ALLOW(poll),
#endif
	/* Signals, and whom they are for. */
	ALLOW(rt_sigqueueinfo), ALLOW(pidfd_open), ALLOW(pidfd_send_signal), ALLOW(setpgid),
	ALLOW(getpgid), ALLOW(getsid), ALLOW(getpid), ALLOW(getppid), ALLOW(gettid), ALLOW(getuid), ALLOW(geteuid),
	ALLOW(getgid), ALLOW(getegid), ALLOW(rt_sigprocmask), ALLOW(rt_sigaction),
	ALLOW(rt_sigtimedwait), ALLOW(rt_sigreturn), ALLOW(restart_syscall), ALLOW(tgkill),
	/* Files that were opened before, and others to read: /proc, cgroup, the time zone. */
	ALLOW(readv), ALLOW(writev), ALLOW(pread64), ALLOW(pwrite64), ALLOW(lseek), ALLOW(fsync),
	ALLOW(fdatasync), ALLOW(ftruncate), ALLOW(fcntl), ALLOW(fstat), ALLOW(newfstatat),
	ALLOW(statx), ALLOW(statfs), ALLOW(fstatfs), ALLOW(readlinkat), ALLOW(getdents64),
	ALLOW(faccessat), ALLOW_LACKS(openat, 2, WRITES),
#ifdef __NR_open
	ALLOW_LACKS(open, 1, WRITES), ALLOW(stat), ALLOW(lstat), ALLOW(readlink), ALLOW(access),
#endif
	/* The terminal: whose it is, and how large. */
	ALLOW_IS(ioctl, 1, TIOCSPGRP), ALLOW_IS(ioctl, 1, TIOCGPGRP), ALLOW_IS(ioctl, 1, TCGETS),
	ALLOW_IS(ioctl, 1, TIOCGWINSZ), ALLOW_IS(ioctl, 1, FIONREAD),
	/* The C library's memory and locks; nothing new to execute. */
	ALLOW(brk), ALLOW(munmap), ALLOW(madvise), ALLOW(futex),
	ALLOW_LACKS(mmap, 2, PROT_EXEC), ALLOW_LACKS(mprotect, 2, PROT_EXEC),
	/* The end. */
	ALLOW(exit_group), ALLOW(exit),
};
/* clang-format on */

struct program {
	struct sock_filter *out;
	size_t len;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t skip_true, uint8_t skip_false)
{
	if (p->len < FILTER_ROOM)
		p->out[p->len] = (struct sock_filter) { code, skip_true, skip_false, k };
	p->len++;
}

static void load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The next @n instructions are only for a value that is equal. */
static void unless_equal_skip(struct program *p, uint32_t value, uint8_t n)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, n);
}

static void leave(struct program *p, uint32_t verdict)
{
	put(p, BPF_RET | BPF_K, verdict, 0, 0);
}

/* Both architectures have the low half of an argument first. */
static void put_rule(struct program *p, const struct rule *r)
{
	if (r->arg == ANY_ARG) {
		unless_equal_skip(p, r->nr, 1);
		leave(p, SECCOMP_RET_ALLOW);
		return;
	}
	unless_equal_skip(p, r->nr, 5);
	load(p, offsetof(struct seccomp_data, args) + r->arg * sizeof(uint64_t));
	put(p, BPF_ALU | BPF_AND | BPF_K, r->mask, 0, 0);
	unless_equal_skip(p, r->value, 1);
	leave(p, SECCOMP_RET_ALLOW);
	load(p, offsetof(struct seccomp_data, nr));
}

#ifdef ARCHITECTURE

static int by_number(const void *a, const void *b)
{
	const struct rule *x = a;
	const struct rule *y = b;

	return (x->nr > y->nr) - (x->nr < y->nr);
}

static void sort_rules(struct rule out[static ARRAY_LEN(rules)])
{
	memcpy(out, rules, sizeof(rules));
	qsort(out, ARRAY_LEN(rules), sizeof(rules[0]), by_number);
}

/*
 * The kernel runs a new filter once for every system call there is, to remember the verdicts. Going
 * past most rules by the chunk makes that, which was a quarter of a start, a few microseconds.
 */
static void put_chunk(struct program *p, const struct rule *r, size_t n)
{
	size_t jump = p->len;

	put(p, BPF_JMP | BPF_JGT | BPF_K, r[n - 1].nr, 0, 0);
	for (size_t i = 0; i < n; i++)
		put_rule(p, &r[i]);
	if (p->len <= FILTER_ROOM)
		p->out[jump].jt = (uint8_t)(p->len - jump - 1);
}

size_t filter_build(struct sock_filter out[static FILTER_ROOM])
{
	struct program p = { .out = out };
	struct rule sorted[ARRAY_LEN(rules)];

	load(&p, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	leave(&p, REFUSED);
	load(&p, offsetof(struct seccomp_data, nr));
#ifdef FOREIGN_FROM
	put(&p, BPF_JMP | BPF_JGE | BPF_K, FOREIGN_FROM, 0, 1);
	leave(&p, REFUSED);
#endif
	sort_rules(sorted);
	for (size_t i = 0; i < ARRAY_LEN(rules); i += CHUNK)
		put_chunk(&p, sorted + i,
			  ARRAY_LEN(rules) - i < CHUNK ? ARRAY_LEN(rules) - i : CHUNK);
	leave(&p, REFUSED);
	return p.len <= FILTER_ROOM ? p.len : 0;
}

#else

size_t filter_build(struct sock_filter out[static FILTER_ROOM])
{
	(void)out;
	return 0;
}

#endif

#ifdef __SANITIZE_ADDRESS__

static int submit(struct err *e)
{
	(void)e;
	return 0;
}

#else

static int submit(struct err *e)
{
	struct sock_filter code[FILTER_ROOM];
	struct sock_fprog prog = { .filter = code };

	prog.len = (unsigned short)filter_build(code);
	if (prog.len == 0)
		return err_set(e, -ENOSYS, "filter system calls on this architecture");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return err_set(e, -errno, "install the filter of system calls");
	return 0;
}

#endif

int filter_install(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "set no_new_privs");
	return submit(e);
}
