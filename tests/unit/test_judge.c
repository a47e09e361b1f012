/* SPDX-License-Identifier: MIT */
#include "daemon/view/judge.h"
#include "tests/unit/fixtures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct fixture - A node where nothing is wrong
 */
struct fixture {
	struct view view;
	struct view_counters counters;
	struct ifstate interface;
	struct judge_facts facts;
	struct view_check checks[VIEW_CHECKS_MAX];
	size_t n_checks;
	struct view_alarm alarms[VIEW_ALARMS_MAX];
	size_t n_alarms;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct wg_key self = key_of(1);

	assert_non_null(f);
	f->view = (struct view) {
		.phase = VIEW_RUNNING,
		.now = at(600000),
		.uptime_ms = 600000,
		.ifname = "wg0",
		.mesh_ip = ip_of("10.77.0.1"),
		.mesh_ip6 = ip_of("fd00::1"),
		.mesh_subnet = prefix_of("10.77.0.0/16"),
		.network_id = "0123456789abcdef",
		.gossip_port = 52000,
		.peers = peers_new(&self),
		.counters = &f->counters,
	};
	f->interface = (struct ifstate) { .is_known = true, .exists = true, .is_up = true, .n = 2 };
	f->interface.address[0] = prefix_of("10.77.0.1/16");
	f->interface.address[1] = prefix_of("fd00::1/64");
	f->facts = (struct judge_facts) {
		.view = &f->view,
		.interface = &f->interface,
		.state_dir = "/state",
		.was_heard = true,
		.has_lan = true,
	};
	assert_non_null(f->view.peers);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	peers_free(f->view.peers);
	free(f);
	return 0;
}

static const struct view_check *check(struct fixture *f, const char *name)
{
	f->n_checks = judge_checks(&f->facts, f->checks);
	assert_in_range(f->n_checks, 1, VIEW_CHECKS_MAX);
	for (size_t i = 0; i < f->n_checks; i++)
		if (strcmp(f->checks[i].name, name) == 0)
			return &f->checks[i];
	return NULL;
}

static void assert_check(struct fixture *f, const char *name, enum view_mark mark, const char *part)
{
	const struct view_check *c = check(f, name);

	if (!c || c->mark != mark || !strstr(c->text, part))
		fail_msg("%s is %s: \"%s\" does not say \"%s\"", name,
			 c ? view_mark_name(c->mark) : "missing", c ? c->text : "", part);
}

static const char *alarm_text(struct fixture *f, const char *name)
{
	f->n_alarms = judge_alarms(&f->facts, f->alarms);
	assert_in_range(f->n_alarms, 0, VIEW_ALARMS_MAX);
	for (size_t i = 0; i < f->n_alarms; i++)
		if (strcmp(f->alarms[i].name, name) == 0)
			return f->alarms[i].text;
	return NULL;
}

static void assert_alarm(struct fixture *f, const char *name, const char *part)
{
	const char *text = alarm_text(f, name);

	if (!text || !strstr(text, part))
		fail_msg("%s: \"%s\" does not say \"%s\"", name, text ? text : "off", part);
}

static void assert_quiet(struct fixture *f, const char *name)
{
	const char *text = alarm_text(f, name);

	if (text)
		fail_msg("%s: %s", name, text);
}

/* --- checks ---------------------------------------------------------------------------------- */

static void where_nothing_is_wrong_every_check_passes(void **state)
{
	struct fixture *f = *state;

	(void)check(f, "netadmin");
	assert_int_equal(f->n_checks, 8);
	for (size_t i = 0; i < f->n_checks; i++)
		assert_int_equal(f->checks[i].mark, VIEW_PASS);
	(void)alarm_text(f, "");
	assert_int_equal(f->n_alarms, 0);
}

static void what_is_not_known_passes(void **state)
{
	struct fixture *f = *state;

	f->facts.interface = NULL;
	assert_check(f, "interface", VIEW_PASS, "nothing is known to have changed");
	assert_check(f, "address", VIEW_PASS, "10.77.0.1");
	f->facts.interface = &f->interface;
	f->interface = (struct ifstate) { .is_known = false };
	assert_check(f, "interface", VIEW_PASS, "nothing is known to have changed");
	assert_check(f, "address", VIEW_PASS, "10.77.0.1");
}

