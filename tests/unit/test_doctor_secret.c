/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"

#include <stdio.h>
#include <string.h>

#define TEXT "a secret for the tests, long enough"
#define ID   "d3efd55f49c3566a"
#define FOUND                                                                                      \
	"by WGMESH_SECRET_FILE (/run/s); network id " ID ", which `wgmesh status` shows on every " \
	"node of its mesh"
#define COMPARE "compare the network id with that of a node that works (`wgmesh status`)"

/* The address of a key in the mesh of another secret. */
static struct ip foreign6(void)
{
	struct ip ip;

	assert_int_equal(ip_parse(&ip, "fd00:1:2:3::7"), 0);
	return ip;
}

static int setup(void **state)
{
	(void)doctor_setup(state);
	facts.secret = (struct secret_facts) { .place = SECRET_FILE,
					       .origin = "WGMESH_SECRET_FILE",
					       .path = "/run/s",
					       .is_generated = true };
	assert_int_equal(secret_parse(&facts.secret.secret, TEXT, strlen(TEXT), NULL), 0);
	derive_keys(&facts.keys, &facts.secret.secret);
	return 0;
}

static void a_good_secret_passes_and_names_its_mesh(void **state)
{
	(void)state;
	doctor_only(judge_secret, REPORT_PASS, "found " FOUND, "");
	facts.secret.is_generated = false;
	facts.secret.bits = 80;
	doctor_only(judge_secret, REPORT_PASS, "found " FOUND, "");
}

static void no_secret_fails_unless_a_node_has_one(void **state)
{
	(void)state;
	facts.secret = (struct secret_facts) { .code = -EINVAL };
	doctor_fails(
		judge_secret, EXITS_USAGE, "there is no mesh secret",
		"make one for all nodes with `wgmesh init --secret`, and hand it over as a file: "
		"WGMESH_SECRET_FILE or --secret-file");
	doctor_run_node();
	doctor_only(judge_secret, REPORT_SKIP,
		    "none was given here; the node that runs has one, of network 0123456789abcdef",
		    "");
}

static void a_secret_that_was_refused_fails_with_the_reason(void **state)
{
	struct secret_facts *s = &facts.secret;

	(void)state;
	s->code = -ENOENT;
	doctor_fails(judge_secret, EXITS_USAGE,
		     "WGMESH_SECRET_FILE (/run/s) cannot be read: No such file or directory",
		     "mount the file into the container, readable for its user");
	s->code = -EINVAL;
	(void)snprintf(s->why, sizeof(s->why), "it is too short");
	doctor_fails(judge_secret, EXITS_USAGE, "it is too short",
		     "`wgmesh init --secret` makes a good one; give every node the same");
	s->is_twice = true;
	doctor_fails(judge_secret, EXITS_USAGE, "it is given twice, as text and as a file",
		     "give only the file (WGMESH_SECRET_FILE or --secret-file)");
	s->probe = -ETIMEDOUT;
	doctor_fails(
		judge_secret, EXITS_USAGE,
		"the secret's file does not answer: its storage hangs, or it is a pipe that nobody "
		"writes to",
		"mount a plain file");
}

static void what_only_the_nodes_user_may_read_is_not_judged(void **state)
{
	(void)state;
	facts.node.code = -EPROTO;
	facts.secret.code = -EACCES;
	doctor_only(judge_secret, REPORT_SKIP, "only root and the node's own user may read /run/s",
		    "");
}

static void each_oddity_is_a_warning_of_its_own(void **state)
{
	struct secret_facts *s = &facts.secret;

	(void)state;
	s->has_quotes = s->has_mark = s->has_lines = s->is_exposed = true;
	s->is_generated = false;
	s->mode = 0100644;
	s->bits = 44;
	doctor_judge(judge_secret);
	assert_int_equal(said.n, 6);
	doctor_line(0, REPORT_WARN, "it begins and ends with a quotation mark, which is part of it",
		    "take them off, unless all nodes have them: env files of Docker keep quotation "
		    "marks");
	doctor_line(1, REPORT_WARN, "its file begins with a byte order mark, which is part of it",
		    "save the file as plain UTF-8, without a mark");
	doctor_line(2, REPORT_WARN, "it has several lines, all of which are part of it",
		    "put nothing but the secret into the file, on one line");
	doctor_line(
		3, REPORT_WARN, "everybody on this host may read /run/s (mode 644)",
		"chmod 600 the file, and give it to the user who needs it; wgmesh-init reads it as "
		"root and hands it over");
	doctor_line(
		4, REPORT_WARN,
		"it looks guessable: worth about 44 bits, where 80 are needed; who guesses it is in "
		"the mesh",
		"replace it on all nodes by one that `wgmesh init --secret` made");
	doctor_line(5, REPORT_PASS, "it was found " FOUND, "");
}

