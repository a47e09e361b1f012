/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/status.h"

#include <stdio.h>
#include <string.h>

static void set_view(struct status_view *v, struct boot *b, struct supervise *m)
{
	boot_init(b);
	memset(m, 0, sizeof(*m));
	m->last_code = -1;
	m->state = SUPERVISE_RUNNING;
	b->config.state_dir = "/var/lib/wgmesh";
	*v = (struct status_view) { .boot = b,
				    .machine = m,
				    .daemon = 7,
				    .says = "",
				    .cause = "",
				    .now_us = b->started_us + 5000000 };
}

static void says_what_there_is(void **state)
{
	static struct boot b;
	struct supervise m;
	struct status_view v;
	char text[STATUS_SIZE];
	char value[64];
	size_t len;

	(void)state;
	set_view(&v, &b, &m);
	len = status_format(&v, text);
	assert_int_equal(len, strlen(text));
	assert_true(status_value(text, "healthy", value, sizeof(value)));
	assert_string_equal(value, "true");
	assert_true(status_value(text, "daemon_pid", value, sizeof(value)));
	assert_string_equal(value, "7");
	assert_true(status_value(text, "uptime_s", value, sizeof(value)));
	assert_string_equal(value, "5");
	assert_false(status_value(text, "last_exit", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(status_value(text, "phase.volume", value, sizeof(value)));
	assert_non_null(strstr(value, "pending 0.000"));
}

static void only_a_running_daemon_is_healthy(void **state)
{
	(void)state;
	for (int i = 0; i < SUPERVISE_STATE_COUNT; i++) {
		struct supervise m = { .state = (enum supervise_state)i };

		assert_int_equal(supervise_is_healthy(&m), i == SUPERVISE_RUNNING);
	}
}

static void the_lock_is_named_by_what_keeps_others_away(void **state)
{
	static struct boot b;
	struct supervise m;
	struct status_view v;
	char text[STATUS_SIZE];

	(void)state;
	set_view(&v, &b, &m);
	(void)status_format(&v, text);
	assert_non_null(strstr(text, "\nlock=none\n"));
	b.lock_fd = 9;
	(void)status_format(&v, text);
	assert_non_null(strstr(text, "\nlock=held\n"));
	b.keeper.is_held = true;
	(void)status_format(&v, text);
	assert_non_null(strstr(text, "\nlock=lease\n"));
}

static void a_value_cannot_forge_a_line(void **state)
{
	static struct boot b;
	struct supervise m;
	struct status_view v;
	char text[STATUS_SIZE];
	char value[64];

	(void)state;
	set_view(&v, &b, &m);
	b.config.state_dir = "/x\nhealthy=forged";
	(void)status_format(&v, text);
	assert_null(strstr(text, "\nhealthy=forged"));
	assert_true(status_value(text, "state_dir", value, sizeof(value)));
	assert_string_equal(value, "/x healthy=forged");
}

static void long_notes_still_fit(void **state)
{
	static struct boot b;
	struct supervise m;
	struct status_view v;
	char text[STATUS_SIZE];

	(void)state;
	set_view(&v, &b, &m);
	for (size_t i = 0; i < PHASE_COUNT; i++)
		memset(b.phases[i].note, 'n', sizeof(b.phases[i].note) - 1);
	(void)status_format(&v, text);
	assert_true(strlen(text) < STATUS_SIZE);
	assert_non_null(strstr(text, "phase.supervise="));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void values_are_found_by_the_whole_key(void **state)
{
	char value[4];

	(void)state;
	assert_true(status_value("ab=1\na=2\n", "a", value, sizeof(value)));
	assert_string_equal(value, "2");
	assert_true(status_value("a=12345", "a", value, sizeof(value)));
	assert_string_equal(value, "123");
	assert_false(status_value("", "a", value, sizeof(value)));
	assert_false(status_value("xa=1", "a", value, sizeof(value)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_there_is),
		cmocka_unit_test(only_a_running_daemon_is_healthy),
		cmocka_unit_test(the_lock_is_named_by_what_keeps_others_away),
		cmocka_unit_test(a_value_cannot_forge_a_line),
		cmocka_unit_test(long_notes_still_fit),
		cmocka_unit_test(values_are_found_by_the_whole_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
