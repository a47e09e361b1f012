/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/kstat.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD "mnt_id:"

/* What the kernel itself shows of an open file. */
static uint64_t mount_id_shown(int fd)
{
	char name[48];
	char line[128];
	uint64_t id = 0;
	FILE *f;

	(void)snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	f = fopen(name, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, FIELD, strlen(FIELD)) == 0)
			id = strtoull(line + strlen(FIELD), NULL, 10);
	}
	(void)fclose(f);
	return id;
}

static void the_mount_of_a_path_and_of_its_descriptor_is_the_one_that_proc_shows(void **state)
{
	auto_close int fd = open("/proc", O_PATH | O_CLOEXEC | O_DIRECTORY);
	uint64_t by_path = 0;
	uint64_t by_fd = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(kstat_mount_id(AT_FDCWD, "/proc", &by_path), 0);
	assert_int_equal(kstat_mount_id(fd, "", &by_fd), 0);
	assert_true(by_path == mount_id_shown(fd) && by_fd == by_path);
}

static void mounts_are_told_apart(void **state)
{
	uint64_t root = 0;
	uint64_t proc = 0;

	(void)state;
	assert_int_equal(kstat_mount_id(AT_FDCWD, "/", &root), 0);
	assert_int_equal(kstat_mount_id(AT_FDCWD, "/proc", &proc), 0);
	assert_true(root != proc);
}

static void a_file_that_is_not_there_has_no_mount_and_is_not_immutable(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_int_equal(kstat_mount_id(AT_FDCWD, "/proc/no such file", &id), -ENOENT);
	assert_false(kstat_is_immutable("/proc/no such file"));
	assert_false(kstat_is_immutable("/proc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_mount_of_a_path_and_of_its_descriptor_is_the_one_that_proc_shows),
		cmocka_unit_test(mounts_are_told_apart),
		cmocka_unit_test(a_file_that_is_not_there_has_no_mount_and_is_not_immutable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
