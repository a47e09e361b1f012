/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "common/str.h"
#include "daemon/admin/netadmin_wire.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
	struct config config;
	struct node node;
	struct view view;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct node *n = &f->node;

	assert_non_null(f);
	f->config.state_dir = "/state";
	f->config.ifname = "wg0";
	f->config.listen_port = 51820;
	f->config.keys.gossip_port = 52000;
	f->config.keys.subnet = prefix_of("10.77.0.0/16");
	memset(f->config.keys.network_id, 0xab, sizeof(f->config.keys.network_id));
	n->cfg = &f->config;
	n->base = event_base_new();
	n->began = clock_now();
	n->began.mono_ms -= 5000;
	assert_int_equal(node_view_init(n), 0);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	node_view_close(&f->node);
	peers_free(f->node.peers);
	event_base_free(f->node.base);
	free(f);
	return 0;
}

static const struct view *look(struct fixture *f)
{
	f->node.source.now(f->node.source.arg, &f->view);
	return &f->view;
}

/* netadmin has said that all is set up. */
static void run(struct fixture *f)
{
	struct wg_key self = key_of(1);
	struct node *n = &f->node;

	n->phase = NODE_RUNNING;
	n->peers = peers_new(&self);
	n->ready = (struct netadmin_ready) {
		.public_key = self,
		.mesh_ip = ip_of("10.77.0.1"),
		.backend = WG_BACKEND_USERSPACE,
		.origin = IDENTITY_RESTORED,
		.was_adopted = true,
		.identity_s = UNIX_START,
	};
	(void)wg_key_format(n->self.key_text, &self);
}

static void a_starting_node_knows_its_mesh_and_not_itself(void **state)
{
	const struct view *v = look(*state);

	assert_int_equal(v->phase, VIEW_STARTING);
	assert_false(view_is_ready(v));
	assert_null(v->peers);
	assert_string_equal(v->pubkey, "");
	assert_string_equal(v->identity, "");
	assert_string_equal(v->network_id, "abababababababab");
	assert_int_equal(v->gossip_port, 52000);
	assert_in_range(v->uptime_ms, 5000, 60000);
	assert_non_null(v->counters);
	assert_int_equal(v->reconcile_s->n_bounds, 11);
	assert_int_equal(v->rtt_s->n_bounds, 9);
}

static void a_running_node_knows_itself(void **state)
{
	struct fixture *f = *state;
	const struct view *v;

	run(f);
	v = look(f);
	assert_int_equal(v->phase, VIEW_RUNNING);
	assert_true(view_is_ready(v));
	assert_string_equal(v->pubkey, f->node.self.key_text);
	assert_string_equal(v->backend, "userspace");
	assert_string_equal(v->identity, "restored");
	assert_int_equal(v->identity_since_s, UNIX_START);
	assert_true(v->was_adopted);
	assert_null(v->supervisor);
}

static void what_netadmin_owes_and_could_not_write_is_judged(void **state)
{
	struct fixture *f = *state;
	const struct view *v;

	run(f);
	f->node.owed_since_ms = clock_now().mono_ms - JUDGE_HUNG_MS;
	f->node.was_saved = true;
	(void)err_set(&f->node.save_error, -EROFS, "write wg0-peers.json");
	v = look(f);
	assert_false(view_is_ready(v));
	assert_int_equal(v->checks[0].mark, VIEW_FAIL);
	assert_int_equal(v->checks[3].mark, VIEW_FAIL);
	assert_non_null(strstr(v->checks[3].text, "Read-only file system"));
	assert_int_equal(v->n_alarms, 1);
	assert_string_equal(v->alarms[0].name, "storage");
	assert_true(v->alarms[0].since_unix_s >= f->node.began.unix_s);
}

