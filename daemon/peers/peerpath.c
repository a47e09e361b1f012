/* SPDX-License-Identifier: MIT */
#include "daemon/peers/peerpath.h"
#include "common/defs.h"

#include <stdarg.h>
#include <stdio.h>

#define AGE_SIZE 32

const char *peerpath_name(enum peerpath path)
{
	static const char *const names[] = {
		[PATH_DIRECT] = "direct", [PATH_RELAYED] = "relayed", [PATH_NONE] = "none"
	};

	return names[path];
}

__attribute__((format(printf, 2, 3))) static enum peerpath none(char why[static PEERPATH_WHY_SIZE],
								const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, PEERPATH_WHY_SIZE, fmt, ap);
	va_end(ap);
	return PATH_NONE;
}

/* "90 s", "5 min", "3 h", "2 d": as exact as a person needs it. */
static const char *age(char out[static AGE_SIZE], int64_t seconds)
{
	static const struct {
		int64_t s;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (seconds < 2 * units[i].s)
			continue;
		(void)snprintf(out, AGE_SIZE, "%lld %s", (long long)(seconds / units[i].s),
			       units[i].name);
		return out;
	}
	(void)snprintf(out, AGE_SIZE, "%lld s", (long long)(seconds > 0 ? seconds : 0));
	return out;
}

/* WireGuard knows the peer, and there is no tunnel all the same. */
static enum peerpath judge_configured(const struct peer *p, struct now now, char *why)
{
	char text[ENDPOINT_TEXT_SIZE];
	char old[AGE_SIZE];

	if (p->handshake_s != 0)
		return none(why,
			    "the last handshake was %s ago: it is off, or something between us now "
			    "blocks UDP to %s",
			    age(old, now.unix_s - p->handshake_s),
			    endpoint_format(text,
					    p->tunnel.ip.family != 0 ? &p->tunnel : &p->endpoint));
	if (p->endpoint.ip.family == 0)
		return none(why, "no address of it is known: it has to reach this node first");
	if (p->applied.keepalive_s == 0)
		return none(why, "it was just met, and begins the handshake within a moment");
	return none(
		why,
		"no handshake ever: nothing comes back from %s; look whether UDP to that port is "
		"blocked, and whether its --listen-port is another one",
		endpoint_format(text, &p->endpoint));
}

/* WireGuard does not know it. */
static enum peerpath judge_unconfigured(const struct peer *p, struct now now, char *why)
{
	char text[ENDPOINT_TEXT_SIZE];
	char old[AGE_SIZE];

	if (p->info.mesh_ip.family == 0)
		return none(why, "it has announced no mesh address");
	if (peer_is_verified(p) && !peer_is_active(p, now))
		return none(why, "it was last heard %s ago: it is off, or cannot reach this node",
			    age(old, now.unix_s - p->seen_unix_s));
	if (peer_is_verified(p))
		return none(why, "it was just heard, and is being configured");
	if (p->control.ip.family == 0)
		return none(why, "others told of it, but no address of it is known");
	if (p->methods & METHOD_CACHE)
		return none(
			why,
			"it is remembered from an earlier run, and has not answered at %s since",
			endpoint_format(text, &p->control));
	return none(
		why,
		"others told of it, and it has not answered at %s: it is off, or UDP to that port "
		"is blocked",
		endpoint_format(text, &p->control));
}

enum peerpath peerpath_judge(const struct peer *p, struct now now,
			     char why[static PEERPATH_WHY_SIZE])
{
	why[0] = '\0';
	if (p->said_goodbye)
		return none(why, "it said goodbye: it was stopped");
	if (p->lost_ip)
		return none(
			why,
			"this node, or another one with a lower key, has the same mesh address, and "
			"keeps it; an existing node does not give way: give it a new identity");
	if (p->path.is_relayed)
		return PATH_RELAYED;
	if (peer_has_tunnel(p, now))
		return PATH_DIRECT;
	return p->applied.present ? judge_configured(p, now, why) : judge_unconfigured(p, now, why);
}
