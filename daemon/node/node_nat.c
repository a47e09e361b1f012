/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Three sources tell where this node is: the addresses of its interfaces, STUN servers, and what
 * peers see of it. Whenever one of them has news, ownpoint_decide() is asked again, and only when it
 * decides otherwise than before, the LAN and the peers are told. The kernel tells of every change of
 * addresses; nothing is polled but the STUN servers, and those rarely.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SETTLE_MS     300  /* a change of addresses is several messages */
#define LOOK_MIN_MS   2000 /* between two looks, however often the kernel calls */
#define LOOK_AGAIN_MS 1000

enum { V4, V6 };

static const uint8_t families[] = { [V4] = AF_INET, [V6] = AF_INET6 };

static void set_timer(struct event *timer, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	(void)event_add(timer, &tv);
}

/* --- this machine's addresses -------------------------------------------------------------- */

/* Nothing is sent there: the kernel is asked for its route to anybody far away. */
static void read_ways(struct node_nat *nat)
{
	struct endpoint far4 = { .ip = { .family = AF_INET, .b = { 192, 0, 2, 1 } }, .port = 9 };
	struct endpoint far6 = { .ip = { .family = AF_INET6, .b = { 0x20 } }, .port = 9 };
	struct ip source6;

	(void)hostaddr_source(&nat->source, &far4);
	nat->has_way6 = hostaddr_source(&source6, &far6);
}

/* What has changed of this machine's addresses: a bit for each index of families[]. */
static unsigned int read_addresses(struct node *n)
{
	struct node_nat *nat = &n->nat;
	struct hostaddrs before = nat->host;
	struct ip source = nat->source;
	bool had_way6 = nat->has_way6;
	unsigned int changed = 0;

	nat->looked_ms = clock_now().mono_ms;
	if (hostaddr_read(&nat->host, n->ready.ifindex) < 0)
		nat->host = before;
	read_ways(nat);
	if (reconcile_is_inside_mesh(&nat->source, &n->self))
		nat->source = (struct ip) { .family = 0 };
	if (!hostaddrs_equal(&before, &nat->host, AF_INET) || !ip_equal(&source, &nat->source))
		changed |= 1U << V4;
	if (!hostaddrs_equal(&before, &nat->host, AF_INET6) || had_way6 != nat->has_way6)
		changed |= 1U << V6;
	return changed;
}

/* --- what follows -------------------------------------------------------------------------- */

static void announce_to_all(struct node *n)
{
	if (n->phase != NODE_RUNNING)
		return;
	lan_announce(n->lan);
	if (n->exchange)
		exchange_reseal(n->exchange);
	node_peers_greet(n);
}

static void log_endpoints(const struct ownpoint *own)
{
	char v4[ENDPOINT_TEXT_SIZE];
	char v6[ENDPOINT_TEXT_SIZE];
	const char *join;

	(void)endpoint_format(v4, &own->v4);
	(void)endpoint_format(v6, &own->v6);
	join = *v4 && *v6 ? " and " : "";
	log_event(EVENT_ENDPOINT_CHANGED,
		  LOG_FIELDS({ "endpoint", v4 }, { "endpoint_ipv6", v6 },
			     { "nat_type", view_nat_name(own->nat) }),
		  "peers are told to reach this node at %s%s%s%s", v4, join, v6,
		  *v4 || *v6 ? "" : "the address that they see");
}

/* Is there something to tell a person? That nothing is known is no news at the start. */
static bool is_news(const struct ownpoint *before, const struct ownpoint *own)
{
	bool is_known = own->v4.ip.family != 0 || own->v6.ip.family != 0;

	return !endpoint_equal(&before->v4, &own->v4) || !endpoint_equal(&before->v6, &own->v6) ||
	       (is_known && before->nat != own->nat);
}

/* True when others are to be told something else than before. */
static bool decide(struct node *n)
{
	struct node_nat *nat = &n->nat;
	int64_t now_ms = clock_now().mono_ms;
	struct ownaddr_local local = { .port = n->cfg->keys.gossip_port };
	struct ip ips[HOSTADDRS_MAX];
	struct ownpoint before = nat->own;
	struct ownpoint_facts f = {
		.host = &nat->host,
		.source = nat->source,
		.port = n->ready.listen_port,
		.no_ipv6 = n->cfg->no_ipv6,
	};

	for (; local.n < nat->host.n; local.n++)
		ips[local.n] = nat->host.at[local.n].net.ip;
	local.ip = ips;
	f.nat = ownaddr_nat(&n->ownaddr, &local, now_ms);
	for (size_t i = 0; i < sizeof(families); i++) {
		f.stun[i] = nat->seen[i];
		f.observed[i] = ownaddr_ip(&n->ownaddr, families[i], now_ms);
	}
	ownpoint_decide(&nat->own, &f);
	if (ownpoint_equal(&before, &nat->own))
		return false;
	if (is_news(&before, &nat->own))
		log_endpoints(&nat->own);
	return true;
}

