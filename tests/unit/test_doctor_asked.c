/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"

#define COMPARE                                                                                        \
	"compare the network ids (`wgmesh status` there, the secret's line here): all nodes need one " \
	"and the same secret"
#define CLOCKS "set both clocks and keep them right (timedatectl set-ntp true)"

static int setup(void **state)
{
	(void)doctor_setup(state);
	facts.wanted.has_peer = true;
	facts.keys.gossip_port = 52000;
	facts.asked.was_asked = true;
	return endpoint_parse(&facts.wanted.peer, "192.0.2.1:52000");
}

static void become(enum peertest_outcome outcome)
{
	facts.asked.outcome = outcome;
}

static void nobody_is_spoken_of_who_was_not_to_be_asked(void **state)
{
	(void)state;
	facts.wanted.has_peer = false;
	judge_asked(&said, &facts);
	assert_int_equal(said.n, 0);
}

static void the_secret_is_needed_to_ask(void **state)
{
	(void)state;
	facts.asked.was_asked = false;
	doctor_only(judge_asked, REPORT_SKIP,
		    "192.0.2.1:52000 was not asked: that takes the secret", "");
	/* Nor is it known without one which port is meant. */
	facts.wanted.peer.port = 0;
	doctor_only(judge_asked, REPORT_SKIP, "192.0.2.1 was not asked: that takes the secret", "");
	facts.wanted.peer.port = 52000;
	facts.asked.was_asked = true;
	facts.asked.code = -EPERM;
	doctor_only(judge_asked, REPORT_WARN,
		    "192.0.2.1:52000 could not be asked: Operation not permitted",
		    "allow UDP sockets (seccomp profile of the container)");
}

static void an_answer_passes_and_tells_of_the_clock(void **state)
{
	(void)state;
	facts.asked = (struct asked_facts) { .was_asked = true,
					     .outcome = PEERTEST_ANSWERED,
					     .name = "node-1",
					     .key = "KEY",
					     .rtt_us = 12345,
					     .skew_s = -60 };
	doctor_only(judge_asked, REPORT_PASS,
		    "192.0.2.1:52000 answers after 12.3 ms: node-1, which has our secret, key KEY",
		    "");
	facts.asked.skew_s = -61;
	doctor_judge(judge_asked);
	doctor_line(1, REPORT_WARN, "the clock of 192.0.2.1:52000 is 61 s behind ours", CLOCKS);
}

static void silence_is_told_as_such(void **state)
{
	(void)state;
	become(PEERTEST_SILENT);
	doctor_fails(
		judge_asked, EXITS_FAILURE,
		"192.0.2.1:52000 is silent: no node runs there, a firewall drops UDP port 52000, "
		"the clocks are 10 minutes apart, or the secrets differ",
		COMPARE "; with this one, nodes listen on UDP port 52000");
	facts.wanted.peer.port = 52001;
	doctor_fails(
		judge_asked, EXITS_FAILURE,
		"192.0.2.1:52001 is silent: no node runs there, a firewall drops UDP port 52001, "
		"the clocks are 10 minutes apart, or the secrets differ, which is likely: with "
		"this secret nodes listen on another port",
		COMPARE "; with this one, nodes listen on UDP port 52000");
}

static void what_is_heard_on_the_lan_explains_the_silence(void **state)
{
	(void)state;
	become(PEERTEST_SILENT);
	facts.asked.lan = PEERTEST_LAN_GOOD;
	doctor_fails(
		judge_asked, EXITS_FAILURE,
		"192.0.2.1:52000 is silent, although that node announces itself on the LAN with "
		"our secret: its UDP port is blocked",
		"let UDP port 52000 in there, and its answers in here");
	facts.asked.lan = PEERTEST_LAN_STALE;
	facts.asked.skew_s = -700;
	doctor_fails(
		judge_asked, EXITS_FAILURE,
		"192.0.2.1:52000 is silent: its clock is 700 s away from ours, so it refuses what "
		"we say",
		CLOCKS);
}

static void each_other_outcome_has_its_cure(void **state)
{
	(void)state;
	become(PEERTEST_REFUSED);
	doctor_fails(
		judge_asked, EXITS_FAILURE,
		"nothing listens at 192.0.2.1:52000, or a firewall there rejects it: no node runs "
		"there, or it has another secret",
		COMPARE "; with this one, nodes listen on UDP port 52000");
	become(PEERTEST_NOT_OURS);
	doctor_fails(judge_asked, EXITS_FAILURE,
		     "192.0.2.1:52000 answers, but with another secret than ours", COMPARE);
	become(PEERTEST_STALE);
	facts.asked.skew_s = 900;
	doctor_fails(judge_asked, EXITS_FAILURE,
		     "192.0.2.1:52000 answers, but its clock is 900 s away from ours", CLOCKS);
	become(PEERTEST_INVALID);
	doctor_fails(judge_asked, EXITS_FAILURE, "192.0.2.1:52000 answers with what no node says",
		     "look which program and release runs there");
	become(PEERTEST_UNREACHABLE);
	facts.asked.error = -ENETUNREACH;
	doctor_fails(judge_asked, EXITS_FAILURE,
		     "192.0.2.1:52000 cannot be reached: Network is unreachable",
		     "give this host a route there (default route, IPv6)");
	facts.asked.error = -EPERM;
	doctor_fails(
		judge_asked, EXITS_FAILURE,
		"192.0.2.1:52000 cannot be reached: Operation not permitted (a firewall, probably "
		"this host's own)",
		"let that UDP port out (nft list ruleset shows the rule)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_is_spoken_of_who_was_not_to_be_asked, setup),
		cmocka_unit_test_setup(the_secret_is_needed_to_ask, setup),
		cmocka_unit_test_setup(an_answer_passes_and_tells_of_the_clock, setup),
		cmocka_unit_test_setup(silence_is_told_as_such, setup),
		cmocka_unit_test_setup(what_is_heard_on_the_lan_explains_the_silence, setup),
		cmocka_unit_test_setup(each_other_outcome_has_its_cure, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
