/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/io.h"
#include "init/volume/mountinfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A golden text, from the directory the tests are started in. */
static char *load(const char *name)
{
	char path[128];
	char *text = malloc(16384);
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "tests/data/mountinfo/%s.txt", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = io_read_bounded(fd, text, 16383);
	assert_true(n > 0);
	text[n] = '\0';
	(void)close(fd);
	return text;
}

static void reads_every_field_of_a_line(void **state)
{
	const char *p =
		"98 78 254:0 /vol/_data /var/lib/wgmesh rw,relatime master:3 shared:9 - ext4 "
		"/dev/vda rw,discard\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_next(&p, &row));
	assert_int_equal(row.id, 98);
	assert_int_equal(row.parent, 78);
	assert_string_equal(row.root, "/vol/_data");
	assert_string_equal(row.point, "/var/lib/wgmesh");
	assert_string_equal(row.device, "254:0");
	assert_string_equal(row.type, "ext4");
	assert_string_equal(row.source, "/dev/vda");
	assert_false(row.read_only);
	assert_false(row.super_read_only);
	assert_false(mountinfo_next(&p, &row));
}

static void reads_lines_without_tags(void **state)
{
	const char *p = "1 0 0:1 / / ro - tmpfs none ro";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_next(&p, &row));
	assert_string_equal(row.type, "tmpfs");
	assert_true(row.read_only);
	assert_true(row.super_read_only);
}

static void unescapes_octal(void **state)
{
	const char *p = "1 0 0:1 /a\\040b\\011c /x\\134y\\012z rw - ext4 /dev/a rw\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_next(&p, &row));
	assert_string_equal(row.root, "/a b\tc");
	assert_string_equal(row.point, "/x\\y\nz");
}

static void keeps_a_backslash_that_is_no_escape(void **state)
{
	const char *p = "1 0 0:1 /a\\04 /b\\9ab rw - ext4 /dev/a rw\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_next(&p, &row));
	assert_string_equal(row.root, "/a\\04");
	assert_string_equal(row.point, "/b\\9ab");
}

static void takes_ro_only_as_a_whole_option(void **state)
{
	const char *p = "1 0 0:1 / / rw,errors=remount-ro,norro - ext4 /dev/a rw,roo\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_next(&p, &row));
	assert_false(row.read_only);
	assert_false(row.super_read_only);
}

static void passes_over_lines_that_are_none(void **state)
{
	const char *p = "\nnonsense\n1 2 3\nx 0 0:1 / / rw - ext4 /dev/a rw\n"
			"7 0 0:1 / / rw - ext4 /dev/a rw\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_next(&p, &row));
	assert_int_equal(row.id, 7);
	assert_false(mountinfo_next(&p, &row));
}

static void survives_every_truncation(void **state)
{
	static const char line[] =
		"98 78 254:0 /v\\040/_data /var/lib rw master:3 - ext4 /dev/vda rw";

	(void)state;
	for (size_t n = 0; n < sizeof(line); n++) {
		char *cut = strndup(line, n);
		const char *p = cut;
		struct mount_row row;

		(void)mountinfo_next(&p, &row);
		assert_int_equal(*p, '\0');
		free(cut);
	}
}

static void finds_the_longest_prefix(void **state)
{
	char *text = load("docker");
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_find_path(text, "/var/lib/wgmesh/wg0.json", &row));
	assert_int_equal(row.id, 98);
	assert_true(mountinfo_find_path(text, "/var/lib/wgmesh2", &row));
	assert_int_equal(row.id, 78);
	assert_true(mountinfo_find_path(text, "/dev/shm/x", &row));
	assert_int_equal(row.id, 85);
	free(text);
}

static void the_last_covering_mount_counts(void **state)
{
	static const char text[] = "1 0 0:1 / / rw - overlay overlay rw\n"
				   "2 1 0:2 /a /data rw - ext4 /dev/a rw\n"
				   "3 2 0:3 / /data rw - tmpfs tmpfs rw\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_find_path(text, "/data", &row));
	assert_int_equal(row.id, 3);
}

static void a_mount_above_hides_those_below_it(void **state)
{
	static const char text[] = "1 0 0:1 / / rw - overlay overlay rw\n"
				   "2 1 0:2 /a /var/lib/x rw - ext4 /dev/a rw\n"
				   "3 2 0:2 /b /var/lib/x/y rw - ext4 /dev/a rw\n"
				   "4 1 0:3 / /var rw - tmpfs tmpfs rw\n"
				   "5 4 0:4 / /var/lib/z rw - ext4 /dev/b rw\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_find_path(text, "/var/lib/x/y", &row));
	assert_int_equal(row.id, 4);
	assert_true(mountinfo_find_path(text, "/var/lib/z/y", &row));
	assert_int_equal(row.id, 5);
	assert_true(mountinfo_find_path(text, "/etc", &row));
	assert_int_equal(row.id, 1);
}

