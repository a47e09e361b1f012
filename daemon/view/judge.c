/* SPDX-License-Identifier: MIT */
#include "daemon/view/judge.h"
#include "common/defs.h"
#include "common/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TROUBLE_SIZE 400
#define STALE_SPREAD_S \
	5 /* two datagrams of one clock differ by less, once their own times are taken off */

/* --- checks ---------------------------------------------------------------------------------- */

struct checks {
	struct view_check *out;
	size_t n;
};

__attribute__((format(printf, 4, 5))) static void check(struct checks *c, const char *name,
							enum view_mark mark, const char *fmt, ...)
{
	struct view_check *out = &c->out[c->n++];
	va_list ap;

	out->name = name;
	out->mark = mark;
	va_start(ap, fmt);
	(void)vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
}

static void check_netadmin(struct checks *c, const struct judge_facts *f)
{
	long long owed_s = f->owed_ms / 1000;

	if (f->view->phase == VIEW_STARTING)
		check(c, "netadmin", VIEW_WARN, "it still sets up %s", f->view->ifname);
	else if (f->owed_ms >= JUDGE_HUNG_MS)
		check(c, "netadmin", VIEW_FAIL,
		      "the process that configures %s has not answered for %lld s; if that lasts, "
		      "restart the node: its tunnels stay up meanwhile",
		      f->view->ifname, owed_s);
	else if (f->owed_ms >= JUDGE_SLOW_MS)
		check(c, "netadmin", VIEW_WARN, "the process that configures %s is slow to answer",
		      f->view->ifname);
	else
		check(c, "netadmin", VIEW_PASS, "it answers");
}

static void check_interface(struct checks *c, const struct judge_facts *f)
{
	const char *ifname = f->view->ifname;

	if (f->view->phase == VIEW_STOPPING)
		check(c, "interface", VIEW_WARN, "%s is being deleted, since this node stops",
		      ifname);
	else if (!f->interface || !f->interface->is_known)
		check(c, "interface", VIEW_PASS, "%s was set up; nothing is known to have changed",
		      ifname);
	else if (!f->interface->exists)
		check(c, "interface", VIEW_FAIL, "%s is gone; restart the node", ifname);
	else if (!f->interface->is_up)
		check(c, "interface", VIEW_FAIL,
		      "%s is down, and no packet passes: ip link set %s up", ifname, ifname);
	else
		check(c, "interface", VIEW_PASS, "%s is up", ifname);
}

/* The prefix that the interface had its address with, for a command that a person can type. */
static const struct ip *missing_address(const struct judge_facts *f)
{
	if (f->view->mesh_ip.family != 0 && !ifstate_has(f->interface, &f->view->mesh_ip))
		return &f->view->mesh_ip;
	if (f->view->mesh_ip6.family != 0 && !ifstate_has(f->interface, &f->view->mesh_ip6))
		return &f->view->mesh_ip6;
	return NULL;
}

static void check_address(struct checks *c, const struct judge_facts *f)
{
	char text[IP_TEXT_SIZE];
	const struct ip *missing = NULL;

	if (f->interface && f->interface->is_known && f->view->phase == VIEW_RUNNING)
		missing = missing_address(f);
	if (missing)
		check(c, "address", VIEW_FAIL,
		      "%s has lost its address %s: ip address add %s/%u dev %s, or restart the node",
		      f->view->ifname, ip_format(text, missing), text,
		      missing->family == AF_INET ? f->view->mesh_subnet.bits : 64U,
		      f->view->ifname);
	else
		check(c, "address", VIEW_PASS, "%s", ip_format(text, &f->view->mesh_ip));
}

static bool supervisor_value(const struct judge_facts *f, const char *key, char *out, size_t size)
{
	out[0] = '\0';
	return f->view->supervisor && statusline_value(f->view->supervisor, key, out, size);
}

/* Empty when the state can be written, as far as is known. */
static void storage_trouble(const struct judge_facts *f, char *out, size_t size)
{
	char word[32];
	bool is_told;

	out[0] = '\0';
	is_told = supervisor_value(f, "storage", word, sizeof(word));
	if (is_told && strcmp(word, "ok") != 0) {
		if (!supervisor_value(f, "storage_note", out, size) || out[0] == '\0')
			(void)snprintf(out, size, "the storage of %s is %s", f->state_dir, word);
	} else if ((!is_told || f->supervisor != SUPERVISOR_ANSWERED) && f->write.is_known &&
		   f->write.error != 0) {
		(void)snprintf(out, size,
			       "%.80s cannot be written (%.80s: %s); a restart would not find what "
			       "this run has learned",
			       f->state_dir, f->write.text, strerror(-f->write.error));
	}
}

