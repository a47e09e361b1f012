/* SPDX-License-Identifier: MIT */
#include "common/str.h"
#include "daemon/cli/peertesttext.h"
#include "daemon/cli/text.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/shown.h"

#include <errno.h>
#include <string.h>

#define HERE	"10.0.0.5:52000"
#define VISITOR 9

static const struct mesh_keys keys = {
	.network_id = { 0x1a, 0x2b, 0x3c, 0x4d, 0x5e, 0x6f, 0x7a, 0x8b, 0xff },
	.gossip_port = 52000,
};

static struct peertest asked(const char *to)
{
	return (struct peertest) { .keys = &keys, .to = endpoint_of(to) };
}

static char *print(const char *to, const struct peertest_result *r, size_t width)
{
	const struct peertest q = asked(to);
	struct shown s;
	struct show how = { .out = shown_begin(&s), .width = width };

	peertesttext_print(&how, &q, r);
	return shown_end(&s);
}

static void assert_printed(const struct peertest_result *r, const char *want)
{
	char *text = print(HERE, r, TEXT_NO_LIMIT);

	assert_string_equal(text, want);
	free(text);
}

/* Which causes are named: the words before their colons or commas. */
static void assert_causes(const char *to, const struct peertest_result *r, const char *want)
{
	char *text = print(to, r, TEXT_NO_LIMIT);
	struct str_out got = { .size = 256 };
	char buf[256] = "";

	got.out = buf;
	for (char *p = strstr(text, "\n  - "); p; p = strstr(p + 1, "\n  - "))
		str_add(&got, "%.*s; ", (int)strcspn(p + 5, ":,"), p + 5);
	assert_string_equal(buf, want);
	free(text);
}

static struct peertest_result answered(void)
{
	struct peertest_result r = { .outcome = PEERTEST_ANSWERED, .rtt_us = 1249, .skew_s = 1 };

	r.visitor = key_of(VISITOR);
	r.from = endpoint_of(HERE);
	r.answer.self = peer_of(2);
	r.answer.observed = endpoint_of("10.0.0.9:4711");
	return r;
}

static void an_answer_tells_who_is_there(void **state)
{
	struct peertest_result r = answered();

	(void)state;
	(void)str_copy(r.answer.self.hostname, sizeof(r.answer.self.hostname), "node-2");
	(void)str_copy(r.answer.self.endpoint, sizeof(r.answer.self.endpoint), "203.0.113.2:51820");
	r.answer.self.mesh_ip6 = ip_of("fd00::2");
	r.answer.routes[0] = prefix_of("192.168.7.0/24");
	r.answer.n_routes = 1;
	(void)str_copy(r.answer.instance, sizeof(r.answer.instance), "0123");
	assert_printed(&r, "SUCCESS: 10.0.0.5:52000: answers, and has the same secret\n"
			   "  public key     CAACBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
			   "  host name      node-2\n"
			   "  mesh address   10.77.0.2, fd00::2\n"
			   "  WireGuard at   203.0.113.2:51820\n"
			   "  networks       192.168.7.0/24\n"
			   "  round trip     1.2 ms\n"
			   "  it sees us at  10.0.0.9:4711\n"
			   "  its clock      agrees with ours\n"
			   "  its program    this one\n");
}

static void who_announces_no_address_is_where_it_answered_from(void **state)
{
	struct peertest_result r = answered();
	char *text;

	(void)state;
	(void)str_copy(r.answer.self.endpoint, sizeof(r.answer.self.endpoint), "0.0.0.0:51821");
	text = print(HERE, &r, TEXT_NO_LIMIT);
	assert_non_null(strstr(text, "  WireGuard at   10.0.0.5:51821\n"));
	free(text);
}

