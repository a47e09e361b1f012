/* SPDX-License-Identifier: MIT */
#include "init/volume/volume.h"
#include "common/defs.h"
#include "common/str.h"
#include "init/state/names.h"
#include "init/volume/fstype.h"
#include "init/volume/rootfield.h"

#include <stdio.h>
#include <string.h>

/*
 * DOC: Theory of operation
 *
 * A container's state survives its re-creation only if it lies on a mount that outlives it. Engines
 * do not say so; the mount table does. Two things in it are reliable: whether the directory lies on
 * the same mount as / (then it is the writable layer, whatever file system that is), and the "root"
 * field, the path inside the mounted file system, in which every engine leaves a typical trace. What
 * statfs(2) says is asked second: it speaks where /proc is masked, and contradicts a table that lies.
 */

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

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s);
	size_t m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
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

static void describe_persistent(struct volume *v, const struct mount_row *row)
{
	v->verdict = VERDICT_PERSISTENT;
	if (strcmp(row->root, "/") != 0)
		(void)snprintf(v->what, sizeof(v->what), "a mount of %.150s", row->root);
	else if (strncmp(row->source, "/dev/", 5) == 0)
		(void)snprintf(v->what, sizeof(v->what), "a disk (%.150s)", row->source);
	else
		(void)snprintf(v->what, sizeof(v->what), "a file system (%.30s, %.120s)", row->type,
			       row->source);
}

static void add_caution(struct volume *v, const struct mount_row *row)
{
	v->is_temporary = rootfield_is_temporary(row->root);
	if (v->is_temporary)
		(void)snprintf(
			v->caution, sizeof(v->caution),
			"the host decides how long, and most hosts empty that directory when "
			"they boot");
	else if (fstype_is_host_share(row->type))
		(void)snprintf(
			v->caution, sizeof(v->caution),
			"shared from outside (%.30s): owners, modes and locks may not hold there",
			row->type);
}

/*
 * A root field below "/" shows a directory of an overlay. Engines mount overlays of their own whole,
 * so this is one of the host's, which is a container or a live system itself.
 */
static void classify_layered(struct volume *v, const struct mount_row *row)
{
	if (strcmp(row->root, "/") == 0)
		say(v, VERDICT_LAYER, "an overlay mount, which its engine discards");
	else
		say(v, VERDICT_UNKNOWN,
		    "a directory of another overlay, such as a host that is a container itself has");
}

