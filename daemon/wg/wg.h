/* SPDX-License-Identifier: MIT */
/*
 * wg - one WireGuard interface, two back ends: the kernel's (generic netlink) and userspace (UAPI)
 *
 * Callers see only this header. Nothing here decides what the peers should be; it applies changes
 * and reports the actual state. Every call is a round trip of milliseconds; none waits for peers.
 */
#ifndef DAEMON_WG_WG_H
#define DAEMON_WG_WG_H

#include "common/err.h"
#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WG_KEY_LEN     32
#define WG_ALLOWED_MAX 104 /* two mesh addresses and 100 routes, rounded up */

/* A public key, or a preshared one. Private keys travel as bare pointers and are wiped. */
struct wg_key {
	uint8_t b[WG_KEY_LEN];
};

enum wg_peer_flag {
	WG_PEER_REMOVE = 1 << 0,	  /* remove the peer; nothing else is looked at */
	WG_PEER_HAS_ENDPOINT = 1 << 1,	  /* set the endpoint */
	WG_PEER_HAS_KEEPALIVE = 1 << 2,	  /* set the keepalive interval, 0 turns it off */
	WG_PEER_HAS_PSK = 1 << 3,	  /* set the preshared key */
	WG_PEER_REPLACE_ALLOWED = 1 << 4, /* the allowed list replaces the peer's list */
};

/**
 * struct wg_peer_config - A change to one peer; what is not flagged stays as it is
 * @key:	Public key
 * @flags:	enum wg_peer_flag
 * @keepalive_s: Persistent keepalive in seconds
 * @endpoint:	Literal address and port
 * @psk:	Preshared key; borrowed, NULL without WG_PEER_HAS_PSK
 * @allowed:	Allowed prefixes, host bits cleared
 * @n_allowed:	Entries in @allowed
 */
struct wg_peer_config {
	struct wg_key key;
	uint32_t flags;
	uint16_t keepalive_s;
	struct endpoint endpoint;
	const uint8_t *psk;
	size_t n_allowed;
	struct prefix allowed[WG_ALLOWED_MAX];
};

/**
 * struct wg_peer_state - What the implementation says of one peer
 * @key:	Public key
 * @endpoint:	Where it was last heard from or configured; "none" when unknown
 * @keepalive_s: Persistent keepalive in seconds, 0 off
 * @handshake_s: Unix time of the last completed handshake, 0 for never
 * @rx_bytes:	Received
 * @tx_bytes:	Sent
 * @allowed:	Allowed prefixes
 * @n_allowed:	Entries in @allowed; more than WG_ALLOWED_MAX are cut
 */
struct wg_peer_state {
	struct wg_key key;
	struct endpoint endpoint;
	uint16_t keepalive_s;
	int64_t handshake_s;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	size_t n_allowed;
	struct prefix allowed[WG_ALLOWED_MAX];
};

/**
 * struct wg_device_state - What the implementation says of the interface
 * @public_key:	All zero when no private key is set
 * @listen_port: UDP port, 0 when there is none yet
 */
struct wg_device_state {
	struct wg_key public_key;
	uint16_t listen_port;
};

enum wg_backend { WG_BACKEND_AUTO, WG_BACKEND_KERNEL, WG_BACKEND_USERSPACE };

/* Called once per peer by wg_dump(); @peer is borrowed for the call. A non-zero return stops. */
typedef int wg_peer_fn(const struct wg_peer_state *peer, void *arg);

struct wg;

/**
 * wg_open() - Create the interface, or adopt the one that an earlier run of ours left
 * @out:	Receives the handle, to be closed with wg_close()
 * @ifname:	Interface name, valid per str_is_interface_name()
 * @backend:	WG_BACKEND_AUTO tries the kernel's, then userspace
 * @program:	Userspace implementation to run ("wireguard-go"): a path, or a name for PATH
 * @e:		Receives the reason on failure
 *
 * An interface of that name that does not carry our tag in its alias (ifalias, "wgmesh") belongs
 * to somebody else: it is refused with -EEXIST and left alone. A new interface is tagged before it
 * has the name; a userspace one, which makes its own, is tagged at once, and recognised without a tag
 * as long as it has neither key nor peers. A userspace implementation is started in the foreground in a session
 * of its own, with standard streams on /dev/null and nothing of our environment, and outlives this
 * process: packets go on flowing while the daemon is restarted. It ends when the interface is
 * deleted. Starting it needs fork(2) and execve(2): a sandbox, which it would inherit, comes later.
 *
 * An interface of ours whose userspace implementation is dead, or that is of the other back end than
 * @backend asks for, is deleted and made anew.
 *
 * Return: 0; -EEXIST with exit code 78; -EOPNOTSUPP with exit code 69 when there is neither kernel nor userspace
 *         WireGuard (the message says what is missing: module, /dev/net/tun, program); -EPERM with
 *         exit code 77 when CAP_NET_ADMIN is missing; or another negative errno value
 */
