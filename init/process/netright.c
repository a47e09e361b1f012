/* SPDX-License-Identifier: MIT */
#include "init/process/netright.h"
#include "common/caps.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

void netright_read(struct netright *n, const char *wgmesh)
{
	n->has = caps_has(CAP_NET_ADMIN);
	n->is_bound = caps_has_bound(CAP_NET_ADMIN);
	n->is_foreign = caps_is_network_foreign();
	n->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	n->init_file = caps_has_file("/proc/self/exe", CAP_NET_ADMIN);
	n->program_file = wgmesh && caps_has_file(wgmesh, CAP_NET_ADMIN);
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
