/* SPDX-License-Identifier: MIT */
#include "tests/unit/captured.h"
#include "tests/unit/tempdir.h"

#include "common/log.h"

#include <errno.h>
#include <sys/wait.h>

static void write_text(void)
{
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, NULL), 0);
	log_event(EVENT_PEER_ADDED_AGAIN,
		  LOG_FIELDS({ "a", "1" }, { "skipped", NULL }, { "b", "two words" }, { "c", "" }),
		  "hello %s", "you\nforged");
	log_event(EVENT_SEND_FAILED, NULL, "not written");
}

static void text_is_one_line_with_fields(void **state)
{
	const char *out = captured(write_text);

	(void)state;
	assert_non_null(
		strstr(out, " warn  prog/peers: hello you?forged a=1 b=\"two words\" c=\"\"\n"));
	assert_null(strstr(out, "not written"));
	assert_null(strstr(out, "skipped"));
}

static void write_json(void)
{
	assert_int_equal(log_init("prog", LOG_FORMAT_JSON, "info,exchange=debug"), 0);
	log_event(EVENT_NODE_FAILED, LOG_FIELDS({ "k", "a\"b\\c\n" }), "msg \x01");
	log_event(EVENT_SEND_FAILED, NULL, "one");
	log_event(EVENT_SUPERVISOR_DEAF, NULL, "two");
}

static void json_is_escaped_and_levels_are_per_component(void **state)
{
	const char *out = captured(write_json);

	(void)state;
	assert_non_null(strstr(
		out,
		"\"level\":\"error\",\"program\":\"prog\",\"component\":"
		"\"node\",\"event\":\"node_failed\",\"msg\":\"msg \\u0001\",\"k\":\"a\\\"b\\\\c\\u000a\"}\n"));
	assert_non_null(strstr(out, "\"msg\":\"one\""));
	assert_null(strstr(out, "two"));
}

static void write_after_a_prompt(void)
{
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, NULL), 0);
	log_mid_line(true);
	log_event(EVENT_PEER_ADDED_AGAIN, NULL, "one");
	log_event(EVENT_PEER_ADDED_AGAIN, NULL, "two");
	log_mid_line(false);
	log_event(EVENT_PEER_ADDED_AGAIN, NULL, "three");
}

static void a_line_begins_anew_after_somebody_elses_unfinished_one(void **state)
{
	const char *out = captured(write_after_a_prompt);

	(void)state;
	assert_int_equal(out[0], '\n');
	assert_null(strstr(out + 1, "\n\n"));
	assert_non_null(strstr(out, "one\n"));
	assert_non_null(strstr(out, "three\n"));
}

/* Fills a pipe that is standard error, logs, and then reads all of it. */
static void write_to_a_full_pipe(void)
{
	static char buf[128 * 1024];
	int saved = dup(STDERR_FILENO);
	size_t fill = 0;
	pid_t child;
	ssize_t n;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	while ((n = write(fds[1], buf, 4096)) > 0)
		fill += (size_t)n;
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, NULL), 0);
	log_event(EVENT_PEER_ADDED_AGAIN, NULL, "late one");
	log_event(EVENT_PEER_ADDED_AGAIN, NULL, "late two");
	assert_false(log_flush(0));
	assert_int_equal(read(fds[0], buf, sizeof(buf)), fill);
	child = fork();
	if (child == 0) {
		log_event(EVENT_PEER_ADDED_AGAIN, NULL, "a child's own");
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(log_flush(0));
	log_event(EVENT_PEER_ADDED_AGAIN, NULL, "on time");
	n = read(fds[0], buf, sizeof(buf) - 1);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)fputs(buf, stderr);
}

static void lines_wait_for_room_in_order_and_only_once(void **state)
{
	const char *want[] = { "a child's own\n", "late one\n", "late two\n", "on time\n" };
	const char *at = captured(write_to_a_full_pipe);

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		at = strstr(at, want[i]);
		assert_non_null(at);
		at += strlen(want[i]);
	}
	assert_string_equal(at, "");
}

#define LOST_TWICE 2

