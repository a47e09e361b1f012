/* SPDX-License-Identifier: MIT */
#include "tests/unit/nodefixture.h"

#define ONE   20 /* relays */
#define TWO   21
#define EAGER 5000 /* an exchange that was begun so long ago is over */

static int make_fixture(void **state)
{
	struct fixture *f;
	int r = nodefixture_make(state);

	f = *state;
	f->node.is_settled = true;
	return r;
}

/* --- playing netadmin ------------------------------------------------------------------------- */

/* The next change of a peer; false when there is none. */
static bool next_change(struct fixture *f, struct wg_peer_config *out)
{
	struct fakeadmin_request req = { 0 };

	node_peers_flush(&f->node);
	do {
		if (!fakeadmin_next(&f->admin, &req))
			return false;
	} while (req.op != NETADMIN_PEERS);
	*out = req.peer;
	return true;
}

static void drop_changes(struct fixture *f)
{
	struct wg_peer_config change = { .flags = 0 };

	while (next_change(f, &change))
		;
}

/* One message, which gives what is behind BOB to a peer, and takes nothing from that peer. */
static void assert_moved_to(struct fixture *f, unsigned int gainer)
{
	struct wg_key key = key_of(gainer);
	struct wg_peer_config change = { .flags = 0 };
	char text[PREFIX_TEXT_SIZE];

	if (!next_change(f, &change))
		fail_msg("nothing was moved to peer %u", gainer);
	assert_memory_equal(&change.key, &key, sizeof(key));
	assert_int_equal(change.flags, 0);
	assert_int_equal(change.n_allowed, 2);
	assert_string_equal(prefix_format(text, &change.allowed[0]), "10.77.0.15/32");
	assert_string_equal(prefix_format(text, &change.allowed[1]), SITE);
}

static void assert_no_more_changes(struct fixture *f)
{
	struct wg_peer_config change = { .flags = 0 };

	if (next_change(f, &change))
		fail_msg("a peer was written with flags %#x", change.flags);
}

/* --- the mesh ---------------------------------------------------------------------------------- */

/* A peer that was just heard, configured as it should be. */
static struct peer *meet(struct fixture *f, unsigned int n, bool is_introducer)
{
	struct known_peer who = peer_of(n);
	struct prefix site = prefix_of(SITE);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, "192.0.2.1:51820");
	struct peer *p;

	who.introducer = is_introducer;
	s.has_routes = true;
	s.routes = &site;
	s.n_routes = n == BOB ? 1 : 0;
	s.control = endpoint_of("192.0.2.1:52000");
	node_peers_sight(&f->node, &s, true);
	p = peers_find(f->node.peers, &who.key);
	p->is_ours = true;
	drop_changes(f);
	return p;
}

/* What else follows from a handshake is not of interest here. */
static void settle_one(struct fixture *f, struct peer *p)
{
	peers_mark(f->node.peers, p);
	node_peers_flush(&f->node);
	drop_changes(f);
}

static struct peer *meet_relay(struct fixture *f, unsigned int n)
{
	struct peer *p = meet(f, n, true);

	p->handshake_s = clock_now().unix_s;
	settle_one(f, p);
	return p;
}

/* The first handshake of BOB has been waited for long enough. */
static void lose_patience(struct peer *bob)
{
	bob->path.alone_ms = clock_now().mono_ms - RELAY_PATIENCE_MS;
}

static struct peer *relayed_bob(struct fixture *f)
{
	struct peer *bob = meet(f, BOB, false);

	lose_patience(bob);
	node_relay_look(&f->node);
	assert_true(bob->path.is_relayed);
	return bob;
}

static void addresses_move_in_one_message_and_nothing_follows(void **state)
{
	struct fixture *f = *state;
	const struct peer *one = meet_relay(f, ONE);
	const struct peer *bob = relayed_bob(f);

	assert_int_equal(bob->path.via, one->slot);
	assert_moved_to(f, ONE);
	node_peers_flush(&f->node);
	assert_no_more_changes(f);
	assert_int_equal(f->node.counters.path_changes, 1);
}

