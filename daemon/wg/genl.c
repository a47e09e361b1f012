/* SPDX-License-Identifier: MIT */
#include "daemon/wg/genl.h"
#include "common/defs.h"
#include "daemon/net/nlmsg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <string.h>

static struct nlmsghdr *start(void *buf, uint16_t family, uint16_t flags, uint8_t command)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = WG_GENL_VERSION;
	return nlh;
}

static struct nlmsghdr *start_short(union genl_req *req, uint16_t family, uint16_t flags,
				    uint8_t command)
{
	memset(req, 0, sizeof(*req));
	return start(req->bytes, family, flags, command);
}

void genl_get_family(union genl_req *req)
{
	struct nlmsghdr *nlh = start_short(req, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);

	mnl_attr_put_strz_check(nlh, sizeof(*req), CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
}

int genl_parse_family(uint16_t *out, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[CTRL_ATTR_FAMILY_ID + 1];

	*out = 0;
	if (nlh->nlmsg_type != GENL_ID_CTRL ||
	    nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(struct genlmsghdr)) < 0)
		return -EBADMSG;
	if (!tb[CTRL_ATTR_FAMILY_ID])
		return -EBADMSG;
	return nlmsg_get(out, sizeof(*out), tb[CTRL_ATTR_FAMILY_ID]);
}

void genl_get_device(union genl_req *req, const struct genl_target *to)
{
	struct nlmsghdr *nlh = start_short(req, to->family, NLM_F_DUMP, WG_CMD_GET_DEVICE);

	mnl_attr_put_strz_check(nlh, sizeof(*req), WGDEVICE_A_IFNAME, to->ifname);
}

void genl_set_device(union genl_req *req, const struct genl_target *to, const uint8_t *private_key,
		     uint16_t listen_port)
{
	struct nlmsghdr *nlh = start_short(req, to->family, NLM_F_ACK, WG_CMD_SET_DEVICE);

	mnl_attr_put_strz_check(nlh, sizeof(*req), WGDEVICE_A_IFNAME, to->ifname);
	if (private_key)
		mnl_attr_put_check(nlh, sizeof(*req), WGDEVICE_A_PRIVATE_KEY, WG_KEY_LEN,
				   private_key);
	if (listen_port > 0)
		mnl_attr_put_u16_check(nlh, sizeof(*req), WGDEVICE_A_LISTEN_PORT, listen_port);
}

static bool put(struct nlmsghdr *nlh, uint16_t type, const void *data, size_t len)
{
	return mnl_attr_put_check(nlh, GENL_PEERS_SIZE, type, len, data);
}

static bool put_allowed(struct nlmsghdr *nlh, const struct wg_peer_config *peer)
{
	struct nlattr *list = mnl_attr_nest_start_check(nlh, GENL_PEERS_SIZE, WGPEER_A_ALLOWEDIPS);
	bool fits = list != NULL;

	for (size_t i = 0; fits && i < peer->n_allowed; i++) {
		const struct prefix *p = &peer->allowed[i];
		struct nlattr *nest = mnl_attr_nest_start_check(nlh, GENL_PEERS_SIZE, 0);
		uint16_t family = p->ip.family;

		fits = nest && put(nlh, WGALLOWEDIP_A_FAMILY, &family, sizeof(family)) &&
		       put(nlh, WGALLOWEDIP_A_IPADDR, p->ip.b, nlmsg_ip_len(p->ip.family)) &&
		       put(nlh, WGALLOWEDIP_A_CIDR_MASK, &p->bits, sizeof(p->bits));
		if (fits)
			mnl_attr_nest_end(nlh, nest);
	}
	if (fits)
		mnl_attr_nest_end(nlh, list);
	return fits;
}

static bool put_endpoint(struct nlmsghdr *nlh, const struct endpoint *endpoint)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, endpoint, false);

	return put(nlh, WGPEER_A_ENDPOINT, &ss, len);
}

