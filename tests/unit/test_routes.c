/* SPDX-License-Identifier: MIT */
#include "daemon/routes.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALICE 3
#define BOB   7
#define EVE   5

/* What the kernel was told: "+net" and "-net", in order. */
struct journal {
	struct routes routes;
	char text[512];
};

static int make_journal(void **state)
{
	*state = calloc(1, sizeof(struct journal));
	return *state ? 0 : -1;
}

static int free_journal(void **state)
{
	free(*state);
	return 0;
}

static void note(void *arg, const struct prefix *net, bool add)
{
	struct journal *j = arg;
	char text[PREFIX_TEXT_SIZE];
	size_t used = strlen(j->text);

	(void)snprintf(j->text + used, sizeof(j->text) - used, "%s%s%s", used ? " " : "",
		       add ? "+" : "-", prefix_format(text, net));
}

/* Sets the networks of a peer, and compares what the kernel is told of it. */
static void set(struct journal *j, uint16_t owner, const char *a, const char *b, const char *want)
{
	struct prefix nets[2];
	size_t n = 0;

	if (a)
		nets[n++] = prefix_of(a);
	if (b)
		nets[n++] = prefix_of(b);
	j->text[0] = '\0';
	(void)routes_set(&j->routes, owner, nets, n, &(struct routes_handler) { j, note });
	assert_string_equal(j->text, want);
}

static void a_network_is_added_with_its_first_owner_and_goes_with_it(void **state)
{
	set(*state, ALICE, "10.1.0.0/24", "10.2.0.0/24", "+10.1.0.0/24 +10.2.0.0/24");
	set(*state, ALICE, NULL, NULL, "-10.1.0.0/24 -10.2.0.0/24");
}

static void the_same_networks_again_tell_the_kernel_nothing(void **state)
{
	set(*state, ALICE, "10.1.0.0/24", "10.2.0.0/24", "+10.1.0.0/24 +10.2.0.0/24");
	set(*state, ALICE, "10.2.0.0/24", "10.1.0.0/24", "");
	assert_int_equal(((struct journal *)*state)->routes.n, 2);
}

static void only_what_differs_is_told(void **state)
{
	set(*state, ALICE, "10.1.0.0/24", "10.2.0.0/24", "+10.1.0.0/24 +10.2.0.0/24");
	set(*state, ALICE, "10.2.0.0/24", "10.3.0.0/24", "-10.1.0.0/24 +10.3.0.0/24");
}

static void a_network_of_two_owners_stays_until_the_last_one_gives_it_up(void **state)
{
	set(*state, ALICE, "10.1.0.0/24", NULL, "+10.1.0.0/24");
	set(*state, BOB, "10.1.0.0/24", NULL, "");
	set(*state, ALICE, NULL, NULL, "");
	set(*state, BOB, NULL, NULL, "-10.1.0.0/24");
}

static void each_network_is_told_of_once_more(void **state)
{
	struct journal *j = *state;

	set(j, ALICE, "10.1.0.0/24", "10.2.0.0/24", "+10.1.0.0/24 +10.2.0.0/24");
	set(j, BOB, "10.1.0.0/24", "10.3.0.0/24", "+10.3.0.0/24");
	j->text[0] = '\0';
	routes_repeat(&j->routes, &(struct routes_handler) { j, note });
	assert_string_equal(j->text, "+10.1.0.0/24 +10.2.0.0/24 +10.3.0.0/24");
}

static bool is_led_by_another(const struct journal *j, uint16_t owner, const char *net)
{
	struct prefix p = prefix_of(net);

	return routes_is_led_by_another(&j->routes, owner, &p);
}

