/* SPDX-License-Identifier: MIT */
#include "daemon/doctor/judge.h"

#include <string.h>

void judge_all(struct report *r, const struct facts *f)
{
	judge_version(r, f);
	judge_secret(r, f);
	judge_caps(r, f);
	judge_storage(r, f);
	judge_key(r, f);
	judge_conflicts(r, f);
	judge_wireguard(r, f);
	judge_tun(r, f);
	judge_ports(r, f);
	judge_multicast(r, f);
	judge_mtu(r, f);
	judge_forward(r, f);
	judge_clock(r, f);
	judge_asked(r, f);
	judge_peers(r, f);
}

void judge_version(struct report *r, const struct facts *f)
{
	const char *running = facts_has_node(f) ? f->node.version : "";

	if (running[0] == '\0' || strcmp(running, WGMESH_VERSION) == 0) {
		report_say(r, REPORT_PASS, "version", "wgmesh " WGMESH_VERSION "%s, Linux %s (%s)",
			   running[0] ? " here and in the node that runs" : "", f->version.kernel,
			   f->version.machine);
		return;
	}
	report_say(r, REPORT_WARN, "version",
		   "wgmesh " WGMESH_VERSION " here, but %s in the node that runs, Linux %s (%s)",
		   running, f->version.kernel, f->version.machine);
	report_cure(r, "restart the node, so that it runs this release too");
}
