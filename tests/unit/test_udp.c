/* SPDX-License-Identifier: MIT */
#include "daemon/net/udp.h"
#include "tests/unit/fixtures.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GROUP	   "239.192.7.7"
#define PATIENCE_S 5

struct pair {
	struct udp a;
	struct udp b;
	uint16_t port_a;
	uint16_t port_b;
};

static struct pair pair;

static uint16_t port_of(const struct udp *u)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint e;

	assert_int_equal(getsockname(u->fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr(&e, (struct sockaddr *)&ss), 0);
	return e.port;
}

static int open_pair(void **state)
{
	struct err e = { 0 };

	if (udp_open_any(&pair.a, 0, false, &e) < 0 || udp_open_any(&pair.b, 0, false, &e) < 0)
		return -1;
	pair.port_a = port_of(&pair.a);
	pair.port_b = port_of(&pair.b);
	*state = &pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *p = *state;

	udp_close(&p->a);
	udp_close(&p->b);
	return 0;
}

static struct endpoint to(const char *ip, uint16_t port)
{
	return (struct endpoint) { .ip = ip_of(ip), .port = port };
}

static void assert_from(const struct endpoint *from, const char *ip, uint16_t port)
{
	struct endpoint want = to(ip, port);

	if (!endpoint_equal(from, &want))
		assert_endpoint(from, ip);
}

/* Loopback delivers before sendmsg(2) returns, so there is nothing to wait for but the kernel. */
static ssize_t receive(const struct udp *u, char *buf, size_t size, struct endpoint *from,
		       struct udp_local *local)
{
	struct pollfd ready = { .fd = u->fd, .events = POLLIN };

	assert_int_equal(poll(&ready, 1, PATIENCE_S * 1000), 1);
	return udp_receive(u, buf, size, from, local);
}

static void assert_ip(const struct ip *ip, const char *want)
{
	char text[IP_TEXT_SIZE];

	assert_string_equal(ip_format(text, ip), want);
}