static void they_move_back_in_one_message_too(void **state)
{
	struct fixture *f = *state;
	struct peer *bob;

	(void)meet_relay(f, ONE);
	bob = relayed_bob(f);
	drop_changes(f);
	bob->path.changed_s -= 100;
	bob->handshake_s = clock_now().unix_s - 2 * RELAY_BACK_S;
	settle_one(f, bob);
	node_relay_look(&f->node);
	assert_false(bob->path.is_relayed);
	assert_moved_to(f, BOB);
	node_peers_flush(&f->node);
	assert_no_more_changes(f);
}

static void without_a_relay_nothing_moves(void **state)
{
	struct fixture *f = *state;
	struct peer *bob = meet(f, BOB, false);
	const struct peer *one = meet(f, ONE, true); /* it has no tunnel with us */

	lose_patience(bob);
	node_relay_look(&f->node);
	assert_false(bob->path.is_relayed);
	assert_false(one->path.is_relayed);
	assert_no_more_changes(f);
}

static void a_relay_that_says_goodbye_hands_over_before_it_is_removed(void **state)
{
	struct fixture *f = *state;
	struct peer *relays[] = { meet_relay(f, ONE), meet_relay(f, TWO) };
	const struct peer *bob = relayed_bob(f);
	size_t used = bob->path.via == relays[0]->slot ? 0 : 1;
	struct endpoint from = endpoint_of("192.0.2.1:52000");
	struct wg_peer_config change = { .flags = 0 };

	drop_changes(f);
	node_peers_goodbye(&f->node, &relays[used]->info.key, clock_now().unix_s, &from);
	assert_int_equal(bob->path.via, relays[1 - used]->slot);
	assert_moved_to(f, used == 0 ? TWO : ONE);
	assert_true(next_change(f, &change));
	assert_int_equal(change.flags, WG_PEER_REMOVE);
	assert_memory_equal(&change.key, &relays[used]->info.key, sizeof(change.key));
	assert_no_more_changes(f);
}

static void a_relay_that_answers_no_more_is_left(void **state)
{
	struct fixture *f = *state;
	struct peer *relays[] = { meet_relay(f, ONE), meet_relay(f, TWO) };
	const struct peer *bob = relayed_bob(f);
	size_t used = bob->path.via == relays[0]->slot ? 0 : 1;
	struct node_peer *row = &f->node.rows[relays[used]->slot];

	drop_changes(f);
	row->refresh.n_unanswered = 1;
	row->refresh.hello_ms = clock_now().mono_ms - EAGER;
	node_relay_look(&f->node);
	assert_moved_to(f, used == 0 ? TWO : ONE);
}

static void a_relay_is_asked_whether_it_lives(void **state)
{
	struct fixture *f = *state;
	struct node_peer *row = &f->node.rows[meet_relay(f, ONE)->slot];
	int64_t long_ago = clock_now().mono_ms - 20000;

	(void)relayed_bob(f);
	row->refresh.hello_ms = long_ago;
	row->refresh.n_unanswered = 0;
	node_relay_look(&f->node);
	assert_true(row->refresh.hello_ms > long_ago);
	assert_int_equal(row->refresh.n_unanswered, 1);
}

static void a_peer_of_our_lan_is_not_relayed(void **state)
{
	struct fixture *f = *state;
	struct peer *bob;

	(void)meet_relay(f, ONE);
	bob = meet(f, BOB, false);
	lose_patience(bob);
	(void)str_copy(bob->endpoint_method, sizeof(bob->endpoint_method), "lan");
	bob->endpoint_ms = clock_now().mono_ms;
	node_relay_look(&f->node);
	assert_false(bob->path.is_relayed);
	/* A laptop that has left the LAN is. */
	bob->endpoint_ms -= 60000;
	node_relay_look(&f->node);
	assert_true(bob->path.is_relayed);
}

