/* SPDX-License-Identifier: MIT */
#include "tests/unit/nodefixture.h"

/* --- what WireGuard does not take ------------------------------------------------------------- */

static void a_change_that_was_refused_is_tried_again_after_growing_pauses(void **state)
{
	struct fixture *f = *state;
	struct wg_key key = key_of(BOB);
	struct node_peer *row;
	int64_t pause = 1000;

	settle(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	drop_requests(f);
	row = &f->node.rows[peer_at(f, BOB)->slot];
	for (int i = 0; i < 12; i++) {
		int64_t now_ms = clock_now().mono_ms;

		node_peers_refused(&f->node, &key);
		assert_in_range(row->refused_until_ms - now_ms, pause, pause + 1000);
		node_peers_flush(&f->node);
		assert_nothing_written(f);
		row->refused_until_ms = now_ms;
		peers_mark(f->node.peers, peer_at(f, BOB));
		node_peers_flush(&f->node);
		/* Nobody knows what of it was taken: all of it is written. */
		assert_int_equal(change_of(f, BOB).flags, WG_PEER_HAS_PSK | WG_PEER_HAS_ENDPOINT |
								  WG_PEER_HAS_KEEPALIVE |
								  WG_PEER_REPLACE_ALLOWED);
		pause = pause < 256000 ? 2 * pause : pause;
	}
}

static void a_removal_that_was_refused_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct wg_key key = key_of(BOB);

	connect_bob(f);
	goodbye(f, BOB, BOB_AT, 0);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REMOVE);
	node_peers_refused(&f->node, &key);
	f->node.rows[peer_at(f, BOB)->slot].refused_until_ms = 0;
	node_peers_flush(&f->node);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REMOVE);
	node_peers_flush(&f->node);
	assert_nothing_written(f);
}

static void a_peer_that_was_taken_after_all_has_its_first_pause_again(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, NULL);
	struct wg_key key = key_of(BOB);
	struct node_peer *row;

	connect_bob(f);
	row = &f->node.rows[peer_at(f, BOB)->slot];
	node_peers_refused(&f->node, &key);
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	assert_int_equal(row->n_refused, 1);
	row->refused_until_ms = 0;
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	assert_int_equal(row->n_refused, 0);
	/* Of one that is nobody's any more, nothing is heard. */
	key = key_of(CAROL);
	node_peers_refused(&f->node, &key);
}

/* --- many at once ----------------------------------------------------------------------------- */

/* Peer number @i of many, as it announces itself. */
static void one_of_many(struct fixture *f, unsigned int i)
{
	struct announcement a = { .self = {
					  .key = { .b = { (uint8_t)i, (uint8_t)(i >> 8), 9 } } } };
	struct endpoint from = endpoint_of(BOB_AT);

	a.self.mesh_ip = (struct ip) { AF_INET, { 10, 77, (uint8_t)(100 + (i >> 8)), (uint8_t)i } };
	a.self.mesh_ip6 = ip_of("fd12:3456:789a:bcde::1");
	a.self.mesh_ip6.b[15] = (uint8_t)i;
	a.self.mesh_ip6.b[14] = (uint8_t)(i >> 8);
	(void)str_copy(a.self.endpoint, sizeof(a.self.endpoint), "192.0.2.9:51820");
	node_peers_announced(&f->node, &a,
			     &(struct discovery_origin) {
				     .from = from, .source = DISCOVERY_REPLY, .rtt_us = 0 });
}

/* Messages and changes that came to netadmin. */
static size_t count_batches(struct fixture *f, size_t *changes)
{
	struct fakeadmin_request req;
	size_t before = f->admin.messages;

	for (*changes = 0; fakeadmin_next(&f->admin, &req); ++*changes)
		assert_int_equal(req.op, NETADMIN_PEERS);
	return f->admin.messages - before;
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_peers_flush(arg);
}

static void all_that_came_in_one_turn_is_one_message(void **state)
{
	struct fixture *f = *state;
	struct node *n = &f->node;
	size_t changes;

	settle(f);
	n->flush_event = event_new(n->base, -1, 0, on_flush, n);
	for (unsigned int i = 1; i <= 64; i++)
		one_of_many(f, i);
	assert_nothing_written(f);
	loop_drain(n->base);
	assert_int_equal(count_batches(f, &changes), 1);
	assert_int_equal(changes, 64);
	event_free(n->flush_event);
	n->flush_event = NULL;
}

/* The interface was adopted, or made, while all of them were heard. */
static void a_thousand_at_once_are_two_messages(void **state)
{
	struct fixture *f = *state;
	size_t changes;

	for (unsigned int i = 1; i <= 999; i++)
		one_of_many(f, i);
	assert_nothing_written(f);
	settle(f);
	assert_int_equal(count_batches(f, &changes), 2);
	assert_int_equal(changes, 999);
	node_peers_flush(&f->node);
	assert_nothing_written(f);
}

/* A member can invent others, but not their tunnels. */
static void invented_members_do_not_keep_a_newcomer_out(void **state)
{
	struct fixture *f = *state;
	struct wg_key first = { .b = { 1, 0, 9 } };
	struct wg_key second = { .b = { 2, 0, 9 } };
	struct wg_key bob = key_of(BOB);
	struct peers *t = f->node.peers;

	settle(f);
	for (unsigned int i = 1; i <= PEERS_MAX; i++)
		one_of_many(f, i);
	node_peers_flush(&f->node);
	for (struct peer *p = peers_next(t, NULL); p; p = peers_next(t, p))
		p->applied.present = true;
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_int_equal(peers_count(t), PEERS_MAX);
	assert_null(peers_find(t, &bob));
	/* The oldest one has a tunnel, the next one has had the time to make one. */
	peers_find(t, &first)->first_seen_ms -= 600000;
	peers_find(t, &first)->handshake_s = 1;
	peers_find(t, &second)->first_seen_ms -= 300000;
	drop_requests(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_non_null(peer_at(f, BOB));
	assert_non_null(peers_find(t, &first));
	assert_null(peers_find(t, &second));
	assert_int_equal(peers_count(t), PEERS_MAX);
}

#define T(test) cmocka_unit_test_setup_teardown(test, nodefixture_make, nodefixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_change_that_was_refused_is_tried_again_after_growing_pauses),
		T(a_removal_that_was_refused_is_tried_again),
		T(a_peer_that_was_taken_after_all_has_its_first_pause_again),
		T(all_that_came_in_one_turn_is_one_message),
		T(a_thousand_at_once_are_two_messages),
		T(invented_members_do_not_keep_a_newcomer_out),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
