/* SPDX-License-Identifier: MIT */
#include "common/caps.h"
#include "common/defs.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/xattr.h>
#include <unistd.h>

/*
 * struct vfs_cap_data of capabilities(7), all little-endian: a word of flags, then the low halves of
 * the permitted and the inheritable set.
 */
static bool has_file_cap(const char *path)
{
	uint8_t data[64];
	ssize_t n = getxattr(path, "security.capability", data, sizeof(data));

	if (n < 8)
		return false;
	return (data[4 + CAP_NET_ADMIN / 8] >> (CAP_NET_ADMIN % 8)) & 1;
}

/* The kernel names the owner of a namespace only to whoever has power over it (ioctl_ns(2)). */
static bool is_network_foreign(void)
{
	auto_close int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	auto_close int owner = net < 0 ? -1 : ioctl(net, NS_GET_USERNS);

	return net >= 0 && owner < 0 && errno == EPERM;
}

void probe_caps(void *out, const void *arg)
{
	struct caps_facts *f = out;

	(void)arg;
	f->has = caps_has(CAP_NET_ADMIN);
	f->is_permitted = caps_may(CAP_NET_ADMIN);
	f->is_bound = caps_has_bound(CAP_NET_ADMIN);
	f->is_foreign = is_network_foreign();
	f->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	f->file_cap = has_file_cap("/proc/self/exe");
	f->euid = geteuid();
}
