/* SPDX-License-Identifier: MIT */
#include "daemon/cli/peertesttext.h"
#include "common/defs.h"
#include "common/str.h"
#include "daemon/cli/table.h"
#include "daemon/cli/text.h"
#include "daemon/crypto.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define NAME_WIDTH 14
#define LINE_SIZE  1024
#define KEY_SIZE   45
#define CAUSES_MAX 6
#define SHORT_ID   8 /* bytes of the network id, as `wgmesh status` shows them */
#define SKEW_SHOWN 2 /* seconds: less is the resolution of the time that is sent */

/* --- causes -------------------------------------------------------------------------------- */

/**
 * struct causes - What a failure can come from, the likeliest first
 * @n:		Entries in @text
 * @text:	A sentence each, with what tells it from the others
 */
struct causes {
	size_t n;
	char text[CAUSES_MAX][400];
};

__attribute__((format(printf, 2, 3))) static void add(struct causes *c, const char *fmt, ...)
{
	va_list ap;

	if (c->n == CAUSES_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(c->text[c->n++], sizeof(c->text[0]), fmt, ap);
	va_end(ap);
}

static void add_port(struct causes *c, const struct peertest *q)
{
	if (q->to.port != q->keys->gossip_port)
		add(c,
		    "wrong port: with this secret nodes listen on UDP port %u, and %u was asked; say "
		    "--peer with that port, unless the node says another one itself",
		    q->keys->gossip_port, q->to.port);
}

static void add_secret(struct causes *c, const struct peertest *q)
{
	char id[2 * SHORT_ID + 1];

	crypto_hex(id, sizeof(id), q->keys->network_id, SHORT_ID);
	add(c,
	    "wrong secret: nodes do not answer what another secret sealed; `wgmesh status` there must "
	    "show the network id %s, which is that of the secret used here",
	    id);
}

static void add_blocked(struct causes *c, const struct peertest *q)
{
	add(c,
	    "blocked port: a firewall drops UDP port %u; on that machine, `tcpdump -ni any udp port "
	    "%u` shows whether the datagrams come, and whether answers leave",
	    q->to.port, q->to.port);
}

static void add_skew(struct causes *c, const struct peertest_result *r)
{
	char span[TEXT_NUMBER_SIZE];

	add(c,
	    "clocks: that node's is %s %s ours, and members ignore what is more than ten minutes off; "
	    "set both by NTP, `date -u` shows which one is wrong",
	    text_span(span, r->skew_s < 0 ? -r->skew_s : r->skew_s),
	    r->skew_s < 0 ? "behind" : "ahead of");
}

static void silent_causes(struct causes *c, const struct peertest *q,
			  const struct peertest_result *r)
{
	if (r->lan == PEERTEST_LAN_STALE) {
		add_skew(c, r);
		return;
	}
	add_port(c, q);
	/* What it announces on the LAN can be opened: neither the secret nor the clock is wrong. */
	if (r->lan == PEERTEST_LAN_GOOD) {
		add_blocked(c, q);
		return;
	}
	add_secret(c, q);
	add_blocked(c, q);
	add(c,
	    "wrong address: no node is there; `ping` tells whether a machine is, `wgmesh status` on "
	    "it whether a node is");
	add(c, "clocks: more than ten minutes apart; `date -u` on both machines");
}

static void find_causes(struct causes *c, const struct peertest *q, const struct peertest_result *r)
{
	switch (r->outcome) {
	case PEERTEST_SILENT:
		silent_causes(c, q, r);
		break;
	case PEERTEST_REFUSED:
		add_port(c, q);
		add(c, "no node runs there, or it has ended; `wgmesh status` there tells");
		add(c, "a firewall that rejects instead of dropping says the same");
		break;
	case PEERTEST_UNREACHABLE:
		add(c,
		    "no route, no machine at that address, or a firewall of ours: `ip route get` and "
		    "`ping` tell");
		break;
	case PEERTEST_NOT_OURS:
		add_port(c, q);
		add_secret(c, q);
		break;
	case PEERTEST_STALE:
		add_skew(c, r);
		break;
	case PEERTEST_INVALID:
		add(c,
		    "it has our secret and speaks another version of the protocol, or is broken; its "
		    "log and `wgmesh decode` tell more");
		break;
	case PEERTEST_ANSWERED:
	case PEERTEST_OUTCOMES:
		break;
	}
}

/* The sentence of an outcome, without the address. */
static void headline(char out[static LINE_SIZE], const struct peertest_result *r)
{
	static const char *const texts[] = {
		[PEERTEST_SILENT] = "nothing came back",
		[PEERTEST_ANSWERED] = "answers, and has the same secret",
		[PEERTEST_REFUSED] =
			"its machine says that nothing listens there (ICMP port unreachable)",
		[PEERTEST_UNREACHABLE] = "the datagrams do not get there",
		[PEERTEST_NOT_OURS] = "answers, but not with what this secret opens",
		[PEERTEST_STALE] = "has the same secret, and another time",
		[PEERTEST_INVALID] = "has the same secret, but what it says makes no sense",
	};

	_Static_assert(ARRAY_LEN(texts) == PEERTEST_OUTCOMES, "a sentence for every outcome");
	if (r->outcome == PEERTEST_UNREACHABLE)
		(void)snprintf(out, LINE_SIZE, "%s: %s", texts[r->outcome], strerror(-r->error));
	else if (r->outcome == PEERTEST_SILENT)
		(void)snprintf(out, LINE_SIZE, "%s, although it was asked %u times",
			       texts[r->outcome], r->n_sent);
	else
		(void)snprintf(out, LINE_SIZE, "%s", texts[r->outcome]);
}

/* --- for people ---------------------------------------------------------------------------- */

static void field(const struct show *s, const char *name, const char *text)
{
	if (*text == '\0')
		return;
	(void)fprintf(s->out, "  %-*s ", NAME_WIDTH, name);
	text_wrap(s->out, text, NAME_WIDTH + 3, s->width);
}

static bool is_visitor(const struct peertest_result *r, const struct known_peer *p)
{
	return memcmp(&p->key, &r->visitor, sizeof(r->visitor)) == 0;
}

static size_t count_known(const struct peertest_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->answer.n_known; i++)
		n += is_visitor(r, &r->answer.known[i]) ? 0 : 1;
	return n;
}

