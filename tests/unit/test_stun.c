/* SPDX-License-Identifier: MIT */
#include "daemon/nat/stun.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/vectors.h"

#define ANSWER_MAX 64

static struct stun_transaction transaction_of(const json_t *section)
{
	struct stun_transaction t = { { 0 } };

	assert_int_equal(from_hex(t.b, sizeof(t.b), vector_text(section, "transaction_hex")),
			 sizeof(t.b));
	return t;
}

/* The answer of one vector. */
static size_t load(uint8_t out[static ANSWER_MAX], struct stun_transaction *t, const char *label)
{
	json_t *section = json_object_get(vectors_section("misc"), "stun");
	const json_t *item;
	size_t i;

	*t = transaction_of(section);
	json_array_foreach (vector_list(section, "cases"), i, item)
		if (strcmp(vector_text(item, "label"), label) == 0)
			return from_hex(out, ANSWER_MAX, vector_text(item, "response_hex"));
	fail_msg("no vector \"%s\"", label);
	return 0;
}

static void the_request_is_a_header_and_nothing_else(void **state)
{
	const json_t *section = json_object_get(vectors_section("misc"), "stun");
	struct stun_transaction t = transaction_of(section);
	uint8_t request[STUN_REQUEST_LEN];

	(void)state;
	stun_request(request, &t);
	assert_hex(request, sizeof(request), vector_text(section, "request_hex"));
}

static void every_answer_of_the_vectors_is_read_as_existing_nodes_read_it(void **state)
{
	json_t *section = json_object_get(vectors_section("misc"), "stun");
	struct stun_transaction t = transaction_of(section);
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach (vector_list(section, "cases"), i, item) {
		const json_t *want = json_object_get(item, "result");
		uint8_t answer[ANSWER_MAX];
		char text[IP_TEXT_SIZE];
		struct endpoint got;
		size_t len = from_hex(answer, sizeof(answer), vector_text(item, "response_hex"));
		enum stun_result r = stun_parse(&got, answer, len, &t);

		if (json_is_null(want)) {
			assert_int_not_equal(r, STUN_OK);
			assert_int_equal(got.ip.family, 0);
			continue;
		}
		assert_int_equal(r, STUN_OK);
		assert_string_equal(ip_format(text, &got.ip),
				    json_string_value(json_array_get(want, 0)));
		assert_int_equal(got.port, json_integer_value(json_array_get(want, 1)));
	}
}

static void an_answer_cut_anywhere_is_none(void **state)
{
	static const char *const labels[] = { "xor v4", "xor v6", "plain only",
					      "unknown attribute skipped, padded" };

	(void)state;
	for (size_t k = 0; k < sizeof(labels) / sizeof(labels[0]); k++) {
		uint8_t answer[ANSWER_MAX];
		struct stun_transaction t;
		size_t len = load(answer, &t, labels[k]);

		for (size_t n = 0; n < len; n++) {
			/* A copy of the right size: a reader that goes on reading is found out. */
			uint8_t *cut = malloc(n + 1);
			struct endpoint got;

			assert_non_null(cut);
			memcpy(cut, answer, n);
			assert_int_not_equal(stun_parse(&got, cut, n, &t), STUN_OK);
			free(cut);
		}
	}
}

static void no_flipped_bit_makes_an_answer_to_another_question(void **state)
{
	uint8_t answer[ANSWER_MAX];
	struct stun_transaction t;
	size_t len = load(answer, &t, "xor preferred over plain");

	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bool is_header = bit / 8 < 20;
		struct endpoint got;
		enum stun_result r;

		answer[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = stun_parse(&got, answer, len, &t);
		if (is_header)
			assert_int_not_equal(r, STUN_OK);
		assert_true((r == STUN_OK) == (got.ip.family != 0));
		answer[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void bytes_behind_the_message_spoil_it(void **state)
{
	uint8_t answer[ANSWER_MAX] = { 0 };
	struct stun_transaction t;
	size_t len = load(answer, &t, "xor v4");
	struct endpoint got;

	(void)state;
	assert_int_equal(stun_parse(&got, answer, len + 4, &t), STUN_MALFORMED);
	assert_int_equal(stun_parse(&got, answer, STUN_ANSWER_MAX + 4, &t), STUN_NOT_OURS);
}

static void an_error_is_a_refusal_whatever_it_says(void **state)
{
	uint8_t answer[ANSWER_MAX];
	struct stun_transaction t;
	size_t len = load(answer, &t, "xor v4");
	struct endpoint got;

	(void)state;
	answer[0] = 0x01;
	answer[1] = 0x11;
	assert_int_equal(stun_parse(&got, answer, len, &t), STUN_REFUSED);
	assert_int_equal(got.ip.family, 0);
}

static void our_own_request_is_no_answer(void **state)
{
	const struct stun_transaction t = { .b = { 1, 2, 3 } };
	uint8_t request[STUN_REQUEST_LEN];
	struct endpoint got;

	(void)state;
	stun_request(request, &t);
	assert_int_equal(stun_parse(&got, request, sizeof(request), &t), STUN_NOT_OURS);
}

/* An answer with one attribute, which is a plain IPv4 address. */
static enum stun_result parse_plain(struct endpoint *out, const uint8_t value[static 8], size_t len)
{
	uint8_t msg[32] = { 0x01, 0x01, 0, 12, 0x21, 0x12, 0xa4, 0x42 };
	const struct stun_transaction t = { .b = { 0 } };

	msg[20] = 0;
	msg[21] = 1;
	msg[23] = (uint8_t)len;
	memcpy(msg + 24, value, 8);
	return stun_parse(out, msg, sizeof(msg), &t);
}

static void an_address_that_is_none_is_not_taken(void **state)
{
	static const struct {
		const char *what;
		uint8_t value[8];
		size_t len;
	} bad[] = {
		{ "no port", { 0, 1, 0, 0, 203, 0, 113, 5 }, 8 },
		{ "the wildcard", { 0, 1, 1, 1, 0, 0, 0, 0 }, 8 },
		{ "another family", { 0, 3, 1, 1, 203, 0, 113, 5 }, 8 },
		{ "IPv6 of four bytes", { 0, 2, 1, 1, 203, 0, 113, 5 }, 8 },
		{ "too short", { 0, 1, 1, 1, 203, 0, 113, 5 }, 7 },
		{ "nothing", { 0, 1, 1, 1, 203, 0, 113, 5 }, 0 },
	};
	const uint8_t good[8] = { 0, 1, 1, 1, 203, 0, 113, 5 };
	struct endpoint got;

	(void)state;
	assert_int_equal(parse_plain(&got, good, 8), STUN_OK);
	assert_endpoint(&got, "203.0.113.5:257");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse_plain(&got, bad[i].value, bad[i].len) == STUN_OK)
			fail_msg("%s is taken", bad[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_is_a_header_and_nothing_else),
		cmocka_unit_test(every_answer_of_the_vectors_is_read_as_existing_nodes_read_it),
		cmocka_unit_test(an_answer_cut_anywhere_is_none),
		cmocka_unit_test(no_flipped_bit_makes_an_answer_to_another_question),
		cmocka_unit_test(bytes_behind_the_message_spoil_it),
		cmocka_unit_test(an_error_is_a_refusal_whatever_it_says),
		cmocka_unit_test(our_own_request_is_no_answer),
		cmocka_unit_test(an_address_that_is_none_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
