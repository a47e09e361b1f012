/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/exits.h"
#include "init/state/names.h"
#include "init/supervise/history.h"

#include <limits.h>

#define NOW 1767225600

static struct history_entry failure(int64_t ended_s)
{
	return (struct history_entry) { .ended_s = ended_s,
					.boot_s = ended_s - 5,
					.run_ms = 200,
					.code = 69,
					.cause = "exit" };
}

/* Failures, the newest @ago seconds ago and each a minute after the one before. */
static struct history failures(size_t n, int64_t ago)
{
	struct history h = { .n = 0 };

	for (size_t i = 0; i < n; i++) {
		struct history_entry entry = failure(NOW - ago - 60 * (int64_t)(n - 1 - i));

		history_add(&h, &entry);
	}
	return h;
}

static void the_newest_endings_are_kept(void **state)
{
	struct history h = failures(HISTORY_MAX + 3, 0);

	(void)state;
	assert_int_equal(h.n, HISTORY_MAX);
	assert_int_equal(h.entries[HISTORY_MAX - 1].ended_s, NOW);
	assert_int_equal(h.entries[0].ended_s, NOW - 60 * (HISTORY_MAX - 1));
}

static void failures_at_the_end_count(void **state)
{
	struct history h = failures(3, 10);

	(void)state;
	assert_int_equal(history_failures(&h, NOW), 3);
	h.entries[1].run_ms = HISTORY_SHORT_RUN_MS;
	assert_int_equal(history_failures(&h, NOW), 1);
	h = failures(3, 10);
	h.entries[1].code = 0;
	assert_int_equal(history_failures(&h, NOW), 1);
	h = failures(3, 10);
	(void)snprintf(h.entries[2].cause, sizeof(h.entries[2].cause), "stopped");
	assert_int_equal(history_failures(&h, NOW), 0);
	(void)snprintf(h.entries[2].cause, sizeof(h.entries[2].cause), "stop-timeout");
	assert_int_equal(history_failures(&h, NOW), 0);
	h = (struct history) { .n = 0 };
	assert_int_equal(history_failures(&h, NOW), 0);
}

static void what_is_an_hour_old_is_past(void **state)
{
	struct history h = failures(3, HISTORY_RECENT_S);

	(void)state;
	assert_int_equal(history_failures(&h, NOW), 3);
	assert_int_equal(history_failures(&h, NOW + 1), 0);
	h = failures(3, 0);
	h.entries[0].ended_s -= HISTORY_RECENT_S;
	assert_int_equal(history_failures(&h, NOW), 2);
}

static void a_clock_that_was_set_breaks_nothing(void **state)
{
	struct history h = failures(4, 0);

	(void)state;
	/* Back to 1970: all of it lies in the future. */
	assert_int_equal(history_failures(&h, 0), 4);
	assert_int_equal(history_failures(&h, INT64_MIN), 4);
	assert_int_equal(history_failures(&h, INT64_MAX), 0);
	/* Set forward between two endings, then back. */
	h.entries[2].ended_s = NOW + 1000000;
	assert_int_equal(history_failures(&h, NOW), 4);
	h.entries[3].ended_s = INT64_MAX;
	h.entries[2].ended_s = INT64_MIN;
	assert_int_equal(history_failures(&h, 0), 4);
	assert_int_equal(history_failures(&h, NOW), 1);
}

static void what_is_written_reads_back_equal(void **state)
{
	struct history h = failures(HISTORY_MAX - 1, 0);
	struct history_entry killed = { .ended_s = NOW,
					.boot_s = 0,
					.run_ms = UINT64_MAX,
					.code = 137,
					.signal = 9,
					.cause = "start-timeout" };
	struct history back;
	char text[HISTORY_TEXT_SIZE];
	char again[HISTORY_TEXT_SIZE];
	size_t len;

	(void)state;
	history_add(&h, &killed);
	len = history_format(&h, text);
	assert_int_equal(len, strlen(text));
	assert_non_null(strstr(text, "1767225600 0 signal=9 18446744073709551615 start-timeout\n"));
	assert_non_null(strstr(text, " code=69 200 exit\n"));
	history_parse(&back, text);
	assert_int_equal(back.n, h.n);
	assert_memory_equal(back.entries[0].cause, "exit", 5);
	assert_int_equal(back.entries[0].code, 69);
	assert_int_equal(back.entries[0].signal, 0);
	assert_int_equal(back.entries[h.n - 1].code, 137);
	assert_int_equal(back.entries[h.n - 1].signal, 9);
	(void)history_format(&back, again);
	assert_string_equal(again, text);
}

static void the_largest_history_fits(void **state)
{
	struct history_entry largest = { .ended_s = INT64_MAX,
					 .boot_s = INT64_MAX,
					 .run_ms = UINT64_MAX,
					 .code = INT_MIN,
					 .cause = "abcdefghijklmno" };
	struct history h = { .n = 0 };
	char text[HISTORY_TEXT_SIZE];
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < HISTORY_MAX; i++)
		history_add(&h, &largest);
	(void)history_format(&h, text);
	for (const char *p = text; *p; p++)
		lines += *p == '\n' ? 1 : 0;
	assert_int_equal(lines, HISTORY_MAX);
}