static void a_starting_node_says_what_it_waits_for(void **state)
{
	struct fixture *f = *state;

	f->view.phase = VIEW_STARTING;
	assert_check(f, "netadmin", VIEW_WARN, "still sets up wg0");
	assert_null(check(f, "interface"));
	assert_null(check(f, "state"));
}

static void a_stopping_node_misses_nothing_that_it_takes_away_itself(void **state)
{
	struct fixture *f = *state;

	f->view.phase = VIEW_STOPPING;
	f->interface = (struct ifstate) { .is_known = true };
	assert_check(f, "interface", VIEW_WARN, "being deleted");
	assert_check(f, "address", VIEW_PASS, "");
}

static void a_netadmin_that_owes_an_answer_is_slow_then_hung(void **state)
{
	struct fixture *f = *state;

	f->facts.owed_ms = JUDGE_SLOW_MS - 1;
	assert_check(f, "netadmin", VIEW_PASS, "");
	f->facts.owed_ms = JUDGE_SLOW_MS;
	assert_check(f, "netadmin", VIEW_WARN, "slow");
	f->facts.owed_ms = JUDGE_HUNG_MS;
	assert_check(f, "netadmin", VIEW_FAIL, "for 5 s");
}

static void an_interface_that_is_down_or_gone_fails(void **state)
{
	struct fixture *f = *state;

	f->interface.is_up = false;
	assert_check(f, "interface", VIEW_FAIL, "ip link set wg0 up");
	f->interface.exists = false;
	assert_check(f, "interface", VIEW_FAIL, "gone");
}

static void a_missing_address_fails_with_the_command_that_brings_it_back(void **state)
{
	struct fixture *f = *state;

	f->interface.n = 1;
	assert_check(f, "address", VIEW_FAIL, "ip address add fd00::1/64 dev wg0");
	f->interface.n = 0;
	assert_check(f, "address", VIEW_FAIL, "ip address add 10.77.0.1/16 dev wg0");
	/* A node that never had one does not miss it. */
	f->view.mesh_ip6.family = 0;
	f->interface.n = 1;
	assert_check(f, "address", VIEW_PASS, "10.77.0.1");
}

static void bad_storage_fails_with_what_pid_1_says_of_it(void **state)
{
	struct fixture *f = *state;

	f->facts.supervisor = SUPERVISOR_ANSWERED;
	f->view.supervisor = "healthy=true\nstorage=ok\nstorage_note=\n";
	assert_check(f, "state", VIEW_PASS, "/state");
	assert_quiet(f, "storage");
	f->view.supervisor = "healthy=false\nstorage=full\nstorage_note=/state is full\n";
	assert_check(f, "state", VIEW_FAIL, "/state is full");
	assert_alarm(f, "storage", "/state is full");
	f->view.supervisor = "storage=hung\nstorage_note=\n";
	assert_check(f, "state", VIEW_FAIL, "the storage of /state is hung");
}

static void without_pid_1_our_own_last_write_counts(void **state)
{
	struct fixture *f = *state;

	assert_check(f, "state", VIEW_PASS, "nothing is known to be wrong with /state");
	f->facts.write = (struct judge_write) { true, 0, "" };
	assert_check(f, "state", VIEW_PASS, "/state can be written");
	f->facts.write = (struct judge_write) { true, -ENOSPC, "write wg0-peers.json" };
	assert_check(f, "state", VIEW_FAIL, "No space left on device");
	assert_check(f, "state", VIEW_FAIL, "write wg0-peers.json");
	assert_alarm(f, "storage", "No space left");
	/* PID 1 looks more often than we write, unless it hangs. */
	f->facts.supervisor = SUPERVISOR_ANSWERED;
	f->view.supervisor = "storage=ok\n";
	assert_check(f, "state", VIEW_PASS, "/state");
	f->facts.supervisor = SUPERVISOR_SILENT;
	assert_check(f, "state", VIEW_FAIL, "No space left");
	f->facts.supervisor = SUPERVISOR_ANSWERED;
	/* A plain supervisor does not look at all. */
	f->view.supervisor = "healthy=true\n";
	assert_check(f, "state", VIEW_FAIL, "No space left");
}

