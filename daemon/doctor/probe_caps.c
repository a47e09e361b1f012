/* SPDX-License-Identifier: MIT */
#include "common/caps.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"

#include <sys/prctl.h>
#include <unistd.h>

void probe_caps(void *out, const void *arg)
{
	struct caps_facts *f = out;

	(void)arg;
	f->has = caps_has(CAP_NET_ADMIN);
	f->is_permitted = caps_may(CAP_NET_ADMIN);
	f->is_bound = caps_has_bound(CAP_NET_ADMIN);
	f->is_foreign = caps_is_network_foreign();
	f->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	f->file_cap = caps_has_file("/proc/self/exe", CAP_NET_ADMIN);
	f->euid = geteuid();
}
