/* SPDX-License-Identifier: MIT */
#include "daemon/node/clone.h"

#include <stddef.h>
#include <string.h>

bool clone_is_instance(const char *text)
{
	size_t len = strlen(text);

	return len == 0 || (len == CLONE_INSTANCE_LEN &&
			    strspn(text, "0123456789abcdef") == CLONE_INSTANCE_LEN);
}

bool clone_follow(struct clone_trail *t, const char *instance)
{
	bool is_back;

	if (t->is_known && strcmp(t->current, instance) == 0)
		return false;
	is_back = t->had_before && strcmp(t->before, instance) == 0;
	t->had_before = t->is_known;
	memcpy(t->before, t->current, sizeof(t->before));
	(void)strncpy(t->current, instance, CLONE_INSTANCE_LEN);
	t->is_known = true;
	return is_back;
}

bool clone_hear_own_key(struct clone_alarm *a, int64_t timestamp, int64_t since_s, int64_t now_ms)
{
	if (timestamp <= since_s)
		return false;
	if (a->first_s == 0) {
		a->first_s = timestamp;
		return false;
	}
	if (a->is_on || a->first_s != timestamp)
		a->heard_ms = now_ms;
	if (a->is_on || a->first_s == timestamp)
		return false;
	a->is_on = true;
	return true;
}

bool clone_is_over(struct clone_alarm *a, int64_t now_ms)
{
	if (!a->is_on || now_ms - a->heard_ms < CLONE_FORGET_MS)
		return false;
	memset(a, 0, sizeof(*a));
	return true;
}