static void a_supervisor_is_asked_for_its_opinion(void **state)
{
	struct fixture *f = *state;

	assert_check(f, "supervisor", VIEW_PASS, "no wgmesh-init");
	f->facts.supervisor = SUPERVISOR_SILENT;
	assert_check(f, "supervisor", VIEW_WARN, "does not answer");
	f->facts.supervisor = SUPERVISOR_ANSWERED;
	f->view.supervisor = "healthy=false\nstate=running\n";
	assert_check(f, "supervisor", VIEW_WARN, "state running");
	f->view.supervisor = "healthy=true\nstate=running\n";
	assert_check(f, "supervisor", VIEW_PASS, "nothing wrong");
}

static void an_address_that_cannot_be_served_is_a_warning(void **state)
{
	struct fixture *f = *state;

	assert_check(f, "http", VIEW_PASS, "served");
	f->facts.http_trouble = "127.0.0.1:9464 is taken";
	assert_check(f, "http", VIEW_WARN, "127.0.0.1:9464 is taken");
	f->view.phase = VIEW_STARTING;
	assert_check(f, "http", VIEW_WARN, "127.0.0.1:9464 is taken");
}

static void a_kernel_without_a_wall_is_a_warning(void **state)
{
	struct fixture *f = *state;
	struct confinement c = { .is_done = true, .landlock = 7, .has_filter = true };

	f->facts.confinement = &c;
	assert_check(f, "confinement", VIEW_PASS, "open no file");
	c.landlock = 0;
	assert_check(f, "confinement", VIEW_WARN, "no Landlock");
	c.has_filter = false;
	assert_check(f, "confinement", VIEW_WARN, "neither Landlock nor seccomp");
	c.landlock = 1;
	assert_check(f, "confinement", VIEW_WARN, "no seccomp filter");
	/* Before it is done, nothing is known. */
	c = (struct confinement) { 0 };
	assert_check(f, "confinement", VIEW_PASS, "open no file");
}

static void a_clock_that_ran_backwards_is_a_warning(void **state)
{
	struct fixture *f = *state;

	assert_check(f, "clock", VIEW_PASS, "not run backwards");
	f->view.clock_behind_s = 3600;
	assert_check(f, "clock", VIEW_WARN, "3600 s behind");
	f->facts.is_holding = true;
	assert_check(f, "clock", VIEW_WARN, "left to the other ends");
}

/* --- alarms ---------------------------------------------------------------------------------- */

static void a_clone_is_named(void **state)
{
	struct fixture *f = *state;

	f->facts.clone_place = "node-9 at 192.0.2.9:52000";
	assert_alarm(f, "clone", "node-9 at 192.0.2.9:52000");
}

static void a_restart_loop_is_told_with_its_cause(void **state)
{
	struct fixture *f = *state;

	f->view.supervisor = "failures=1\ncause=killed\n";
	assert_quiet(f, "supervisor");
	f->view.supervisor = "failures=2\ncause=killed by SIGSEGV\n";
	assert_alarm(f, "supervisor", "2 times");
	assert_alarm(f, "supervisor", "killed by SIGSEGV");
	f->view.supervisor = "failures=many\n";
	assert_quiet(f, "supervisor");
}

/* Peer @n, which has just been heard, is so many seconds ahead. */
static struct peer *clock_of(struct fixture *f, unsigned int n, int64_t skew_s)
{
	struct peer *p = see(f->view.peers, n, METHOD_LAN, "192.0.2.2:51820", 599000);

	p->skew_s = skew_s;
	return p;
}

static void peers_from_our_own_gateway_are_an_alarm_that_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	struct peer p = { .info.hostname = "alpha", .tunnel = endpoint_of("172.17.0.1:40001") };

	assert_quiet(f, "rewritten");
	f->view.listen_port = 51820;
	f->facts.rewritten = (struct rewritten) { .first = &p, .n = 3 };
	assert_alarm(f, "rewritten", "3 peers (alpha) come from 172.17.0.1:40001");
	assert_alarm(f, "rewritten", "conntrack -D -p udp --dport 51820");
}

