/* SPDX-License-Identifier: MIT */
#include "init/volume/mountinfo.h"
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
	const char *s = *p;
	struct field f;

	/* strcspn(3) costs more than fields are long. */
	while (*s == ' ')
		s++;
	f.text = s;
	while (*s && *s != ' ' && *s != '\n')
		s++;
	f.len = (size_t)(s - f.text);
	*p = s;
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

/* Parses the next line only if its field of this number is @number; most lines are not asked for. */
static bool find_number(const char **text, unsigned int field, uint64_t number,
			struct mount_row *row)
{
	while (**text) {
		const char *line = *text;
		const char *p = line;
		struct field f = next_field(&p);
		uint64_t value;

		if (field == 2)
			f = next_field(&p);
		*text = strchrnul(p, '\n');
		*text += **text == '\n' ? 1 : 0;
		if (to_number(&value, f) && value == number && parse_line(line, row))
			return true;
	}
	return false;
}

bool mountinfo_find_id(const char *text, uint64_t id, struct mount_row *row)
{
	return find_number(&text, 1, id, row);
}

bool mountinfo_next_on(const char **text, uint64_t parent, struct mount_row *row)
{
	return find_number(text, 2, parent, row);
}

bool mountinfo_covers(const char *point, const char *path)
{
	size_t len = strlen(point);

	if (len == 1 && *point == '/')
		return true;
	return strncmp(point, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The mount of "/" that lies on no other mount of the table. */
static bool find_root(const char *text, struct mount_row *row)
{
	const char *p = text;
	struct mount_row parent;

	while (mountinfo_next(&p, row))
		if (strcmp(row->point, "/") == 0 &&
		    (row->parent == row->id || !mountinfo_find_id(text, row->parent, &parent)))
			return true;
	return false;
}

/*
 * Moves @row to the mount on it that a walk to @path enters first. Two mounts at one place of one
 * parent cannot be told apart by the path; the later one is the one on top.
 */
static bool walk_on(const char *text, const char *path, struct mount_row *row)
{
	uint64_t parent = row->id;
	uint64_t best = parent;
	size_t best_len = SIZE_MAX;
	const char *p = text;

	while (mountinfo_next_on(&p, parent, row)) {
		size_t len = strlen(row->point);

		if (row->id == parent || len > best_len || !mountinfo_covers(row->point, path))
			continue;
		best = row->id;
		best_len = len;
	}
	return mountinfo_find_id(text, best, row) && best != parent;
}

static bool find_longest(const char *text, const char *path, struct mount_row *row)
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
	return best && mountinfo_next(&best, row);
}

bool mountinfo_find_path(const char *text, const char *path, struct mount_row *row)
{
	int depth = 0;

	if (!find_root(text, row))
		return find_longest(text, path, row);
	while (depth < DEPTH_MAX && walk_on(text, path, row))
		depth++;
	return true;
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
