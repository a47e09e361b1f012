/* SPDX-License-Identifier: MIT */
/*
 * netadmin - the process that holds the private key and CAP_NET_ADMIN
 *
 * The daemon is two processes. This one owns the state directory and the interface; it talks to
 * nobody but the mesh process, over a socketpair of validated messages, and does only what the closed
 * table of requests below says. Messages are of one size, but for those that list peers, which are
 * packed (netadmin_batch.h). The mesh process talks to the network and has neither the key nor a
 * capability.
 *
 * When the mesh process goes away without asking for NETADMIN_STOP, that was a crash: this process
 * ends too, even if it hangs, and leaves the interface alone, so that packets flow while the daemon
 * is restarted.
 */
#ifndef DAEMON_ADMIN_NETADMIN_H
#define DAEMON_ADMIN_NETADMIN_H

#include "common/err.h"
#include "common/log.h"
#include "daemon/admin/forward.h"
#include "daemon/admin/netadmin_batch.h"
#include "daemon/http/address.h"
#include "daemon/net/addr.h"
#include "daemon/net/nlcount.h"
#include "daemon/peers/collision.h"
#include "daemon/peers/routelist.h"
#include "daemon/state/identity.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/derive.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct netadmin_config - What netadmin is told once, before anything from the network is heard
 * @state_dir:	State directory
 * @ifname:	Interface
 * @wireguard_go: Userspace implementation to run
 * @backend:	Back end wanted
 * @listen_port: UDP port of WireGuard
 * @mtu:	Bytes, 0 to derive it from the underlay
 * @has_custom_subnet: @custom_subnet is set
 * @custom_subnet: --mesh-subnet
 * @no_ipv6:	No IPv6 mesh address
 * @new_identity: --new-identity
 * @introducer:	May be asked to forward between peers
 * @forward:	May be asked to forward between peers and networks
 * @own_dht:	The mesh process enters a DHT of its own, by --dht-bootstrap
 * @allow_routes: --allow-routes; borrowed
 * @secret:	Mesh secret; borrowed
 * @keys:	Derived from it; borrowed
 * @socket_path: Control socket, which it makes and removes
 * @http:	Where the mesh process serves HTTP: it removes Unix sockets among them; borrowed
 */
struct netadmin_config {
	const char *state_dir;
	const char *ifname;
	const char *wireguard_go;
	enum wg_backend backend;
	uint16_t listen_port;
	uint32_t mtu;
	bool has_custom_subnet;
	struct prefix custom_subnet;
	bool no_ipv6;
	bool new_identity;
	bool introducer;
	bool forward;
	bool own_dht;
	const struct routelist *allow_routes;
	const struct secret *secret;
	const struct mesh_keys *keys;
	const char *socket_path;
	const struct http_addresses *http;
};

enum netadmin_op {
	NETADMIN_PEERS = 1, /* a batch of changes; answered, where some fail, by NETADMIN_ERROR and
			       NETADMIN_PEERS_FAILED: the others are applied */
	NETADMIN_ROUTE_ADD, /* route a network through the interface; answered by NETADMIN_ROUTED */
	NETADMIN_ROUTE_DEL,
	NETADMIN_DUMP, /* answered by NETADMIN_PEER_STATES until all are told, then DUMP_DONE */
	NETADMIN_SAVE_CACHE, /* a file descriptor follows: write its contents as the peer cache;
				answered by NETADMIN_SAVED */
	NETADMIN_SAVE_NODES, /* the same for the DHT's nodes; answered by NETADMIN_NODES_SAVED */
	NETADMIN_STOP,	     /* delete the interface and the sockets' files, and end; answered by
				NETADMIN_STOPPING, then NETADMIN_STOPPED */
	NETADMIN_ECHO,	     /* answered by NETADMIN_ECHOED, once everything before it is done */
	NETADMIN_LOG,	     /* change what this process logs; answered only when it fails */
	NETADMIN_ADDRESSES,  /* give the interface those of its addresses that are missing; answered
				only on failure */
	NETADMIN_RELOAD,     /* read INTERFACE.reload; answered by NETADMIN_RELOADED */
	NETADMIN_FORWARD,    /* forward what is wanted, and nothing else because of us; answered by
				NETADMIN_FORWARDED */
	NETADMIN_MTU,	     /* give the interface another MTU; answered only when it fails */
	NETADMIN_ADDRESS, /* take the mesh address of another nonce, and keep it on disk; answered by
				NETADMIN_MOVED */
};

/**
 * struct netadmin_request - One message from the mesh process; NETADMIN_PEERS is a batch instead
 * @op:		enum netadmin_op
 * @route:	NETADMIN_ROUTE_ADD and _DEL
 * @levels:	NETADMIN_LOG: as for log_set_levels()
 * @http_made:	NETADMIN_STOP: which Unix sockets of --http this run made, a bit each, in their order
 * @nonce:	NETADMIN_ADDRESS: 1..COLLISION_NONCE_MAX, see derive_mesh_ip()
 * @mtu:	NETADMIN_MTU: bytes, MTU_MIN..MTU_MAX
 * @forward:	NETADMIN_FORWARD
 */
struct netadmin_request {
	uint32_t op;
	union {
		struct prefix route;
		char levels[LOG_LEVELS_SIZE];
		uint32_t http_made;
		uint32_t nonce;
		uint32_t mtu;
		struct forward_want forward;
	};
};