static void a_clock_that_ran_backwards_is_told_of_first(void **state)
{
	struct fixture *f = *state;

	f->view.clock_behind_s = 3600;
	assert_alarm(f, "clock", "3600 s behind what it has shown before");
	assert_alarm(f, "clock", "set the time of this host");
	(void)clock_of(f, 2, 3600);
	assert_alarm(f, "clock", "set the time of this host");
	(void)clock_of(f, 2, 0);
	assert_alarm(f, "clock", "it was wrong before");
}

static void clocks_that_differ_a_little_are_right(void **state)
{
	struct fixture *f = *state;

	(void)clock_of(f, 2, JUDGE_SKEW_S);
	(void)clock_of(f, 3, -JUDGE_SKEW_S);
	assert_quiet(f, "clock");
	(void)clock_of(f, 2, -JUDGE_SKEW_S);
	assert_quiet(f, "clock");
	(void)clock_of(f, 2, JUDGE_SKEW_S);
	(void)clock_of(f, 3, JUDGE_SKEW_S);
	assert_quiet(f, "clock");
}

static void most_peers_together_are_right(void **state)
{
	struct fixture *f = *state;

	(void)clock_of(f, 2, 70);
	(void)clock_of(f, 3, 72);
	(void)clock_of(f, 4, 0);
	assert_alarm(f, "clock", "this node's clock is about 71 s slow: 2 of 3");
	(void)clock_of(f, 4, -300);
	assert_alarm(f, "clock", "71 s slow");
	(void)clock_of(f, 2, -200);
	assert_alarm(f, "clock", "this node's clock is about 250 s fast: 2 of 3");
}

static void half_of_the_peers_prove_nothing(void **state)
{
	struct fixture *f = *state;

	(void)clock_of(f, 2, 70);
	(void)clock_of(f, 3, 0);
	assert_quiet(f, "clock");
	(void)clock_of(f, 3, -70);
	assert_quiet(f, "clock");
}

static void of_two_nodes_either_may_be_wrong(void **state)
{
	struct fixture *f = *state;

	(void)clock_of(f, 2, -61);
	assert_alarm(f, "clock", "the only peer's clock is 61 s behind ours: one of the two");
	(void)clock_of(f, 2, 61);
	assert_alarm(f, "clock", "61 s ahead of ours");
}

static void a_clock_alarm_ends_when_clocks_agree_or_the_peer_is_silent(void **state)
{
	struct fixture *f = *state;

	(void)clock_of(f, 2, 61);
	assert_alarm(f, "clock", "");
	(void)clock_of(f, 2, 3);
	assert_quiet(f, "clock");
	(void)clock_of(f, 2, 61);
	f->view.now = at(599000 + PEER_ACTIVE_MS);
	assert_quiet(f, "clock");
	/* What others tell of a peer says nothing of its clock. */
	see(f->view.peers, 3, METHOD_TRANSITIVE, NULL, 599000)->skew_s = 500;
	assert_quiet(f, "clock");
}

static void take_stale(struct fixture *f, int64_t made_s, int64_t ms)
{
	struct endpoint from = endpoint_of("192.0.2.9:52000");

	judge_take_stale(&f->facts.stale, made_s, at(ms), &from);
	f->view.now = at(ms);
}

static void a_time_beyond_all_times_is_no_overflow(void **state)
{
	struct fixture *f = *state;

	take_stale(f, INT64_MIN, 0);
	take_stale(f, INT64_MIN, 20000);
	assert_alarm(f, "clock", "31536000000 s behind ours");
	take_stale(f, INT64_MAX, 30000);
	take_stale(f, INT64_MAX, 50000);
	assert_alarm(f, "clock", "31536000000 s ahead of ours");
}