static bool put_peer_body(struct nlmsghdr *nlh, const struct wg_peer_config *peer)
{
	uint32_t flags = 0;

	if (peer->flags & WG_PEER_REMOVE)
		flags = WGPEER_F_REMOVE_ME;
	else if (peer->flags & WG_PEER_REPLACE_ALLOWED)
		flags = WGPEER_F_REPLACE_ALLOWEDIPS;
	if (!put(nlh, WGPEER_A_PUBLIC_KEY, peer->key.b, WG_KEY_LEN) ||
	    (flags != 0 && !put(nlh, WGPEER_A_FLAGS, &flags, sizeof(flags))))
		return false;
	if (peer->flags & WG_PEER_REMOVE)
		return true;
	if ((peer->flags & WG_PEER_HAS_PSK) &&
	    !put(nlh, WGPEER_A_PRESHARED_KEY, peer->psk, WG_KEY_LEN))
		return false;
	if ((peer->flags & WG_PEER_HAS_ENDPOINT) && !put_endpoint(nlh, &peer->endpoint))
		return false;
	if ((peer->flags & WG_PEER_HAS_KEEPALIVE) &&
	    !put(nlh, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &peer->keepalive_s,
		 sizeof(peer->keepalive_s)))
		return false;
	return peer->n_allowed == 0 || put_allowed(nlh, peer);
}

/* Adds a peer whole, or leaves the message as it was. */
static bool put_peer(struct nlmsghdr *nlh, const struct wg_peer_config *peer)
{
	struct nlattr *nest = mnl_attr_nest_start_check(nlh, GENL_PEERS_SIZE, 0);

	if (!nest)
		return false;
	if (!put_peer_body(nlh, peer)) {
		mnl_attr_nest_cancel(nlh, nest);
		return false;
	}
	mnl_attr_nest_end(nlh, nest);
	return true;
}

size_t genl_set_peers(void *buf, const struct genl_target *to, const struct wg_peer_config *peers,
		      size_t n)
{
	struct nlmsghdr *nlh = start(buf, to->family, NLM_F_ACK, WG_CMD_SET_DEVICE);
	struct nlattr *list;
	size_t done = 0;

	mnl_attr_put_strz_check(nlh, GENL_PEERS_SIZE, WGDEVICE_A_IFNAME, to->ifname);
	list = mnl_attr_nest_start(nlh, WGDEVICE_A_PEERS);
	while (done < n && put_peer(nlh, &peers[done]))
		done++;
	mnl_attr_nest_end(nlh, list);
	return done;
}

static int read_allowed(struct wg_peer_state *peer, const struct nlattr *list)
{
	const struct nlattr *nest = NULL;

	while ((nest = nlmsg_child(list, nest)) != NULL) {
		const struct nlattr *tb[WGALLOWEDIP_A_MAX + 1];
		struct prefix p = { 0 };
		uint16_t family;

		nlmsg_nested(tb, ARRAY_LEN(tb), nest);
		if (!tb[WGALLOWEDIP_A_FAMILY] || !tb[WGALLOWEDIP_A_IPADDR] ||
		    !tb[WGALLOWEDIP_A_CIDR_MASK])
			return -EBADMSG;
		if (nlmsg_get(&family, sizeof(family), tb[WGALLOWEDIP_A_FAMILY]) < 0 ||
		    nlmsg_get(&p.bits, sizeof(p.bits), tb[WGALLOWEDIP_A_CIDR_MASK]) < 0 ||
		    family > UINT8_MAX ||
		    nlmsg_get_ip(&p.ip, (uint8_t)family, tb[WGALLOWEDIP_A_IPADDR]) < 0 ||
		    p.bits > prefix_host(&p.ip).bits)
			return -EBADMSG;
		if (peer->n_allowed < WG_ALLOWED_MAX)
			peer->allowed[peer->n_allowed++] = p;
	}
	return 0;
}

