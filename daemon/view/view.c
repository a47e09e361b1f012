/* SPDX-License-Identifier: MIT */
#include "daemon/view/view.h"

#include <stdarg.h>
#include <stdio.h>

const char *view_fate_name(enum view_fate fate)
{
	static const char *const names[FATE_COUNT] = {
		[FATE_ACCEPTED] = "accepted", [FATE_RATE_LIMITED] = "rate_limited",
		[FATE_NOT_OURS] = "not_ours", [FATE_STALE] = "stale",
		[FATE_INVALID] = "invalid",
	};

	return names[fate];
}

const char *view_mark_name(enum view_mark mark)
{
	static const char *const names[] = {
		[VIEW_PASS] = "pass", [VIEW_WARN] = "warn", [VIEW_FAIL] = "fail"
	};

	return names[mark];
}

const char *view_nat_name(enum view_nat nat)
{
	static const char *const names[] = {
		[NAT_UNKNOWN] = "unknown",
		[NAT_NONE] = "none",
		[NAT_CONE] = "cone",
		[NAT_SYMMETRIC] = "symmetric",
	};

	return names[nat];
}

const char *view_stun_name(enum view_stun result)
{
	static const char *const names[VIEW_STUN_COUNT] = {
		[VIEW_STUN_ANSWERED] = "answered",
		[VIEW_STUN_REFUSED] = "refused",
		[VIEW_STUN_SILENT] = "silent",
		[VIEW_STUN_UNSENT] = "unsent",
	};

	return names[result];
}

bool view_is_ready(const struct view *v)
{
	for (size_t i = 0; i < v->n_checks; i++)
		if (v->checks[i].mark == VIEW_FAIL)
			return false;
	return v->phase == VIEW_RUNNING;
}

void view_add_layer(struct view *v, const char *name, bool is_on, const char *fmt, ...)
{
	struct view_layer *l = &v->layers[v->n_layers];
	va_list ap;

	if (v->n_layers == VIEW_LAYERS_MAX)
		return;
	v->n_layers++;
	l->name = name;
	l->is_on = is_on;
	va_start(ap, fmt);
	(void)vsnprintf(l->text, sizeof(l->text), fmt, ap);
	va_end(ap);
}
