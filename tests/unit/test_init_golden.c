/* SPDX-License-Identifier: MIT */
/* Mount tables of real and of described systems, against the one table of expectations. */
#include "tests/unit/test.h"

#include "common/defs.h"
#include "common/io.h"
#include "init/volume/othermount.h"
#include "init/volume/volume.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the directory the tests are started in. */
#define DATA	  "tests/data/mountinfo"
#define TEXT_SIZE 32768
#define CASES_MAX 128

static const char *const groups[] = { "docker",	   "docker13",	 "podman",  "podman13", "rootless",
				      "namespace", "kubernetes", "sandbox", "desktop" };

struct row {
	char name[64];
	char verdict[16];
	unsigned int files;
};

struct table {
	struct row row[CASES_MAX];
	size_t n;
};

/* The text, in a buffer that the next call reuses. */
static const char *load(const char *path)
{
	static char text[TEXT_SIZE];
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read_bounded(fd, text, sizeof(text) - 1);

	if (n < 0)
		fail_msg("cannot read %s", path);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void load_table(struct table *t)
{
	const char *text = load(DATA "/cases.txt");

	t->n = 0;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line ? 1 : 0) {
		struct row *row = &t->row[t->n];

		if (*line == '#' || *line == '\n')
			continue;
		assert_true(t->n < CASES_MAX);
		assert_int_equal(sscanf(line, "%63s %15s", row->name, row->verdict), 2);
		row->files = 0;
		t->n++;
	}
	assert_true(t->n > 50);
}

static struct row *find(struct table *t, const char *file)
{
	size_t len = strlen(file) - strlen(".txt");

	for (size_t i = 0; i < t->n; i++)
		if (strlen(t->row[i].name) == len && strncmp(t->row[i].name, file, len) == 0)
			return &t->row[i];
	return NULL;
}

static uint64_t read_number(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	assert_non_null(p);
	return p ? strtoull(p + strlen(key), NULL, 0) : 0;
}

/* The first line: what the container's own tools said of its state directory. */
static void read_facts(const char *text, struct volume_facts *f)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(sscanf(text, "# path=%255s", f->path), 1);
	f->exists = true;
	f->has_mount_id = true;
	f->mount_id = read_number(text, " mount=");
	f->root_mount_id = read_number(text, " root=");
	f->magic = read_number(text, " magic=");
	f->is_directory = strstr(text, " kind=directory\n") != NULL;
}

static void judge(const char *path, const struct volume_facts *f, const char *text,
		  const char *verdict, const char *how)
{
	struct volume v;

	volume_classify(text, f, &v);
	if (strcmp(verdict_name(v.verdict), verdict) != 0)
		fail_msg("%s %s: %s instead of %s (on %s)", path, how, verdict_name(v.verdict),
			 verdict, v.what);
}

/* With all facts, without mount ids, and by the table alone. */
static void judge_file(const char *path, const char *verdict)
{
	const char *text = load(path);
	struct volume_facts f;

	read_facts(text, &f);
	/* Kubernetes leaves no other trace of these two in the table. */
	f.has_data_link = strstr(path, "/secret.txt") || strstr(path, "/projected.txt");
	judge(path, &f, text, verdict, "with all facts");
	f.has_mount_id = false;
	judge(path, &f, text, verdict, "without mount ids");
	f.magic = 0;
	judge(path, &f, text, verdict, "by the table alone");
}

static void judge_entry(struct table *t, const char *group, const char *file)
{
	struct row *row = find(t, file);
	char path[512];

	if (!row) {
		fail_msg("%s/%s is not in the table", group, file);
		return;
	}
	(void)snprintf(path, sizeof(path), DATA "/%s/%s", group, file);
	judge_file(path, row->verdict);
	row->files++;
}

static unsigned int judge_group(struct table *t, const char *group)
{
	char path[512];
	const struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), DATA "/%s", group);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		judge_entry(t, group, entry->d_name);
		n++;
	}
	(void)closedir(dir);
	return n;
}

static void every_mount_table_is_judged_as_expected(void **state)
{
	struct table t;

	(void)state;
	load_table(&t);
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		assert_true(judge_group(&t, groups[i]) > 0);
	for (size_t i = 0; i < t.n; i++)
		if (t.row[i].files == 0)
			fail_msg("no mount table for %s", t.row[i].name);
}

static void a_volume_at_the_legacy_directory_is_found_in_every_mount_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct othermount m[OTHERMOUNT_MAX];
		const struct othermount *chosen;
		char path[512];
		size_t n;

		(void)snprintf(path, sizeof(path), DATA "/%s/nothing-but-data.txt", groups[i]);
		if (access(path, R_OK) != 0)
			continue;
		n = othermount_list(load(path), "/var/lib/wgmesh", "/data", m);
		assert_int_equal(n, 1);
		chosen = othermount_choose(m, n);
		assert_non_null(chosen);
		assert_string_equal(chosen->dir, "/data");
	}
}

static void engines_own_mounts_are_never_suggested(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct othermount m[OTHERMOUNT_MAX];
		char path[512];

		(void)snprintf(path, sizeof(path), DATA "/%s/nothing-mounted.txt", groups[i]);
		if (access(path, R_OK) == 0)
			assert_int_equal(othermount_list(load(path), "/var/lib/wgmesh", "/data", m),
					 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mount_table_is_judged_as_expected),
		cmocka_unit_test(a_volume_at_the_legacy_directory_is_found_in_every_mount_table),
		cmocka_unit_test(engines_own_mounts_are_never_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