static void check_state(struct checks *c, const struct judge_facts *f)
{
	char text[TROUBLE_SIZE];
	char word[32];

	storage_trouble(f, text, sizeof(text));
	if (text[0] != '\0')
		check(c, "state", VIEW_FAIL, "%s", text);
	else if (f->write.is_known || supervisor_value(f, "storage", word, sizeof(word)))
		check(c, "state", VIEW_PASS, "%s can be written", f->state_dir);
	else
		check(c, "state", VIEW_PASS, "nothing is known to be wrong with %s", f->state_dir);
}

static void check_supervisor(struct checks *c, const struct judge_facts *f)
{
	char word[32];
	char state[32];

	if (f->supervisor == SUPERVISOR_NONE) {
		check(c, "supervisor", VIEW_PASS, "no wgmesh-init supervises this node");
	} else if (f->supervisor == SUPERVISOR_SILENT) {
		check(c, "supervisor", VIEW_WARN,
		      "wgmesh-init does not answer; look at its log, and at the load of this host");
	} else if (supervisor_value(f, "healthy", word, sizeof(word)) &&
		   strcmp(word, "false") == 0) {
		(void)supervisor_value(f, "state", state, sizeof(state));
		check(c, "supervisor", VIEW_WARN,
		      "wgmesh-init calls this node unhealthy (state %s): wgmesh-init status says why",
		      state);
	} else {
		check(c, "supervisor", VIEW_PASS, "wgmesh-init finds nothing wrong");
	}
}

/* The node goes on; but a probe at that address asks somebody else, or nobody. */
static void check_http(struct checks *c, const struct judge_facts *f)
{
	if (f->http_trouble)
		check(c, "http", VIEW_WARN, "%s", f->http_trouble);
	else
		check(c, "http", VIEW_PASS, "every address of --http is served");
}

/* It works with less; but whoever runs it should know. */
static void check_confinement(struct checks *c, const struct judge_facts *f)
{
	const char *missing = f->confinement ? confine_describe(f->confinement) : NULL;

	if (missing)
		check(c, "confinement", VIEW_WARN, "%s", missing);
	else
		check(c, "confinement", VIEW_PASS,
		      "the process that talks to the network can open no file and start nothing");
}

static void check_clock(struct checks *c, const struct judge_facts *f)
{
	if (f->view->clock_behind_s > 0)
		check(c, "clock", VIEW_WARN, "it is %lld s behind what it has shown before%s",
		      (long long)f->view->clock_behind_s,
		      f->is_holding ? "; handshakes are left to the other ends" : "");
	else
		check(c, "clock", VIEW_PASS, "it has not run backwards");
}

size_t judge_checks(const struct judge_facts *f, struct view_check out[static VIEW_CHECKS_MAX])
{
	struct checks c = { .out = out };

	check_netadmin(&c, f);
	if (f->view->phase != VIEW_STARTING) {
		check_interface(&c, f);
		check_address(&c, f);
		check_state(&c, f);
	}
	check_supervisor(&c, f);
	check_http(&c, f);
	check_confinement(&c, f);
	check_clock(&c, f);
	return c.n;
}

/* --- alarms ---------------------------------------------------------------------------------- */

struct alarms {
	struct view_alarm *out;
	size_t n;
};

__attribute__((format(printf, 3, 4))) static void alarm_on(struct alarms *a, const char *name,
							   const char *fmt, ...)
{
	struct view_alarm *out = &a->out[a->n++];
	va_list ap;

	out->name = name;
	out->since_unix_s = 0;
	va_start(ap, fmt);
	(void)vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
}

static void alarm_clone(struct alarms *a, const struct judge_facts *f)
{
	if (f->clone_place)
		alarm_on(a, "clone",
			 "this node's key is live in a second place, %.120s: a volume or a machine "
			 "was copied; stop one of the two and give it an empty state directory",
			 f->clone_place);
}

static void alarm_address(struct alarms *a, const struct judge_facts *f)
{
	if (f->contested)
		alarm_on(a, "address", "%s", f->contested);
}

/**
 * struct clocks - The clocks of those who were heard lately
 * @n:		How many
 * @ahead:	How many are ahead of ours
 * @behind:	How many are behind
 * @sum_s:	Sum of the differences of those in the larger group
 */
struct clocks {
	size_t n;
	size_t ahead;
	size_t behind;
	int64_t ahead_s;
	int64_t behind_s;
};

static struct clocks compare_clocks(const struct view *v)
{
	struct clocks c = { 0 };

	if (!v->peers)
		return c;
	for (const struct peer *p = peers_next(v->peers, NULL); p; p = peers_next(v->peers, p)) {
		if (!peer_is_verified(p) || v->now.mono_ms - p->heard_ms >= PEER_ACTIVE_MS)
			continue;
		c.n++;
		if (p->skew_s > JUDGE_SKEW_S) {
			c.ahead++;
			c.ahead_s += p->skew_s;
		} else if (p->skew_s < -JUDGE_SKEW_S) {
			c.behind++;
			c.behind_s -= p->skew_s;
		}
	}
	return c;
}

