/* SPDX-License-Identifier: MIT */
#include "init/volume.h"
#include "common/defs.h"
#include "common/str.h"
#include "init/names.h"

#include <stdio.h>
#include <string.h>

/*
 * DOC: Theory of operation
 *
 * A container's state survives its re-creation only if it lies on a mount that outlives it. Engines
 * do not say so; the mount table does. Two things in it are reliable: whether the directory lies on
 * the same mount as / (then it is the writable layer, whatever file system that is), and the "root"
 * field, the path inside the mounted file system, in which every engine leaves a typical trace. The
 * prefix of that path is configurable everywhere, so only its components are matched.
 */

/* A path component, as a part of the root field. */
struct component {
	const char *text;
	size_t len;
};

#define COMPONENTS_MAX 64

struct components {
	size_t n;
	struct component c[COMPONENTS_MAX];
};

/* A component that a rule asks for: a word, a word's beginning ("pvc-*"), any, or a generated id. */
#define ANY    "*"
#define HEX_ID "<id>"

static void split_path(struct components *out, const char *path)
{
	out->n = 0;
	while (*path && out->n < COMPONENTS_MAX) {
		path += strspn(path, "/");
		out->c[out->n].text = path;
		out->c[out->n].len = strcspn(path, "/");
		path += out->c[out->n].len;
		out->n += out->c[out->n].len > 0 ? 1 : 0;
	}
}

static bool matches(struct component c, const char *want)
{
	size_t len = strlen(want);

	if (strcmp(want, ANY) == 0)
		return true;
	if (strcmp(want, HEX_ID) == 0)
		return mountinfo_is_hex_id(c.text, c.len);
	if (want[len - 1] == '*')
		return c.len >= len - 1 && memcmp(c.text, want, len - 1) == 0;
	return c.len == len && memcmp(c.text, want, len) == 0;
}

#define RULE_LEN_MAX 6

struct rule {
	const char *want[RULE_LEN_MAX]; /* consecutive components */
	enum verdict verdict;
	unsigned int name; /* 1 + index of the component that names it, 0 for none */
	const char *what;  /* with at most one %s for the name */
};

/* clang-format off */
static const struct rule rules[] = {
	{ { "kubernetes.io~secret" }, VERDICT_WRONG_TYPE, 0, "a Kubernetes secret" },
	{ { "kubernetes.io~projected" }, VERDICT_WRONG_TYPE, 0, "a Kubernetes projected volume" },
	{ { "kubernetes.io~configmap" }, VERDICT_WRONG_TYPE, 0, "a Kubernetes configMap" },
	{ { "kubernetes.io~downward-api" }, VERDICT_WRONG_TYPE, 0, "a Kubernetes downwardAPI volume" },
	{ { "kubernetes.io~empty-dir", ANY }, VERDICT_POD, 2, "Kubernetes emptyDir \"%s\"" },
	{ { "io.containerd.grpc.v1.cri", "containers", HEX_ID, "volumes", HEX_ID }, VERDICT_CONTAINER, 0,
		"an image volume that containerd makes anew for each container" },
	{ { "userdata", "mounts", HEX_ID }, VERDICT_CONTAINER, 0,
		"an image volume that CRI-O makes anew for each container" },
	{ { "volumes", HEX_ID, "_data" }, VERDICT_ANONYMOUS, 0, "an anonymous volume with a generated name" },
	{ { "volumes", ANY, HEX_ID, "_data" }, VERDICT_ANONYMOUS, 0, "an anonymous volume with a generated name" },
	{ { "volumes", ANY, "_data" }, VERDICT_PERSISTENT, 2, "named volume \"%s\"" },
	{ { "volumes", ANY, ANY, "_data" }, VERDICT_PERSISTENT, 3, "named volume \"%s\"" },
	{ { "pvc-*" }, VERDICT_PERSISTENT, 1, "Kubernetes volume \"%s\"" },
	{ { "kubernetes.io~csi", ANY }, VERDICT_PERSISTENT, 2, "Kubernetes CSI volume \"%s\"" },
	{ { "kubernetes.io~*", ANY }, VERDICT_PERSISTENT, 2, "Kubernetes volume \"%s\"" },
};