static void the_first_owner_leads_until_it_goes(void **state)
{
	assert_false(is_led_by_another(*state, BOB, "10.1.0.0/24"));
	set(*state, ALICE, "10.2.0.0/24", "10.1.0.0/24", "+10.2.0.0/24 +10.1.0.0/24");
	set(*state, BOB, "10.1.0.0/24", NULL, "");
	set(*state, EVE, "10.1.0.0/24", NULL, "");
	assert_false(is_led_by_another(*state, ALICE, "10.1.0.0/24"));
	assert_true(is_led_by_another(*state, BOB, "10.1.0.0/24"));
	assert_true(is_led_by_another(*state, EVE, "10.1.0.0/24"));
	/* What happens to other networks does not change the order. */
	set(*state, ALICE, "10.1.0.0/24", NULL, "-10.2.0.0/24");
	assert_false(is_led_by_another(*state, ALICE, "10.1.0.0/24"));
	set(*state, ALICE, NULL, NULL, "");
	assert_false(is_led_by_another(*state, BOB, "10.1.0.0/24"));
	assert_true(is_led_by_another(*state, EVE, "10.1.0.0/24"));
	assert_true(is_led_by_another(*state, ALICE, "10.1.0.0/24"));
	assert_false(is_led_by_another(*state, ALICE, "10.1.0.0/16"));
}

static void giving_a_network_up_is_told(void **state)
{
	struct journal *j = *state;
	struct prefix net = prefix_of("10.1.0.0/24");

	assert_false(routes_set(&j->routes, ALICE, &net, 1, &(struct routes_handler) { j, note }));
	assert_false(routes_set(&j->routes, ALICE, &net, 1, &(struct routes_handler) { j, note }));
	assert_false(routes_set(&j->routes, BOB, NULL, 0, &(struct routes_handler) { j, note }));
	assert_true(routes_set(&j->routes, ALICE, NULL, 0, &(struct routes_handler) { j, note }));
}

static void networks_differ_by_their_length_too(void **state)
{
	set(*state, ALICE, "10.1.0.0/24", NULL, "+10.1.0.0/24");
	set(*state, BOB, "10.1.0.0/16", NULL, "+10.1.0.0/16");
	set(*state, ALICE, NULL, NULL, "-10.1.0.0/24");
}

static void a_network_listed_twice_counts_once(void **state)
{
	set(*state, ALICE, "10.1.0.0/24", "10.1.0.0/24", "+10.1.0.0/24");
	set(*state, ALICE, NULL, NULL, "-10.1.0.0/24");
}

static void a_peer_without_networks_tells_nothing(void **state)
{
	set(*state, ALICE, NULL, NULL, "");
}

static void count(void *arg, const struct prefix *net, bool add)
{
	(void)net;
	*(int *)arg += add ? 1 : -1;
}

static void a_full_table_takes_no_more_and_gives_everything_back(void **state)
{
	struct journal *j = *state;
	struct prefix nets[64];
	int in_kernel = 0;
	const struct routes_handler h = { &in_kernel, count };

	for (uint32_t owner = 0; owner < ROUTES_MAX / 64 + 1; owner++) {
		for (size_t i = 0; i < 64; i++) {
			nets[i] = prefix_of("10.0.0.0/24");
			nets[i].ip.b[1] = (uint8_t)owner;
			nets[i].ip.b[2] = (uint8_t)i;
		}
		(void)routes_set(&j->routes, (uint16_t)owner, nets, 64, &h);
	}
	assert_int_equal(j->routes.n, ROUTES_MAX);
	assert_int_equal(in_kernel, ROUTES_MAX);
	for (uint32_t owner = 0; owner < ROUTES_MAX / 64 + 1; owner++)
		(void)routes_set(&j->routes, (uint16_t)owner, NULL, 0, &h);
	assert_int_equal(j->routes.n, 0);
	assert_int_equal(in_kernel, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_journal, free_journal)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_network_is_added_with_its_first_owner_and_goes_with_it),
		T(the_same_networks_again_tell_the_kernel_nothing),
		T(only_what_differs_is_told),
		T(a_network_of_two_owners_stays_until_the_last_one_gives_it_up),
		T(each_network_is_told_of_once_more),
		T(the_first_owner_leads_until_it_goes),
		T(giving_a_network_up_is_told),
		T(networks_differ_by_their_length_too),
		T(a_network_listed_twice_counts_once),
		T(a_peer_without_networks_tells_nothing),
		T(a_full_table_takes_no_more_and_gives_everything_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