int wg_open(struct wg **out, const char *ifname, enum wg_backend backend, const char *program,
	    struct err *e);

/**
 * wg_delete() - Delete an interface of ours, with its addresses and routes
 * @ifname:	Interface name
 * @e:		Receives the reason on failure
 *
 * A userspace implementation ends with its interface.
 *
 * Return: 0, also when there is none; -EPERM with exit code 78 for an interface that is not ours,
 *         which stays; or another negative errno value
 */
int wg_delete(const char *ifname, struct err *e);

/**
 * wg_close() - Release the handle; the interface stays
 */
void wg_close(struct wg *wg);

/**
 * wg_backend() - The implementation in use: WG_BACKEND_KERNEL or WG_BACKEND_USERSPACE
 */
enum wg_backend wg_backend(const struct wg *wg);

/**
 * wg_was_adopted() - Did the interface exist before wg_open()?
 */
bool wg_was_adopted(const struct wg *wg);

/**
 * wg_set_device() - Set private key and listen port
 * @wg:		Handle
 * @private_key: 32 bytes; borrowed; NULL leaves it
 * @listen_port: 1..65535; 0 leaves it
 * @e:		Receives the reason on failure
 *
 * A port is tried before it is set, as the kernel itself looks at it only when the interface goes up:
 * it can still be lost until then, and rtnl_link_set_up() reports -EADDRINUSE.
 *
 * Return: 0, -EADDRINUSE when the port is taken, or another negative errno value
 */
int wg_set_device(struct wg *wg, const uint8_t *private_key, uint16_t listen_port, struct err *e);

/**
 * struct wg_changes - Changes of peers, of which there may be more than fit into memory at a time
 * @arg:	Passed to @next
 * @next:	The next change, borrowed until the call after, or NULL at the end
 */
struct wg_changes {
	void *arg;
	const struct wg_peer_config *(*next)(void *arg);
};

/**
 * struct wg_change_array - Changes that are in memory all together
 * @at:		First; moves on as they are taken
 * @end:	Behind the last
 */
struct wg_change_array {
	const struct wg_peer_config *at;
	const struct wg_peer_config *end;
};

/**
 * wg_changes_of() - Hand out an array of changes
 * @a:		Array; borrowed for as long as the result is used
 */
struct wg_changes wg_changes_of(struct wg_change_array *a);

/**
 * wg_apply() - Apply changes to peers
 * @wg:		Handle
 * @changes:	Changes, taken once
 * @e:		Receives the reason on failure
 *
 * The changes are packed into as few messages as possible: for the kernel, of up to 64 KiB each; for a
 * userspace implementation, one.
 *
 * Return: 0 or a negative errno value, in which case some of the changes may have been applied
 */
int wg_apply(struct wg *wg, const struct wg_changes *changes, struct err *e);

/**
 * wg_set_peers() - wg_apply() for an array
 * @wg:		Handle
 * @peers:	Changes; borrowed
 * @n:		Entries in @peers
 * @e:		Receives the reason on failure
 *
 * Return: as wg_apply(); when a change is malformed, none has been applied
 */
int wg_set_peers(struct wg *wg, const struct wg_peer_config *peers, size_t n, struct err *e);

/**
 * wg_dump() - Read the interface and all its peers
 * @wg:		Handle
 * @dev:	Receives the interface's own state, may be NULL
 * @fn:		Called for each peer, may be NULL
 * @arg:	Passed on to @fn
 * @e:		Receives the reason on failure
 *
 * Return: 0, the non-zero value that @fn returned, or a negative errno value
 */
int wg_dump(struct wg *wg, struct wg_device_state *dev, wg_peer_fn *fn, void *arg, struct err *e);

/**
 * wg_key_format() - A key as 44 characters of padded base64 and a NUL
 */
char *wg_key_format(char out[static 45], const struct wg_key *key);

/**
 * wg_key_parse() - Parse a key in its canonical base64 form
 *
 * Return: 0 or -EINVAL; the tail bits that base64 leaves over must be zero
 */
int wg_key_parse(struct wg_key *out, const char *text);

#endif /* DAEMON_WG_WG_H */