/* Writes 500 lines to what nobody reads, then reads on; twice. */
static void lose_lines(void)
{
	static char buf[128 * 1024];
	int saved = dup(STDERR_FILENO);
	ssize_t n;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, NULL), 0);
	for (int round = 0; round < LOST_TWICE; round++) {
		while (write(fds[1], buf, 4096) > 0)
			;
		for (int i = 0; i < 500; i++)
			log_event(EVENT_PHASE_WARNING, NULL, "line");
		while (read(fds[0], buf, sizeof(buf)) > 0)
			;
		log_event(EVENT_PEER_ADDED_AGAIN, NULL, "on time");
		n = read(fds[0], buf, sizeof(buf) - 1);
		assert_true(n > 0);
		assert_int_equal(write(saved, buf, (size_t)n), n);
	}
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
}

static void every_line_is_written_or_counted_as_missing(void **state)
{
	const char *at = captured(lose_lines);
	unsigned long written = 0;
	unsigned long missing = 0;

	(void)state;
	for (const char *p = strstr(at, "phase: line\n"); p; p = strstr(p + 1, "phase: line\n"))
		written++;
	for (const char *p = strstr(at, "/log: "); p; p = strstr(p + 1, "/log: "))
		missing += strtoul(p + strlen("/log: "), NULL, 10);
	assert_true(missing > 0);
	assert_int_equal(written + missing, LOST_TWICE * 500);
	assert_non_null(strstr(at, "on time\n"));
}

static void write_long(void)
{
	static char text[6000];

	memset(text, '"', sizeof(text) - 1);
	assert_int_equal(log_init("prog", LOG_FORMAT_JSON, NULL), 0);
	log_event(EVENT_LAN_JOINED, LOG_FIELDS({ "k", text }), "%s", text);
}

static void a_long_line_is_cut_and_still_closed(void **state)
{
	const char *out = captured(write_long);
	size_t len = strlen(out);

	(void)state;
	assert_true(len > 1000 && len <= 4096);
	assert_string_equal(out + len - 3, "\"}\n");
}

static void write_beside_others(void)
{
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, NULL), 0);
	log_event(EVENT_LAN_JOINED, NULL, "first");
	assert_int_equal(io_write_full(STDERR_FILENO, "second\n", 7), 0);
	log_event(EVENT_LAN_JOINED, NULL, "third");
}

static void lines_of_others_in_the_same_file_survive(void **state)
{
	const char *out = captured(write_beside_others);
	const char *second = strstr(out, "second\n");

	(void)state;
	assert_non_null(second);
	assert_non_null(strstr(second, "third"));
	assert_true(strstr(out, "first") < second);
}

static void write_hostile_fields(void)
{
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, NULL), 0);
	log_event(EVENT_LAN_JOINED,
		  LOG_FIELDS({ "host", "x\" peer=\"y" }, { "b", "\\" },
			     { "c", "\xc2\x9b[31m\xe2\x80\xa8" }, { "d", "\xff\xc3" },
			     { "e", "\xc3\xa4" }),
		  "\xff\x1b[2J");
}

static void a_field_of_the_text_form_forges_no_other(void **state)
{
	const char *out = captured(write_hostile_fields);

	(void)state;
	assert_non_null(strstr(out, "prog/lan: ??[2J host=\"x\\\" peer=\\\"y\" b=\"\\\\\" c=?[31m? "
				    "d=?? e=\xc3\xa4\n"));
}

