/* SPDX-License-Identifier: MIT */
#include "daemon/net/ifstate.h"
#include "daemon/net/rtnl_msg.h"
#include "tests/unit/fixtures.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OURS   7
#define OTHERS 8
#define SEQ    41

/* Messages as the kernel would send them: ours differ from them in their type and flags only. */
static unsigned int take(struct ifstate *s, union rtnl_req *req, uint16_t type)
{
	req->nlh.nlmsg_type = type;
	req->nlh.nlmsg_seq = SEQ;
	return ifstate_take(s, req, req->nlh.nlmsg_len);
}

static unsigned int take_link(struct ifstate *s, int ifindex, bool up, uint16_t type)
{
	union rtnl_req req;

	rtnl_msg_link_up(&req, ifindex, up);
	return take(s, &req, type);
}

static unsigned int take_addr(struct ifstate *s, int ifindex, const char *text, uint16_t type)
{
	struct prefix p = prefix_of(text);
	union rtnl_req req;

	rtnl_msg_addr(&req, true, ifindex, &p);
	return take(s, &req, type);
}

/* The end of a dump, or an error. */
static unsigned int take_verdict(struct ifstate *s, uint16_t type, int code, uint16_t flags)
{
	union {
		struct {
			struct nlmsghdr nlh;
			struct nlmsgerr err;
		} m;
		union rtnl_req req;
	} u;

	memset(&u, 0, sizeof(u));
	u.m.nlh.nlmsg_len = sizeof(u.m);
	u.m.nlh.nlmsg_flags = flags;
	u.m.err.error = code;
	return take(s, &u.req, type);
}

/* An interface that is up, with one address, as a first dump finds it. */
static struct ifstate known(void)
{
	struct ifstate s;

	ifstate_init(&s, OURS);
	ifstate_begin(&s, SEQ);
	assert_int_equal(take_link(&s, OURS, true, RTM_NEWLINK), IFSTATE_CHANGED);
	assert_int_equal(take_addr(&s, OURS, "10.77.0.1/16", RTM_NEWADDR), IFSTATE_CHANGED);
	assert_false(s.is_known);
	assert_int_equal(take_verdict(&s, NLMSG_DONE, 0, 0), IFSTATE_END | IFSTATE_CHANGED);
	assert_true(s.is_known && s.exists && s.is_up);
	return s;
}

static void what_is_told_again_is_no_change(void **state)
{
	struct ifstate s = known();

	(void)state;
	assert_int_equal(take_link(&s, OURS, true, RTM_NEWLINK), 0);
	assert_int_equal(take_addr(&s, OURS, "10.77.0.1/16", RTM_NEWADDR), 0);
	assert_int_equal(s.n, 1);
}

static void it_goes_down_and_up(void **state)
{
	struct ifstate s = known();

	(void)state;
	assert_int_equal(take_link(&s, OURS, false, RTM_NEWLINK), IFSTATE_CHANGED);
	assert_false(s.is_up);
	assert_int_equal(take_link(&s, OURS, true, RTM_NEWLINK), IFSTATE_CHANGED | IFSTATE_RAISED);
	assert_true(s.is_up);
}

static void addresses_come_and_go(void **state)
{
	struct ip one = ip_of("10.77.0.1");
	struct ip two = ip_of("fd00::1");
	struct ifstate s = known();

	(void)state;
	assert_true(ifstate_has(&s, &one));
	assert_false(ifstate_has(&s, &two));
	assert_int_equal(take_addr(&s, OURS, "fd00::1/64", RTM_NEWADDR), IFSTATE_CHANGED);
	assert_true(ifstate_has(&s, &two));
	assert_int_equal(take_addr(&s, OURS, "10.77.0.1/16", RTM_DELADDR), IFSTATE_CHANGED);
	assert_false(ifstate_has(&s, &one));
	assert_true(ifstate_has(&s, &two));
	assert_int_equal(take_addr(&s, OURS, "10.77.0.1/16", RTM_DELADDR), 0);
}

static void of_other_interfaces_only_a_change_is_told(void **state)
{
	struct ifstate s = known();

	(void)state;
	assert_int_equal(take_link(&s, OTHERS, false, RTM_NEWLINK), IFSTATE_ELSEWHERE);
	assert_int_equal(take_link(&s, OTHERS, false, RTM_DELLINK), IFSTATE_ELSEWHERE);
	assert_int_equal(take_addr(&s, OTHERS, "10.77.0.1/16", RTM_DELADDR), IFSTATE_ELSEWHERE);
	assert_int_equal(take_addr(&s, OTHERS, "10.77.0.2/16", RTM_NEWADDR), IFSTATE_ELSEWHERE);
	assert_true(s.exists && s.is_up && s.n == 1);
}

static void a_deleted_interface_has_nothing(void **state)
{
	struct ifstate s = known();

	(void)state;
	assert_int_equal(take_link(&s, OURS, true, RTM_DELLINK), IFSTATE_CHANGED);
	assert_false(s.exists || s.is_up);
	assert_int_equal(s.n, 0);
	assert_int_equal(take_link(&s, OURS, true, RTM_DELLINK), 0);
}

