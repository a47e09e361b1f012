/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/bencode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A copy of exactly this size, so that a sanitizer sees every step beyond it. */
static int parse(struct bencode *out, const char *text, size_t len)
{
	static char *copy;

	free(copy);
	copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, text, len);
	return bencode_parse(out, copy, len);
}

static int judge(const char *text)
{
	struct bencode v;

	return parse(&v, text, strlen(text));
}

static void every_kind_of_value_is_read(void **state)
{
	struct bencode v;

	(void)state;
	assert_int_equal(parse(&v, "i-42e", 5), 0);
	assert_int_equal(v.type, BENCODE_INTEGER);
	assert_int_equal(v.integer, -42);
	assert_int_equal(parse(&v, "4:spam", 6), 0);
	assert_true(bencode_is(&v, "spam"));
	assert_false(bencode_is(&v, "spa"));
	assert_int_equal(parse(&v, "0:", 2), 0);
	assert_true(bencode_is(&v, ""));
	assert_int_equal(judge("le"), 0);
	assert_int_equal(judge("de"), 0);
	assert_int_equal(judge("d1:ad1:bli1ei2eee1:c3:xyze"), 0);
	assert_int_equal(judge("i9223372036854775807e"), 0);
}

static void what_is_not_quite_bencode_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"i",
		"ie",
		"i-e",
		"i-0e",
		"i01e",
		"i1",
		"i1x",
		"i+1e",
		"i9223372036854775808e",
		"i99999999999999999999999e",
		"5:spam",
		"04:spam",
		"-1:x",
		":",
		"4",
		"4spam",
		"99999999999999999999:x",
		"l",
		"d",
		"e",
		"li1e",
		"di1ei2ee",
		"d1:ae",
		"d1:a",
		"dle1:ae",
		"i1ei2e",
		"dee",
		"lee",
		"x",
		"d1:ai1e1:be",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (judge(bad[i]) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

static void nesting_is_bounded_however_it_is_made(void **state)
{
	char bomb[BENCODE_LEN_MAX + 1];
	struct bencode v;

	(void)state;
	assert_int_equal(judge("lllllllleeeeeeee"), 0);
	assert_int_equal(judge("llllllllleeeeeeeee"), -EBADMSG);
	assert_int_equal(judge("d1:ad1:ad1:ad1:ad1:ad1:ad1:ad1:adeeeeeeeee"), -EBADMSG);
	memset(bomb, 'l', sizeof(bomb));
	assert_int_equal(parse(&v, bomb, BENCODE_LEN_MAX), -EBADMSG);
	memset(bomb, 'd', sizeof(bomb));
	assert_int_equal(parse(&v, bomb, BENCODE_LEN_MAX), -EBADMSG);
}

static void a_message_longer_than_any_datagram_is_refused(void **state)
{
	char text[BENCODE_LEN_MAX + 8];
	struct bencode v;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "4091:", 5);
	assert_int_equal(parse(&v, text, BENCODE_LEN_MAX), 0);
	memcpy(text, "4092:", 5);
	assert_int_equal(parse(&v, text, BENCODE_LEN_MAX + 1), -EBADMSG);
}

static void a_message_cut_anywhere_is_refused(void **state)
{
	static const char text[] = "d1:ad2:id4:abcde1:q4:ping1:rli-1ei0e3:xyzee";
	struct bencode v;

	(void)state;
	assert_int_equal(parse(&v, text, sizeof(text) - 1), 0);
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(parse(&v, text, len), -EBADMSG);
}

static void a_message_with_any_byte_changed_is_read_without_harm(void **state)
{
	static const char text[] = "d1:ad2:id4:abcde1:q4:ping1:rli-1ei0e3:xyzee";
	char copy[sizeof(text)];
	struct bencode v;
	unsigned int refused = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		for (int c = 0; c < 256; c++) {
			memcpy(copy, text, sizeof(text));
			copy[at] = (char)c;
			refused += parse(&v, copy, sizeof(text) - 1) != 0;
			(void)bencode_find(&v, "q");
		}
	}
	assert_true(refused > 1000);
}