static void a_mount_over_the_root_hides_everything(void **state)
{
	static const char text[] = "1 0 0:1 / / rw - ext4 /dev/a rw\n"
				   "2 1 0:2 / /data rw - ext4 /dev/a rw\n"
				   "3 1 0:3 / / rw - overlay overlay rw\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_find_path(text, "/data", &row));
	assert_int_equal(row.id, 3);
}

static void a_table_without_its_root_or_with_loops_gives_the_longest_prefix(void **state)
{
	static const char text[] = "2 1 0:2 /a /data rw - ext4 /dev/a rw\n"
				   "3 9 0:3 / /data/x rw - tmpfs tmpfs rw\n"
				   "4 9 0:3 / /data/x rw - tmpfs tmpfs rw\n";
	static const char loop[] = "1 1 0:2 / / rw - ext4 /dev/a rw\n"
				   "2 3 0:2 / /data rw - ext4 /dev/a rw\n"
				   "3 2 0:2 / /data rw - ext4 /dev/a rw\n";
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_find_path(text, "/data/x/y", &row));
	assert_int_equal(row.id, 4);
	assert_false(mountinfo_find_path(text, "/etc", &row));
	assert_true(mountinfo_find_path(loop, "/data", &row));
	assert_int_equal(row.id, 1);
	/* Two that lie on each other: no root, and the last one of the longest counts. */
	assert_true(mountinfo_find_path("1 2 0:2 / / rw - ext4 a rw\n2 1 0:2 / / rw - ext4 a rw\n",
					"/data", &row));
	assert_int_equal(row.id, 2);
}

static void reads_the_mount_id_of_fdinfo(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_true(mountinfo_parse_fdinfo("pos:\t0\nflags:\t02\nmnt_id:\t1234\nino:\t5\n", &id));
	assert_int_equal(id, 1234);
	assert_true(mountinfo_parse_fdinfo("mnt_id: 7", &id));
	assert_int_equal(id, 7);
	assert_false(mountinfo_parse_fdinfo("pos:\t0\nxmnt_id:\t1\n", &id));
	assert_false(mountinfo_parse_fdinfo("mnt_id:\tx\n", &id));
	assert_false(mountinfo_parse_fdinfo("", &id));
}

static void finds_a_mount_by_its_id(void **state)
{
	char *text = load("kubernetes");
	struct mount_row row;

	(void)state;
	assert_true(mountinfo_find_id(text, 923, &row));
	assert_string_equal(row.point, "/var/lib/wgmesh");
	assert_false(mountinfo_find_id(text, 92, &row));
	free(text);
}

static void finds_the_container_id_of_docker_and_podman(void **state)
{
	char *docker = load("docker");
	char *podman = load("podman");
	char id[65];

	(void)state;
	assert_true(mountinfo_container_id(docker, id));
	assert_string_equal(id, "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
				"0f1e2d3c4b5a69788796a5b4c3d2e1f0");
	assert_true(mountinfo_container_id(podman, id));
	assert_string_equal(id, "00112233445566778899aabbccddeeff"
				"00112233445566778899aabbccddeeff");
	assert_false(mountinfo_container_id("1 0 0:1 / / rw - ext4 /dev/a rw\n", id));
	assert_string_equal(id, "");
	free(docker);
	free(podman);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_field_of_a_line),
		cmocka_unit_test(reads_lines_without_tags),
		cmocka_unit_test(unescapes_octal),
		cmocka_unit_test(keeps_a_backslash_that_is_no_escape),
		cmocka_unit_test(takes_ro_only_as_a_whole_option),
		cmocka_unit_test(passes_over_lines_that_are_none),
		cmocka_unit_test(survives_every_truncation),
		cmocka_unit_test(finds_the_longest_prefix),
		cmocka_unit_test(the_last_covering_mount_counts),
		cmocka_unit_test(a_mount_above_hides_those_below_it),
		cmocka_unit_test(a_mount_over_the_root_hides_everything),
		cmocka_unit_test(a_table_without_its_root_or_with_loops_gives_the_longest_prefix),
		cmocka_unit_test(reads_the_mount_id_of_fdinfo),
		cmocka_unit_test(finds_a_mount_by_its_id),
		cmocka_unit_test(finds_the_container_id_of_docker_and_podman),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
