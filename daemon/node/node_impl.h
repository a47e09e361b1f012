/* SPDX-License-Identifier: MIT */
/* node_impl - the node's own state, shared by the node_*.c files and by nobody else */
#ifndef DAEMON_NODE_NODE_IMPL_H
#define DAEMON_NODE_NODE_IMPL_H

#include "daemon/admin/adminlink.h"
#include "daemon/config.h"
#include "daemon/confine/confine.h"
#include "daemon/dht/dht.h"
#include "daemon/discovery/discovery.h"
#include "daemon/discovery/exchange.h"
#include "daemon/discovery/lan.h"
#include "daemon/discovery/pong.h"
#include "daemon/discovery/prospects.h"
#include "daemon/http/server.h"
#include "daemon/nat/matchmaker.h"
#include "daemon/net/ifwatch.h"
#include "daemon/net/resolve.h"
#include "daemon/net/underlaywatch.h"
#include "daemon/node/clockback.h"
#include "daemon/node/clone.h"
#include "daemon/node/node_nat.h"
#include "daemon/node/notify.h"
#include "daemon/peers/collision.h"
#include "daemon/peers/peers.h"
#include "daemon/peers/reconcile.h"
#include "daemon/peers/refresh.h"
#include "daemon/peers/routes.h"
#include "daemon/rpc/rpc_server.h"
#include "daemon/view/gather.h"
#include "daemon/view/judge.h"
#include "daemon/view/ownaddr.h"
#include "daemon/view/supervisor.h"
#include "daemon/view/view.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#define NODE_ROUTE_CHANGES 64
#define NODE_KNOWN_MAX	   8 /* known peers offered to one announcement; what fits is sent */

#define NODE_MISSING_MAX 128

/**
 * struct node_missing - Routes that the kernel did not take
 * @pause_s:	Before the next try
 * @n:		Entries in @net
 * @net:	Networks; those that do not fit are not tried again
 */
struct node_missing {
	int pause_s;
	size_t n;
	struct prefix net[NODE_MISSING_MAX];
};

enum node_phase {
	NODE_STARTING, /* netadmin sets up */
	NODE_RUNNING,
	NODE_STOPPING, /* the interface is being deleted */
};

#define NODE_PUNCHES_MAX 32 /* introductions followed at one time */

/**
 * struct node_punch - An introduction that is being followed
 * @node:	Back reference for the timer; NULL for a free entry
 * @slot:	Whom we are brought together with
 * @timer:	Its next step; kept for the next introduction
 * @n_steps:	Steps taken
 * @began_s:	Unix time of the first step: a handshake since then is its success
 * @start:	What the introducer said
 */
struct node_punch {
	struct node *node;
	uint16_t slot;
	struct event *timer;
	unsigned int n_steps;
	int64_t began_s;
	struct start start;
};

/**
 * struct node_peer - What the node itself keeps for a row of the peer table
 * @node:	Back reference for the timer
 * @timer:	When something is due for this peer; NULL until first used
 * @refresh:	When its next HELLO is due
 * @is_linked:	When WireGuard was asked last, its tunnel had lived a moment ago
 * @seen_dump:	Number of the last dump that had it
 * @written_dump: Number of the dump that was last asked for when it was last written
 * @trail:	Which runs of it were heard
 * @clone_ms:	When it was last said that there are two of it, 0 for never
 * @read_ms:	When the bytes were read that its rates count from, 0 for never
 * @read_rx:	Received until then
 * @read_tx:	Sent until then
 * @mtu_to:	Address to which @mtu_outside was looked up
 * @mtu_outside: What the way there carries in bytes, 0 when not known
 * @refused_until_ms: Its last change failed: none is tried before
 * @n_refused:	How often in a row
 * @ear:	What its bytes tell
 * @is_mute:	It sends nothing although it is spoken to
 * @offer_ms:	When we may ask for an introduction to it again, 0 for never tried
 * @n_offers:	In vain, in a row
 * @asked_ms:	When it was last asked to introduce us to somebody
 * @started_ms:	When an introduction to it was last followed
 * @start_at_ms: What that said of when to begin: the same again is a repetition
 * @warm_ms:	When it was last greeted through a relay
 * @sight_ms:	WireGuard was asked whether its tunnel lives: no HELLO before; 0 for not asked
 */
