/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A ruleset names the actions that it handles; those are refused, except beneath what a rule allows.
 * There is no rule for files at all. Actions that the kernel does not know yet must not be named.
 *
 * The numbers are the kernel's (linux/landlock.h, Documentation/userspace-api/landlock.rst), here
 * because Debian 12's headers end at version 2.
 */
#include "daemon/confine/landlock.h"
#include "common/defs.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define QUERY_VERSION 1U
#define RULE_NET_PORT 2

/* Version 1: execute, write, read, list, remove and make each kind of file. */
#define FS_VERSION_1 0x1fffU
#define FS_REFER     (1U << 13) /* version 2: link and rename between directories */
#define FS_TRUNCATE  (1U << 14) /* version 3 */
#define FS_IOCTL_DEV (1U << 15) /* version 5 */

#define NET_BIND_TCP	(1U << 0) /* version 4 */
#define NET_CONNECT_TCP (1U << 1)

/*
 * Version 6 could keep signals and abstract Unix sockets from leaving, and is not asked to. The signal
 * that ends netadmin when we die is one of ours to the kernel (PR_SET_PDEATHSIG), so it would be
 * refused, and a netadmin that hangs would outlive us. The filter lets us send none and connect to
 * none.
 */

struct ruleset {
	uint64_t fs;
	uint64_t net;
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

/* A kernel that knows less of the structure takes it as long as the rest is zero. */
static struct ruleset everything(int version)
{
	return (struct ruleset) {
		.fs = FS_VERSION_1 | (version >= 2 ? FS_REFER : 0U) |
		      (version >= 3 ? FS_TRUNCATE : 0U) | (version >= 5 ? FS_IOCTL_DEV : 0U),
		.net = version >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0U,
	};
}

static int allow_ports(int ruleset, const uint16_t *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct port_rule rule = { .allowed = NET_BIND_TCP, .port = ports[i] };

		if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
			return -errno;
	}
	return 0;
}

int landlock_confine(const uint16_t *ports, size_t n, struct err *e)
{
	/* Every failure of this question means that there is no Landlock for us (ENOSYS, EOPNOTSUPP,
	 * and EPERM from a container engine's own filter). */
	const int version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, QUERY_VERSION);
	const struct ruleset rules = everything(version);
	auto_close int fd = -1;
	int r = 0;

	if (version <= 0)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0U);
	if (fd < 0)
		return err_set(e, -errno, "make a Landlock ruleset");
	if (version >= 4)
		r = allow_ports(fd, ports, n);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0U) < 0)
		r = -errno;
	return r < 0 ? err_set(e, r, "enforce a Landlock ruleset") : version;
}
