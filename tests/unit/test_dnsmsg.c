/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/net/dnsmsg.h"
#include "tests/unit/fixtures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME "peers.example"

static const struct dnsmsg_question asked = { .name = NAME, .family = AF_INET, .id = 0x1234 };

/**
 * struct message - An answer under construction
 */
struct message {
	uint8_t bytes[DNSMSG_ANSWER_MAX];
	size_t len;
};

static void put(struct message *m, const void *bytes, size_t len)
{
	assert_true(m->len + len <= sizeof(m->bytes));
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

/* Head and question of an answer to @asked. */
static struct message answer_with(unsigned int flags)
{
	struct message m = { .len = 0 };
	long len = dnsmsg_ask(m.bytes, &asked);

	assert_true(len > 0);
	m.len = (size_t)len - 11;
	m.bytes[2] = (uint8_t)(flags >> 8);
	m.bytes[3] = (uint8_t)flags;
	m.bytes[11] = 0;
	return m;
}

static void put_record(struct message *m, uint8_t type, const void *data, uint8_t len)
{
	const uint8_t head[] = { 0xc0, 12, 0, type, 0, 1, 0, 0, 0, (uint8_t)(30 + m->bytes[7]),
				 0,    len };

	put(m, head, sizeof(head));
	put(m, data, len);
	m->bytes[7]++;
}

static struct message two_addresses(void)
{
	struct message m = answer_with(0x8180);

	put_record(&m, 1, "\xc0\0\2\1", 4);
	put_record(&m, 1, "\xc0\0\2\2", 4);
	return m;
}

static enum dnsmsg_verdict read_message(struct dnsmsg_answer *out, const struct message *m)
{
	/* Of exactly this size, so that a look behind its end is found out. */
	uint8_t *copy = malloc(m->len + 1);
	enum dnsmsg_verdict v;

	assert_non_null(copy);
	memcpy(copy, m->bytes, m->len);
	memset(out, 0xa5, sizeof(*out));
	v = dnsmsg_read(out, copy, m->len, &asked);
	free(copy);
	return v;
}

static void a_question_is_as_the_rfc_has_it(void **state)
{
	static const uint8_t want[] = { 0x12, 0x34, 1,	  0,   0,   1,	 0,   0, 0,   0,   0,
					1,    5,    'p',  'e', 'e', 'r', 's', 7, 'e', 'x', 'a',
					'm',  'p',  'l',  'e', 0,   0,	 1,   0, 1,   0,   0,
					41,   4,    0xd0, 0,   0,   0,	 0,   0, 0 };
	uint8_t out[DNSMSG_QUERY_MAX];

	(void)state;
	assert_int_equal(dnsmsg_ask(out, &asked), sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
}

static void a_plain_question_has_nothing_behind_it(void **state)
{
	struct dnsmsg_question plain = asked;
	uint8_t out[DNSMSG_QUERY_MAX];

	(void)state;
	plain.is_plain = true;
	plain.family = AF_INET6;
	assert_int_equal(dnsmsg_ask(out, &plain), 12 + sizeof(NAME) + 1 + 4);
	assert_int_equal(out[11], 0);
	assert_int_equal(out[12 + sizeof(NAME) + 1 + 1], 28);
}

static void what_is_no_name_is_not_asked_for(void **state)
{
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b" };
	char text[300];
	struct dnsmsg_question q = asked;
	uint8_t out[DNSMSG_QUERY_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		q.name = bad[i];
		assert_int_equal(dnsmsg_ask(out, &q), -EINVAL);
	}
	memset(text, 'x', sizeof(text));
	text[64] = '\0';
	q.name = text;
	assert_int_equal(dnsmsg_ask(out, &q), -EINVAL);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '.' : 'x';
	text[253] = '\0';
	assert_true(dnsmsg_ask(out, &q) > 0);
	text[253] = '.';
	text[255] = '\0';
	assert_int_equal(dnsmsg_ask(out, &q), -EINVAL);
}

static void addresses_come_with_the_shortest_time_to_live(void **state)
{
	struct message m = two_addresses();
	struct dnsmsg_answer a;

	(void)state;
	assert_int_equal(read_message(&a, &m), DNSMSG_FOUND);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.ttl_s, 30);
	assert_true(ip_equal(&a.ip[1], &(struct ip) { AF_INET, { 192, 0, 2, 2 } }));
}

static void an_alias_and_records_of_other_kinds_are_passed_over(void **state)
{
	struct message m = answer_with(0x8180);
	struct dnsmsg_answer a;

	(void)state;
	put_record(&m, 5, "\1x\xc0\14", 4);
	put_record(&m, 28, "0123456789abcdef", 16);
	put_record(&m, 1, "\xc0\0\2\1", 4);
	put_record(&m, 1, "\xc0\0\2\1", 4);
	put_record(&m, 1, "\xc0\0\2", 3);
	assert_int_equal(read_message(&a, &m), DNSMSG_FOUND);
	assert_int_equal(a.n, 1);
}

static void an_answer_that_was_cut_is_as_good(void **state)
{
	struct message m = two_addresses();
	struct dnsmsg_answer a;

	(void)state;
	m.bytes[2] |= 0x02;
	m.bytes[7] = 200;
	assert_int_equal(read_message(&a, &m), DNSMSG_FOUND);
	assert_int_equal(a.n, 2);
}

static void an_answer_that_was_cut_down_to_nothing_does_not_say_that_there_is_none(void **state)
{
	struct message m = answer_with(0x8380);
	struct dnsmsg_answer a;

	(void)state;
	assert_int_equal(read_message(&a, &m), DNSMSG_FAILED);
	put_record(&m, 5, "\1x\xc0\14", 4);
	assert_int_equal(read_message(&a, &m), DNSMSG_FAILED);
}

static void a_server_says_that_there_is_none_or_that_it_cannot_tell(void **state)
{
	struct dnsmsg_answer a;
	struct message m;

	(void)state;
	m = answer_with(0x8183);
	assert_int_equal(read_message(&a, &m), DNSMSG_NONE);
	m = answer_with(0x8180);
	assert_int_equal(read_message(&a, &m), DNSMSG_NONE);
	m = answer_with(0x8182);
	assert_int_equal(read_message(&a, &m), DNSMSG_FAILED);
	m = answer_with(0x8185);
	assert_int_equal(read_message(&a, &m), DNSMSG_FAILED);
	m = answer_with(0x8181);
	m.len = 12;
	assert_int_equal(read_message(&a, &m), DNSMSG_NO_EDNS);
}

static void what_answers_something_else_is_no_answer(void **state)
{
	static const struct {
		size_t at;
		uint8_t bit;
	} flips[] = { { 0, 1 }, { 1, 1 },  { 2, 0x80 }, { 2, 0x08 },
		      { 5, 1 }, { 13, 1 }, { 27, 2 },	{ 29, 2 } };
	struct dnsmsg_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flips); i++) {
		struct message m = two_addresses();

		m.bytes[flips[i].at] ^= flips[i].bit;
		assert_int_equal(read_message(&a, &m), DNSMSG_NOT_AN_ANSWER);
	}
}

