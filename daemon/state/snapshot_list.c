/* SPDX-License-Identifier: MIT */
#include "daemon/state/snapshot_list.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_ENTRIES 64 /* a power of two */

static enum snapshot_kind kind_of(uint64_t *number, const char *name, const char *ifname)
{
	char prefix[SNAPSHOT_NAME_SIZE];

	*number = 0;
	if (snapshot_is_name(name, ifname)) {
		(void)str_parse_u64(number, strrchr(name, '.') + 1, 0, UINT64_MAX);
		return SNAPSHOT_NUMBERED;
	}
	if (snapshot_is_legacy(name, ifname))
		return SNAPSHOT_OLD;
	(void)snprintf(prefix, sizeof(prefix), "%.15s.json.damaged-", ifname);
	return strncmp(name, prefix, strlen(prefix)) == 0 ? SNAPSHOT_DAMAGED : SNAPSHOT_OTHER;
}

static void read_entry(struct snapshot_entry *s, int snapfd, const char *name, const char *ifname)
{
	struct identity id = { 0 };
	struct err why = { 0 };
	struct stat st;

	*s = (struct snapshot_entry) { .result = -EINVAL };
	str_cut(s->name, sizeof(s->name), name, strlen(name));
	s->kind = kind_of(&s->number, name, ifname);
	if (fstatat(snapfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		s->written_s = st.st_mtim.tv_sec;
	if (s->kind == SNAPSHOT_OTHER)
		return;
	s->result = identity_read_file(&id, snapfd, name, &why);
	if (s->result < 0)
		str_cut(s->why, sizeof(s->why), why.msg, strlen(why.msg));
	s->public_key = id.public_key;
	s->mesh_ip = id.mesh_ip;
	s->mesh_ip6 = id.mesh_ip6;
	identity_wipe(&id);
}

/* Numbered ones first, the newest of them at the top. */
static int compare(const void *a, const void *b)
{
	const struct snapshot_entry *x = a;
	const struct snapshot_entry *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->number != y->number)
		return x->number > y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void mark_current(struct snapshot_entry *list, size_t n, const struct identity_place *at)
{
	char key[NAME_MAX + 1];
	struct identity id;

	(void)snprintf(key, sizeof(key), "%.15s.json", at->ifname);
	if (identity_read_file(&id, at->dirfd, key, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		list[i].is_current =
			list[i].result == 0 && list[i].kind == SNAPSHOT_NUMBERED &&
			crypto_equal(&list[i].public_key, &id.public_key, sizeof(id.public_key)) &&
			ip_equal(&list[i].mesh_ip, &id.mesh_ip) &&
			ip_equal(&list[i].mesh_ip6, &id.mesh_ip6);
		if (list[i].is_current)
			break;
	}
	identity_wipe(&id);
}

/* The table doubles: a list that was cut could lack the newest one. */
static struct snapshot_entry *add_entry(struct snapshot_entry **list, size_t *n)
{
	bool is_full = *n >= FIRST_ENTRIES && (*n & (*n - 1)) == 0;
	struct snapshot_entry *more = is_full ? reallocarray(*list, 2 * *n, sizeof(**list)) : *list;

	if (!more)
		return NULL;
	*list = more;
	return &more[(*n)++];
}

static int read_all(struct snapshot_entry **list, size_t *n, DIR *dir, const char *ifname)
{
	const struct dirent *entry;

	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		struct snapshot_entry *s;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		s = add_entry(list, n);
		if (!s)
			return -ENOMEM;
		read_entry(s, dirfd(dir), entry->d_name, ifname);
		errno = 0;
	}
	return -errno;
}

int snapshot_list(struct snapshot_entry **out, size_t *n, const struct identity_place *at,
		  struct err *e)
{
	struct snapshot_entry *list;
	int fd = snapshot_open_dir(at->dirfd);
	DIR *dir;
	int r;

	*out = NULL;
	*n = 0;
	if (fd == -ENOENT)
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	list = calloc(FIRST_ENTRIES, sizeof(*list));
	if (!dir || !list) {
		r = fd < 0 ? fd : -ENOMEM;
		free(list);
		if (dir)
			(void)closedir(dir);
		else if (fd >= 0)
			(void)close(fd);
		return err_exit(e, r == -EACCES ? EXITS_NO_PERMISSION : EXITS_IO, r,
				"open %.200s/" SNAPSHOT_DIR, at->dir);
	}
	r = read_all(&list, n, dir, at->ifname);
	(void)closedir(dir);
	if (r < 0) {
		free(list);
		*n = 0;
		return err_exit(e, EXITS_IO, r, "list %.200s/" SNAPSHOT_DIR, at->dir);
	}
	qsort(list, *n, sizeof(*list), compare);
	mark_current(list, *n, at);
	*out = list;
	return 0;
}
