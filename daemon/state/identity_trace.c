/* SPDX-License-Identifier: MIT */
#include "daemon/state/identity_trace.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/state/snapshot.h"
#include "daemon/state/statename.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int identity_served(char out[static MARKER_KEY_SIZE], const struct identity_place *at)
{
	char text[MARKER_TEXT_SIZE + 1];
	struct marker m;
	const char *key;
	ssize_t n = statefile_read(at->dirfd, MARKER_FILE, text, sizeof(text), NULL);
	int r;

	out[0] = '\0';
	/* A link or a directory in its place was not put there by us, and says nothing. */
	if (n == -ENOENT || n == -ELOOP || n == -EINVAL || n == -ENXIO)
		return 0;
	if (n < 0)
		return n == -EFBIG ? -EBADMSG : (int)n;
	r = strlen(text) == (size_t)n ? marker_parse(&m, text) : -EBADMSG;
	if (r < 0)
		return r;
	key = marker_served(&m, at->ifname);
	if (key)
		str_cut(out, MARKER_KEY_SIZE, key, strlen(key));
	return 0;
}

static int find_in_snapshots(struct identity_trace *out, const struct identity_place *at,
			     int snapfd, struct err *e)
{
	char name[SNAPSHOT_NAME_SIZE];
	int r = snapfd < 0 ? -ENOENT : snapshot_find_trace(name, snapfd, at->ifname);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return err_exit(e, EXITS_IO, r, "read %.120s/" SNAPSHOT_DIR, at->dir);
	(void)snprintf(out->what, sizeof(out->what), SNAPSHOT_DIR "/%s shows that there was one",
		       name);
	if (strncmp(name, SNAPSHOT_LEGACY, strlen(SNAPSHOT_LEGACY)) == 0)
		(void)snprintf(out->cure, sizeof(out->cure),
			       "take that copy with `wgmesh state restore %s`, ", name);
	return 0;
}

static int find_temporary(struct identity_trace *out, const struct identity_place *at)
{
	char key[NAME_MAX + 1];
	char temp[NAME_MAX + 1];
	struct stat st;

	(void)snprintf(key, sizeof(key), "%.15s.json", at->ifname);
	if (statefile_sibling(temp, sizeof(temp), key) < 0 ||
	    (fstatat(at->dirfd, temp, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT))
		return -ENOENT;
	(void)snprintf(out->what, sizeof(out->what), "the damaged %.40s shows that there was one",
		       temp);
	return 0;
}

/* wgmesh-init has begun a new marker, which knows of no key; the damaged one may have known one. */
static int find_damaged_marker(struct identity_trace *out, const struct identity_place *at)
{
	struct stat st;

	if (fstatat(at->dirfd, MARKER_DAMAGED, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return -ENOENT;
	(void)snprintf(out->what, sizeof(out->what),
		       MARKER_DAMAGED " might have told whether there was one, and is damaged");
	return 0;
}

static int find_in_marker(struct identity_trace *out, const struct identity_place *at,
			  struct err *e)
{
	char key[MARKER_KEY_SIZE];
	int r = identity_served(key, at);

	if (r == -EPROTONOSUPPORT)
		return err_exit(e, EXITS_POLICY, r,
				"%.120s/%s.json is missing, and " MARKER_FILE
				", which would tell whether there was one, is of a newer release "
				"of wgmesh: start that release",
				at->dir, at->ifname);
	if (r == -EBADMSG)
		(void)snprintf(out->what, sizeof(out->what),
			       MARKER_FILE ", which would tell whether there was one, is damaged");
	else if (r == 0 && key[0] != '\0')
		(void)snprintf(out->what, sizeof(out->what),
			       MARKER_FILE " says that this node had the public key %s", key);
	else if (r < 0)
		return err_exit(
			e, r == -EACCES ? EXITS_NO_PERMISSION : EXITS_IO, r,
			"%.120s/%s.json is missing, and " MARKER_FILE
			", which would tell whether there was one, cannot be read by uid %u: "
			"make it readable",
			at->dir, at->ifname, geteuid());
	return out->what[0] != '\0' ? 0 : -ENOENT;
}

static bool is_cache_of(const char *name, const char *ifname)
{
	char owner[STATENAME_IFACE_SIZE];
	enum state_kind kind = statename_kind(owner, name, ifname);

	return (kind == STATE_PEERS || kind == STATE_NODES) && strcmp(owner, ifname) == 0;
}

static int find_cache(struct identity_trace *out, const struct identity_place *at, struct err *e)
{
	auto_close int fd = openat(at->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = -ENOENT;

	if (!dir)
		return err_exit(e, EXITS_IO, -errno, "list %.200s", at->dir);
	(void)steal_fd(&fd);
	errno = 0;
	while (r == -ENOENT && (entry = readdir(dir)) != NULL) {
		if (!is_cache_of(entry->d_name, at->ifname))
			continue;
		(void)snprintf(out->what, sizeof(out->what),
			       "%.64s, which only a node that has one writes, is there",
			       entry->d_name);
		r = 0;
	}
	if (r == -ENOENT && errno != 0)
		r = err_exit(e, EXITS_IO, -errno, "list %.200s", at->dir);
	(void)closedir(dir);
	return r;
}

int identity_find_trace(struct identity_trace *out, const struct identity_place *at, int snapfd,
			struct err *e)
{
	int r;

	*out = (struct identity_trace) { 0 };
	r = find_in_snapshots(out, at, snapfd, e);
	if (r == -ENOENT)
		r = find_temporary(out, at);
	if (r == -ENOENT)
		r = find_in_marker(out, at, e);
	if (r == -ENOENT)
		r = find_damaged_marker(out, at);
	if (r == -ENOENT)
		r = find_cache(out, at, e);
	return r;
}