static void write_a_flood(void)
{
	assert_int_equal(log_init("prog", LOG_FORMAT_JSON, "debug"), 0);
	for (int i = 0; i < 1000; i++) {
		log_event(EVENT_CLONE_SILENT, NULL, "flood");
		log_event(EVENT_MESSAGE_UNSERVED, NULL, "details");
	}
	log_event(EVENT_CLONE_FOUND, NULL, "another");
	for (int i = 0; i < 50; i++)
		log_event(EVENT_STORAGE_VERDICT, NULL, "each counts");
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

static void a_flood_is_cut_short_counted_and_hides_nothing_else(void **state)
{
	uint64_t before = log_suppressed();
	const char *out = captured(write_a_flood);

	(void)state;
	assert_int_equal(count(out, "\"flood\""), 20);
	/* One more each tenth of a second. */
	assert_in_range(count(out, "\"details\""), 100, 999);
	assert_int_equal(count(out, "\"another\""), 1);
	assert_int_equal(count(out, "\"each counts\""), 50);
	assert_int_equal(log_suppressed() - before, 2000 - 20 - count(out, "\"details\""));
}

static void write_after_a_flood(void)
{
	uint64_t held;

	assert_int_equal(log_init("prog", LOG_FORMAT_JSON, "debug"), 0);
	for (int i = 0; i < 300; i++)
		log_event(EVENT_HELLO_UNANSWERED, NULL, "flood");
	/* The bucket of a debug event takes a further line within a tenth of a second. */
	do {
		held = log_suppressed();
		log_event(EVENT_HELLO_UNANSWERED, NULL, "after");
	} while (log_suppressed() != held);
}

static void the_first_line_after_a_flood_says_how_many_are_missing(void **state)
{
	uint64_t before = log_suppressed();
	const char *out = captured(write_after_a_flood);
	const char *said = strstr(out, "\"event\":\"hello_unanswered\",\"suppressed\":");

	(void)state;
	assert_non_null(said);
	said = strstr(said, "suppressed\":") + strlen("suppressed\":");
	assert_int_equal(strtoul(said, NULL, 10), log_suppressed() - before);
	assert_non_null(strstr(said, "\"msg\":\"after\"}\n"));
}

static void levels_change_as_a_whole_or_not_at_all(void **state)
{
	static const char *const wrong[] = { "error,lan=loud", "debug,,lan=info", ",", "lan=" };
	char endless[600];

	(void)state;
	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(log_set_levels("warn,lan=debug"), 0);
	assert_string_equal(log_levels(), "warn,lan=debug");
	for (size_t i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			log_set_levels(i < sizeof(wrong) / sizeof(wrong[0]) ? wrong[i] : endless),
			-EINVAL);
		assert_string_equal(log_levels(), "warn,lan=debug");
		assert_true(log_would(LOG_LEVEL_DEBUG, "lan"));
		assert_false(log_would(LOG_LEVEL_INFO, "peers"));
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(log_set_levels("error,lan=warn,lan=info"), 0);
	assert_true(log_would(LOG_LEVEL_INFO, "lan"));
	assert_false(log_would(LOG_LEVEL_WARN, "peers"));
	assert_int_equal(log_set_levels(NULL), 0);
	assert_string_equal(log_levels(), "info");
	assert_false(log_would(LOG_LEVEL_DEBUG, "lan"));
}

static void unknown_levels_are_refused(void **state)
{
	static const char *const wrong[] = { "loud", "info,dht", "info,=debug", "info,dht=loud",
					     "info,averyveryverylongcomponentname=debug" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, wrong[i]), -EINVAL);
		assert_true(log_would(LOG_LEVEL_INFO, "x"));
		assert_false(log_would(LOG_LEVEL_DEBUG, "x"));
	}
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, "error"), 0);
	assert_false(log_would(LOG_LEVEL_WARN, "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_begins_anew_after_somebody_elses_unfinished_one),
		cmocka_unit_test(text_is_one_line_with_fields),
		cmocka_unit_test(json_is_escaped_and_levels_are_per_component),
		cmocka_unit_test(a_long_line_is_cut_and_still_closed),
		cmocka_unit_test(lines_of_others_in_the_same_file_survive),
		cmocka_unit_test(a_field_of_the_text_form_forges_no_other),
		cmocka_unit_test(a_flood_is_cut_short_counted_and_hides_nothing_else),
		cmocka_unit_test(the_first_line_after_a_flood_says_how_many_are_missing),
		cmocka_unit_test(levels_change_as_a_whole_or_not_at_all),
		/* From here on the log has its own description of a pipe. */
		cmocka_unit_test(lines_wait_for_room_in_order_and_only_once),
		cmocka_unit_test(every_line_is_written_or_counted_as_missing),
		cmocka_unit_test(unknown_levels_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
