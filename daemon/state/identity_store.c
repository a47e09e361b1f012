/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/state/identity.h"
#include "daemon/state/identity_impl.h"
#include "daemon/state/identity_trace.h"
#include "daemon/state/snapshot.h"
#include "daemon/state/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * DOC: Theory of operation
 *
 * A key that was ever in use is in two places: the key file, and a snapshot that was durable before
 * it. A power cut at any moment leaves at least one of them, so recovery needs no guess:
 *
 *	key good                        loaded
 *	key damaged or missing          the newest good snapshot takes its place, else the finished
 *	                                temporary of an interrupted write
 *	neither, and any trace of one   refused: a new key would be a new node with a new address
 *	no trace at all                 a first start
 */

#define CURE \
	"restore a backup of it (`wgmesh state import`), or start once with --new-identity to accept a new key and address"

/**
 * struct remedy - What a lost key can be restored from
 * @snapshot:	Name of a snapshot, empty when the temporary is the source
 * @damage:	What is wrong with the key file, empty when it is missing
 */
struct remedy {
	char snapshot[SNAPSHOT_NAME_SIZE];
	char damage[128];
};

int store_init(struct store *s, const struct identity_place *at, struct err *e)
{
	*s = (struct store) { .at = at };
	if (!str_is_interface_name(at->ifname))
		return err_exit(e, EXITS_USAGE, -EINVAL, "\"%.15s\" is no interface name",
				at->ifname);
	(void)snprintf(s->key, sizeof(s->key), "%s.json", at->ifname);
	return statefile_sibling(s->temp, sizeof(s->temp), s->key);
}

/* Return: 1 when there is something of that name, 0 when not, or a negative errno value */
static int exists(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

int store_clear(const struct store *s, const char *file, char *kept, struct err *e)
{
	int r = exists(s->at->dirfd, file);

	kept[0] = '\0';
	if (r <= 0)
		return r < 0 ? err_exit(e, EXITS_IO, r, "look whether %s is there", file) : 0;
	r = snapshot_put_aside(kept, s->at->dirfd, file, s->at->ifname, e);
	if (r == 0)
		log_event(EVENT_KEY_FILE_MOVED, NULL, "%s was moved to %s/%s", file, SNAPSHOT_DIR,
			  kept);
	return r;
}

int store_write(const struct store *s, const struct identity *id, store_write_fn *write,
		struct err *e)
{
	char text[IDENTITY_FILE_MAX];
	long len = identity_format(text, sizeof(text), id);
	int r = len < 0 ? err_set(e, (int)len, "write %s", s->key)
			: write(s->at->dirfd, s->key, text, (size_t)len, e);

	crypto_wipe(text, sizeof(text));
	if (r == 0)
		statedir_give(s->at->dirfd, s->at->dirfd, s->key);
	return r;
}

int store_refuse_newer(const struct store *s, const char *file, struct err *e)
{
	return err_exit(e, EXITS_POLICY, -EPROTONOSUPPORT,
			"%.120s/%.100s was written by a newer release of wgmesh, and this one will "
			"not touch it: start that release, or move the file away by hand",
			s->at->dir, file);
}

/* Does what was left of an interrupted write. The only copy of a key must not be rewritten. */
static int finish_temporary(const struct store *s, struct err *e)
{
	auto_close int fd = openat(s->at->dirfd, s->temp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(e, -errno, "open %s", s->temp);
	if (fchmod(fd, 0600) < 0 || fsync(fd) < 0)
		return err_set(e, -errno, "sync %s", s->temp);
	r = io_rename_new(s->at->dirfd, s->temp, s->key);
	if (r < 0)
		return err_set(e, r, "rename %s to %s", s->temp, s->key);
	return fsync(s->at->dirfd) < 0 ? err_set(e, -errno, "sync the directory of %s", s->key) : 0;
}

/* A missing snapshot is no reason to stop a node whose key is fine. */
static void keep_snapshot(const struct store *s, const struct identity *id)
{
	struct err e;
	int r = snapshot_take(NULL, id, s->at->dirfd, s->at->ifname, &e);

	if (r < 0)
		log_event(EVENT_SNAPSHOT_FAILED, NULL,
			  "no snapshot of %s/%s could be written: %s: %s", s->at->dir, s->key,
			  e.msg, strerror(-r));
}

static int apply(const struct store *s, const struct identity *id, const struct remedy *remedy,
		 struct err *e)
{
	char kept[SNAPSHOT_NAME_SIZE];
	int r = store_clear(s, s->key, kept, e);

	if (r < 0 && remedy->damage[0] != '\0')
		return err_exit(e, EXITS_STATE_DAMAGED, r,
				"%.120s/%s %s, and cannot be moved aside for its good copy in %s: "
				"move it away by hand",
				s->at->dir, s->key, remedy->damage, SNAPSHOT_DIR);
	if (r < 0)
		return r;
	if (remedy->snapshot[0] == '\0') {
		r = finish_temporary(s, e);
	} else {
		r = store_clear(s, s->temp, kept, e);
		if (r == 0)
			r = store_write(s, id, statefile_create, e);
	}
	if (r < 0)
		return r;
	log_event(EVENT_KEY_FILE_RESTORED, NULL, "%s/%s %s; it was restored from %s%s", s->at->dir,
		  s->key, remedy->damage[0] != '\0' ? remedy->damage : "was missing",
		  remedy->snapshot[0] != '\0' ? SNAPSHOT_DIR "/" : s->temp, remedy->snapshot);
	keep_snapshot(s, id);
	return 0;
}

/* Looks for a good copy: 0, -ENOENT when there is none, or why that cannot be told. */
static int find_remedy(struct identity *out, struct remedy *remedy, const struct store *s,
		       int snapfd, struct err *e)
{
	int r = -ENOENT;

	if (snapfd >= 0)
		r = snapshot_newest_good(out, remedy->snapshot, snapfd, s->at->ifname);
	if (r == -EPROTONOSUPPORT)
		return store_refuse_newer(s, SNAPSHOT_DIR, e);
	if (r != -ENOENT)
		return r == 0 ? 0
			      : err_exit(
					e, EXITS_IO, r,
					"%.120s/%s is missing or damaged, and %s/%s, which may be "
					"its newest copy, cannot be read: make it readable, or move it away to "
					"have an older one restored",
					s->at->dir, s->key, SNAPSHOT_DIR, remedy->snapshot);
	remedy->snapshot[0] = '\0';
	r = identity_read_file(out, s->at->dirfd, s->temp, NULL);
	if (r == 0 || r == -ENOENT || r == -EBADMSG)
		return r == 0 ? 0 : -ENOENT;
	if (r == -EPROTONOSUPPORT)
		return store_refuse_newer(s, s->temp, e);
	return err_exit(e, EXITS_IO, r, "read %s/%s", s->at->dir, s->temp);
}

/* There is no good copy. Says so, or returns -ENOENT when there never was a key. */
static int refuse(const struct store *s, const struct remedy *remedy, int snapfd, struct err *e)
{
	struct identity_trace trace;
	int r = identity_find_trace(&trace, s->at, snapfd, e);

	/* Beside a damaged key it only matters whether there is something to go back to. */
	if (remedy->damage[0] != '\0')
		return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
				"%.120s/%s %s, and no snapshot of it is good: %s" CURE, s->at->dir,
				s->key, remedy->damage, r == 0 ? trace.cure : "");
	if (r == 0)
		return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
				"%.120s/%s is missing, but %s: %s" CURE, s->at->dir, s->key,
				trace.what, trace.cure);
	if (r != -ENOENT)
		return r;
	return err_set(e, -ENOENT, "%.120s/%s does not exist", s->at->dir, s->key);
}

