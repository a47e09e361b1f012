/* SPDX-License-Identifier: MIT */
#include "daemon/wire/announce.h"
#include "daemon/wire/json.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY   "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
#define PEER  "bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY="
#define ZERO  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define OWN   "{\"wg_pubkey\":\"" KEY "\",\"mesh_ip\":\"10.77.1.2\""
#define KNOWN "{\"wg_pubkey\":\"" PEER "\",\"mesh_ip\":\"10.77.1.3\"}"

static enum announce_result parse(struct announcement *a, const char *body, bool strict)
{
	struct envelope env = { .timestamp = 1767225600 };
	enum announce_result r;

	env.body = json_parse(body, strlen(body), NULL);
	assert_non_null(env.body);
	r = announce_parse(a, &env, strict);
	envelope_free(&env);
	return r;
}

static void assert_refused(const char *body, enum announce_result want)
{
	struct announcement a;

	assert_int_equal(parse(&a, body, true), want);
	assert_int_equal(parse(&a, body, false), want);
	assert_null(a.known);
}

static void assert_own(const char *members, enum announce_result want)
{
	struct announcement a;
	char body[1024];

	(void)snprintf(body, sizeof(body), OWN ",%s}", members);
	assert_int_equal(parse(&a, body, true), want);
}

static void missing_and_malformed_members_are_named(void **state)
{
	(void)state;
	assert_refused("{}", ANNOUNCE_BAD_KEY);
	assert_refused("{\"wg_pubkey\":\"" ZERO "\",\"mesh_ip\":\"10.77.1.2\"}", ANNOUNCE_BAD_KEY);
	assert_refused("{\"wg_pubkey\":\"" KEY "\"}", ANNOUNCE_BAD_MESH_IP);
	assert_refused("{\"wg_pubkey\":\"" KEY "\",\"mesh_ip\":\"10.77.1.2\\u0000\"}",
		       ANNOUNCE_BAD_MESH_IP);
	assert_own("\"wg_endpoint\":\"1.2.3.4\"", ANNOUNCE_BAD_ENDPOINT);
	assert_own("\"hostname\":\"a\\tb\"", ANNOUNCE_BAD_HOSTNAME);
	assert_own("\"hostname\":\"\\u0105\"", ANNOUNCE_BAD_HOSTNAME);
	assert_own("\"routable_networks\":[\"10.0.0.0\"]", ANNOUNCE_BAD_ROUTES);
	assert_own("\"routable_networks\":[null]", ANNOUNCE_BAD_ROUTES);
	assert_own("\"known_peers\":[null]", ANNOUNCE_BAD_KNOWN_PEERS);
	assert_own("\"hostname\":\"\"", ANNOUNCE_OK);
}