static void keys_are_found_in_any_order_and_the_first_of_two_counts(void **state)
{
	struct bencode v;
	struct bencode found;

	(void)state;
	assert_int_equal(parse(&v, "d1:zi1e1:ai2e1:ai3ee", 20), 0);
	found = bencode_find(&v, "a");
	assert_int_equal(found.integer, 2);
	found = bencode_find(&v, "z");
	assert_int_equal(found.integer, 1);
	assert_int_equal(bencode_find(&v, "b").type, BENCODE_NONE);
	assert_int_equal(bencode_find(&found, "a").type, BENCODE_NONE);
	found = (struct bencode) { .type = BENCODE_NONE };
	assert_int_equal(bencode_find(&found, "a").type, BENCODE_NONE);
}

static void a_list_is_walked_to_its_end_and_nothing_else_is_a_list(void **state)
{
	struct bencode list;
	struct bencode v;

	(void)state;
	assert_int_equal(parse(&list, "li1ed1:ai5ee3:abclee", 20), 0);
	assert_true(bencode_next(&v, &list));
	assert_int_equal(v.integer, 1);
	assert_true(bencode_next(&v, &list));
	assert_int_equal(bencode_find(&v, "a").integer, 5);
	assert_true(bencode_next(&v, &list));
	assert_true(bencode_is(&v, "abc"));
	assert_true(bencode_next(&v, &list));
	assert_int_equal(v.type, BENCODE_LIST);
	assert_false(bencode_next(&v, &list));
	assert_int_equal(parse(&list, "3:abc", 5), 0);
	assert_false(bencode_next(&v, &list));
}

static void what_is_written_can_be_read(void **state)
{
	static const char want[] = "d1:ai-7e1:bl0:3:xyzee";
	uint8_t buf[64];
	struct bencode_out out = { .buf = buf, .size = sizeof(buf) };
	struct bencode v;

	(void)state;
	bencode_put_dict(&out);
	bencode_put_text(&out, "a");
	bencode_put_integer(&out, -7);
	bencode_put_text(&out, "b");
	bencode_put_list(&out);
	bencode_put_string(&out, NULL, 0);
	bencode_put_string(&out, "xyz", 3);
	bencode_put_end(&out);
	bencode_put_end(&out);
	assert_false(out.is_full);
	assert_int_equal(out.len, sizeof(want) - 1);
	assert_memory_equal(buf, want, out.len);
	assert_int_equal(bencode_parse(&v, buf, out.len), 0);
}

static void a_message_that_does_not_fit_says_so_at_every_size(void **state)
{
	uint8_t buf[16];

	(void)state;
	for (size_t size = 0; size <= 9; size++) {
		struct bencode_out out = { .buf = buf, .size = size };

		memset(buf, 0xaa, sizeof(buf));
		bencode_put_list(&out);
		bencode_put_text(&out, "abc");
		bencode_put_integer(&out, 5);
		assert_int_equal(out.is_full, size < 9);
		assert_int_equal(buf[size], 0xaa);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_is_read),
		cmocka_unit_test(what_is_not_quite_bencode_is_refused),
		cmocka_unit_test(nesting_is_bounded_however_it_is_made),
		cmocka_unit_test(a_message_longer_than_any_datagram_is_refused),
		cmocka_unit_test(a_message_cut_anywhere_is_refused),
		cmocka_unit_test(a_message_with_any_byte_changed_is_read_without_harm),
		cmocka_unit_test(keys_are_found_in_any_order_and_the_first_of_two_counts),
		cmocka_unit_test(a_list_is_walked_to_its_end_and_nothing_else_is_a_list),
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(a_message_that_does_not_fit_says_so_at_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
