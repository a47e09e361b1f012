/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "daemon/admin/netadmin_wire.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/fakeadmin.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SELF	    10
#define WATCHDOG_US 20000
#define KEY_TEXT    "6HsZQcVYtUWQ6e7GyhPIMWPWSCqvdsSFfqUWIhYQ0wE="

/**
 * struct fixture - A node whose netadmin and supervisor are this test
 * @admin:	netadmin's end of the wire
 * @supervisor: Where the node's notifications arrive
 * @said:	Last notification
 */
struct fixture {
	struct config config;
	struct node node;
	struct notify notify;
	int admin;
	int supervisor;
	char said[NOTIFY_TEXT_SIZE];
};

static void take_reply(void *arg, const struct netadmin_reply *r, int fd)
{
	struct fixture *f = arg;

	(void)fd;
	if (r->event == NETADMIN_ECHOED)
		node_notify_echoed(&f->node);
}

static void ignore(void *arg)
{
	(void)arg;
}

static void open_wires(struct fixture *f)
{
	struct adminlink_handler on_admin = { f, take_reply, ignore, ignore,
					      fakeadmin_ignore_batch };
	struct netadmin admin = { .pid = -1 };
	struct err e = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	admin.fd = pair[0];
	f->admin = pair[1];
	assert_int_equal(adminlink_open(&f->node.admin, f->node.base, &admin, &on_admin, &e), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	f->notify.fd = pair[0];
	f->supervisor = pair[1];
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct node *n = &f->node;
	struct wg_key self = key_of(SELF);

	assert_non_null(f);
	f->config.ifname = "wg0";
	n->cfg = &f->config;
	n->notify = &f->notify;
	n->base = event_base_new();
	n->peers = peers_new(&self);
	n->phase = NODE_RUNNING;
	(void)snprintf(n->self.key_text, sizeof(n->self.key_text), "%s", KEY_TEXT);
	assert_int_equal(ip_parse(&n->ready.mesh_ip, "10.77.0.10"), 0);
	open_wires(f);
	f->notify.watchdog_us = WATCHDOG_US;
	assert_int_equal(node_notify_init(n), 0);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	peers_free(f->node.peers);
	event_free(f->node.beat_timer);
	event_free(f->node.status_timer);
	adminlink_close(f->node.admin);
	notify_close(&f->notify);
	(void)close(f->admin);
	(void)close(f->supervisor);
	event_base_free(f->node.base);
	free(f);
	return 0;
}

/* --- playing the others ---------------------------------------------------------------------- */

static bool hears(struct fixture *f)
{
	ssize_t n = recv(f->supervisor, f->said, sizeof(f->said) - 1, MSG_DONTWAIT);

	f->said[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool hears_something(void *arg)
{
	return hears(arg);
}

static bool is_asked(struct fixture *f)
{
	struct netadmin_request req;
	int fd = -1;

	if (netadmin_wire_receive(f->admin, &req, sizeof(req), &fd, MSG_DONTWAIT) < 0)
		return false;
	assert_int_equal(req.op, NETADMIN_ECHO);
	return true;
}

static bool is_asked_for_an_echo(void *arg)
{
	return is_asked(arg);
}

static void answer(const struct fixture *f)
{
	struct netadmin_reply r = { .event = NETADMIN_ECHOED };

	assert_int_equal(netadmin_wire_send(f->admin, &r, sizeof(r), -1, 0), 0);
}

static struct peer *add_peer(struct fixture *f, uint8_t number)
{
	struct known_peer who = peer_of(number);
	struct sighting s = { .who = &who, .method = METHOD_EXCHANGE };
	struct peer *p = NULL;

	assert_int_equal(peers_sight(f->node.peers, &s, clock_now(), &p), PEER_NEW);
	p->applied.present = true;
	return p;
}

static void pass(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static bool is_set(void *arg)
{
	return *(bool *)arg;
}

/* Lets the loop run for a number of watchdog intervals. */
static void run_for_intervals(const struct fixture *f, int n)
{
	struct timeval tv = { .tv_usec = (suseconds_t)WATCHDOG_US * n };
	bool is_over = false;

	assert_int_equal(event_base_once(f->node.base, -1, EV_TIMEOUT, pass, &is_over, &tv), 0);
	assert_true(loop_until(f->node.base, is_set, &is_over));
}

/* --- the heartbeat --------------------------------------------------------------------------- */

static void readiness_comes_with_the_first_beat_and_a_status(void **state)
{
	struct fixture *f = *state;

	node_notify_ready(&f->node);
	assert_true(hears(f));
	assert_string_equal(f->said, "READY=1\nWATCHDOG=1\n"
				     "X_WGMESH_SERVES=wg0 " KEY_TEXT "\n"
				     "STATUS=wg0 up as 10.77.0.10, 0 peers, 0 with a handshake");
}

static void a_clone_is_told_once_and_so_is_its_end(void **state)
{
	struct fixture *f = *state;
	struct node *n = &f->node;

	node_notify_ready(n);
	assert_true(hears(f));
	assert_null(strstr(f->said, "X_WGMESH_CLONE"));
	n->clone.is_on = true;
	(void)snprintf(n->clone_place, sizeof(n->clone_place), "two at 10.1.2.3:51830");
	n->status_ms = 0;
	node_notify_changed(n);
	assert_true(hears(f));
	assert_non_null(strstr(f->said, "X_WGMESH_CLONE=1\n"));
	assert_non_null(strstr(f->said, "; its key is also live on two at 10.1.2.3:51830"));
	n->status_ms = 0;
	node_notify_changed(n);
	assert_false(hears(f));
	n->clone.is_on = false;
	node_notify_changed(n);
	assert_true(hears(f));
	assert_non_null(strstr(f->said, "X_WGMESH_CLONE=0\n"));
	assert_null(strstr(f->said, "also live"));
}

static void a_beat_is_the_answer_of_netadmin(void **state)
{
	struct fixture *f = *state;

	node_notify_ready(&f->node);
	assert_true(hears(f));
	for (int i = 0; i < 3; i++) {
		assert_true(loop_until(f->node.base, is_asked_for_an_echo, f));
		assert_false(hears(f));
		answer(f);
		assert_true(loop_until(f->node.base, hears_something, f));
		assert_string_equal(f->said, "WATCHDOG=1");
	}
}

static void while_netadmin_owes_an_answer_there_is_no_beat(void **state)
{
	struct fixture *f = *state;

	node_notify_ready(&f->node);
	assert_true(hears(f));
	assert_true(loop_until(f->node.base, is_asked_for_an_echo, f));
	run_for_intervals(f, 3);
	assert_false(hears(f));
	/* Nor is it asked again: the requests would only pile up. */
	assert_false(is_asked(f));
	answer(f);
	assert_true(loop_until(f->node.base, hears_something, f));
	assert_string_equal(f->said, "WATCHDOG=1");
	assert_true(loop_until(f->node.base, is_asked_for_an_echo, f));
}

static void without_a_watchdog_there_is_no_beat(void **state)
{
	struct fixture *f = *state;

	f->notify.watchdog_us = 0;
	node_notify_ready(&f->node);
	assert_true(hears(f));
	assert_null(strstr(f->said, "WATCHDOG"));
	assert_false(evtimer_pending(f->node.beat_timer, NULL));
	run_for_intervals(f, 2);
	assert_false(is_asked(f));
}

static void a_stop_ends_the_beats(void **state)
{
	struct fixture *f = *state;

	node_notify_ready(&f->node);
	assert_true(hears(f));
	assert_true(loop_until(f->node.base, is_asked_for_an_echo, f));
	node_notify_stopping(&f->node);
	f->node.phase = NODE_STOPPING;
	assert_true(hears(f));
	assert_string_equal(f->said, "STOPPING=1\nSTATUS=saying goodbye and deleting wg0");
	answer(f);
	run_for_intervals(f, 2);
	assert_false(hears(f));
	assert_false(is_asked(f));
}

/* --- the status text ------------------------------------------------------------------------- */

static void assert_status(const struct fixture *f, const char *expected)
{
	char text[NOTIFY_STATUS_SIZE];

	node_notify_format(text, &f->node);
	assert_string_equal(text, expected);
}

static void the_status_counts_peers_in_wireguard_and_handshakes(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_peer(f, 1);

	assert_status(f, "wg0 up as 10.77.0.10, 1 peer, 0 with a handshake");
	p->handshake_s = 5;
	assert_status(f, "wg0 up as 10.77.0.10, 1 peer, 1 with a handshake");
	(void)add_peer(f, 2);
	assert_status(f, "wg0 up as 10.77.0.10, 2 peers, 1 with a handshake");
	p->applied.present = false;
	assert_status(f, "wg0 up as 10.77.0.10, 1 peer, 0 with a handshake");
}

static void nothing_is_said_while_nothing_changes(void **state)
{
	struct fixture *f = *state;

	f->notify.watchdog_us = 0;
	node_notify_ready(&f->node);
	assert_true(hears(f));
	for (int i = 0; i < 3; i++)
		node_notify_changed(&f->node);
	assert_false(hears(f));
	assert_false(evtimer_pending(f->node.status_timer, NULL));
}

static void a_change_is_told_at_once_when_the_last_is_a_second_ago(void **state)
{
	struct fixture *f = *state;

	f->node.status_ms = clock_now().mono_ms - 1000;
	(void)add_peer(f, 1);
	node_notify_changed(&f->node);
	assert_true(hears(f));
	assert_string_equal(f->said, "STATUS=wg0 up as 10.77.0.10, 1 peer, 0 with a handshake");
}

static void changes_within_a_second_are_told_together(void **state)
{
	struct fixture *f = *state;
	int64_t begun = clock_now().mono_ms;

	f->notify.watchdog_us = 0;
	node_notify_ready(&f->node);
	assert_true(hears(f));
	/* So that the test need not take the whole second. */
	f->node.status_ms -= 700;
	for (uint8_t i = 1; i <= 3; i++) {
		(void)add_peer(f, i);
		node_notify_changed(&f->node);
		assert_false(hears(f));
	}
	assert_true(loop_until(f->node.base, hears_something, f));
	assert_string_equal(f->said, "STATUS=wg0 up as 10.77.0.10, 3 peers, 0 with a handshake");
	assert_true(clock_now().mono_ms - begun >= 290);
	assert_false(evtimer_pending(f->node.status_timer, NULL));
}

static void a_change_that_is_undone_is_not_told(void **state)
{
	struct fixture *f = *state;
	struct peer *p;

	f->notify.watchdog_us = 0;
	node_notify_ready(&f->node);
	assert_true(hears(f));
	f->node.status_ms -= 700;
	p = add_peer(f, 1);
	node_notify_changed(&f->node);
	assert_true(evtimer_pending(f->node.status_timer, NULL));
	p->applied.present = false;
	run_for_intervals(f, 17);
	assert_false(evtimer_pending(f->node.status_timer, NULL));
	assert_false(hears(f));
}

static void nobody_to_tell_means_no_timer(void **state)
{
	struct fixture *f = *state;

	notify_close(&f->notify);
	node_notify_ready(&f->node);
	(void)add_peer(f, 1);
	node_notify_changed(&f->node);
	assert_false(evtimer_pending(f->node.beat_timer, NULL));
	assert_false(evtimer_pending(f->node.status_timer, NULL));
}

/* --- what happens once ----------------------------------------------------------------------- */

static void a_start_says_how_long_it_may_take(void **state)
{
	struct fixture *f = *state;

	node_notify_starting(&f->node);
	assert_true(hears(f));
	assert_string_equal(f->said, "EXTEND_TIMEOUT_USEC=20000000\nSTATUS=setting up wg0");
}

static void a_reload_begins_and_ends(void **state)
{
	struct fixture *f = *state;

	node_notify_reload_begins(&f->node);
	assert_true(hears(f));
	assert_int_equal(strncmp(f->said, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	node_notify_reload_ends(&f->node);
	assert_true(hears(f));
	assert_string_equal(f->said, "READY=1");
}

static void a_reload_before_the_node_runs_makes_nobody_ready(void **state)
{
	struct fixture *f = *state;

	f->node.phase = NODE_STARTING;
	node_notify_reload_begins(&f->node);
	node_notify_reload_ends(&f->node);
	assert_false(hears(f));
}

static void a_failure_is_told_with_its_sentence(void **state)
{
	struct fixture *f = *state;

	node_notify_failed(&f->node, 98, "UDP port 51820 is taken");
	assert_true(hears(f));
	assert_string_equal(f->said, "ERRNO=98\nSTATUS=UDP port 51820 is taken");
	node_notify_failed(&f->node, 0, "netadmin has ended");
	assert_true(hears(f));
	assert_string_equal(f->said, "STATUS=netadmin has ended");
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(readiness_comes_with_the_first_beat_and_a_status),
		T(a_clone_is_told_once_and_so_is_its_end),
		T(a_beat_is_the_answer_of_netadmin),
		T(while_netadmin_owes_an_answer_there_is_no_beat),
		T(without_a_watchdog_there_is_no_beat),
		T(a_stop_ends_the_beats),
		T(the_status_counts_peers_in_wireguard_and_handshakes),
		T(nothing_is_said_while_nothing_changes),
		T(a_change_is_told_at_once_when_the_last_is_a_second_ago),
		T(changes_within_a_second_are_told_together),
		T(a_change_that_is_undone_is_not_told),
		T(nobody_to_tell_means_no_timer),
		T(a_start_says_how_long_it_may_take),
		T(a_reload_begins_and_ends),
		T(a_reload_before_the_node_runs_makes_nobody_ready),
		T(a_failure_is_told_with_its_sentence),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
