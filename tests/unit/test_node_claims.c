/* SPDX-License-Identifier: MIT */
/* What becomes of a peer's mesh address in WireGuard when another member announces it, too. */
#include "tests/unit/captured.h"
#include "tests/unit/nodefixture.h"

#define LIAR	2
#define LIAR_AT "192.0.2.66:52000"

static void claim_bobs_address(struct fixture *f)
{
	struct announcement a = { .self = peer_of(LIAR) };
	const struct discovery_origin from = { .from = endpoint_of(LIAR_AT),
					       .source = DISCOVERY_REPLY };

	a.self.mesh_ip = peer_of(BOB).mesh_ip;
	(void)str_copy(a.self.endpoint, sizeof(a.self.endpoint), "192.0.2.66:51820");
	node_peers_announced(&f->node, &a, &from);
}

/* What both were given last; the changes may come in any order. */
struct given {
	size_t bob;
	size_t liar;
};

static struct given given(struct fixture *f)
{
	const struct wg_key liar = key_of(LIAR);
	const struct wg_key bob = key_of(BOB);
	struct given g = { .bob = SIZE_MAX, .liar = SIZE_MAX };
	struct fakeadmin_request req;

	while (fakeadmin_next(&f->admin, &req)) {
		if (req.op != NETADMIN_PEERS || !(req.peer.flags & WG_PEER_REPLACE_ALLOWED))
			continue;
		if (memcmp(&req.peer.key, &bob, sizeof(bob)) == 0)
			g.bob = req.peer.n_allowed;
		if (memcmp(&req.peer.key, &liar, sizeof(liar)) == 0)
			g.liar = req.peer.n_allowed;
	}
	return g;
}

static void a_made_up_lower_key_takes_nothing_from_a_tunnel(void **state)
{
	struct fixture *f = *state;
	struct given g;

	connect_bob(f);
	claim_bobs_address(f);
	g = given(f);
	assert_int_equal(g.liar, 0);
	assert_int_equal(g.bob, SIZE_MAX);
}

static void rob_bob(struct fixture *f)
{
	struct given g;

	settle(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	claim_bobs_address(f);
	g = given(f);
	assert_int_equal(g.liar, 1);
	assert_int_equal(g.bob, 0);
}

static void the_first_handshake_gives_an_address_back(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, NULL);
	struct wg_peer_state other = report_of(LIAR, NULL);
	struct given g;

	rob_bob(f);
	report.n_allowed = 0;
	other.allowed[0].ip = peer_of(BOB).mesh_ip;
	other.handshake_s = 0;
	begin_dump(f);
	node_peers_observed(&f->node, &other);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	g = given(f);
	assert_int_equal(g.bob, 1);
	assert_int_equal(g.liar, 0);
}

static void who_leaves_gives_the_address_back_in_the_same_turn(void **state)
{
	struct fixture *f = *state;

	rob_bob(f);
	goodbye(f, LIAR, LIAR_AT, 0);
	assert_int_equal(given(f).bob, 1);
	assert_false(peers_is_marked(f->node.peers, peer_at(f, BOB)));
}

static struct node *moving;

static void move(void)
{
	const struct ip to = ip_of("10.77.255.11");
	const struct err none = { 0 };

	assert_int_equal(log_init("wgmesh", LOG_FORMAT_TEXT, NULL), 0);
	node_collision_moved(moving, &to, &none);
}

static void who_moves_says_when_health_and_metrics_stay_behind(void **state)
{
	struct fixture *f = *state;
	struct http_addresses *http = &f->config.http;
	struct notify notify = { .fd = -1 };

	moving = &f->node;
	moving->notify = &notify;
	http->n = 1;
	http->list[0].at = endpoint_of("127.0.0.1:9464");
	assert_null(strstr(captured(move), "--http"));
	http->list[0].at.ip = moving->ready.mesh_ip = ip_of("10.77.255.10");
	assert_non_null(strstr(captured(move), "--http or --metrics names the old one"));
	pong_close(moving->pong[0]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, nodefixture_make, nodefixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_made_up_lower_key_takes_nothing_from_a_tunnel),
		T(the_first_handshake_gives_an_address_back),
		T(who_moves_says_when_health_and_metrics_stay_behind),
		T(who_leaves_gives_the_address_back_in_the_same_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
