/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/wg/genl.h"
#include "tests/helper/wgpeers.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY 0x1f

static const struct genl_target target = { .family = FAMILY, .ifname = "wg0" };

/* Little-endian machines only, as all that this runs on are. */
static void family_lookup_has_these_bytes(void **state)
{
	static const uint8_t golden[] = {
		0x24, 0,   0,	0,   0x10, 0,	0x05, 0,
		0,    0,   0,	0,   0,	   0,	0,    0, /* header, ACK|REQUEST */
		3,    1,   0,	0,			 /* GETFAMILY */
		14,   0,   2,	0,   'w',  'i', 'r',  'e',
		'g',  'u', 'a', 'r', 'd',  0,	0,    0,
	};
	union genl_req req;

	(void)state;
	genl_get_family(&req);
	assert_int_equal(req.nlh.nlmsg_len, sizeof(golden));
	assert_memory_equal(req.bytes, golden, sizeof(golden));
}

static void a_dump_request_has_these_bytes(void **state)
{
	static const uint8_t golden[] = {
		0x1c, 0, 0, 0, FAMILY, 0,   0x01, 3, 0, 0, 0, 0, 0, 0, 0, 0, /* DUMP|REQUEST */
		0,    1, 0, 0,						     /* GET_DEVICE */
		8,    0, 2, 0, 'w',    'g', '0',  0,
	};
	union genl_req req;

	(void)state;
	genl_get_device(&req, &target);
	assert_int_equal(req.nlh.nlmsg_len, sizeof(golden));
	assert_memory_equal(req.bytes, golden, sizeof(golden));
}

static void key_and_port_have_these_bytes(void **state)
{
	static const uint8_t golden[] = {
		0x48, 0, 0, 0, FAMILY, 0,   0x05, 0, 0,	   0,	 0, 0, 0, 0, 0, 0, /* header */
		1,    1, 0, 0,							   /* SET_DEVICE */
		8,    0, 2, 0, 'w',    'g', '0',  0,				   /* IFNAME */
		36,   0, 3, 0, 7,      7,   7,	  7, 7,	   7,	 7, 7, 7, 7, 7, 7, /* PRIVATE_KEY */
		7,    7, 7, 7, 7,      7,   7,	  7, 7,	   7,	 7, 7, 7, 7, 7, 7, /* ... */
		7,    7, 7, 7, 6,      0,   6,	  0, 0x6c, 0xca, 0, 0,		   /* LISTEN_PORT */
	};
	uint8_t key[WG_KEY_LEN];
	union genl_req req;

	(void)state;
	memset(key, 7, sizeof(key));
	genl_set_device(&req, &target, key, 51820);
	assert_int_equal(req.nlh.nlmsg_len, sizeof(golden));
	assert_memory_equal(req.bytes, golden, sizeof(golden));
	genl_set_device(&req, &target, NULL, 0);
	assert_int_equal(req.nlh.nlmsg_len, 28);
}

static void a_removed_peer_is_its_key_and_a_flag(void **state)
{
	static const uint8_t tail[] = {
		52, 0, 8, 0x80,						  /* PEERS, nested */
		48, 0, 0, 0x80,						  /* one of them */
		36, 0, 1, 0,	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* PUBLIC_KEY */
		7,  7, 7, 7,	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, /* ... */
		8,  0, 3, 0,	1, 0, 0, 0,				  /* FLAGS: REMOVE_ME */
	};
	struct wg_peer_config peer = { .flags = WG_PEER_REMOVE | WG_PEER_HAS_ENDPOINT,
				       .n_allowed = 1 };
	uint8_t *buf = calloc(1, GENL_PEERS_SIZE);
	struct nlmsghdr *nlh = (void *)buf;
	struct genl_peers m = { 0 };

	(void)state;
	memset(peer.key.b, 7, sizeof(peer.key.b));
	genl_peers_begin(&m, buf, GENL_PEERS_SIZE, &target);
	assert_true(genl_peers_add(&m, &peer));
	assert_int_equal(genl_peers_end(&m), 1);
	assert_int_equal(nlh->nlmsg_len, 28 + sizeof(tail));
	assert_memory_equal(buf + 28, tail, sizeof(tail));
	free(buf);
}

