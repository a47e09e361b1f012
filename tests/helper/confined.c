/* SPDX-License-Identifier: MIT */
/*
 * confined - tries one thing from inside a confined process, and says how the kernel answered
 *
 *   confined WALLS ATTEMPT [ARGUMENT]
 *
 * WALLS is "all" for what the mesh process has, "landlock" or "filter" for that wall alone, "none" for
 * none, which shows that the attempt is one that would succeed. The answer on standard output is the
 * name of an error ("ENOSYS"), or "done" when the attempt succeeded. Whoever runs it puts it where a
 * success does no harm.
 */
#include "common/exits.h"
#include "daemon/confine/confine.h"
#include "daemon/confine/filter.h"
#include "daemon/confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOUND_PORT 47113 /* the only one that may be bound */

/* Every attempt returns a negative value with errno set, or the call's result. */

/* --- files ----------------------------------------------------------------------------------- */

static long try_read(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static long try_write(const char *path)
{
	return open(path, O_WRONLY | O_CLOEXEC);
}

static long try_create(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static long try_list(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long try_remove(const char *path)
{
	return unlink(path);
}

static long try_mkdir(const char *path)
{
	return mkdir(path, 0700);
}

static long try_symlink(const char *path)
{
	return symlink("/etc/passwd", path);
}

static long try_truncate(const char *path)
{
	return truncate(path, 0);
}

static long try_chmod(const char *path)
{
	return chmod(path, 0777);
}

static long try_stat(const char *path)
{
	struct stat st;

	return stat(path, &st);
}

static long try_bind_unix(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	return fd < 0 ? fd : bind(fd, (const struct sockaddr *)&at, sizeof(at));
}

/* --- programs and processes ------------------------------------------------------------------ */

static long try_exec(const char *path)
{
	char name[] = "program";
	char *const argv[] = { name, NULL };
	char *const envp[] = { NULL };

	return execve(path, argv, envp);
}

/* What an attacker without a file would do. */
static long try_exec_memory(const char *path)
{
	char name[] = "memory";
	char *const argv[] = { name, NULL };
	char *const envp[] = { NULL };
	int fd = memfd_create("program", 0);

	(void)path;
	if (fd < 0 || write(fd, "#!/bin/true\n", 12) != 12)
		return -1;
	return syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static long try_fork(const char *none)
{
	pid_t pid = fork();

	(void)none;
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static long try_signal(const char *pid)
{
	return kill((pid_t)strtol(pid, NULL, 10), 0);
}

static long try_thread_signal(const char *pid)
{
	long id = strtol(pid, NULL, 10);

	return syscall(SYS_tgkill, id, id, 0);
}

static long try_ptrace(const char *pid)
{
	return ptrace(PTRACE_SEIZE, (pid_t)strtol(pid, NULL, 10), NULL, NULL);
}

static long try_read_memory(const char *pid)
{
	char byte;
	struct iovec to = { .iov_base = &byte, .iov_len = 1 };
	struct iovec from = { .iov_base = &byte, .iov_len = 1 };

	return process_vm_readv((pid_t)strtol(pid, NULL, 10), &to, 1, &from, 1, 0);
}

static long try_pidfd(const char *pid)
{
	return syscall(SYS_pidfd_open, strtol(pid, NULL, 10), 0);
}

/* --- networks -------------------------------------------------------------------------------- */

static long try_raw(const char *none)
{
	(void)none;
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
}

static long try_packet(const char *none)
{
	(void)none;
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static long try_unix(const char *none)
{
	(void)none;
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static long try_vsock(const char *none)
{
	(void)none;
	return socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long try_generic_netlink(const char *none)
{
	(void)none;
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
}

struct address_request {
	struct nlmsghdr h;
	struct ifaddrmsg a;
	struct rtattr attr;
	uint8_t ip[4];
};

static long try_add_address(const char *none)
{
	struct address_request req = {
		.h = { .nlmsg_len = sizeof(req),
		       .nlmsg_type = RTM_NEWADDR,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.a = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1 },
		.attr = { .rta_len = RTA_LENGTH(4), .rta_type = IFA_LOCAL },
		.ip = { 10, 9, 8, 7 },
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	(void)none;
	if (fd < 0 || send(fd, &req, sizeof(req), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		return -1;
	errno = -answer.e.error;
	return answer.e.error < 0 ? -1 : 0;
}

static long bind_tcp(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? fd : bind(fd, (const struct sockaddr *)&at, sizeof(at));
}

static long try_bind_tcp(const char *port)
{
	return bind_tcp((uint16_t)strtol(port, NULL, 10));
}

static long try_connect_tcp(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)strtol(port, NULL, 10)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? fd : connect(fd, (const struct sockaddr *)&at, sizeof(at));
}

static long try_filter_packets(const char *none)
{
	struct {
		uint16_t code;
		uint8_t jt;
		uint8_t jf;
		uint32_t k;
	} pass = { 6, 0, 0, 0xffff };
	struct {
		uint16_t len;
		void *filter;
	} program = { 1, &pass };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)none;
	return fd < 0 ? fd
		      : setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* --- the kernel ------------------------------------------------------------------------------ */

static long try_user_namespace(const char *none)
{
	(void)none;
	return unshare(CLONE_NEWUSER);
}

static long try_mount_namespace(const char *none)
{
	(void)none;
	return unshare(CLONE_NEWNS);
}

static long try_bpf(const char *none)
{
	(void)none;
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long try_io_uring(const char *none)
{
	char params[256] = { 0 };

	(void)none;
	return syscall(SYS_io_uring_setup, 1, params);
}

static long try_keys(const char *none)
{
	(void)none;
	return syscall(SYS_add_key, "user", "confined", "x", 1, -3);
}

static long try_executable_memory(const char *none)
{
	(void)none;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static long try_make_executable(const char *none)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)none;
	return page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long try_dumpable(const char *none)
{
	(void)none;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long try_terminal(const char *none)
{
	(void)none;
	return syscall(SYS_ioctl, 0, 0x5412, "x");
}

static long try_limits(const char *none)
{
	uint64_t limit[2] = { 1024, 1024 };

	(void)none;
	return syscall(SYS_prlimit64, 0, 7, limit, NULL);
}

/* Nothing of this machine's own ABI: the process ends. */
static long try_other_abi(const char *none)
{
	long r = -ENOSYS;

	(void)none;
#ifdef __x86_64__
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
#endif
	return r;
}

/* --- what has to go on working --------------------------------------------------------------- */

static long try_udp(const char *none)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)none;
	return fd < 0 ? fd : bind(fd, (const struct sockaddr *)&at, sizeof(at));
}

static long try_probe_port(const char *none)
{
	(void)none;
	return bind_tcp(BOUND_PORT);
}

static long try_memory_file(const char *none)
{
	int fd = memfd_create("peers", MFD_CLOEXEC);

	(void)none;
	return fd < 0 ? fd : write(fd, "x", 1);
}

static long try_abort(const char *none)
{
	(void)none;
	abort();
}

static const struct {
	const char *name;
	long (*run)(const char *argument);
} attempts[] = {
	{ "read", try_read },
	{ "write", try_write },
	{ "create", try_create },
	{ "list", try_list },
	{ "remove", try_remove },
	{ "mkdir", try_mkdir },
	{ "symlink", try_symlink },
	{ "truncate", try_truncate },
	{ "chmod", try_chmod },
	{ "stat", try_stat },
	{ "bind-unix", try_bind_unix },
	{ "exec", try_exec },
	{ "exec-memory", try_exec_memory },
	{ "fork", try_fork },
	{ "signal", try_signal },
	{ "thread-signal", try_thread_signal },
	{ "ptrace", try_ptrace },
	{ "read-memory", try_read_memory },
	{ "pidfd", try_pidfd },
	{ "raw", try_raw },
	{ "packet", try_packet },
	{ "unix", try_unix },
	{ "vsock", try_vsock },
	{ "generic-netlink", try_generic_netlink },
	{ "add-address", try_add_address },
	{ "bind-tcp", try_bind_tcp },
	{ "connect-tcp", try_connect_tcp },
	{ "user-namespace", try_user_namespace },
	{ "mount-namespace", try_mount_namespace },
	{ "filter-packets", try_filter_packets },
	{ "bpf", try_bpf },
	{ "io-uring", try_io_uring },
	{ "keys", try_keys },
	{ "executable-memory", try_executable_memory },
	{ "make-executable", try_make_executable },
	{ "dumpable", try_dumpable },
	{ "terminal", try_terminal },
	{ "limits", try_limits },
	{ "other-abi", try_other_abi },
	{ "udp", try_udp },
	{ "probe-port", try_probe_port },
	{ "memory-file", try_memory_file },
	{ "abort", try_abort },
};

static int put_up(const char *walls, struct err *e)
{
	static const uint16_t ports[] = { BOUND_PORT };
	struct confinement c;

	if (strcmp(walls, "none") == 0)
		return 0;
	if (strcmp(walls, "all") == 0)
		return confine(&c, ports, 1, e);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (strcmp(walls, "landlock") == 0)
		return landlock_confine(ports, 1, e);
	return strcmp(walls, "filter") == 0 ? filter_confine(e) : -EINVAL;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc < 3)
		return EXITS_USAGE;
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	if (put_up(argv[1], &e) < 0) {
		(void)fprintf(stderr, "confined: %s\n", e.msg);
		return EXITS_SYSTEM;
	}
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (strcmp(attempts[i].name, argv[2]) == 0) {
			long r = attempts[i].run(argc > 3 ? argv[3] : "");

			(void)puts(r < 0 ? strerrorname_np(errno) : "done");
			return EXITS_OK;
		}
	return EXITS_USAGE;
}
