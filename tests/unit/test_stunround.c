/* SPDX-License-Identifier: MIT */
#include "daemon/nat/stunround.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <string.h>

/* A success with XOR-MAPPED-ADDRESS, IPv4 only. */
static void answer_to(uint8_t out[static 32], const struct stun_transaction *t,
		      const struct endpoint *us)
{
	static const uint8_t head[] = { 0x01, 0x01, 0, 12, 0x21, 0x12, 0xa4, 0x42 };
	static const uint8_t attr[] = { 0, 0x20, 0, 8, 0, 1 };

	memcpy(out, head, sizeof(head));
	memcpy(out + 8, t->b, sizeof(t->b));
	memcpy(out + 20, attr, sizeof(attr));
	out[26] = (uint8_t)((us->port >> 8) ^ 0x21);
	out[27] = (uint8_t)((us->port & 0xff) ^ 0x12);
	for (size_t i = 0; i < 4; i++)
		out[28 + i] = us->ip.b[i] ^ head[4 + i];
}

static void add(struct stunround *r, const char *server)
{
	struct endpoint e = endpoint_of(server);
	struct stun_transaction t = { .b = { 9, 9, 9, (uint8_t)r->n } };

	assert_true(stunround_add(r, &e, &t, 0));
}

static size_t send_due(struct stunround *r, int64_t ms)
{
	size_t n = 0;

	while (stunround_next(r, ms))
		n++;
	return n;
}

/* The server answers @us to the question that was sent to @asked. */
static bool take(struct stunround *r, const char *server, size_t asked, const char *us)
{
	struct endpoint from = endpoint_of(server);
	struct endpoint mapped = endpoint_of(us);
	uint8_t msg[32];

	answer_to(msg, &r->server[asked].transaction, &mapped);
	return stunround_take(r, msg, sizeof(msg), &from);
}

/* Servers at 192.0.2.1, .2, ... answer these, NULL for silence. */
static struct stunview round_of(const char *const *us, size_t n)
{
	struct stunround r = { .n = 0 };
	char server[48];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(server, sizeof(server), "192.0.2.%zu:3478", i + 1);
		add(&r, server);
	}
	assert_int_equal(send_due(&r, 0), n);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(server, sizeof(server), "192.0.2.%zu:3478", i + 1);
		if (us[i])
			assert_true(take(&r, server, i, us[i]));
	}
	return stunround_judge(&r, AF_INET);
}

static void a_server_is_asked_again_with_growing_pauses_and_given_up(void **state)
{
	struct stunround r = { .n = 0 };
	unsigned int n_sent = 0;
	int64_t last = 0;
	int64_t pause = 0;

	(void)state;
	add(&r, "192.0.2.1:3478");
	for (int64_t ms = 0; stunround_due_ms(&r) != INT64_MAX; ms = stunround_due_ms(&r)) {
		assert_true(ms >= last && ms < 60000);
		if (send_due(&r, ms) == 1) {
			assert_true(ms - last >= pause || n_sent < 2);
			pause = ms - last;
			last = ms;
			n_sent++;
		}
	}
	assert_int_equal(n_sent, 5);
	assert_int_equal(r.server[0].state, STUNROUND_SILENT);
	/* Nothing is sent afterwards, and what comes late does not count. */
	assert_int_equal(send_due(&r, 1000000), 0);
	assert_false(take(&r, "192.0.2.1:3478", 0, "203.0.113.9:1000"));
}

static void only_the_server_that_was_asked_can_answer(void **state)
{
	struct stunround r = { .n = 0 };

	(void)state;
	add(&r, "192.0.2.1:3478");
	add(&r, "192.0.2.2:3478");
	assert_false(take(&r, "192.0.2.1:3478", 0, "203.0.113.66:1000"));
	(void)send_due(&r, 0);
	assert_false(take(&r, "192.0.2.66:3478", 0, "203.0.113.66:1000"));
	assert_false(take(&r, "192.0.2.1:3479", 0, "203.0.113.66:1000"));
	/* Not even one server for the other. */
	assert_false(take(&r, "192.0.2.1:3478", 1, "203.0.113.66:1000"));
	assert_true(take(&r, "192.0.2.1:3478", 0, "203.0.113.9:1000"));
	/* A second answer is nobody's. */
	assert_false(take(&r, "192.0.2.1:3478", 0, "203.0.113.66:1000"));
	assert_endpoint(&r.server[0].mapped, "203.0.113.9:1000");
	assert_int_equal(r.server[1].state, STUNROUND_ASKING);
}

static void the_round_is_over_when_all_have_answered(void **state)
{
	struct stunround r = { .n = 0 };

	(void)state;
	assert_true(stunround_due_ms(&r) == INT64_MAX);
	add(&r, "192.0.2.1:3478");
	(void)send_due(&r, 0);
	assert_int_equal(stunround_due_ms(&r), 500);
	assert_true(take(&r, "192.0.2.1:3478", 0, "203.0.113.9:1000"));
	assert_true(stunround_due_ms(&r) == INT64_MAX);
}

