/* SPDX-License-Identifier: MIT */
#include "daemon/ownaddr.h"

#include <stdbool.h>
#include <string.h>

void ownaddr_take(struct ownaddr *o, const struct endpoint *us, const struct ip *observer,
		  int64_t now_ms)
{
	size_t i = 0;

	if (us->ip.family == 0 || us->port == 0 || observer->family == 0)
		return;
	while (i < o->n && !ip_equal(&o->seen[i].observer, observer))
		i++;
	/* A new one takes the place of the oldest, which is the last. */
	if (i == o->n && o->n < OWNADDR_OBSERVERS_MAX)
		o->n++;
	else if (i == o->n)
		i--;
	memmove(&o->seen[1], &o->seen[0], i * sizeof(o->seen[0]));
	o->seen[0].observer = *observer;
	o->seen[0].us = *us;
	o->seen[0].at_ms = now_ms;
}

static bool is_local(const struct ownaddr_local *local, const struct ip *ip)
{
	for (size_t i = 0; i < local->n; i++)
		if (ip_equal(&local->ip[i], ip))
			return true;
	return false;
}

static bool is_recent(const struct ownaddr *o, size_t i, int64_t now_ms)
{
	return now_ms - o->seen[i].at_ms <= OWNADDR_KEEP_MS;
}

/* Has another observer seen us at this address, on any port? */
static bool is_confirmed(const struct ownaddr *o, size_t i, int64_t now_ms)
{
	for (size_t k = 0; k < o->n; k++)
		if (k != i && is_recent(o, k, now_ms) &&
		    ip_equal(&o->seen[k].us.ip, &o->seen[i].us.ip))
			return true;
	return false;
}

static bool is_listed(const struct endpoint *list, size_t n, const struct endpoint *e)
{
	for (size_t i = 0; i < n; i++)
		if (endpoint_equal(&list[i], e))
			return true;
	return false;
}

size_t ownaddr_list(const struct ownaddr *o, const struct ownaddr_local *local, int64_t now_ms,
		    struct endpoint out[static VIEW_ENDPOINTS_MAX])
{
	size_t total = 0;

	for (size_t i = 0; i < o->n && total < VIEW_ENDPOINTS_MAX; i++) {
		const struct endpoint *us = &o->seen[i].us;

		if (is_recent(o, i, now_ms) && !is_listed(out, total, us) &&
		    (is_local(local, &us->ip) || is_confirmed(o, i, now_ms)))
			out[total++] = *us;
	}
	return total;
}

enum view_nat ownaddr_nat(const struct ownaddr *o, const struct ownaddr_local *local,
			  int64_t now_ms)
{
	bool is_direct = false;
	bool is_mapped = false;
	bool is_cone = false;

	for (size_t i = 0; i < o->n; i++) {
		if (!is_recent(o, i, now_ms))
			continue;
		if (is_local(local, &o->seen[i].us.ip) && o->seen[i].us.port == local->port) {
			is_direct = true;
			continue;
		}
		is_mapped = true;
		for (size_t k = i + 1; k < o->n; k++) {
			if (!is_recent(o, k, now_ms) ||
			    !ip_equal(&o->seen[k].us.ip, &o->seen[i].us.ip))
				continue;
			if (o->seen[k].us.port != o->seen[i].us.port)
				return NAT_SYMMETRIC;
			is_cone = true;
		}
	}
	if (is_cone)
		return NAT_CONE;
	return is_direct && !is_mapped ? NAT_NONE : NAT_UNKNOWN;
}
