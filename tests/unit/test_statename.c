/* SPDX-License-Identifier: MIT */
#include "daemon/state/statename.h"
#include "tests/unit/test.h"

#include <string.h>

static void assert_kind(const char *name, const char *own, enum state_kind want, const char *ifname)
{
	char found[STATENAME_IFACE_SIZE] = "x";
	enum state_kind kind = statename_kind(found, name, own);

	if (kind != want || strcmp(found, ifname) != 0)
		fail_msg("%s is \"%s\" of \"%s\", not \"%s\" of \"%s\"", name, statename_text(kind),
			 found, statename_text(want), ifname);
	assert_int_equal(statename_kind(NULL, name, own), want);
}

static void the_names_of_state_files_are_known(void **state)
{
	(void)state;
	assert_kind("wg0.json", "wg0", STATE_KEY, "wg0");
	assert_kind("wg1.json", "wg0", STATE_KEY, "wg1");
	assert_kind("wg0-peers.json", "wg0", STATE_PEERS, "wg0");
	assert_kind("wg0-dht.nodes", "wg0", STATE_NODES, "wg0");
	assert_kind("wg0-0123456789abcdef-dht.nodes", "wg0", STATE_NODES, "wg0");
	assert_kind("my-mesh-0123456789abcdef-dht.nodes", NULL, STATE_NODES, "my-mesh");
	assert_kind("wg0.reload", "wg0", STATE_RELOAD, "wg0");
	assert_kind("mesh-state.json", "wg0", STATE_SERVICE, "");
	assert_kind("account.json", "wg0", STATE_SERVICE, "");
	assert_kind("services.json", "wg0", STATE_SERVICE, "");
	assert_kind("referral.json", "wg0", STATE_SERVICE, "");
	assert_kind(".snapshots", "wg0", STATE_SNAPSHOTS, "");
	assert_kind(".wgmesh.lock", "wg0", STATE_OWN, "");
	assert_kind(".migrated-to-wgmesh", "wg0", STATE_OWN, "");
	assert_kind(".wg0.json.new", "wg0", STATE_TEMPORARY, "wg0");
	assert_kind(".account.json.new", "wg0", STATE_TEMPORARY, "");
}

static void an_interface_with_an_odd_name_still_has_its_key(void **state)
{
	(void)state;
	assert_kind("wg0-peers.json", "wg0-peers", STATE_KEY, "wg0-peers");
	assert_kind("account.json", "account", STATE_KEY, "account");
}

static void all_other_names_are_none_of_ours(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		".json",
		"wg0",
		"wg0.jsonx",
		"0wg.json",
		"wg 0.json",
		"-peers.json",
		".wg0.json",
		".new",
		"..new",
		".x.new",
		"wg0.json.new",
		"interface-too-long.json",
		"../a.json",
		"a/b.json",
		"wg0.json\n",
		"-dht.nodes",
		"wg0-0123456789ABCDEF-dht.nodes",
		"account",
		"Account.JSON",
		".snapshots.json",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_kind(names[i], "wg0", STATE_UNKNOWN, "");
}

static void only_what_makes_a_node_moves_with_it(void **state)
{
	(void)state;
	assert_true(statename_moves(STATE_KEY) && statename_moves(STATE_PEERS) &&
		    statename_moves(STATE_NODES) && statename_moves(STATE_RELOAD) &&
		    statename_moves(STATE_SERVICE));
	assert_false(statename_moves(STATE_UNKNOWN) || statename_moves(STATE_SNAPSHOTS) ||
		     statename_moves(STATE_OWN) || statename_moves(STATE_TEMPORARY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_names_of_state_files_are_known),
		cmocka_unit_test(an_interface_with_an_odd_name_still_has_its_key),
		cmocka_unit_test(all_other_names_are_none_of_ours),
		cmocka_unit_test(only_what_makes_a_node_moves_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
