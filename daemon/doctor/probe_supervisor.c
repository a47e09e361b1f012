/* SPDX-License-Identifier: MIT */
#include "daemon/cli/initlines.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/nodefacts.h"
#include "daemon/doctor/probe.h"

#include <errno.h>

void probe_supervisor(void *out, const void *arg)
{
	struct supervisor_facts *f = out;
	json_t *lines = initlines_ask();

	(void)arg;
	f->code = lines ? 0 : -ENOENT;
	nodefacts_take_supervisor(f, lines);
	json_decref(lines);
}