static void whom_it_knows_is_listed_without_the_key_that_asked(void **state)
{
	struct known_peer known[3] = { peer_of(3), peer_of(VISITOR), peer_of(4) };
	struct peertest_result r = answered();

	(void)state;
	r.answer.known = known;
	r.answer.n_known = 3;
	r.skew_s = -75;
	r.is_odd = true;
	r.from = endpoint_of("10.0.0.6:52000");
	assert_printed(
		&r,
		"SUCCESS: 10.0.0.5:52000: answers, and has the same secret\n"
		"  public key     CAACBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		"  mesh address   10.77.0.2\n"
		"  round trip     1.2 ms\n"
		"  it sees us at  10.0.0.9:4711\n"
		"  its clock      1m 15s behind ours; beyond 10 minutes nobody would answer\n"
		"  its program    another one: an existing node\n"
		"  answered from  10.0.0.6:52000, which was not asked: other nodes take no answer "
		"from there\n"
		"\n"
		"It told of 2 others:\n"
		"HOST  MESH IP    ENDPOINT  PUBLIC KEY\n"
		"-     10.77.0.3  -         DAADBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		"-     10.77.0.4  -         EAAEBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
}

static void silence_names_every_cause_that_it_can_have(void **state)
{
	struct peertest_result r = { .outcome = PEERTEST_SILENT, .n_sent = 6 };
	char *text = print(HERE, &r, TEXT_NO_LIMIT);

	(void)state;
	assert_int_equal(
		strncmp(text,
			"FAILED: 10.0.0.5:52000: nothing came back, although it was asked 6 "
			"times\nIt can be one of these:\n",
			93),
		0);
	/* What both sides can compare is there. */
	assert_non_null(strstr(text, "1a2b3c4d5e6f7a8b"));
	assert_non_null(strstr(text, "udp port 52000"));
	free(text);
	assert_causes(HERE, &r, "wrong secret; blocked port; wrong address; clocks; ");
	assert_causes("10.0.0.5:99", &r,
		      "wrong port; wrong secret; blocked port; wrong address; clocks; ");
}

static void what_is_heard_on_the_lan_rules_causes_out(void **state)
{
	struct peertest_result r = { .outcome = PEERTEST_SILENT, .lan = PEERTEST_LAN_GOOD };

	(void)state;
	assert_causes(HERE, &r, "blocked port; ");
	assert_causes("10.0.0.5:99", &r, "wrong port; blocked port; ");
	r.lan = PEERTEST_LAN_STALE;
	r.skew_s = 7200;
	assert_causes(HERE, &r, "clocks; ");
}

static void each_failure_has_its_causes(void **state)
{
	struct peertest_result r = { .outcome = PEERTEST_REFUSED, .error = -ECONNREFUSED };

	(void)state;
	assert_causes(HERE, &r,
		      "no node runs there; a firewall that rejects instead of dropping says the "
		      "same\n; ");
	r.outcome = PEERTEST_UNREACHABLE;
	r.error = -EHOSTUNREACH;
	assert_causes(HERE, &r, "no route; ");
	r.outcome = PEERTEST_NOT_OURS;
	assert_causes(HERE, &r, "wrong secret; ");
	assert_causes("10.0.0.5:6881", &r, "wrong port; wrong secret; ");
	r.outcome = PEERTEST_INVALID;
	assert_causes(HERE, &r, "it has our secret and speaks another version of the protocol; ");
}

static void a_clock_that_is_off_is_told_in_both_directions(void **state)
{
	struct peertest_result r = { .outcome = PEERTEST_STALE, .skew_s = -7500 };

	(void)state;
	assert_printed(
		&r, "FAILED: 10.0.0.5:52000: has the same secret, and another time\n"
		    "  - clocks: that node's is 2h 5m behind ours, and members ignore what is more "
		    "than ten minutes off; set both by NTP, `date -u` shows which one is wrong\n");
	r.skew_s = 7500;
	assert_causes(HERE, &r, "clocks; ");
}

static void every_outcome_has_a_name_a_sentence_and_json(void **state)
{
	const struct peertest q = asked(HERE);

	(void)state;
	for (int o = 0; o < PEERTEST_OUTCOMES; o++) {
		struct peertest_result r = answered();
		json_t *obj;

		r.outcome = (enum peertest_outcome)o;
		obj = peertesttext_json(&q, &r);
		assert_string_equal(json_string_value(json_object_get(obj, "result")),
				    peertest_outcome_name(r.outcome));
		assert_string_equal(json_string_value(json_object_get(obj, "asked")), HERE);
		assert_true(json_string_length(json_object_get(obj, "text")) > 0);
		assert_int_equal(json_array_size(json_object_get(obj, "causes")) > 0,
				 o != PEERTEST_ANSWERED);
		assert_int_equal(json_object_get(obj, "node") != NULL, o == PEERTEST_ANSWERED);
		json_decref(obj);
	}
}

static void json_tells_of_the_node_and_of_whom_it_knows(void **state)
{
	struct known_peer known[2] = { peer_of(VISITOR), peer_of(4) };
	struct peertest_result r = answered();
	const struct peertest q = asked(HERE);
	json_t *obj;
	json_t *node;

	(void)state;
	r.answer.known = known;
	r.answer.n_known = 2;
	obj = peertesttext_json(&q, &r);
	node = json_object_get(obj, "node");
	assert_string_equal(json_string_value(json_object_get(node, "mesh_ip")), "10.77.0.2");
	assert_string_equal(json_string_value(json_object_get(node, "observed_endpoint")),
			    "10.0.0.9:4711");
	assert_int_equal(json_integer_value(json_object_get(node, "rtt_us")), 1249);
	assert_int_equal(json_array_size(json_object_get(node, "known_peers")), 1);
	json_decref(obj);
}

static void lines_fit_the_terminal(void **state)
{
	struct peertest_result r = { .outcome = PEERTEST_SILENT };

	(void)state;
	for (size_t width = 60; width < 120; width++) {
		char *text = print("10.0.0.5:99", &r, width);

		for (char *p = strchr(text, '\n') + 1, *end; (end = strchr(p, '\n')); p = end + 1) {
			*end = '\0';
			assert_in_range(text_width(p), 0, width);
		}
		free(text);
	}
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	const struct peertest_result r = { .outcome = PEERTEST_REFUSED };
	const struct peertest q = asked(HERE);

	(void)state;
	for (size_t width = 60; width < 100; width++) {
		struct shown s;
		struct show how = { .out = shown_begin(&s), .width = width };
		char *text;

		peertesttext_print(&how, &q, &r);
		text = shown_end(&s);
		for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1)
			assert_in_range(end - p, 1, width);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_tells_who_is_there),
		cmocka_unit_test(who_announces_no_address_is_where_it_answered_from),
		cmocka_unit_test(whom_it_knows_is_listed_without_the_key_that_asked),
		cmocka_unit_test(silence_names_every_cause_that_it_can_have),
		cmocka_unit_test(what_is_heard_on_the_lan_rules_causes_out),
		cmocka_unit_test(each_failure_has_its_causes),
		cmocka_unit_test(a_clock_that_is_off_is_told_in_both_directions),
		cmocka_unit_test(every_outcome_has_a_name_a_sentence_and_json),
		cmocka_unit_test(json_tells_of_the_node_and_of_whom_it_knows),
		cmocka_unit_test(lines_fit_the_terminal),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
