/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "daemon/net/nlmsg.h"
#include "daemon/net/rtnl_msg.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

static struct prefix prefix(const char *text)
{
	struct prefix out;

	assert_int_equal(prefix_parse(&out, text), 0);
	return out;
}

static void assert_bytes(const union rtnl_req *req, const uint8_t *golden, size_t len)
{
	assert_int_equal(req->nlh.nlmsg_len, len);
	assert_memory_equal(req->bytes, golden, len);
}

static void a_new_link_has_these_bytes(void **state)
{
	static const uint8_t golden[] = {
		60, 0, 0, 0,   16,  0,	 0x05, 6,   0,	 0,   0,   0,	0,  0,	  0,
		0,  0, 0, 0,   0,   0,	 0,    0,   0,	 0,   0,   0,	0,  0,	  0,
		0,  0, 8, 0,   3,   0,	 'w',  'g', '0', 0,   20,  0,	18, 0x80, 14,
		0,  1, 0, 'w', 'i', 'r', 'e',  'g', 'u', 'a', 'r', 'd', 0,  0,	  0,
	};
	union rtnl_req req;

	(void)state;
	rtnl_msg_link_create(&req, "wg0", "wireguard");
	assert_bytes(&req, golden, sizeof(golden));
}

static void up_and_down_differ_in_one_flag(void **state)
{
	static const uint8_t golden[] = {
		32, 0, 0, 0, 19, 0, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0,  0, 0, 0, 7,	 0, 0,	  0, 1, 0, 0, 0, 1, 0, 0, 0,
	};
	union rtnl_req req;

	(void)state;
	rtnl_msg_link_up(&req, 7, true);
	assert_bytes(&req, golden, sizeof(golden));
	rtnl_msg_link_up(&req, 7, false);
	assert_int_equal(req.bytes[24], 0);
	assert_int_equal(req.bytes[28], 1);
}

static void an_alias_travels_without_its_nul(void **state)
{
	static const uint8_t tail[] = { 10, 0, 20, 0, 'w', 'g', 'm', 'e', 's', 'h', 0, 0 };
	union rtnl_req req;

	(void)state;
	rtnl_msg_link_alias(&req, 7, "wgmesh");
	assert_int_equal(req.nlh.nlmsg_len, 32 + sizeof(tail));
	assert_memory_equal(req.bytes + 32, tail, sizeof(tail));
}

static void a_name_travels_with_its_nul(void **state)
{
	static const uint8_t tail[] = { 8, 0, 3, 0, 'w', 'g', '0', 0 };
	union rtnl_req req;

	(void)state;
	rtnl_msg_link_name(&req, 7, "wg0");
	assert_int_equal(req.nlh.nlmsg_len, 32 + sizeof(tail));
	assert_memory_equal(req.bytes + 32, tail, sizeof(tail));
}

static void ipv6_addresses_skip_duplicate_detection(void **state)
{
	struct prefix v6 = prefix("fd00::1/64");
	struct prefix v4 = prefix("10.36.1.2/16");
	static const uint8_t golden[] = {
		40, 0, 0, 0, 20, 0, 0x05, 6, 0,	 0,  0, 0, 0, 0, 0, 0, 2,  16, 0, 0,
		7,  0, 0, 0, 8,	 0, 2,	  0, 10, 36, 1, 2, 8, 0, 1, 0, 10, 36, 1, 2,
	};
	union rtnl_req req;

	(void)state;
	rtnl_msg_addr(&req, true, 7, &v4);
	assert_bytes(&req, golden, sizeof(golden));
	rtnl_msg_addr(&req, true, 7, &v6);
	assert_int_equal(req.bytes[16], AF_INET6);
	assert_int_equal(req.bytes[17], 64);
	assert_int_equal(req.bytes[18], IFA_F_NODAD);
	assert_int_equal(req.nlh.nlmsg_len, 24 + 20 + 20);
}

