/* SPDX-License-Identifier: MIT */
#include "daemon/peers/rewritten.h"
#include "tests/unit/fixtures.h"

#define GATEWAY "172.17.0.1"
#define OURS	"172.17.0.2"
#define REMOTE	"198.51.100.7:51820"
#define OUTSIDE "203.0.113.9" /* of the NAT that we are behind */

/* A peer with a tunnel, known at one place, whose packets come from another. */
static void add(struct peers *t, unsigned int n, const char *known, const char *from)
{
	struct known_peer info = peer_of(n);
	const struct sighting s = { .who = &info,
				    .endpoint = endpoint_of(known),
				    .method = METHOD_EXCHANGE };
	struct peer *p = NULL;

	(void)peers_sight(t, &s, at(0), &p);
	assert_non_null(p);
	p->tunnel = endpoint_of(from);
	p->handshake_s = at(0).unix_s;
}

static size_t count(struct peers *t, int64_t ms)
{
	const struct ip ours[] = { ip_of(OURS), ip_of(GATEWAY) };
	const struct ip outside = ip_of(OUTSIDE);

	return rewritten_look(t, ours, 2, &outside, at(ms)).n;
}

static void packets_from_our_gateway_or_ourselves_are_a_peers_of_elsewhere(void **state)
{
	struct wg_key self = key_of(1);
	struct peers *t = peers_new(&self);

	(void)state;
	add(t, 2, REMOTE, REMOTE);
	assert_int_equal(count(t, 1000), 0);
	add(t, 3, REMOTE, GATEWAY ":40001");
	assert_int_equal(count(t, 1000), 1);
	add(t, 4, "198.51.100.8:51820", OURS ":40002");
	assert_int_equal(count(t, 1000), 2);
	peers_free(t);
}

static void a_node_on_our_gateway_or_machine_is_where_it_says(void **state)
{
	struct wg_key self = key_of(1);
	struct peers *t = peers_new(&self);

	(void)state;
	add(t, 2, GATEWAY ":51820", GATEWAY ":51820");
	add(t, 3, OURS ":51821", OURS ":51821");
	assert_int_equal(count(t, 1000), 0);
	/* The proxy has its address, and never its port. */
	add(t, 4, GATEWAY ":51822", GATEWAY ":40001");
	assert_int_equal(count(t, 1000), 1);
	peers_free(t);
}

static void behind_one_nat_the_router_turns_packets_round(void **state)
{
	struct wg_key self = key_of(1);
	struct peers *t = peers_new(&self);

	(void)state;
	add(t, 2, OUTSIDE ":51821", GATEWAY ":40001");
	assert_int_equal(count(t, 1000), 0);
	add(t, 3, REMOTE, GATEWAY ":40002");
	assert_int_equal(count(t, 1000), 1);
	peers_free(t);
}

static void without_a_tunnel_nobody_came_from_there(void **state)
{
	struct wg_key self = key_of(1);
	struct peers *t = peers_new(&self);

	(void)state;
	add(t, 2, REMOTE, GATEWAY ":40001");
	assert_int_equal(count(t, 1000), 1);
	assert_int_equal(count(t, 24LL * 3600 * 1000), 0);
	peers_free(t);
}

static void one_of_them_is_named(void **state)
{
	const struct ip ours[] = { ip_of(GATEWAY) };
	const struct ip none = { .family = 0 };
	struct wg_key self = key_of(1);
	struct peers *t = peers_new(&self);

	(void)state;
	assert_null(rewritten_look(t, ours, 1, &none, at(0)).first);
	add(t, 2, REMOTE, REMOTE);
	add(t, 3, REMOTE, GATEWAY ":40001");
	assert_ptr_equal(rewritten_look(t, ours, 1, &none, at(0)).first,
			 peers_next(t, peers_next(t, NULL)));
	assert_null(rewritten_look(t, ours, 0, &none, at(0)).first);
	peers_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_from_our_gateway_or_ourselves_are_a_peers_of_elsewhere),
		cmocka_unit_test(a_node_on_our_gateway_or_machine_is_where_it_says),
		cmocka_unit_test(behind_one_nat_the_router_turns_packets_round),
		cmocka_unit_test(without_a_tunnel_nobody_came_from_there),
		cmocka_unit_test(one_of_them_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
