/* SPDX-License-Identifier: MIT */
/* Who has a mesh address that several announce, when it matters whose key is proved, and who is there. */
#include "tests/unit/fixtures.h"

#define CONTESTED "10.77.1.1"

static int make_table(void **state)
{
	struct wg_key self = key_of(1);

	*state = peers_new(&self);
	return *state ? 0 : -1;
}

static int free_table(void **state)
{
	peers_free(*state);
	return 0;
}

static struct peer *claim(struct peers *t, unsigned int n)
{
	struct known_peer who = peer_of(n);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);
	struct peer *p = NULL;

	who.mesh_ip = ip_of(CONTESTED);
	(void)peers_sight(t, &s, at(0), &p);
	peers_unmark(t, p);
	return p;
}

static void prove(struct peers *t, struct peer *p)
{
	p->tunnel_ms = at(0).mono_ms;
	peers_settle(t, p);
}

static void leave(struct peers *t, struct peer *p)
{
	p->has_left = true;
	peers_settle(t, p);
}

static void a_key_that_nobody_has_takes_no_address_from_one_with_a_tunnel(void **state)
{
	struct peer *bob = claim(*state, 15);
	struct peer *liar;

	prove(*state, bob);
	liar = claim(*state, 2);
	assert_false(bob->lost_ip);
	assert_true(liar->lost_ip);
	assert_false(peers_is_marked(*state, bob));
}

static void the_tunnel_gives_the_address_back_to_who_was_robbed_before_it(void **state)
{
	struct peer *bob = claim(*state, 15);
	struct peer *liar = claim(*state, 2);

	assert_true(bob->lost_ip);
	peers_unmark(*state, bob);
	peers_unmark(*state, liar);
	prove(*state, bob);
	assert_false(bob->lost_ip);
	assert_true(liar->lost_ip);
	assert_true(peers_is_marked(*state, bob));
	assert_true(peers_is_marked(*state, liar));
}

static void of_two_with_tunnels_the_lower_key_keeps_it(void **state)
{
	struct peer *bob = claim(*state, 15);
	struct peer *alice = claim(*state, 2);

	prove(*state, bob);
	prove(*state, alice);
	assert_true(bob->lost_ip);
	assert_false(alice->lost_ip);
}

static void who_has_left_keeps_no_address_from_who_is_there(void **state)
{
	struct peer *bob = claim(*state, 15);
	struct peer *liar = claim(*state, 2);

	prove(*state, liar);
	leave(*state, liar);
	assert_false(bob->lost_ip);
	assert_true(liar->lost_ip);
	assert_true(peers_is_marked(*state, bob));
	/* It is heard again. */
	(void)claim(*state, 2);
	assert_true(bob->lost_ip);
	assert_false(liar->lost_ip);
}

static void where_all_have_left_nobody_has_lost(void **state)
{
	struct peer *bob = claim(*state, 15);

	leave(*state, bob);
	assert_false(bob->lost_ip);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_table, free_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_key_that_nobody_has_takes_no_address_from_one_with_a_tunnel),
		T(the_tunnel_gives_the_address_back_to_who_was_robbed_before_it),
		T(of_two_with_tunnels_the_lower_key_keeps_it),
		T(who_has_left_keeps_no_address_from_who_is_there),
		T(where_all_have_left_nobody_has_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
