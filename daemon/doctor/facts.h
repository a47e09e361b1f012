/* SPDX-License-Identifier: MIT */
/*
 * facts - what the probers of `wgmesh doctor` found; plain values, so that a child can hand them over
 *
 * Each prober fills in one of these structs in a process of its own (inchild.h) and is the only one
 * to do so; the judges (judge.h) turn them into lines. Every struct begins with @probe: 0 when the
 * prober came to its end, -ETIMEDOUT when it was stopped, another negative errno value when it
 * could not be run. Nothing else in the struct means anything then.
 */
#ifndef DAEMON_DOCTOR_FACTS_H
#define DAEMON_DOCTOR_FACTS_H

#include "common/holder.h"
#include "common/settings.h"
#include "daemon/discovery/peertest.h"
#include "daemon/http/address.h"
#include "daemon/net/addr.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/derive.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FACTS_PEERS_MAX	  16
#define FACTS_ALARMS_MAX  8
#define FACTS_PORTS_MAX	  12
#define FACTS_OLD_MAX	  8
#define FACTS_OVERLAP_MAX 4
#define FACTS_PATHS_MAX	  4

/**
 * struct wanted - What `wgmesh join` would be told
 * @settings:	As they were given; borrowed
 * @state_dir:	State directory; "none" for none
 * @ifname:	Interface
 * @backend:	Back end
 * @wireguard_go: Userspace implementation
 * @listen_port: UDP port of WireGuard
 * @mtu:	Bytes, 0 to derive it
 * @has_custom_subnet: @custom_subnet is set
 * @custom_subnet: --mesh-subnet
 * @advertises:	Networks are advertised
 * @forwards:	The node switches forwarding on by itself: --forward
 * @no_lan:	No LAN discovery
 * @socket_path: Control socket
 * @http:	Where HTTP is served
 * @has_peer:	@peer is set
 * @peer:	--peer
 * @timeout_ms:	How long to wait for @peer
 */
struct wanted {
	const struct settings *settings;
	const char *state_dir;
	const char *ifname;
	enum wg_backend backend;
	const char *wireguard_go;
	uint16_t listen_port;
	uint32_t mtu;
	bool has_custom_subnet;
	struct prefix custom_subnet;
	bool advertises;
	bool forwards;
	bool no_lan;
	const char *socket_path;
	struct http_addresses http;
	bool has_peer;
	struct endpoint peer;
	int64_t timeout_ms;
};

enum secret_place { SECRET_NOWHERE, SECRET_TEXT, SECRET_FILE, SECRET_CREDENTIAL };

/**
 * struct secret_facts - The mesh secret
 * @place:	Where it is
 * @origin:	How it was given: "WGMESH_SECRET_FILE"
 * @path:	File, where it is in one
 * @is_twice:	Text and file were given in the same way
 * @code:	Why it was refused: a negative errno value; 0 when it was not
 * @why:	The same as a sentence
 * @is_exposed:	Everybody may read the file, and no engine put it there
 * @mode:	Mode of the file
 * @is_generated: It has the form that `wgmesh init --secret` gives it
 * @bits:	Estimate of its strength (strength.h)
 * @has_quotes:	It begins and ends with the same quotation mark
 * @has_mark:	It begins with a byte order mark
 * @has_lines:	It has a line break inside
 * @secret:	The secret itself; to be wiped
 */
struct secret_facts {
	int probe;
	enum secret_place place;
	char origin[48];
	char path[256];
	bool is_twice;
	int code;
	char why[300];
	bool is_exposed;
	mode_t mode;
	bool is_generated;
	unsigned int bits;
	bool has_quotes;
	bool has_mark;
	bool has_lines;
	struct secret secret;
};

/**
 * struct peer_facts - A peer as a running node sees it
 * @name:	Host name, or the beginning of its key
 * @endpoint:	Where WireGuard sees or would see it; "none" where that is no literal
 * @path:	"direct", "relayed", "none"; empty from older releases
 * @why:	Why there is no path
 * @skew_s:	Its clock less ours
 */
struct peer_facts {
	char name[72];
	struct endpoint endpoint;
	char path[12];
	char why[160];
	int64_t skew_s;
};

struct alarm_facts {
	char name[24];
	char text[320];
};

/**
 * struct node_facts - What the node that runs here says of itself
 * @code:	0 when one answers, otherwise why not: a negative errno value
 * @has_peers:	@active and @total are known
 * @accepted:	Datagrams of members; valid with @has_counters
 * @not_ours:	Datagrams that could not be opened
 * @stale:	Datagrams with our secret and a time too far from ours
 * @alarms:	What it is alarmed about, and the checks of it that failed
 */
struct node_facts {
	int probe;
	int code;
	char version[32];
	char backend[16];
	char phase[12];
	char network_id[17];
	uint16_t listen_port;
	uint16_t gossip_port;
	bool has_peers;
	int64_t active;
	int64_t total;
	bool has_counters;
	int64_t accepted;
	int64_t not_ours;
	int64_t stale;
	size_t n_alarms;
	struct alarm_facts alarms[FACTS_ALARMS_MAX];
	size_t n_peers;
	struct peer_facts peers[FACTS_PEERS_MAX];
};

