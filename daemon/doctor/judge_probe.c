/* SPDX-License-Identifier: MIT */
#include "daemon/doctor/judge.h"

#include <errno.h>
#include <string.h>

bool judge_probe(struct report *r, const char *name, int probe)
{
	if (probe == 0)
		return true;
	if (probe == -ETIMEDOUT) {
		report_say(r, REPORT_WARN, name, "this could not be looked at in time");
		report_cure(r, "run the doctor once more when the machine is less busy");
	} else {
		report_say(r, REPORT_WARN, name, "this could not be looked at: %s",
			   strerror(-probe));
		report_cure(r, "look for a limit of memory or processes (docker run --pids-limit)");
	}
	return false;
}
