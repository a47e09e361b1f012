/* SPDX-License-Identifier: MIT */
#include "daemon/state/snapshot.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/state/statedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NUMBER_DIGITS 20 /* all of a uint64_t, so that names sort as their numbers do */
#define DAMAGED_MAX   10000

int snapshot_open_dir(int dirfd)
{
	return io_open_beneath(dirfd, SNAPSHOT_DIR, O_RDONLY | O_DIRECTORY, 0);
}

static int open_or_create_dir(int dirfd, struct err *e)
{
	int fd = snapshot_open_dir(dirfd);

	if (fd == -ENOENT) {
		if (mkdirat(dirfd, SNAPSHOT_DIR, 0700) < 0 || fsync(dirfd) < 0)
			return err_set(e, -errno, "create %s", SNAPSHOT_DIR);
		statedir_give(dirfd, dirfd, SNAPSHOT_DIR);
		fd = snapshot_open_dir(dirfd);
	}
	return fd < 0 ? err_set(e, fd, "open %s", SNAPSHOT_DIR) : fd;
}

/* The directory's entries from the first on, whatever was read through @snapfd before. */
static DIR *open_entries(int snapfd)
{
	auto_close int fd = openat(snapfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		(void)steal_fd(&fd);
	return dir;
}

/* Number of the snapshot @file, or -EINVAL for every other name. */
static int parse_name(uint64_t *number, const char *file, const char *ifname)
{
	char prefix[SNAPSHOT_NAME_SIZE];
	size_t len;

	(void)snprintf(prefix, sizeof(prefix), "%.15s.json.", ifname);
	len = strlen(prefix);
	if (strncmp(file, prefix, len) != 0 || strlen(file + len) != NUMBER_DIGITS)
		return -EINVAL;
	return str_parse_u64(number, file + len, 0, UINT64_MAX) < 0 ? -EINVAL : 0;
}

static void format_name(char name[static SNAPSHOT_NAME_SIZE], const char *ifname, uint64_t number)
{
	(void)snprintf(name, SNAPSHOT_NAME_SIZE, "%.15s.json.%0*" PRIu64, ifname, NUMBER_DIGITS,
		       number);
}

bool snapshot_is_name(const char *name, const char *ifname)
{
	uint64_t number;

	return parse_name(&number, name, ifname) == 0;
}

int snapshot_find(char name[static SNAPSHOT_NAME_SIZE], uint64_t *number, int snapfd,
		  const char *ifname)
{
	DIR *dir = open_entries(snapfd);
	const struct dirent *entry;
	bool is_found = false;
	uint64_t newest = 0;
	int r;

	if (!dir)
		return -errno;
	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		uint64_t n;

		if (parse_name(&n, entry->d_name, ifname) == 0 && n < *number &&
		    (!is_found || n > newest)) {
			newest = n;
			is_found = true;
		}
	}
	r = -errno;
	(void)closedir(dir);
	if (r < 0 || !is_found)
		return r < 0 ? r : -ENOENT;
	format_name(name, ifname, newest);
	*number = newest;
	return 0;
}

int snapshot_newest_good(struct identity *out, char name[static SNAPSHOT_NAME_SIZE], int snapfd,
			 const char *ifname)
{
	uint64_t number = UINT64_MAX;
	struct err why;
	int r;

	while ((r = snapshot_find(name, &number, snapfd, ifname)) == 0) {
		r = identity_read_file(out, snapfd, name, &why);
		/* What cannot be read now may be good, and hold another key than older ones do. */
		if (r == -EBADMSG && why.exit_code == EXITS_IO)
			return -EIO;
		if (r != -EBADMSG && r != -ENOENT)
			return r;
	}
	return r;
}

bool snapshot_is_legacy(const char *name, const char *ifname)
{
	char key[SNAPSHOT_NAME_SIZE];
	size_t len;

	(void)snprintf(key, sizeof(key), SNAPSHOT_LEGACY "%.15s.json", ifname);
	len = strlen(key);
	/* A second one gets a suffix. */
	return strncmp(name, key, len) == 0 && (name[len] == '\0' || name[len] == '.') &&
	       !strchr(name, '/') && strlen(name) < SNAPSHOT_NAME_SIZE;
}

static bool is_trace(const char *file, const char *ifname)
{
	char own[SNAPSHOT_NAME_SIZE];

	(void)snprintf(own, sizeof(own), "%.15s.json.", ifname);
	return strncmp(file, own, strlen(own)) == 0 || snapshot_is_legacy(file, ifname);
}

int snapshot_find_trace(char name[static SNAPSHOT_NAME_SIZE], int snapfd, const char *ifname)
{
	DIR *dir = open_entries(snapfd);
	const struct dirent *entry;
	int r = -ENOENT;

	if (!dir)
		return -errno;
	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		if (!is_trace(entry->d_name, ifname))
			continue;
		str_cut(name, SNAPSHOT_NAME_SIZE, entry->d_name, strlen(entry->d_name));
		r = 0;
		/* The one that can be taken back says more than those that are damaged. */
		if (snapshot_is_legacy(name, ifname))
			break;
	}
	if (!entry && errno != 0)
		r = -errno;
	(void)closedir(dir);
	return r;
}

