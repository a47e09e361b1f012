/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/state/peercache.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1767225600)
#define GOOD                                                                                         \
	"{\"wg_pubkey\":\"bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY=\",\"mesh_ip\":\"10.77.1.3\"," \
	"\"endpoint\":\"203.0.113.9:51820\",\"last_seen\":"

static int parse(struct cached_peer **peers, size_t *n, const char *text)
{
	return peercache_parse(peers, n, text, strlen(text), NOW, 86400);
}

static void what_is_no_cache_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "[]", "{", "{\"peers\":{}}", "{\"peers\":1}", "{}x"
	};
	struct cached_peer *peers;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(&peers, &n, texts[i]), -EINVAL);
		assert_null(peers);
		assert_int_equal(n, 0);
	}
	assert_int_equal(parse(&peers, &n, "{}"), 0);
	assert_null(peers);
	assert_int_equal(parse(&peers, &n, "{\"peers\":[]}"), 0);
	assert_null(peers);
}

static void invalid_entries_are_skipped(void **state)
{
	struct cached_peer *peers;
	size_t n;

	(void)state;
	assert_int_equal(parse(&peers, &n,
			       "{\"peers\":[null,1,{}," GOOD "\"x\"}," GOOD "1.5},"
			       "{\"wg_pubkey\":\"x\",\"last_seen\":1767225600}," GOOD
			       "1767225600,\"routable_networks\":[\"x\"]}," GOOD "1767225600}]}"),
			 0);
	assert_int_equal(n, 1);
	assert_string_equal(peers[0].peer.endpoint, "203.0.113.9:51820");
	free(peers);
	assert_int_equal(parse(&peers, &n, "{\"peers\":[1,2,3]}"), 0);
	assert_null(peers);
}

static void age_decides_to_the_second(void **state)
{
	struct cached_peer *peers;
	size_t n;

	(void)state;
	assert_int_equal(parse(&peers, &n,
			       "{\"peers\":[" GOOD "1767139200}," GOOD "1767139199}," GOOD
			       "-9223372036854775808}," GOOD "9223372036854775807}]}"),
			 0);
	assert_int_equal(n, 2);
	assert_int_equal(peers[0].last_seen, NOW - 86400);
	assert_int_equal(peers[1].last_seen, NOW);
	free(peers);
}

static void hostnames_are_escaped_as_in_existing_files(void **state)
{
	struct cached_peer peer = { .peer = { .hostname = "a<b>&\"\\c", .nat_type = "cone" },
				    .last_seen = NOW };
	struct cached_peer *back;
	char *text = NULL;
	size_t n;
	long len;

	(void)state;
	peer.peer.key.b[0] = 1;
	peer.peer.mesh_ip = (struct ip) { AF_INET, { 10, 1, 2, 3 } };
	len = peercache_format(&text, &peer, 1, NOW);
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(text, "\"hostname\": \"a\\u003cb\\u003e\\u0026\\\"\\\\c\","));
	assert_int_equal(parse(&back, &n, text), 0);
	assert_int_equal(n, 1);
	assert_string_equal(back[0].peer.hostname, peer.peer.hostname);
	free(back);
	free(text);
}

static void a_full_cache_with_every_route_fits_the_file_limit_or_is_capped(void **state)
{
	struct cached_peer *peers = calloc(1100, sizeof(*peers));
	struct cached_peer *back;
	char *text = NULL;
	size_t n;
	long len;

	(void)state;
	assert_non_null(peers);
	for (size_t i = 0; i < 1100; i++) {
		peers[i].peer.key.b[0] = 1;
		peers[i].peer.mesh_ip = (struct ip) { AF_INET, { 10, 1, (uint8_t)i, 3 } };
		peers[i].last_seen = NOW;
	}
	len = peercache_format(&text, peers, 1100, NOW);
	assert_in_range(len, 1, PEERCACHE_FILE_MAX);
	assert_int_equal(parse(&back, &n, text), 0);
	assert_int_equal(n, ANNOUNCE_PEERS_MAX);
	free(back);
	free(text);
	free(peers);
}

static void the_time_of_writing_is_read_back(void **state)
{
	static const char *const silent[] = { "", "{}", "[]", "{\"updated_at\":\"1\"}", "null" };
	auto_free char *text = NULL;
	long len = peercache_format(&text, NULL, 0, 1767225600);

	(void)state;
	assert_true(len > 0);
	assert_int_equal(peercache_written(text, (size_t)len), 1767225600);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++)
		assert_int_equal(peercache_written(silent[i], strlen(silent[i])), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_of_writing_is_read_back),
		cmocka_unit_test(what_is_no_cache_is_refused),
		cmocka_unit_test(invalid_entries_are_skipped),
		cmocka_unit_test(age_decides_to_the_second),
		cmocka_unit_test(hostnames_are_escaped_as_in_existing_files),
		cmocka_unit_test(a_full_cache_with_every_route_fits_the_file_limit_or_is_capped),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