struct node_peer {
	struct node *node;
	struct event *timer;
	struct refresh refresh;
	bool is_linked;
	uint32_t seen_dump;
	uint32_t written_dump;
	struct clone_trail trail;
	int64_t clone_ms;
	int64_t read_ms;
	uint64_t read_rx;
	uint64_t read_tx;
	struct ip mtu_to;
	uint32_t mtu_outside;
	struct relay_ear ear;
	bool is_mute;
	int64_t offer_ms;
	unsigned int n_offers;
	int64_t asked_ms;
	int64_t started_ms;
	int64_t start_at_ms;
	int64_t warm_ms;
	int64_t sight_ms;
	int64_t refused_until_ms;
	unsigned int n_refused;
};

/* A route that has to come or go. */
struct node_route_change {
	struct prefix net;
	bool add;
};

/**
 * struct node_dht - What the node keeps for the DHT
 * @dht:	The layer; NULL while it is off
 * @save_timer:	Saves its nodes now and then
 * @seeds:	Nodes of the last run, until the layer opens
 * @n_seeds:	Entries in @seeds
 * @saved_hash:	Of what was saved last
 * @save_failed: netadmin could not write it
 * @status:	For the view
 * @why_off:	Why the layer did not open
 */
struct node_dht {
	struct dht *dht;
	struct event *save_timer;
	struct krpc_node *seeds;
	size_t n_seeds;
	uint8_t saved_hash[CRYPTO_SHA256_LEN];
	bool save_failed;
	struct dhtcore_status status;
	char why_off[120];
};

/**
 * struct node - Everything of one running node
 */
struct node {
	const struct config *cfg;
	enum node_phase phase;
	int exit_code;
	bool is_over; /* the exit code stands */
	struct event_base *base;
	struct event *on_term;
	struct event *on_int;
	struct event *on_quit;
	struct event *on_hup;
	struct event *safety_timer; /* reads WireGuard's state now and then */
	struct event *cache_timer;  /* saves the peer cache a little after a change */
	struct event *stop_timer;   /* ends a stop that netadmin does not finish */
	struct event *beat_timer;   /* asks netadmin for an echo, which becomes a heartbeat */
	struct event *flush_event;  /* writes what differs, at the end of the loop's turn */
	struct event *status_timer; /* sends a changed status text when its second is over */
	struct notify *notify;
	struct confinement confinement;
	struct clockback clockback;
	int clock_fd; /* a timer on the wall clock, -1 for none */
	struct event *clock_event;
	bool echo_owed;
	char status[NOTIFY_STATUS_SIZE]; /* last sent to the supervisor */
	int64_t status_ms;
	struct event *gossip_timer;
	struct ways *ways;	   /* names of --peer-dns; NULL for none */
	struct resolver *resolver; /* NULL when it could not be opened */
	struct node_dht dht;
	struct adminlink *admin;
	struct netadmin_batch changes; /* of peers, not sent yet; empty between passes */
	size_t n_route_changes;
	struct node_route_change route_changes[NODE_ROUTE_CHANGES]; /* likewise */
	struct netadmin_ready ready;
	struct reconcile_self self;
	int64_t start_unix_s;
	struct now began;
	struct routelist advertised;   /* networks behind this node; a reload changes them */
	struct hostports static_peers; /* as --peer; a reload changes them */
	struct hostports dns_peers;    /* as --peer-dns; a reload changes them */
	struct view_source source;
	struct gather gather;
	struct view_counters counters;
	struct discovery_handler handler;
	struct exchange *exchange;
	struct lan *lan;
	struct pong *pong[2];
	int control_fd; /* the listening control socket until it is served, -1 for none */
	struct rpc_server *rpc;
	struct http *http;
	struct peers *peers;
	struct node_peer rows[PEERS_MAX];
	struct routes routes;
	bool routes_moved;	/* a network was given up: who else announces it may have it now */
	bool has_to_look_again; /* while peers were written, others were marked */
	bool routes_swept;	/* routes of an earlier run that nobody announces are gone */
	struct node_missing missing;
	struct event *route_timer; /* tries them again */
	struct underlaywatch *underlay;
	struct event *mtu_timer;       /* NULL where the MTU is given */
	struct forward_found forwards; /* as netadmin told last */
	bool forward_known;	       /* it has */
	struct collision collision;
	char contested[320]; /* the sentence of its alarm */
	struct known_peer known[NODE_KNOWN_MAX];
	uint16_t addressee; /* slot of the peer that is being written to, if it has that address */
	struct prospects *prospects;
	struct event *prospect_timer; /* hands out turns while somebody waits */
	int64_t last_turn_ms;
	bool is_turn_soon;
	uint32_t dump_number; /* of the last dump asked for */
	bool dump_pending;
	struct netadmin_log admin_log; /* as the last dump told */
	int64_t owed_since_ms;	       /* netadmin owes an answer since then; 0 when it owes none */
	bool reload_pending;
	bool was_heard;					  /* somebody else was, in this run */
	char reload_note[sizeof(((struct err *)0)->msg)]; /* why the last reload changed nothing */
	struct err save_error; /* of the last write of the peer cache; code 0 for success */
	bool was_saved;	       /* there was such a write */
	struct judge_stale stale;
	struct judge_memory alarms;
	struct ownaddr ownaddr;
	struct node_nat nat;
	struct supervisor pid1;
	struct ifwatch *ifwatch;
	struct histogram reconcile_s;
	struct histogram rtt_s;
	bool is_settled;      /* the first dump has come: what WireGuard has is known */
	bool sweep_strangers; /* the grace for unknown peers of an adopted interface is over */
	int64_t cache_saved_ms;
	int64_t cache_due_ms; /* when a change is saved at the latest; 0 when there was none */
	char instance[CLONE_INSTANCE_SIZE];
	struct event *relay_timer; /* looks again which way to each peer is best */
	size_t n_relayed;
	struct event *offer_timer; /* asks for the next introduction */
	int64_t lull_since_ms;	   /* nobody can introduce us since then; 0 when somebody can */
	struct node_punch punches[NODE_PUNCHES_MAX];
	struct matchmaker matches; /* introductions that we make */
	struct clone_alarm clone;
	bool clone_told; /* the supervisor knows of it */
	char clone_place[ANNOUNCE_HOSTNAME_MAX + ENDPOINT_TEXT_SIZE +
			 8]; /* whom the alarm is about */
};

