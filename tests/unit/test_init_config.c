/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/exits.h"
#include "init/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS(...) ((char *[]) { __VA_ARGS__, NULL })
#define NO_ENV	  ((char *[]) { NULL })

/* String literals are not const in C, which is all that main()'s argv needs. */
#pragma GCC diagnostic ignored "-Wwrite-strings"
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"

static struct config c;

static int load(char **argv, char **envp, struct err *e)
{
	config_fini(&c);
	return config_load(&c, SCOPE_INIT, argv, envp, e);
}

static const char *child_env(const char *name)
{
	size_t len = strlen(name);

	for (char **p = c.env.list; *p; p++)
		if (strncmp(*p, name, len) == 0 && (*p)[len] == '=')
			return *p + len + 1;
	return NULL;
}

static void join_is_supervised_and_its_flags_are_read(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("wgmesh", "join", "--interface", "mesh1", "--state-dir=/srv/wg",
				   "--new-identity"),
			      NO_ENV, &e),
			 0);
	assert_true(c.is_join);
	assert_false(c.is_plain);
	assert_true(c.new_identity);
	assert_string_equal(c.interface, "mesh1");
	assert_string_equal(c.state_dir, "/srv/wg");
	assert_null(child_env("WGMESH_STATE_DIR"));
}

static void a_credential_of_systemd_is_the_secret_where_no_other_is_given(void **state)
{
	char *credential = "CREDENTIALS_DIRECTORY=/run/credentials/wgmesh.service";
	char **alone = ARGS(credential);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("wgmesh", "join"), alone, &e), 0);
	assert_string_equal(c.secret_file, "/run/credentials/wgmesh.service/wgmesh-secret");
	assert_int_equal(load(ARGS("wgmesh", "join", "--secret-file=/mesh"), alone, &e), 0);
	assert_string_equal(c.secret_file, "/mesh");
	assert_int_equal(load(ARGS("wgmesh", "join"), ARGS(credential, "WGMESH_SECRET=x"), &e), 0);
	assert_null(c.secret_file);
	assert_int_equal(load(ARGS("wgmesh", "join"), NO_ENV, &e), 0);
	assert_null(c.secret_file);
}

static void other_commands_of_wgmesh_are_plain(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("/usr/bin/wgmesh", "version"), NO_ENV, &e), 0);
	assert_true(c.is_plain);
	assert_false(c.confine);
	assert_int_equal(load(ARGS("wgmesh"), NO_ENV, &e), 0);
	assert_true(c.is_plain);
}

static void another_program_keeps_its_state_looked_after(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("sleep", "1"), NO_ENV, &e), 0);
	assert_false(c.is_plain);
	assert_false(c.is_join);
	assert_string_equal(c.interface, "wg0");
}

static void none_makes_a_plain_supervisor_and_is_not_passed_on(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("--state-dir=none", "--", "true"), NO_ENV, &e), 0);
	assert_true(c.is_plain);
	assert_null(child_env("WGMESH_STATE_DIR"));
	assert_int_equal(load(ARGS("true"), ARGS("WGMESH_STATE_DIR=none", "A=b"), &e), 0);
	assert_true(c.is_plain);
	assert_null(child_env("WGMESH_STATE_DIR"));
	assert_string_equal(child_env("A"), "b");
}

static void a_state_dir_given_to_init_alone_reaches_the_daemon(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("--state-dir=/srv/a", "wgmesh", "join"),
			      ARGS("WGMESH_STATE_DIR=/srv/b"), &e),
			 0);
	assert_string_equal(c.state_dir, "/srv/a");
	assert_string_equal(child_env("WGMESH_STATE_DIR"), "/srv/a");
}

static void a_new_identity_asked_of_init_alone_is_asked_of_the_daemon(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("--new-identity", "wgmesh", "join"), ARGS("A=b"), &e), 0);
	assert_true(c.new_identity);
	assert_string_equal(child_env("WGMESH_NEW_IDENTITY"), "true");
	assert_int_equal(load(ARGS("wgmesh", "join"), ARGS("A=b"), &e), 0);
	assert_null(child_env("WGMESH_NEW_IDENTITY"));
}

