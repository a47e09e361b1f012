/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/doctor/judge.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define WIREGUARD "wireguard"
#define TUN	  "tun"
#define LOAD_MODULE \
	"on the host: modprobe wireguard (and to /etc/modules-load.d, for the next boot)"
#define GIVE_PROGRAM "use an image that has it"
#define GIVE_DEVICE                                                                                      \
	"docker run --device /dev/net/tun; compose: devices: [/dev/net/tun]; Kubernetes: a hostPath of " \
	"type CharDevice"

/* The attempt says more than the question, but not everybody may make it. */
static bool has_kernel(const struct wireguard_facts *w)
{
	if (w->has_netns && w->link == 0)
		return true;
	return (!w->has_netns || w->link == -EPERM) && w->family == 0;
}

bool judge_uses_kernel(const struct facts *f)
{
	if (facts_has_node(f) && f->node.backend[0] != '\0')
		return strcmp(f->node.backend, "kernel") == 0;
	return f->wanted.backend != WG_BACKEND_USERSPACE && has_kernel(&f->wireguard);
}

static void judge_program(struct report *r, const struct facts *f)
{
	const struct wireguard_facts *w = &f->wireguard;
	bool is_wanted = f->wanted.backend == WG_BACKEND_USERSPACE;

	if (w->program < 0) {
		report_fail(r, EXITS_NO_WIREGUARD, WIREGUARD, "%sthe program %.80s %s",
			    is_wanted ? "" : "the kernel has no WireGuard, and ",
			    f->wanted.wireguard_go,
			    w->program == -ENOENT ? "is not there (PATH, --wireguard-go)"
						  : "may not be executed");
		report_cure(r, "%s%s", is_wanted ? "" : LOAD_MODULE ", or ", GIVE_PROGRAM);
	} else if (w->socket_dir < 0) {
		report_fail(r, EXITS_CANNOT_CREATE, WIREGUARD,
			    "%.80s listens in /var/run/wireguard, which cannot be written to (%s)",
			    w->path, strerror(-w->socket_dir));
		report_cure(r, "give the container a writable /run (docker run --tmpfs /run)");
	} else if (is_wanted) {
		report_say(r, REPORT_PASS, WIREGUARD,
			   "`wgmesh join` will run %.120s, as --backend says", w->path);
	} else {
		report_say(r, REPORT_WARN, WIREGUARD,
			   "the kernel has no WireGuard; `wgmesh join` will run %.120s, which is "
			   "several times slower",
			   w->path);
		report_cure(r, LOAD_MODULE);
	}
}

void judge_wireguard(struct report *r, const struct facts *f)
{
	if (facts_has_node(f) && f->node.backend[0] != '\0') {
		report_say(r, REPORT_PASS, WIREGUARD, "the node that runs uses the %s",
			   strcmp(f->node.backend, "kernel") == 0 ? "kernel's" : "userspace one");
		return;
	}
	if (facts_is_running(f)) {
		report_say(r, REPORT_PASS, WIREGUARD, "the node that runs has found one");
		return;
	}
	if (!judge_probe(r, WIREGUARD, f->wireguard.probe))
		return;
	if (judge_uses_kernel(f)) {
		report_say(r, REPORT_PASS, WIREGUARD,
			   "the kernel has it%s, and `wgmesh join` will use that",
			   f->wireguard.has_netns ? ", an interface could be made" : "");
	} else if (f->wanted.backend == WG_BACKEND_KERNEL) {
		report_fail(r, EXITS_NO_WIREGUARD, WIREGUARD,
			    "the kernel has no WireGuard, and --backend=kernel takes no other");
		report_cure(r, LOAD_MODULE ", or allow the userspace one (--backend auto)");
	} else {
		judge_program(r, f);
	}
}

static void judge_refused(struct report *r, const struct tun_facts *t)
{
	switch (t->open) {
	case -EPERM:
		report_fail(
			r, EXITS_NO_WIREGUARD, TUN,
			"the engine does not let this container use /dev/net/tun (device cgroup)");
		report_cure(r, "request it as a device, not as a volume: " GIVE_DEVICE);
		break;
	case -EACCES:
		report_fail(
			r, EXITS_NO_WIREGUARD, TUN,
			"/dev/net/tun belongs to %u:%u with mode %04o, and this user may not open "
			"it",
			t->uid, t->gid, t->mode & 07777);
		report_cure(r, "on the host: chmod 666 /dev/net/tun; or start as root: wgmesh-init "
			       "gives a device of the container's own to the daemon");
		break;
	default:
		report_fail(r, EXITS_NO_WIREGUARD, TUN, "/dev/net/tun cannot be opened: %s",
			    strerror(-t->open));
		report_cure(r, "on the host: modprobe tun");
	}
}

void judge_tun(struct report *r, const struct facts *f)
{
	const struct tun_facts *t = &f->tun;

	if (judge_uses_kernel(f)) {
		report_say(r, REPORT_SKIP, TUN, "not needed: the kernel's WireGuard uses no TUN");
		return;
	}
	if (facts_is_running(f)) {
		report_say(r, REPORT_PASS, TUN, "the node that runs has what it needs");
		return;
	}
	if (f->wanted.backend == WG_BACKEND_KERNEL) {
		report_say(r, REPORT_SKIP, TUN, "not needed: --backend=kernel uses no TUN");
		return;
	}
	if (!judge_probe(r, TUN, t->probe))
		return;
	if (t->stat < 0) {
		report_fail(r, EXITS_NO_WIREGUARD, TUN,
			    "userspace WireGuard needs /dev/net/tun, which is not there");
		report_cure(r, GIVE_DEVICE "; on the host: modprobe tun");
	} else if (!t->is_tun) {
		report_fail(r, EXITS_NO_WIREGUARD, TUN,
			    "/dev/net/tun is not the character device 10:200");
		report_cure(r, "remove what is there; " GIVE_DEVICE);
	} else if (t->open < 0) {
		judge_refused(r, t);
	} else {
		report_say(r, REPORT_PASS, TUN, "/dev/net/tun can be opened");
	}
}
