/* SPDX-License-Identifier: MIT */
#include "daemon/net/hostaddr.h"
#include "daemon/net/rtnl_msg.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/netns.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static struct hostaddrs list_of(const char *const *nets)
{
	struct hostaddrs list = { .n = 0 };

	for (; nets[list.n]; list.n++)
		list.at[list.n] =
			(struct hostaddr) { .net = prefix_of(nets[list.n]), .ifindex = 2 };
	return list;
}

/* What the kernel would tell of an address. */
static void message(union rtnl_req *req, const char *net, uint8_t flags)
{
	struct prefix p = prefix_of(net);
	struct ifaddrmsg *ifa;

	rtnl_msg_addr(req, true, 2, &p);
	req->nlh.nlmsg_type = RTM_NEWADDR;
	ifa = (struct ifaddrmsg *)(void *)(req->bytes + NLMSG_HDRLEN);
	ifa->ifa_flags = flags;
}

static void an_address_is_read_with_what_it_is_worth(void **state)
{
	struct hostaddr a;
	union rtnl_req req;

	(void)state;
	message(&req, "2a02::5/64", IFA_F_PERMANENT);
	assert_int_equal(hostaddr_parse(&a, &req.nlh), 0);
	assert_true(!a.is_temporary && !a.is_deprecated && !a.is_tentative);
	assert_int_equal(a.ifindex, 2);
	message(&req, "2a02::5/64", IFA_F_TEMPORARY | IFA_F_DEPRECATED);
	assert_int_equal(hostaddr_parse(&a, &req.nlh), 0);
	assert_true(a.is_temporary && a.is_deprecated && !a.is_tentative);
	message(&req, "2a02::5/64", IFA_F_DADFAILED);
	assert_int_equal(hostaddr_parse(&a, &req.nlh), 0);
	assert_true(a.is_tentative);
	/* The same bit means "secondary" in IPv4. */
	message(&req, "198.51.100.5/24", IFA_F_SECONDARY);
	assert_int_equal(hostaddr_parse(&a, &req.nlh), 0);
	assert_false(a.is_temporary);
}

static void what_comes_and_goes_makes_no_difference(void **state)
{
	static const char *const one[] = { "198.51.100.5/24", "2a02::5/64", NULL };
	static const char *const two[] = { "2a02::5/64", "198.51.100.5/24", NULL };
	static const char *const more[] = { "198.51.100.5/24", "2a02::5/64", "2a02::6/64", NULL };
	struct hostaddrs a = list_of(one);
	struct hostaddrs b = list_of(two);

	(void)state;
	assert_true(hostaddrs_equal(&a, &b, AF_INET) && hostaddrs_equal(&a, &b, AF_INET6));
	b = list_of(more);
	assert_true(hostaddrs_equal(&a, &b, AF_INET));
	assert_false(hostaddrs_equal(&a, &b, AF_INET6));
	assert_false(hostaddrs_equal(&b, &a, AF_INET6));
	b.at[2].is_temporary = true;
	assert_true(hostaddrs_equal(&a, &b, AF_INET6));
	b.at[2].is_temporary = false;
	b.at[2].is_tentative = true;
	assert_true(hostaddrs_equal(&a, &b, AF_INET6));
	b.at[1].is_deprecated = true;
	assert_false(hostaddrs_equal(&a, &b, AF_INET6));
}

static void networks_reach_their_neighbours(void **state)
{
	static const char *const nets[] = { "198.51.100.5/24", "2a02::5/64", NULL };
	struct hostaddrs list = list_of(nets);
	struct ip ip = ip_of("198.51.100.77");

	(void)state;
	assert_true(hostaddrs_reach(&list, &ip));
	assert_false(hostaddrs_have(&list, &ip));
	ip = ip_of("198.51.101.5");
	assert_false(hostaddrs_reach(&list, &ip));
	ip = ip_of("2a02::5");
	assert_true(hostaddrs_have(&list, &ip));
}

/* --- in a namespace --------------------------------------------------------------------------- */

#define IP(...) netns_ip((const char *const[]) { __VA_ARGS__, NULL })

static void the_kernel_tells_of_interfaces_that_are_up_and_connected(void **state)
{
	struct ip ip = ip_of("198.51.100.5");
	struct hostaddrs list;

	(void)state;
	IP("link", "add", "a0", "type", "veth", "peer", "name", "a1");
	IP("addr", "add", "198.51.100.5/24", "dev", "a0");
	IP("addr", "add", "2a02::5/64", "dev", "a0", "nodad");
	assert_int_equal(hostaddr_read(&list, 0), 0);
	assert_int_equal(list.n, 0);
	IP("link", "set", "a0", "up");
	assert_int_equal(hostaddr_read(&list, 0), 0);
	assert_false(hostaddrs_have(&list, &ip));
	/* The other end of the cable. */
	IP("link", "set", "a1", "up");
	/* The kernel finds the cable plugged in when it gets to it. */
	for (int tries = 0; tries < 500; tries++) {
		assert_int_equal(hostaddr_read(&list, 0), 0);
		if (list.n == 2)
			break;
		(void)poll(NULL, 0, 10);
	}
	assert_int_equal(list.n, 2);
	assert_true(hostaddrs_have(&list, &ip));
	assert_int_equal(hostaddr_read(&list, list.at[0].ifindex), 0);
	assert_int_equal(list.n, 0);
}

static void a_way_is_a_route(void **state)
{
	struct endpoint near = endpoint_of("198.51.100.77:9");
	struct endpoint far = endpoint_of("203.0.113.1:9");
	struct endpoint far6 = endpoint_of("[2b02::1]:9");
	char text[IP_TEXT_SIZE];
	struct ip ip;

	(void)state;
	assert_true(hostaddr_source(&ip, &near));
	assert_string_equal(ip_format(text, &ip), "198.51.100.5");
	assert_false(hostaddr_source(&ip, &far));
	assert_int_equal(ip.family, 0);
	assert_false(hostaddr_source(&ip, &far6));
	IP("route", "add", "default", "via", "198.51.100.1");
	IP("-6", "route", "add", "default", "dev", "a0");
	assert_true(hostaddr_source(&ip, &far));
	assert_true(hostaddr_source(&ip, &far6));
	assert_string_equal(ip_format(text, &ip), "2a02::5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_read_with_what_it_is_worth),
		cmocka_unit_test(what_comes_and_goes_makes_no_difference),
		cmocka_unit_test(networks_reach_their_neighbours),
		cmocka_unit_test(the_kernel_tells_of_interfaces_that_are_up_and_connected),
		cmocka_unit_test(a_way_is_a_route),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
