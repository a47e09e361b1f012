/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/doctor/judge.h"

#define NAME "capabilities"
#define ADD                                                               \
	"docker run --cap-add NET_ADMIN; compose: cap_add: [NET_ADMIN]; " \
	"Kubernetes: securityContext.capabilities.add: [NET_ADMIN]"

static void judge_file_cap(struct report *r, const struct caps_facts *c)
{
	if (c->no_new_privs) {
		report_fail(
			r, EXITS_NO_PERMISSION, NAME,
			"wgmesh has CAP_NET_ADMIN as a file capability, which no_new_privs makes "
			"ineffective");
		report_cure(r, "remove no-new-privileges (Kubernetes: allowPrivilegeEscalation: "
			       "false), or start the container as root, which wgmesh-init drops by "
			       "itself");
	} else {
		report_fail(r, EXITS_NO_PERMISSION, NAME,
			    "wgmesh has CAP_NET_ADMIN as a file capability but did not get it: its "
			    "file system is mounted nosuid, or the capability was set for another "
			    "user namespace");
		report_cure(r, "mount it without nosuid, or start the container as root");
	}
}

static void judge_lack(struct report *r, const struct caps_facts *c)
{
	if (!c->is_bound) {
		report_fail(r, EXITS_NO_PERMISSION, NAME,
			    "CAP_NET_ADMIN is missing, even from the bounding set, so no interface "
			    "can be made");
		report_cure(r, ADD);
	} else if (c->file_cap) {
		judge_file_cap(r, c);
	} else if (c->is_permitted) {
		report_fail(r, EXITS_NO_PERMISSION, NAME,
			    "CAP_NET_ADMIN is permitted, but not in effect");
		report_cure(r, "have whatever starts wgmesh raise it, or make it ambient "
			       "(setpriv --ambient-caps +net_admin)");
	} else if (c->euid == 0) {
		report_fail(r, EXITS_NO_PERMISSION, NAME,
			    "CAP_NET_ADMIN is in the bounding set but not in effect, although this "
			    "is root: whatever started this process took it away");
		report_cure(r, "look for capsh, setpriv, or AmbientCapabilities= of a unit, and "
			       "leave CAP_NET_ADMIN in");
	} else {
		report_fail(
			r, EXITS_NO_PERMISSION, NAME,
			"CAP_NET_ADMIN is in the bounding set but not in effect, because this is "
			"uid %u, and engines give added capabilities to root only",
			c->euid);
		report_cure(r,
			    "start as root: remove user: or runAsUser, wgmesh-init drops root by "
			    "itself; or give wgmesh-init the file capability (setcap "
			    "cap_net_admin+p in the image)");
	}
}

void judge_caps(struct report *r, const struct facts *f)
{
	const struct caps_facts *c = &f->caps;

	if (!judge_probe(r, NAME, c->probe))
		return;
	if (c->has && !c->is_foreign) {
		report_say(r, REPORT_PASS, NAME, "CAP_NET_ADMIN is in effect");
		return;
	}
	/* Whoever looks into a container need not be whom the node runs as. */
	if (facts_is_running(f)) {
		report_say(r, REPORT_PASS, NAME,
			   "the node that runs has CAP_NET_ADMIN; uid %u here need not", c->euid);
		return;
	}
	if (!c->has) {
		judge_lack(r, c);
		return;
	}
	report_fail(r, EXITS_NO_PERMISSION, NAME,
		    "CAP_NET_ADMIN counts only inside this user namespace, but the network belongs "
		    "to the world outside (host network)");
	report_cure(r,
		    "give the container a network of its own, or run it without a user namespace "
		    "(--userns=host)");
}