/* A request and an answer share their layout, so that requests make answers to read. */
static int read_back(const void *buf, struct wgpeers_check *check, struct genl_dump *d)
{
	d->family = FAMILY;
	d->fn = wgpeers_check_one;
	d->arg = check;
	return genl_dump_message(d, buf);
}

/**
 * struct packing - Peers that are packed into messages and read back
 * @check:	What they should be; NULL peers when that is not asked
 * @size:	Room in a message
 * @messages:	How many it took
 * @shortest:	Bytes of the shortest but the last
 */
struct packing {
	struct wgpeers_check check;
	size_t size;
	size_t messages;
	size_t shortest;
	size_t last;
};

static void close_message(struct packing *p, struct genl_peers *m, struct genl_dump *d)
{
	assert_true(genl_peers_end(m) > 0);
	assert_true(m->nlh->nlmsg_len <= p->size);
	assert_int_equal(read_back(m->nlh, &p->check, d), 0);
	if (p->messages++ > 0 && p->last < p->shortest)
		p->shortest = p->last;
	p->last = m->nlh->nlmsg_len;
}

static void pack(struct packing *p, const struct wg_peer_config *peers, size_t n)
{
	struct nlmsghdr *buf = calloc(1, GENL_PEERS_SIZE);
	struct genl_peers m = { 0 };
	struct genl_dump d = { 0 };

	assert_non_null(buf);
	p->shortest = SIZE_MAX;
	p->check.peers = peers;
	p->check.n = n;
	genl_peers_begin(&m, buf, p->size, &target);
	for (size_t i = 0; i < n; i++)
		while (!genl_peers_add(&m, &peers[i])) {
			close_message(p, &m, &d);
			genl_peers_begin(&m, buf, p->size, &target);
		}
	close_message(p, &m, &d);
	assert_int_equal(genl_dump_end(&d), 0);
	assert_int_equal(p->check.seen, n);
	assert_int_equal(p->check.wrong, 0);
	free(buf);
}

static void a_thousand_peers_are_four_full_messages(void **state)
{
	struct wg_peer_config *peers = wgpeers_make_all(1000);
	struct packing p = { .size = GENL_PEERS_SIZE };

	(void)state;
	assert_non_null(peers);
	pack(&p, peers, 1000);
	assert_int_equal(p.messages, 4);
	/* All that is missing is less than the largest peer takes. */
	assert_true(p.shortest > GENL_PEERS_SIZE - 5000);
	free(peers);
}

/* Peers as they are in most meshes: an endpoint and two addresses. */
static void of_plain_peers_356_make_a_message(void **state)
{
	struct wg_peer_config *peers = calloc(357, sizeof(*peers));
	struct packing p = { .size = GENL_PEERS_SIZE };
	struct packing more = p;

	(void)state;
	assert_non_null(peers);
	for (uint32_t i = 0; i < 357; i++) {
		wgpeers_make(&peers[i], 2 * i);
		peers[i].n_allowed = 2;
	}
	pack(&p, peers, 356);
	assert_int_equal(p.messages, 1);
	pack(&more, peers, 357);
	assert_int_equal(more.messages, 2);
	free(peers);
}

static void one_peer_is_one_message(void **state)
{
	struct wg_peer_config *peers = wgpeers_make_all(1);
	struct packing p = { .size = GENL_PEERS_SIZE };

	(void)state;
	assert_non_null(peers);
	pack(&p, peers, 1);
	assert_int_equal(p.messages, 1);
	free(peers);
}

/* Whatever the room is, all prefixes arrive, in the parts that they took. */
static void a_peer_that_no_message_has_room_for_goes_on_in_the_next(void **state)
{
	struct wg_peer_config *peers = wgpeers_make_all(3);

	(void)state;
	assert_non_null(peers);
	assert_int_equal(peers[0].n_allowed, WG_ALLOWED_MAX);
	for (size_t size = GENL_PEER_MIN; size < 6000; size += 4) {
		struct packing p = { .size = size };

		pack(&p, peers, 3);
		assert_true(p.messages >= 1 && p.messages < 20);
	}
	free(peers);
}

