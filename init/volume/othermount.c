/* SPDX-License-Identifier: MIT */
#include "init/volume/othermount.h"
#include "common/defs.h"
#include "common/str.h"

#include <string.h>

static bool is_below_any(const char *point, const char *const *trees)
{
	for (; *trees; trees++)
		if (mountinfo_covers(*trees, point))
			return true;
	return false;
}

/* No place for anybody's volume. */
static bool is_kernel_tree(const char *point)
{
	return is_below_any(point, (const char *const[]) { "/dev", "/proc", "/sys", NULL });
}

/* A volume may well be there, but an unused one is not likely to be meant for state. */
static bool is_system_tree(const char *point)
{
	return is_below_any(point,
			    (const char *const[]) { "/etc", "/run", "/usr", "/bin", "/lib", "/sbin",
						    "/tmp", "/var/run", "/var/tmp", NULL });
}

/* Files that every engine mounts; to look into them would take a child for each. */
static bool is_engine_file(const char *point)
{
	static const char *const files[] = { "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
					     "/run/.containerenv" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(point, files[i]) == 0)
			return true;
	return false;
}

static bool is_candidate(enum verdict verdict)
{
	return verdict == VERDICT_PERSISTENT || verdict == VERDICT_ANONYMOUS;
}

static bool is_possible_place(const char *point, const char *state_path)
{
	return strcmp(point, "/") != 0 && !is_kernel_tree(point) && !is_engine_file(point) &&
	       !mountinfo_covers(point, state_path);
}

static bool fill(struct othermount *m, const struct mount_row *row, const struct volume *v,
		 const char *legacy)
{
	*m = (struct othermount) {
		.verdict = v->verdict,
		.is_read_only = row->read_only || row->super_read_only,
		.is_legacy = legacy && mountinfo_covers(row->point, legacy),
		.is_system = is_system_tree(row->point),
	};
	return str_copy(m->dir, sizeof(m->dir), m->is_legacy ? legacy : row->point) == 0;
}

/* Index of an earlier mount at the same place, which the new one covers, or @n. */
static size_t find_same(const struct othermount *list, size_t n, const char *dir)
{
	size_t i = 0;

	while (i < n && strcmp(list[i].dir, dir) != 0)
		i++;
	return i;
}

/* Adds @m, the legacy directory's at the front, where a full list still takes it. */
static size_t add(struct othermount *list, size_t n, const struct othermount *m)
{
	size_t at = find_same(list, n, m->dir);

	if (at < n) {
		list[at] = *m;
		return n;
	}
	if (n == OTHERMOUNT_MAX && !m->is_legacy)
		return n;
	n = n < OTHERMOUNT_MAX ? n + 1 : n;
	at = n - 1;
	if (m->is_legacy) {
		memmove(&list[1], &list[0], at * sizeof(list[0]));
		at = 0;
	}
	list[at] = *m;
	return n;
}

size_t othermount_list(const char *mounts, const char *state_path, const char *legacy,
		       struct othermount out[static OTHERMOUNT_MAX])
{
	struct mount_row row;
	size_t n = 0;

	while (mountinfo_next(&mounts, &row)) {
		struct volume v = { 0 };
		struct othermount m;

		if (!is_possible_place(row.point, state_path))
			continue;
		if (n == OTHERMOUNT_MAX && !(legacy && mountinfo_covers(row.point, legacy)))
			continue;
		volume_classify_mount(&row, &v);
		if (is_candidate(v.verdict) && fill(&m, &row, &v, legacy))
			n = add(out, n, &m);
	}
	return n;
}

static bool holds_ours(const struct othermount *m)
{
	return m->was_seen && m->has_files;
}

static bool is_writable_volume(const struct othermount *m)
{
	return m->verdict == VERDICT_PERSISTENT && !m->is_read_only;
}

static bool is_legacy(const struct othermount *m)
{
	return m->is_legacy && is_writable_volume(m);
}

static bool is_unused(const struct othermount *m)
{
	return m->was_seen && m->is_empty && !m->is_system && is_writable_volume(m);
}

const struct othermount *othermount_choose(const struct othermount *list, size_t n)
{
	static bool (*const wishes[])(const struct othermount *m) = { holds_ours, is_legacy,
								      is_unused };

	for (size_t w = 0; w < ARRAY_LEN(wishes); w++)
		for (size_t i = 0; i < n; i++)
			if (wishes[w](&list[i]))
				return &list[i];
	return NULL;
}