/* A bridge reports so that a port leaves it, and the port is still there. */
static void leaving_a_bridge_is_no_end(void **state)
{
	struct ifstate s = known();
	union rtnl_req req;

	(void)state;
	rtnl_msg_link_up(&req, OURS, true);
	((struct ifinfomsg *)NLMSG_DATA(&req.nlh))->ifi_family = AF_BRIDGE;
	assert_int_equal(take(&s, &req, RTM_DELLINK), 0);
	assert_true(s.exists);
}

static void one_that_was_gone_before_the_first_question_is_known_to_be(void **state)
{
	struct ifstate s;

	(void)state;
	ifstate_init(&s, OURS);
	ifstate_begin(&s, SEQ);
	assert_int_equal(take_verdict(&s, NLMSG_ERROR, -ENODEV, 0), IFSTATE_CHANGED);
	assert_true(s.is_known);
	assert_false(s.exists);
}

static void what_a_new_dump_does_not_show_is_gone(void **state)
{
	struct ip gone = ip_of("fd00::1");
	struct ifstate s = known();

	(void)state;
	assert_int_equal(take_addr(&s, OURS, "fd00::1/64", RTM_NEWADDR), IFSTATE_CHANGED);
	ifstate_begin(&s, SEQ);
	assert_true(ifstate_has(&s, &gone));
	assert_int_equal(take_addr(&s, OURS, "10.77.0.1/16", RTM_NEWADDR), 0);
	assert_int_equal(take_verdict(&s, NLMSG_DONE, 0, 0), IFSTATE_END | IFSTATE_CHANGED);
	assert_false(ifstate_has(&s, &gone));
	assert_int_equal(s.n, 1);
}

static void an_interrupted_dump_is_begun_again_and_forgets_nothing(void **state)
{
	struct ifstate s = known();

	(void)state;
	ifstate_begin(&s, SEQ);
	assert_int_equal(take_verdict(&s, NLMSG_DONE, 0, NLM_F_DUMP_INTR), IFSTATE_AGAIN);
	assert_int_equal(s.n, 1);
	/* The end of a dump that nobody asked for any more. */
	assert_int_equal(take_verdict(&s, NLMSG_DONE, 0, 0), 0);
	assert_int_equal(s.n, 1);
	ifstate_begin(&s, SEQ);
	assert_int_equal(take_verdict(&s, NLMSG_ERROR, -EBUSY, 0), IFSTATE_AGAIN);
}

static void more_addresses_than_there_is_room_for_are_left_out(void **state)
{
	struct ifstate s = known();
	char text[32];

	(void)state;
	for (int i = 0; i < 2 * IFSTATE_ADDRESSES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "10.77.1.%d/24", i + 1);
		(void)take_addr(&s, OURS, text, RTM_NEWADDR);
	}
	assert_int_equal(s.n, IFSTATE_ADDRESSES_MAX);
}

/* A datagram of exactly @len bytes, so that a sanitizer sees whoever reads further. */
static void take_exactly(const void *bytes, size_t len)
{
	struct ifstate s = known();
	void *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	(void)ifstate_take(&s, copy, len);
	assert_true(s.n <= IFSTATE_ADDRESSES_MAX);
	free(copy);
}

static void bytes_cut_or_flipped_anywhere_do_no_harm(void **state)
{
	static const uint16_t types[] = { RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR,
					  RTM_DELADDR, NLMSG_ERROR, NLMSG_DONE };
	struct prefix p = prefix_of("fd00::1/64");
	union rtnl_req req;

	(void)state;
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		rtnl_msg_addr(&req, true, OURS, &p);
		req.nlh.nlmsg_type = types[t];
		for (size_t len = 0; len <= req.nlh.nlmsg_len; len++)
			take_exactly(&req, len);
		for (size_t bit = 0; bit < 8UL * req.nlh.nlmsg_len; bit++) {
			union rtnl_req flipped = req;

			flipped.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
			take_exactly(&flipped, req.nlh.nlmsg_len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_again_is_no_change),
		cmocka_unit_test(it_goes_down_and_up),
		cmocka_unit_test(addresses_come_and_go),
		cmocka_unit_test(of_other_interfaces_only_a_change_is_told),
		cmocka_unit_test(a_deleted_interface_has_nothing),
		cmocka_unit_test(leaving_a_bridge_is_no_end),
		cmocka_unit_test(one_that_was_gone_before_the_first_question_is_known_to_be),
		cmocka_unit_test(what_a_new_dump_does_not_show_is_gone),
		cmocka_unit_test(an_interrupted_dump_is_begun_again_and_forgets_nothing),
		cmocka_unit_test(more_addresses_than_there_is_room_for_are_left_out),
		cmocka_unit_test(bytes_cut_or_flipped_anywhere_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
