/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/volume/othermount.h"

#include <stdio.h>
#include <string.h>

#define HEX	"e6cc1812ccb5e32864383f042bf935a1eabccc64a6a1bf8a8552ad9a0d499e78"
#define STATE	"/var/lib/wgmesh"
#define ROOT	"78 51 0:40 / / rw - overlay overlay rw\n"
#define PROC	"81 78 0:1 / /proc rw - proc proc rw\n"
#define HOSTS	"82 78 254:0 /c/hosts /etc/hosts rw - ext4 /dev/vda rw\n"
#define ETC	"85 78 254:0 /x /etc/wgmesh rw - ext4 /dev/vda rw\n"
#define OTHER	"83 78 254:0 /volumes/other/_data /mnt/other rw - ext4 /dev/vda rw\n"
#define ONE(n)	"1" #n " 78 254:0 /x /mnt/" #n " rw - ext4 /dev/a rw\n"
#define MANY(n) ONE(n##1) ONE(n##2) ONE(n##3) ONE(n##4)
#define DATA	"84 78 254:0 /volumes/wg/_data /data rw - ext4 /dev/vda rw\n"

static size_t list(const char *text, const char *legacy, struct othermount *out)
{
	return othermount_list(text, STATE, legacy, out);
}

/* As the edge does: what is not named here was seen, and is in use by others. */
static void see(struct othermount *m, bool has_files, bool is_empty)
{
	m->was_seen = true;
	m->has_files = has_files;
	m->is_empty = is_empty;
}

static const char *chosen(const struct othermount *m, size_t n)
{
	const struct othermount *c = othermount_choose(m, n);

	return c ? c->dir : "none";
}

static void lists_volumes_and_the_legacy_directory_first(void **state)
{
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(ROOT PROC HOSTS ETC OTHER DATA, "/data", m), 3);
	assert_string_equal(m[0].dir, "/data");
	assert_true(m[0].is_legacy);
	assert_string_equal(m[1].dir, "/etc/wgmesh");
	assert_true(m[1].is_system);
	assert_string_equal(m[2].dir, "/mnt/other");
	assert_false(m[2].is_legacy || m[2].is_system || m[2].is_read_only || m[2].was_seen);
}

static void lists_nothing_that_does_not_last(void **state)
{
	static const char text[] = ROOT
		"83 78 0:9 / /data rw - tmpfs tmpfs rw\n"
		"84 78 0:10 / /mnt/o rw - overlay overlay rw\n"
		"85 78 254:0 /pods/x/volumes/kubernetes.io~empty-dir/a /a rw - ext4 /dev/a rw\n"
		"86 78 254:0 /pods/x/volumes/kubernetes.io~secret/b /b ro - tmpfs tmpfs rw\n"
		"87 78 254:0 /x /dev/thing rw - ext4 /dev/a rw\n"
		"88 78 254:0 /x /sys/thing rw - ext4 /dev/a rw\n";
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(text, "/data", m), 0);
	assert_string_equal(chosen(m, 0), "none");
}

static void never_lists_what_the_state_directory_is_on(void **state)
{
	static const char text[] = ROOT "83 78 254:0 /a /var/lib ro - ext4 /dev/a rw\n"
					"84 83 254:0 /b " STATE " ro - ext4 /dev/a rw\n"
					"85 84 254:0 /c " STATE "/sub rw - ext4 /dev/a rw\n";
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(text, "/data", m), 1);
	assert_string_equal(m[0].dir, STATE "/sub");
}

static void a_volume_above_the_legacy_directory_is_its_volume(void **state)
{
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(ROOT DATA, "/data/wgmesh", m), 1);
	assert_string_equal(m[0].dir, "/data/wgmesh");
	assert_true(m[0].is_legacy);
	assert_int_equal(list(ROOT DATA, "/database", m), 1);
	assert_false(m[0].is_legacy);
	assert_int_equal(list(ROOT DATA, NULL, m), 1);
	assert_false(m[0].is_legacy);
}

static void a_mount_over_another_replaces_it(void **state)
{
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(ROOT DATA "85 84 254:0 /n /data ro - ext4 /dev/a rw\n", NULL, m), 1);
	assert_true(m[0].is_read_only);
}

static void a_full_list_still_takes_the_legacy_directory(void **state)
{
	static const char text[] = ROOT MANY(1) MANY(2) MANY(3) DATA;
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(text, "/data", m), OTHERMOUNT_MAX);
	assert_string_equal(m[0].dir, "/data");
	assert_string_equal(m[1].dir, "/mnt/11");
	assert_string_equal(m[OTHERMOUNT_MAX - 1].dir, "/mnt/23");
}

static void files_of_ours_win_over_the_legacy_directory_and_that_over_an_unused_mount(void **state)
{
	static const char text[] =
		ROOT "80 78 254:0 /volumes/a/_data /mnt/empty rw - ext4 /dev/a rw\n" OTHER DATA;
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(text, "/data", m), 3);
	see(&m[0], false, true);
	see(&m[1], false, true);
	see(&m[2], true, false);
	assert_string_equal(chosen(m, 3), "/mnt/other");
	see(&m[2], false, false);
	assert_string_equal(chosen(m, 3), "/data");
	m[0].is_legacy = false;
	see(&m[0], false, false);
	assert_string_equal(chosen(m, 3), "/mnt/empty");
	see(&m[1], false, false);
	assert_string_equal(chosen(m, 3), "none");
}

static void what_nobody_looked_into_is_named_only_as_the_legacy_directory(void **state)
{
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(ROOT OTHER DATA, NULL, m), 2);
	assert_string_equal(chosen(m, 2), "none");
	assert_int_equal(list(ROOT OTHER DATA, "/data", m), 2);
	assert_string_equal(chosen(m, 2), "/data");
	m[0].is_read_only = true;
	assert_string_equal(chosen(m, 2), "none");
}

static void anonymous_and_read_only_mounts_count_only_with_files_of_ours(void **state)
{
	static const char text[] =
		ROOT "83 78 254:0 /volumes/" HEX "/_data /data rw - ext4 /dev/a rw\n"
		     "84 78 254:0 /x /etc/wgmesh ro - ext4 /dev/a rw\n";
	struct othermount m[OTHERMOUNT_MAX];

	(void)state;
	assert_int_equal(list(text, "/data", m), 2);
	see(&m[0], false, true);
	see(&m[1], false, true);
	assert_string_equal(chosen(m, 2), "none");
	see(&m[1], true, false);
	assert_string_equal(chosen(m, 2), "/etc/wgmesh");
	see(&m[0], true, false);
	assert_string_equal(chosen(m, 2), "/data");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_volumes_and_the_legacy_directory_first),
		cmocka_unit_test(lists_nothing_that_does_not_last),
		cmocka_unit_test(never_lists_what_the_state_directory_is_on),
		cmocka_unit_test(a_volume_above_the_legacy_directory_is_its_volume),
		cmocka_unit_test(a_mount_over_another_replaces_it),
		cmocka_unit_test(a_full_list_still_takes_the_legacy_directory),
		cmocka_unit_test(
			files_of_ours_win_over_the_legacy_directory_and_that_over_an_unused_mount),
		cmocka_unit_test(what_nobody_looked_into_is_named_only_as_the_legacy_directory),
		cmocka_unit_test(anonymous_and_read_only_mounts_count_only_with_files_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
