/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/wire/crypto.h"
#include "daemon/wire/pex.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 960

static struct pex_record record_of(unsigned int n, const char *at)
{
	struct wg_key key = key_of(n);

	return (struct pex_record) { .prefix = pex_prefix(&key), .at = endpoint_of(at) };
}

/* What a message with these records says, parsed again. */
static void pass_on(struct pex_list *out, const struct pex_list *in, size_t room)
{
	struct json_writer w;
	char text[2 * ROOM];
	size_t before;
	json_t *body;

	json_write_init(&w, text, sizeof(text), false);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "first", "");
	before = w.len;
	pex_write(&w, in, room);
	assert_true(w.len - before <= room);
	json_write_close(&w, '}');
	assert_true(json_write_end(&w) > 0);
	body = json_parse(text, strlen(text), NULL);
	assert_non_null(body);
	pex_read(out, body);
	json_decref(body);
}

static void read_text(struct pex_list *out, const char *text)
{
	json_t *body = json_parse(text, strlen(text), NULL);

	assert_non_null(body);
	memset(out, 0xa5, sizeof(*out));
	pex_read(out, body);
	json_decref(body);
}

static void records_of_both_families_come_back_as_they_were(void **state)
{
	struct pex_list in = { 3,
			       { record_of(1, "192.0.2.1:52000"), record_of(2, "[2001:db8::2]:1"),
				 record_of(3, "198.51.100.3:65535") } };
	struct pex_list out;

	(void)state;
	pass_on(&out, &in, ROOM);
	assert_int_equal(out.n, 3);
	assert_int_equal(out.record[0].prefix, in.record[0].prefix);
	assert_endpoint(&out.record[0].at, "192.0.2.1:52000");
	assert_endpoint(&out.record[1].at, "198.51.100.3:65535");
	assert_endpoint(&out.record[2].at, "[2001:db8::2]:1");
	assert_int_equal(out.record[2].prefix, in.record[1].prefix);
}

static void a_record_is_ten_bytes_in_network_order(void **state)
{
	static const uint8_t bytes[] = { 4, 0, 1, 7, 192, 0, 2, 1, 0xcb, 0x20 };
	struct pex_list in = { 1, { record_of(1, "192.0.2.1:52000") } };
	struct json_writer w;
	char text[ROOM];
	char want[64];
	char code[32];

	(void)state;
	json_write_init(&w, text, sizeof(text), false);
	json_write_open(&w, NULL, '{');
	pex_write(&w, &in, ROOM);
	json_write_close(&w, '}');
	assert_true(json_write_end(&w) > 0);
	crypto_base64(code, sizeof(code), bytes, sizeof(bytes));
	(void)snprintf(want, sizeof(want), "{\"pex\":\"%s\"}", code);
	assert_string_equal(text, want);
}

static void what_does_not_fit_is_left_out_from_the_end(void **state)
{
	struct pex_list in = { 0 };
	struct pex_list out;
	size_t before = 0;

	(void)state;
	for (unsigned int i = 0; i < PEX_MAX; i++) {
		char at[32];

		(void)snprintf(at, sizeof(at),
			       i % 3 == 2 ? "[2001:db8::%u]:52000" : "192.0.2.%u:52000", i + 1);
		in.record[in.n++] = record_of(i % 25, at);
	}
	for (size_t room = 0; room < ROOM; room++) {
		pass_on(&out, &in, room);
		assert_true(out.n >= before);
		before = out.n;
		for (size_t i = 0; i < out.n; i++) {
			bool is_first = false;

			for (size_t j = 0; j < out.n; j++)
				is_first |= endpoint_equal(&out.record[i].at, &in.record[j].at);
			assert_true(is_first);
		}
	}
	assert_in_range(before, 30, PEX_MAX);
}

static void a_full_datagram_has_room_for_some_fifty(void **state)
{
	struct pex_list in = { 0 };
	struct pex_list out;

	(void)state;
	while (in.n < PEX_MAX)
		in.record[in.n++] = record_of(1, "192.0.2.1:52000");
	pass_on(&out, &in, 700);
	assert_in_range(out.n, 50, 52);
}

static void what_is_not_what_it_should_be_is_passed_over(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"pex\":null,\"pex6\":null}",
		"{\"pex\":7}",
		"{\"pex\":[\"BAABB8AAAgHLIA==\"]}",
		"{\"pex\":\"\"}",
		"{\"pex\":\"not base64!\"}",
		"{\"pex\":\"BAABB8AAAgHLIA\"}",	   /* no padding */
		"{\"pex\":\"BAABB8AAAgHLIB==\"}",  /* tail bits */
		"{\"pex\":\"BAABB8AAAgHLIAA=\"}",  /* eleven bytes */
		"{\"pex\":\"BAABB8AAAgEAAA==\"}",  /* port 0 */
		"{\"pex6\":\"BAABB8AAAgHLIA==\"}", /* ten bytes are no record of IPv6 */
		"{\"pex\":\"BAABB8AAAgHL\\u0000IA==\"}",
	};
	struct pex_list out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		read_text(&out, texts[i]);
		assert_int_equal(out.n, 0);
	}
	read_text(&out, "{\"pex\":\"BAABB8AAAgHLIA==\",\"pex6\":false}");
	assert_int_equal(out.n, 1);
}

/* A text of @n records of ten bytes. */
static char *many(size_t n)
{
	uint8_t *bytes = calloc(n, 10);
	size_t size = crypto_base64_size(n * 10) + 32;
	char *text = malloc(size);
	size_t used;

	assert_true(bytes && text);
	for (size_t i = 0; i < n; i++)
		bytes[i * 10 + 9] = 1;
	used = (size_t)snprintf(text, size, "{\"pex\":\"");
	crypto_base64(text + used, size - used, bytes, n * 10);
	(void)strncat(text, "\"}", size - strlen(text) - 1);
	free(bytes);
	return text;
}

static void more_than_a_message_may_tell_is_never_taken(void **state)
{
	static const size_t sizes[] = { PEX_MAX, PEX_MAX + 1, 140, 141, 200, 6000 };
	struct pex_list out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char *text = many(sizes[i]);

		read_text(&out, text);
		assert_true(out.n == PEX_MAX || (sizes[i] > PEX_MAX && out.n == 0));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_both_families_come_back_as_they_were),
		cmocka_unit_test(a_record_is_ten_bytes_in_network_order),
		cmocka_unit_test(what_does_not_fit_is_left_out_from_the_end),
		cmocka_unit_test(a_full_datagram_has_room_for_some_fifty),
		cmocka_unit_test(what_is_not_what_it_should_be_is_passed_over),
		cmocka_unit_test(more_than_a_message_may_tell_is_never_taken),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