enum netadmin_event {
	NETADMIN_READY = 1, /* the interface is up; a descriptor of the peer cache may follow */
	NETADMIN_CONTROL, /* comes before READY: the listening control socket, or why there is none */
	NETADMIN_NODES,	 /* comes before READY: the DHT's nodes of the last run, if there are any */
	NETADMIN_FAILED, /* start-up failed; the process has ended */
	NETADMIN_ERROR,	 /* a request failed */
	NETADMIN_PEER_STATES,  /* a batch: what WireGuard says of some peers */
	NETADMIN_PEERS_FAILED, /* a batch of the keys whose changes failed: try them again */
	NETADMIN_DUMP_DONE,
	NETADMIN_STOPPING, /* the kernel is about to delete the interface, and every peer takes time */
	NETADMIN_STOPPED,
	NETADMIN_ECHOED,
	NETADMIN_SAVED, /* the peer cache was written, or could not be */
	NETADMIN_NODES_SAVED,
	NETADMIN_RELOADED,  /* a descriptor of what the file says; none, and an error, without it */
	NETADMIN_ROUTED,    /* a route was added, or could not be */
	NETADMIN_MOVED,	    /* the mesh address is another one, or could not be changed */
	NETADMIN_FORWARDED, /* what the kernel forwards now */
};

/**
 * struct netadmin_ready - What the mesh process learns about its own node
 * @public_key:	Ours
 * @mesh_ip:	Our IPv4 mesh address
 * @mesh_ip6:	Our IPv6 mesh address, "none" with --no-ipv6 or where IPv6 is disabled
 * @listen_port: WireGuard's UDP port
 * @ifindex:	The interface
 * @mtu:	Its MTU in bytes
 * @backend:	WG_BACKEND_KERNEL or WG_BACKEND_USERSPACE
 * @was_adopted: The interface was there, left by an earlier run
 * @origin:	Where the key came from
 * @identity_s:	Unix time when the key file was written, 0 when not known
 */
struct netadmin_ready {
	struct wg_key public_key;
	struct ip mesh_ip;
	struct ip mesh_ip6;
	uint16_t listen_port;
	int32_t ifindex;
	uint32_t mtu;
	uint32_t backend;
	bool was_adopted;
	uint32_t origin;
	int64_t identity_s;
};

/**
 * struct netadmin_log - Log lines of netadmin that nobody saw
 * @dropped:	Standard error had no room for them
 * @suppressed:	Held back by rate limits
 */
struct netadmin_log {
	uint64_t dropped;
	uint64_t suppressed;
};

/**
 * struct netadmin_reply - One message to the mesh process; those of peers are batches instead
 * @event:	enum netadmin_event
 * @log:	NETADMIN_DUMP_DONE
 * @messages:	NETADMIN_DUMP_DONE: sent to the kernel or to the userspace WireGuard since the start
 * @ready:	NETADMIN_READY
 * @route:	NETADMIN_ROUTED: which one
 * @mesh_ip:	NETADMIN_MOVED: the address this node has now, with or without success
 * @error:	NETADMIN_FAILED and NETADMIN_ERROR; NETADMIN_CONTROL, _DUMP_DONE, _STOPPED, _SAVED, _RELOADED,
 *		_ROUTED and _MOVED, code 0 for success
 * @forward:	NETADMIN_FORWARDED
 */
struct netadmin_reply {
	uint32_t event;
	struct netadmin_log log;
	struct nlcount messages;
	struct prefix route;
	struct ip mesh_ip;
	union {
		struct netadmin_ready ready;
		struct err error;
		struct forward_found forward;
	};
};

/**
 * struct netadmin - The mesh process's end
 * @fd:		SOCK_SEQPACKET, non-blocking; -1 when not started
 * @pid:	Process id of netadmin
 */
struct netadmin {
	int fd;
	pid_t pid;
};

/**
 * netadmin_start() - Fork the process; it sets up identity and interface, then reports READY
 * @out:	Receives the mesh process's end
 * @cfg:	Configuration; borrowed for the call
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int netadmin_start(struct netadmin *out, const struct netadmin_config *cfg, struct err *e);

/**
 * netadmin_send() - Send a request or a batch without waiting
 * @n:		The mesh process's end
 * @msg:	struct netadmin_request, or what a batch holds; borrowed
 * @len:	Bytes in @msg
 * @fd:		Descriptor that goes with it, -1 for none; stays the caller's
 *
 * Return: 0, -EAGAIN when the socket is full (try again once it is writable), or another negative
 *         errno value when netadmin is gone
 */
int netadmin_send(const struct netadmin *n, const void *msg, size_t len, int fd);

/**
 * netadmin_receive() - Take one reply
 * @n:		The mesh process's end
 * @out:	Receives the reply; of a batch, its event alone
 * @batch:	Receives the batch; what it holds otherwise means nothing
 * @fd:		Receives the descriptor that came with it, owned by the caller, or -1
 *
 * Return: 0, -EAGAIN when there is none, -EPIPE when netadmin is gone, or -EPROTO
 */
int netadmin_receive(const struct netadmin *n, struct netadmin_reply *out,
		     struct netadmin_batch *batch, int *fd);

#endif /* DAEMON_ADMIN_NETADMIN_H */
