/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#define NOON INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define CURE                                                                                     \
	"set it and keep it right (on the host: timedatectl set-ntp true): WireGuard refuses "   \
	"handshakes that seem older than the last one, and members refuse messages that are 10 " \
	"minutes off"

static int setup(void **state)
{
	(void)doctor_setup(state);
	facts.clock = (struct clock_facts) {
		.now_s = NOON, .program_s = NOON - 1000, .is_known = true, .is_synchronised = true
	};
	facts.storage.newest_s = NOON;
	return 0;
}

static void a_clock_that_is_right_passes(void **state)
{
	(void)state;
	doctor_only(judge_clock, REPORT_PASS, "2027-01-15T08:00:00Z, kept synchronised", "");
	facts.clock.is_synchronised = false;
	doctor_only(judge_clock, REPORT_PASS,
		    "2027-01-15T08:00:00Z; the kernel does not know of anybody who keeps it "
		    "synchronised",
		    "");
	facts.clock.is_known = false;
	doctor_only(judge_clock, REPORT_PASS, "2027-01-15T08:00:00Z", "");
}

static void a_clock_before_this_release_is_behind(void **state)
{
	(void)state;
	facts.clock.now_s = 86400;
	doctor_only(judge_clock, REPORT_WARN,
		    "the clock is behind: it shows 1970-01-02T00:00:00Z, but this release is of "
		    "2026-01-01T00:00:00Z",
		    CURE);
}

static void a_clock_before_what_was_written_by_it_is_behind(void **state)
{
	(void)state;
	facts.storage.newest_s = NOON + 120;
	facts.clock.program_s = NOON + 120;
	doctor_judge(judge_clock);
	assert_int_equal(said.lines[0].result, REPORT_PASS);
	facts.storage.newest_s = NOON + 3600;
	doctor_only(
		judge_clock, REPORT_WARN,
		"the clock is behind: it shows 2027-01-15T08:00:00Z, but the newest file of the "
		"state directory is of 2027-01-15T09:00:00Z",
		CURE);
	facts.clock.program_s = NOON + 7200;
	doctor_only(
		judge_clock, REPORT_WARN,
		"the clock is behind: it shows 2027-01-15T08:00:00Z, but this program's file is of "
		"2027-01-15T10:00:00Z",
		CURE);
}

static void a_clock_away_from_a_peers_is_told_by_how_much(void **state)
{
	(void)state;
	doctor_run_node();
	facts.node.n_peers = 2;
	facts.node.peers[0].skew_s = 60;
	facts.node.peers[1] = (struct peer_facts) { .name = "node-2", .skew_s = -300 };
	doctor_only(judge_clock, REPORT_WARN, "the clock of node-2 is 300 s behind ours", CURE);
	facts.node.peers[0] = (struct peer_facts) { .name = "node-1", .skew_s = 61 };
	doctor_only(judge_clock, REPORT_WARN, "the clock of node-1 is 61 s ahead of ours", CURE);
}

static void members_whose_time_is_refused_are_told(void **state)
{
	(void)state;
	doctor_run_node();
	facts.node.has_counters = true;
	facts.node.stale = 3;
	doctor_only(judge_clock, REPORT_WARN,
		    "members are heard whose clocks are more than 10 minutes away from ours, "
		    "2027-01-15T08:00:00Z",
		    CURE);
	facts.node.accepted = 1;
	doctor_judge(judge_clock);
	assert_int_equal(said.lines[0].result, REPORT_PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_clock_that_is_right_passes, setup),
		cmocka_unit_test_setup(a_clock_before_this_release_is_behind, setup),
		cmocka_unit_test_setup(a_clock_before_what_was_written_by_it_is_behind, setup),
		cmocka_unit_test_setup(a_clock_away_from_a_peers_is_told_by_how_much, setup),
		cmocka_unit_test_setup(members_whose_time_is_refused_are_told, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
