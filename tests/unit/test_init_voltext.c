/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/defs.h"
#include "init/volume/voltext.h"

#include <stdio.h>
#include <string.h>

#define DIR	 "/var/lib/wgmesh"
#define LOST	 " gives this node a new key and a new address; every peer still trusts the old one"
#define RECREATE "the next re-create (an image update, docker compose up after a change)"
#define NO_PLACE "this node's key cannot be stored there"
#define ON	 "the state directory " DIR " is on something"
#define RUN	 " run: add -v wgmesh-state:" DIR
#define COMPOSE                                                                      \
	"; compose: \"volumes: [wgmesh-state:" DIR "]\" in the service, \"volumes: " \
	"{wgmesh-state: {}}\" in the file"
#define KUBERNETES                                                            \
	"Kubernetes: mount a PersistentVolumeClaim at " DIR " (StatefulSet: " \
	"volumeClaimTemplates; DaemonSet: a hostPath)"
#define ALL	   "docker" RUN COMPOSE "; " KUBERNETES
#define REMOVE_RO  "docker, podman, compose: remove \":ro\" from the volume at " DIR
#define REMOVE_K8S "Kubernetes: remove \"readOnly: true\" from the volumeMount at it"
#define SPLIT                                                                                  \
	"files are replaced by rename, which fails on a mount: mount the whole directory " DIR \
	", not a file of it (Kubernetes: no subPath to a file)"
#define RESTORE \
	"make the directory on the host again, with its contents from a backup, and re-create "

struct row {
	enum verdict verdict;
	enum engine engine;
	const char *point;
	const char *root;
	const char *line[2]; /* after the first one, which is the same for all */
};

/* clang-format off */
static const struct row rows[] = {
	{ VERDICT_LAYER, ENGINE_ANY, "/", "/", { RECREATE LOST, ALL } },
	{ VERDICT_LAYER, ENGINE_DOCKER, "/", "/", { RECREATE LOST, "docker" RUN COMPOSE } },
	{ VERDICT_LAYER, ENGINE_PODMAN, "/", "/", { RECREATE LOST, "podman" RUN COMPOSE } },
	{ VERDICT_LAYER, ENGINE_KUBERNETES, "/", "/",
		{ "the next restart (Kubernetes makes a new container each time)" LOST, KUBERNETES } },
	{ VERDICT_ANONYMOUS, ENGINE_ANY, DIR, "/v", { RECREATE LOST, "give the volume a name: " ALL } },
	{ VERDICT_ANONYMOUS, ENGINE_DOCKER, DIR, "/v", { RECREATE LOST, "give the volume a name: docker" RUN COMPOSE } },
	{ VERDICT_CONTAINER, ENGINE_KUBERNETES, DIR, "/v", { "the next restart" LOST, KUBERNETES } },
	{ VERDICT_POD, ENGINE_KUBERNETES, DIR, "/v",
		{ "the next re-create of the pod (an update, an eviction, a node drain)" LOST, KUBERNETES } },
	{ VERDICT_MEMORY, ENGINE_DOCKER, DIR, "/", { "the next restart" LOST, "docker" RUN COMPOSE } },
	{ VERDICT_MEMORY, ENGINE_KUBERNETES, DIR, "/sub",
		{ "the host's next reboot, if not an earlier restart," LOST, KUBERNETES } },
	{ VERDICT_UNKNOWN, ENGINE_DOCKER, DIR, "/",
		{ "nobody can tell from here whether this node's key survives " RECREATE,
		  "if it does not: docker" RUN COMPOSE "; if it does: WGMESH_PERSISTENCE=ignore" } },
	{ VERDICT_UNKNOWN, ENGINE_ANY, DIR, "/",
		{ "nobody can tell from here whether this node's key survives " RECREATE,
		  "if it does not: " ALL "; if it does: WGMESH_PERSISTENCE=ignore" } },
	{ VERDICT_READONLY, ENGINE_DOCKER, "/", "/", { NO_PLACE, "docker" RUN COMPOSE } },
	{ VERDICT_READONLY, ENGINE_DOCKER, DIR, "/", { NO_PLACE, REMOVE_RO } },
	{ VERDICT_READONLY, ENGINE_KUBERNETES, DIR, "/", { NO_PLACE, REMOVE_K8S } },
	{ VERDICT_READONLY, ENGINE_ANY, DIR, "/", { NO_PLACE, REMOVE_RO "; " REMOVE_K8S } },
	{ VERDICT_WRONG_TYPE, ENGINE_KUBERNETES, DIR, "/",
		{ NO_PLACE, "mount it elsewhere (--secret-file names the mesh secret), and a volume here: " KUBERNETES } },
	{ VERDICT_BROKEN, ENGINE_ANY, DIR, "/v//deleted", { NO_PLACE, RESTORE "the container" } },
	{ VERDICT_BROKEN, ENGINE_KUBERNETES, DIR, "/v//deleted", { NO_PLACE, RESTORE "the pod" } },
	{ VERDICT_SPLIT, ENGINE_ANY, DIR, "/v", { NO_PLACE, SPLIT } },
	{ VERDICT_SPLIT, ENGINE_DOCKER, DIR, "/v", { NO_PLACE, SPLIT } },
};
/* clang-format on */