static void introducers_reach_everybody_themselves(void **state)
{
	struct fixture *f = *state;
	struct peer *two;

	(void)meet_relay(f, ONE);
	two = meet(f, TWO, true);
	lose_patience(two);
	node_relay_look(&f->node);
	assert_false(two->path.is_relayed);
	f->config.introducer = true;
	lose_patience(meet(f, BOB, false));
	node_relay_look(&f->node);
	assert_int_equal(f->node.n_relayed, 0);
}

static void a_list_that_somebody_emptied_is_written_whole(void **state)
{
	struct fixture *f = *state;
	struct peer *one = meet_relay(f, ONE);
	struct wg_peer_state seen = { .handshake_s = clock_now().unix_s, .keepalive_s = 25 };
	struct wg_peer_config change = { .flags = 0 };
	const struct peer *bob = relayed_bob(f);

	drop_changes(f);
	seen.key = one->info.key;
	f->node.dump_number++;
	f->node.rows[bob->slot].seen_dump = f->node.dump_number;
	node_peers_observed(&f->node, &seen);
	node_peers_flush(&f->node);
	assert_true(next_change(f, &change));
	assert_int_equal(change.flags & WG_PEER_REPLACE_ALLOWED, WG_PEER_REPLACE_ALLOWED);
	assert_int_equal(change.n_allowed, 1);
	assert_moved_to(f, ONE);
	assert_no_more_changes(f);
}

static void an_adopted_interface_keeps_its_relays(void **state)
{
	struct fixture *f = *state;
	struct peer *one = meet_relay(f, ONE);
	struct peer *bob = meet(f, BOB, false);
	struct wg_peer_state seen = { .handshake_s = clock_now().unix_s, .keepalive_s = 25 };

	one->applied.present = false;
	seen.key = one->info.key;
	seen.allowed[seen.n_allowed++] = prefix_of("10.77.0.20/32");
	seen.allowed[seen.n_allowed++] = prefix_of("10.77.0.15/32");
	seen.allowed[seen.n_allowed++] = prefix_of(SITE);
	node_peers_observed(&f->node, &seen);
	assert_true(bob->path.is_relayed);
	assert_int_equal(bob->path.via, one->slot);
	node_relay_look(&f->node);
	assert_true(bob->path.is_relayed);
	assert_int_equal(f->node.counters.path_changes, 0);
}

static void a_peer_that_is_forgotten_is_taken_from_its_relay(void **state)
{
	struct fixture *f = *state;
	struct peer *one = meet_relay(f, ONE);
	struct wg_peer_config change = { .flags = 0 };
	struct peer *bob = relayed_bob(f);

	settle_one(f, one);
	node_relay_forget(&f->node, bob);
	peers_remove(f->node.peers, bob);
	node_peers_flush(&f->node);
	assert_true(next_change(f, &change));
	assert_memory_equal(&change.key, &one->info.key, sizeof(change.key));
	assert_int_equal(change.flags, WG_PEER_REPLACE_ALLOWED);
	assert_int_equal(change.n_allowed, 1);
	assert_no_more_changes(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_fixture, nodefixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(addresses_move_in_one_message_and_nothing_follows),
		T(they_move_back_in_one_message_too),
		T(without_a_relay_nothing_moves),
		T(a_relay_that_says_goodbye_hands_over_before_it_is_removed),
		T(a_relay_that_answers_no_more_is_left),
		T(a_relay_is_asked_whether_it_lives),
		T(a_peer_of_our_lan_is_not_relayed),
		T(introducers_reach_everybody_themselves),
		T(a_list_that_somebody_emptied_is_written_whole),
		T(an_adopted_interface_keeps_its_relays),
		T(a_peer_that_is_forgotten_is_taken_from_its_relay),
	};

	return cmocka_run_group_tests_name("node_relay", tests, NULL, NULL);
}