static void a_route_carries_our_protocol_number(void **state)
{
	static const uint8_t golden[] = {
		44,
		0,
		0,
		0,
		24,
		0,
		0x05,
		6,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		2,
		24,
		0,
		0,
		254,
		RTNL_PROTOCOL_WGMESH,
		RT_SCOPE_LINK,
		1,
		0,
		0,
		0,
		0,
		8,
		0,
		1,
		0,
		10,
		9,
		8,
		0,
		8,
		0,
		4,
		0,
		7,
		0,
		0,
		0,
	};
	struct prefix v4 = prefix("10.9.8.0/24");
	struct prefix all = prefix("::/0");
	union rtnl_req req;

	(void)state;
	rtnl_msg_route(&req, true, 7, &v4);
	assert_bytes(&req, golden, sizeof(golden));
	rtnl_msg_route(&req, false, 7, &v4);
	assert_int_equal(req.nlh.nlmsg_type, RTM_DELROUTE);
	assert_int_equal(req.bytes[21], RTNL_PROTOCOL_WGMESH);
	rtnl_msg_route(&req, true, 7, &all);
	assert_int_equal(req.bytes[22], RT_SCOPE_UNIVERSE);
	assert_int_equal(req.nlh.nlmsg_len, 28 + 8);
}

/* A message like those of the kernel, under construction. */
union reply {
	struct nlmsghdr nlh;
	uint8_t bytes[1024];
};

static void *reply_begin(union reply *r, uint16_t type, size_t header)
{
	memset(r, 0, sizeof(*r));
	mnl_nlmsg_put_header(r->bytes)->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(&r->nlh, header);
}

