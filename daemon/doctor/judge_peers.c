/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/doctor/judge.h"

#include <stdio.h>
#include <string.h>

#define NAME	  "peers"
#define NODE	  "node"
#define SHOWN_MAX 5

static void judge_alarms(struct report *r, const struct node_facts *n)
{
	for (size_t i = 0; i < n->n_alarms; i++)
		report_say(r, REPORT_WARN, NODE, "%s: %s", n->alarms[i].name, n->alarms[i].text);
}

static void judge_silence(struct report *r, const struct node_facts *n)
{
	report_say(
		r, REPORT_WARN, NAME, "the node that runs hears nobody%s",
		n->has_counters && n->not_ours > 0
			? ", although somebody speaks to it whom it cannot understand: with another "
			  "secret, or not a node at all"
			: "");
	report_cure(r,
		    "compare its network id with that of a node that works (`wgmesh status` on "
		    "both); if they are equal, a firewall is in between: let UDP port %u in "
		    "(gossip), and 51830 from the LAN",
		    n->gossip_port);
}

static void judge_node(struct report *r, const struct node_facts *n)
{
	size_t shown = 0;
	size_t lost = 0;

	judge_alarms(r, n);
	for (size_t i = 0; i < n->n_peers; i++) {
		const struct peer_facts *p = &n->peers[i];

		if (strcmp(p->path, "none") != 0)
			continue;
		lost++;
		if (shown++ < SHOWN_MAX)
			report_say(r, REPORT_WARN, NAME, "%s is not connected: %s", p->name,
				   p->why[0] ? p->why : "the node does not say why");
	}
	if (n->has_peers && n->active == 0)
		judge_silence(r, n);
	else if (lost == 0)
		report_say(r, REPORT_PASS, NAME, "%lld active, none of them cut off",
			   (long long)(n->has_peers ? n->active : (int64_t)n->n_peers));
}

/* A node that ends again and again has said why: here it is once more. */
static void judge_ended(struct report *r, const struct facts *f)
{
	const struct supervisor_facts *init = &f->supervisor;

	if (!facts_has_supervisor(f) || init->last_exit <= 0 || facts_has_node(f))
		return;
	if (init->cause[0] != '\0')
		report_fail(r, init->last_exit, NODE, "%s", init->cause);
	else
		report_fail(r, init->last_exit, NODE,
			    "the node ended with code %d, and did not say why", init->last_exit);
	report_cure(r, "`wgmesh-init status` and the log say more");
}

/* Return: true when there is a node that could not be asked, and the report says so */
static bool judge_unasked(struct report *r, const struct facts *f)
{
	if (facts_is_shut_out(f)) {
		report_say(r, REPORT_SKIP, NODE,
			   "a node runs here, but answers only root and its own "
			   "user");
		report_cure(r, "run the doctor as root");
	} else if (facts_is_hung(f)) {
		report_fail(r, EXITS_FAILURE, NODE,
			    "a node runs here, but does not answer: it hangs, "
			    "or the machine is overloaded");
		report_cure(r,
			    "wgmesh-init restarts a node that hangs; without it, restart the node, "
			    "and keep its log");
	} else {
		return false;
	}
	return true;
}

void judge_peers(struct report *r, const struct facts *f)
{
	judge_ended(r, f);
	if (judge_unasked(r, f) || !judge_probe(r, NODE, f->node.probe))
		return;
	if (facts_has_node(f)) {
		judge_node(r, &f->node);
		return;
	}
	if (f->wanted.has_peer)
		return;
	report_say(r, REPORT_SKIP, NAME,
		   "no node runs here, so nobody was asked; --peer IP:PORT tries one");
}