static void datagrams_that_stay_as_old_as_they_are_come_from_another_clock(void **state)
{
	struct fixture *f = *state;

	take_stale(f, UNIX_START - 1000, 0);
	take_stale(f, UNIX_START - 1000 + 5, 5000);
	assert_quiet(f, "clock");
	take_stale(f, UNIX_START - 1000 + 11, JUDGE_PROOF_MS);
	assert_alarm(f, "clock", "192.0.2.9:52000 is 1000 s behind ours, so that neither");
	(void)see(f->view.peers, 2, METHOD_LAN, NULL, JUDGE_PROOF_MS);
	assert_alarm(f, "clock", "agree with ours: 1");
	(void)see(f->view.peers, 3, METHOD_LAN, NULL, JUDGE_PROOF_MS);
	see(f->view.peers, 4, METHOD_LAN, NULL, JUDGE_PROOF_MS)->skew_s = 70;
	see(f->view.peers, 5, METHOD_LAN, NULL, JUDGE_PROOF_MS)->skew_s = -70;
	assert_alarm(f, "clock", "agree with ours: 2");
	f->view.now = at(JUDGE_PROOF_MS + JUDGE_STALE_MS);
	assert_quiet(f, "clock");
}

static void clocks_are_one_alarm_whatever_speaks_of_them(void **state)
{
	struct fixture *f = *state;

	take_stale(f, UNIX_START - 1000, 0);
	take_stale(f, UNIX_START - 1000 + 11, JUDGE_PROOF_MS);
	see(f->view.peers, 2, METHOD_LAN, NULL, JUDGE_PROOF_MS)->skew_s = 70;
	assert_alarm(f, "clock", "the only peer's clock");
	assert_int_equal(f->n_alarms, 1);
}

static void a_clock_that_is_ahead_is_told_so(void **state)
{
	struct fixture *f = *state;

	take_stale(f, UNIX_START + 700, 0);
	take_stale(f, UNIX_START + 710, JUDGE_PROOF_MS);
	assert_alarm(f, "clock", "700 s ahead of ours");
}

/* The same one, or those of a few seconds in turns, or a single one now and then. */
static void old_datagrams_that_are_sent_again_are_no_clock(void **state)
{
	struct fixture *f = *state;

	for (int64_t s = 0; s < 100; s++) {
		take_stale(f, UNIX_START - 1000, s * 1000);
		assert_quiet(f, "clock");
	}
	for (int64_t s = 100; s < 200; s++) {
		take_stale(f, UNIX_START - 1000 + s % 3, s * 1000);
		assert_quiet(f, "clock");
	}
	take_stale(f, UNIX_START - 500, 500000);
	take_stale(f, UNIX_START - 500 + JUDGE_STALE_MS / 1000, 500000 + JUDGE_STALE_MS);
	assert_quiet(f, "clock");
}

static void who_was_heard_by_nobody_is_told_what_to_compare(void **state)
{
	struct fixture *f = *state;
	const char *text;

	f->facts.was_heard = false;
	assert_alarm(f, "alone", "0123456789abcdef");
	assert_alarm(f, "alone", "a wrong secret looks exactly so");
	assert_alarm(f, "alone", "UDP port 52000 and multicast");
	f->facts.has_lan = false;
	text = alarm_text(f, "alone");
	assert_non_null(text);
	assert_null(text ? strstr(text, "multicast") : NULL);
	f->view.uptime_ms = JUDGE_LONELY_MS;
	assert_quiet(f, "alone");
	f->view.uptime_ms++;
	assert_alarm(f, "alone", "");
	f->facts.was_heard = true;
	assert_quiet(f, "alone");
}

static void who_hears_what_does_not_open_is_told_of_the_secret(void **state)
{
	struct fixture *f = *state;

	f->facts.was_heard = false;
	f->counters.datagrams[FATE_NOT_OURS] = 1;
	assert_alarm(f, "alone", "none opens");
	/* Another clock explains it. */
	take_stale(f, UNIX_START - 1000, 0);
	take_stale(f, UNIX_START - 990, JUDGE_PROOF_MS);
	assert_quiet(f, "alone");
	assert_alarm(f, "clock", "");
}

#define ON_LAYER "verdict=layer\nvolume=the container's own writable layer\n"

