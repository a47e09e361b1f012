/* SPDX-License-Identifier: MIT */
#include "init/mountinfo.h"
#include "common/defs.h"
#include "common/str.h"

#include <string.h>

#define HEX_ID_LEN 64
/* No container stacks mounts this deep; a table that lies about parents must not loop. */
#define DEPTH_MAX 64

/* A field of a line: bytes up to the next blank. */
struct field {
	const char *text;
	size_t len;
};

static struct field next_field(const char **p)
{
	struct field f = { .text = *p + strspn(*p, " ") };

	f.len = strcspn(f.text, " \n");
	*p = f.text + f.len;
	return f;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes blank, tab, newline and backslash as \040 \011 \012 \134. */
static void unescape(char *out, size_t size, struct field f)
{
	size_t n = 0;

	for (size_t i = 0; i < f.len && n + 1 < size; i++) {
		const char *s = f.text + i;

		if (s[0] == '\\' && f.len - i >= 4 && is_octal(s[1]) && is_octal(s[2]) &&
		    is_octal(s[3])) {
			out[n++] = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			i += 3;
		} else {
			out[n++] = *s;
		}
	}
	out[n] = '\0';
}

static bool to_number(uint64_t *out, struct field f)
{
	char digits[24];

	if (f.len >= sizeof(digits))
		return false;
	str_cut(digits, sizeof(digits), f.text, f.len);
	return str_parse_u64(out, digits, 0, UINT64_MAX) == 0;
}

/* Is @word one of the comma separated options? */
static bool has_option(struct field f, const char *word)
{
	size_t len = strlen(word);
	const char *p = f.text;
	const char *end = f.text + f.len;

	while (p < end) {
		size_t n = strcspn(p, ", \n");

		if (n == len && memcmp(p, word, len) == 0)
			return true;
		p += n + 1;
	}
	return false;
}

/* Skips the optional tags; a single hyphen ends them. */
static bool skip_tags(const char **p)
{
	for (;;) {
		struct field f = next_field(p);

		if (f.len == 0)
			return false;
		if (f.len == 1 && *f.text == '-')
			return true;
	}
}

static bool parse_line(const char *line, struct mount_row *row)
{
	const char *p = line;
	struct field id = next_field(&p);
	struct field parent = next_field(&p);
	struct field device = next_field(&p);
	struct field root = next_field(&p);
	struct field point = next_field(&p);
	struct field options = next_field(&p);
	struct field type;
	struct field source;

	if (device.len == 0 || options.len == 0 || *root.text == '\n' || !skip_tags(&p))
		return false;
	type = next_field(&p);
	source = next_field(&p);
	if (type.len == 0 || !to_number(&row->id, id) || !to_number(&row->parent, parent))
		return false;
	str_cut(row->device, sizeof(row->device), device.text, device.len);
	unescape(row->root, sizeof(row->root), root);
	unescape(row->point, sizeof(row->point), point);
	unescape(row->type, sizeof(row->type), type);
	unescape(row->source, sizeof(row->source), source);
	row->read_only = has_option(options, "ro");
	row->super_read_only = has_option(next_field(&p), "ro");
	return true;
}

bool mountinfo_next(const char **text, struct mount_row *row)
{
	while (**text) {
		const char *line = *text;
		size_t len = strcspn(line, "\n");

		*text = line + len + (line[len] == '\n' ? 1 : 0);
		if (parse_line(line, row))
			return true;
	}
	return false;
}

bool mountinfo_find_id(const char *text, uint64_t id, struct mount_row *row)
{
	while (mountinfo_next(&text, row))
		if (row->id == id)
			return true;
	return false;
}

bool mountinfo_covers(const char *point, const char *path)
{
	size_t len = strlen(point);

	if (len == 1 && *point == '/')
		return true;
	return strncmp(point, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Line of the mount of "/" that lies on no other mount of the table, or NULL. */
static const char *find_root(const char *text, struct mount_row *row)
{
	const char *p = text;
	struct mount_row parent;

	for (const char *line = p; mountinfo_next(&p, row); line = p)
		if (strcmp(row->point, "/") == 0 &&
		    (row->parent == row->id || !mountinfo_find_id(text, row->parent, &parent)))
			return line;
	return NULL;
}

/*
 * Line of the mount on @parent that a walk to @path enters first, or NULL. Two mounts at one place of
 * one parent cannot be told apart by the path; the later one is the one on top.
 */
static const char *find_child(const char *text, const char *path, uint64_t parent,
			      struct mount_row *row)
{
	const char *best = NULL;
	size_t best_len = SIZE_MAX;
	const char *p = text;

	for (const char *line = p; mountinfo_next(&p, row); line = p) {
		size_t len = strlen(row->point);

		if (row->parent != parent || row->id == parent || len > best_len ||
		    !mountinfo_covers(row->point, path))
			continue;
		best = line;
		best_len = len;
	}
	return best;
}

static const char *find_longest(const char *text, const char *path, struct mount_row *row)
{
	const char *best = NULL;
	size_t best_len = 0;
	const char *p = text;

	for (const char *line = p; mountinfo_next(&p, row); line = p) {
		if (!mountinfo_covers(row->point, path) || strlen(row->point) < best_len)
			continue;
		best = line;
		best_len = strlen(row->point);
	}
	return best;
}

bool mountinfo_find_path(const char *text, const char *path, struct mount_row *row)
{
	const char *at = find_root(text, row);
	const char *below = at;

	for (int depth = 0; below && depth < DEPTH_MAX; depth++) {
		at = below;
		below = find_child(text, path, row->id, row);
		if (below) {
			const char *line = below;

			(void)mountinfo_next(&line, row);
		}
	}
	if (!at)
		at = find_longest(text, path, row);
	return at && mountinfo_next(&at, row);
}

bool mountinfo_parse_fdinfo(const char *text, uint64_t *id)
{
	static const char key[] = "mnt_id:";
	const char *p = text;

	while (*p) {
		if (strncmp(p, key, sizeof(key) - 1) == 0) {
			p += sizeof(key) - 1;
			p += strspn(p, " \t");
			return to_number(id, (struct field) { p, strcspn(p, "\n") });
		}
		p += strcspn(p, "\n");
		p += *p == '\n' ? 1 : 0;
	}
	return false;
}

bool mountinfo_is_hex_id(const char *s, unsigned long len)
{
	if (len != HEX_ID_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

static bool find_hex_component(const char *path, char out[static HEX_ID_LEN + 1])
{
	for (const char *p = path; *p;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (mountinfo_is_hex_id(p, len)) {
			str_cut(out, HEX_ID_LEN + 1, p, len);
			return true;
		}
		p += len;
	}
	return false;
}

bool mountinfo_container_id(const char *text, char out[static 65])
{
	static const char *const points[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf" };
	struct mount_row row;

	out[0] = '\0';
	while (mountinfo_next(&text, &row))
		for (size_t i = 0; i < ARRAY_LEN(points); i++)
			if (strcmp(row.point, points[i]) == 0 && find_hex_component(row.root, out))
				return true;
	return false;
}
