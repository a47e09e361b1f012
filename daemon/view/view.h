/* SPDX-License-Identifier: MIT */
/*
 * view - what a node tells of itself; every answer, by socket, HTTP or metric, is made from it
 *
 * The node fills it in, the renderers (rpc.h, http/) are pure functions over it. It holds no secret
 * and no private key. Texts are borrowed and live as long as the call that hands the view over.
 */
#ifndef DAEMON_VIEW_VIEW_H
#define DAEMON_VIEW_VIEW_H

#include "common/err.h"
#include "daemon/clock.h"
#include "daemon/net/nlcount.h"
#include "daemon/peers/peers.h"
#include "daemon/view/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIEW_CHECKS_MAX	   12
#define VIEW_ALARMS_MAX	   12
#define VIEW_ENDPOINTS_MAX 8
#define VIEW_LAYERS_MAX	   8
#define VIEW_PATIENCE_MS   750 /* for netadmin and PID 1: a kubelet gives a probe one second */

struct dhtcore_status;

enum view_phase {
	VIEW_STARTING, /* netadmin sets up; there are no addresses yet */
	VIEW_RUNNING,
	VIEW_STOPPING,
};

/* What became of a datagram on the gossip port or of a multicast one. */
enum view_fate {
	FATE_ACCEPTED,
	FATE_RATE_LIMITED,
	FATE_NOT_OURS, /* wrong secret, DHT traffic, noise */
	FATE_STALE,    /* sealed with our secret, at a time too far from ours */
	FATE_INVALID,  /* from a member, but malformed, or a reply that nobody asked for */
	FATE_COUNT,
};

/* "accepted", "rate_limited", "not_ours", "stale", "invalid" */
const char *view_fate_name(enum view_fate fate);

/* What became of a question to a STUN server. */
enum view_stun {
	VIEW_STUN_ANSWERED,
	VIEW_STUN_REFUSED, /* by an error, or an answer without an address */
	VIEW_STUN_SILENT,
	VIEW_STUN_UNSENT, /* there is no way to it */
	VIEW_STUN_COUNT,
};

/* "answered", "refused", "silent", "unsent" */
const char *view_stun_name(enum view_stun result);

/**
 * struct view_counters - Counted since the start of this run
 * @datagrams:	 Received, by fate
 * @hellos_sent: HELLO datagrams, repeats included
 * @replies_sent: REPLY datagrams
 * @sightings:	 By method: index is the bit's number in enum peer_method
 * @prospects_tried: Addresses tried where a member might be, by how they were found
 * @peer_writes: Changes of peers written to WireGuard
 * @route_writes: Routes added or deleted
 * @write_errors: Requests that netadmin could not do
 * @messages:	Sent by netadmin, as its last answer told
 * @passes_changed: Reconcile passes that wrote something
 * @passes_noop: Reconcile passes that found nothing to write
 * @punches:	Introductions that were followed
 * @punches_done: Those after which a direct tunnel stood
 * @path_changes: Peers that changed between the direct way and a relay, or between two relays
 * @log_dropped: Log lines of both processes that standard error had no room for
 * @log_suppressed: Log lines of both held back by rate limits
 * @stun:	Questions to STUN servers, repeats not counted, by what became of them
 * @clients_evicted: HTTP and RPC connections closed to make room, or for slowness
 */
struct view_counters {
	uint64_t datagrams[FATE_COUNT];
	uint64_t hellos_sent;
	uint64_t replies_sent;
	uint64_t sightings[METHOD_COUNT];
	uint64_t prospects_tried[METHOD_COUNT];
	uint64_t peer_writes;
	uint64_t route_writes;
	uint64_t write_errors;
	struct nlcount messages;
	uint64_t passes_changed;
	uint64_t passes_noop;
	uint64_t punches;
	uint64_t punches_done;
	uint64_t path_changes;
	uint64_t log_dropped;
	uint64_t log_suppressed;
	uint64_t stun[VIEW_STUN_COUNT];
	uint64_t clients_evicted;
};

enum view_mark { VIEW_PASS, VIEW_WARN, VIEW_FAIL };

/* "pass", "warn", "fail" */
const char *view_mark_name(enum view_mark mark);

/**
 * struct view_check - One thing that readiness depends on
 * @name:	One word with underscores: "netadmin", "interface", "address", "state", "supervisor",
 *		"http"
 * @mark:	VIEW_FAIL makes the node not ready
 * @text:	What was found, and for a failure what to do
 */
struct view_check {
	const char *name;
	enum view_mark mark;
	char text[240];
};

/**
 * struct view_alarm - Something a person has to look at while the node goes on
 * @name:	"clone", "clock", "storage", "ephemeral" (it will not last), "alone" (nobody was ever
 *		heard), "supervisor", "address" (somebody claims our mesh address)
 * @since_unix_s: Since when
 * @text:	One sentence: what, and what to do
 */
struct view_alarm {
	const char *name;
	int64_t since_unix_s;
	char text[320];
};

/**
 * struct view_layer - One way in which nodes find each other
 * @name:	"lan", "static", "dns", "dht", "gossip", "stun"
 * @is_on:	It works, or tries to
 * @text:	What it has found or does; why it is off
 */
struct view_layer {
	const char *name;
	bool is_on;
	char text[160];
};