static int read_endpoint(struct endpoint *out, const struct nlattr *attr)
{
	struct sockaddr_storage ss = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);

	if (len > sizeof(ss))
		return -EBADMSG;
	memcpy(&ss, mnl_attr_get_payload(attr), len);
	if ((ss.ss_family == AF_INET && len < sizeof(struct sockaddr_in)) ||
	    (ss.ss_family == AF_INET6 && len < sizeof(struct sockaddr_in6)))
		return -EBADMSG;
	return endpoint_from_sockaddr(out, (const void *)&ss) < 0 ? -EBADMSG : 0;
}

/* Copies an attribute that need not be there. */
static int read_optional(void *out, size_t len, const struct nlattr *attr)
{
	return attr ? nlmsg_get(out, len, attr) : 0;
}

static int read_peer_state(struct wg_peer_state *peer, const struct nlattr *const *tb)
{
	struct __kernel_timespec handshake = { 0 };

	if (read_optional(&peer->keepalive_s, sizeof(peer->keepalive_s),
			  tb[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]) < 0 ||
	    read_optional(&handshake, sizeof(handshake), tb[WGPEER_A_LAST_HANDSHAKE_TIME]) < 0 ||
	    read_optional(&peer->rx_bytes, sizeof(peer->rx_bytes), tb[WGPEER_A_RX_BYTES]) < 0 ||
	    read_optional(&peer->tx_bytes, sizeof(peer->tx_bytes), tb[WGPEER_A_TX_BYTES]) < 0)
		return -EBADMSG;
	peer->handshake_s = handshake.tv_sec;
	return tb[WGPEER_A_ENDPOINT] ? read_endpoint(&peer->endpoint, tb[WGPEER_A_ENDPOINT]) : 0;
}

int genl_dump_end(struct genl_dump *d)
{
	bool had_peer = d->has_peer;

	d->has_peer = false;
	return had_peer && d->fn ? d->fn(&d->peer, d->arg) : 0;
}

/* A peer whose key is that of the one before is the rest of that one. */
static int read_peer(struct genl_dump *d, const struct nlattr *nest)
{
	const struct nlattr *tb[WGPEER_A_MAX + 1];
	struct wg_key key;
	int r;

	nlmsg_nested(tb, ARRAY_LEN(tb), nest);
	if (!tb[WGPEER_A_PUBLIC_KEY] || nlmsg_get(&key, sizeof(key), tb[WGPEER_A_PUBLIC_KEY]) < 0)
		return -EBADMSG;
	if (!d->has_peer || memcmp(&key, &d->peer.key, sizeof(key)) != 0) {
		r = genl_dump_end(d);
		if (r != 0)
			return r;
		d->peer = (struct wg_peer_state) { .key = key };
		d->has_peer = true;
		r = read_peer_state(&d->peer, tb);
		if (r < 0)
			return r;
	}
	return tb[WGPEER_A_ALLOWEDIPS] ? read_allowed(&d->peer, tb[WGPEER_A_ALLOWEDIPS]) : 0;
}

int genl_dump_message(struct genl_dump *d, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[WGDEVICE_A_MAX + 1];
	const struct nlattr *peer = NULL;

	if (nlh->nlmsg_type != d->family ||
	    nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(struct genlmsghdr)) < 0)
		return -EBADMSG;
	if (read_optional(&d->dev.public_key, sizeof(d->dev.public_key),
			  tb[WGDEVICE_A_PUBLIC_KEY]) < 0 ||
	    read_optional(&d->dev.listen_port, sizeof(d->dev.listen_port),
			  tb[WGDEVICE_A_LISTEN_PORT]) < 0)
		return -EBADMSG;
	while (tb[WGDEVICE_A_PEERS] && (peer = nlmsg_child(tb[WGDEVICE_A_PEERS], peer)) != NULL) {
		int r = read_peer(d, peer);

		if (r != 0)
			return r;
	}
	return 0;
}