/* node.c: begin and end */

/*
 * Starts netadmin, makes the event loop and what answers on this machine; the rest follows from
 * events. @n is zeroed; what was made is given back by node_close(), also after a failure.
 */
int node_open(struct node *n, const struct config *cfg, struct notify *notify, struct err *e);
void node_close(struct node *n);
/* Everything is set up: opens the layers. @cache_fd is the peer cache, -1 for none; borrowed. */
void node_ready(struct node *n, const struct netadmin_ready *ready, int cache_fd);
/* Leaves the loop; the first exit code counts. */
void node_end(struct node *n, int exit_code);
/* Ends with a sentence to the log and to the supervisor; the exit code is the error's, if it has one. */
void node_fail(struct node *n, const struct err *e);
/* The same where no system call has failed. */
void node_give_up(struct node *n, const char *sentence);

/* node_layers.c: what talks to the network */
int node_layers_open(struct node *n, struct err *e);
void node_layers_close(struct node *n);
/* Our IPv4 mesh address is another one: what listens there follows. */
void node_layers_moved(struct node *n);
/* Says nothing of this node any more, and hears of nobody: what is left to say is a goodbye. */
void node_layers_hush(struct node *n);

/* node_admin.c: netadmin */
int node_admin_start(const struct node *n, struct netadmin *out, struct err *e);
int node_admin_open(struct node *n, const struct netadmin *admin, struct err *e);
/* Asks what WireGuard has, unless that is under way. */
void node_request_dump(struct node *n);
/*
 * When the look may be that somebody wants at @at_ms: each lists all peers, and when a thousand have
 * their time within a second, a few looks serve them all.
 */
