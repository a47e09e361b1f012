/* SPDX-License-Identifier: MIT */
#include "init/volume/look.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/kstat.h"
#include "common/marker.h"
#include "init/state/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Enough to know that a directory is in use, and to find a snapshot among strangers. */
#define ENTRIES_MAX 64

bool look_mount_id(const char *path, uint64_t *id)
{
	return kstat_mount_id(AT_FDCWD, path, id) == 0;
}

bool look_mount_id_by_fdinfo(const char *path, uint64_t *id)
{
	auto_close int fd = open(path, O_PATH | O_CLOEXEC);
	auto_close int info = -1;
	char name[48];
	char text[512];
	ssize_t n;

	if (fd < 0)
		return false;
	(void)snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	info = open(name, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : io_read_bounded(info, text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	return mountinfo_parse_fdinfo(text, id);
}

static bool find_mount_id(const char *path, uint64_t *id)
{
	return look_mount_id(path, id) || look_mount_id_by_fdinfo(path, id);
}

/* The nearest existing ancestor of @dir, without symbolic links, in @out; false if that is not @dir. */
static bool resolve(const char *dir, char out[static PATH_MAX])
{
	char path[PATH_MAX];
	bool exists = true;

	(void)snprintf(path, sizeof(path), "%s", dir);
	while (!realpath(path, out)) {
		char *slash = strrchr(path, '/');

		exists = false;
		if (!slash || slash == path) {
			out[0] = '/';
			out[1] = '\0';
			break;
		}
		*slash = '\0';
	}
	return exists;
}

void look_at_state(const char *dir, struct volume_facts *f)
{
	char link[PATH_MAX + 8];
	struct statfs fs;
	struct stat st;

	memset(f, 0, sizeof(*f));
	f->exists = resolve(dir, f->path);
	f->has_mount_id =
		find_mount_id("/", &f->root_mount_id) && find_mount_id(f->path, &f->mount_id);
	f->is_directory = stat(f->path, &st) < 0 || S_ISDIR(st.st_mode);
	if (statfs(f->path, &fs) == 0) {
		/* A signed word here, an unsigned one there; all numbers have 32 bits. */
		f->magic = (uint64_t)fs.f_type & UINT32_MAX;
		f->is_read_only = ((unsigned long)fs.f_flags & ST_RDONLY) != 0;
	}
	(void)snprintf(link, sizeof(link), "%s/..data", f->path);
	f->has_data_link = lstat(link, &st) == 0;
}

static bool is_file(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/*
 * Counts the entries of a directory, up to ENTRIES_MAX, that begin with @start; -1 when it cannot be
 * read. What every new file system has does not count.
 */
static int count_entries(int dirfd, const char *name, const char *start)
{
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int n = 0;

	if (!dir)
		return -1;
	(void)steal_fd(&fd);
	for (int i = 0; i < ENTRIES_MAX && (entry = readdir(dir)) != NULL; i++)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lost+found") != 0 &&
		    strncmp(entry->d_name, start, strlen(start)) == 0)
			n++;
	(void)closedir(dir);
	return n;
}

void look_inside(struct othermount *m, const char *interface)
{
	auto_close int fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char key[32];
	char prefix[32];
	int n;

	if (fd < 0)
		return;
	(void)snprintf(key, sizeof(key), "%s.json", interface);
	(void)snprintf(prefix, sizeof(prefix), "%s.", interface);
	n = count_entries(fd, ".", "");
	m->was_seen = n >= 0;
	m->is_empty = n == 0;
	m->has_files = is_file(fd, key) || is_file(fd, MARKER_FILE) || is_file(fd, NAMES_HISTORY) ||
		       count_entries(fd, NAMES_SNAPSHOTS, prefix) > 0;
}

/* The kubelet makes this file for every pod, and says so in its name. */
static bool has_kubelets_hosts(const char *mounts)
{
	static const char name[] = "/etc-hosts";
	struct mount_row row;

	while (mountinfo_next(&mounts, &row)) {
		size_t len = strlen(row.root);

		if (strcmp(row.point, "/etc/hosts") == 0 && len >= sizeof(name) - 1 &&
		    strcmp(row.root + len - (sizeof(name) - 1), name) == 0)
			return true;
	}
	return false;
}

enum engine look_for_engine(const char *mounts, bool has_service)
{
	if (has_service || has_kubelets_hosts(mounts) ||
	    access("/run/secrets/kubernetes.io/serviceaccount", F_OK) == 0 ||
	    access("/var/run/secrets/kubernetes.io/serviceaccount", F_OK) == 0)
		return ENGINE_KUBERNETES;
	if (access("/run/.containerenv", F_OK) == 0)
		return ENGINE_PODMAN;
	return access("/.dockerenv", F_OK) == 0 ? ENGINE_DOCKER : ENGINE_ANY;
}