static void the_daemons_flag_wins_over_the_environment(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load(ARGS("wgmesh", "join", "--state-dir", "/srv/a"),
			      ARGS("WGMESH_STATE_DIR=/srv/b"), &e),
			 0);
	assert_string_equal(c.state_dir, "/srv/a");
}

static void two_different_flags_are_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_true(load(ARGS("--state-dir=/srv/a", "wgmesh", "join", "--state-dir=/srv/b"), NO_ENV,
			 &e) < 0);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	assert_int_equal(load(ARGS("--state-dir=/srv/a", "wgmesh", "join", "--state-dir=/srv/a"),
			      NO_ENV, &e),
			 0);
}

static void bad_flags_of_the_daemon_are_its_own_business(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(
		load(ARGS("wgmesh", "join", "--interface=wg7", "--no-such-flag", "--listen-port=x"),
		     ARGS("WGMESH_LISTEN_PORT=many"), &e),
		0);
	assert_string_equal(c.interface, "wg7");
	assert_int_equal(load(ARGS("wgmesh", "join", "--interface=../etc"), NO_ENV, &e), 0);
	assert_string_equal(c.interface, "wg0");
}

static void directories_of_the_system_are_refused(void **state)
{
	static char *const bad[] = { "/",	"/etc", "/var/lib/", "/usr",  "/proc/1",
				     "/sys/fs", "//",	"var/lib/x", "/root", "/tmp" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };

		if (load(ARGS("--state-dir", bad[i], "true"), NO_ENV, &e) == 0)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(e.exit_code, EXITS_USAGE);
	}
}

static void users_are_numbers(void **state)
{
	static char *const bad[] = { "root", "1:", ":1", "-1", "4294967295", "1:x", "1 2", "" };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (load(ARGS("--user", bad[i], "true"), NO_ENV, &e) == 0)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_int_equal(e.exit_code, EXITS_USAGE);
	}
	if (geteuid() != 0)
		return;
	assert_int_equal(load(ARGS("--user", "12", "true"), NO_ENV, &e), 0);
	assert_int_equal(c.uid, 12);
	assert_int_equal(c.gid, 12);
	assert_int_equal(load(ARGS("--user=12:34", "true"), NO_ENV, &e), 0);
	assert_int_equal(c.gid, 34);
	assert_true(c.confine);
}

static void usage_errors_are_one_sentence(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_true(load(NO_ENV, NO_ENV, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	assert_true(load(ARGS("--nonsense", "true"), NO_ENV, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	assert_int_equal(load(ARGS("--help"), NO_ENV, &e), -ECANCELED);
	assert_true(config_load(&c, SCOPE_INIT_CHECK, ARGS("extra"), NO_ENV, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_USAGE);
}

static int let_go(void **state)
{
	(void)state;
	config_fini(&c);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(join_is_supervised_and_its_flags_are_read),
		cmocka_unit_test(a_credential_of_systemd_is_the_secret_where_no_other_is_given),
		cmocka_unit_test(other_commands_of_wgmesh_are_plain),
		cmocka_unit_test(another_program_keeps_its_state_looked_after),
		cmocka_unit_test(none_makes_a_plain_supervisor_and_is_not_passed_on),
		cmocka_unit_test(a_state_dir_given_to_init_alone_reaches_the_daemon),
		cmocka_unit_test(a_new_identity_asked_of_init_alone_is_asked_of_the_daemon),
		cmocka_unit_test(the_daemons_flag_wins_over_the_environment),
		cmocka_unit_test(two_different_flags_are_refused),
		cmocka_unit_test(bad_flags_of_the_daemon_are_its_own_business),
		cmocka_unit_test(directories_of_the_system_are_refused),
		cmocka_unit_test(users_are_numbers),
		cmocka_unit_test(usage_errors_are_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, let_go);
}
