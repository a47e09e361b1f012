/* SPDX-License-Identifier: MIT */
#include "daemon/confine/filter.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARGS_MAX 3

/* Flags that go with the type of a socket. */
#define SOCK_TYPE 0xfU

/* Calls with any arguments: they act on this process, or on descriptors that it has. */
static const int plain[] = {
	/* descriptors: sockets, memory files, and what was opened before: those of /proc/self, and the
	 * resolver's files, which are read again */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fstat),
	SCMP_SYS(getdents64),
	SCMP_SYS(close),
	SCMP_SYS(memfd_create), /* the peer cache, which netadmin writes */

	/* sockets that there are; which ones can be made is said below */
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(shutdown),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),

	/* the event loop; the log waits for room with poll() */
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(restart_syscall),

	/* time, where the kernel's page of it does not do */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),

	/* memory; sysinfo() is how qsort() learns whether it may use some */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrandom),

	/* who we are, and what we use */
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrusage),

	/* signals to ourselves, and the end */
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

#define EQUAL(n, value)                                                         \
	{                                                                       \
		.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(value) \
	}
#define MASKED(n, mask, value)                                                         \
	{                                                                              \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (scmp_datum_t)(mask), \
		.datum_b = (scmp_datum_t)(value)                                       \
	}

/**
 * struct rule - A call that is allowed when all its conditions hold; several rules of a call add up
 * @nr:		Number of the call
 * @n:		Entries in @when
 * @when:	Conditions, each on another argument
 */
struct rule {
	int nr;
	unsigned int n;
	struct scmp_arg_cmp when[ARGS_MAX];
};

#define RULE(name, count, ...)                                              \
	{                                                                   \
		.nr = SCMP_SYS(name), .n = (count), .when = { __VA_ARGS__ } \
	}
#define SOCKET(family, type, protocol) \
	RULE(socket, 3, EQUAL(0, family), MASKED(1, SOCK_TYPE, type), EQUAL(2, protocol))
#define FCNTL(command)	  RULE(fcntl, 1, EQUAL(1, command))
#define IOCTL(command)	  RULE(ioctl, 1, EQUAL(1, command))
#define SETSOCKOPT(level) RULE(setsockopt, 1, EQUAL(1, level))
#define FUTEX(operation)  RULE(futex, 1, EQUAL(1, operation))

static const struct rule conditional[] = {
	/* UDP and TCP; and rtnetlink, which without CAP_NET_ADMIN only tells. No other family has a
	 * place here: not raw or packet sockets, not vsock, and no Unix socket, or the one of a
	 * userspace WireGuard would hand out the private key. */
	SOCKET(AF_INET, SOCK_DGRAM, 0),
	SOCKET(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
	SOCKET(AF_INET, SOCK_STREAM, 0),
	SOCKET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
	SOCKET(AF_INET6, SOCK_DGRAM, 0),
	SOCKET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
	SOCKET(AF_INET6, SOCK_STREAM, 0),
	SOCKET(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
	SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
	SOCKET(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE),
	SETSOCKOPT(SOL_SOCKET),
	SETSOCKOPT(IPPROTO_IP),
	SETSOCKOPT(IPPROTO_IPV6),
	SETSOCKOPT(IPPROTO_TCP),
	SETSOCKOPT(SOL_NETLINK),

	/* No terminal, no device, no lock: what there is to read, and the name of an interface. */
	FCNTL(F_GETFD),
	FCNTL(F_SETFD),
	FCNTL(F_GETFL),
	FCNTL(F_SETFL),
	FCNTL(F_DUPFD_CLOEXEC),
	IOCTL(FIONREAD),
	IOCTL(SIOCGIFINDEX),
	IOCTL(SIOCGIFNAME),

	/* Memory that can be executed is neither made nor made of what there is. */
	RULE(mmap, 1, MASKED(2, PROT_EXEC, 0)),
	RULE(mprotect, 1, MASKED(2, PROT_EXEC, 0)),

	/* Reads limits of this process, and sets none. */
	RULE(prlimit64, 2, EQUAL(0, 0), EQUAL(2, 0)),
	RULE(sched_getaffinity, 1, EQUAL(0, 0)),

	/* libc's locks, which nobody else holds: no requeueing, no priority inheritance */
	FUTEX(FUTEX_WAIT | FUTEX_PRIVATE_FLAG),
	FUTEX(FUTEX_WAKE | FUTEX_PRIVATE_FLAG),
};

static void free_filter(const scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

#define auto_filter __attribute__((cleanup(free_filter)))

static int add_rules(scmp_filter_ctx ctx)
{
	/* abort() signals the thread it runs in. */
	const struct scmp_arg_cmp to_us = EQUAL(0, getpid());
	int r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &to_us);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(plain); i++)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, plain[i], 0, NULL);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(conditional); i++)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, conditional[i].nr, conditional[i].n,
					   conditional[i].when);
	return r;
}

#ifdef __SANITIZE_ADDRESS__
static bool is_up;

/*
 * The search for leaks at the end starts a thread that traces the others. The filter is the same
 * under a sanitizer, so it is the search that is left out, in confined processes alone.
 */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return is_up;
}
#endif

static int load(scmp_filter_ctx ctx)
{
	/* Whatever the kernel objects to, it has no filters for us (EINVAL, ENOSYS, EPERM). */
	if (seccomp_load(ctx) < 0)
		return 0;
#ifdef __SANITIZE_ADDRESS__
	is_up = true;
#endif
	return 1;
}

int filter_confine(struct err *e)
{
	auto_filter scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int r;

	if (!ctx)
		return err_set(e, -ENOMEM, "make a filter of system calls");
	/* Both are wishes: a kernel before 4.14 has neither. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
	/* no_new_privs is set already, and must be: without a capability the kernel insists. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	r = add_rules(ctx);
	return r < 0 ? err_set(e, r, "make a filter of system calls") : load(ctx);
}