/**
 * struct supervisor_facts - What PID 1 of this container says
 * @code:	0 when it answers, otherwise why not: a negative errno value
 * @verdict:	Storage verdict, @volume in words
 * @storage:	"ok", or what is wrong with the storage right now, @storage_note in words
 * @last_exit:	Code that its daemon ended with last, -1 when it has not
 * @cause:	Why it did
 */
struct supervisor_facts {
	int probe;
	int code;
	char verdict[24];
	char volume[240];
	char storage[24];
	char storage_note[240];
	int last_exit;
	char cause[440];
};

/* How far a test write came. */
enum storage_step {
	STORAGE_OPEN,
	STORAGE_CREATE,
	STORAGE_WRITE,
	STORAGE_SYNC,
	STORAGE_DONE,
};

/**
 * struct storage_facts - The state directory and the key in it
 * @step:	What failed with @code; STORAGE_DONE when nothing did
 * @code:	Negative errno value
 * @parent:	Where the directory is missing: 0 when `wgmesh join` may make it, or why not
 * @uid:	Owner of the directory, @gid its group, @mode its mode
 * @tested_uid: As whom the test was made: the directory's owner where we may, or ourselves
 * @is_memory:	It lies in memory
 * @is_layer:	It lies on the same mount as an overlay that is the root: no volume is there
 * @free_kib:	Free space
 * @has_inodes:	@free_inodes is known
 * @free_inodes: Free inodes
 * @key_code:	Result of identity_load()
 * @key_exit:	Exit code that it asks for
 * @key_text:	What is wrong with the key
 * @key_mode:	Mode of the key file
 * @public_key:	Key
 * @mesh_ip:	Address beside it
 * @mesh_ip6:	Address beside it
 * @n_old:	Entries in @old6
 * @old6:	IPv6 mesh addresses that the same key had before, from snapshots
 * @is_held:	A daemon has the directory
 * @holder:	Which
 * @newest_s:	Newest of the times of the key file and the peer cache, 0 for none
 */
struct storage_facts {
	int probe;
	enum storage_step step;
	int code;
	int parent;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	uid_t tested_uid;
	bool is_memory;
	bool is_layer;
	uint64_t free_kib;
	bool has_inodes;
	uint64_t free_inodes;
	int key_code;
	int key_exit;
	char key_text[400];
	mode_t key_mode;
	struct wg_key public_key;
	struct ip mesh_ip;
	struct ip mesh_ip6;
	size_t n_old;
	struct ip old6[FACTS_OLD_MAX];
	bool is_held;
	char holder[HOLDER_TEXT_SIZE];
	int64_t newest_s;
};

/**
 * struct caps_facts - What decides about CAP_NET_ADMIN
 * @has:	It is in effect
 * @is_permitted: It is permitted
 * @is_bound:	It is in the bounding set
 * @is_foreign:	The network belongs to a user namespace outside ours
 * @no_new_privs: File capabilities are ineffective
 * @file_cap:	This program has it as a file capability
 * @euid:	Our user
 */
struct caps_facts {
	int probe;
	bool has;
	bool is_permitted;
	bool is_bound;
	bool is_foreign;
	bool no_new_privs;
	bool file_cap;
	uid_t euid;
};

/**
 * struct wireguard_facts - Implementations of WireGuard
 * @has_netns:	A network namespace could be made, to try it in
 * @link:	Result of making an interface there
 * @family:	Result of asking for the generic netlink family
 * @program:	Result of looking for the userspace implementation
 * @path:	Where it is
 * @socket_dir:	May it make its socket? 0 or why not
 */
struct wireguard_facts {
	int probe;
	bool has_netns;
	int link;
	int family;
	int program;
	char path[PATH_MAX];
	int socket_dir;
};

/**
 * struct tun_facts - /dev/net/tun
 * @stat:	Result of looking at it
 * @is_tun:	It is the character device 10:200
 * @open:	Result of opening it
 */