static void explain(enum verdict verdict, const struct voltext_about *about, struct voltext *t)
{
	struct volume v = { .verdict = verdict, .what = "something", .point = DIR, .root = "/v" };

	voltext_explain(&v, about, t);
}

static void every_verdict_says_what_happens_and_what_to_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		const struct voltext_about about = { .dir = DIR, .engine = row->engine };
		struct volume v = { .verdict = row->verdict, .what = "something" };
		struct voltext t;

		(void)snprintf(v.point, sizeof(v.point), "%s", row->point);
		(void)snprintf(v.root, sizeof(v.root), "%s", row->root);
		voltext_explain(&v, &about, &t);
		assert_int_equal(t.n, 3);
		assert_string_equal(t.line[0], ON);
		assert_string_equal(t.line[1], row->line[0]);
		assert_string_equal(t.line[2], row->line[1]);
	}
}

static void every_verdict_but_persistent_has_its_row(void **state)
{
	(void)state;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		bool is_there = v == VERDICT_PERSISTENT;

		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			is_there = is_there || rows[i].verdict == (enum verdict)v;
		if (!is_there)
			fail_msg("no row for %s", verdict_name((enum verdict)v));
	}
}

static void a_mount_that_was_meant_is_the_cure(void **state)
{
	static const struct {
		struct othermount other;
		const char *line;
	} table[] = {
		{ { .dir = "/srv/a",
		    .verdict = VERDICT_PERSISTENT,
		    .was_seen = true,
		    .has_files = true },
		  "did you mean /srv/a? The volume there holds files of this node; mount it at " DIR
		  " instead, or set WGMESH_STATE_DIR=/srv/a" },
		{ { .dir = "/srv/a",
		    .verdict = VERDICT_PERSISTENT,
		    .was_seen = true,
		    .has_files = true,
		    .is_read_only = true },
		  "did you mean /srv/a? The volume there holds files of this node; mount it at " DIR
		  " instead, writable, or set WGMESH_STATE_DIR=/srv/a" },
		{ { .dir = "/data", .verdict = VERDICT_PERSISTENT, .is_legacy = true },
		  "did you mean /data? A volume is mounted there, where older deployments kept the "
		  "key; mount it at " DIR " instead, or set WGMESH_STATE_DIR=/data" },
		{ { .dir = "/b",
		    .verdict = VERDICT_PERSISTENT,
		    .was_seen = true,
		    .is_empty = true },
		  "did you mean /b? The volume there is empty; mount it at " DIR
		  " instead, or set WGMESH_STATE_DIR=/b" },
		{ { .dir = "/c",
		    .verdict = VERDICT_ANONYMOUS,
		    .was_seen = true,
		    .has_files = true },
		  "did you mean /c? The anonymous volume there holds files of this node; remove "
		  "nothing before they are copied to a volume at " DIR " that has a name" },
	};
	static const enum verdict where[] = {
		VERDICT_LAYER,	  VERDICT_MEMORY,     VERDICT_POD,
		VERDICT_READONLY, VERDICT_WRONG_TYPE, VERDICT_UNKNOWN
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct voltext_about about = { .dir = DIR, .other = &table[i].other };

		for (size_t k = 0; k < ARRAY_LEN(where); k++) {
			struct voltext t;

			explain(where[k], &about, &t);
			assert_int_equal(t.n, 3);
			assert_string_equal(t.line[2], table[i].line);
		}
	}
}

static void a_broken_or_split_directory_is_not_cured_by_another_mount(void **state)
{
	const struct othermount other = { .dir = "/data", .is_legacy = true };
	struct voltext_about about = { .dir = DIR, .other = &other };
	struct voltext t;

	(void)state;
	explain(VERDICT_BROKEN, &about, &t);
	assert_null(strstr(t.line[2], "did you mean"));
	explain(VERDICT_SPLIT, &about, &t);
	assert_null(strstr(t.line[2], "did you mean"));
}

static void no_line_is_cut_with_the_longest_words(void **state)
{
	(void)state;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		const struct voltext_about about = { .dir = "/a/state/directory/with/a/long/name" };
		struct voltext t;

		if (v == VERDICT_PERSISTENT)
			continue;
		explain((enum verdict)v, &about, &t);
		for (size_t n = 0; n < t.n; n++)
			assert_true(strlen(t.line[n]) < sizeof(t.line[n]) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_says_what_happens_and_what_to_change),
		cmocka_unit_test(every_verdict_but_persistent_has_its_row),
		cmocka_unit_test(a_mount_that_was_meant_is_the_cure),
		cmocka_unit_test(a_broken_or_split_directory_is_not_cured_by_another_mount),
		cmocka_unit_test(no_line_is_cut_with_the_longest_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
