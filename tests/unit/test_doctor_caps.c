/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"

#define BROKEN(...)                      \
	facts.caps = (struct caps_facts) \
	{                                \
		__VA_ARGS__              \
	}

static void what_is_in_effect_passes(void **state)
{
	(void)state;
	doctor_only(judge_caps, REPORT_PASS, "CAP_NET_ADMIN is in effect", "");
}

static void what_was_never_given_is_to_be_added(void **state)
{
	(void)state;
	BROKEN(.euid = 1000, .file_cap = true, .no_new_privs = true);
	doctor_fails(
		judge_caps, EXITS_NO_PERMISSION,
		"CAP_NET_ADMIN is missing, even from the bounding set, so no interface can be made",
		"docker run --cap-add NET_ADMIN; compose: cap_add: [NET_ADMIN]; Kubernetes: "
		"securityContext.capabilities.add: [NET_ADMIN]");
}

static void a_user_is_told_that_engines_give_capabilities_to_root_only(void **state)
{
	(void)state;
	BROKEN(.is_bound = true, .euid = 65532);
	doctor_fails(
		judge_caps, EXITS_NO_PERMISSION,
		"CAP_NET_ADMIN is in the bounding set but not in effect, because this is uid 65532, "
		"and engines give added capabilities to root only",
		"start as root: remove user: or runAsUser, wgmesh-init drops root by itself; or "
		"give wgmesh-init the file capability (setcap cap_net_admin+p in the image)");
}

static void root_is_told_that_it_was_taken_away(void **state)
{
	(void)state;
	BROKEN(.is_bound = true);
	doctor_fails(
		judge_caps, EXITS_NO_PERMISSION,
		"CAP_NET_ADMIN is in the bounding set but not in effect, although this is root: "
		"whatever started this process took it away",
		"look for capsh, setpriv, or AmbientCapabilities= of a unit, and leave "
		"CAP_NET_ADMIN in");
}

static void what_disables_a_file_capability_is_named(void **state)
{
	(void)state;
	BROKEN(.is_bound = true, .file_cap = true, .no_new_privs = true, .euid = 65532);
	doctor_fails(
		judge_caps, EXITS_NO_PERMISSION,
		"wgmesh has CAP_NET_ADMIN as a file capability, which no_new_privs makes "
		"ineffective",
		"remove no-new-privileges (Kubernetes: allowPrivilegeEscalation: false), or start "
		"the container as root, which wgmesh-init drops by itself");
	BROKEN(.is_bound = true, .file_cap = true, .euid = 65532);
	doctor_fails(
		judge_caps, EXITS_NO_PERMISSION,
		"wgmesh has CAP_NET_ADMIN as a file capability but did not get it: its file system "
		"is mounted nosuid, or the capability was set for another user namespace",
		"mount it without nosuid, or start the container as root");
}

static void what_is_permitted_only_is_to_be_raised(void **state)
{
	(void)state;
	BROKEN(.is_bound = true, .is_permitted = true, .euid = 65532);
	doctor_fails(
		judge_caps, EXITS_NO_PERMISSION, "CAP_NET_ADMIN is permitted, but not in effect",
		"have whatever starts wgmesh raise it, or make it ambient (setpriv --ambient-caps "
		"+net_admin)");
}

static void what_counts_for_another_network_only_is_no_help(void **state)
{
	(void)state;
	BROKEN(.has = true, .is_bound = true, .is_foreign = true);
	doctor_fails(
		judge_caps, EXITS_NO_PERMISSION,
		"CAP_NET_ADMIN counts only inside this user namespace, but the network belongs to "
		"the world outside (host network)",
		"give the container a network of its own, or run it without a user namespace "
		"(--userns=host)");
}

static void beside_a_node_that_runs_nobody_needs_it(void **state)
{
	(void)state;
	BROKEN(.euid = 1000);
	doctor_run_node();
	doctor_only(judge_caps, REPORT_PASS,
		    "the node that runs has CAP_NET_ADMIN; uid 1000 here need not", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_in_effect_passes, doctor_setup),
		cmocka_unit_test_setup(what_was_never_given_is_to_be_added, doctor_setup),
		cmocka_unit_test_setup(a_user_is_told_that_engines_give_capabilities_to_root_only,
				       doctor_setup),
		cmocka_unit_test_setup(root_is_told_that_it_was_taken_away, doctor_setup),
		cmocka_unit_test_setup(what_disables_a_file_capability_is_named, doctor_setup),
		cmocka_unit_test_setup(what_is_permitted_only_is_to_be_raised, doctor_setup),
		cmocka_unit_test_setup(what_counts_for_another_network_only_is_no_help,
				       doctor_setup),
		cmocka_unit_test_setup(beside_a_node_that_runs_nobody_needs_it, doctor_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
