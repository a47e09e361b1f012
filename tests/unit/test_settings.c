/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/exits.h"
#include "common/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* String literals are not const in C, which is all that main()'s argv needs. */
#pragma GCC diagnostic ignored "-Wwrite-strings"
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"

/* The scopes that are commands. */
#define COMMANDS   (~(unsigned int)(SCOPE_ONCE | SCOPE_NO_EFFECT | SCOPE_CONFIDENTIAL))
#define ARGS(...)  ((char *[]) { __VA_ARGS__, NULL })
#define COUNT(...) ((int)(sizeof((char *[]) { __VA_ARGS__ }) / sizeof(char *)))
#define READ(s, scope, e, ...) \
	settings_read_args(s, scope, COUNT(__VA_ARGS__), ARGS(__VA_ARGS__), e)

static void defaults_hold_until_something_is_given(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_string_equal(settings_text(&s, SETTING_STATE_DIR), "/var/lib/wgmesh");
	assert_int_equal(settings_number(&s, SETTING_STOP_TIMEOUT), 8000);
	assert_int_equal(settings_number(&s, SETTING_LISTEN_PORT), 51820);
	assert_null(settings_text(&s, SETTING_SECRET));
	assert_false(settings_is_given(&s, SETTING_STATE_DIR));
}

static void a_list_is_given_once(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(READ(&s, SCOPE_INIT, &e, "--rewrite=TERM:INT", "--rewrite", "HUP:0"),
			 -EINVAL);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	assert_non_null(strstr(e.msg, "--rewrite"));
	settings_init(&s);
	assert_int_equal(READ(&s, SCOPE_INIT, &e, "--restart=never", "--restart=always"), 2);
}

static void every_default_is_one_that_its_own_row_accepts(void **state)
{
	const struct setting *table = settings_table();
	struct settings s;

	(void)state;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		char flag[128];
		char *args[] = { flag, NULL };
		struct err e = { 0 };

		assert_true(table[i].name || table[i].env);
		assert_non_null(table[i].help);
		if (!table[i].fallback)
			continue;
		settings_init(&s);
		(void)snprintf(flag, sizeof(flag), "--%s=%s", table[i].name, table[i].fallback);
		if (settings_read_args(&s, table[i].scope & COMMANDS, 1, args, &e) != 1)
			fail_msg("%s: %s", flag, e.msg);
	}
}

static void refuse_twins(const struct setting *a, const struct setting *b)
{
	if (a->name && b->name && strcmp(a->name, b->name) == 0 &&
	    (a->scope & b->scope & COMMANDS) != 0)
		fail_msg("--%s is there twice", a->name);
	if (a->env && b->env && strcmp(a->env, b->env) == 0)
		fail_msg("%s is there twice", a->env);
}

static void no_scope_knows_a_flag_or_a_variable_twice(void **state)
{
	const struct setting *t = settings_table();

	(void)state;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		for (size_t j = i + 1; j < SETTING_COUNT; j++)
			refuse_twins(&t[i], &t[j]);
}

static void a_flag_wins_over_the_environment(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(settings_read_env(&s, SCOPE_JOIN, ARGS("WGMESH_INTERFACE=wg1", "X=y"), &e),
			 0);
	assert_string_equal(settings_text(&s, SETTING_INTERFACE), "wg1");
	assert_string_equal(settings_origin(&s, SETTING_INTERFACE), "WGMESH_INTERFACE");
	assert_int_equal(READ(&s, SCOPE_JOIN, &e, "--interface=wg2"), 1);
	assert_string_equal(settings_text(&s, SETTING_INTERFACE), "wg2");
	assert_string_equal(settings_origin(&s, SETTING_INTERFACE), "--interface");
}

static void an_empty_variable_counts_as_not_set(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(settings_read_env(&s, SCOPE_JOIN, ARGS("WGMESH_LISTEN_PORT="), &e), 0);
	assert_false(settings_is_given(&s, SETTING_LISTEN_PORT));
}

static void a_variable_of_another_command_is_not_read(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(settings_read_env(&s, SCOPE_INIT, ARGS("WGMESH_LISTEN_PORT=x"), &e), 0);
	assert_int_equal(settings_read_env(&s, SCOPE_JOIN, ARGS("WGMESH_LISTEN_PORT=x"), &e),
			 -EINVAL);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	assert_non_null(strstr(e.msg, "WGMESH_LISTEN_PORT"));
}

static void flags_are_written_as_gos_flag_package_takes_them(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(READ(&s, SCOPE_JOIN, &e, "-interface", "a", "--listen-port=7", "-gossip",
			      "--no-ipv6=true", "--introducer=0", "rest", "--mtu=1"),
			 6);
	assert_string_equal(settings_text(&s, SETTING_INTERFACE), "a");
	assert_int_equal(settings_number(&s, SETTING_LISTEN_PORT), 7);
	assert_true(settings_flag(&s, SETTING_GOSSIP));
	assert_true(settings_flag(&s, SETTING_NO_IPV6));
	assert_false(settings_flag(&s, SETTING_INTRODUCER));
	assert_true(settings_is_given(&s, SETTING_INTRODUCER));
	assert_false(settings_is_given(&s, SETTING_MTU));
}

static void two_dashes_end_the_flags_and_one_is_none(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(READ(&s, SCOPE_INIT, &e, "--user", "1", "--", "--user"), 3);
	assert_int_equal(READ(&s, SCOPE_INIT, &e, "-"), 0);
}