void volume_classify_mount(const struct mount_row *row, struct volume *out)
{
	struct rootfield found;
	bool is_named = rootfield_recognise(row->root, &found);
	bool is_memory = fstype_is_memory(row->type);

	/* A secret is in memory too, but that is not what is wrong with it. */
	if (is_named && found.verdict == VERDICT_WRONG_TYPE) {
		say(out, VERDICT_WRONG_TYPE, found.what);
	} else if (is_memory && is_named) {
		(void)snprintf(out->what, sizeof(out->what), "memory (tmpfs): %.150s", found.what);
		out->verdict = VERDICT_MEMORY;
	} else if (is_memory) {
		say(out, VERDICT_MEMORY, "memory (tmpfs)");
	} else if (fstype_is_layered(row->type)) {
		classify_layered(out, row);
	} else if (is_named) {
		say(out, found.verdict, found.what);
	} else if (is_opaque(row)) {
		say(out, VERDICT_UNKNOWN, "a mount of a sandboxed runtime that hides what it is");
	} else {
		describe_persistent(out, row);
	}
	if (out->verdict == VERDICT_PERSISTENT)
		add_caution(out, row);
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

/* Looks for a state file that is a mount on @mount, which the directory lies on; one below it is covered. */
static bool find_split(struct volume *v, const char *mounts, const char *dir, uint64_t mount)
{
	struct mount_row row;

	while (mountinfo_next_on(&mounts, mount, &row)) {
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

/* Defects that need no mount table; true when there is one. */
static bool find_plain_defect(struct volume *v, const struct volume_facts *f)
{
	if (!f->is_directory)
		say(v, VERDICT_WRONG_TYPE, "a file, not a directory");
	else if (f->has_data_link)
		say(v, VERDICT_WRONG_TYPE, "a Kubernetes secret or configMap");
	else if (f->is_read_only)
		say(v, VERDICT_READONLY, "a read-only mount");
	else
		return false;
	return true;
}

/* Defects that make any mount unusable; true when there is one. */
static bool find_defect(struct volume *v, const struct volume_facts *f, const struct mount_row *row)
{
	struct rootfield found;

	if (ends_in(row->root, "//deleted"))
		say(v, VERDICT_BROKEN, "a mount whose source directory was deleted on the host");
	else if (rootfield_recognise(row->root, &found) && found.verdict == VERDICT_WRONG_TYPE)
		say(v, VERDICT_WRONG_TYPE, found.what);
	else if (find_plain_defect(v, f))
		return true;
	else if (row->read_only || row->super_read_only)
		say(v, VERDICT_READONLY, "a read-only mount");
	else
		return false;
	return true;
}

/* What statfs(2) says where it contradicts the table, or where there is none. */
static void trust_magic(struct volume *v, uint64_t magic)
{
	switch (fstype_of_magic(magic)) {
	case FSTYPE_MEMORY:
		say(v, VERDICT_MEMORY, "memory (tmpfs), by what statfs says");
		break;
	case FSTYPE_LAYERED:
		say(v, VERDICT_LAYER, "an overlay file system, by what statfs says");
		break;
	case FSTYPE_OTHER:
		say(v, VERDICT_UNKNOWN, "a file system that is not the one in the mount table");
		break;
	}
}

static void classify_unlisted(struct volume *v, const struct volume_facts *f)
{
	if (find_plain_defect(v, f))
		return;
	if (f->has_mount_id && f->mount_id == f->root_mount_id) {
		say(v, VERDICT_LAYER, "the container's own root file system: no volume");
		return;
	}
	trust_magic(v, f->magic);
	if (v->verdict == VERDICT_UNKNOWN)
		say(v, VERDICT_UNKNOWN,
		    "a mount that the mount table does not show: is /proc masked?");
}

static bool is_on_root(const struct volume_facts *f, const struct mount_row *row)
{
	return f->has_mount_id ? f->mount_id == f->root_mount_id : strcmp(row->point, "/") == 0;
}

static void classify_root(struct volume *v, const struct volume_facts *f,
			  const struct mount_row *row)
{
	if (v->verdict == VERDICT_READONLY)
		say(v, VERDICT_READONLY, "the read-only root file system: no volume");
	else if (!f->has_mount_id && is_opaque(row))
		say(v, VERDICT_UNKNOWN, "the root of a sandboxed runtime that hides its mounts");
	else
		say(v, VERDICT_LAYER, "the container's own writable layer: no volume");
}

/* A bind mount of a directory of the writable layer is still the writable layer. */
static bool is_part_of_layer(const char *mounts, const struct mount_row *row)
{
	struct mount_row root;

	return fstype_is_layered(row->type) && mountinfo_find_path(mounts, "/", &root) &&
	       strcmp(root.device, row->device) == 0;
}

static bool find_row(const char *mounts, const struct volume_facts *f, struct mount_row *row)
{
	if (f->has_mount_id && mountinfo_find_id(mounts, f->mount_id, row))
		return true;
	if (!mountinfo_find_path(mounts, f->path, row))
		return false;
	/* A table that is cut short shows "/" for what it lacks. */
	return !f->has_mount_id || f->mount_id == f->root_mount_id || strcmp(row->point, "/") != 0;
}

void volume_classify(const char *mounts, const struct volume_facts *facts, struct volume *out)
{
	struct mount_row row = { 0 };
	bool is_bad;

	memset(out, 0, sizeof(*out));
	if (!find_row(mounts, facts, &row)) {
		classify_unlisted(out, facts);
		return;
	}
	str_cut(out->type, sizeof(out->type), row.type, strlen(row.type));
	str_cut(out->root, sizeof(out->root), row.root, strlen(row.root));
	str_cut(out->point, sizeof(out->point), row.point, strlen(row.point));
	if (find_split(out, mounts, facts->path, row.id))
		return;
	is_bad = find_defect(out, facts, &row);
	if (is_on_root(facts, &row) && (!is_bad || out->verdict == VERDICT_READONLY))
		classify_root(out, facts, &row);
	else if (!is_bad && is_part_of_layer(mounts, &row))
		say(out, VERDICT_LAYER, "a directory of the container's own writable layer");
	else if (!is_bad && fstype_contradicts(row.type, facts->magic))
		trust_magic(out, facts->magic);
	else if (!is_bad)
		volume_classify_mount(&row, out);
}