static void put_known(const struct show *s, const struct peertest_result *r)
{
	static const struct table_column columns[] = {
		{ "HOST", 9, 8, false },
		{ "MESH IP", 8, 0, false },
		{ "ENDPOINT", 7, 0, false },
		{ "PUBLIC KEY", 6, 0, false },
	};
	struct table *t = table_new(columns, ARRAY_LEN(columns));
	char ip[IP_TEXT_SIZE];
	char key[KEY_SIZE];

	for (size_t i = 0; i < r->answer.n_known; i++) {
		const struct known_peer *p = &r->answer.known[i];

		if (is_visitor(r, p))
			continue;
		table_cell(t, p->hostname);
		table_cell(t, ip_format(ip, &p->mesh_ip));
		table_cell(t, p->endpoint);
		table_cell(t, wg_key_format(key, &p->key));
	}
	(void)fprintf(s->out, "\nIt told of %zu other%s:\n", count_known(r),
		      count_known(r) == 1 ? "" : "s");
	table_print(s->out, t, s->width);
	table_free(t);
}

static void join_networks(char out[static LINE_SIZE], const struct announcement *a)
{
	struct str_out t = { .out = out, .size = LINE_SIZE };
	char text[PREFIX_TEXT_SIZE];

	out[0] = '\0';
	for (size_t i = 0; i < a->n_routes; i++)
		str_add(&t, "%s%s", i ? ", " : "", prefix_format(text, &a->routes[i]));
}

static void put_clock(const struct show *s, const struct peertest_result *r)
{
	char span[TEXT_NUMBER_SIZE];
	char line[LINE_SIZE];

	if (r->skew_s >= -SKEW_SHOWN && r->skew_s <= SKEW_SHOWN) {
		field(s, "its clock", "agrees with ours");
		return;
	}
	(void)snprintf(line, sizeof(line), "%s %s ours; beyond 10 minutes nobody would answer",
		       text_span(span, r->skew_s < 0 ? -r->skew_s : r->skew_s),
		       r->skew_s < 0 ? "behind" : "ahead of");
	field(s, "its clock", line);
}

/* Who announces no address of its own is where its answer came from, as nodes take it, too. */
static const char *tunnel_text(char out[static ENDPOINT_TEXT_SIZE], const struct peertest_result *r)
{
	struct endpoint at;

	if (endpoint_parse(&at, r->answer.self.endpoint) < 0 || !ip_is_wildcard(&at.ip))
		return r->answer.self.endpoint;
	at.ip = r->from.ip;
	return endpoint_format(out, &at);
}