#define CLOCK_CURE "set the time of this host (chrony, systemd-timesyncd)"

static bool alarm_peers_clock(struct alarms *a, const struct clocks *c)
{
	bool is_slow = c->ahead > c->behind;
	size_t many = is_slow ? c->ahead : c->behind;
	long long seconds;

	if (2 * many <= c->n)
		return false;
	seconds = (is_slow ? c->ahead_s : c->behind_s) / (int64_t)many;
	if (c->n == 1)
		alarm_on(
			a, "clock",
			"the only peer's clock is %lld s %s ours: one of the two is wrong; " CLOCK_CURE
			" or of that one",
			seconds, is_slow ? "ahead of" : "behind");
	else
		alarm_on(
			a, "clock",
			"this node's clock is about %lld s %s: %zu of %zu peers say so; beyond 600 s "
			"nobody hears anybody; " CLOCK_CURE,
			seconds, is_slow ? "slow" : "fast", many, c->n);
	return true;
}

static bool is_stale(const struct judge_facts *f)
{
	return f->stale.is_sure && f->view->now.mono_ms - f->stale.heard_ms < JUDGE_STALE_MS;
}

static void alarm_clock(struct alarms *a, const struct judge_facts *f)
{
	struct clocks c = compare_clocks(f->view);
	char from[ENDPOINT_TEXT_SIZE];
	size_t agreeing = c.n - c.ahead - c.behind;

	if (f->view->clock_behind_s > 0) {
		alarm_on(
			a, "clock",
			"this host's clock ran backwards: it is %lld s behind what it has shown "
			"before, and until it is right, peers may refuse handshakes that this node "
			"begins; %s",
			(long long)f->view->clock_behind_s,
			agreeing > 0 && c.ahead == 0
				? "clocks of peers agree with it, so it was wrong before: restart "
				  "peers that do not answer"
				: CLOCK_CURE);
		return;
	}
	if (alarm_peers_clock(a, &c) || !is_stale(f))
		return;
	(void)endpoint_format(from, &f->stale.from);
	if (agreeing > 0)
		alarm_on(
			a, "clock",
			"the clock of the node at %s is %lld s %s ours, so that it is not heard; set "
			"its time (peers whose clocks agree with ours: %zu)",
			from, llabs(f->stale.skew_s), f->stale.skew_s > 0 ? "ahead of" : "behind",
			agreeing);
	else
		alarm_on(a, "clock",
			 "the clock of the node at %s is %lld s %s ours, so that neither hears the "
			 "other: one of the two is wrong; " CLOCK_CURE,
			 from, llabs(f->stale.skew_s), f->stale.skew_s > 0 ? "ahead of" : "behind");
}

static void alarm_alone(struct alarms *a, const struct judge_facts *f)
{
	const struct view *v = f->view;

	/* Another clock explains it already. */
	if (v->phase != VIEW_RUNNING || f->was_heard || v->uptime_ms <= JUDGE_LONELY_MS ||
	    is_stale(f))
		return;
	if (v->counters->datagrams[FATE_NOT_OURS] > 0)
		alarm_on(
			a, "alone",
			"datagrams arrive, but none opens with this node's secret: compare network_id "
			"%s with another node's (wgmesh status); if they differ, one has the wrong "
			"secret",
			v->network_id);
	else
		alarm_on(
			a, "alone",
			"no other node was heard yet: compare network_id %s with another node's "
			"(wgmesh status), as a wrong secret looks exactly so; if they are equal, let "
			"UDP port %u %sthrough",
			v->network_id, v->gossip_port, f->has_lan ? "and multicast " : "");
}

static void alarm_storage(struct alarms *a, const struct judge_facts *f)
{
	char text[TROUBLE_SIZE];

	storage_trouble(f, text, sizeof(text));
	if (text[0] != '\0')
		alarm_on(a, "storage", "%s", text);
}

/* What a container that is made anew would not find again: a key, and with it an address. */
static bool will_be_lost(const char *verdict)
{
	static const char *const lost[] = { "anonymous", "container", "pod", "memory", "layer" };

	for (size_t i = 0; i < ARRAY_LEN(lost); i++)
		if (strcmp(verdict, lost[i]) == 0)
			return true;
	return false;
}

static void alarm_ephemeral(struct alarms *a, const struct judge_facts *f)
{
	char word[32];
	char what[160];

	if (!supervisor_value(f, "verdict", word, sizeof(word)) || !will_be_lost(word))
		return;
	(void)supervisor_value(f, "volume", what, sizeof(what));
	if ((supervisor_value(f, "proof", word, sizeof(word)) && strcmp(word, "proven") == 0) ||
	    (supervisor_value(f, "persistence", word, sizeof(word)) && strcmp(word, "ignore") == 0))
		return;
	alarm_on(a, "ephemeral",
		 "this node's key is LOST when the container is made anew: %.80s is on %s; mount a "
		 "volume there (wgmesh-init check says how)",
		 f->state_dir, what);
}