static void a_server_may_answer_in_its_own_case(void **state)
{
	struct message m = two_addresses();
	struct dnsmsg_answer a;

	(void)state;
	m.bytes[13] ^= 'a' ^ 'A';
	assert_int_equal(read_message(&a, &m), DNSMSG_FOUND);
}

static void no_byte_behind_the_end_is_read_wherever_an_answer_ends(void **state)
{
	struct message m = two_addresses();
	struct dnsmsg_answer a;

	(void)state;
	for (size_t whole = m.len; m.len > 0; m.len--) {
		enum dnsmsg_verdict v = read_message(&a, &m);

		assert_true(v != DNSMSG_FOUND || a.n <= 2);
		assert_true(m.len == whole || a.n < 2);
	}
}

static void no_flipped_bit_leads_astray(void **state)
{
	struct message good = two_addresses();
	struct dnsmsg_answer a;

	(void)state;
	for (size_t bit = 0; bit < good.len * 8; bit++) {
		struct message m = good;

		m.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		(void)read_message(&a, &m);
		assert_true(a.n <= 2);
	}
}

static void more_addresses_than_there_is_room_for_are_left_out(void **state)
{
	struct message m = answer_with(0x8180);
	struct dnsmsg_answer a;

	(void)state;
	for (uint8_t i = 0; i < 200; i++)
		put_record(&m, 1, (const uint8_t[]) { 10, 0, 0, i }, 4);
	assert_int_equal(read_message(&a, &m), DNSMSG_FOUND);
	assert_int_equal(a.n, DNSMSG_ADDRESSES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_as_the_rfc_has_it),
		cmocka_unit_test(a_plain_question_has_nothing_behind_it),
		cmocka_unit_test(what_is_no_name_is_not_asked_for),
		cmocka_unit_test(addresses_come_with_the_shortest_time_to_live),
		cmocka_unit_test(an_alias_and_records_of_other_kinds_are_passed_over),
		cmocka_unit_test(an_answer_that_was_cut_is_as_good),
		cmocka_unit_test(
			an_answer_that_was_cut_down_to_nothing_does_not_say_that_there_is_none),
		cmocka_unit_test(a_server_says_that_there_is_none_or_that_it_cannot_tell),
		cmocka_unit_test(what_answers_something_else_is_no_answer),
		cmocka_unit_test(a_server_may_answer_in_its_own_case),
		cmocka_unit_test(no_byte_behind_the_end_is_read_wherever_an_answer_ends),
		cmocka_unit_test(no_flipped_bit_leads_astray),
		cmocka_unit_test(more_addresses_than_there_is_room_for_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
