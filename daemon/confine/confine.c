/* SPDX-License-Identifier: MIT */
#include "daemon/confine/confine.h"
#include "common/caps.h"
#include "daemon/confine/filter.h"
#include "daemon/confine/landlock.h"

#include <errno.h>
#include <sys/prctl.h>

int confine(struct confinement *out, const uint16_t *ports, size_t n, struct err *e)
{
	int r;

	*out = (struct confinement) { 0 };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "set no_new_privs");
	r = caps_keep_only(NULL, 0, e);
	if (r < 0)
		return r;
	out->landlock = landlock_confine(ports, n, e);
	if (out->landlock < 0)
		return out->landlock;
	/* The last one: it does not let the others be put up. */
	r = filter_confine(e);
	if (r < 0)
		return r;
	out->has_filter = r > 0;
	out->is_done = true;
	return 0;
}

const char *confine_describe(const struct confinement *c)
{
	if (!c->is_done || (c->landlock > 0 && c->has_filter))
		return NULL;
	if (c->has_filter)
		return "this kernel has no Landlock for the mesh process, or the container engine "
		       "forbids it; the filter of system calls holds it alone";
	if (c->landlock > 0)
		return "this kernel has no seccomp filter for the mesh process, or the container "
		       "engine forbids it; Landlock holds it alone";
	return "this kernel has neither Landlock nor seccomp for the mesh process, or the container "
	       "engine forbids them; it has no capability, but may open what its user may";
}