void node_nat_observed(struct node *n)
{
	if (decide(n))
		announce_to_all(n);
}

/* --- STUN ---------------------------------------------------------------------------------- */

static void ask_servers(struct node *n)
{
	if (!n->nat.stun)
		return;
	(void)event_del(n->nat.stun_timer);
	n->nat.is_asking = true;
	stunclient_ask(n->nat.stun);
}

static void on_stun_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask_servers(arg);
}

static void count_results(struct node *n, const struct stunround *r)
{
	static const enum view_stun results[] = {
		[STUNROUND_ASKING] = VIEW_STUN_SILENT,	 [STUNROUND_ANSWERED] = VIEW_STUN_ANSWERED,
		[STUNROUND_REFUSED] = VIEW_STUN_REFUSED, [STUNROUND_SILENT] = VIEW_STUN_SILENT,
		[STUNROUND_UNSENT] = VIEW_STUN_UNSENT,
	};

	for (size_t i = 0; i < r->n; i++)
		n->counters.stun[results[r->server[i].state]]++;
}

/* Takes what a family's servers say; silence leaves what they said before. */
static void take_view(struct node_nat *nat, size_t i, struct stunview *v, uint16_t local_port)
{
	if (v->n_answered == 0)
		return;
	/* The very address and port that the question was sent from. */
	if (v->mapped.port == local_port && hostaddrs_have(&nat->host, &v->mapped.ip))
		v->nat = NAT_NONE;
	nat->seen[i] = *v;
}

static void on_round(void *arg, const struct stunround *r, uint16_t local_port)
{
	struct node *n = arg;
	struct node_nat *nat = &n->nat;
	struct stunview v[2];
	uint16_t random = 0;

	nat->is_asking = false;
	count_results(n, r);
	for (size_t i = 0; i < sizeof(families); i++) {
		v[i] = stunround_judge(r, families[i]);
		take_view(nat, i, &v[i], local_port);
	}
	crypto_random(&random, sizeof(random));
	set_timer(nat->stun_timer, stunpace_next_ms(&nat->pace, v, random));
	if (nat->pace.n_failed == 1)
		log_event(EVENT_STUN_SILENT, NULL,
			  "no STUN server has answered; they are asked again now and then");
	if (nat->pace.n_failed == STUNPACE_GIVEN_UP)
		memset(nat->seen, 0, sizeof(nat->seen));
	if (decide(n))
		announce_to_all(n);
}

/* --- changes ------------------------------------------------------------------------------- */

/* Which of its addresses a peer is reached at may be otherwise now. */
static void choose_again(struct node *n)
{
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		candidates_restart(&p->candidates);
		peers_mark(n->peers, p);
	}
	node_peers_flush(n);
}

/* What servers and peers saw was of the old place. */
static void forget_place(struct node *n, unsigned int changed)
{
	for (size_t i = 0; i < sizeof(families); i++)
		if (changed & 1U << i)
			memset(&n->nat.seen[i], 0, sizeof(n->nat.seen[i]));
	if (changed & 1U << V4)
		memset(&n->ownaddr, 0, sizeof(n->ownaddr));
	memset(&n->nat.pace, 0, sizeof(n->nat.pace));
}

static void on_look_timer(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;
	bool is_rerouted = n->nat.is_rerouted;
	unsigned int changed;

	(void)fd;
	(void)what;
	if (n->phase != NODE_RUNNING)
		return;
	n->nat.is_rerouted = false;
	changed = read_addresses(n);
	/* Another way out: the address that is seen outside may be another one. */
	if (changed || (is_rerouted && !n->nat.is_asking))
		ask_servers(n);
	if (!changed)
		return;
	forget_place(n, changed);
	(void)decide(n);
	announce_to_all(n);
	node_ways_moved(n);
	choose_again(n);
}

void node_nat_moved(struct node *n, bool is_route)
{
	int64_t since_ms = clock_now().mono_ms - n->nat.looked_ms;

	if (n->phase != NODE_RUNNING)
		return;
	n->nat.is_rerouted |= is_route;
	if (!evtimer_pending(n->nat.look_timer, NULL))
		set_timer(n->nat.look_timer,
			  since_ms < LOOK_MIN_MS - SETTLE_MS ? LOOK_MIN_MS - since_ms : SETTLE_MS);
}

