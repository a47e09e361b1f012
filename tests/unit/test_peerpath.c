/* SPDX-License-Identifier: MIT */
#include "daemon/peers/peerpath.h"
#include "tests/unit/fixtures.h"

#include <string.h>

#define AT "192.0.2.2:51820"

struct fixture {
	struct peers *peers;
	struct now now;
};

static int make_fixture(void **state)
{
	static struct fixture f;
	struct wg_key self = key_of(1);

	f.peers = peers_new(&self);
	f.now = at(10000);
	assert_non_null(f.peers);
	*state = &f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	peers_free(f->peers);
	return 0;
}

static void assert_why(const struct fixture *f, const struct peer *p, const char *part)
{
	char why[PEERPATH_WHY_SIZE];

	assert_int_equal(peerpath_judge(p, f->now, why), PATH_NONE);
	if (!strstr(why, part))
		fail_msg("\"%s\" does not say \"%s\"", why, part);
}

/* A peer that was heard, and has been written to WireGuard. */
static struct peer *configured(const struct fixture *f)
{
	struct peer *p = see(f->peers, 2, METHOD_EXCHANGE, AT, 9000);

	p->applied.present = true;
	p->applied.keepalive_s = 25;
	return p;
}

static void a_young_handshake_is_a_direct_path(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);
	char why[PEERPATH_WHY_SIZE] = "x";

	p->handshake_s = f->now.unix_s - PEER_HANDSHAKE_S + 1;
	assert_int_equal(peerpath_judge(p, f->now, why), PATH_DIRECT);
	assert_string_equal(why, "");
}

static void a_relayed_peer_is_so_whatever_its_own_tunnel_does(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);
	char why[PEERPATH_WHY_SIZE] = "x";

	p->path.is_relayed = true;
	assert_int_equal(peerpath_judge(p, f->now, why), PATH_RELAYED);
	assert_string_equal(why, "");
	p->handshake_s = f->now.unix_s;
	assert_int_equal(peerpath_judge(p, f->now, why), PATH_RELAYED);
	p->said_goodbye = true;
	assert_int_equal(peerpath_judge(p, f->now, why), PATH_NONE);
}

static void an_old_handshake_says_how_old_and_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);

	p->handshake_s = f->now.unix_s - PEER_HANDSHAKE_S;
	assert_why(f, p, "2 min ago");
	assert_why(f, p, AT);
	p->tunnel = endpoint_of("198.51.100.7:4000");
	assert_why(f, p, "198.51.100.7:4000");
	p->handshake_s = f->now.unix_s - 3 * 86400;
	assert_why(f, p, "3 d ago");
}

static void no_handshake_ever_names_the_endpoint_and_what_to_look_at(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);

	assert_why(f, p, "no handshake ever");
	assert_why(f, p, AT);
	assert_why(f, p, "blocked");
	assert_why(f, p, "--listen-port");
}

static void one_that_is_left_to_begin_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);

	p->applied.keepalive_s = 0;
	assert_why(f, p, "begins the handshake");
}

static void one_without_an_address_has_to_come_to_us(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);

	p->endpoint = endpoint_of(NULL);
	assert_why(f, p, "no address of it is known");
}

static void one_that_said_goodbye_was_stopped(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);

	/* Its last handshake may be young still. */
	p->handshake_s = f->now.unix_s - 1;
	p->said_goodbye = true;
	assert_why(f, p, "goodbye");
}

static void one_whose_address_another_has_says_so(void **state)
{
	struct fixture *f = *state;
	struct peer *p = configured(f);

	p->lost_ip = true;
	assert_why(f, p, "same mesh address");
}

static void one_that_fell_silent_says_since_when(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->peers, 2, METHOD_EXCHANGE, AT, 0);

	f->now = at(PEER_FORGET_MS);
	assert_why(f, p, "10 min ago");
	f->now = at(2 * 3600 * 1000);
	assert_why(f, p, "2 h ago");
}

static void one_that_was_just_heard_is_being_configured(void **state)
{
	struct fixture *f = *state;

	assert_why(f, see(f->peers, 2, METHOD_LAN, AT, 9999), "being configured");
}

static void hearsay_is_called_so(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->peers, 2, METHOD_TRANSITIVE, AT, 0);

	assert_why(f, p, "others told of it, but no address");
	p->control = endpoint_of("192.0.2.2:52000");
	assert_why(f, p, "has not answered at 192.0.2.2:52000");
}

static void one_of_an_earlier_run_is_called_so(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->peers, 2, METHOD_CACHE, AT, 0);

	p->control = endpoint_of("192.0.2.2:52000");
	assert_why(f, p, "earlier run");
}

static void one_without_a_mesh_address_cannot_be_reached(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->peers, 2, METHOD_EXCHANGE, AT, 0);

	p->info.mesh_ip.family = 0;
	assert_why(f, p, "no mesh address");
}

static void paths_have_names(void **state)
{
	(void)state;
	assert_string_equal(peerpath_name(PATH_DIRECT), "direct");
	assert_string_equal(peerpath_name(PATH_RELAYED), "relayed");
	assert_string_equal(peerpath_name(PATH_NONE), "none");
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_young_handshake_is_a_direct_path),
		T(a_relayed_peer_is_so_whatever_its_own_tunnel_does),
		T(an_old_handshake_says_how_old_and_where_it_was),
		T(no_handshake_ever_names_the_endpoint_and_what_to_look_at),
		T(one_that_is_left_to_begin_is_waited_for),
		T(one_without_an_address_has_to_come_to_us),
		T(one_that_said_goodbye_was_stopped),
		T(one_whose_address_another_has_says_so),
		T(one_that_fell_silent_says_since_when),
		T(one_that_was_just_heard_is_being_configured),
		T(hearsay_is_called_so),
		T(one_of_an_earlier_run_is_called_so),
		T(one_without_a_mesh_address_cannot_be_reached),
		T(paths_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