static void wrong_json_types_spoil_the_payload(void **state)
{
	static const char *const members[] = {
		"\"wg_pubkey\":1",
		"\"mesh_ip\":[]",
		"\"mesh_ipv6\":1",
		"\"wg_endpoint\":{}",
		"\"hostname\":false",
		"\"introducer\":1",
		"\"routable_networks\":\"\"",
		"\"known_peers\":{}",
		"\"observed_endpoint\":1",
		"\"nat_type\":1",
		"\"routable_networks\":[1]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_own(members[i], ANNOUNCE_BAD_PAYLOAD);
	assert_own("\"known_peers\":[5]", ANNOUNCE_BAD_PAYLOAD);
}

static void optional_members_that_make_no_sense_are_left_out(void **state)
{
	struct announcement a;

	(void)state;
	assert_int_equal(parse(&a,
			       OWN ",\"mesh_ipv6\":\"x\",\"observed_endpoint\":\"host:1\","
				   "\"nat_type\":\"something new\"}",
			       true),
			 ANNOUNCE_OK);
	assert_int_equal(a.self.mesh_ip6.family, 0);
	assert_int_equal(a.observed.ip.family, 0);
	assert_string_equal(a.self.nat_type, "unknown");
	assert_int_equal(a.timestamp, 1767225600);
}

static void a_mapped_mesh_address_is_the_ipv4_address(void **state)
{
	struct announcement a;
	char text[IP_TEXT_SIZE];

	(void)state;
	assert_int_equal(
		parse(&a, "{\"wg_pubkey\":\"" KEY "\",\"mesh_ip\":\"::ffff:10.1.2.3\"}", true),
		ANNOUNCE_OK);
	assert_string_equal(ip_format(text, &a.self.mesh_ip), "10.1.2.3");
}

static void a_bad_known_peer_costs_only_itself(void **state)
{
	static const char body[] =
		OWN ",\"known_peers\":[" KNOWN ",5,null,{},{\"wg_pubkey\":\"test\"},"
		    "{\"wg_pubkey\":\"" KEY "\",\"mesh_ip\":1}," KNOWN "]}";
	struct announcement a;
	char key[45];

	(void)state;
	assert_int_equal(parse(&a, body, false), ANNOUNCE_OK);
	assert_int_equal(a.n_known, 2);
	assert_int_equal(a.n_dropped, 5);
	assert_string_equal(wg_key_format(key, &a.known[1].key), PEER);
	announce_free(&a);
	assert_int_equal(parse(&a, body, true), ANNOUNCE_BAD_PAYLOAD);
}

/* A body with @n known peers; owned by the caller. */
static char *crowd(size_t n)
{
	size_t size = n * sizeof("," KNOWN) + sizeof(OWN) + 64;
	char *body = calloc(1, size);
	size_t used;

	assert_non_null(body);
	used = (size_t)snprintf(body, size, "%s", OWN ",\"known_peers\":[");
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(body + used, size - used, "%s" KNOWN, i == 0 ? "" : ",");
	(void)snprintf(body + used, size - used, "]}");
	return body;
}

static void known_peers_are_capped_at_a_thousand(void **state)
{
	struct announcement a;
	char *body = crowd(1000);

	(void)state;
	assert_int_equal(parse(&a, body, true), ANNOUNCE_OK);
	assert_int_equal(a.n_known, 1000);
	announce_free(&a);
	free(body);
	body = crowd(1001);
	assert_int_equal(parse(&a, body, true), ANNOUNCE_BAD_KNOWN_PEERS);
	assert_int_equal(parse(&a, body, false), ANNOUNCE_OK);
	assert_int_equal(a.n_known, 1000);
	assert_int_equal(a.n_dropped, 1);
	announce_free(&a);
	free(body);
}

static void known_peers_that_do_not_fit_are_left_out_from_the_end(void **state)
{
	struct announcement a;
	struct announcement back;
	char *body = crowd(5);
	char full[2048];
	char out[2048];
	size_t previous = 0;
	long len;

	(void)state;
	assert_int_equal(parse(&a, body, false), ANNOUNCE_OK);
	free(body);
	a.observed = (struct endpoint) { { AF_INET, { 203, 0, 113, 7 } }, 52001 };
	len = announce_format(full, sizeof(full), &a);
	assert_true(len > 0);
	for (size_t size = 0; size <= (size_t)len + 1; size++) {
		memset(out, '#', sizeof(out));
		if (announce_format(out, size, &a) < 0) {
			assert_int_equal(previous, 0);
			assert_int_equal(out[size], '#');
			continue;
		}
		assert_int_equal(out[size], '#');
		assert_int_equal(parse(&back, out, true), ANNOUNCE_OK);
		assert_int_equal(back.observed.port, 52001);
		assert_true(back.n_known >= previous && back.n_known <= 5);
		previous = back.n_known;
		announce_free(&back);
	}
	assert_int_equal(previous, 5);
	assert_string_equal(out, full);
	announce_free(&a);
}

static void a_goodbye_has_a_key_and_no_address(void **state)
{
	static const struct {
		const char *body;
		int want;
	} cases[] = {
		{ "{\"wg_pubkey\":\"" KEY "\"}", 0 },
		{ "{\"WG_PUBKEY\":\"" KEY "\",\"mesh_ip\":null}", 0 },
		{ OWN "}", -EINVAL },
		{ "{\"wg_pubkey\":\"" KEY "\",\"Mesh_IP\":\"\"}", -EINVAL },
		{ "{\"wg_pubkey\":\"" KEY "\",\"wg_endpoint\":\"\"}", -EINVAL },
		{ "{\"wg_pubkey\":\"" ZERO "\"}", -EINVAL },
		{ "{\"wg_pubkey\":\"x\"}", -EINVAL },
		{ "{\"wg_pubkey\":5}", -EINVAL },
		{ "{}", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct envelope env = { 0 };
		struct wg_key key;

		env.body = json_parse(cases[i].body, strlen(cases[i].body), NULL);
		assert_int_equal(goodbye_parse(&key, &env), cases[i].want);
		envelope_free(&env);
	}
}

static void assert_instance(const char *members, const char *want)
{
	struct announcement a;
	char body[1024];

	(void)snprintf(body, sizeof(body), OWN "%s}", members);
	assert_int_equal(parse(&a, body, true), ANNOUNCE_OK);
	assert_string_equal(a.instance, want);
}

/* @want: the endpoints that are taken, each with a blank behind it */
static void assert_endpoints(const char *members, const char *want)
{
	struct announcement a;
	char body[1024];

	(void)snprintf(body, sizeof(body), OWN "%s}", members);
	assert_int_equal(parse(&a, body, true), ANNOUNCE_OK);
	for (size_t i = 0; i < a.n_endpoints; i++) {
		char text[ENDPOINT_TEXT_SIZE];
		size_t len = strlen(endpoint_format(text, &a.endpoints[i]));

		assert_true(strncmp(want, text, len) == 0 && want[len] == ' ');
		want += len + 1;
	}
	assert_string_equal(want, "");
	announce_free(&a);
}

static void further_endpoints_are_literals_and_never_cost_the_announcement(void **state)
{
	(void)state;
	assert_endpoints("", "");
	assert_endpoints(",\"endpoints\":[\"203.0.113.9:4000\",\"[2a02::5]:51820\"]",
			 "203.0.113.9:4000 [2a02::5]:51820 ");
	assert_endpoints(",\"endpoints\":[\"192.168.1.5:1\",\"host.example:1\",\"0.0.0.0:1\","
			 "\"127.0.0.1:1\",\"224.0.0.1:1\",\"255.255.255.255:1\",\"169.254.1.1:1\","
			 "\"[::]:1\",\"[::1]:1\",\"[fe80::1]:1\",\"[ff02::1]:1\","
			 "\"[::ffff:127.0.0.1]:1\",\"203.0.113.9:0\",\"203.0.113.9\",\"\"]",
			 "192.168.1.5:1 ");
	assert_endpoints(",\"endpoints\":\"203.0.113.9:4000\"", "");
	assert_endpoints(",\"endpoints\":{\"a\":\"203.0.113.9:4000\"}", "");
	assert_endpoints(",\"endpoints\":null", "");
	assert_endpoints(",\"endpoints\":[7,null,[],{},\"203.0.113.9:4000\"]", "203.0.113.9:4000 ");
}

static void no_more_than_four_further_endpoints_are_taken(void **state)
{
	(void)state;
	assert_endpoints(",\"endpoints\":[\"203.0.113.1:1\",\"203.0.113.2:1\",\"203.0.113.3:1\","
			 "\"203.0.113.4:1\",\"203.0.113.5:1\"]",
			 "203.0.113.1:1 203.0.113.2:1 203.0.113.3:1 203.0.113.4:1 ");
}

static void further_endpoints_are_written_as_they_are_read(void **state)
{
	struct announcement a = { .n_endpoints = 2 };
	char out[1024];

	(void)state;
	assert_int_equal(endpoint_parse(&a.endpoints[0], "203.0.113.9:4000"), 0);
	assert_int_equal(endpoint_parse(&a.endpoints[1], "[2a02::5]:51820"), 0);
	assert_true(announce_format(out, sizeof(out), &a) > 0);
	assert_non_null(strstr(out, ",\"endpoints\":[\"203.0.113.9:4000\",\"[2a02::5]:51820\"]"));
	a.n_endpoints = 0;
	assert_true(announce_format(out, sizeof(out), &a) > 0);
	assert_null(strstr(out, "endpoints"));
}

static void an_instance_that_is_none_never_costs_the_announcement(void **state)
{
	(void)state;
	assert_instance("", "");
	assert_instance(",\"instance\":\"0123456789abcdef\"", "0123456789abcdef");
	assert_instance(",\"instance\":\"0123456789ABCDEF\"", "");
	assert_instance(",\"instance\":\"0123456789abcdef0\"", "");
	assert_instance(",\"instance\":17", "");
	assert_instance(",\"instance\":null", "");
}

static void an_instance_is_written_last_and_only_where_there_is_one(void **state)
{
	struct announcement a = { .instance = "0123456789abcdef" };
	static const char tail[] = ",\"instance\":\"0123456789abcdef\"}";
	char out[1024];
	long len = announce_format(out, sizeof(out), &a);

	(void)state;
	assert_true(len > (long)strlen(tail));
	assert_string_equal(out + len - (long)strlen(tail), tail);
	a.instance[0] = '\0';
	assert_true(announce_format(out, sizeof(out), &a) > 0);
	assert_null(strstr(out, "instance"));
}

static void assert_visitor(const char *members, bool want)
{
	struct announcement a;
	char body[1024];

	(void)snprintf(body, sizeof(body), OWN "%s}", members);
	assert_int_equal(parse(&a, body, true), ANNOUNCE_OK);
	assert_int_equal(a.is_visitor, want);
}

static void only_who_says_so_is_a_visitor(void **state)
{
	struct announcement a = { .is_visitor = true };
	char out[1024];

	(void)state;
	assert_visitor("", false);
	assert_visitor(",\"visitor\":true", true);
	assert_visitor(",\"visitor\":false", false);
	assert_visitor(",\"visitor\":\"true\"", false);
	assert_visitor(",\"visitor\":null", false);
	assert_true(announce_format(out, sizeof(out), &a) > 0);
	assert_non_null(strstr(out, ",\"visitor\":true}"));
	a.is_visitor = false;
	assert_true(announce_format(out, sizeof(out), &a) > 0);
	assert_null(strstr(out, "visitor"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_and_malformed_members_are_named),
		cmocka_unit_test(wrong_json_types_spoil_the_payload),
		cmocka_unit_test(optional_members_that_make_no_sense_are_left_out),
		cmocka_unit_test(a_mapped_mesh_address_is_the_ipv4_address),
		cmocka_unit_test(a_bad_known_peer_costs_only_itself),
		cmocka_unit_test(known_peers_are_capped_at_a_thousand),
		cmocka_unit_test(known_peers_that_do_not_fit_are_left_out_from_the_end),
		cmocka_unit_test(a_goodbye_has_a_key_and_no_address),
		cmocka_unit_test(further_endpoints_are_literals_and_never_cost_the_announcement),
		cmocka_unit_test(no_more_than_four_further_endpoints_are_taken),
		cmocka_unit_test(further_endpoints_are_written_as_they_are_read),
		cmocka_unit_test(an_instance_that_is_none_never_costs_the_announcement),
		cmocka_unit_test(an_instance_is_written_last_and_only_where_there_is_one),
		cmocka_unit_test(only_who_says_so_is_a_visitor),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
