/* SPDX-License-Identifier: MIT */
/* statename - what a name in a state directory stands for (protocol.md section 4); pure */
#ifndef DAEMON_STATE_STATENAME_H
#define DAEMON_STATE_STATENAME_H

#include <stdbool.h>

#define STATENAME_IFACE_SIZE 16 /* IFNAMSIZ */

enum state_kind {
	STATE_UNKNOWN,	 /* none of ours */
	STATE_KEY,	 /* wg0.json */
	STATE_PEERS,	 /* wg0-peers.json */
	STATE_NODES,	 /* wg0-0123456789abcdef-dht.nodes, wg0-dht.nodes */
	STATE_RELOAD,	 /* wg0.reload */
	STATE_SERVICE,	 /* mesh-state.json, account.json, services.json, referral.json */
	STATE_SNAPSHOTS, /* .snapshots */
	STATE_OWN,	 /* .wgmesh.lock and the like */
	STATE_TEMPORARY, /* .wg0.json.new: what a write goes through */
};

/**
 * statename_kind() - Tell what a name stands for
 * @ifname:	Receives the interface that a file belongs to, empty for none; may be NULL
 * @name:	File name
 * @own:	Our interface, whose key file goes before every other reading of a name; may be NULL
 */
enum state_kind statename_kind(char *ifname, const char *name, const char *own);

/**
 * statename_text() - The word for a kind in tables and JSON
 */
const char *statename_text(enum state_kind kind);

/**
 * statename_moves() - Does a file of this kind go with the node to another host?
 */
static inline bool statename_moves(enum state_kind kind)
{
	return kind >= STATE_KEY && kind <= STATE_SERVICE;
}

#endif /* DAEMON_STATE_STATENAME_H */
