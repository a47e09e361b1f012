/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/defs.h"
#include "init/volume/look.h"
#include "init/volume/mounts.h"

#define POD_HOSTS "9 1 0:2 /pods/x/etc-hosts /etc/hosts rw - ext4 /dev/a rw\n"
#define HOSTS	  "9 1 0:2 /containers/x/hosts /etc/hosts rw - ext4 /dev/a rw\n"

static void both_ways_find_the_same_mount(void **state)
{
	static const char *const paths[] = { "/", "/proc", "/dev", "/proc/self/fdinfo" };
	struct tempdir *d = *state;
	uint64_t a = 0;
	uint64_t b = 1;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_true(look_mount_id_by_fdinfo(paths[i], &b));
		if (look_mount_id(paths[i], &a))
			assert_int_equal(a, b);
	}
	assert_true(look_mount_id_by_fdinfo(d->path, &b));
	assert_false(look_mount_id(d->path, &a) && a != b);
	assert_false(look_mount_id_by_fdinfo("/does/not/exist", &b));
	assert_false(look_mount_id("/does/not/exist", &a));
}

static void the_facts_name_a_line_of_the_mount_table(void **state)
{
	struct tempdir *d = *state;
	auto_free char *mounts = mounts_read();
	struct volume_facts f;
	struct mount_row row;
	struct mount_row by_path;

	look_at_state(d->path, &f);
	assert_true(f.exists && f.is_directory && f.has_mount_id);
	assert_false(f.has_data_link || f.is_read_only);
	assert_string_equal(f.path, d->path);
	assert_int_not_equal(f.magic, 0);
	assert_true(mountinfo_find_id(mounts, f.mount_id, &row));
	assert_true(mountinfo_find_path(mounts, f.path, &by_path));
	assert_int_equal(row.id, by_path.id);
	assert_string_equal(row.point, by_path.point);
}

static void a_missing_directory_is_looked_for_above(void **state)
{
	struct tempdir *d = *state;
	struct volume_facts f;
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/a/b/c", d->path);
	look_at_state(path, &f);
	assert_false(f.exists);
	assert_true(f.is_directory);
	assert_string_equal(f.path, d->path);
	look_at_state("/does/not/exist", &f);
	assert_string_equal(f.path, "/");
}

static void files_and_data_links_are_seen(void **state)
{
	struct tempdir *d = *state;
	struct volume_facts f;
	char path[600];

	tempdir_write(d, "file", "");
	(void)snprintf(path, sizeof(path), "%s/file", d->path);
	look_at_state(path, &f);
	assert_true(f.exists);
	assert_false(f.is_directory);
	assert_int_equal(symlinkat("..2026", d->fd, "..data"), 0);
	look_at_state(d->path, &f);
	assert_true(f.has_data_link);
	assert_int_equal(unlinkat(d->fd, "..data", 0), 0);
}

static void look(const struct tempdir *d, struct othermount *m)
{
	memset(m, 0, sizeof(*m));
	(void)snprintf(m->dir, sizeof(m->dir), "%s", d->path);
	look_inside(m, "wg0");
}

static void an_empty_mount_is_empty_even_with_what_mkfs_made(void **state)
{
	struct tempdir *d = *state;
	struct othermount m;

	look(d, &m);
	assert_true(m.was_seen && m.is_empty);
	assert_false(m.has_files);
	assert_int_equal(mkdirat(d->fd, "lost+found", 0700), 0);
	look(d, &m);
	assert_true(m.is_empty);
	assert_int_equal(unlinkat(d->fd, "lost+found", AT_REMOVEDIR), 0);
	tempdir_write(d, "something", "");
	look(d, &m);
	assert_true(m.was_seen);
	assert_false(m.is_empty || m.has_files);
}

static void files_of_ours_are_known_by_their_names(void **state)
{
	static const char *const names[] = { "wg0.json", ".wgmesh.volume", ".wgmesh.history" };
	static const char *const others[] = { "wg1.json", "package.json", "wg0.json.bak" };
	struct tempdir *d = *state;
	struct othermount m;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		tempdir_write(d, others[i], "{}");
	look(d, &m);
	assert_false(m.has_files);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		tempdir_write(d, names[i], "{}");
		look(d, &m);
		assert_true(m.was_seen && m.has_files);
		assert_int_equal(unlinkat(d->fd, names[i], 0), 0);
	}
	assert_int_equal(mkdirat(d->fd, "wg0.json", 0700), 0);
	look(d, &m);
	assert_false(m.has_files);
	assert_int_equal(unlinkat(d->fd, "wg0.json", AT_REMOVEDIR), 0);
}

static void snapshots_of_our_interface_are_ours(void **state)
{
	struct tempdir *d = *state;
	struct othermount m;

	assert_int_equal(mkdirat(d->fd, ".snapshots", 0700), 0);
	tempdir_write(d, ".snapshots/hourly", "");
	look(d, &m);
	assert_false(m.has_files);
	tempdir_write(d, ".snapshots/wg0.json.0000000001", "");
	look(d, &m);
	assert_true(m.has_files);
}

static void what_is_no_directory_is_not_seen(void **state)
{
	struct tempdir *d = *state;
	struct othermount m = { 0 };

	tempdir_write(d, "file", "");
	(void)snprintf(m.dir, sizeof(m.dir), "%.200s/file", d->path);
	look_inside(&m, "wg0");
	assert_false(m.was_seen || m.has_files || m.is_empty);
}

static void kubernetes_is_known_by_its_hosts_file_or_its_service(void **state)
{
	(void)state;
	assert_int_equal(look_for_engine(HOSTS, true), ENGINE_KUBERNETES);
	assert_int_equal(look_for_engine(POD_HOSTS, false), ENGINE_KUBERNETES);
	assert_int_equal(look_for_engine(HOSTS, false), look_for_engine("", false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ways_find_the_same_mount),
		TEST(the_facts_name_a_line_of_the_mount_table),
		TEST(a_missing_directory_is_looked_for_above),
		TEST(files_and_data_links_are_seen),
		TEST(an_empty_mount_is_empty_even_with_what_mkfs_made),
		TEST(files_of_ours_are_known_by_their_names),
		TEST(snapshots_of_our_interface_are_ours),
		TEST(what_is_no_directory_is_not_seen),
		TEST(kubernetes_is_known_by_its_hosts_file_or_its_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
