/* SPDX-License-Identifier: MIT */
#include "daemon/nat/knownpoint.h"
#include "tests/unit/fixtures.h"

#include <string.h>

#define FAR  "198.51.100.1:52000"
#define NEAR "192.168.1.1:52000"

static struct peer peer_at(const char *endpoint, const char *tunnel)
{
	struct peer p = { .endpoint = endpoint_of(endpoint), .tunnel = endpoint_of(tunnel) };

	if (tunnel)
		p.handshake_s = at(0).unix_s;
	return p;
}

static void assert_told(const struct peer *p, const char *to, const char *want)
{
	struct endpoint receiver = endpoint_of(to);
	struct endpoint e = knownpoint_choose(p, to ? &receiver : NULL, at(0));

	assert_endpoint(&e, want);
}

static void the_address_that_our_tunnel_sees_is_told(void **state)
{
	struct peer p = peer_at("203.0.113.9:51820", "203.0.113.9:4242");

	(void)state;
	assert_told(&p, FAR, "203.0.113.9:4242");
	assert_told(&p, NULL, "203.0.113.9:4242");
	/* A tunnel that is down sees nothing. */
	p.handshake_s -= PEER_HANDSHAKE_S;
	assert_told(&p, FAR, "203.0.113.9:51820");
}

static void a_private_address_is_told_to_neighbours_only(void **state)
{
	struct peer p = peer_at("192.168.1.9:51820", "192.168.1.9:51820");
	struct endpoint own = endpoint_of("203.0.113.9:51820");

	(void)state;
	candidates_add(&p.candidates, &own, CANDIDATE_OWN);
	assert_told(&p, NEAR, "192.168.1.9:51820");
	assert_told(&p, FAR, "203.0.113.9:51820");
	assert_told(&p, NULL, "203.0.113.9:51820");
	assert_told(&p, "[2a02::1]:52000", "203.0.113.9:51820");
}

static void what_an_existing_node_advertises_counts_as_well(void **state)
{
	struct peer p = peer_at("192.168.1.9:51820", NULL);

	(void)state;
	/* Better than nothing. */
	assert_told(&p, FAR, "192.168.1.9:51820");
	(void)endpoint_format(p.info.endpoint, &(struct endpoint) { ip_of("203.0.113.9"), 4000 });
	assert_told(&p, FAR, "203.0.113.9:4000");
	/* A wildcard names no place. */
	(void)endpoint_format(p.info.endpoint, &(struct endpoint) { ip_of("0.0.0.0"), 4000 });
	assert_told(&p, FAR, "192.168.1.9:51820");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_address_that_our_tunnel_sees_is_told),
		cmocka_unit_test(a_private_address_is_told_to_neighbours_only),
		cmocka_unit_test(what_an_existing_node_advertises_counts_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