static void alarm_supervisor(struct alarms *a, const struct judge_facts *f)
{
	uint64_t failures = 0;
	char word[32];
	char cause[200];

	if (!supervisor_value(f, "failures", word, sizeof(word)) ||
	    str_parse_u64(&failures, word, 0, UINT32_MAX) < 0 || failures < 2)
		return;
	(void)supervisor_value(f, "cause", cause, sizeof(cause));
	alarm_on(a, "supervisor",
		 "this node has failed %u times in a row%s%s; see the log before each end",
		 (unsigned int)failures, cause[0] ? ", the last time: " : "", cause);
}

static void alarm_rewritten(struct alarms *a, const struct judge_facts *f)
{
	const struct peer *p = f->rewritten.first;
	char at[ENDPOINT_TEXT_SIZE];

	if (!p)
		return;
	alarm_on(
		a, "rewritten",
		"packets of %zu peer%s (%s) come from %s, which is our own gateway or machine: the "
		"engine's proxy, or a stale entry of connection tracking, rewrites them; publish "
		"the UDP port under its own number, or use the host's network, and on the host: "
		"conntrack -D -p udp --dport %u",
		f->rewritten.n, f->rewritten.n == 1 ? "" : "s",
		p->info.hostname[0] ? p->info.hostname : p->key_text,
		endpoint_format(at, &p->tunnel), f->view->listen_port);
}

size_t judge_alarms(const struct judge_facts *f, struct view_alarm out[static VIEW_ALARMS_MAX])
{
	struct alarms a = { .out = out };

	alarm_clone(&a, f);
	alarm_address(&a, f);
	alarm_clock(&a, f);
	alarm_alone(&a, f);
	alarm_storage(&a, f);
	alarm_ephemeral(&a, f);
	alarm_supervisor(&a, f);
	alarm_rewritten(&a, f);
	return a.n;
}

/* A member may claim any time at all; what is above a thousand years is as good as that. */
static int64_t skew_of(int64_t made_s, int64_t now_s)
{
	const int64_t most = INT64_C(1000) * 365 * 86400;

	if (made_s > now_s + most)
		return most;
	return made_s < now_s - most ? -most : made_s - now_s;
}

void judge_take_stale(struct judge_stale *s, int64_t made_s, struct now now,
		      const struct endpoint *from)
{
	int64_t skew_s = skew_of(made_s, now.unix_s);
	bool is_recent = s->heard_ms != 0 && now.mono_ms - s->heard_ms < JUDGE_STALE_MS;

	/*
	 * Anybody can send an old datagram again and again: it gets older, while those of a clock that
	 * is wrong stay as old as the first.
	 */
	if (!is_recent || llabs(skew_s - s->skew_s) > STALE_SPREAD_S) {
		s->is_sure = false;
		s->since_ms = now.mono_ms;
		s->skew_s = skew_s;
	}
	s->is_sure |= now.mono_ms - s->since_ms >= JUDGE_PROOF_MS;
	s->heard_ms = now.mono_ms;
	s->from = *from;
}

/* --- what came and went ---------------------------------------------------------------------- */

static const struct view_alarm *find_alarm(const struct view_alarm *alarms, size_t n,
					   const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(alarms[i].name, name) == 0)
			return &alarms[i];
	return NULL;
}

static void remember(struct judge_memory *m, struct view_alarm *a, int64_t unix_s,
		     const struct judge_teller *teller)
{
	size_t free_place = ARRAY_LEN(m->on);

	for (size_t i = ARRAY_LEN(m->on); i-- > 0;) {
		if (!m->on[i].name) {
			free_place = i;
		} else if (strcmp(m->on[i].name, a->name) == 0) {
			a->since_unix_s = m->on[i].since_unix_s;
			return;
		}
	}
	a->since_unix_s = unix_s;
	if (free_place == ARRAY_LEN(m->on))
		return;
	m->on[free_place].name = a->name;
	m->on[free_place].since_unix_s = unix_s;
	teller->tell(teller->arg, a->name, a);
}

void judge_follow(struct judge_memory *m, struct view_alarm *alarms, size_t n, int64_t unix_s,
		  const struct judge_teller *teller)
{
	for (size_t i = 0; i < ARRAY_LEN(m->on); i++) {
		const char *name = m->on[i].name;

		if (!name || find_alarm(alarms, n, name))
			continue;
		m->on[i].name = NULL;
		teller->tell(teller->arg, name, NULL);
	}
	for (size_t i = 0; i < n; i++)
		remember(m, &alarms[i], unix_s, teller);
}
