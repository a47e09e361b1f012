/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "daemon/admin/netadmin_wire.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/fakeadmin.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUTE "192.168.7.0/24"
#define LEFT  "10.9.0.0/16"

/**
 * struct fixture - A running node whose netadmin is this test
 * @admin:	netadmin's end of the wire
 * @n_views:	Fresh views that came
 * @note:	What the last one says of the reload
 */
struct fixture {
	struct config config;
	struct notify notify;
	struct node node;
	int admin;
	struct view_waiter waiter;
	int n_views;
	char note[400];
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct wg_key self = key_of(1);

	assert_non_null(f);
	f->config.state_dir = "/state";
	f->config.ifname = "wg0";
	f->notify.fd = -1;
	f->node.cfg = &f->config;
	f->node.notify = &f->notify;
	f->node.phase = NODE_RUNNING;
	f->node.base = event_base_new();
	f->node.peers = peers_new(&self);
	f->node.advertised.net[0] = prefix_of(LEFT);
	f->node.advertised.n = 1;
	f->admin = fakeadmin_open(&f->node);
	assert_int_equal(node_view_init(&f->node), 0);
	(void)log_set_levels("error");
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	node_view_close(&f->node);
	adminlink_close(f->node.admin);
	(void)close(f->admin);
	peers_free(f->node.peers);
	event_base_free(f->node.base);
	free(f);
	return 0;
}

static bool next_request(const struct fixture *f, struct netadmin_request *out)
{
	int fd = -1;

	return netadmin_wire_receive(f->admin, out, sizeof(*out), &fd, MSG_DONTWAIT) == 0;
}

static void begin(struct fixture *f)
{
	struct netadmin_request req;
	struct err e = { 0 };

	assert_int_equal(node_reload_begin(&f->node, &e), 0);
	assert_true(next_request(f, &req));
	assert_int_equal(req.op, NETADMIN_RELOAD);
}

/* netadmin has read a file that says this. */
static void take(struct fixture *f, const char *text)
{
	const struct err none = { 0 };
	int fd = memfd_create("reload", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	node_reload_take(&f->node, &none, fd);
	(void)close(fd);
}

static void assert_advertised(const struct fixture *f, const char *net)
{
	char text[PREFIX_TEXT_SIZE];

	assert_int_equal(f->node.advertised.n, 1);
	assert_string_equal(prefix_format(text, &f->node.advertised.net[0]), net);
}

static void routes_and_levels_are_applied_and_netadmin_is_told(void **state)
{
	struct fixture *f = *state;
	struct netadmin_request req;

	begin(f);
	take(f, "advertise-routes=" ROUTE "\nlog-level=error,lan=warn\n");
	assert_advertised(f, ROUTE);
	assert_string_equal(log_levels(), "error,lan=warn");
	assert_true(next_request(f, &req));
	assert_int_equal(req.op, NETADMIN_LOG);
	assert_string_equal(req.levels, "error,lan=warn");
	assert_string_equal(f->node.reload_note, "");
	assert_false(f->node.reload_pending);
}

static void levels_that_are_none_keep_the_routes_too(void **state)
{
	struct fixture *f = *state;
	struct netadmin_request req;

	begin(f);
	take(f, "advertise-routes=" ROUTE "\nlog-level=loud\n");
	assert_advertised(f, LEFT);
	assert_string_equal(log_levels(), "error");
	assert_false(next_request(f, &req));
	assert_non_null(strstr(f->node.reload_note, "/state/wg0.reload line 2"));
	assert_non_null(strstr(f->node.reload_note, "loud"));
}

static void a_bad_line_changes_nothing_and_is_forgotten_with_the_next_reload(void **state)
{
	struct fixture *f = *state;

	begin(f);
	take(f, "log-level=warn\nadvertise-routes=" ROUTE "\nmtu=7\n");
	assert_advertised(f, LEFT);
	assert_string_equal(log_levels(), "error");
	assert_non_null(strstr(f->node.reload_note, "line 3"));
	begin(f);
	take(f, "");
	assert_string_equal(f->node.reload_note, "");
	assert_advertised(f, LEFT);
}

static void without_a_file_nothing_changes_and_that_is_no_error(void **state)
{
	struct err missing = { .code = -ENOENT, .msg = "open wg0.reload" };
	struct err denied = { .code = -EACCES, .msg = "open wg0.reload" };
	struct fixture *f = *state;

	begin(f);
	node_reload_take(&f->node, &missing, -1);
	assert_string_equal(f->node.reload_note, "");
	begin(f);
	node_reload_take(&f->node, &denied, -1);
	assert_string_equal(f->node.reload_note, "open wg0.reload");
	assert_advertised(f, LEFT);
}

static void a_second_request_while_one_is_under_way_asks_nobody(void **state)
{
	struct fixture *f = *state;
	struct netadmin_request req;
	struct err e = { 0 };

	begin(f);
	assert_int_equal(node_reload_begin(&f->node, &e), 0);
	assert_false(next_request(f, &req));
}

static void a_node_that_starts_or_stops_refuses(void **state)
{
	struct fixture *f = *state;
	struct netadmin_request req;
	struct err e = { 0 };

	f->node.phase = NODE_STARTING;
	assert_int_equal(node_reload_begin(&f->node, &e), -EAGAIN);
	f->node.phase = NODE_STOPPING;
	assert_int_equal(node_reload_begin(&f->node, &e), -EAGAIN);
	assert_false(next_request(f, &req));
}

static void on_view(const struct view *v, void *arg)
{
	struct fixture *f = arg;

	f->n_views++;
	(void)snprintf(f->note, sizeof(f->note), "%s", v->reload_note ? v->reload_note : "");
}

static void ask(struct fixture *f)
{
	f->waiter = (struct view_waiter) { .done = on_view, .arg = f };
	f->node.source.fresh(f->node.source.arg, &f->waiter);
}

static bool has_view(void *arg)
{
	return ((struct fixture *)arg)->n_views > 0;
}

static void a_fresh_view_waits_for_the_reload(void **state)
{
	struct fixture *f = *state;

	begin(f);
	ask(f);
	gather_came(&f->node.gather, GATHER_NETADMIN | GATHER_SUPERVISOR);
	loop_drain(f->node.base);
	assert_int_equal(f->n_views, 0);
	take(f, "nothing\n");
	assert_true(loop_until(f->node.base, has_view, f));
	assert_non_null(strstr(f->note, "line 1"));
}

static void a_reload_that_hangs_is_told_of(void **state)
{
	struct fixture *f = *state;

	begin(f);
	ask(f);
	assert_true(loop_until(f->node.base, has_view, f));
	assert_non_null(strstr(f->note, "has not been read yet"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(routes_and_levels_are_applied_and_netadmin_is_told),
		T(levels_that_are_none_keep_the_routes_too),
		T(a_bad_line_changes_nothing_and_is_forgotten_with_the_next_reload),
		T(without_a_file_nothing_changes_and_that_is_no_error),
		T(a_second_request_while_one_is_under_way_asks_nobody),
		T(a_node_that_starts_or_stops_refuses),
		T(a_fresh_view_waits_for_the_reload),
		T(a_reload_that_hangs_is_told_of),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