static void put_answer(const struct show *s, const struct peertest_result *r)
{
	const struct announcement *a = &r->answer;
	char latency[TEXT_NUMBER_SIZE];
	char text[ENDPOINT_TEXT_SIZE];
	char ip6[IP_TEXT_SIZE];
	char key[KEY_SIZE];
	char line[LINE_SIZE];

	field(s, "public key", wg_key_format(key, &a->self.key));
	field(s, "host name", a->self.hostname);
	(void)snprintf(line, sizeof(line), "%s%s%s", ip_format(text, &a->self.mesh_ip),
		       a->self.mesh_ip6.family ? ", " : "", ip_format(ip6, &a->self.mesh_ip6));
	field(s, "mesh address", line);
	field(s, "WireGuard at", tunnel_text(text, r));
	join_networks(line, a);
	field(s, "networks", line);
	field(s, "round trip", text_latency(latency, r->rtt_us));
	field(s, "it sees us at", endpoint_format(text, &a->observed));
	put_clock(s, r);
	field(s, "its program", a->instance[0] ? "this one" : "another one: an existing node");
	if (r->is_odd) {
		(void)snprintf(line, sizeof(line),
			       "%s, which was not asked: other nodes take no answer from there",
			       endpoint_format(text, &r->from));
		field(s, "answered from", line);
	}
	if (count_known(r) > 0)
		put_known(s, r);
}

void peertesttext_print(const struct show *s, const struct peertest *q,
			const struct peertest_result *r)
{
	const char *verdict = r->outcome == PEERTEST_ANSWERED ? "SUCCESS: " : "FAILED: ";
	char whole[ENDPOINT_TEXT_SIZE + LINE_SIZE + 2];
	char text[ENDPOINT_TEXT_SIZE];
	struct causes c = { 0 };
	char line[LINE_SIZE];

	headline(line, r);
	(void)snprintf(whole, sizeof(whole), "%s: %s", endpoint_format(text, &q->to), line);
	(void)fputs(verdict, s->out);
	text_wrap(s->out, whole, strlen(verdict), s->width);
	if (r->outcome == PEERTEST_ANSWERED) {
		put_answer(s, r);
		return;
	}
	find_causes(&c, q, r);
	(void)fputs(c.n > 1 ? "It can be one of these:\n" : "", s->out);
	for (size_t i = 0; i < c.n; i++) {
		(void)fputs("  - ", s->out);
		text_wrap(s->out, c.text[i], strlen("  - "), s->width);
	}
}

/* --- for programs -------------------------------------------------------------------------- */

static void put(json_t *obj, const char *name, const char *text)
{
	if (*text != '\0')
		(void)json_object_set_new(obj, name, json_string(text));
}

static json_t *node_json(const struct known_peer *p)
{
	json_t *obj = json_object();
	char key[KEY_SIZE];
	char ip[IP_TEXT_SIZE];

	put(obj, "pubkey", wg_key_format(key, &p->key));
	put(obj, "hostname", p->hostname);
	put(obj, "mesh_ip", ip_format(ip, &p->mesh_ip));
	put(obj, "mesh_ipv6", ip_format(ip, &p->mesh_ip6));
	put(obj, "endpoint", p->endpoint);
	return obj;
}

static json_t *answer_json(const struct peertest_result *r)
{
	json_t *obj = node_json(&r->answer.self);
	json_t *known = json_array();
	json_t *routes = json_array();
	char text[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; i < r->answer.n_routes; i++) {
		char net[PREFIX_TEXT_SIZE];

		(void)json_array_append_new(routes,
					    json_string(prefix_format(net, &r->answer.routes[i])));
	}
	for (size_t i = 0; i < r->answer.n_known; i++)
		if (!is_visitor(r, &r->answer.known[i]))
			(void)json_array_append_new(known, node_json(&r->answer.known[i]));
	put(obj, "observed_endpoint", endpoint_format(text, &r->answer.observed));
	put(obj, "answered_from", endpoint_format(text, &r->from));
	(void)json_object_set_new(obj, "rtt_us", json_integer(r->rtt_us));
	(void)json_object_set_new(obj, "same_program", json_boolean(r->answer.instance[0] != '\0'));
	(void)json_object_set_new(obj, "routable_networks", routes);
	(void)json_object_set_new(obj, "known_peers", known);
	return obj;
}

json_t *peertesttext_json(const struct peertest *q, const struct peertest_result *r)
{
	json_t *obj = json_object();
	json_t *list = json_array();
	char text[ENDPOINT_TEXT_SIZE];
	struct causes c = { 0 };
	char line[LINE_SIZE];

	headline(line, r);
	find_causes(&c, q, r);
	for (size_t i = 0; i < c.n; i++)
		(void)json_array_append_new(list, json_string(c.text[i]));
	put(obj, "result", peertest_outcome_name(r->outcome));
	put(obj, "asked", endpoint_format(text, &q->to));
	put(obj, "text", line);
	(void)json_object_set_new(obj, "causes", list);
	(void)json_object_set_new(obj, "hellos_sent", json_integer(r->n_sent));
	if (r->skew_s != 0 || r->outcome == PEERTEST_ANSWERED)
		(void)json_object_set_new(obj, "clock_skew_s", json_integer(r->skew_s));
	if (r->outcome == PEERTEST_ANSWERED)
		(void)json_object_set_new(obj, "node", answer_json(r));
	return obj;
}
