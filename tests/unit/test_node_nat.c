/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/captured.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/netns.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define PORT 51820

/**
 * struct fixture - A node in 192.168.1.0/24, without IPv6, behind 203.0.113.9
 */
struct fixture {
	struct config config;
	struct node node;
	struct announcement a;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct wg_key self = key_of(1);
	struct node *n = &f->node;

	assert_non_null(f);
	f->config.no_stun = true;
	n->cfg = &f->config;
	n->base = event_base_new();
	n->phase = NODE_RUNNING;
	n->peers = peers_new(&self);
	n->ready.listen_port = PORT;
	n->self.subnet = prefix_of("10.77.0.0/16");
	n->self.prefix6 = prefix_of("fd00:77::/64");
	n->nat.host =
		(struct hostaddrs) { .n = 1, .at = { { .net = prefix_of("192.168.1.5/24") } } };
	n->nat.source = ip_of("192.168.1.5");
	n->nat.own.v4 = endpoint_of("203.0.113.9:51820");
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	peers_free(f->node.peers);
	event_base_free(f->node.base);
	free(f);
	return 0;
}

static const char *told(struct fixture *f, const char *to)
{
	struct endpoint e = endpoint_of(to);

	memset(&f->a, 0, sizeof(f->a));
	node_nat_tell(&f->node, &f->a, to ? &e : NULL);
	return f->a.self.endpoint;
}

static void the_tunnel_is_told_what_the_internet_is_told(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(told(f, NULL), "0.0.0.0:51820");
	assert_string_equal(told(f, "198.51.100.1:52000"), "203.0.113.9:51820");
	assert_string_equal(told(f, "10.77.0.2:52000"), "203.0.113.9:51820");
	assert_string_equal(told(f, "[fd00:77::2]:52000"), "203.0.113.9:51820");
	assert_false(f->a.is_withheld);
}

static void without_an_address_the_tunnel_is_told_nothing(void **state)
{
	struct fixture *f = *state;

	f->node.nat.own.v4 = endpoint_of(NULL);
	(void)told(f, "10.77.0.2:52000");
	assert_true(f->a.is_withheld);
	assert_string_equal(told(f, "198.51.100.1:52000"), "0.0.0.0:51820");
	assert_false(f->a.is_withheld);
}

static void a_neighbour_is_told_the_address_in_the_network_both_share(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->node.peers, 2, METHOD_LAN, "192.168.1.7:51820", 0);

	f->node.nat.own.v4 = endpoint_of(NULL);
	p->tunnel = endpoint_of("192.168.1.7:51820");
	assert_string_equal(told(f, "10.77.0.2:52000"), "192.168.1.5:51820");
	p->tunnel = endpoint_of("198.51.100.7:51820");
	(void)told(f, "10.77.0.2:52000");
	assert_true(f->a.is_withheld);
}

/* --- where peers are reached ------------------------------------------------------------------ */

/* What is left of a peer's further endpoints, when its datagram came from @from. */
static size_t taken(struct fixture *f, const char *from, const char *const *endpoints,
		    struct endpoint out[static ANNOUNCE_ENDPOINTS_MAX])
{
	struct ip ip = ip_of(from);

	memset(&f->a, 0, sizeof(f->a));
	for (; endpoints[f->a.n_endpoints]; f->a.n_endpoints++)
		f->a.endpoints[f->a.n_endpoints] = endpoint_of(endpoints[f->a.n_endpoints]);
	return node_nat_candidates(&f->node, &f->a, &ip, out);
}

static struct node *observed;

static void observe(void)
{
	assert_int_equal(log_init("wgmesh", LOG_FORMAT_TEXT, NULL), 0);
	node_nat_observed(observed);
}

static void a_person_is_told_of_endpoints_only_when_there_are_some(void **state)
{
	struct fixture *f = *state;

	observed = &f->node;
	f->node.phase = NODE_STARTING;
	f->node.nat.own = (struct ownpoint) { .nat = NAT_UNKNOWN };
	assert_string_equal(captured(observe), "");
	assert_int_equal(f->node.nat.own.near.ip.family, AF_INET);
	f->node.nat.seen[0] = (struct stunview) { .mapped = endpoint_of("203.0.113.9:51820") };
	assert_non_null(strstr(captured(observe), "reach this node at 203.0.113.9:51820"));
	assert_string_equal(captured(observe), "");
	/* That they are gone is news, too. */
	f->node.nat.seen[0] = (struct stunview) { .n_asked = 0 };
	assert_non_null(strstr(captured(observe), "at the address that they see"));
}

static void private_addresses_count_only_where_they_mean_something(void **state)
{
	static const char *const far[] = { "198.51.100.7:51820", "10.0.0.7:51820", NULL };
	static const char *const near[] = { "203.0.113.9:51820", "192.168.9.7:51820", NULL };
	static const char *const here[] = { "192.168.1.7:51820", NULL };
	static const char *const mesh[] = { "10.77.0.3:51820", "[fd00:77::3]:51820", NULL };
	struct endpoint out[ANNOUNCE_ENDPOINTS_MAX];
	struct fixture *f = *state;

	assert_int_equal(taken(f, "198.51.100.7", far, out), 1);
	assert_endpoint(&out[0], "198.51.100.7:51820");
	/* It is behind the same NAT, in another network there. */
	assert_int_equal(taken(f, "203.0.113.9", near, out), 2);
	assert_int_equal(taken(f, "198.51.100.7", here, out), 1);
	/* It comes from a private network, which we reach. */
	assert_int_equal(taken(f, "10.0.0.7", far, out), 2);
	assert_int_equal(taken(f, "198.51.100.7", mesh, out), 0);
}

static void assert_chosen(struct fixture *f, struct peer *p, const char *want)
{
	struct reconcile_want w = { .present = true, .again_ms = INT64_MAX };

	node_nat_choose(&f->node, p, &w, clock_now());
	assert_endpoint(&w.endpoint, want);
}

static void ipv6_is_left_alone_by_who_has_none(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->node.peers, 2, METHOD_EXCHANGE, "[2a02::7]:51820", 0);
	struct endpoint v4 = endpoint_of("198.51.100.7:51820");

	candidates_add(&p->candidates, &v4, CANDIDATE_SEEN);
	assert_chosen(f, p, "198.51.100.7:51820");
	f->node.nat.has_way6 = true;
	candidates_restart(&p->candidates);
	assert_chosen(f, p, "[2a02::7]:51820");
	f->config.no_ipv6 = true;
	assert_chosen(f, p, "198.51.100.7:51820");
}

static void a_tunnel_never_leads_to_ourselves(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->node.peers, 2, METHOD_EXCHANGE, "192.168.1.5:51820", 0);
	struct endpoint other = endpoint_of("192.168.1.5:51821");

	candidates_add(&p->candidates, &other, CANDIDATE_SEEN);
	assert_chosen(f, p, "192.168.1.5:51821");
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_tunnel_is_told_what_the_internet_is_told),
		T(without_an_address_the_tunnel_is_told_nothing),
		T(a_neighbour_is_told_the_address_in_the_network_both_share),
		T(a_person_is_told_of_endpoints_only_when_there_are_some),
		T(private_addresses_count_only_where_they_mean_something),
		T(ipv6_is_left_alone_by_who_has_none),
		T(a_tunnel_never_leads_to_ourselves),
	};

	/* What ways there are is asked of the kernel. */
	netns_enter();
	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