struct tun_facts {
	int probe;
	int stat;
	bool is_tun;
	int open;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/**
 * struct link_facts - The interface, and what stands in the mesh's way
 * @code:	Result of asking the kernel
 * @exists:	There is an interface of that name
 * @is_ours:	It has our tag
 * @is_up:	It is up, and has its port
 * @n_overlap:	Entries in @overlap
 * @overlap:	Addresses and routes of others inside the mesh's subnet: "route 10.0.0.0/8 of eth0"
 * @underlay:	Smallest MTU of the interfaces with a default route, 0 when not known
 * @mtu:	That of the interface, 0 when there is none
 * @n_paths:	Entries in @paths
 * @paths:	What the kernel knows of the way to peers
 */
struct link_facts {
	int probe;
	int code;
	bool exists;
	bool is_ours;
	bool is_up;
	char kind[16];
	size_t n_overlap;
	char overlap[FACTS_OVERLAP_MAX][112];
	uint32_t underlay;
	uint32_t mtu;
	size_t n_paths;
	struct path_facts {
		struct endpoint to;
		int code;
		int mtu;
	} paths[FACTS_PATHS_MAX];
};

/* What became of a datagram that was sent to ourselves. */
enum port_echo { ECHO_UNKNOWN, ECHO_CAME, ECHO_LOST, ECHO_REFUSED, ECHO_NOT_SENT };

/* What a port is for. */
enum port_use { PORT_WIREGUARD, PORT_GOSSIP, PORT_PROBE, PORT_HTTP };

/**
 * struct port_facts - A port that a node needs
 * @use:	What it is for
 * @is_udp:	UDP, otherwise TCP
 * @at:		Port, and address if it is needed on that only
 * @bind:	Result of binding it
 * @echo:	UDP: what became of a datagram to it
 * @is_mute:	UDP: sending from it is refused
 */
struct port_facts {
	enum port_use use;
	bool is_udp;
	struct endpoint at;
	int bind;
	enum port_echo echo;
	bool is_mute;
};

struct ports_facts {
	int probe;
	size_t n;
	struct port_facts p[FACTS_PORTS_MAX];
};

/**
 * struct multicast_facts - LAN discovery
 * @n_links:	Interfaces that carry it
 * @link:	Name of the one that was tried
 * @join:	Result of joining the group there
 * @send:	Result of sending to it
 * @came_back:	Our own datagram was heard
 */
struct multicast_facts {
	int probe;
	unsigned int n_links;
	char link[IFNAMSIZ];
	int join;
	int send;
	bool came_back;
};

/**
 * struct forward_facts - Forwarding, as the kernel's settings have it; -1 where they cannot be read
 */
struct forward_facts {
	int probe;
	int v4;
	int v6;
	int rp_filter;
};

/**
 * struct clock_facts - Time
 * @now_s:	Now, Unix time
 * @program_s:	When this program was put where it is
 * @is_known:	The kernel says whether its clock is synchronised
 * @is_synchronised: It is
 */
struct clock_facts {
	int probe;
	int64_t now_s;
	int64_t program_s;
	bool is_known;
	bool is_synchronised;
};

/**
 * struct asked_facts - The node that --peer names
 * @was_asked:	The rest is set
 * @code:	0 when it was asked, otherwise why it could not be: a negative errno value
 * @outcome:	What became of it
 * @error:	PEERTEST_UNREACHABLE: a negative errno value
 * @lan:	What it announced on the LAN meanwhile
 * @name:	PEERTEST_ANSWERED: its host name
 * @key:	Its public key
 * @rtt_us:	Round trip
 * @skew_s:	Its clock less ours
 */
struct asked_facts {
	int probe;
	bool was_asked;
	int code;
	enum peertest_outcome outcome;
	int error;
	enum peertest_lan lan;
	char name[72];
	char key[45];
	int64_t rtt_us;
	int64_t skew_s;
};

struct version_facts {
	char kernel[65];
	char machine[65];
};

/**
 * struct facts - All of them
 */
struct facts {
	struct wanted wanted;
	struct version_facts version;
	struct node_facts node;
	struct supervisor_facts supervisor;
	struct secret_facts secret;
	struct mesh_keys keys; /* derived from the secret; zero without one */
	struct storage_facts storage;
	struct caps_facts caps;
	struct wireguard_facts wireguard;
	struct tun_facts tun;
	struct link_facts links;
	struct ports_facts ports;
	struct multicast_facts multicast;
	struct forward_facts forward;
	struct clock_facts clock;
	struct asked_facts asked;
};

/**
 * facts_has_node() - Does a node run here, and answer?
 */
static inline bool facts_has_node(const struct facts *f)
{
	return f->node.probe == 0 && f->node.code == 0;
}

/**
 * facts_is_shut_out() - Does a node run here that answers only others?
 */
static inline bool facts_is_shut_out(const struct facts *f)
{
	int code = f->node.code;

	/* Its socket does not let us in, or it hangs up as soon as it sees who we are. */
	return f->node.probe == 0 && (code == -EACCES || code == -EPERM || code == -EPIPE ||
				      code == -ECONNRESET || code == -EPROTO);
}

/**
 * facts_is_hung() - Does a node run here that takes questions, and answers none?
 */
static inline bool facts_is_hung(const struct facts *f)
{
	return f->node.probe == -ETIMEDOUT;
}

/**
 * facts_is_running() - Does a node run here, whether it answers or not?
 */
static inline bool facts_is_running(const struct facts *f)
{
	return facts_has_node(f) || facts_is_shut_out(f) || facts_is_hung(f);
}

/**
 * facts_has_supervisor() - Is PID 1 of this container wgmesh-init, and does it answer?
 */
static inline bool facts_has_supervisor(const struct facts *f)
{
	return f->supervisor.probe == 0 && f->supervisor.code == 0;
}

/**
 * facts_has_secret() - Is there a secret that was accepted?
 */
static inline bool facts_has_secret(const struct facts *f)
{
	return f->secret.probe == 0 && f->secret.secret.len > 0;
}

#endif /* DAEMON_DOCTOR_FACTS_H */
