/* SPDX-License-Identifier: MIT */
#include "daemon/nat/stunclient.h"
#include "daemon/net/udp.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/**
 * struct server - A socket that a question may come to
 * @mapped:	What it answers; "none" for nothing
 * @n_junk:	What it sends besides, for each question
 */
struct server {
	struct udp udp;
	struct endpoint at;
	struct endpoint mapped;
	int n_junk;
	unsigned int n_asked;
	struct endpoint from;
	struct event *readable;
};

/**
 * struct fixture - A client, two servers, and what came of the last round
 */
struct fixture {
	struct event_base *base;
	struct hostports servers;
	struct stunclient *client;
	struct server server[2];
	unsigned int n_rounds;
	struct stunround round;
	uint16_t local_port;
	bool asks_again;
};

static void done(void *arg, const struct stunround *r, uint16_t local_port)
{
	struct fixture *f = arg;

	f->n_rounds++;
	f->round = *r;
	f->local_port = local_port;
	if (f->asks_again)
		stunclient_ask(f->client);
}

static void answer(struct server *s, const uint8_t *transaction, const struct endpoint *to)
{
	uint8_t msg[32] = { 0x01, 0x01, 0, 12, 0x21, 0x12, 0xa4, 0x42 };
	static const uint8_t attr[] = { 0, 0x01, 0, 8, 0, 1 };

	memcpy(msg + 8, transaction, STUN_TRANSACTION_LEN);
	memcpy(msg + 20, attr, sizeof(attr));
	msg[26] = (uint8_t)(s->mapped.port >> 8);
	msg[27] = (uint8_t)s->mapped.port;
	memcpy(msg + 28, s->mapped.ip.b, 4);
	assert_int_equal(udp_send(&s->udp, msg, sizeof(msg), to, NULL), 0);
}

static void on_question(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	uint8_t request[64];
	struct udp_local local;

	(void)fd;
	(void)what;
	assert_int_equal(udp_receive(&s->udp, request, sizeof(request), &s->from, &local),
			 STUN_REQUEST_LEN);
	s->n_asked++;
	for (int i = 0; i < s->n_junk; i++)
		assert_int_equal(udp_send(&s->udp, request, 20, &s->from, NULL), 0);
	if (s->mapped.ip.family != 0)
		answer(s, request + 8, &s->from);
}

static void open_server(struct fixture *f, struct server *s)
{
	struct hostport *h = &f->servers.at[f->servers.n++];
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	assert_int_equal(udp_open_any(&s->udp, 0, false, NULL), 0);
	assert_int_equal(getsockname(s->udp.fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr(&s->at, (struct sockaddr *)&ss), 0);
	s->at.ip = ip_of("127.0.0.1");
	h->ip = s->at.ip;
	h->port = s->at.port;
	s->mapped = endpoint_of("203.0.113.9:4000");
	s->readable = event_new(f->base, s->udp.fd, EV_READ | EV_PERSIST, on_question, s);
	assert_int_equal(event_add(s->readable, NULL), 0);
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct stunclient_config cfg = { .done = done, .arg = f };

	assert_non_null(f);
	f->base = event_base_new();
	open_server(f, &f->server[0]);
	open_server(f, &f->server[1]);
	cfg.servers = &f->servers;
	assert_int_equal(stunclient_open(&f->client, f->base, &cfg, NULL), 0);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	stunclient_close(f->client);
	for (size_t i = 0; i < 2; i++) {
		event_free(f->server[i].readable);
		udp_close(&f->server[i].udp);
	}
	event_base_free(f->base);
	free(f);
	return 0;
}

static bool is_over(void *arg)
{
	return ((struct fixture *)arg)->n_rounds > 0;
}

static bool has_had_three(void *arg)
{
	return ((struct fixture *)arg)->n_rounds >= 3;
}

static void all_are_asked_from_one_socket_that_is_closed_afterwards(void **state)
{
	struct fixture *f = *state;
	struct stunview v;

	stunclient_ask(f->client);
	assert_int_equal(f->n_rounds, 0);
	assert_true(loop_until(f->base, is_over, f));
	v = stunround_judge(&f->round, AF_INET);
	assert_int_equal(v.n_answered, 2);
	assert_int_equal(v.nat, NAT_CONE);
	assert_endpoint(&v.mapped, "203.0.113.9:4000");
	assert_int_equal(f->server[0].from.port, f->local_port);
	assert_int_equal(f->server[1].from.port, f->local_port);
	/* Nobody listens there any more: the kernel says so. */
	assert_int_equal(udp_report_errors(&f->server[0].udp), 0);
	(void)event_del(f->server[0].readable);
	assert_int_equal(udp_send(&f->server[0].udp, "late", 4, &f->server[0].from, NULL), 0);
	assert_true(udp_take_error(&f->server[0].udp) != 0);
}

static void whoever_is_told_may_ask_again(void **state)
{
	struct fixture *f = *state;

	f->asks_again = true;
	stunclient_ask(f->client);
	assert_true(loop_until(f->base, has_had_three, f));
}

static void a_question_takes_the_place_of_one_that_is_under_way(void **state)
{
	struct fixture *f = *state;

	f->server[0].mapped = endpoint_of(NULL);
	stunclient_ask(f->client);
	loop_drain(f->base);
	assert_int_equal(f->n_rounds, 0);
	f->server[0].mapped = endpoint_of("203.0.113.9:4000");
	stunclient_ask(f->client);
	assert_true(loop_until(f->base, is_over, f));
	loop_drain(f->base);
	assert_int_equal(f->n_rounds, 1);
	assert_int_equal(stunround_judge(&f->round, AF_INET).n_answered, 2);
}

static void a_flood_ends_the_round_and_not_the_node(void **state)
{
	struct fixture *f = *state;

	f->server[0].n_junk = 400;
	f->server[0].mapped = endpoint_of(NULL);
	stunclient_ask(f->client);
	assert_true(loop_until(f->base, is_over, f));
	/* What came before it counts. */
	assert_true(stunround_judge(&f->round, AF_INET).n_answered <= 1);
	assert_int_equal(f->round.server[0].state, STUNROUND_ASKING);
}

static void names_without_a_resolver_end_at_once(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++)
		f->servers.at[i] = (struct hostport) { .name = "stun.example.org" };
	stunclient_ask(f->client);
	assert_true(loop_until(f->base, is_over, f));
	assert_int_equal(f->round.n, 0);
}

static void closing_ends_what_is_under_way(void **state)
{
	struct fixture *f = *state;

	f->server[0].mapped = endpoint_of(NULL);
	stunclient_ask(f->client);
	loop_drain(f->base);
	stunclient_close(f->client);
	f->client = NULL;
	loop_drain(f->base);
	assert_int_equal(f->n_rounds, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(all_are_asked_from_one_socket_that_is_closed_afterwards),
		T(whoever_is_told_may_ask_again),
		T(a_question_takes_the_place_of_one_that_is_under_way),
		T(a_flood_ends_the_round_and_not_the_node),
		T(names_without_a_resolver_end_at_once),
		T(closing_ends_what_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
