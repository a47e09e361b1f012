/* SPDX-License-Identifier: MIT */
#include "daemon/discovery/lan.h"
#include "common/log.h"
#include "daemon/clock.h"
#include "daemon/discovery/ratelimit.h"
#include "daemon/net/udp.h"
#include "daemon/wire/envelope.h"

#include <errno.h>
#include <event2/event.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MS	5000
#define CROWD		100   /* who hears more announcements than that makes fewer */
#define CROWD_PERIOD_MS 12000 /* two of them within the 30 s that a LAN endpoint keeps its rank */
#define JITTER_PART	10    /* meshes that start together would otherwise shout together */
#define EARLY_PERIOD_MS 1000  /* the first announcement may meet a link that is not ready */
#define EARLY_COUNT	3
#define BATCH_MAX	64
#define INTERFACES_MAX	256

struct interfaces {
	size_t n;
	int index[INTERFACES_MAX];
};

struct lan {
	struct lan_config cfg;
	struct udp receiver;
	struct udp sender;
	struct event *readable;
	struct event *timer;
	struct ratelimit limit;
	unsigned int n_announced;
	unsigned int n_heard; /* since then; one from everybody, since all have the same period */
	struct interfaces known; /* that the last announcement went to */
	size_t sent_len;
	char sent[DISCOVERY_DATAGRAM_MAX]; /* the last announcement */
};

static bool is_suitable(const struct ifaddrs *ifa)
{
	unsigned int need = IFF_UP | IFF_RUNNING | IFF_MULTICAST;

	return ifa->ifa_addr && ifa->ifa_addr->sa_family == AF_INET &&
	       (ifa->ifa_flags & need) == need &&
	       !(ifa->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT));
}

static bool has(const struct interfaces *set, int ifindex)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->index[i] == ifindex)
			return true;
	return false;
}

/* Joins each time anew, which is no work when it was joined before, and speaks of it once. */
static void join(const struct lan *lan, int ifindex, const char *name)
{
	int r = udp_join(&lan->receiver, &lan->cfg.group.ip, ifindex);

	if (has(&lan->known, ifindex))
		return;
	if (r < 0)
		log_event(EVENT_LAN_JOIN_FAILED, NULL, "cannot listen on %s: %s%s", name,
			  strerror(-r),
			  r == -ENOBUFS ? "; raise the sysctl net.ipv4.igmp_max_memberships" : "");
	else
		log_event(EVENT_LAN_JOINED, NULL, "announcing and listening on %s", name);
}

/* The interfaces are read anew each time, since they come and go. */
static void announce_everywhere(struct lan *lan, const char *datagram, size_t len)
{
	struct interfaces current = { 0 };
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
		struct udp_local local = { 0 };

		if (!is_suitable(ifa) || current.n == INTERFACES_MAX)
			continue;
		local.ifindex = udp_ifindex(&lan->sender, ifa->ifa_name);
		/* An interface comes once for each of its addresses. */
		if (local.ifindex == 0 || local.ifindex == lan->cfg.own_ifindex ||
		    has(&current, local.ifindex))
			continue;
		current.index[current.n++] = local.ifindex;
		join(lan, local.ifindex, ifa->ifa_name);
		(void)udp_send(&lan->sender, datagram, len, &lan->cfg.group, &local);
	}
	freeifaddrs(list);
	lan->known = current;
}

static void announce(struct lan *lan)
{
	const struct discovery_letter letter = { .type = MESSAGE_ANNOUNCE };
	long len = discovery_seal_self(lan->sent, &letter, lan->cfg.handler, lan->cfg.key);

	lan->sent_len = len > 0 ? (size_t)len : 0;
	if (len >= 0)
		announce_everywhere(lan, lan->sent, lan->sent_len);
}