/* Until the next message comes, half of its networks would be gone. */
static void a_peer_that_fits_into_the_next_message_is_not_split(void **state)
{
	uint8_t *buf = calloc(1, GENL_PEERS_SIZE);
	struct wg_peer_config large;
	struct wg_peer_config first;
	struct genl_peers m = { 0 };
	uint32_t len;

	(void)state;
	assert_non_null(buf);
	wgpeers_make(&large, 0);
	wgpeers_make(&first, 2);
	first.n_allowed = 1;
	genl_peers_begin(&m, buf, 3200, &target);
	assert_true(genl_peers_add(&m, &first));
	len = m.nlh->nlmsg_len;
	assert_false(genl_peers_add(&m, &large));
	assert_int_equal(m.nlh->nlmsg_len, len);
	assert_int_equal(m.n_allowed, 0);
	free(buf);
}

/* A message like those of a dump, under construction. */
struct reply {
	union {
		struct nlmsghdr nlh;
		uint8_t bytes[4096];
	} u;
	struct nlattr *peers;
};

static void reply_begin(struct reply *r)
{
	struct genlmsghdr *genl;

	memset(r, 0, sizeof(*r));
	mnl_nlmsg_put_header(r->u.bytes)->nlmsg_type = FAMILY;
	genl = mnl_nlmsg_put_extra_header(&r->u.nlh, sizeof(*genl));
	genl->cmd = WG_CMD_GET_DEVICE;
	mnl_attr_put_strz(&r->u.nlh, WGDEVICE_A_IFNAME, "wg0");
}

static struct nlattr *reply_peer(struct reply *r, uint8_t key)
{
	uint8_t bytes[WG_KEY_LEN];
	struct nlattr *nest;

	if (!r->peers)
		r->peers = mnl_attr_nest_start(&r->u.nlh, WGDEVICE_A_PEERS);
	nest = mnl_attr_nest_start(&r->u.nlh, 0);
	memset(bytes, key, sizeof(bytes));
	mnl_attr_put(&r->u.nlh, WGPEER_A_PUBLIC_KEY, sizeof(bytes), bytes);
	return nest;
}

static void reply_allowed(struct reply *r, uint8_t from, uint8_t to)
{
	struct nlattr *list = mnl_attr_nest_start(&r->u.nlh, WGPEER_A_ALLOWEDIPS);

	for (uint8_t i = from; i < to; i++) {
		struct nlattr *nest = mnl_attr_nest_start(&r->u.nlh, 0);
		uint8_t ip[4] = { 10, 0, 0, i };

		mnl_attr_put_u16(&r->u.nlh, WGALLOWEDIP_A_FAMILY, AF_INET);
		mnl_attr_put(&r->u.nlh, WGALLOWEDIP_A_IPADDR, sizeof(ip), ip);
		mnl_attr_put_u8(&r->u.nlh, WGALLOWEDIP_A_CIDR_MASK, 32);
		mnl_attr_nest_end(&r->u.nlh, nest);
	}
	mnl_attr_nest_end(&r->u.nlh, list);
}

static void reply_end(struct reply *r, struct nlattr *peer)
{
	if (peer)
		mnl_attr_nest_end(&r->u.nlh, peer);
	if (r->peers)
		mnl_attr_nest_end(&r->u.nlh, r->peers);
}

static void full_reply(struct reply *r)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(7) };
	int64_t handshake[2] = { 1700000000, 5 };
	uint8_t key[WG_KEY_LEN] = { 9 };
	struct nlattr *peer;

	reply_begin(r);
	mnl_attr_put(&r->u.nlh, WGDEVICE_A_PUBLIC_KEY, sizeof(key), key);
	mnl_attr_put(&r->u.nlh, WGDEVICE_A_PRIVATE_KEY, sizeof(key), key);
	mnl_attr_put_u16(&r->u.nlh, WGDEVICE_A_LISTEN_PORT, 51820);
	peer = reply_peer(r, 1);
	sin6.sin6_addr.s6_addr[15] = 1;
	mnl_attr_put(&r->u.nlh, WGPEER_A_ENDPOINT, sizeof(sin6), &sin6);
	mnl_attr_put_u16(&r->u.nlh, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25);
	mnl_attr_put(&r->u.nlh, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof(handshake), handshake);
	mnl_attr_put_u64(&r->u.nlh, WGPEER_A_RX_BYTES, UINT64_MAX);
	mnl_attr_put_u64(&r->u.nlh, WGPEER_A_TX_BYTES, 7);
	reply_allowed(r, 0, 3);
	reply_end(r, peer);
}