static const struct {
	const char *name;
	bool is_usable;
} verdicts[] = {
	[VERDICT_UNKNOWN] = { "unknown", true },
	[VERDICT_PERSISTENT] = { "persistent", true },
	[VERDICT_ANONYMOUS] = { "anonymous", true },
	[VERDICT_CONTAINER] = { "container", true },
	[VERDICT_POD] = { "pod", true },
	[VERDICT_MEMORY] = { "memory", true },
	[VERDICT_LAYER] = { "layer", true },
	[VERDICT_READONLY] = { "readonly", false },
	[VERDICT_WRONG_TYPE] = { "wrong-type", false },
	[VERDICT_BROKEN] = { "broken", false },
	[VERDICT_SPLIT] = { "split", false },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(verdicts) == VERDICT_COUNT, "a row for every verdict");

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].name;
}

bool verdict_is_usable(enum verdict verdict)
{
	return verdicts[verdict].is_usable;
}

static void say(struct volume *v, enum verdict verdict, const char *what)
{
	v->verdict = verdict;
	str_cut(v->what, sizeof(v->what), what, strlen(what));
}

/* Index of the first component where @rule holds, or -1. */
static long find_rule(const struct components *path, const struct rule *rule)
{
	for (size_t at = 0; at < path->n; at++) {
		size_t i = 0;

		while (i < RULE_LEN_MAX && rule->want[i] && at + i < path->n &&
		       matches(path->c[at + i], rule->want[i]))
			i++;
		if (i == RULE_LEN_MAX || !rule->want[i])
			return (long)at;
	}
	return -1;
}

/* Writes @rule->what with the component that names the volume in it. */
static void say_rule(struct volume *v, const struct rule *rule, const struct components *path,
		     size_t at)
{
	const char *mark = strstr(rule->what, "%s");
	char head[64];
	char name[65];

	if (!mark) {
		say(v, rule->verdict, rule->what);
		return;
	}
	str_cut(head, sizeof(head), rule->what, (size_t)(mark - rule->what));
	str_cut(name, sizeof(name), path->c[at + rule->name - 1].text,
		path->c[at + rule->name - 1].len);
	v->verdict = rule->verdict;
	(void)snprintf(v->what, sizeof(v->what), "%s%s%.8s", head, name, mark + 2);
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s);
	size_t m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool is_any_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(s, *list) == 0)
			return true;
	return false;
}

static bool is_memory(const char *type)
{
	return is_any_of(type, (const char *const[]) { "tmpfs", "ramfs", NULL });
}

static bool is_layered(const char *type)
{
	return is_any_of(type, (const char *const[]) { "overlay", "aufs", "fuse.fuse-overlayfs",
						       "fuse-overlayfs", NULL });
}

/*
 * Sandboxed runtimes: the guest sees one file system whatever lies behind it. gVisor's root and
 * volumes are "9p" from "none", and it can discard all writes; Kata shares everything by one tag.
 */
static bool is_opaque(const struct mount_row *row)
{
	return (strcmp(row->type, "9p") == 0 && strcmp(row->source, "none") == 0) ||
	       strcmp(row->source, "kataShared") == 0;
}

static const struct rule *find_named_kind(const struct components *path, size_t *at)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		long found = find_rule(path, &rules[i]);

		*at = (size_t)found;
		if (found >= 0)
			return &rules[i];
	}
	return NULL;
}

/* What the mount is by itself, wherever it is mounted. */
static void classify_mount(struct volume *v, const struct mount_row *row)
{
	struct components path;
	const struct rule *rule;
	size_t at;

	split_path(&path, row->root);
	rule = find_named_kind(&path, &at);
	/* A secret is in memory too, but that is not what is wrong with it. */
	if (rule && (rule->verdict == VERDICT_WRONG_TYPE ||
		     !(is_memory(row->type) || is_layered(row->type)))) {
		say_rule(v, rule, &path, at);
	} else if (is_memory(row->type)) {
		say(v, VERDICT_MEMORY, "memory (tmpfs)");
	} else if (is_layered(row->type)) {
		say(v, VERDICT_LAYER, "an overlay mount that the engine discards");
	} else if (is_opaque(row)) {
		say(v, VERDICT_UNKNOWN, "a mount of a sandboxed runtime that hides what it is");
	} else {
		v->verdict = VERDICT_PERSISTENT;
		(void)snprintf(v->what, sizeof(v->what), "a mount of %.100s", row->root);
		if (strcmp(row->root, "/") == 0)
			(void)snprintf(v->what, sizeof(v->what), "a disk (%.100s)", row->source);
	}
}

