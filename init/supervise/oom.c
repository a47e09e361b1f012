/* SPDX-License-Identifier: MIT */
#include "init/supervise/oom.h"
#include "common/defs.h"
#include "common/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CGROUPS_SIZE 4096
#define PATH_SIZE    1024
#define FILE_SIZE    1024
/* Version 1 writes "none" as the largest multiple of the page size. */
#define LIMIT_NONE (UINT64_C(1) << 62)

struct names {
	const char *counters;
	const char *limit;
};

static const struct names names_of[] = {
	[1] = { "memory.oom_control", "memory.limit_in_bytes" },
	[2] = { "memory.events", "memory.max" },
};

/* Is @word one of the @len bytes of "cpu,memory"? */
static bool has_word(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (size_t)(p - list) < len;) {
		size_t m = strcspn(p, ",:");

		if (m == n && strncmp(p, word, n) == 0)
			return true;
		p += m + 1;
	}
	return false;
}

/* A process outside its cgroup namespace is shown "/../..": such a path leads nowhere. */
static bool is_plain_path(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && !strstr(path, "/../") &&
	       (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

/* One line "ID:CONTROLLERS:PATH" of @len bytes. */
static bool parse_line(const char *line, size_t len, int version, char *out, size_t size)
{
	const char *list = memchr(line, ':', len);
	const char *path;
	size_t list_len;

	if (!list)
		return false;
	list++;
	path = memchr(list, ':', len - (size_t)(list - line));
	if (!path)
		return false;
	list_len = (size_t)(path - list);
	path++;
	if (version == 2 ? list_len != 0 : !has_word(list, list_len, "memory"))
		return false;
	len -= (size_t)(path - line);
	if (len >= size)
		return false;
	str_cut(out, size, path, len);
	return is_plain_path(out);
}

bool oom_parse_cgroup(const char *text, int version, char *out, size_t size)
{
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");

		if (parse_line(p, len, version, out, size))
			return true;
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	return false;
}

/* The number in a line "KEY NUMBER". */
static bool find_number(const char *text, const char *key, uint64_t *out)
{
	size_t key_len = strlen(key);

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		char number[24];

		if (len > key_len && strncmp(p, key, key_len) == 0 && p[key_len] == ' ') {
			str_cut(number, sizeof(number), p + key_len + 1, len - key_len - 1);
			return str_parse_u64(out, number, 0, UINT64_MAX) == 0;
		}
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	return false;
}

bool oom_parse_counters(struct oom_counters *out, const char *text)
{
	*out = (struct oom_counters) { 0 };
	out->has_hits = find_number(text, "oom", &out->hits);
	return find_number(text, "oom_kill", &out->kills);
}

uint64_t oom_parse_limit(const char *text)
{
	char number[24];
	uint64_t n;

	str_cut(number, sizeof(number), text, strcspn(text, "\n"));
	return str_parse_u64(&n, number, 0, LIMIT_NONE - 1) < 0 ? 0 : n;
}

/* From the start, through the kept descriptor: such files are made anew for each reader. */
static bool read_again(int fd, char *out, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, out, size - 1, 0);

	out[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

static bool read_counters(const struct oom *o, struct oom_counters *out)
{
	char text[FILE_SIZE];

	return read_again(o->fd, text, sizeof(text)) && oom_parse_counters(out, text);
}

static int open_in(const char *root, const char *middle, const char *path, const char *name)
{
	char full[PATH_SIZE + 64];
	int n = snprintf(full, sizeof(full), "%s%s%s/%s", root, middle, path, name);

	if (n < 0 || (size_t)n >= sizeof(full))
		return -1;
	return open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Return: true when the directory has a counter of kills; it is the container's then */
static bool try_directory(struct oom *o, int version, const char *root, const char *middle,
			  const char *path)
{
	struct oom_counters now;

	o->fd = open_in(root, middle, path, names_of[version].counters);
	if (o->fd < 0)
		return false;
	if (!read_counters(o, &now)) {
		oom_close(o);
		return false;
	}
	o->limit_fd = open_in(root, middle, path, names_of[version].limit);
	o->kills = now.kills;
	o->hits = now.hits;
	return true;
}

void oom_open_below(struct oom *o, const char *cgroups, const char *root)
{
	static const struct {
		int version;
		const char *middle;
	} mounts[] = { { 2, "" }, { 2, "/unified" }, { 1, "/memory" } };
	char path[PATH_SIZE];

	*o = (struct oom) { .fd = -1, .limit_fd = -1 };
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		if (oom_parse_cgroup(cgroups, mounts[i].version, path, sizeof(path)) &&
		    try_directory(o, mounts[i].version, root, mounts[i].middle, path))
			return;
	/* A path that only the host knows: the engine mounts the container's own cgroup there. */
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		if (try_directory(o, mounts[i].version, root, mounts[i].middle, ""))
			return;
}

void oom_open(struct oom *o)
{
	char text[CGROUPS_SIZE];
	auto_close int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);

	(void)read_again(fd, text, sizeof(text));
	oom_open_below(o, text, "/sys/fs/cgroup");
}

void oom_close(struct oom *o)
{
	if (o->fd >= 0)
		(void)close(o->fd);
	if (o->limit_fd >= 0)
		(void)close(o->limit_fd);
	o->fd = -1;
	o->limit_fd = -1;
}

bool oom_is_known(const struct oom *o)
{
	return o->fd >= 0;
}

uint64_t oom_limit(const struct oom *o)
{
	char text[FILE_SIZE];

	return read_again(o->limit_fd, text, sizeof(text)) ? oom_parse_limit(text) : 0;
}

uint64_t oom_new_kills(struct oom *o, bool *by_limit)
{
	struct oom_counters now;
	uint64_t kills;

	if (by_limit)
		*by_limit = false;
	if (!read_counters(o, &now) || now.kills < o->kills)
		return 0;
	kills = now.kills - o->kills;
	/* Version 1 does not tell; with a limit, that is the likely reason. */
	if (by_limit && kills > 0)
		*by_limit = now.has_hits ? now.hits > o->hits : oom_limit(o) > 0;
	o->kills = now.kills;
	o->hits = now.hits;
	return kills;
}