static void a_datagram_tells_its_sender_and_the_address_it_came_to(void **state)
{
	const struct pair *p = *state;
	struct endpoint dst = to("127.0.0.9", p->port_b);
	struct udp_local local;
	struct endpoint from;
	char buf[16];

	assert_int_equal(udp_send(&p->a, "hello", 5, &dst, NULL), 0);
	assert_int_equal(receive(&p->b, buf, sizeof(buf), &from, &local), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_from(&from, "127.0.0.1", p->port_a);
	assert_ip(&local.ip, "127.0.0.9");
	assert_int_equal(local.ifindex, if_nametoindex("lo"));
}

static void an_answer_leaves_from_the_address_that_was_asked(void **state)
{
	const struct pair *p = *state;
	struct endpoint dst = to("127.0.0.9", p->port_b);
	struct udp_local local;
	struct endpoint from;
	char buf[16];

	assert_int_equal(udp_send(&p->a, "ask", 3, &dst, NULL), 0);
	assert_int_equal(receive(&p->b, buf, sizeof(buf), &from, &local), 3);
	assert_int_equal(udp_send(&p->b, "answer", 6, &from, &local), 0);
	assert_int_equal(receive(&p->a, buf, sizeof(buf), &from, &local), 6);
	assert_from(&from, "127.0.0.9", p->port_b);
}

static void ipv6_passes_through_the_same_socket(void **state)
{
	const struct pair *p = *state;
	struct endpoint dst = to("::1", p->port_b);
	struct udp_local local;
	struct endpoint from;
	char buf[16];

	if (!p->a.is_v6 || udp_send(&p->a, "six", 3, &dst, NULL) == -EADDRNOTAVAIL)
		skip(); /* a host without IPv6 */
	assert_int_equal(receive(&p->b, buf, sizeof(buf), &from, &local), 3);
	assert_from(&from, "::1", p->port_a);
	assert_ip(&local.ip, "::1");
	assert_int_equal(udp_send(&p->b, "back", 4, &from, &local), 0);
	assert_int_equal(receive(&p->a, buf, sizeof(buf), &from, &local), 4);
	assert_from(&from, "::1", p->port_b);
}

static void an_empty_socket_does_not_block(void **state)
{
	const struct pair *p = *state;
	struct udp_local local;
	struct endpoint from;
	char buf[16];

	assert_int_equal(udp_receive(&p->a, buf, sizeof(buf), &from, &local), -EAGAIN);
}

static void a_datagram_longer_than_the_room_is_an_error_and_gone(void **state)
{
	const struct pair *p = *state;
	struct endpoint dst = to("127.0.0.1", p->port_b);
	struct udp_local local;
	struct endpoint from;
	char buf[4];

	assert_int_equal(udp_send(&p->a, "12345", 5, &dst, NULL), 0);
	assert_int_equal(udp_send(&p->a, "1234", 4, &dst, NULL), 0);
	assert_int_equal(receive(&p->b, buf, sizeof(buf), &from, &local), -EMSGSIZE);
	assert_int_equal(receive(&p->b, buf, sizeof(buf), &from, &local), 4);
	assert_int_equal(udp_receive(&p->b, buf, sizeof(buf), &from, &local), -EAGAIN);
}

static void an_empty_datagram_is_one(void **state)
{
	const struct pair *p = *state;
	struct endpoint dst = to("127.0.0.1", p->port_b);
	struct udp_local local;
	struct endpoint from;
	char buf[4];

	assert_int_equal(udp_send(&p->a, "", 0, &dst, NULL), 0);
	assert_int_equal(receive(&p->b, buf, sizeof(buf), &from, &local), 0);
}

static void nowhere_is_no_destination(void **state)
{
	const struct pair *p = *state;
	struct endpoint none = { .port = 9 };

	assert_int_equal(udp_send(&p->a, "x", 1, &none, NULL), -EDESTADDRREQ);
}

static void a_source_that_is_not_ours_is_refused(void **state)
{
	const struct pair *p = *state;
	struct endpoint dst = to("127.0.0.1", p->port_b);
	struct udp_local local = { .ip = ip_of("192.0.2.1") };

	assert_true(udp_send(&p->a, "x", 1, &dst, &local) < 0);
}

static void closing_twice_is_harmless(void **state)
{
	struct pair *p = *state;
	int fd = p->a.fd;

	udp_close(&p->a);
	assert_int_equal(p->a.fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	udp_close(&p->a);
}

static void a_taken_port_is_refused_by_number(void **state)
{
	int taken = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(any);
	struct udp u = { .fd = -1 };
	struct err e = { 0 };
	char number[8];

	(void)state;
	if (taken < 0)
		skip(); /* a host without IPv6 */
	assert_int_equal(bind(taken, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(getsockname(taken, (struct sockaddr *)&any, &len), 0);
	assert_int_equal(udp_open_any(&u, ntohs(any.sin6_port), true, &e), -EADDRINUSE);
	(void)snprintf(number, sizeof(number), "%u", ntohs(any.sin6_port));
	assert_non_null(strstr(e.msg, number));
	assert_int_equal(u.fd, -1);
	(void)close(taken);
}

/* Two nodes of one mesh in one network: the second one would take all that the first one is sent. */
static void a_port_that_another_node_has_is_refused(void **state)
{
	const struct pair *p = *state;
	struct udp u = { .fd = -1 };
	struct err e = { 0 };

	assert_int_equal(udp_open_any(&u, p->port_b, false, &e), -EADDRINUSE);
	assert_int_equal(u.fd, -1);
	assert_int_equal(udp_open_any(&u, p->port_b, true, &e), 0);
	udp_close(&u);
}

/* The group's port may be that of the exchange: each must get its own datagrams (protocol.md). */
static void unicast_and_multicast_on_one_port_do_not_mix(void **state)
{
	const struct pair *p = *state;
	struct endpoint group = to(GROUP, p->port_b);
	struct endpoint host = to("127.0.0.1", p->port_b);
	struct udp_local lo = { .ifindex = (int)if_nametoindex("lo") };
	struct udp listener = { .fd = -1 };
	struct udp sender = { .fd = -1 };
	struct endpoint any = { .ip = { .family = AF_INET } };
	struct udp_local local;
	struct endpoint from;
	struct err e = { 0 };
	char buf[16];

	assert_int_equal(udp_open_group(&listener, &group, &e), 0);
	assert_int_equal(udp_open_group(&sender, &any, &e), 0);
	assert_int_equal(udp_join(&listener, &group.ip, lo.ifindex), 0);
	assert_int_equal(udp_join(&listener, &group.ip, lo.ifindex), 0);
	assert_int_equal(udp_send(&p->a, "unicast", 7, &host, NULL), 0);
	assert_int_equal(udp_send(&sender, "multicast", 9, &group, &lo), 0);
	assert_int_equal(receive(&listener, buf, sizeof(buf), &from, &local), 9);
	assert_ip(&local.ip, GROUP);
	assert_int_equal(udp_receive(&listener, buf, sizeof(buf), &from, &local), -EAGAIN);
	assert_int_equal(receive(&p->b, buf, sizeof(buf), &from, &local), 7);
	assert_int_equal(udp_receive(&p->b, buf, sizeof(buf), &from, &local), -EAGAIN);
	udp_close(&listener);
	udp_close(&sender);
}

static void a_port_that_nobody_listens_on_is_told_when_asked_for(void **state)
{
	struct pair *p = *state;
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	struct udp_local local;
	struct endpoint from;
	char buf[64];

	udp_close(&p->b);
	assert_int_equal(udp_report_errors(&p->a), 0);
	assert_int_equal(udp_take_error(&p->a), 0);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct endpoint nobody = to(addresses[i], p->port_b);

		assert_int_equal(udp_send(&p->a, "hello", 5, &nobody, NULL), 0);
		assert_int_equal(receive(&p->a, buf, sizeof(buf), &from, &local), -ECONNREFUSED);
		assert_int_equal(udp_take_error(&p->a), -ECONNREFUSED);
		assert_int_equal(udp_take_error(&p->a), 0);
		assert_int_equal(udp_receive(&p->a, buf, sizeof(buf), &from, &local), -EAGAIN);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_datagram_tells_its_sender_and_the_address_it_came_to),
		T(an_answer_leaves_from_the_address_that_was_asked),
		T(ipv6_passes_through_the_same_socket),
		T(an_empty_socket_does_not_block),
		T(a_datagram_longer_than_the_room_is_an_error_and_gone),
		T(an_empty_datagram_is_one),
		T(nowhere_is_no_destination),
		T(a_source_that_is_not_ours_is_refused),
		T(closing_twice_is_harmless),
		T(a_taken_port_is_refused_by_number),
		T(a_port_that_another_node_has_is_refused),
		T(unicast_and_multicast_on_one_port_do_not_mix),
		T(a_port_that_nobody_listens_on_is_told_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
