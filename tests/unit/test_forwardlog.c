/* SPDX-License-Identifier: MIT */
#include "daemon/admin/forwardlog.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#define BOOT "6a2f6a2f-6a2f-6a2f-6a2f-6a2f6a2f6a2f"

static struct forwardlog whole(void)
{
	struct forwardlog log = { .boot = BOOT, .netns = 4026531840, .ipv6 = true, .table = true };

	assert_true(forwardlog_add(&log, "eth1"));
	assert_true(forwardlog_add(&log, "wg0"));
	return log;
}

static void what_was_noted_is_read_again(void **state)
{
	struct forwardlog log = whole();
	char text[FORWARDLOG_FILE_MAX];
	struct forwardlog read;

	(void)state;
	assert_int_equal(forwardlog_parse(&read, text, forwardlog_format(text, &log)), 0);
	assert_memory_equal(&read, &log, sizeof(log));
	assert_true(forwardlog_is_here(&read, &log));
}

/* Cut anywhere, it says less, or nothing; never something else. */
static void half_a_file_is_none(void **state)
{
	struct forwardlog log = whole();
	char text[FORWARDLOG_FILE_MAX];
	struct forwardlog read;
	size_t len = forwardlog_format(text, &log);

	(void)state;
	for (size_t n = 0; n < len; n++) {
		int r = forwardlog_parse(&read, text, n);

		assert_true(r == 0 || r == -EBADMSG);
		if (r == 0)
			assert_true(n == 0 || text[n - 1] == '\n');
		else
			assert_int_equal(read.n, 0);
	}
	assert_int_equal(forwardlog_parse(&read, "interface=\n", 11), -EBADMSG);
	assert_int_equal(forwardlog_parse(&read, "interface=a-name-that-is-too-long\n", 34),
			 -EBADMSG);
	assert_int_equal(forwardlog_parse(&read, "netns=-1\n", 9), -EBADMSG);
}

/* After a reboot, or in a new container, off is off. */
static void another_boot_or_namespace_is_not_here(void **state)
{
	struct forwardlog log = whole();
	struct forwardlog here = { .boot = BOOT, .netns = 4026531840 };

	(void)state;
	assert_true(forwardlog_is_here(&log, &here));
	here.netns++;
	assert_false(forwardlog_is_here(&log, &here));
	here.netns--;
	here.boot[0] = '7';
	assert_false(forwardlog_is_here(&log, &here));
	memset(log.boot, 0, sizeof(log.boot));
	memset(here.boot, 0, sizeof(here.boot));
	assert_false(forwardlog_is_here(&log, &here));
}

static void interfaces_are_noted_once_and_forgotten(void **state)
{
	struct forwardlog log = whole();
	char name[16] = "a0";

	(void)state;
	assert_true(forwardlog_add(&log, "eth1"));
	assert_int_equal(log.n, 2);
	forwardlog_drop(&log, "eth1");
	assert_false(forwardlog_has(&log, "eth1"));
	assert_true(forwardlog_has(&log, "wg0"));
	forwardlog_drop(&log, "nosuch0");
	for (unsigned int i = 1; i < FORWARDLOG_INTERFACES_MAX; i++) {
		name[0] = (char)('a' + i);
		assert_true(forwardlog_add(&log, name));
	}
	assert_false(forwardlog_add(&log, "onemore"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_noted_is_read_again),
		cmocka_unit_test(half_a_file_is_none),
		cmocka_unit_test(another_boot_or_namespace_is_not_here),
		cmocka_unit_test(interfaces_are_noted_once_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
