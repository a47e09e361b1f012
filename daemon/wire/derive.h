/* SPDX-License-Identifier: MIT */
/* derive - all that follows from the mesh secret (protocol.md sections 1 to 3); pure */
#ifndef DAEMON_WIRE_DERIVE_H
#define DAEMON_WIRE_DERIVE_H

#include "common/err.h"
#include "daemon/net/addr.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/crypto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_MIN	    16
#define SECRET_MAX	    4096 /* ours; the protocol has no limit */
#define SECRET_URI_SIZE	    192	 /* "wgmesh://v1/", 171 characters, NUL */
#define NETWORK_ID_LEN	    20
#define MESH_ID_SIZE	    13 /* hex of six bytes of the network id, NUL */
#define NODES_FILE_SIZE	    43 /* interface name, '-', hex of eight bytes, "-dht.nodes", NUL */
#define DERIVE_LAN_PORT	    51830
#define DERIVE_PROBE_OFFSET 2000 /* TCP probe port above the gossip port */

/**
 * struct secret - The text that makes the mesh
 * @text:	Key material, NUL-terminated
 * @len:	Bytes in @text
 */
struct secret {
	size_t len;
	char text[SECRET_MAX + 1];
};

/**
 * secret_parse() - Take a secret as people give it: raw, or wgmesh://v1/...
 * @out:	Receives the secret; wiped on failure
 * @input:	Text; Unicode white space around it is trimmed; borrowed
 * @len:	Bytes in @input
 * @e:		Receives the reason on failure; never contains any part of the secret
 *
 * Return: 0, or -EINVAL with exit code 64 when it is shorter than 16 bytes, too long, or has a NUL
 */
int secret_parse(struct secret *out, const char *input, size_t len, struct err *e);

/**
 * secret_has_uri_form() - Was it given as wgmesh://...? Raw secrets deserve a low-entropy warning.
 */
bool secret_has_uri_form(const char *input, size_t len);

/**
 * secret_generate() - Make a new secret: 128 random bytes as a wgmesh://v1/ URI
 */
void secret_generate(char uri[static SECRET_URI_SIZE]);

void secret_wipe(struct secret *s);

/**
 * struct mesh_keys - Everything derived from the secret alone
 * @network_id:	SHA-256(secret)[0:20]
 * @gossip_key:	AES-256-GCM key of every envelope
 * @psk:	WireGuard preshared key of every pair
 * @subnet:	Default IPv4 subnet 10.x.0.0/16
 * @subnet_raw:	The two derived bytes; the second one only mixes host bits
 * @prefix6:	IPv6 ULA /64
 * @group:	LAN multicast group
 * @gossip_port: UDP port of the exchange; DHT is one above, the TCP probe 2000 above
 * @rendezvous:	Rendezvous id
 * @membership:	Membership key
 * @epoch_seed:	Epoch seed
 */
struct mesh_keys {
	uint8_t network_id[NETWORK_ID_LEN];
	uint8_t gossip_key[CRYPTO_KEY_LEN];
	uint8_t psk[CRYPTO_KEY_LEN];
	struct prefix subnet;
	uint8_t subnet_raw[2];
	struct prefix prefix6;
	struct ip group;
	uint16_t gossip_port;
	uint8_t rendezvous[8];
	uint8_t membership[CRYPTO_KEY_LEN];
	uint8_t epoch_seed[CRYPTO_KEY_LEN];
};

void derive_keys(struct mesh_keys *out, const struct secret *secret);
void derive_keys_wipe(struct mesh_keys *keys);

/**
 * derive_mesh_id() - Short name of the mesh, for people and for managed services
 */
void derive_mesh_id(char out[static MESH_ID_SIZE], const struct mesh_keys *keys);

/**
 * derive_nodes_file() - Name of the DHT node file: wg0-<16 hex>-dht.nodes
 * @out:	Receives the name
 * @keys:	Keys of the mesh
 * @ifname:	Interface, valid per str_is_interface_name()
 * @is_own:	Of a DHT of one's own, which existing nodes do not have: whoever entered it by nodes of
 *		the public one would never meet those who are in it
 */
void derive_nodes_file(char out[static NODES_FILE_SIZE], const struct mesh_keys *keys,
		       const char *ifname, bool is_own);

/**
 * derive_hourly_id() - DHT infohash of an hour
 * @out:	Receives the infohash
 * @secret:	Secret
 * @unix_s:	Any second of the hour, UTC
 */
void derive_hourly_id(uint8_t out[static NETWORK_ID_LEN], const struct secret *secret,
		      int64_t unix_s);

/**
 * derive_custom_subnet() - Check a subnet for --mesh-subnet
 * @out:	Receives the subnet, host bits cleared
 * @text:	IPv4 CIDR, /0 to /30
 *
 * Return: 0 or -EINVAL
 */
int derive_custom_subnet(struct prefix *out, const char *text);

/**
 * derive_mesh_ip() - Mesh IPv4 address of a key
 * @secret:	Secret
 * @keys:	Its keys
 * @custom:	Custom subnet, or NULL for the default one
 * @pubkey:	Public key, the 44 characters
 * @nonce:	0 for the base address, 1.. after collisions
 */
struct ip derive_mesh_ip(const struct secret *secret, const struct mesh_keys *keys,
			 const struct prefix *custom, const char *pubkey, unsigned int nonce);

struct ip derive_mesh_ip6(const struct secret *secret, const struct mesh_keys *keys,
			  const char *pubkey);

/**
 * derive_collision_winner() - Of two keys with one mesh address, who keeps it?
 *
 * Return: @a or @b: the byte-wise lower text
 */
const char *derive_collision_winner(const char *a, const char *b);

#endif /* DAEMON_WIRE_DERIVE_H */
