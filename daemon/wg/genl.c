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

static bool put(const struct genl_peers *m, uint16_t type, const void *data, size_t len)
{
	return mnl_attr_put_check(m->nlh, m->size, type, len, data);
}

/* Adds one prefix whole, or leaves the message as it was. */
static bool put_prefix(const struct genl_peers *m, const struct prefix *p)
{
	struct nlattr *nest = mnl_attr_nest_start_check(m->nlh, m->size, 0);
	uint16_t family = p->ip.family;

	if (!nest)
		return false;
	if (!put(m, WGALLOWEDIP_A_FAMILY, &family, sizeof(family)) ||
	    !put(m, WGALLOWEDIP_A_IPADDR, p->ip.b, nlmsg_ip_len(p->ip.family)) ||
	    !put(m, WGALLOWEDIP_A_CIDR_MASK, &p->bits, sizeof(p->bits))) {
		mnl_attr_nest_cancel(m->nlh, nest);
		return false;
	}
	mnl_attr_nest_end(m->nlh, nest);
	return true;
}

/* Goes on where the last request ended. Return: how many of the first @wanted prefixes are in now */
static size_t put_allowed(const struct genl_peers *m, const struct wg_peer_config *peer,
			  size_t wanted)
{
	struct nlattr *list = NULL;
	size_t n = m->n_allowed;

	if (n < wanted)
		list = mnl_attr_nest_start_check(m->nlh, m->size, WGPEER_A_ALLOWEDIPS);
	if (!list)
		return n;
	while (n < wanted && put_prefix(m, &peer->allowed[n]))
		n++;
	mnl_attr_nest_end(m->nlh, list);
	return n;
}

static bool put_endpoint(const struct genl_peers *m, const struct endpoint *endpoint)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, endpoint, false);

	return put(m, WGPEER_A_ENDPOINT, &ss, len);
}

/* All but the prefixes; of a peer that goes on, the key alone. */
static bool put_peer_body(const struct genl_peers *m, const struct wg_peer_config *peer)
{
	uint32_t flags = 0;

	if (!put(m, WGPEER_A_PUBLIC_KEY, peer->key.b, WG_KEY_LEN))
		return false;
	if (m->n_allowed > 0)
		return true;
	if (peer->flags & WG_PEER_REMOVE)
		flags = WGPEER_F_REMOVE_ME;
	else if (peer->flags & WG_PEER_REPLACE_ALLOWED)
		flags = WGPEER_F_REPLACE_ALLOWEDIPS;
	if (flags != 0 && !put(m, WGPEER_A_FLAGS, &flags, sizeof(flags)))
		return false;
	if (peer->flags & WG_PEER_REMOVE)
		return true;
	if ((peer->flags & WG_PEER_HAS_PSK) &&
	    !put(m, WGPEER_A_PRESHARED_KEY, peer->psk, WG_KEY_LEN))
		return false;
	if ((peer->flags & WG_PEER_HAS_ENDPOINT) && !put_endpoint(m, &peer->endpoint))
		return false;
	return !(peer->flags & WG_PEER_HAS_KEEPALIVE) ||
	       put(m, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &peer->keepalive_s,
		   sizeof(peer->keepalive_s));
}

void genl_peers_begin(struct genl_peers *m, void *buf, size_t size, const struct genl_target *to)
{
	m->nlh = start(buf, to->family, NLM_F_ACK, WG_CMD_SET_DEVICE);
	m->size = size;
	m->n = 0;
	mnl_attr_put_strz_check(m->nlh, size, WGDEVICE_A_IFNAME, to->ifname);
	m->list = mnl_attr_nest_start(m->nlh, WGDEVICE_A_PEERS);
}

bool genl_peers_add(struct genl_peers *m, const struct wg_peer_config *peer)
{
	struct nlattr *nest = mnl_attr_nest_start_check(m->nlh, m->size, 0);
	size_t wanted = (peer->flags & WG_PEER_REMOVE) ? 0 : peer->n_allowed;
	bool fits = nest && put_peer_body(m, peer);
	size_t done = fits ? put_allowed(m, peer, wanted) : 0;

	if (!nest)
		return false;
	if (!fits || (done < wanted && m->n > 0)) {
		mnl_attr_nest_cancel(m->nlh, nest);
		return false;
	}
	mnl_attr_nest_end(m->nlh, nest);
	m->n++;
	m->n_allowed = done < wanted ? done : 0;
	return done >= wanted;
}

size_t genl_peers_end(struct genl_peers *m)
{
	mnl_attr_nest_end(m->nlh, m->list);
	return m->n;
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
