/* SPDX-License-Identifier: MIT */
#include "init/volume/markfile.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/statefile.h"
#include "common/str.h"
#include "init/state/names.h"
#include "init/volume/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE_MAX   8
#define NAMES_LIMIT 65536 /* entries looked at: a state directory has a dozen */
#define LEGACY_HEAD "legacy-"
#define NEW_TAIL    ".new"

/* --- reading and writing --------------------------------------------------------------------- */

int markfile_load(struct marker *m, int dirfd)
{
	char text[MARKER_TEXT_SIZE];
	ssize_t n;

	memset(m, 0, sizeof(*m));
	n = statefile_read(dirfd, MARKER_FILE, text, sizeof(text), NULL);
	/* Too long, or no regular file: not one that we wrote. */
	if (n == -EFBIG || n == -EINVAL || n == -ELOOP)
		return -EBADMSG;
	if (n < 0)
		return (int)n;
	return memchr(text, '\0', (size_t)n) ? -EBADMSG : marker_parse(m, text);
}

static int store(const struct marker *m, int dirfd)
{
	char text[MARKER_TEXT_SIZE];
	size_t len = marker_format(m, text);

	return statefile_replace(dirfd, MARKER_FILE, text, len, NULL);
}

/* --- what is there --------------------------------------------------------------------------- */

/* "wg0.json" and "wg0-peers.json" are of "wg0", "wg01.json" is not. */
static bool is_of(const char *name, const char *ifname)
{
	size_t len = strlen(ifname);

	return strncmp(name, ifname, len) == 0 && (name[len] == '.' || name[len] == '-');
}

/* ".wg0.json.new" is a trace of the file that it was to become. */
static bool is_sibling_of(const char *name, const char *ifname)
{
	size_t len = strlen(name);
	char inner[NAME_MAX + 1];

	if (name[0] != '.' || len <= strlen(NEW_TAIL) ||
	    strcmp(name + len - strlen(NEW_TAIL), NEW_TAIL) != 0)
		return false;
	str_cut(inner, sizeof(inner), name + 1, len - 1 - strlen(NEW_TAIL));
	return names_is_state(inner) && is_of(inner, ifname);
}

static void classify(struct proof_facts *f, const char *key_file, const char *name)
{
	if (strcmp(name, key_file) == 0)
		return;
	if (is_sibling_of(name, f->ifname) || (names_is_state(name) && is_of(name, f->ifname)))
		f->has_traces = true;
	else if (names_is_state(name))
		f->has_others = true;
}

static bool is_snapshot_of(const char *name, const char *ifname)
{
	size_t head = strlen(LEGACY_HEAD);

	return is_of(strncmp(name, LEGACY_HEAD, head) == 0 ? name + head : name, ifname);
}

static DIR *open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		(void)close(fd);
	return dir;
}

static void scan(struct proof_facts *f, int dirfd)
{
	DIR *dir = open_dir(dirfd, ".");
	DIR *snapshots = open_dir(dirfd, NAMES_SNAPSHOTS);
	char key_file[MARKER_IFNAME_SIZE + 8];
	const struct dirent *entry;
	struct stat st;

	/* By its name: however many strangers' files there are, a key that is there is not lost. */
	(void)snprintf(key_file, sizeof(key_file), "%s.json", f->ifname);
	f->has_key = fstatat(dirfd, key_file, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
	for (int i = 0; dir && i < NAMES_LIMIT && (entry = readdir(dir)) != NULL; i++)
		classify(f, key_file, entry->d_name);
	for (int i = 0; snapshots && i < NAMES_LIMIT && (entry = readdir(snapshots)) != NULL; i++)
		f->has_traces = f->has_traces || is_snapshot_of(entry->d_name, f->ifname);
	if (dir)
		(void)closedir(dir);
	if (snapshots)
		(void)closedir(snapshots);
}

/* --- who we are ------------------------------------------------------------------------------ */

static void read_line(const char *path, char *out, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);

	out[n < 0 ? 0 : n] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* As it will be read back: "-" for what is not known. */
static void describe_self(struct marker_boot *self)
{
	auto_free char *mounts = mounts_read();
	struct marker m = { .n_boot = 0 };
	char host[MARKER_WORD_SIZE] = "";

	(void)gethostname(host, sizeof(host) - 1);
	(void)str_copy(self->host, sizeof(self->host), host);
	if (mounts)
		(void)mountinfo_container_id(mounts, self->container);
	read_line("/proc/sys/kernel/random/boot_id", self->kernel, sizeof(self->kernel));
	marker_add_boot(&m, self);
	*self = m.boot[0];
}

/* --- a start --------------------------------------------------------------------------------- */

/* Under the first name that is free: an older one may be all that is left of an older marker. */
static int move_aside(struct markfile_start *m)
{
	int r = -EEXIST;

	for (int i = 0; i < ASIDE_MAX && r == -EEXIST; i++) {
		if (i == 0)
			(void)snprintf(m->aside, sizeof(m->aside), "%s", MARKER_DAMAGED);
		else
			(void)snprintf(m->aside, sizeof(m->aside), "%s.%d", MARKER_DAMAGED, i);
		r = io_rename_new(m->dirfd, MARKER_FILE, m->aside);
	}
	if (r < 0)
		m->aside[0] = '\0';
	return r;
}

static int prepare(struct markfile_start *m)
{
	const struct proof_facts *f = &m->facts;

	if (f->error == 0) {
		m->marker = f->marker;
		return 0;
	}
	if (f->error == -EBADMSG) {
		int r = move_aside(m);

		if (r < 0)
			return r;
	}
	if (f->error != -EBADMSG && f->error != -ENOENT)
		return f->error;
	marker_init(&m->marker, m->id, f->self.at_s);
	return 0;
}

void markfile_start(struct markfile_start *m)
{
	describe_self(&m->facts.self);
	scan(&m->facts, m->dirfd);
	m->facts.error = markfile_load(&m->facts.marker, m->dirfd);
	if (m->is_look)
		return;
	m->error = prepare(m);
	if (m->error < 0)
		return;
	marker_add_boot(&m->marker, &m->facts.self);
	m->error = store(&m->marker, m->dirfd);
}

/* --- while it runs --------------------------------------------------------------------------- */

/* The marker to change: ours, and nobody else's. */
static int load_own(struct marker *m, int dirfd, const struct proof *p)
{
	int r = markfile_load(m, dirfd);

	if (r == -ENOENT && p->marker.volume[0] && !p->is_marked) {
		*m = p->marker;
		return 0;
	}
	if (r == 0 && strcmp(m->volume, p->marker.volume) != 0)
		return -ESTALE;
	return r;
}

int markfile_note_served(int dirfd, const struct proof *p, const struct marker_key *key)
{
	struct marker m;
	int r = load_own(&m, dirfd, p);

	if (r == 0)
		r = marker_set_served(&m, key);
	return r < 0 ? r : store(&m, dirfd);
}

int markfile_note_exit(int dirfd, const struct proof *p, int64_t at_s, int code)
{
	struct marker m;
	int r = load_own(&m, dirfd, p);

	if (r < 0)
		return r;
	marker_set_exit(&m, at_s, code);
	return store(&m, dirfd);
}