static void an_alarm_of_pid_1_is_not_over_while_it_is_asked_or_silent(void **state)
{
	struct fixture *f = *state;
	struct supervisor *s = &f->node.pid1;
	int pair[2];

	run(f);
	/* The other end never reads: a PID 1 that hangs. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	s->fd = pair[0];
	s->state = SUPERVISOR_ANSWERED;
	(void)str_copy(s->text, sizeof(s->text), "storage=full\nstorage_note=/state is full\n");
	assert_int_equal(look(f)->n_alarms, 1);
	f->node.gather.is_running = true;
	supervisor_ask(s);
	assert_int_equal(look(f)->n_alarms, 1);
	assert_non_null(look(f)->supervisor);
	f->node.gather.is_running = false;
	assert_int_equal(look(f)->n_alarms, 1);
	assert_null(look(f)->supervisor);
	assert_int_equal(s->state, SUPERVISOR_SILENT);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static bool has_log_lines(void *arg)
{
	return look(arg)->counters->log_dropped == log_dropped() + 3;
}

static void log_lines_of_both_processes_are_counted(void **state)
{
	struct netadmin_reply done = { .event = NETADMIN_DUMP_DONE, .log = { 3, 5 } };
	struct netadmin admin = { .pid = -1 };
	struct notify notify = { .fd = -1 };
	struct fixture *f = *state;
	int pair[2];

	run(f);
	f->node.notify = &notify;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	admin.fd = pair[0];
	assert_int_equal(node_admin_open(&f->node, &admin, NULL), 0);
	assert_int_equal(netadmin_wire_send(pair[1], &done, sizeof(done), -1, 0), 0);
	assert_true(loop_until(f->node.base, has_log_lines, f));
	assert_int_equal(look(f)->counters->log_suppressed, log_suppressed() + 5);
	adminlink_close(f->node.admin);
	(void)close(pair[1]);
}

static void our_own_address_is_told_when_others_see_it(void **state)
{
	struct endpoint us = endpoint_of("10.0.0.2:52000");
	struct ownaddr_observer observer = { .key = key_of(2), .ip = ip_of("192.0.2.1") };
	struct fixture *f = *state;
	const struct view *v;

	run(f);
	f->node.nat.host =
		(struct hostaddrs) { .n = 1, .at = { { .net = prefix_of("10.0.0.2/16") } } };
	ownaddr_take(&f->node.ownaddr, &us, &observer, clock_now().mono_ms);
	node_nat_observed(&f->node);
	v = look(f);
	assert_int_equal(v->n_endpoints, 1);
	assert_endpoint(&v->endpoints[0], "10.0.0.2:52000");
	assert_int_equal(v->nat, NAT_NONE);
}

static void endpoints_of_wireguard_count_before_those_of_the_exchange(void **state)
{
	struct endpoint us = endpoint_of("10.0.0.2:52000");
	struct ownaddr_observer observer = { .key = key_of(2), .ip = ip_of("192.0.2.1") };
	struct fixture *f = *state;
	const struct view *v;

	run(f);
	f->node.ready.listen_port = 51820;
	f->node.nat.host = (struct hostaddrs) { .n = 2,
						.at = { { .net = prefix_of("10.0.0.2/16") },
							{ .net = prefix_of("2a02::2/64") } } };
	ownaddr_take(&f->node.ownaddr, &us, &observer, clock_now().mono_ms);
	f->node.nat.seen[0] = (struct stunview) { .mapped = endpoint_of("203.0.113.9:1000"),
						  .n_answered = 2,
						  .n_agreeing = 2,
						  .nat = NAT_CONE };
	node_nat_observed(&f->node);
	v = look(f);
	assert_int_equal(v->n_endpoints, 2);
	assert_endpoint(&v->endpoints[0], "203.0.113.9:51820");
	assert_endpoint(&v->endpoints[1], "[2a02::2]:51820");
	assert_int_equal(v->nat, NAT_CONE);
	assert_string_equal(v->layers[v->n_layers - 1].name, "stun");
	assert_non_null(strstr(v->layers[v->n_layers - 1].text, "203.0.113.9"));
}

static void who_was_heard_by_nobody_for_a_minute_is_told_what_to_compare(void **state)
{
	struct fixture *f = *state;
	const struct view *v;

	run(f);
	f->node.began.mono_ms = clock_now().mono_ms - JUDGE_LONELY_MS + 5000;
	assert_int_equal(look(f)->n_alarms, 0);
	f->node.began.mono_ms -= 6000;
	v = look(f);
	assert_int_equal(v->n_alarms, 1);
	assert_string_equal(v->alarms[0].name, "alone");
	assert_non_null(strstr(v->alarms[0].text, "abababababababab"));
	assert_non_null(strstr(v->alarms[0].text, "52000"));
	assert_null(strstr(v->alarms[0].text, "multicast"));
	f->node.counters.datagrams[FATE_NOT_OURS] = 1;
	assert_non_null(strstr(look(f)->alarms[0].text, "none opens with this node's secret"));
	f->node.was_heard = true;
	assert_int_equal(look(f)->n_alarms, 0);
}

static void a_clone_that_fell_silent_is_forgotten_without_anybody_being_heard(void **state)
{
	struct fixture *f = *state;

	run(f);
	f->node.clone.is_on = true;
	f->node.clone.heard_ms = clock_now().mono_ms;
	(void)strncpy(f->node.clone_place, "there", sizeof(f->node.clone_place) - 1);
	node_view_judge(&f->node);
	assert_int_equal(look(f)->n_alarms, 1);
	f->node.clone.heard_ms -= CLONE_FORGET_MS;
	node_view_judge(&f->node);
	assert_int_equal(look(f)->n_alarms, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_starting_node_knows_its_mesh_and_not_itself),
		T(a_running_node_knows_itself),
		T(what_netadmin_owes_and_could_not_write_is_judged),
		T(an_alarm_of_pid_1_is_not_over_while_it_is_asked_or_silent),
		T(log_lines_of_both_processes_are_counted),
		T(our_own_address_is_told_when_others_see_it),
		T(endpoints_of_wireguard_count_before_those_of_the_exchange),
		T(who_was_heard_by_nobody_for_a_minute_is_told_what_to_compare),
		T(a_clone_that_fell_silent_is_forgotten_without_anybody_being_heard),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