/* --- what is said of it -------------------------------------------------------------------- */

/* Our address in a network that the peer with this mesh address is in, too; "none" when it is far. */
static struct ip address_near(struct node *n, const struct ip *mesh_ip)
{
	const struct hostaddrs *host = &n->nat.host;

	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		if (!ip_equal(&p->info.mesh_ip, mesh_ip) && !ip_equal(&p->info.mesh_ip6, mesh_ip))
			continue;
		for (size_t i = 0; i < host->n; i++)
			if (prefix_contains(&host->at[i].net, &p->tunnel.ip))
				return host->at[i].net.ip;
	}
	return (struct ip) { .family = 0 };
}

/*
 * Through a relay a peer has to hear of us even when we do not know where we are. A node of our kind
 * takes nothing from an empty endpoint; for any other one an address of this machine does no harm,
 * while it is relayed.
 */
static void tell_relayed(const struct node *n, struct announcement *out, const struct ip *mesh_ip)
{
	const struct hostaddrs *host = &n->nat.host;
	const struct peer *p = peers_next(n->peers, NULL);
	struct endpoint at = { .port = n->ready.listen_port };

	while (p && !ip_equal(&p->info.mesh_ip, mesh_ip))
		p = peers_next(n->peers, p);
	if (!p || !p->path.is_relayed)
		return;
	for (size_t i = 0; !p->is_ours && i < host->n && at.ip.family == 0; i++)
		if (host->at[i].net.ip.family == AF_INET)
			at.ip = host->at[i].net.ip;
	if (at.ip.family != 0)
		(void)endpoint_format(out->self.endpoint, &at);
	out->is_withheld = !p->is_ours && at.ip.family == 0;
}

void node_nat_tell(struct node *n, struct announcement *out, const struct endpoint *to)
{
	struct ownpoint_receiver who = { .is_inside = false };

	if (to) {
		who.to = *to;
		who.is_inside = reconcile_is_inside_mesh(&to->ip, &n->self);
	}
	if (who.is_inside)
		who.on_link = address_near(n, &to->ip);
	ownpoint_tell(out, &n->nat.own, n->ready.listen_port, &who);
	out->is_withheld = out->self.endpoint[0] == '\0';
	if (out->is_withheld)
		tell_relayed(n, out, &to->ip);
}

void node_nat_describe(const struct node *n, struct view *out)
{
	const struct node_nat *nat = &n->nat;
	char text[ENDPOINT_TEXT_SIZE];
	size_t asked = nat->seen[0].n_asked + nat->seen[1].n_asked;
	size_t answered = nat->seen[0].n_answered + nat->seen[1].n_answered;
	const struct endpoint *us = &nat->seen[nat->seen[0].n_answered > 0 ? 0 : 1].mapped;

	if (n->cfg->no_stun)
		view_add_layer(out, "stun", false, "by --no-stun");
	else if (answered > 0)
		view_add_layer(
			out, "stun", true, "%zu of %zu servers answered, %s%s", answered, asked,
			us->ip.family != 0 ? "and see this node at " : "and contradict each other",
			us->ip.family != 0 ? ip_format(text, &us->ip) : "");
	else if (nat->pace.n_failed > 0)
		view_add_layer(out, "stun", true, "no server has answered, asked %u time%s",
			       nat->pace.n_failed, nat->pace.n_failed == 1 ? "" : "s");
	else
		view_add_layer(out, "stun", true, "no server has answered yet");
}

void node_nat_fill(const struct node *n, struct view *out)
{
	const struct ownpoint *own = &n->nat.own;

	out->nat = own->nat;
	if (own->v4.ip.family != 0)
		out->endpoints[out->n_endpoints++] = own->v4;
	if (own->v6.ip.family != 0)
		out->endpoints[out->n_endpoints++] = own->v6;
}

/* --- where peers are reached --------------------------------------------------------------- */

static bool is_own(const struct node *n, const struct endpoint *at)
{
	return at->port == n->ready.listen_port && hostaddrs_have(&n->nat.host, &at->ip);
}

static bool has_way(const void *arg, const struct endpoint *at)
{
	const struct node *n = arg;
	struct ip source;

	if (is_own(n, at) || (n->cfg->no_ipv6 && at->ip.family == AF_INET6))
		return false;
	if (hostaddrs_reach(&n->nat.host, &at->ip) ||
	    (at->ip.family == AF_INET ? n->nat.source.family != 0 : n->nat.has_way6))
		return true;
	return hostaddr_source(&source, at);
}