/* Not a reason to refuse: the person may have put a backup there, and the key is whole. */
static void warn_if_another(const struct store *s, const struct identity *id)
{
	char served[MARKER_KEY_SIZE];
	char key[MARKER_KEY_SIZE];

	(void)wg_key_format(key, &id->public_key);
	if (identity_served(served, s->at) == 0 && served[0] != '\0' && strcmp(served, key) != 0)
		log_event(
			EVENT_IDENTITY_UNEXPECTED, NULL,
			"%s/%s holds the key %s, but this volume was last used with %s: is it the "
			"wrong volume, or has a backup been restored?",
			s->at->dir, s->key, key, served);
}

/* The key file is damaged or missing: restores it, or says why not. */
static int recover(struct identity *out, const struct store *s, struct remedy *remedy, bool repair,
		   struct err *e)
{
	auto_close int snapfd = snapshot_open_dir(s->at->dirfd);
	int r;

	if (snapfd < 0 && snapfd != -ENOENT)
		return err_exit(e, snapfd == -EACCES ? EXITS_NO_PERMISSION : EXITS_IO, snapfd,
				"%.120s/%s %s, and %s, where copies of it would be, cannot be "
				"opened",
				s->at->dir, s->key,
				remedy->damage[0] != '\0' ? remedy->damage : "is missing",
				SNAPSHOT_DIR);
	r = find_remedy(out, remedy, s, snapfd, e);
	if (r < 0)
		return r == -ENOENT ? refuse(s, remedy, snapfd, e) : r;
	if (repair) {
		r = apply(s, out, remedy, e);
		/* Only refuse() may say that there never was a key. */
		return r == -ENOENT ? err_exit(e, EXITS_IO, -EIO,
					       "%.120s/%s vanished while it was repaired",
					       s->at->dir, s->key)
				    : r;
	}
	return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
			"%.120s/%s %s: `wgmesh state verify --repair` restores it from %s%s",
			s->at->dir, s->key,
			remedy->damage[0] != '\0' ? remedy->damage : "is missing",
			remedy->snapshot[0] != '\0' ? SNAPSHOT_DIR "/" : s->temp, remedy->snapshot);
}

int identity_load(struct identity *out, enum identity_origin *origin,
		  const struct identity_place *at, bool repair, struct err *e)
{
	struct remedy remedy = { 0 };
	struct store s;
	struct err why;
	int r = store_init(&s, at, e);

	if (r < 0)
		return r;
	r = identity_read_file(out, at->dirfd, s.key, &why);
	if (r == 0) {
		*origin = IDENTITY_LOADED;
		warn_if_another(&s, out);
		if (repair)
			keep_snapshot(&s, out);
		return 0;
	}
	if (r == -EPROTONOSUPPORT)
		return store_refuse_newer(&s, s.key, e);
	if (r != -EBADMSG && r != -ENOENT)
		return err_exit(e, EXITS_IO, r, "read %.120s/%s", at->dir, s.key);
	if (r == -EBADMSG)
		str_cut(remedy.damage, sizeof(remedy.damage), why.msg, strlen(why.msg));
	r = recover(out, &s, &remedy, repair, e);
	if (r < 0) {
		identity_wipe(out);
		return r;
	}
	warn_if_another(&s, out);
	*origin = IDENTITY_RESTORED;
	return 0;
}
