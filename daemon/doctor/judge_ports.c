/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/str.h"
#include "daemon/doctor/judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME "ports"

static const char *use_text(enum port_use use)
{
	switch (use) {
	case PORT_WIREGUARD:
		return "WireGuard";
	case PORT_GOSSIP:
		return "gossip";
	case PORT_PROBE:
		return "health probe";
	case PORT_HTTP:
		return "HTTP";
	}
	return "";
}

/* The node itself says that an address of its own is another's. */
static bool lacks_http(const struct facts *f)
{
	for (size_t i = 0; i < f->node.n_alarms; i++)
		if (strcmp(f->node.alarms[i].name, "http") == 0)
			return true;
	return false;
}

/* Ours: a node's that runs here, or an interface's that it left and will adopt. */
static bool is_ours(const struct facts *f, const struct port_facts *p)
{
	bool is_unknown = !facts_has_node(f);
	bool has_node = facts_is_running(f);

	switch (p->use) {
	case PORT_WIREGUARD:
		return (has_node && (is_unknown || f->node.listen_port == p->at.port)) ||
		       (f->links.probe == 0 && f->links.is_ours && f->links.is_up);
	case PORT_GOSSIP:
	case PORT_PROBE:
		return has_node;
	case PORT_HTTP:
		return has_node && !lacks_http(f);
	}
	return false;
}

/* The node goes on without it, and tries again; but nobody can look into it. */
static void judge_http(struct report *r, const struct port_facts *p)
{
	char at[ENDPOINT_TEXT_SIZE];

	if (p->at.ip.family == 0)
		(void)snprintf(at, sizeof(at), ":%u", p->at.port);
	else
		endpoint_format(at, &p->at);
	if (p->bind == -EADDRINUSE)
		report_say(r, REPORT_WARN, NAME,
			   "TCP %s (HTTP) is taken by another program: health and metrics will be "
			   "missing there",
			   at);
	else
		report_say(r, REPORT_WARN, NAME, "TCP %s (HTTP) cannot be listened at: %s", at,
			   strerror(-p->bind));
	report_cure(r, "choose another address with --http (WGMESH_HTTP), or \"none\"");
}

static void judge_taken(struct report *r, const struct port_facts *p)
{
	switch (p->use) {
	case PORT_WIREGUARD:
		report_fail(r, EXITS_SYSTEM, NAME,
			    "UDP port %u (WireGuard) is taken by another program", p->at.port);
		report_cure(r, "stop that program, or choose another with --listen-port "
			       "(WGMESH_LISTEN_PORT)");
		break;
	case PORT_GOSSIP:
		report_fail(r, EXITS_SYSTEM, NAME,
			    "UDP port %u (gossip) is taken by another program", p->at.port);
		report_cure(r, "stop that program; it may be another node of this mesh in the same "
			       "network: give each a network of its own. The port follows from the "
			       "secret and cannot be chosen");
		break;
	case PORT_PROBE:
		report_say(r, REPORT_WARN, NAME,
			   "TCP port %u (health probe) is taken by another program: existing nodes "
			   "will take this one for dead",
			   p->at.port);
		report_cure(r, "stop that program, or have it listen on another address than all");
		break;
	case PORT_HTTP:
		judge_http(r, p);
		break;
	}
}

/* Return: true when the firewall is in the way, and the report says so */
static bool judge_firewall(struct report *r, const struct port_facts *p)
{
	const char *what = use_text(p->use);

	if (p->echo == ECHO_LOST || p->echo == ECHO_REFUSED)
		report_fail(r, EXITS_FAILURE, NAME,
			    "UDP port %u (%s) is blocked: a datagram to ourselves was %s by this "
			    "host's own firewall",
			    p->at.port, what, p->echo == ECHO_LOST ? "swallowed" : "rejected");
	else if (p->echo == ECHO_NOT_SENT || p->is_mute)
		report_fail(r, EXITS_FAILURE, NAME,
			    "UDP port %u (%s) is blocked: this host's own firewall refuses to send "
			    "from or to it",
			    p->at.port, what);
	else
		return false;
	report_cure(r,
		    "let it in and out: nft list ruleset (or iptables-save) shows the rule; nft "
		    "insert rule inet filter input udp dport %u accept; ufw allow %u/udp",
		    p->at.port, p->at.port);
	return true;
}

void judge_ports(struct report *r, const struct facts *f)
{
	size_t before = r->n;
	struct str_out t;
	char good[REPORT_TEXT_SIZE] = "";

	if (!judge_probe(r, NAME, f->ports.probe))
		return;
	t = (struct str_out) { .out = good, .size = sizeof(good) };
	for (size_t i = 0; i < f->ports.n; i++) {
		const struct port_facts *p = &f->ports.p[i];
		bool is_taken = p->bind == -EADDRINUSE;

		if (p->use == PORT_HTTP && p->bind < 0 && !is_taken)
			judge_http(r, p);
		else if (is_taken && !is_ours(f, p))
			judge_taken(r, p);
		else if (!judge_firewall(r, p))
			str_add(&t, "%s%s %u (%s%s)", t.len > 0 ? ", " : "",
				p->is_udp ? "UDP" : "TCP", p->at.port, use_text(p->use),
				is_taken ? ", ours" : "");
	}
	if (r->n == before)
		report_say(r, REPORT_PASS, NAME, "free: %s%s", good,
			   facts_has_secret(f) ? "" : "; that of gossip follows from the secret");
}
