/* SPDX-License-Identifier: MIT */
#include "daemon/config.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOCKET_DIR "/run/wgmesh"

int config_interface(const char **out, const struct settings *s, struct err *e)
{
	*out = settings_text(s, SETTING_INTERFACE);
	if (str_is_interface_name(*out))
		return 0;
	return err_exit(e, EXITS_USAGE, -EINVAL,
			"%s=\"%.40s\" is no interface name; it must begin with a letter, then have "
			"letters, digits, '_' or '-', 15 in all",
			settings_origin(s, SETTING_INTERFACE), *out);
}

int config_socket_path(char out[static CONFIG_SOCKET_SIZE], const struct settings *s,
		       const char *ifname, struct err *e)
{
	const char *given = settings_text(s, SETTING_SOCKET_PATH);

	if (!given) {
		(void)snprintf(out, CONFIG_SOCKET_SIZE, SOCKET_DIR "/%s.sock", ifname);
		return 0;
	}
	if (str_copy(out, CONFIG_SOCKET_SIZE, given) == 0)
		return 0;
	return err_exit(e, EXITS_USAGE, -ENAMETOOLONG,
			"%s is longer than the 107 bytes of a socket path",
			settings_origin(s, SETTING_SOCKET_PATH));
}

int config_mesh_subnet(struct prefix *out, const struct settings *s, struct err *e)
{
	const char *text = settings_text(s, SETTING_MESH_SUBNET);

	if (!text)
		return 0;
	if (derive_custom_subnet(out, text) == 0)
		return 1;
	return err_exit(e, EXITS_USAGE, -EINVAL,
			"%s=\"%.40s\" is no IPv4 subnet from /0 to /30, such as 10.42.0.0/16",
			settings_origin(s, SETTING_MESH_SUBNET), text);
}

int config_peer(struct endpoint *out, const struct settings *s, struct err *e)
{
	const char *text = settings_text(s, SETTING_PEER);

	if (!text)
		return 0;
	if (endpoint_parse(out, text) == 0)
		return 1;
	out->port = 0;
	if (ip_parse(&out->ip, text) == 0)
		return 1;
	return err_exit(e, EXITS_USAGE, -EINVAL,
			"--peer=\"%.60s\" is no address such as 192.0.2.1, 192.0.2.1:52101 or "
			"[2001:db8::1]:52101; names are not looked up",
			text);
}

static int load_subnet(struct config *out, const struct settings *s, struct err *e)
{
	int r = config_mesh_subnet(&out->custom_subnet, s, e);

	out->has_custom_subnet = r > 0;
	return r < 0 ? r : 0;
}

static int load_routes(struct config *out, const struct settings *s, struct err *e)
{
	const char *text = settings_text(s, SETTING_ADVERTISE_ROUTES);

	return routelist_parse(&out->routes, text ? text : "",
			       settings_origin(s, SETTING_ADVERTISE_ROUTES), e);
}

static int load_allowed_routes(struct config *out, const struct settings *s, struct err *e)
{
	const char *text = settings_text(s, SETTING_ALLOW_ROUTES);

	return routelist_parse(&out->allow_routes, text ? text : "",
			       settings_origin(s, SETTING_ALLOW_ROUTES), e);
}

static int load_hosts(struct config *out, const struct settings *s, struct err *e)
{
	const struct {
		enum setting_id id;
		enum hostport_kind kind;
		struct hostports *to;
	} lists[] = {
		{ SETTING_PEERS, HOSTPORT_LITERAL, &out->peers },
		{ SETTING_PEER_DNS, HOSTPORT_NAME, &out->peer_dns },
		{ SETTING_DHT_BOOTSTRAP, HOSTPORT_ANY, &out->dht_bootstrap },
		{ SETTING_STUN, HOSTPORT_ANY, &out->stun },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists) && r == 0; i++) {
		const char *text = settings_text(s, lists[i].id);

		r = hostports_parse(lists[i].to, text ? text : "", lists[i].kind,
				    settings_origin(s, lists[i].id), e);
	}
	return r;
}

static int load_hostname(struct config *out, const struct settings *s, struct err *e)
{
	const char *given = settings_text(s, SETTING_HOSTNAME);
	char host[ANNOUNCE_HOSTNAME_MAX + 1] = "";

	if (!given) {
		(void)gethostname(host, sizeof(host) - 1);
		given = host;
	}
	if (str_copy(out->hostname, sizeof(out->hostname), given) < 0)
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s is longer than %d bytes",
				settings_origin(s, SETTING_HOSTNAME), ANNOUNCE_HOSTNAME_MAX);
	for (const char *c = given; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return err_exit(e, EXITS_USAGE, -EINVAL,
					"the host name has a byte that is not printable ASCII; "
					"give another one with --hostname");
	return 0;
}

int config_load(struct config *out, const struct settings *s, struct err *e)
{
	int r;

	memset(out, 0, sizeof(*out));
	out->state_dir = settings_text(s, SETTING_STATE_DIR);
	out->listen_port = (uint16_t)settings_number(s, SETTING_LISTEN_PORT);
	out->backend = (enum wg_backend)settings_number(s, SETTING_BACKEND);
	out->wireguard_go = settings_text(s, SETTING_WIREGUARD_GO);
	out->mtu = (uint32_t)settings_number(s, SETTING_MTU);
	out->no_lan =
		settings_flag(s, SETTING_NO_LAN_DISCOVERY) || settings_flag(s, SETTING_NO_LAN);
	out->no_dht = settings_flag(s, SETTING_NO_DHT);
	out->no_stun = settings_flag(s, SETTING_NO_STUN);
	out->no_ipv6 = settings_flag(s, SETTING_NO_IPV6);
	out->no_punching = settings_flag(s, SETTING_NO_PUNCHING);
	out->introducer = settings_flag(s, SETTING_INTRODUCER);
	out->gossip = settings_flag(s, SETTING_GOSSIP);
	out->force_relay = settings_flag(s, SETTING_FORCE_RELAY);
	out->forward = settings_flag(s, SETTING_FORWARD);
	out->new_identity = settings_flag(s, SETTING_NEW_IDENTITY);
	out->metrics_peers = (size_t)settings_number(s, SETTING_METRICS_PEERS);
	r = config_interface(&out->ifname, s, e);
	if (r == 0)
		r = config_socket_path(out->socket_path, s, out->ifname, e);
	if (r == 0)
		r = http_addresses_load(&out->http, s, e);
	if (r == 0)
		r = load_subnet(out, s, e);
	if (r == 0)
		r = load_routes(out, s, e);
	if (r == 0)
		r = load_allowed_routes(out, s, e);
	if (r == 0)
		r = load_hosts(out, s, e);
	if (r == 0)
		r = load_hostname(out, s, e);
	if (r == 0)
		r = config_secret(&out->secret, s, e);
	if (r == 0)
		derive_keys(&out->keys, &out->secret);
	return r;
}

void config_wipe(struct config *c)
{
	secret_wipe(&c->secret);
	derive_keys_wipe(&c->keys);
}