struct seen {
	size_t n;
	struct wg_peer_state peers[4];
	int result;
};

static int remember(const struct wg_peer_state *peer, void *arg)
{
	struct seen *seen = arg;

	if (seen->n < ARRAY_LEN(seen->peers))
		seen->peers[seen->n] = *peer;
	seen->n++;
	return seen->result;
}

static void an_answer_is_read_into_the_model(void **state)
{
	struct seen seen = { 0 };
	struct genl_dump d = { .family = FAMILY, .fn = remember, .arg = &seen };
	char text[ENDPOINT_TEXT_SIZE];
	struct reply r;

	(void)state;
	full_reply(&r);
	assert_int_equal(genl_dump_message(&d, &r.u.nlh), 0);
	assert_int_equal(seen.n, 0);
	assert_int_equal(genl_dump_end(&d), 0);
	assert_int_equal(genl_dump_end(&d), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(d.dev.public_key.b[0], 9);
	assert_int_equal(d.dev.listen_port, 51820);
	assert_int_equal(seen.peers[0].handshake_s, 1700000000);
	assert_true(seen.peers[0].rx_bytes == UINT64_MAX);
	assert_int_equal(seen.peers[0].tx_bytes, 7);
	assert_int_equal(seen.peers[0].keepalive_s, 25);
	assert_int_equal(seen.peers[0].n_allowed, 3);
	assert_string_equal(endpoint_format(text, &seen.peers[0].endpoint), "[::1]:7");
}

static void a_peer_goes_on_in_the_next_message(void **state)
{
	struct seen seen = { 0 };
	struct genl_dump d = { .family = FAMILY, .fn = remember, .arg = &seen };
	struct nlattr *peer;
	struct reply r;

	(void)state;
	full_reply(&r);
	assert_int_equal(genl_dump_message(&d, &r.u.nlh), 0);
	reply_begin(&r);
	peer = reply_peer(&r, 1);
	reply_allowed(&r, 3, 10);
	mnl_attr_nest_end(&r.u.nlh, peer);
	peer = reply_peer(&r, 2);
	reply_allowed(&r, 10, 11);
	reply_end(&r, peer);
	assert_int_equal(genl_dump_message(&d, &r.u.nlh), 0);
	assert_int_equal(genl_dump_end(&d), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.peers[0].n_allowed, 10);
	assert_int_equal(seen.peers[0].keepalive_s, 25);
	assert_int_equal(seen.peers[0].allowed[9].ip.b[3], 9);
	assert_int_equal(seen.peers[1].n_allowed, 1);
	assert_int_equal(seen.peers[1].keepalive_s, 0);
}

static void prefixes_beyond_the_model_are_cut(void **state)
{
	struct seen seen = { 0 };
	struct genl_dump d = { .family = FAMILY, .fn = remember, .arg = &seen };

	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		struct reply r;
		struct nlattr *peer;

		reply_begin(&r);
		peer = reply_peer(&r, 1);
		reply_allowed(&r, (uint8_t)(50 * i), (uint8_t)(50 * i + 50));
		reply_end(&r, peer);
		assert_int_equal(genl_dump_message(&d, &r.u.nlh), 0);
	}
	assert_int_equal(genl_dump_end(&d), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.peers[0].n_allowed, WG_ALLOWED_MAX);
}

static void a_callback_stops_the_reading(void **state)
{
	struct seen seen = { .result = 5 };
	struct genl_dump d = { .family = FAMILY, .fn = remember, .arg = &seen };
	struct nlattr *peer;
	struct reply r;

	(void)state;
	reply_begin(&r);
	for (uint8_t i = 1; i <= 3; i++) {
		peer = reply_peer(&r, i);
		mnl_attr_nest_end(&r.u.nlh, peer);
	}
	reply_end(&r, NULL);
	assert_int_equal(genl_dump_message(&d, &r.u.nlh), 5);
	assert_int_equal(seen.n, 1);
}

