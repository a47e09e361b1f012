/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/admin/netadmin_wire.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_US 200000 /* what netadmin has to answer in */
#define LONG_S	30     /* longer than any stop that is given up because nothing moves */

/**
 * struct fixture - A node that stops; netadmin is this test
 */
struct fixture {
	struct config config;
	struct node node;
	int admin;
};

static void give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_end(arg, EXITS_SYSTEM);
}

static int make_fixture(void **state)
{
	static const struct timeval soon = { .tv_usec = SOON_US };
	struct netadmin admin = { .pid = -1 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = { 0 };
	int pair[2];

	assert_non_null(f);
	f->config.ifname = "wg0";
	f->node.cfg = &f->config;
	f->node.base = event_base_new();
	f->node.phase = NODE_STOPPING;
	f->node.stop_timer = evtimer_new(f->node.base, give_up, &f->node);
	assert_int_equal(event_add(f->node.stop_timer, &soon), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	admin.fd = pair[0];
	f->admin = pair[1];
	assert_int_equal(node_admin_open(&f->node, &admin, &e), 0);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	event_free(f->node.stop_timer);
	adminlink_close(f->node.admin);
	(void)close(f->admin);
	event_base_free(f->node.base);
	free(f);
	return 0;
}

static void say(const struct fixture *f, enum netadmin_event event)
{
	struct netadmin_reply r = { .event = event };

	assert_int_equal(netadmin_wire_send(f->admin, &r, sizeof(r), -1, 0), 0);
}

static bool has_long(void *arg)
{
	const struct fixture *f = arg;
	struct timeval now;
	struct timeval end;

	(void)evutil_gettimeofday(&now, NULL);
	return evtimer_pending(f->node.stop_timer, &end) && end.tv_sec - now.tv_sec >= LONG_S;
}

static bool is_over(void *arg)
{
	const struct fixture *f = arg;

	return f->node.is_over;
}

static void netadmin_that_is_deleting_is_waited_for(void **state)
{
	struct fixture *f = *state;

	say(f, NETADMIN_STOPPING);
	assert_true(loop_until(f->node.base, has_long, f));
	assert_false(f->node.is_over);
	say(f, NETADMIN_STOPPED);
	assert_true(loop_until(f->node.base, is_over, f));
	assert_int_equal(f->node.exit_code, EXITS_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(netadmin_that_is_deleting_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