/* A private address means something only to those who are in the same network, or behind the same NAT. */
static bool is_near(const struct node *n, const struct announcement *a, const struct endpoint *at,
		    const struct ip *from)
{
	const struct ip *outside = &n->nat.own.v4.ip;

	if (ownpoint_ip4_is_public(&at->ip) || ownpoint_ip6_is_public(&at->ip) ||
	    hostaddrs_reach(&n->nat.host, &at->ip))
		return true;
	for (size_t i = 0; outside->family != 0 && i < a->n_endpoints; i++)
		if (ip_equal(&a->endpoints[i].ip, outside))
			return true;
	return from->family == at->ip.family && !ownpoint_ip4_is_public(from);
}

size_t node_nat_candidates(const struct node *n, const struct announcement *a,
			   const struct ip *from,
			   struct endpoint out[static ANNOUNCE_ENDPOINTS_MAX])
{
	size_t total = 0;

	for (size_t i = 0; i < a->n_endpoints; i++) {
		const struct endpoint *at = &a->endpoints[i];

		if (!reconcile_is_inside_mesh(&at->ip, &n->self) && is_near(n, a, at, from))
			out[total++] = *at;
	}
	return total;
}

static int64_t look(struct node *n, struct now now)
{
	int64_t at_ms = node_look_ms(n, now.mono_ms);

	if (at_ms > now.mono_ms)
		return at_ms;
	node_request_dump(n);
	return now.mono_ms + LOOK_AGAIN_MS;
}

void node_nat_choose(struct node *n, struct peer *p, struct reconcile_want *want, struct now now)
{
	const struct candidates_facts f = {
		.has_tunnel = peer_has_tunnel(p, now),
		.read_ms = n->nat.read_ms,
		.now_ms = now.mono_ms,
		.arg = n,
		.has_way = has_way,
	};
	int64_t again_ms = INT64_MAX;
	const struct endpoint *at;

	if (!p->applied.present)
		candidates_restart(&p->candidates);
	switch (candidates_step(&p->candidates, &p->endpoint, &f)) {
	case CANDIDATES_REST:
		break;
	case CANDIDATES_WAIT:
		again_ms = p->candidates.until_ms;
		break;
	case CANDIDATES_LOOK:
		again_ms = look(n, now);
		break;
	}
	if (again_ms < want->again_ms)
		want->again_ms = again_ms;
	at = candidates_current(&p->candidates, &p->endpoint);
	if (at->ip.family != 0 && !reconcile_is_inside_mesh(&at->ip, &n->self))
		want->endpoint = *at;
}

void node_nat_dump_asked(struct node *n)
{
	n->nat.asked_ms = clock_now().mono_ms;
}

void node_nat_dumped(struct node *n)
{
	n->nat.read_ms = n->nat.asked_ms;
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		if (p->candidates.until_ms != 0 && p->candidates.until_ms <= n->nat.read_ms)
			peers_mark(n->peers, p);
	/* What peers saw grows old. */
	node_nat_observed(n);
}

/* --- begin and end ------------------------------------------------------------------------- */

static int open_stun(struct node *n, struct err *e)
{
	const struct stunclient_config cfg = {
		.servers = &n->cfg->stun,
		.resolver = n->resolver,
		.no_ipv6 = n->cfg->no_ipv6,
		.done = on_round,
		.arg = n,
	};

	return n->cfg->no_stun ? 0 : stunclient_open(&n->nat.stun, n->base, &cfg, e);
}

int node_nat_open(struct node *n, struct err *e)
{
	struct node_nat *nat = &n->nat;

	nat->stun_timer = evtimer_new(n->base, on_stun_timer, n);
	nat->look_timer = evtimer_new(n->base, on_look_timer, n);
	if (!nat->stun_timer || !nat->look_timer)
		return err_set(e, -ENOMEM, "make the timers of the endpoints");
	(void)read_addresses(n);
	(void)decide(n);
	if (open_stun(n, e) < 0)
		return e->code;
	ask_servers(n);
	return 0;
}

void node_nat_stop(struct node *n)
{
	struct node_nat *nat = &n->nat;
	struct event **timers[] = { &nat->stun_timer, &nat->look_timer, &nat->greet_timer };

	stunclient_close(nat->stun);
	nat->stun = NULL;
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		if (*timers[i])
			event_free(*timers[i]);
		*timers[i] = NULL;
	}
}