int64_t node_look_ms(const struct node *n, int64_t at_ms);
/* Has @timer, made when there is none yet, ask WireGuard then: who waits goes on in node_peers_dumped(). */
void node_look_at(struct node *n, struct event **timer, int64_t at_ms);
/* It owes an answer from now on, if it did not before. */
void node_admin_owes(struct node *n);
/* Adds a change of a peer to those that leave next. */
void node_admin_change(struct node *n, const struct wg_peer_config *change);
/* The same for a peer that has to go. */
void node_admin_remove(struct node *n, const struct wg_key *key);
/* The same for a route: a network is given to its peer before packets are routed there. */
void node_admin_route(struct node *n, const struct prefix *net, bool add);
/* Sends them. */
void node_admin_flush(struct node *n);

/* node_reload.c: INTERFACE.reload */

/* Begins; a fresh view waits for the end. */
int node_reload_begin(struct node *n, struct err *e);
/* Takes what netadmin has read; @fd is -1 without a file. */
void node_reload_take(struct node *n, const struct err *e, int fd);
/* Changes what both processes log. */
int node_log_levels(struct node *n, const char *levels, struct err *e);

/* node_peers.c: from sightings to WireGuard */

/* Takes an announcement that came from the network. */
void node_peers_announced(struct node *n, const struct announcement *a,
			  const struct discovery_origin *o);
/*
 * Takes a sighting of any method into the table and does what follows: greets a new face, writes
 * what changed. @knows_us: the peer has answered us, so it has our key.
 */
void node_peers_sight(struct node *n, const struct sighting *s, bool knows_us);
/* The endpoint a text stands for, when it is a literal outside the mesh; otherwise "none". */
struct endpoint node_peers_literal(const struct node *n, const char *text);
/* Writes out what differs for every peer that is marked. */
void node_peers_flush(struct node *n);
/* The same once all that has come in this turn of the loop has been taken. */
void node_peers_flush_soon(struct node *n);
/* WireGuard did not take the last change of a peer: it is tried again, after growing pauses. */
void node_peers_refused(struct node *n, const struct wg_key *key);
/* Says HELLO to a peer, if it can and should be greeted. */
void node_peers_hello(struct node *n, struct peer *p, struct now now);
void node_peers_free(struct node *n);

/* node_goodbye.c */

void node_peers_goodbye(struct node *n, const struct wg_key *key, int64_t timestamp,
			const struct endpoint *from);
void node_peers_say_goodbye(struct node *n);

/* node_routes.c: networks behind peers */

/* Before the layers: it has to know this machine's networks when the first peer comes. */
void node_routes_open(struct node *n);
void node_routes_close(struct node *n);
/* Finds out which of a peer's networks may be routed to it. */
void node_routes_judge(struct node *n, struct peer *p, struct now now);
/* Brings the kernel's routes to what has been found. */
void node_routes_set(struct node *n, const struct peer *p, bool is_present);
/* netadmin has added a route, or could not. */
void node_routes_added(struct node *n, const struct prefix *net, const struct err *e);
/* Tries those again that the kernel did not take. */
void node_routes_retry(struct node *n);
/* The interface was down: the kernel has lost the routes to what is behind peers. */
void node_routes_restore(struct node *n);
/* Removes what an earlier run has left and nobody announces. */
void node_routes_sweep(struct node *n);

/* node_mtu.c: as large as the ways to peers allow */
void node_mtu_open(struct node *n);
void node_mtu_close(struct node *n);
/* Peers have changed: looks at the MTU in a moment. */
void node_mtu_soon(struct node *n);
/* The networks of this machine have changed: looks at every way again. */
void node_mtu_anew(struct node *n);

/* node_forward.c: what the kernel passes on */

/* Asks netadmin to forward what the operator wants; again when networks change. */
void node_forward_ask(struct node *n);
void node_forward_found(struct node *n, const struct forward_found *found);
/* Does this node pass packets on between peers, as others may believe? */
bool node_forward_introduces(const struct node *n);

/* node_collision.c: somebody else has our mesh address */

/* Takes an announcement that came from the peer itself. */
void node_collision_heard(struct node *n, const struct announcement *a);
/* netadmin has changed our address, or could not. */
void node_collision_moved(struct node *n, const struct ip *mesh_ip, const struct err *e);
/* Has WireGuard begin anew with a peer, in silence until the peer's turn comes. */
void node_peers_restart(struct node *n, struct peer *p);

/* node_relay.c: which way packets take */