static void anything_damaged_or_foreign_is_an_empty_history(void **state)
{
	static const char *const wrong[] = {
		"x",
		"{}",
		"1 1 code=1 5 exit",
		"1 1 code=1 5 exit\n1 1 code=1 5\n",
		"1 1 code=1 5 exit\n\n",
		"1  1 code=1 5 exit\n",
		" 1 1 code=1 5 exit\n",
		"1 1 code=1 5 exit \n",
		"1 1 code=256 5 exit\n",
		"1 1 code=-1 5 exit\n",
		"1 1 signal=0 5 exit\n",
		"1 1 signal=65 5 exit\n",
		"1 1 how=1 5 exit\n",
		"-1 1 code=1 5 exit\n",
		"99999999999999 1 code=1 5 exit\n",
		"1 1 code=1 5 EXIT\n",
		"1 1 code=1 5 exit\x1b\n",
		"1 1 code=1 5 muchtoolongaword\n",
		"1 1 code=1 5 exit more\n",
	};
	struct history h;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		history_parse(&h, wrong[i]);
		if (h.n != 0)
			fail_msg("\"%s\" is taken for a history", wrong[i]);
	}
	history_parse(&h, "1 1 code=1 5 exit\n");
	assert_int_equal(h.n, 1);
}

static void endings_are_recorded_one_after_the_other(void **state)
{
	struct tempdir *d = *state;
	struct history_record record = { .dirfd = d->fd, .entry = failure(NOW) };
	struct history h;
	struct stat st;

	history_load(&h, d->fd);
	assert_int_equal(h.n, 0);
	for (int i = 0; i < HISTORY_MAX + 2; i++) {
		record.entry.ended_s = NOW + i;
		assert_int_equal(history_record(&record), EXITS_OK);
	}
	history_load(&h, d->fd);
	assert_int_equal(h.n, HISTORY_MAX);
	assert_int_equal(h.entries[HISTORY_MAX - 1].ended_s, NOW + HISTORY_MAX + 1);
	assert_int_equal(fstatat(d->fd, NAMES_HISTORY, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(tempdir_has(d, NAMES_HISTORY ".new"));
}

static void a_damaged_file_is_replaced_and_never_refused(void **state)
{
	struct tempdir *d = *state;
	struct history_record record = { .dirfd = d->fd, .entry = failure(NOW) };
	static char large[64 * 1024];
	struct history h;

	tempdir_write(d, NAMES_HISTORY, "no history at all\n");
	history_load(&h, d->fd);
	assert_int_equal(h.n, 0);
	assert_int_equal(history_record(&record), EXITS_OK);
	history_load(&h, d->fd);
	assert_int_equal(h.n, 1);
	memset(large, '1', sizeof(large) - 1);
	tempdir_write(d, NAMES_HISTORY, large);
	history_load(&h, d->fd);
	assert_int_equal(h.n, 0);
}

static void no_link_fifo_or_directory_is_read(void **state)
{
	struct tempdir *d = *state;
	struct history_record record = { .dirfd = d->fd, .entry = failure(NOW) };
	struct history h;

	tempdir_write(d, "elsewhere", "1 1 code=1 5 exit\n");
	assert_int_equal(symlinkat("elsewhere", d->fd, NAMES_HISTORY), 0);
	history_load(&h, d->fd);
	assert_int_equal(h.n, 0);
	assert_int_equal(history_record(&record), EXITS_OK);
	assert_string_equal(tempdir_read(d, "elsewhere"), "1 1 code=1 5 exit\n");
	assert_int_equal(unlinkat(d->fd, NAMES_HISTORY, 0), 0);
	assert_int_equal(mkfifoat(d->fd, NAMES_HISTORY, 0600), 0);
	history_load(&h, d->fd);
	assert_int_equal(h.n, 0);
	assert_int_equal(unlinkat(d->fd, NAMES_HISTORY, 0), 0);
	assert_int_equal(mkdirat(d->fd, NAMES_HISTORY, 0700), 0);
	history_load(&h, d->fd);
	assert_int_equal(h.n, 0);
	assert_int_equal(history_record(&record), EXITS_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_endings_are_kept),
		cmocka_unit_test(failures_at_the_end_count),
		cmocka_unit_test(what_is_an_hour_old_is_past),
		cmocka_unit_test(a_clock_that_was_set_breaks_nothing),
		cmocka_unit_test(what_is_written_reads_back_equal),
		cmocka_unit_test(the_largest_history_fits),
		cmocka_unit_test(anything_damaged_or_foreign_is_an_empty_history),
		TEST(endings_are_recorded_one_after_the_other),
		TEST(a_damaged_file_is_replaced_and_never_refused),
		TEST(no_link_fifo_or_directory_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