/* Name of the state file that @row mounts inside @dir, or NULL. */
static const char *split_file(const struct mount_row *row, const char *dir)
{
	size_t len = strlen(dir);
	const char *name = row->point + len + 1;

	if (strncmp(row->point, dir, len) != 0 || row->point[len] != '/')
		return NULL;
	return names_is_state(name) ? name : NULL;
}

static bool find_split(struct volume *v, const char *mounts, const char *dir)
{
	struct mount_row row;

	while (mountinfo_next(&mounts, &row)) {
		const char *name = split_file(&row, dir);

		if (!name)
			continue;
		v->verdict = VERDICT_SPLIT;
		(void)snprintf(v->what, sizeof(v->what),
			       "a directory in which the file %.64s is a mount of its own", name);
		return true;
	}
	return false;
}

/* Defects that make any mount unusable; true when there is one. */
static bool find_defect(struct volume *v, const struct volume_facts *f, const struct mount_row *row)
{
	struct volume by_name = { 0 };

	classify_mount(&by_name, row);
	if (ends_in(row->root, "//deleted")) {
		say(v, VERDICT_BROKEN, "a mount whose source directory was deleted on the host");
	} else if (!f->is_directory) {
		say(v, VERDICT_WRONG_TYPE, "a file, not a directory");
	} else if (by_name.verdict == VERDICT_WRONG_TYPE) {
		say(v, VERDICT_WRONG_TYPE, by_name.what);
	} else if (f->has_data_link) {
		say(v, VERDICT_WRONG_TYPE, "a Kubernetes secret or configMap");
	} else if (row->read_only || row->super_read_only) {
		say(v, VERDICT_READONLY, "a read-only mount");
	} else {
		return false;
	}
	return true;
}

static bool is_on_root(const struct volume_facts *f, const struct mount_row *row)
{
	return f->has_mount_id ? f->mount_id == f->root_mount_id : strcmp(row->point, "/") == 0;
}

void volume_classify(const char *mounts, const struct volume_facts *facts, struct volume *out)
{
	struct mount_row row = { 0 };

	memset(out, 0, sizeof(*out));
	if (!(facts->has_mount_id && mountinfo_find_id(mounts, facts->mount_id, &row)) &&
	    !mountinfo_find_path(mounts, facts->path, &row)) {
		say(out, VERDICT_UNKNOWN, "not in the mount table, or /proc is masked");
		return;
	}
	str_cut(out->type, sizeof(out->type), row.type, strlen(row.type));
	str_cut(out->root, sizeof(out->root), row.root, strlen(row.root));
	str_cut(out->point, sizeof(out->point), row.point, strlen(row.point));
	if (find_split(out, mounts, facts->path))
		return;
	if (find_defect(out, facts, &row)) {
		if (out->verdict == VERDICT_READONLY && is_on_root(facts, &row))
			say(out, VERDICT_READONLY, "the read-only root file system: no volume");
		return;
	}
	if (is_on_root(facts, &row) && is_opaque(&row))
		say(out, VERDICT_UNKNOWN, "the root of a sandboxed runtime that hides its mounts");
	else if (is_on_root(facts, &row))
		say(out, VERDICT_LAYER, "the container's own writable layer: no volume");
	else
		classify_mount(out, &row);
}

/* Mounts that engines make themselves, or that are no place for state. */
static bool is_engine_mount(const char *point)
{
	static const char *const trees[] = { "/etc", "/dev", "/proc", "/sys",  "/run",
					     "/usr", "/bin", "/lib",  "/sbin", "/tmp" };

	if (strcmp(point, "/") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		size_t len = strlen(trees[i]);

		if (strncmp(point, trees[i], len) == 0 && (point[len] == '\0' || point[len] == '/'))
			return true;
	}
	return false;
}

void volume_find_other(const char *mounts, const struct volume_facts *facts, const char *preferred,
		       char *out, size_t size)
{
	struct mount_row row;

	out[0] = '\0';
	while (mountinfo_next(&mounts, &row)) {
		struct volume v = { 0 };

		classify_mount(&v, &row);
		if (v.verdict != VERDICT_PERSISTENT || row.read_only ||
		    is_engine_mount(row.point) || strcmp(row.point, facts->path) == 0)
			continue;
		if (preferred && strcmp(row.point, preferred) == 0) {
			(void)str_copy(out, size, row.point);
			return;
		}
		if (out[0] == '\0')
			(void)str_copy(out, size, row.point);
	}
}