static bool holds(int snapfd, const char *name, const char *text, size_t len)
{
	char old[IDENTITY_FILE_MAX + 1];
	ssize_t n = statefile_read(snapfd, name, old, sizeof(old), NULL);
	bool same = n >= 0 && (size_t)n == len && memcmp(old, text, len) == 0;

	crypto_wipe(old, sizeof(old));
	return same;
}

/* Removes what is older than the newest IDENTITY_SNAPSHOTS of this very key. */
static void prune(int snapfd, const char *ifname, const struct wg_key *key)
{
	char name[SNAPSHOT_NAME_SIZE];
	uint64_t number = UINT64_MAX;
	unsigned int kept = 0;

	while (snapshot_find(name, &number, snapfd, ifname) == 0) {
		struct identity old;

		if (identity_read_file(&old, snapfd, name, NULL) == 0 &&
		    crypto_equal(&old.public_key, key, sizeof(*key)) && ++kept > IDENTITY_SNAPSHOTS)
			(void)unlinkat(snapfd, name, 0);
		identity_wipe(&old);
	}
}

/* Writes @text under the next number: 0, or 1 when the newest one, then @name, holds it already. */
static int add(char name[static SNAPSHOT_NAME_SIZE], int snapfd, const char *ifname,
	       const struct crypto_part *text, struct err *e)
{
	uint64_t number = UINT64_MAX;
	int r = snapshot_find(name, &number, snapfd, ifname);

	if (r < 0 && r != -ENOENT)
		return err_set(e, r, "list %s", SNAPSHOT_DIR);
	if (r == 0 && holds(snapfd, name, text->data, text->len))
		return 1;
	format_name(name, ifname, r == 0 ? number + 1 : 1);
	return statefile_create(snapfd, name, text->data, text->len, e);
}

int snapshot_take(char *name, const struct identity *id, int dirfd, const char *ifname,
		  struct err *e)
{
	char text[IDENTITY_FILE_MAX];
	char added[SNAPSHOT_NAME_SIZE] = "";
	auto_close int snapfd = open_or_create_dir(dirfd, e);
	long len;
	int r;

	if (snapfd < 0)
		return snapfd;
	/* A running node and a person's command may come here together; without locks, so be it. */
	(void)flock(snapfd, LOCK_EX);
	len = identity_format(text, sizeof(text), id);
	r = len < 0 ? err_set(e, (int)len, "a key file of this length cannot be")
		    : add(added, snapfd, ifname, &(struct crypto_part) { text, (size_t)len }, e);
	crypto_wipe(text, sizeof(text));
	if (r < 0)
		return r;
	if (r == 0) {
		statedir_give(dirfd, snapfd, added);
		prune(snapfd, ifname, &id->public_key);
	}
	if (name)
		str_cut(name, SNAPSHOT_NAME_SIZE, added, strlen(added));
	return r;
}

/* Without RENAME_NOREPLACE (NFS) a look beforehand must do: nobody else writes here. */
static int move_unless_taken(int dirfd, const char *file, int snapfd, const char *name)
{
	struct stat st;

	if (renameat2(dirfd, file, snapfd, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (fstatat(snapfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dirfd, file, snapfd, name) < 0 ? -errno : 0;
}

/* Moves @file to .snapshots/STEM-N, with the first N that is free. */
static int move_as(char name[static SNAPSHOT_NAME_SIZE], int dirfd, const char *file,
		   const char *stem, struct err *e)
{
	auto_close int snapfd = open_or_create_dir(dirfd, e);
	int r = -EEXIST;

	if (snapfd < 0)
		return snapfd;
	for (unsigned int i = 1; i <= DAMAGED_MAX && r == -EEXIST; i++) {
		if (snprintf(name, SNAPSHOT_NAME_SIZE, "%s-%u", stem, i) >= SNAPSHOT_NAME_SIZE)
			return err_set(e, -ENAMETOOLONG, "move %s to %s", file, SNAPSHOT_DIR);
		r = move_unless_taken(dirfd, file, snapfd, name);
	}
	if (r < 0)
		return err_set(e, r, "move %s to %s", file, SNAPSHOT_DIR);
	if (fsync(snapfd) < 0 || fsync(dirfd) < 0)
		return err_set(e, -errno, "sync the move of %s to %s", file, SNAPSHOT_DIR);
	return 0;
}

int snapshot_put_aside(char name[static SNAPSHOT_NAME_SIZE], int dirfd, const char *file,
		       const char *ifname, struct err *e)
{
	char stem[SNAPSHOT_NAME_SIZE];

	(void)snprintf(stem, sizeof(stem), "%.15s.json.damaged", ifname);
	return move_as(name, dirfd, file, stem, e);
}

int snapshot_keep(char name[static SNAPSHOT_NAME_SIZE], int dirfd, const char *file, struct err *e)
{
	char stem[SNAPSHOT_NAME_SIZE];

	(void)snprintf(stem, sizeof(stem), "%.50s.replaced", file);
	return move_as(name, dirfd, file, stem, e);
}