/* Is its direct tunnel up, and somebody at the other end? */
bool node_relay_is_direct(const struct node *n, const struct peer *p, struct now now);
/* Decides for all peers, and moves addresses; what WireGuard says was just read. */
void node_relay_look(struct node *n);
/* A peer that may need a relay has come: looks in a moment. */
void node_relay_soon(struct node *n);
/* Takes the relay in use into account: @want is what there were without. */
void node_relay_adjust(const struct node *n, const struct peer *p, struct reconcile_want *want);
/* The list of a relay was replaced: adds what is behind the peers that it relays. */
void node_relay_append(struct node *n, const struct peer *p);
/* An adopted interface: whose addresses are behind this peer is relayed by it. */
void node_relay_adopt(struct node *n, const struct peer *p, const struct wg_peer_state *state);
/* The row is given up. */
void node_relay_forget(struct node *n, struct peer *p);
/* Where a peer's exchange is inside the mesh; "none" when no way leads there. */
struct endpoint node_relay_inside(const struct node *n, const struct peer *p, struct now now);
void node_relay_free(struct node *n);

/* node_rendezvous.c: being introduced */

/* Asks for the introductions that are due; what WireGuard says was just read. */
void node_rendezvous_look(struct node *n);
/* Takes an OFFER or a START. */
void node_rendezvous_heard(struct node *n, const struct envelope *env, const struct endpoint *from);
void node_rendezvous_free(struct node *n);

/* node_introducer.c: introducing others */
void node_introducer_offered(struct node *n, const struct offer *offer,
			     const struct endpoint *from);
/* Sends the STARTs that waited for WireGuard's word on where the two are. */
void node_introducer_look(struct node *n);

/* node_observe.c: what WireGuard says of them */

/* Takes what it says of one peer. */
void node_peers_observed(struct node *n, const struct wg_peer_state *state);
/* A dump is complete: finds what is missing in WireGuard, or has outlived its tunnel. */
void node_peers_dumped(struct node *n);

/* node_cache.c: peers that outlive a restart */

/* Takes the peer cache of the last run; @fd is read to its end. */
void node_cache_load(struct node *n, int fd);
void node_cache_save(struct node *n);
/* A peer is new, or has changed: the cache is saved a little later. */
void node_cache_changed(struct node *n, bool is_new);
/* netadmin has written the cache, or could not. */
void node_cache_saved(struct node *n, const struct err *e);

/* node_clone.c: one key in two places */

/* The run begins: draws what tells it from all others. */
void node_clone_init(struct node *n);
/* Takes any announcement; true for one of our own key, an echo or a clone's, which is no peer's. */
bool node_clone_heard(struct node *n, const struct announcement *a, const struct endpoint *from);
/* Ends the alarm when the other one has been silent long enough. */
void node_clone_settle(struct node *n);
/* Takes an announcement of a peer in the table. */
void node_clone_follow(struct node *n, const struct peer *p, const struct announcement *a,
		       const struct endpoint *from);

/* node_clock.c: a clock that ran backwards */

/* Looks at the clock, also whenever somebody sets it; the peer cache has been read. */
void node_clock_open(struct node *n);
void node_clock_close(struct node *n);

/* node_self.c: what we say of ourselves */
/* To whoever is at @to, NULL for the LAN. */
void node_self_describe(struct node *n, struct announcement *out, bool with_known,
			const struct endpoint *to);

/* node_greet.c */
/* Says HELLO to all who are there, a few at a time: what we say of ourselves has changed. */
void node_peers_greet(struct node *n);

/* node_nat.c: where this node is, and where its peers are reached */
int node_nat_open(struct node *n, struct err *e);
void node_nat_stop(struct node *n);
/* Addresses of this machine may have changed, or with @is_route its default route. */
void node_nat_moved(struct node *n, bool is_route);
/* A peer has told where it sees us. */
void node_nat_observed(struct node *n);
/* Fills in what is said of our endpoints to whoever is at @to, NULL for the LAN; may withhold it. */
void node_nat_tell(struct node *n, struct announcement *out, const struct endpoint *to);
/* Where an announcement says that its sender is beside wg_endpoint, as far as that is of use here. */
size_t node_nat_candidates(const struct node *n, const struct announcement *a,
			   const struct ip *from,
			   struct endpoint out[static ANNOUNCE_ENDPOINTS_MAX]);
