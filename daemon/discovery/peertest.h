/* SPDX-License-Identifier: MIT */
/*
 * peertest - is a node there, and does it have our secret? One node is asked, and learns nothing
 *
 * It asks as a visitor (discovery/visitor.h), so that nothing of it stays in the table of the node.
 * The LAN is listened to meanwhile: what the node announces there tells a blocked port from a wrong
 * secret or a wrong clock, for which nodes do not answer at all.
 */
#ifndef DAEMON_DISCOVERY_PEERTEST_H
#define DAEMON_DISCOVERY_PEERTEST_H

#include "common/err.h"
#include "daemon/net/addr.h"
#include "daemon/wire/announce.h"
#include "daemon/wire/derive.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct peertest - What is asked
 * @keys:	Of the mesh; borrowed
 * @to:		The node: its address and the port of its exchange
 * @port:	UDP port to ask from, 0 for any
 * @limit_ms:	How long to wait
 * @is_stopped:	Becomes non-zero when the asking is to end early; NULL for never
 */
struct peertest {
	const struct mesh_keys *keys;
	struct endpoint to;
	uint16_t port;
	int64_t limit_ms;
	const volatile sig_atomic_t *is_stopped;
};

enum peertest_outcome {
	PEERTEST_SILENT,      /* nothing came back */
	PEERTEST_ANSWERED,    /* it is there and has our secret */
	PEERTEST_REFUSED,     /* ICMP: nothing listens on the port */
	PEERTEST_UNREACHABLE, /* ICMP or our own system: packets do not get there */
	PEERTEST_NOT_OURS,    /* something answered that our secret does not open */
	PEERTEST_STALE,	      /* it answered, at a time too far from ours */
	PEERTEST_INVALID,     /* it answered with what no node should say */
	PEERTEST_OUTCOMES,
};

/* "silent", "answered", "refused", "unreachable", "not_ours", "stale", "invalid" */
const char *peertest_outcome_name(enum peertest_outcome o);

/* What the node announced on the LAN while it was asked. */
enum peertest_lan {
	PEERTEST_LAN_SILENT,
	PEERTEST_LAN_GOOD,  /* it has our secret */
	PEERTEST_LAN_STALE, /* it has our secret, and another time */
};

/**
 * struct peertest_result - What was heard; free it with peertest_free()
 * @outcome:	What became of it
 * @error:	PEERTEST_UNREACHABLE: negative errno value
 * @answer:	PEERTEST_ANSWERED: what the node says
 * @from:	Where the answer came from, which need not be where it was sent to
 * @rtt_us:	PEERTEST_ANSWERED: from the last HELLO to it; at least the round trip
 * @skew_s:	Clock of the node less ours, of an answer that is ours or stale, or from the LAN
 * @is_odd:	@from is another address than was asked
 * @lan:	What it announced on the LAN
 * @n_sent:	HELLOs sent
 * @visitor:	Key that was thrown away
 */
struct peertest_result {
	enum peertest_outcome outcome;
	int error;
	struct announcement answer;
	struct endpoint from;
	int64_t rtt_us;
	int64_t skew_s;
	bool is_odd;
	enum peertest_lan lan;
	unsigned int n_sent;
	struct wg_key visitor;
};

/**
 * peertest_run() - Ask, and wait
 * @out:	Receives what was heard
 * @q:		What is asked
 * @e:		Receives the reason on failure
 *
 * Return: 0, or a negative errno value when nothing could be asked
 */
int peertest_run(struct peertest_result *out, const struct peertest *q, struct err *e);
void peertest_free(struct peertest_result *r);

#endif /* DAEMON_DISCOVERY_PEERTEST_H */
