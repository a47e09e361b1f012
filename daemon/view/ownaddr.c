/* SPDX-License-Identifier: MIT */
#include "daemon/view/ownaddr.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define SITE_LEN 8 /* bytes of an IPv6 address that one network has in common */

/* One who has many keys, or many addresses, is one all the same. */
static bool is_same(const struct ownaddr_observer *a, const struct ownaddr_observer *b)
{
	if (memcmp(&a->key, &b->key, sizeof(a->key)) == 0 || ip_equal(&a->ip, &b->ip))
		return true;
	return a->ip.family == AF_INET6 && b->ip.family == AF_INET6 &&
	       memcmp(a->ip.b, b->ip.b, SITE_LEN) == 0;
}

static void forget(struct ownaddr *o, const struct ownaddr_observer *observer)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n; i++)
		if (!is_same(&o->seen[i].observer, observer))
			o->seen[kept++] = o->seen[i];
	o->n = kept;
}

void ownaddr_take(struct ownaddr *o, const struct endpoint *us,
		  const struct ownaddr_observer *observer, int64_t now_ms)
{
	if (us->ip.family == 0 || us->port == 0 || observer->ip.family == 0)
		return;
	forget(o, observer);
	/* A new one takes the place of the oldest, which is the last. */
	if (o->n < OWNADDR_OBSERVERS_MAX)
		o->n++;
	memmove(&o->seen[1], &o->seen[0], (o->n - 1) * sizeof(o->seen[0]));
	o->seen[0].observer = *observer;
	o->seen[0].us = *us;
	o->seen[0].at_ms = now_ms;
}

/* The address and port that we send from: there is no NAT in between. */
static bool is_direct(const struct ownaddr_local *local, const struct endpoint *us)
{
	for (size_t i = 0; i < local->n; i++)
		if (ip_equal(&local->ip[i], &us->ip))
			return us->port == local->port;
	return false;
}

static bool is_recent(const struct ownaddr *o, size_t i, int64_t now_ms)
{
	return now_ms - o->seen[i].at_ms <= OWNADDR_KEEP_MS;
}

/**
 * struct votes - What the observers say of the address that one of them saw
 * @n:		How many saw that address
 * @agreeing:	How many saw its port as well
 * @most:	The most that saw one port
 */
struct votes {
	size_t n;
	size_t agreeing;
	size_t most;
};

static size_t count_port(const struct ownaddr *o, const struct endpoint *us, int64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += is_recent(o, i, now_ms) && endpoint_equal(&o->seen[i].us, us) ? 1 : 0;
	return n;
}

static size_t count_ip(const struct ownaddr *o, const struct ip *ip, int64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += is_recent(o, i, now_ms) && ip_equal(&o->seen[i].us.ip, ip) ? 1 : 0;
	return n;
}

/* Mostly all observers say the same: what was counted once need not be counted again. */
static bool was_said_before(const struct ownaddr *o, size_t at, int64_t now_ms)
{
	for (size_t i = 0; i < at; i++)
		if (is_recent(o, i, now_ms) && endpoint_equal(&o->seen[i].us, &o->seen[at].us))
			return true;
	return false;
}

static struct votes count(const struct ownaddr *o, const struct endpoint *us, int64_t now_ms)
{
	struct votes v = { .agreeing = count_port(o, us, now_ms),
			   .n = count_ip(o, &us->ip, now_ms) };

	for (size_t i = 0; i < o->n; i++) {
		size_t same;

		if (!is_recent(o, i, now_ms) || !ip_equal(&o->seen[i].us.ip, &us->ip) ||
		    was_said_before(o, i, now_ms))
			continue;
		same = count_port(o, &o->seen[i].us, now_ms);
		v.most = same > v.most ? same : v.most;
	}
	return v;
}

/* Without any one of them there would still be two who see different ports. */
static bool is_symmetric(const struct votes *v)
{
	return v->n - v->most > 1;
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
		struct votes v = count(o, us, now_ms);

		if (is_recent(o, i, now_ms) && !is_listed(out, total, us) &&
		    (is_direct(local, us) || v.agreeing > 1 || is_symmetric(&v)))
			out[total++] = *us;
	}
	return total;
}

struct ip ownaddr_ip(const struct ownaddr *o, uint8_t family, int64_t now_ms)
{
	struct ip best = { .family = 0 };
	size_t most = 1;
	bool is_tie = false;

	for (size_t i = 0; i < o->n; i++) {
		const struct endpoint *us = &o->seen[i].us;
		size_t n;

		if (us->ip.family != family || !is_recent(o, i, now_ms) ||
		    was_said_before(o, i, now_ms))
			continue;
		n = count_ip(o, &us->ip, now_ms);
		if (n == most && !ip_equal(&us->ip, &best))
			is_tie = true;
		if (n <= most)
			continue;
		most = n;
		best = us->ip;
		is_tie = false;
	}
	if (is_tie)
		return (struct ip) { .family = 0 };
	return best;
}

enum view_nat ownaddr_nat(const struct ownaddr *o, const struct ownaddr_local *local,
			  int64_t now_ms)
{
	bool has_direct = false;
	bool has_mapped = false;
	bool has_cone = false;

	for (size_t i = 0; i < o->n; i++) {
		const struct endpoint *us = &o->seen[i].us;
		struct votes v;

		if (!is_recent(o, i, now_ms))
			continue;
		if (is_direct(local, us)) {
			has_direct = true;
			continue;
		}
		has_mapped = true;
		if (was_said_before(o, i, now_ms))
			continue;
		v = count(o, us, now_ms);
		if (is_symmetric(&v))
			return NAT_SYMMETRIC;
		has_cone |= v.agreeing > 1;
	}
	if (has_cone)
		return NAT_CONE;
	return has_direct && !has_mapped ? NAT_NONE : NAT_UNKNOWN;
}
