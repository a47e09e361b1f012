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
	assert_true(statusline_value(text, "healthy", value, sizeof(value)));
	assert_string_equal(value, "true");
	assert_true(statusline_value(text, "daemon_pid", value, sizeof(value)));
	assert_string_equal(value, "7");
	assert_true(statusline_value(text, "uptime_s", value, sizeof(value)));
	assert_string_equal(value, "5");
	assert_false(statusline_value(text, "last_exit", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(statusline_value(text, "phase.volume", value, sizeof(value)));
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

static void the_policy_is_told(void **state)
{
	static struct boot b;
	struct supervise m;
	struct status_view v;
	char text[STATUS_SIZE];

	(void)state;
	set_view(&v, &b, &m);
	settings_init(&b.config.settings);
	(void)status_format(&v, text);
	assert_non_null(strstr(text, "\npersistence=warn\n"));
}

static void bad_storage_is_not_healthy_and_says_why(void **state)
{
	static struct boot b;
	struct volwatch storage = { .state = VOLWATCH_OK };
	struct supervise m;
	struct status_view v;
	char text[STATUS_SIZE];
	char value[VOLWATCH_TEXT_SIZE];

	(void)state;
	set_view(&v, &b, &m);
	v.storage = &storage;
	for (int i = 0; i < VOLWATCH_STATE_COUNT; i++) {
		storage.state = (enum volwatch_state)i;
		(void)status_format(&v, text);
		assert_true(statusline_value(text, "healthy", value, sizeof(value)));
		assert_string_equal(value, i == VOLWATCH_OK ? "true" : "false");
		assert_true(statusline_value(text, "storage", value, sizeof(value)));
		assert_string_equal(value, volwatch_state_name(storage.state));
		assert_true(statusline_value(text, "storage_note", value, sizeof(value)));
		assert_int_equal(value[0] == '\0', i == VOLWATCH_OK);
	}
}

static void the_proof_is_told(void **state)
{
	static struct boot b;
	struct marker_key serves = { .ifname = "wg0", .public_key = "KEY" };
	struct supervise m;
	struct status_view v;
	char text[STATUS_SIZE];
	char value[64];

	(void)state;
	set_view(&v, &b, &m);
	b.proof.kind = PROOF_PROVEN;
	b.proof.marker.boots = 3;
	(void)snprintf(b.proof.note, sizeof(b.proof.note), "because");
	(void)status_format(&v, text);
	assert_false(statusline_value(text, "serves", value, sizeof(value)));
	v.serves = &serves;
	(void)status_format(&v, text);
	assert_true(statusline_value(text, "proof", value, sizeof(value)));
	assert_string_equal(value, "proven");
	assert_true(statusline_value(text, "proof_note", value, sizeof(value)));
	assert_string_equal(value, "because");
	assert_true(statusline_value(text, "boots", value, sizeof(value)));
	assert_string_equal(value, "3");
	assert_true(statusline_value(text, "serves", value, sizeof(value)));
	assert_string_equal(value, "wg0 KEY");
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
	assert_true(statusline_value(text, "state_dir", value, sizeof(value)));
	assert_string_equal(value, "/x healthy=forged");
}

static void long_notes_still_fit(void **state)
{
	static struct boot b;
	struct supervise m;
	struct status_view v;
	struct volwatch storage = { .state = VOLWATCH_UNMOUNTED };
	static char dir[4096];
	static char cause[1024];
	char text[STATUS_SIZE];

	(void)state;
	set_view(&v, &b, &m);
	memset(dir, 'd', sizeof(dir) - 1);
	memset(cause, 'c', sizeof(cause) - 1);
	for (size_t i = 0; i < PHASE_COUNT; i++)
		memset(b.phases[i].note, 'n', sizeof(b.phases[i].note) - 1);
	memset(b.proof.note, 'p', sizeof(b.proof.note) - 1);
	memset(b.volume.what, 'w', sizeof(b.volume.what) - 1);
	b.config.state_dir = dir;
	m.last_code = 1;
	v.cause = cause;
	v.storage = &storage;
	(void)status_format(&v, text);
	assert_true(strlen(text) < STATUS_SIZE);
	assert_non_null(strstr(text, "phase.supervise="));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_there_is),
		cmocka_unit_test(only_a_running_daemon_is_healthy),
		cmocka_unit_test(the_lock_is_named_by_what_keeps_others_away),
		cmocka_unit_test(the_policy_is_told),
		cmocka_unit_test(bad_storage_is_not_healthy_and_says_why),
		cmocka_unit_test(the_proof_is_told),
		cmocka_unit_test(a_value_cannot_forge_a_line),
		cmocka_unit_test(long_notes_still_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
