/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/wg/uapi.h"
#include "tests/helper/wgpeers.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_A "4141414141414141414141414141414141414141414141414141414141414141"
#define HEX_B "4242424242424242424242424242424242424242424242424242424242424242"

static const char answer[] = "private_key=" HEX_A "\n"
			     "listen_port=51820\n"
			     "fwmark=1\n"
			     "public_key=" HEX_B "\n"
			     "preshared_key=" HEX_A "\n"
			     "protocol_version=1\n"
			     "endpoint=203.0.113.9:41000\n"
			     "last_handshake_time_sec=1700000000\n"
			     "last_handshake_time_nsec=5\n"
			     "tx_bytes=7\n"
			     "rx_bytes=18446744073709551615\n"
			     "persistent_keepalive_interval=25\n"
			     "allowed_ip=10.1.2.3/32\n"
			     "allowed_ip=fd00::1/128\n"
			     "public_key=" HEX_A "\n"
			     "endpoint=[2001:db8::1]:7\n"
			     "errno=0\n"
			     "\n";

struct seen {
	size_t n;
	struct wg_peer_state peers[2];
	int result;
};

static int remember(const struct wg_peer_state *peer, void *arg)
{
	struct seen *seen = arg;

	if (seen->n < ARRAY_LEN(seen->peers))
		seen->peers[seen->n] = *peer;
	seen->n++;
	return seen->result;
}

static int parse(const char *text, size_t len, struct uapi_device *dev, struct seen *seen)
{
	/* An exact copy on the heap lets the sanitizer see a read beyond the end. */
	char *copy = malloc(len > 0 ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, len);
	r = uapi_parse(dev, remember, seen, copy, len);
	free(copy);
	return r;
}

static void assert_text(const struct growbuf *b, const char *text)
{
	assert_int_equal(b->error, 0);
	assert_int_equal(b->len, strlen(text));
	assert_memory_equal(b->data, text, b->len);
}

static void a_key_and_a_port_are_one_request(void **state)
{
	struct growbuf b = { 0 };
	uint8_t key[WG_KEY_LEN];

	(void)state;
	memset(key, 0x42, sizeof(key));
	uapi_set_device(&b, key, 51820);
	assert_text(&b, "set=1\nprivate_key=" HEX_B "\nlisten_port=51820\n\n");
	growbuf_reset(&b);
	uapi_set_device(&b, NULL, 0);
	assert_text(&b, "set=1\n\n");
	growbuf_free(&b);
}

static void only_what_is_flagged_is_set(void **state)
{
	struct wg_peer_config peers[4] = { 0 };
	struct wg_change_array array;
	struct wg_changes changes;
	struct growbuf b = { 0 };
	uint8_t psk[WG_KEY_LEN];

	(void)state;
	memset(psk, 0x42, sizeof(psk));
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		memset(peers[i].key.b, 0x41, WG_KEY_LEN);
	peers[0].flags = WG_PEER_REMOVE | WG_PEER_HAS_ENDPOINT;
	peers[1].flags = WG_PEER_HAS_ENDPOINT | WG_PEER_HAS_KEEPALIVE | WG_PEER_HAS_PSK |
			 WG_PEER_REPLACE_ALLOWED;
	peers[1].psk = psk;
	peers[1].keepalive_s = 25;
	assert_int_equal(endpoint_parse(&peers[1].endpoint, "[2001:db8::1]:7"), 0);
	assert_int_equal(prefix_parse(&peers[1].allowed[0], "10.1.2.3/32"), 0);
	assert_int_equal(prefix_parse(&peers[1].allowed[1], "fd00::1/128"), 0);
	peers[1].n_allowed = 2;
	peers[2].flags = WG_PEER_REPLACE_ALLOWED;
	array = (struct wg_change_array) { peers, peers + ARRAY_LEN(peers) };
	changes = wg_changes_of(&array);
	assert_int_equal(uapi_set_peers(&b, &changes), ARRAY_LEN(peers));
	assert_text(&b, "set=1\n"
			"public_key=" HEX_A "\nremove=true\n"
			"public_key=" HEX_A "\npreshared_key=" HEX_B "\nendpoint=[2001:db8::1]:7\n"
			"persistent_keepalive_interval=25\nreplace_allowed_ips=true\n"
			"allowed_ip=10.1.2.3/32\nallowed_ip=fd00::1/128\n"
			"public_key=" HEX_A "\nreplace_allowed_ips=true\n"
			"public_key=" HEX_A "\n"
			"\n");
	growbuf_free(&b);
}