static void an_error_ends_the_waiting(void **state)
{
	uint8_t msg[20] = { 0x01, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	struct endpoint from = endpoint_of("192.0.2.1:3478");
	struct stunround r = { .n = 0 };

	(void)state;
	add(&r, "192.0.2.1:3478");
	(void)send_due(&r, 0);
	memcpy(msg + 8, r.server[0].transaction.b, STUN_TRANSACTION_LEN);
	assert_true(stunround_take(&r, msg, sizeof(msg), &from));
	assert_int_equal(r.server[0].state, STUNROUND_REFUSED);
	assert_true(stunround_due_ms(&r) == INT64_MAX);
}

static void a_server_counts_once_and_there_is_a_limit(void **state)
{
	struct stun_transaction t = { .b = { 0 } };
	struct stunround r = { .n = 0 };
	struct endpoint e;
	char text[32];

	(void)state;
	for (unsigned int i = 1; i <= STUNROUND_FAMILY_MAX; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%u:3478", i);
		add(&r, text);
		add(&r, text);
	}
	assert_int_equal(r.n, STUNROUND_FAMILY_MAX);
	e = endpoint_of("192.0.2.100:3478");
	assert_false(stunround_add(&r, &e, &t, 0));
	/* The other family has room of its own. */
	e = endpoint_of("[2001:db8::1]:3478");
	assert_true(stunround_add(&r, &e, &t, 0));
}

static void one_answer_tells_an_address_but_no_nat(void **state)
{
	const char *const us[] = { "203.0.113.9:1000", NULL };
	struct stunview v = round_of(us, 2);

	(void)state;
	assert_endpoint(&v.mapped, "203.0.113.9:1000");
	assert_int_equal(v.nat, NAT_UNKNOWN);
	assert_int_equal(v.n_asked, 2);
	assert_int_equal(v.n_answered, 1);
}

static void two_answers_tell_cone_from_symmetric(void **state)
{
	const char *const cone[] = { "203.0.113.9:1000", "203.0.113.9:1000" };
	const char *const symmetric[] = { "203.0.113.9:1000", "203.0.113.9:1001" };
	struct stunview v = round_of(cone, 2);

	(void)state;
	assert_int_equal(v.nat, NAT_CONE);
	assert_int_equal(v.n_agreeing, 2);
	v = round_of(symmetric, 2);
	assert_int_equal(v.nat, NAT_SYMMETRIC);
	assert_int_equal(v.mapped.port == 1000 || v.mapped.port == 1001, true);
	assert_int_equal(v.n_agreeing, 2);
}

static void servers_that_contradict_each_other_are_not_believed(void **state)
{
	const char *const us[] = { "203.0.113.9:1000", "198.51.100.66:1000" };
	struct stunview v = round_of(us, 2);

	(void)state;
	assert_int_equal(v.mapped.ip.family, 0);
	assert_int_equal(v.n_answered, 2);
	assert_int_equal(v.n_agreeing, 1);
}

static void one_liar_among_three_changes_nothing(void **state)
{
	for (size_t liar = 0; liar < 3; liar++) {
		const char *us[] = { "203.0.113.9:1000", "203.0.113.9:1000", "203.0.113.9:1000" };
		struct stunview v;

		us[liar] = "198.51.100.66:6666";
		v = round_of(us, 3);
		assert_endpoint(&v.mapped, "203.0.113.9:1000");
		assert_int_equal(v.nat, NAT_CONE);
		us[liar] = "203.0.113.9:6666";
		v = round_of(us, 3);
		assert_endpoint(&v.mapped, "203.0.113.9:1000");
		assert_int_equal(v.nat, NAT_CONE);
	}
	(void)state;
}

static void three_different_ports_are_symmetric(void **state)
{
	const char *const us[] = { "203.0.113.9:1", "203.0.113.9:2", "203.0.113.9:3" };
	struct stunview v = round_of(us, 3);

	(void)state;
	assert_int_equal(v.nat, NAT_SYMMETRIC);
	assert_int_equal(v.n_agreeing, 3);
}

static void silence_tells_nothing(void **state)
{
	const char *const us[] = { NULL, NULL };
	struct stunview v = round_of(us, 2);

	(void)state;
	assert_int_equal(v.mapped.ip.family, 0);
	assert_int_equal(v.n_answered, 0);
	assert_int_equal(v.nat, NAT_UNKNOWN);
}

static void families_are_judged_apart(void **state)
{
	struct stunround r = { .n = 0 };
	struct stunview v;

	(void)state;
	add(&r, "192.0.2.1:3478");
	add(&r, "[2001:db8::1]:3478");
	(void)send_due(&r, 0);
	assert_true(take(&r, "192.0.2.1:3478", 0, "203.0.113.9:1000"));
	v = stunround_judge(&r, AF_INET6);
	assert_int_equal(v.n_asked, 1);
	assert_int_equal(v.n_answered, 0);
	/* An IPv6 server cannot know an IPv4 address of ours. */
	assert_true(take(&r, "[2001:db8::1]:3478", 1, "203.0.113.66:1000"));
	v = stunround_judge(&r, AF_INET6);
	assert_int_equal(v.n_answered, 0);
	v = stunround_judge(&r, AF_INET);
	assert_int_equal(v.n_answered, 1);
	assert_endpoint(&v.mapped, "203.0.113.9:1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_asked_again_with_growing_pauses_and_given_up),
		cmocka_unit_test(only_the_server_that_was_asked_can_answer),
		cmocka_unit_test(the_round_is_over_when_all_have_answered),
		cmocka_unit_test(an_error_ends_the_waiting),
		cmocka_unit_test(a_server_counts_once_and_there_is_a_limit),
		cmocka_unit_test(one_answer_tells_an_address_but_no_nat),
		cmocka_unit_test(two_answers_tell_cone_from_symmetric),
		cmocka_unit_test(servers_that_contradict_each_other_are_not_believed),
		cmocka_unit_test(one_liar_among_three_changes_nothing),
		cmocka_unit_test(three_different_ports_are_symmetric),
		cmocka_unit_test(silence_tells_nothing),
		cmocka_unit_test(families_are_judged_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