static void wrong_values_are_refused_by_name(void **state)
{
	static char *const wrong[] = {
		"--listen-port=0",  "--listen-port=65536", "--listen-port=-1",
		"--listen-port=1x", "--listen-port=",	   "--gossip=maybe",
		"--backend=fast",   "--backend=",	   "--backend=kernel|userspace",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct settings s;
		struct err e = { 0 };
		char *args[] = { wrong[i], NULL };

		settings_init(&s);
		if (settings_read_args(&s, SCOPE_JOIN, 1, args, &e) != -EINVAL)
			fail_msg("%s was accepted", wrong[i]);
		assert_int_equal(e.exit_code, EXITS_USAGE);
		assert_memory_equal(e.msg, wrong[i], strcspn(wrong[i], "="));
	}
}

static void a_missing_value_and_an_unknown_flag_are_named(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(READ(&s, SCOPE_JOIN, &e, "--interface"), -EINVAL);
	assert_non_null(strstr(e.msg, "--interface needs a value"));
	assert_int_equal(READ(&s, SCOPE_JOIN, &e, "--interfase=x"), -EINVAL);
	assert_non_null(strstr(e.msg, "did you mean --interface?"));
	assert_int_equal(READ(&s, SCOPE_JOIN, &e, "--qqqqqqqqqqqq"), -EINVAL);
	assert_null(strstr(e.msg, "did you mean"));
}

static void a_secret_is_never_in_a_message(void **state)
{
	const struct setting *t = settings_table();

	(void)state;
	assert_true(t[SETTING_SECRET].scope & SCOPE_CONFIDENTIAL);
	assert_true(t[SETTING_ACCOUNT].scope & SCOPE_CONFIDENTIAL);
}

static void help_is_asked_for_not_an_error(void **state)
{
	struct settings s;
	struct err e = { 0 };

	(void)state;
	settings_init(&s);
	assert_int_equal(READ(&s, SCOPE_INIT, &e, "--help"), -ECANCELED);
	assert_int_equal(READ(&s, SCOPE_JOIN, &e, "-h"), -ECANCELED);
}

static void the_help_lists_exactly_the_commands_options(void **state)
{
	const struct setting *t = settings_table();
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	settings_help(f, SCOPE_INIT);
	(void)fclose(f);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		char flag[72];

		if (!t[i].name)
			continue;
		(void)snprintf(flag, sizeof(flag), "\n  --%s ", t[i].name);
		if (t[i].scope & SCOPE_INIT)
			assert_non_null(strstr(text, flag + (i == SETTING_STATE_DIR ? 1 : 0)));
		else
			assert_null(strstr(text, flag));
	}
	free(text);
}

static void the_help_of_every_command_fits_80_columns(void **state)
{
	(void)state;
	for (unsigned int bit = 1; bit != 0; bit <<= 1) {
		char *text = NULL;
		size_t size = 0;
		FILE *f = open_memstream(&text, &size);

		settings_help(f, bit);
		(void)fclose(f);
		for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
			if (strcspn(line, "\n") > 79)
				fail_msg("%.100s", line);
		free(text);
	}
}

static void what_has_no_effect_stands_at_the_end(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	const char *idle;

	(void)state;
	settings_help(f, SCOPE_JOIN);
	(void)fclose(f);
	idle = strstr(text, "\n\nFor command lines of existing nodes:\n");
	assert_non_null(idle);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &settings_table()[i];
		char flag[72];

		if (!(s->scope & SCOPE_JOIN) || !s->name)
			continue;
		(void)snprintf(flag, sizeof(flag), "  --%s ", s->name);
		assert_true((strstr(text, flag) > idle) == ((s->scope & SCOPE_NO_EFFECT) != 0));
	}
	free(text);
}

static void unknown_variables_are_found_with_the_nearest_name(void **state)
{
	char **env = ARGS("PATH=/bin", "WGMESH_INTERFACE=wg0", "WGMESH_INTREFACE=wg0",
			  "WGMESH_=", "WGMESH_FROBNICATE_ALL=1", "XWGMESH_A=1");
	char name[64];
	const char *nearest = NULL;
	size_t pos = 0;

	(void)state;
	assert_true(settings_unknown_env(env, &pos, name, &nearest));
	assert_string_equal(name, "WGMESH_INTREFACE");
	assert_string_equal(nearest, "WGMESH_INTERFACE");
	assert_true(settings_unknown_env(env, &pos, name, &nearest));
	assert_string_equal(name, "WGMESH_");
	assert_true(settings_unknown_env(env, &pos, name, &nearest));
	assert_string_equal(name, "WGMESH_FROBNICATE_ALL");
	assert_null(nearest);
	assert_false(settings_unknown_env(env, &pos, name, &nearest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_until_something_is_given),
		cmocka_unit_test(a_list_is_given_once),
		cmocka_unit_test(every_default_is_one_that_its_own_row_accepts),
		cmocka_unit_test(no_scope_knows_a_flag_or_a_variable_twice),
		cmocka_unit_test(a_flag_wins_over_the_environment),
		cmocka_unit_test(an_empty_variable_counts_as_not_set),
		cmocka_unit_test(a_variable_of_another_command_is_not_read),
		cmocka_unit_test(flags_are_written_as_gos_flag_package_takes_them),
		cmocka_unit_test(two_dashes_end_the_flags_and_one_is_none),
		cmocka_unit_test(wrong_values_are_refused_by_name),
		cmocka_unit_test(a_missing_value_and_an_unknown_flag_are_named),
		cmocka_unit_test(a_secret_is_never_in_a_message),
		cmocka_unit_test(help_is_asked_for_not_an_error),
		cmocka_unit_test(the_help_lists_exactly_the_commands_options),
		cmocka_unit_test(the_help_of_every_command_fits_80_columns),
		cmocka_unit_test(what_has_no_effect_stands_at_the_end),
		cmocka_unit_test(unknown_variables_are_found_with_the_nearest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