/* Chooses which of a peer's addresses WireGuard is given, and when to look again. */
void node_nat_choose(struct node *n, struct peer *p, struct reconcile_want *want, struct now now);
/* WireGuard's state was asked for; it has arrived. */
void node_nat_dump_asked(struct node *n);
void node_nat_dumped(struct node *n);
/* The layer's line; endpoints and NAT. */
void node_nat_describe(const struct node *n, struct view *out);
void node_nat_fill(const struct node *n, struct view *out);

/* node_prospects.c: addresses where members may be */

void node_prospects_open(struct node *n);
void node_prospects_close(struct node *n);
/* Says HELLO there in its turn, unless somebody we know is there, or it was tried a while ago. */
void node_prospect(struct node *n, const struct endpoint *at, enum peer_method via);
/* The same for what the peer in slot @teller says: whose key begins with @prefix is there. */
void node_prospect_told(struct node *n, const struct endpoint *at, uint32_t prefix,
			uint16_t teller);
/* A REPLY came from there. */
void node_prospects_answered(struct node *n, const struct endpoint *at);
/* What came from there was our own: no peer is there. */
void node_prospects_own(struct node *n, const struct endpoint *at);
/* The peer that was there is gone. */
void node_prospects_lost(struct node *n, const struct endpoint *at);
/* This machine has other addresses than before: what failed may work now. */
void node_prospects_wake(struct node *n);

/* node_pex.c: what nodes tell each other of others */

/* Fills in known peers and compact records for whoever is at @to. */
void node_pex_describe(struct node *n, struct announcement *out, const struct endpoint *to);
/* Takes what a member tells of others. */
void node_pex_take(struct node *n, const struct announcement *a, const struct discovery_origin *o);

/* node_gossip.c: peers that are told of inside the tunnels */

/* Begins, when it is asked for. */
void node_gossip_start(struct node *n);
void node_gossip_stop(struct node *n);
void node_gossip_describe(const struct node *n, struct view *out);

/* node_dht.c: the mainline DHT */

/* Takes the nodes of the last run; @fd is -1 without any; borrowed. */
void node_dht_take_nodes(struct node *n, int fd);
/* The layers open; without it the others go on. */
void node_dht_open(struct node *n);
/* Saves the nodes and is silent. */
void node_dht_stop(struct node *n);
void node_dht_close(struct node *n);
/* netadmin has written the nodes, or could not. */
void node_dht_saved(struct node *n, const struct err *e);
void node_dht_describe(struct node *n, struct view *out);

/* node_ways.c: addresses that a person gave, and names that a DNS server knows */

/* The layers are open: begins to try the addresses and to look up the names. */
void node_ways_start(struct node *n);
/* @static_peers and @dns_peers have changed. */
void node_ways_reload(struct node *n);
void node_ways_stop(struct node *n);
/* This machine has other addresses than before. */
void node_ways_moved(struct node *n);
/* One line for every way to find peers: what it has found, or why it cannot. */
void node_ways_describe(const struct node *n, struct view *out);

/* node_view.c: what we answer to those who ask on this machine */
int node_view_init(struct node *n);
void node_view_close(struct node *n);
/* Looks whether an alarm has come or gone, and logs that. */
void node_view_judge(struct node *n);

/* node_notify.c: what the supervisor is told; nothing, where there is none */
int node_notify_init(struct node *n);
void node_notify_starting(struct node *n);
/* The interface is up and the layers are open; heartbeats begin. */
void node_notify_ready(struct node *n);
/* The peer table may have changed: the status text follows, at most once a second. */
void node_notify_changed(struct node *n);
/* netadmin has answered the echo request. */
void node_notify_echoed(struct node *n);
void node_notify_reload_begins(struct node *n);
void node_notify_reload_ends(struct node *n);
void node_notify_stopping(struct node *n);
/* The node ends; @error_number is 0 when no system call tells why. */
void node_notify_failed(struct node *n, int error_number, const char *sentence);
/* The status text of a running node. */
void node_notify_format(char out[static NOTIFY_STATUS_SIZE], const struct node *n);

#endif /* DAEMON_NODE_NODE_IMPL_H */