static void link_reply(union reply *r)
{
	struct ifinfomsg *ifi = reply_begin(r, RTM_NEWLINK, sizeof(*ifi));
	struct nlattr *info;

	ifi->ifi_index = 7;
	ifi->ifi_flags = IFF_UP | IFF_LOOPBACK;
	mnl_attr_put_strz(&r->nlh, IFLA_IFNAME, "wg0");
	mnl_attr_put_u32(&r->nlh, IFLA_MTU, 1420);
	info = mnl_attr_nest_start(&r->nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(&r->nlh, IFLA_INFO_KIND, "wireguard");
	mnl_attr_nest_end(&r->nlh, info);
	mnl_attr_put_strz(&r->nlh, IFLA_IFALIAS, "wgmesh");
}

static void addr_reply(union reply *r)
{
	struct ifaddrmsg *ifa = reply_begin(r, RTM_NEWADDR, sizeof(*ifa));
	uint8_t own[4] = { 10, 0, 0, 1 };
	uint8_t other[4] = { 10, 0, 0, 2 };

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 24;
	ifa->ifa_index = 7;
	mnl_attr_put(&r->nlh, IFA_ADDRESS, sizeof(other), other);
	mnl_attr_put(&r->nlh, IFA_LOCAL, sizeof(own), own);
}

static void route_reply(union reply *r)
{
	struct rtmsg *rtm = reply_begin(r, RTM_NEWROUTE, sizeof(*rtm));
	struct rtnexthop hops[2] = { { .rtnh_len = sizeof(hops[0]), .rtnh_ifindex = 8 },
				     { .rtnh_len = sizeof(hops[0]), .rtnh_ifindex = 9 } };
	uint8_t dst[4] = { 10, 9, 8, 0 };

	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 24;
	rtm->rtm_table = RT_TABLE_COMPAT;
	rtm->rtm_protocol = RTNL_PROTOCOL_WGMESH;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put(&r->nlh, RTA_DST, sizeof(dst), dst);
	mnl_attr_put_u32(&r->nlh, RTA_OIF, 7);
	mnl_attr_put(&r->nlh, RTA_MULTIPATH, sizeof(hops), hops);
	mnl_attr_put_u32(&r->nlh, RTA_TABLE, 1000);
}

static void ack_reply(union reply *r)
{
	struct nlmsgerr *ack = reply_begin(r, NLMSG_ERROR, sizeof(*ack));

	r->nlh.nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	ack->error = -EOPNOTSUPP;
	ack->msg.nlmsg_len = 4000;
	mnl_attr_put_strz(&r->nlh, NLMSGERR_ATTR_MSG, "Unknown device type");
}

static void answers_are_read_into_the_model(void **state)
{
	struct rtnl_link_msg link;
	struct rtnl_route route;
	struct prefix addr;
	union reply r;
	bool is_global;
	int ifindex;
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	link_reply(&r);
	assert_int_equal(rtnl_msg_parse_link(&link, &r.nlh), 0);
	assert_int_equal(link.link.index, 7);
	assert_true(link.link.is_up && link.is_loopback);
	assert_int_equal(link.link.mtu, 1420);
	assert_string_equal(link.link.kind, "wireguard");
	assert_string_equal(link.link.alias, "wgmesh");
	addr_reply(&r);
	assert_int_equal(rtnl_msg_parse_addr(&addr, &ifindex, &is_global, &r.nlh), 0);
	assert_string_equal(prefix_format(text, &addr), "10.0.0.1/24");
	assert_int_equal(ifindex, 7);
	assert_true(is_global);
	route_reply(&r);
	assert_int_equal(rtnl_msg_parse_route(&route, &r.nlh), 0);
	assert_string_equal(prefix_format(text, &route.dst), "10.9.8.0/24");
	assert_int_equal(route.table, 1000);
	assert_int_equal(route.protocol, RTNL_PROTOCOL_WGMESH);
	assert_int_equal(route.n_oif, 3);
	assert_int_equal(route.oif[0], 7);
	assert_int_equal(route.oif[2], 9);
}

static void a_long_alias_is_not_taken_for_a_short_one(void **state)
{
	struct rtnl_link_msg link;
	char alias[256];
	union reply r;

	(void)state;
	memset(alias, 'a', sizeof(alias) - 1);
	alias[sizeof(alias) - 1] = '\0';
	link_reply(&r);
	mnl_attr_put_strz(&r.nlh, IFLA_IFALIAS, alias);
	assert_int_equal(rtnl_msg_parse_link(&link, &r.nlh), 0);
	assert_int_equal(strlen(link.link.alias), RTNL_ALIAS_SIZE - 1);
}

static void other_messages_are_told_apart(void **state)
{
	struct rtnl_link_msg link;
	struct rtnl_route route;
	struct prefix addr;
	union reply r;
	bool is_global;
	int ifindex;

	(void)state;
	addr_reply(&r);
	assert_int_equal(rtnl_msg_parse_link(&link, &r.nlh), -ENOMSG);
	assert_int_equal(rtnl_msg_parse_route(&route, &r.nlh), -ENOMSG);
	r.bytes[16] = AF_UNIX;
	assert_int_equal(rtnl_msg_parse_addr(&addr, &ifindex, &is_global, &r.nlh), -ENOMSG);
	link_reply(&r);
	assert_int_equal(rtnl_msg_parse_addr(&addr, &ifindex, &is_global, &r.nlh), -ENOMSG);
}

static void a_refusal_carries_the_kernels_words(void **state)
{
	struct nlmsg_verdict v;
	struct err e;
	union reply r;

	(void)state;
	ack_reply(&r);
	nlmsg_verdict(&v, &r.nlh);
	assert_int_equal(v.code, -EOPNOTSUPP);
	assert_string_equal(v.text, "Unknown device type");
	assert_int_equal(nlmsg_fail(&e, &v, "create %s", "wg0"), -EOPNOTSUPP);
	assert_string_equal(e.msg, "create wg0: the kernel says \"Unknown device type\"");
	assert_int_equal(e.exit_code, 0);
	v.code = -EPERM;
	assert_int_equal(nlmsg_fail(&e, &v, "create %s", "wg0"), -EPERM);
	assert_int_equal(e.exit_code, EXITS_NO_PERMISSION);
	assert_non_null(strstr(e.msg, "CAP_NET_ADMIN"));
	assert_non_null(strstr(e.msg, "--cap-add NET_ADMIN"));
}

static void verdicts_that_cannot_be_are_malformed(void **state)
{
	static const int bad[] = { 1, -4096, INT32_MIN, INT32_MAX };
	struct nlmsg_verdict v;
	union reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ack_reply(&r);
		memcpy(mnl_nlmsg_get_payload(&r.nlh), &bad[i], sizeof(bad[i]));
		nlmsg_verdict(&v, &r.nlh);
		assert_int_equal(v.code, -EBADMSG);
	}
	(void)reply_begin(&r, NLMSG_DONE, 0);
	nlmsg_verdict(&v, &r.nlh);
	assert_int_equal(v.code, 0);
	(void)reply_begin(&r, NLMSG_ERROR, sizeof(int));
	nlmsg_verdict(&v, &r.nlh);
	assert_int_equal(v.code, -EBADMSG);
}

