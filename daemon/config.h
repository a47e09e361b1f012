/* SPDX-License-Identifier: MIT */
/* config - the settings of `wgmesh join`, checked and typed */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include "common/err.h"
#include "common/settings.h"
#include "daemon/http/address.h"
#include "daemon/net/addr.h"
#include "daemon/net/hostport.h"
#include "daemon/peers/routelist.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/announce.h"
#include "daemon/wire/derive.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_SOCKET_SIZE 108 /* sun_path, unix(7) */

/**
 * struct config - What a node is told
 * @secret:	Mesh secret; wipe with config_wipe()
 * @keys:	Derived from it
 * @state_dir:	State directory
 * @ifname:	Interface
 * @listen_port: UDP port of WireGuard
 * @backend:	Back end wanted
 * @wireguard_go: Userspace implementation
 * @mtu:	Bytes, 0 to derive it
 * @has_custom_subnet: @custom_subnet is set
 * @custom_subnet: --mesh-subnet
 * @hostname:	Announced name, printable ASCII
 * @routes:	Networks to advertise
 * @socket_path: Control socket
 * @http:	Where health and metrics are served
 * @metrics_peers: How many peers have metrics of their own
 * @peers:	--peer; addresses, port 0 for the gossip port
 * @peer_dns:	--peer-dns; names, port 0 for the gossip port
 * @dht_bootstrap: --dht-bootstrap; none given: the public routers
 * @stun:	--stun; none given: the public servers
 * @allow_routes: --allow-routes
 * @no_lan:	No LAN discovery
 * @no_dht:	No DHT
 * @no_stun:	No STUN
 * @no_ipv6:	No IPv6 addresses and endpoints
 * @no_punching: One HELLO per exchange
 * @introducer:	Announce as one, introduce and relay
 * @gossip:	Pass peers on inside the tunnels
 * @force_relay: Reach every peer through an introducer
 * @forward:	Forward between the mesh and the advertised networks
 * @new_identity: --new-identity
 */
struct config {
	struct secret secret;
	struct mesh_keys keys;
	const char *state_dir;
	const char *ifname;
	uint16_t listen_port;
	enum wg_backend backend;
	const char *wireguard_go;
	uint32_t mtu;
	bool has_custom_subnet;
	struct prefix custom_subnet;
	char hostname[ANNOUNCE_HOSTNAME_MAX + 1];
	struct routelist routes;
	char socket_path[CONFIG_SOCKET_SIZE];
	struct http_addresses http;
	size_t metrics_peers;
	struct hostports peers;
	struct hostports peer_dns;
	struct hostports dht_bootstrap;
	struct hostports stun;
	struct routelist allow_routes;
	bool no_lan;
	bool no_dht;
	bool no_stun;
	bool no_ipv6;
	bool no_punching;
	bool introducer;
	bool gossip;
	bool force_relay;
	bool forward;
	bool new_identity;
};

/**
 * config_load() - Check the settings of a node
 * @out:	Receives the configuration; wipe it with config_wipe(), also after a failure
 * @s:		Settings; borrowed for as long as @out is used
 * @e:		Names the setting, what is wrong and what to do
 *
 * Return: 0 or a negative errno value, with exit code 64
 */
int config_load(struct config *out, const struct settings *s, struct err *e);

void config_wipe(struct config *c);

/**
 * config_secret() - Find the mesh secret: flag, variable, file, or a systemd credential
 * @out:	Receives the secret
 * @s:		Settings; a secret in argv or the environment is overwritten there, used or not
 * @e:		Receives the reason on failure
 *
 * A secret and a secret file given in the same way, both as flags or both as variables, are an
 * error. The credential is $CREDENTIALS_DIRECTORY/wgmesh-secret (systemd.exec(5)).
 *
 * Return: 0 or a negative errno value, with exit code 64
 */
int config_secret(struct secret *out, const struct settings *s, struct err *e);

/**
 * config_interface() - The checked interface name
 *
 * Return: 0 or -EINVAL with exit code 64
 */
int config_interface(const char **out, const struct settings *s, struct err *e);

/**
 * config_mesh_subnet() - The subnet of --mesh-subnet
 * @out:	Receives it, host bits cleared; untouched when none is given
 * @s:		Settings
 * @e:		Receives the reason on failure
 *
 * Return: 1 when it is given, 0 when not, or -EINVAL with exit code 64
 */
int config_mesh_subnet(struct prefix *out, const struct settings *s, struct err *e);

/**
 * config_peer() - The address of --peer
 * @out:	Receives it, with port 0 when none is given: it follows from the secret
 * @s:		Settings
 * @e:		Receives the reason on failure
 *
 * Return: 1 when it is given, 0 when not, or -EINVAL with exit code 64
 */
int config_peer(struct endpoint *out, const struct settings *s, struct err *e);

/**
 * config_socket_path() - Where the control socket of a node is
 * @out:	Receives the path
 * @s:		Settings
 * @ifname:	Interface
 * @e:		Receives the reason on failure
 *
 * Return: 0 or -ENAMETOOLONG with exit code 64
 */
int config_socket_path(char out[static CONFIG_SOCKET_SIZE], const struct settings *s,
		       const char *ifname, struct err *e);

#endif /* DAEMON_CONFIG_H */