static void storage_that_will_not_last_is_an_alarm_unless_that_was_asked_for(void **state)
{
	struct fixture *f = *state;

	f->facts.supervisor = SUPERVISOR_ANSWERED;
	f->view.supervisor = ON_LAYER "persistence=warn\nproof=predicted\n";
	assert_alarm(f, "ephemeral", "/state is on the container's own writable layer");
	f->view.supervisor = ON_LAYER "persistence=ignore\nproof=predicted\n";
	assert_quiet(f, "ephemeral");
	f->view.supervisor = ON_LAYER "persistence=warn\nproof=proven\n";
	assert_quiet(f, "ephemeral");
	f->view.supervisor = "verdict=persistent\npersistence=warn\nproof=predicted\n";
	assert_quiet(f, "ephemeral");
	f->view.supervisor = "verdict=unknown\npersistence=warn\nproof=predicted\n";
	assert_quiet(f, "ephemeral");
}

/* --- what came and went ---------------------------------------------------------------------- */

struct told {
	int n_on;
	int n_off;
	char last[16];
};

static void tell(void *arg, const char *name, const struct view_alarm *a)
{
	struct told *t = arg;

	t->n_on += a ? 1 : 0;
	t->n_off += a ? 0 : 1;
	(void)strncpy(t->last, name, sizeof(t->last) - 1);
}

static void each_alarm_is_told_once_when_it_comes_and_once_when_it_goes(void **state)
{
	struct told told = { 0 };
	const struct judge_teller teller = { &told, tell };
	struct judge_memory memory = { 0 };
	struct view_alarm both[] = { { .name = "clock" }, { .name = "alone" } };

	(void)state;
	judge_follow(&memory, both, 1, 100, &teller);
	assert_int_equal(told.n_on, 1);
	assert_int_equal(both[0].since_unix_s, 100);
	judge_follow(&memory, both, 2, 200, &teller);
	assert_int_equal(told.n_on, 2);
	assert_int_equal(both[0].since_unix_s, 100);
	assert_int_equal(both[1].since_unix_s, 200);
	judge_follow(&memory, &both[1], 1, 300, &teller);
	assert_int_equal(told.n_off, 1);
	assert_string_equal(told.last, "clock");
	assert_int_equal(both[1].since_unix_s, 200);
	/* What comes back begins anew. */
	judge_follow(&memory, both, 2, 400, &teller);
	assert_int_equal(told.n_on, 3);
	assert_int_equal(both[0].since_unix_s, 400);
	judge_follow(&memory, both, 0, 500, &teller);
	assert_int_equal(told.n_off, 3);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(where_nothing_is_wrong_every_check_passes),
		T(what_is_not_known_passes),
		T(a_starting_node_says_what_it_waits_for),
		T(a_stopping_node_misses_nothing_that_it_takes_away_itself),
		T(a_netadmin_that_owes_an_answer_is_slow_then_hung),
		T(an_interface_that_is_down_or_gone_fails),
		T(a_missing_address_fails_with_the_command_that_brings_it_back),
		T(bad_storage_fails_with_what_pid_1_says_of_it),
		T(without_pid_1_our_own_last_write_counts),
		T(a_supervisor_is_asked_for_its_opinion),
		T(an_address_that_cannot_be_served_is_a_warning),
		T(a_kernel_without_a_wall_is_a_warning),
		T(a_clock_that_ran_backwards_is_a_warning),
		T(a_clone_is_named),
		T(a_restart_loop_is_told_with_its_cause),
		T(a_clock_that_ran_backwards_is_told_of_first),
		T(peers_from_our_own_gateway_are_an_alarm_that_says_what_to_do),
		T(clocks_that_differ_a_little_are_right),
		T(most_peers_together_are_right),
		T(half_of_the_peers_prove_nothing),
		T(of_two_nodes_either_may_be_wrong),
		T(a_clock_alarm_ends_when_clocks_agree_or_the_peer_is_silent),
		T(a_time_beyond_all_times_is_no_overflow),
		T(datagrams_that_stay_as_old_as_they_are_come_from_another_clock),
		T(clocks_are_one_alarm_whatever_speaks_of_them),
		T(a_clock_that_is_ahead_is_told_so),
		T(old_datagrams_that_are_sent_again_are_no_clock),
		T(who_was_heard_by_nobody_is_told_what_to_compare),
		T(who_hears_what_does_not_open_is_told_of_the_secret),
		T(storage_that_will_not_last_is_an_alarm_unless_that_was_asked_for),
		cmocka_unit_test(each_alarm_is_told_once_when_it_comes_and_once_when_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