static void an_answer_is_read_into_the_model(void **state)
{
	struct seen seen = { 0 };
	struct uapi_device dev;
	const struct wg_peer_state *first = &seen.peers[0];
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	assert_int_equal(parse(answer, strlen(answer), &dev, &seen), 0);
	assert_true(dev.has_private_key);
	assert_int_equal(dev.private_key[31], 0x41);
	assert_int_equal(dev.listen_port, 51820);
	assert_int_equal(seen.n, 2);
	assert_int_equal(first->key.b[0], 0x42);
	assert_int_equal(first->handshake_s, 1700000000);
	assert_int_equal(first->tx_bytes, 7);
	assert_true(first->rx_bytes == UINT64_MAX);
	assert_int_equal(first->keepalive_s, 25);
	assert_int_equal(first->n_allowed, 2);
	assert_string_equal(endpoint_format(text, &first->endpoint), "203.0.113.9:41000");
	assert_string_equal(prefix_format(text, &first->allowed[1]), "fd00::1/128");
	assert_int_equal(seen.peers[1].key.b[0], 0x41);
	assert_int_equal(seen.peers[1].n_allowed, 0);
}

static void an_empty_interface_has_no_key_and_no_port(void **state)
{
	struct seen seen = { 0 };
	struct uapi_device dev;

	(void)state;
	assert_int_equal(parse("errno=0\n\n", 9, &dev, &seen), 0);
	assert_false(dev.has_private_key);
	assert_int_equal(dev.listen_port, 0);
	assert_int_equal(seen.n, 0);
}

static void errors_come_back_whatever_their_sign(void **state)
{
	struct seen seen = { 0 };
	struct uapi_device dev;

	(void)state;
	assert_int_equal(parse("errno=-22\n\n", 11, &dev, &seen), -EINVAL);
	assert_int_equal(parse("errno=98\n\n", 10, &dev, &seen), -EADDRINUSE);
}

static void a_callback_stops_the_reading(void **state)
{
	struct seen seen = { .result = 5 };
	struct uapi_device dev;

	(void)state;
	assert_int_equal(parse(answer, strlen(answer), &dev, &seen), 5);
	assert_int_equal(seen.n, 1);
}

static void an_answer_cut_anywhere_is_malformed(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(answer); len++) {
		struct seen seen = { 0 };
		struct uapi_device dev;

		assert_int_equal(parse(answer, len, &dev, &seen), -EBADMSG);
	}
}

static void an_answer_with_any_byte_changed_is_read_safely(void **state)
{
	static const char wrong[] = {
		'\0', '\n', '=', '0', 'z', '-', ':', '/', '.', '\x7f', '\xff'
	};
	size_t len = strlen(answer);
	char *text = strdup(answer);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < len * ARRAY_LEN(wrong); i++) {
		size_t at = i / ARRAY_LEN(wrong);
		struct seen seen = { 0 };
		struct uapi_device dev;
		int r;

		text[at] = wrong[i % ARRAY_LEN(wrong)];
		r = parse(text, len, &dev, &seen);
		assert_true(r <= 0);
		assert_true(seen.n <= 2);
		text[at] = answer[at];
	}
	free(text);
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"listen_port=65536",
		"listen_port=-1",
		"listen_port=",
		"listen_port= 1",
		"private_key=",
		"private_key=" HEX_A "4",
		"private_key=" HEX_A "41",
		"public_key=xx",
		"endpoint=203.0.113.9:1",
		"rx_bytes=1",
		"allowed_ip=10.0.0.0/8",
		"errno=",
		"errno=--1",
		"errno=4096",
		"public_key=" HEX_A "\nallowed_ip=10.0.0.0/33",
		"public_key=" HEX_A "\nallowed_ip=10.0.0.0",
		"public_key=" HEX_A "\nendpoint=x:1",
		"public_key=" HEX_A "\nrx_bytes=18446744073709551616",
		"public_key=" HEX_A "\nlast_handshake_time_sec=9223372036854775808",
		"public_key=" HEX_A "\npersistent_keepalive_interval=70000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct seen seen = { 0 };
		struct uapi_device dev;
		char text[256];

		(void)snprintf(text, sizeof(text), "%s\nerrno=0\n\n", bad[i]);
		if (parse(text, strlen(text), &dev, &seen) != -EBADMSG)
			fail_msg("accepted \"%s\"", bad[i]);
	}
}

