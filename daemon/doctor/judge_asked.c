/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/doctor/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME	    "peers"
#define SKEW_WARN_S 60
#define SET_CLOCKS  "set both clocks and keep them right (timedatectl set-ntp true)"
#define COMPARE                                                                                        \
	"compare the network ids (`wgmesh status` there, the secret's line here): all nodes need one " \
	"and the same secret"

static void judge_answered(struct report *r, const struct asked_facts *a, const char *to)
{
	report_say(r, REPORT_PASS, NAME,
		   "%s answers after %lld.%lld ms: %s, which has our secret, key %s", to,
		   (long long)(a->rtt_us / 1000), (long long)(a->rtt_us / 100 % 10), a->name,
		   a->key);
	if (llabs((long long)a->skew_s) <= SKEW_WARN_S)
		return;
	report_say(r, REPORT_WARN, NAME, "the clock of %s is %lld s %s ours", to,
		   llabs((long long)a->skew_s), a->skew_s > 0 ? "ahead of" : "behind");
	report_cure(r, SET_CLOCKS);
}

static void judge_unreachable(struct report *r, const struct asked_facts *a, const char *to)
{
	bool is_firewall = a->error == -EPERM || a->error == -EACCES;

	report_fail(r, EXITS_FAILURE, NAME, "%s cannot be reached: %s%s", to, strerror(-a->error),
		    is_firewall ? " (a firewall, probably this host's own)" : "");
	report_cure(r, is_firewall ? "let that UDP port out (nft list ruleset shows the rule)"
				   : "give this host a route there (default route, IPv6)");
}

/* Nodes do not answer what they cannot open, so most causes look alike; the LAN may tell. */
static void judge_silent(struct report *r, const struct facts *f, const char *to)
{
	const struct asked_facts *a = &f->asked;

	switch (a->lan) {
	case PEERTEST_LAN_GOOD:
		report_fail(r, EXITS_FAILURE, NAME,
			    "%s is silent, although that node announces itself on the LAN with our "
			    "secret: its UDP port is blocked",
			    to);
		report_cure(r, "let UDP port %u in there, and its answers in here",
			    f->wanted.peer.port);
		return;
	case PEERTEST_LAN_STALE:
		report_fail(
			r, EXITS_FAILURE, NAME,
			"%s is silent: its clock is %lld s away from ours, so it refuses what we say",
			to, llabs((long long)a->skew_s));
		report_cure(r, SET_CLOCKS);
		return;
	case PEERTEST_LAN_SILENT:
		break;
	}
	report_fail(
		r, EXITS_FAILURE, NAME,
		"%s is silent: no node runs there, a firewall drops UDP port %u, the clocks are 10 "
		"minutes apart, or the secrets differ%s",
		to, f->wanted.peer.port,
		f->wanted.peer.port != f->keys.gossip_port
			? ", which is likely: with this secret nodes listen on another port"
			: "");
	report_cure(r, COMPARE "; with this one, nodes listen on UDP port %u", f->keys.gossip_port);
}

static void judge_outcome(struct report *r, const struct facts *f, const char *to)
{
	const struct asked_facts *a = &f->asked;

	switch (a->outcome) {
	case PEERTEST_ANSWERED:
		judge_answered(r, a, to);
		break;
	case PEERTEST_UNREACHABLE:
		judge_unreachable(r, a, to);
		break;
	case PEERTEST_REFUSED:
		report_fail(
			r, EXITS_FAILURE, NAME,
			"nothing listens at %s, or a firewall there rejects it: no node runs there, "
			"or it has another secret",
			to);
		report_cure(r, COMPARE "; with this one, nodes listen on UDP port %u",
			    f->keys.gossip_port);
		break;
	case PEERTEST_NOT_OURS:
		report_fail(r, EXITS_FAILURE, NAME, "%s answers, but with another secret than ours",
			    to);
		report_cure(r, COMPARE);
		break;
	case PEERTEST_STALE:
		report_fail(r, EXITS_FAILURE, NAME,
			    "%s answers, but its clock is %lld s away from ours", to,
			    llabs((long long)a->skew_s));
		report_cure(r, SET_CLOCKS);
		break;
	case PEERTEST_INVALID:
		report_fail(r, EXITS_FAILURE, NAME, "%s answers with what no node says", to);
		report_cure(r, "look which program and release runs there");
		break;
	case PEERTEST_SILENT:
	case PEERTEST_OUTCOMES:
		judge_silent(r, f, to);
		break;
	}
}

void judge_asked(struct report *r, const struct facts *f)
{
	char to[ENDPOINT_TEXT_SIZE];

	if (!f->wanted.has_peer)
		return;
	if (f->wanted.peer.port == 0)
		ip_format(to, &f->wanted.peer.ip);
	else
		endpoint_format(to, &f->wanted.peer);
	if (!judge_probe(r, NAME, f->asked.probe))
		return;
	if (!f->asked.was_asked) {
		report_say(r, REPORT_SKIP, NAME, "%s was not asked: that takes the secret", to);
	} else if (f->asked.code < 0) {
		report_say(r, REPORT_WARN, NAME, "%s could not be asked: %s", to,
			   strerror(-f->asked.code));
		report_cure(r, "allow UDP sockets (seccomp profile of the container)");
	} else {
		judge_outcome(r, f, to);
	}
}