/* Reads a message from a heap copy of exactly its size, where a sanitizer sees overreads. */
static int read_copy(const struct nlmsghdr *nlh, size_t len)
{
	struct seen seen = { 0 };
	struct genl_dump d = { .family = FAMILY, .fn = remember, .arg = &seen };
	struct nlmsghdr *copy = malloc(len);
	int r = -EBADMSG;

	assert_non_null(copy);
	memcpy(copy, nlh, len);
	if (mnl_nlmsg_ok(copy, (int)len))
		r = genl_dump_message(&d, copy);
	assert_true(genl_dump_end(&d) == 0);
	free(copy);
	return r;
}

static void an_answer_cut_anywhere_is_read_safely(void **state)
{
	struct reply r;
	uint32_t len;

	(void)state;
	full_reply(&r);
	len = r.u.nlh.nlmsg_len;
	assert_int_equal(read_copy(&r.u.nlh, len), 0);
	for (uint32_t cut = sizeof(struct nlmsghdr); cut < len; cut++) {
		assert_int_equal(read_copy(&r.u.nlh, cut), -EBADMSG);
		/* Also with a header that agrees with the cut. */
		r.u.nlh.nlmsg_len = cut;
		(void)read_copy(&r.u.nlh, cut);
		r.u.nlh.nlmsg_len = len;
	}
}

static void an_answer_with_any_byte_changed_is_read_safely(void **state)
{
	static const uint8_t wrong[] = { 0, 1, 3, 4, 5, 0x7f, 0x80, 0xff };
	struct reply r;
	uint32_t len;

	(void)state;
	full_reply(&r);
	len = r.u.nlh.nlmsg_len;
	for (uint32_t i = 0; i < len * ARRAY_LEN(wrong); i++) {
		uint32_t at = i / (uint32_t)ARRAY_LEN(wrong);
		uint8_t before = r.u.bytes[at];
		int result;

		r.u.bytes[at] = wrong[i % ARRAY_LEN(wrong)];
		result = read_copy(&r.u.nlh, len);
		assert_true(result == 0 || result == -EBADMSG);
		r.u.bytes[at] = before;
	}
}

static void a_family_number_is_read_or_refused(void **state)
{
	struct reply r;
	uint16_t family;

	(void)state;
	reply_begin(&r);
	r.u.nlh.nlmsg_type = GENL_ID_CTRL;
	assert_int_equal(genl_parse_family(&family, &r.u.nlh), -EBADMSG);
	mnl_attr_put_u16(&r.u.nlh, CTRL_ATTR_FAMILY_ID, FAMILY);
	assert_int_equal(genl_parse_family(&family, &r.u.nlh), 0);
	assert_int_equal(family, FAMILY);
	r.u.nlh.nlmsg_type = FAMILY;
	assert_int_equal(genl_parse_family(&family, &r.u.nlh), -EBADMSG);
	reply_begin(&r);
	r.u.nlh.nlmsg_type = GENL_ID_CTRL;
	mnl_attr_put_u32(&r.u.nlh, CTRL_ATTR_FAMILY_ID, FAMILY);
	assert_int_equal(genl_parse_family(&family, &r.u.nlh), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(family_lookup_has_these_bytes),
		cmocka_unit_test(a_dump_request_has_these_bytes),
		cmocka_unit_test(key_and_port_have_these_bytes),
		cmocka_unit_test(a_removed_peer_is_its_key_and_a_flag),
		cmocka_unit_test(a_thousand_peers_are_four_full_messages),
		cmocka_unit_test(of_plain_peers_356_make_a_message),
		cmocka_unit_test(one_peer_is_one_message),
		cmocka_unit_test(a_peer_that_no_message_has_room_for_goes_on_in_the_next),
		cmocka_unit_test(a_peer_that_fits_into_the_next_message_is_not_split),
		cmocka_unit_test(an_answer_is_read_into_the_model),
		cmocka_unit_test(a_peer_goes_on_in_the_next_message),
		cmocka_unit_test(prefixes_beyond_the_model_are_cut),
		cmocka_unit_test(a_callback_stops_the_reading),
		cmocka_unit_test(an_answer_cut_anywhere_is_read_safely),
		cmocka_unit_test(an_answer_with_any_byte_changed_is_read_safely),
		cmocka_unit_test(a_family_number_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