/* Whether others reach us at the address we send from, as far as their replies tell. */
enum view_nat { NAT_UNKNOWN, NAT_NONE, NAT_CONE, NAT_SYMMETRIC };

/* "unknown", "none", "cone", "symmetric" */
const char *view_nat_name(enum view_nat nat);

/**
 * struct view - This node, now
 * @phase:	How far it is
 * @now:	When this was taken
 * @started_unix_s: Start of this run
 * @uptime_ms:	Since then
 * @hostname:	As announced
 * @ifname:	Interface
 * @pubkey:	Public key, base64; empty while starting
 * @mesh_ip:	IPv4 mesh address; "none" while starting
 * @mesh_ip6:	IPv6 mesh address, "none" without IPv6
 * @mesh_subnet: IPv4 subnet of the mesh
 * @network_id:	First 8 bytes of the network id as hex: equal on all nodes of one secret
 * @gossip_port: UDP port of the exchange
 * @listen_port: UDP port of WireGuard
 * @backend:	"kernel" or "userspace"; empty while starting
 * @was_adopted: The interface was left by an earlier run
 * @identity:	"created", "loaded", "restored"; empty while starting
 * @identity_since_s: When the key file was written; 0 when not known
 * @nat:	NAT type
 * @endpoints:	Where others reach our WireGuard, as far as that is known for sure; otherwise where
 *		they see our exchange, newest first
 * @n_endpoints: Entries in @endpoints
 * @peers:	Peer table; NULL while starting
 * @is_fresh:	Handshakes and bytes of @peers are of this moment
 * @checks:	Readiness
 * @n_checks:	Entries in @checks
 * @alarms:	What a person has to look at
 * @n_alarms:	Entries in @alarms
 * @dht:	The DHT: nodes and messages; NULL when it is off
 * @layers:	Ways in which peers are found, those that are off included
 * @n_layers:	Entries in @layers
 * @supervisor:	key=value lines of PID 1 (init/status.h); NULL when there is none or it did not answer
 * @clock_behind_s: How far our clock is behind what it has shown before, 0 when it is not
 * @reload_note: Why the last reload changed nothing; NULL when it did, or there was none
 * @counters:	Counted since the start
 * @reconcile_s: Duration of reconcile passes
 * @rtt_s:	Round trips of HELLO and REPLY
 */
struct view {
	enum view_phase phase;
	struct now now;
	int64_t started_unix_s;
	int64_t uptime_ms;
	const char *hostname;
	const char *ifname;
	char pubkey[PEER_TEXT_SIZE];
	struct ip mesh_ip;
	struct ip mesh_ip6;
	struct prefix mesh_subnet;
	char network_id[17];
	uint16_t gossip_port;
	uint16_t listen_port;
	const char *backend;
	bool was_adopted;
	const char *identity;
	int64_t identity_since_s;
	enum view_nat nat;
	struct endpoint endpoints[VIEW_ENDPOINTS_MAX];
	size_t n_endpoints;
	struct peers *peers;
	bool is_fresh;
	struct view_check checks[VIEW_CHECKS_MAX];
	size_t n_checks;
	struct view_alarm alarms[VIEW_ALARMS_MAX];
	size_t n_alarms;
	const struct dhtcore_status *dht;
	struct view_layer layers[VIEW_LAYERS_MAX];
	size_t n_layers;
	const char *supervisor;
	int64_t clock_behind_s;
	const char *reload_note;
	const struct view_counters *counters;
	const struct histogram *reconcile_s;
	const struct histogram *rtt_s;
};

/**
 * view_is_ready() - Running, and no check failed
 */
bool view_is_ready(const struct view *v);

/**
 * view_add_layer() - Say what a way of finding peers does
 * @v:		The node
 * @name:	Its word; a string constant
 * @is_on:	It works, or tries to
 * @fmt:	What it has found or does; why it is off
 */
void view_add_layer(struct view *v, const char *name, bool is_on, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Is called once, from the event loop; @v is borrowed for the call. */
typedef void view_fn(const struct view *v, void *arg);

/**
 * struct view_waiter - Somebody who waits for a fresh view; embedded in the caller's own struct
 * @done:	Called once, possibly before fresh() returns
 * @arg:	Passed to @done
 * @next:	The source's own
 */
struct view_waiter {
	view_fn *done;
	void *arg;
	struct view_waiter *next;
};

/**
 * struct view_source - The node, as those who answer questions see it
 * @arg:	Passed to each call
 * @now:	Fill in what is known without asking anybody: never waits; @supervisor and bytes are
 *		those of the last fresh view
 * @fresh:	Ask netadmin and PID 1 first; answers within VIEW_PATIENCE_MS, come what may
 * @cancel:	The waiter is gone: do not call it any more; harmless when it was called already
 * @set_log_levels: Change the levels of both processes, as --log-level
 * @reload:	What SIGHUP does
 */
struct view_source {
	void *arg;
	void (*now)(void *arg, struct view *out);
	void (*fresh)(void *arg, struct view_waiter *w);
	void (*cancel)(void *arg, struct view_waiter *w);
	int (*set_log_levels)(void *arg, const char *levels, struct err *e);
	int (*reload)(void *arg, struct err *e);
};

#endif /* DAEMON_VIEW_VIEW_H */