static void another_secret_than_the_key_was_made_with_fails(void **state)
{
	struct storage_facts *st = &facts.storage;

	(void)state;
	st->key_code = 0;
	st->mesh_ip6 = foreign6();
	assert_int_equal(ip_parse(&st->mesh_ip, "10.9.0.1"), 0);
	doctor_judge(judge_secret);
	doctor_line(
		0, REPORT_FAIL,
		"this is not the secret that this node had: its address was 10.9.0.1, which follows "
		"from another one; with this secret it would be alone, in another mesh",
		COMPARE ", and put the right secret back; if it was changed on purpose, there is "
			"nothing to do");
	assert_int_equal(said.lines[0].exit_code, EXITS_FAILURE);
	/* Nothing is known of a key that could not be read. */
	st->key_code = -EBADMSG;
	doctor_only(judge_secret, REPORT_PASS, "found " FOUND, "");
}

static void the_addresses_that_follow_from_the_secret_are_no_other(void **state)
{
	struct storage_facts *st = &facts.storage;

	(void)state;
	st->key_code = 0;
	st->mesh_ip6 = derive_mesh_ip6(&facts.secret.secret, &facts.keys, "key");
	st->mesh_ip = derive_mesh_ip(&facts.secret.secret, &facts.keys, NULL, "key", 3);
	st->old6[st->n_old++] = st->mesh_ip6;
	doctor_only(judge_secret, REPORT_PASS, "found " FOUND, "");
}

static void another_subnet_alone_is_a_warning(void **state)
{
	struct storage_facts *st = &facts.storage;

	(void)state;
	st->key_code = 0;
	assert_int_equal(ip_parse(&st->mesh_ip, "172.16.0.1"), 0);
	doctor_judge(judge_secret);
	doctor_line(0, REPORT_WARN,
		    "this node's address was 172.16.0.1, outside the subnet it would have now: "
		    "--mesh-subnet is another one than before, or the secret is",
		    "give all nodes the same --mesh-subnet (WGMESH_MESH_SUBNET)");
	facts.wanted.has_custom_subnet = true;
	assert_int_equal(derive_custom_subnet(&facts.wanted.custom_subnet, "172.16.0.0/16"), 0);
	doctor_only(judge_secret, REPORT_PASS, "found " FOUND, "");
}

static void a_secret_of_before_is_remembered(void **state)
{
	struct storage_facts *st = &facts.storage;

	(void)state;
	st->key_code = 0;
	st->old6[st->n_old++] = foreign6();
	doctor_judge(judge_secret);
	doctor_line(0, REPORT_WARN,
		    "this node once had another secret: its address was fd00:1:2:3::7 then",
		    "if that was not on purpose, " COMPARE);
	doctor_line(1, REPORT_PASS, "it was found " FOUND, "");
}

static void a_node_that_runs_with_another_secret_is_told(void **state)
{
	(void)state;
	doctor_run_node();
	doctor_judge(judge_secret);
	doctor_line(
		0, REPORT_WARN,
		"the node that runs has another secret: its network id is 0123456789abcdef, not " ID,
		"restart the node if the secret was changed, or ask it in its own container");
	(void)snprintf(facts.node.network_id, sizeof(facts.node.network_id), ID);
	doctor_only(judge_secret, REPORT_PASS, "found " FOUND, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_secret_passes_and_names_its_mesh, setup),
		cmocka_unit_test_setup(no_secret_fails_unless_a_node_has_one, setup),
		cmocka_unit_test_setup(a_secret_that_was_refused_fails_with_the_reason, setup),
		cmocka_unit_test_setup(what_only_the_nodes_user_may_read_is_not_judged, setup),
		cmocka_unit_test_setup(each_oddity_is_a_warning_of_its_own, setup),
		cmocka_unit_test_setup(another_secret_than_the_key_was_made_with_fails, setup),
		cmocka_unit_test_setup(the_addresses_that_follow_from_the_secret_are_no_other,
				       setup),
		cmocka_unit_test_setup(another_subnet_alone_is_a_warning, setup),
		cmocka_unit_test_setup(a_secret_of_before_is_remembered, setup),
		cmocka_unit_test_setup(a_node_that_runs_with_another_secret_is_told, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
