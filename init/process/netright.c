/* SPDX-License-Identifier: MIT */
#include "init/process/netright.h"
#include "common/caps.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

void netright_read(struct netright *n, const char *wgmesh)
{
	n->has = caps_has(CAP_NET_ADMIN);
	n->is_bound = caps_has_bound(CAP_NET_ADMIN);
	n->is_foreign = is_network_foreign();
	n->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	n->init_file = has_file_cap("/proc/self/exe");
	n->program_file = wgmesh && has_file_cap(wgmesh);
	n->euid = geteuid();
}

static const char *explain_lack(const struct netright *n)
{
	if (!n->is_bound)
		return "CAP_NET_ADMIN is missing, even from the bounding set, so WireGuard cannot be "
		       "set up: add it (docker run --cap-add NET_ADMIN; compose cap_add: [NET_ADMIN]; "
		       "Kubernetes securityContext.capabilities.add)";
	if (n->init_file && n->no_new_privs)
		return "wgmesh-init has CAP_NET_ADMIN as a file capability, but no_new_privs makes "
		       "those ineffective: remove no-new-privileges (Kubernetes: "
		       "allowPrivilegeEscalation: false), or start the container as root, which "
		       "wgmesh-init drops by itself";
	if (n->init_file)
		return "wgmesh-init has CAP_NET_ADMIN as a file capability but did not get it: its file "
		       "system is mounted nosuid, or the capability was set for another user namespace";
	if (n->program_file)
		return "wgmesh has CAP_NET_ADMIN as a file capability, which is ineffective because "
		       "wgmesh-init starts it with no_new_privs: give it to wgmesh-init instead "
		       "(setcap cap_net_admin+p on it), which hands it on";
	if (n->euid == 0)
		return "CAP_NET_ADMIN is in the bounding set but not in effect, although this is root: "
		       "whatever started wgmesh-init took it away";
	return NULL;
}

bool netright_explain(const struct netright *n, char *out, size_t size)
{
	const char *lack = explain_lack(n);

	out[0] = '\0';
	if (n->has && !n->is_foreign)
		return true;
	if (n->has)
		lack = "CAP_NET_ADMIN counts only inside this container's user namespace, but its "
		       "network belongs to the world outside (host network), so WireGuard cannot be set "
		       "up: give the container a network of its own, or run it without a user "
		       "namespace (--userns=host)";
	if (lack)
		(void)snprintf(out, size, "%s", lack);
	else
		(void)snprintf(
			out, size,
			"CAP_NET_ADMIN is in the bounding set but not in effect, because this "
			"container starts as uid %u, and engines give added capabilities to root "
			"only: remove user:/runAsUser (wgmesh-init drops root by itself), or give "
			"wgmesh-init the file capability (setcap cap_net_admin+p in the image)",
			n->euid);
	return false;
}
