/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/pong.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLOOD (64 * 1024 * 1024) /* much more than socket buffers hold */

/**
 * struct fixture - A probe server on the loopback, and one client
 */
struct fixture {
	struct event_base *base;
	struct pong *pong;
	struct endpoint at;
	int client;
	size_t used;
	char answers[64];
	bool is_over;
};

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &len), 0);
	(void)close(fd);
	return ntohs(any.sin_port);
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_storage ss;
	struct err e = { 0 };
	socklen_t len;

	assert_non_null(f);
	f->base = event_base_new();
	f->at = (struct endpoint) { .ip = ip_of("127.0.0.1"), .port = free_port() };
	assert_int_equal(pong_open(&f->pong, f->base, &f->at, &e), 0);
	len = endpoint_to_sockaddr(&ss, &f->at, false);
	f->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f->client, (struct sockaddr *)&ss, len), 0);
	(void)fcntl(f->client, F_SETFL, O_NONBLOCK);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	(void)close(f->client);
	pong_close(f->pong);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void say(const struct fixture *f, const char *text)
{
	assert_int_equal(send(f->client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void take_answers(struct fixture *f)
{
	ssize_t n = read(f->client, f->answers + f->used, sizeof(f->answers) - 1 - f->used);

	if (n > 0)
		f->used += (size_t)n;
	f->answers[f->used] = '\0';
	f->is_over |= n == 0 || (n < 0 && errno == ECONNRESET);
}

static bool two_pongs_came(void *arg)
{
	struct fixture *f = arg;

	take_answers(f);
	return f->used >= strlen("pong\npong\n");
}

static bool server_hung_up(void *arg)
{
	struct fixture *f = arg;

	take_answers(f);
	return f->is_over;
}

static void every_ping_is_answered(void **state)
{
	struct fixture *f = *state;

	say(f, "ping\nping\n");
	assert_true(loop_until(f->base, two_pongs_came, f));
	assert_string_equal(f->answers, "pong\npong\n");
}

static void another_line_ends_the_connection(void **state)
{
	struct fixture *f = *state;

	say(f, "GET / HTTP/1.1\n");
	assert_true(loop_until(f->base, server_hung_up, f));
	assert_int_equal(f->used, 0);
}

static void a_line_without_an_end_ends_the_connection(void **state)
{
	struct fixture *f = *state;

	say(f, "pingpingpingpingpingpingping");
	assert_true(loop_until(f->base, server_hung_up, f));
	assert_int_equal(f->used, 0);
}

static void who_pings_without_reading_is_cut_off(void **state)
{
	struct fixture *f = *state;
	char pings[5000];
	size_t sent = 0;

	for (size_t i = 0; i < sizeof(pings); i++)
		pings[i] = "ping\n"[i % 5];
	while (sent < FLOOD && !f->is_over) {
		ssize_t n = send(f->client, pings, sizeof(pings), MSG_NOSIGNAL);

		f->is_over = n < 0 && errno != EAGAIN;
		sent += n > 0 ? (size_t)n : 0;
		/* A part of a line would end the connection for another reason. */
		assert_true(n <= 0 || n == sizeof(pings) || f->is_over);
		(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
	}
	assert_true(f->is_over);
}

static int connect_to(const struct fixture *f)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, &f->at, false);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void without_free_descriptors_the_oldest_makes_room_for_a_prober(void **state)
{
	struct fixture *f = *state;
	struct rlimit before;
	struct rlimit tight;
	int clients[8];

	loop_drain(f->base);
	for (size_t i = 0; i < 8; i++)
		clients[i] = connect_to(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)clients[7] + 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	(void)close(f->client);
	f->client = clients[7];
	say(f, "ping\nping\n");
	assert_true(loop_until(f->base, two_pongs_came, f));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < 7; i++)
		(void)close(clients[i]);
}

static void assert_answered(struct fixture *f, int client)
{
	int before = f->client;

	f->client = client;
	f->used = 0;
	say(f, "ping\nping\n");
	assert_true(loop_until(f->base, two_pongs_came, f));
	f->client = before;
}

/* More than there is room for, and the prober was there before all of them. */
static void a_crowd_that_says_nothing_drives_out_itself_and_no_prober(void **state)
{
	struct fixture *f = *state;
	int prober = f->client;
	int crowd[300];

	for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
		crowd[i] = connect_to(f);
		loop_drain(f->base);
		if (i % 100 == 0)
			assert_answered(f, prober);
	}
	assert_answered(f, crowd[ARRAY_LEN(crowd) - 1]);
	assert_answered(f, prober);
	f->client = crowd[0];
	assert_true(loop_until(f->base, server_hung_up, f));
	f->client = prober;
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
		(void)close(crowd[i]);
}

static void closing_hangs_up(void **state)
{
	struct fixture *f = *state;

	say(f, "ping\nping\n");
	assert_true(loop_until(f->base, two_pongs_came, f));
	pong_close(f->pong);
	f->pong = NULL;
	loop_drain(f->base);
	take_answers(f);
	assert_true(f->is_over);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_ping_is_answered),
		T(another_line_ends_the_connection),
		T(a_line_without_an_end_ends_the_connection),
		T(who_pings_without_reading_is_cut_off),
		T(without_free_descriptors_the_oldest_makes_room_for_a_prober),
		T(a_crowd_that_says_nothing_drives_out_itself_and_no_prober),
		T(closing_hangs_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