/* Reads a message, from a heap copy of exactly its size, as everything it could be. */
static void read_copy(const struct nlmsghdr *nlh, size_t len)
{
	struct nlmsghdr *copy = malloc(len);
	struct rtnl_link_msg link;
	struct nlmsg_verdict v;
	struct rtnl_route route;
	struct prefix addr;
	bool is_global;
	int ifindex;

	assert_non_null(copy);
	memcpy(copy, nlh, len);
	if (mnl_nlmsg_ok(copy, (int)len)) {
		(void)rtnl_msg_parse_link(&link, copy);
		(void)rtnl_msg_parse_addr(&addr, &ifindex, &is_global, copy);
		(void)rtnl_msg_parse_route(&route, copy);
		nlmsg_verdict(&v, copy);
		assert_true(link.link.index >= 0 && v.code <= 0);
		assert_true(addr.bits <= 128 && route.n_oif <= ARRAY_LEN(route.oif));
	}
	free(copy);
}

static void (*const replies[])(union reply *r) = { link_reply, addr_reply, route_reply, ack_reply };

static void answers_cut_anywhere_are_read_safely(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		union reply r;
		uint32_t len;

		replies[i](&r);
		len = r.nlh.nlmsg_len;
		for (uint32_t cut = sizeof(struct nlmsghdr); cut <= len; cut++) {
			r.nlh.nlmsg_len = cut;
			read_copy(&r.nlh, cut);
		}
	}
}

static void answers_with_any_byte_changed_are_read_safely(void **state)
{
	static const uint8_t wrong[] = { 0, 1, 2, 3, 4, 5, 10, 0x7f, 0x80, 0xff };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		union reply r;
		uint32_t len;

		replies[i](&r);
		len = r.nlh.nlmsg_len;
		for (size_t j = 0; j < len * ARRAY_LEN(wrong); j++) {
			uint8_t before = r.bytes[j / ARRAY_LEN(wrong)];

			r.bytes[j / ARRAY_LEN(wrong)] = wrong[j % ARRAY_LEN(wrong)];
			read_copy(&r.nlh, len);
			r.bytes[j / ARRAY_LEN(wrong)] = before;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_link_has_these_bytes),
		cmocka_unit_test(up_and_down_differ_in_one_flag),
		cmocka_unit_test(an_alias_travels_without_its_nul),
		cmocka_unit_test(a_name_travels_with_its_nul),
		cmocka_unit_test(ipv6_addresses_skip_duplicate_detection),
		cmocka_unit_test(a_route_carries_our_protocol_number),
		cmocka_unit_test(answers_are_read_into_the_model),
		cmocka_unit_test(a_long_alias_is_not_taken_for_a_short_one),
		cmocka_unit_test(other_messages_are_told_apart),
		cmocka_unit_test(a_refusal_carries_the_kernels_words),
		cmocka_unit_test(verdicts_that_cannot_be_are_malformed),
		cmocka_unit_test(answers_cut_anywhere_are_read_safely),
		cmocka_unit_test(answers_with_any_byte_changed_are_read_safely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