/* Among a thousand who announce every five seconds, each would hear two hundred a second. */
static int period_ms(const struct lan *lan)
{
	if (lan->n_announced < EARLY_COUNT)
		return EARLY_PERIOD_MS;
	if (lan->n_heard <= CROWD)
		return PERIOD_MS;
	return lan->n_heard < CROWD * CROWD_PERIOD_MS / PERIOD_MS
		       ? (int)lan->n_heard * PERIOD_MS / CROWD
		       : CROWD_PERIOD_MS;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lan *lan = arg;
	struct timeval tv;
	uint16_t random = 0;
	int ms;

	(void)fd;
	(void)what;
	announce(lan);
	lan->n_announced++;
	crypto_random(&random, sizeof(random));
	ms = period_ms(lan);
	lan->n_heard = 0;
	ms += random % (2 * ms / JITTER_PART) - ms / JITTER_PART;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (ms % 1000) * 1000;
	(void)event_add(lan->timer, &tv);
}

/* What we sent comes back on each interface, and is nobody's datagram. */
static bool is_echo(const struct lan *lan, const char *datagram, size_t len)
{
	return len == lan->sent_len && memcmp(datagram, lan->sent, len) == 0;
}

static void take_datagram(struct lan *lan, const char *datagram, size_t len,
			  const struct endpoint *from)
{
	const struct discovery_handler *h = lan->cfg.handler;
	struct now now = clock_now();
	enum view_fate fate = FATE_INVALID;
	enum envelope_result r;
	const struct discovery_origin origin = { .from = *from, .source = DISCOVERY_LAN };
	struct announcement in;
	struct envelope env;

	if (!ratelimit_allow(&lan->limit, &from->ip, now.mono_ms)) {
		h->counters->datagrams[FATE_RATE_LIMITED]++;
		return;
	}
	r = envelope_open(&env, datagram, len, lan->cfg.key, now.unix_s);
	if (r != ENVELOPE_OK) {
		discovery_refuse(h, r, env.timestamp, from);
		return;
	}
	/* Existing nodes ignore the type on this path, and so must we. */
	if (announce_parse(&in, &env, false) == ANNOUNCE_OK) {
		fate = FATE_ACCEPTED;
		lan->n_heard++;
		h->on_announcement(h->arg, &in, &origin);
		announce_free(&in);
	}
	if (!is_echo(lan, datagram, len))
		h->counters->datagrams[fate]++;
	envelope_free(&env);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct lan *lan = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < BATCH_MAX; i++) {
		char datagram[DISCOVERY_DATAGRAM_MAX];
		struct udp_local local;
		struct endpoint from;
		ssize_t n = udp_receive(&lan->receiver, datagram, sizeof(datagram), &from, &local);

		if (n == -EAGAIN)
			return;
		if (n > 0)
			take_datagram(lan, datagram, (size_t)n, &from);
	}
}

static int open_sockets(struct lan *lan, struct err *e)
{
	/* Multicast leaves with the interface's own address only from an unbound IPv4 socket. */
	struct endpoint any = { .ip = { .family = AF_INET } };
	int r = udp_open_group(&lan->receiver, &lan->cfg.group, e);

	return r < 0 ? r : udp_open_group(&lan->sender, &any, e);
}

int lan_open(struct lan **out, struct event_base *base, const struct lan_config *cfg, struct err *e)
{
	struct lan *lan = calloc(1, sizeof(*lan));
	uint64_t seed = 0;
	int r;

	if (!lan)
		return err_set(e, -ENOMEM, "open LAN discovery");
	lan->cfg = *cfg;
	lan->receiver.fd = -1;
	lan->sender.fd = -1;
	crypto_random(&seed, sizeof(seed));
	ratelimit_init(&lan->limit, seed);
	r = open_sockets(lan, e);
	if (r == 0) {
		lan->timer = evtimer_new(base, on_timer, lan);
		lan->readable =
			event_new(base, lan->receiver.fd, EV_READ | EV_PERSIST, on_readable, lan);
		if (!lan->timer || !lan->readable || event_add(lan->readable, NULL) < 0)
			r = err_set(e, -ENOMEM, "open LAN discovery");
	}
	if (r < 0) {
		lan_close(lan);
		return r;
	}
	on_timer(-1, 0, lan);
	*out = lan;
	return 0;
}

void lan_announce(struct lan *lan)
{
	if (lan)
		announce(lan);
}

void lan_close(struct lan *lan)
{
	if (!lan)
		return;
	if (lan->timer)
		event_free(lan->timer);
	if (lan->readable)
		event_free(lan->readable);
	udp_close(&lan->receiver);
	udp_close(&lan->sender);
	free(lan);
}