static void what_is_new_to_us_is_passed_over(void **state)
{
	static const char text[] = "colour=blue\npublic_key=" HEX_A
				   "\nendpoint=[fe80::1%eth0]:7\nmood=good\nerrno=0\n\n";
	struct seen seen = { 0 };
	struct uapi_device dev;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &dev, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.peers[0].endpoint.ip.family, 0);
}

static void prefixes_beyond_the_model_are_cut(void **state)
{
	struct growbuf b = { 0 };
	struct seen seen = { 0 };
	struct uapi_device dev;

	(void)state;
	(void)growbuf_printf(&b, "public_key=%s\n", HEX_A);
	for (unsigned int i = 0; i <= WG_ALLOWED_MAX; i++)
		(void)growbuf_printf(&b, "allowed_ip=10.0.0.%u/32\n", i);
	(void)growbuf_printf(&b, "errno=0\n\n");
	assert_int_equal(uapi_parse(&dev, remember, &seen, (char *)b.data, b.len), 0);
	assert_int_equal(seen.peers[0].n_allowed, WG_ALLOWED_MAX);
	growbuf_free(&b);
}

static void a_thousand_peers_are_one_request(void **state)
{
	struct wg_peer_config *peers = wgpeers_make_all(1000);
	struct wg_change_array array = { peers, peers + 1000 };
	const struct wg_changes changes = wg_changes_of(&array);
	struct growbuf b = { 0 };
	size_t keys = 0;

	(void)state;
	assert_int_equal(uapi_set_peers(&b, &changes), 1000);
	assert_int_equal(b.error, 0);
	assert_true(uapi_is_complete(b.data, b.len));
	(void)growbuf_append(&b, "", 1);
	for (const char *p = (char *)b.data; (p = strstr(p, "public_key=")) != NULL; p++)
		keys++;
	assert_int_equal(keys, 1000);
	assert_ptr_equal(strstr((char *)b.data, "\n\n"), (char *)b.data + b.len - 3);
	growbuf_free(&b);
	free(peers);
}

static void a_buffer_has_a_limit_and_remembers_its_error(void **state)
{
	struct growbuf b = { 0 };
	char text[400];

	(void)state;
	assert_non_null(growbuf_reserve(&b, GROWBUF_MAX));
	assert_int_equal(growbuf_append(&b, "x", 1), 0);
	assert_null(growbuf_reserve(&b, GROWBUF_MAX));
	assert_int_equal(growbuf_append(&b, "x", 1), -EFBIG);
	assert_int_equal(b.len, 1);
	growbuf_reset(&b);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(growbuf_printf(&b, "%s", text), -EFBIG);
	growbuf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.error, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_and_a_port_are_one_request),
		cmocka_unit_test(only_what_is_flagged_is_set),
		cmocka_unit_test(an_answer_is_read_into_the_model),
		cmocka_unit_test(an_empty_interface_has_no_key_and_no_port),
		cmocka_unit_test(errors_come_back_whatever_their_sign),
		cmocka_unit_test(a_callback_stops_the_reading),
		cmocka_unit_test(an_answer_cut_anywhere_is_malformed),
		cmocka_unit_test(an_answer_with_any_byte_changed_is_read_safely),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(what_is_new_to_us_is_passed_over),
		cmocka_unit_test(prefixes_beyond_the_model_are_cut),
		cmocka_unit_test(a_thousand_peers_are_one_request),
		cmocka_unit_test(a_buffer_has_a_limit_and_remembers_its_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
