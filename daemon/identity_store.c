/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/identity.h"
#include "daemon/snapshot.h"

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

#define KEY_NAME_SIZE 24 /* interface name, ".json", NUL */
#define CURE \
	"restore a backup of it, or start once with --new-identity to accept a new key and address"

/**
 * struct store - Where a key file lies
 * @dirfd:	State directory; borrowed
 * @dir:	Its path, for messages; borrowed
 * @ifname:	Interface; borrowed
 * @key:	Name of the key file
 * @temp:	Name of the temporary it is written through
 */
struct store {
	int dirfd;
	const char *dir;
	const char *ifname;
	char key[KEY_NAME_SIZE];
	char temp[KEY_NAME_SIZE + 8];
};

/**
 * struct remedy - What a lost key can be restored from
 * @snapshot:	Name of a snapshot, empty when the temporary is the source
 * @damage:	What is wrong with the key file, empty when it is missing
 */
struct remedy {
	char snapshot[SNAPSHOT_NAME_SIZE];
	char damage[128];
};

static int store_init(struct store *s, const struct identity_place *at, struct err *e)
{
	*s = (struct store) { .dirfd = at->dirfd, .dir = at->dir, .ifname = at->ifname };
	if (!str_is_interface_name(at->ifname))
		return err_exit(e, EXITS_USAGE, -EINVAL, "\"%.15s\" is no interface name",
				at->ifname);
	(void)snprintf(s->key, sizeof(s->key), "%s.json", at->ifname);
	return statefile_sibling(s->temp, sizeof(s->temp), s->key);
}

static bool exists(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* Moves what lies in the way of a write to .snapshots/; nothing is ever deleted. */
static int clear_place(const struct store *s, const char *file, struct err *e)
{
	char kept[SNAPSHOT_NAME_SIZE];
	int r;

	if (!exists(s->dirfd, file))
		return 0;
	r = snapshot_put_aside(kept, s->dirfd, file, s->ifname, e);
	if (r == 0)
		log_warn("identity", "%s was moved to %s/%s", file, SNAPSHOT_DIR, kept);
	return r;
}

/* statefile_create() or statefile_replace() */
typedef int write_fn(int dirfd, const char *name, const void *buf, size_t len, struct err *e);

static int write_key(const struct store *s, const struct identity *id, write_fn *write,
		     struct err *e)
{
	char text[IDENTITY_FILE_MAX];
	long len = identity_format(text, sizeof(text), id);
	int r = len < 0 ? err_set(e, (int)len, "write %s", s->key)
			: write(s->dirfd, s->key, text, (size_t)len, e);

	crypto_wipe(text, sizeof(text));
	return r;
}

/* Does what was left of an interrupted write. The only copy of a key must not be rewritten. */
static int finish_temporary(const struct store *s, struct err *e)
{
	auto_close int fd = openat(s->dirfd, s->temp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(e, -errno, "open %s", s->temp);
	if (fchmod(fd, 0600) < 0 || fsync(fd) < 0)
		return err_set(e, -errno, "sync %s", s->temp);
	r = io_rename_new(s->dirfd, s->temp, s->key);
	if (r < 0)
		return err_set(e, r, "rename %s to %s", s->temp, s->key);
	return fsync(s->dirfd) < 0 ? err_set(e, -errno, "sync the directory of %s", s->key) : 0;
}

/* A missing snapshot is no reason to stop a node whose key is fine. */
static void keep_snapshot(const struct store *s, const struct identity *id)
{
	struct err e;
	int r = snapshot_take(NULL, id, s->dirfd, s->ifname, &e);

	if (r < 0)
		log_warn("identity", "no snapshot of %s/%s could be written: %s: %s", s->dir,
			 s->key, e.msg, strerror(-r));
}

static int apply(const struct store *s, const struct identity *id, const struct remedy *remedy,
		 struct err *e)
{
	int r = clear_place(s, s->key, e);

	if (r < 0)
		return err_exit(e, EXITS_STATE_DAMAGED, r,
				"%.120s/%s %s, and cannot be moved aside for its good copy in %s: "
				"move it away by hand",
				s->dir, s->key, remedy->damage, SNAPSHOT_DIR);
	if (remedy->snapshot[0] == '\0') {
		r = finish_temporary(s, e);
	} else {
		r = clear_place(s, s->temp, e);
		if (r == 0)
			r = write_key(s, id, statefile_create, e);
	}
	if (r < 0)
		return r;
	log_warn("identity", "%s/%s %s; it was restored from %s%s", s->dir, s->key,
		 remedy->damage[0] != '\0' ? remedy->damage
					   : "was missing (--new-identity would make a new one)",
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
		r = snapshot_newest_good(out, remedy->snapshot, snapfd, s->ifname);
	if (r != -ENOENT)
		return r == 0 ? 0 : err_exit(e, EXITS_IO, r, "read %s/%s", s->dir, SNAPSHOT_DIR);
	remedy->snapshot[0] = '\0';
	r = identity_read_file(out, s->dirfd, s->temp, NULL);
	if (r == 0 || r == -ENOENT || r == -EBADMSG)
		return r == 0 ? 0 : -ENOENT;
	return err_exit(e, EXITS_IO, r, "read %s/%s", s->dir, s->temp);
}

/* There is no good copy. Says so, or returns -ENOENT when there never was a key. */
static int refuse(const struct store *s, const struct remedy *remedy, int snapfd, struct err *e)
{
	char trace[SNAPSHOT_NAME_SIZE];
	int r = -ENOENT;

	if (remedy->damage[0] != '\0')
		return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
				"%.120s/%s %s, and no snapshot of it is good: " CURE, s->dir,
				s->key, remedy->damage);
	if (snapfd >= 0)
		r = snapshot_find_trace(trace, snapfd, s->ifname);
	if (r == 0)
		return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
				"%.120s/%s is missing, but %s/%s shows that there was one: " CURE,
				s->dir, s->key, SNAPSHOT_DIR, trace);
	if (r != -ENOENT)
		return err_exit(e, EXITS_IO, r, "read %s/%s", s->dir, SNAPSHOT_DIR);
	if (exists(s->dirfd, s->temp))
		return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
				"%.120s/%s is missing, but the damaged %s shows that there was "
				"one: " CURE,
				s->dir, s->key, s->temp);
	return err_set(e, -ENOENT, "%.120s/%s does not exist", s->dir, s->key);
}

/* The key file is damaged or missing: restores it, or says why not. */
static int recover(struct identity *out, const struct store *s, struct remedy *remedy, bool repair,
		   struct err *e)
{
	auto_close int snapfd = snapshot_open_dir(s->dirfd);
	int r;

	if (snapfd < 0 && snapfd != -ENOENT)
		return err_exit(e, snapfd == -EACCES ? EXITS_NO_PERMISSION : EXITS_IO, snapfd,
				"%.120s/%s %s, and %s, where copies of it would be, cannot be "
				"opened",
				s->dir, s->key,
				remedy->damage[0] != '\0' ? remedy->damage : "is missing",
				SNAPSHOT_DIR);
	r = find_remedy(out, remedy, s, snapfd, e);
	if (r < 0)
		return r == -ENOENT ? refuse(s, remedy, snapfd, e) : r;
	if (repair)
		return apply(s, out, remedy, e);
	return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
			"%.120s/%s %s: `wgmesh state verify --repair` restores it from %s%s",
			s->dir, s->key, remedy->damage[0] != '\0' ? remedy->damage : "is missing",
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
		if (repair)
			keep_snapshot(&s, out);
		return 0;
	}
	if (r != -EBADMSG && r != -ENOENT)
		return err_exit(e, EXITS_IO, r, "read %.120s/%s", at->dir, s.key);
	if (r == -EBADMSG)
		str_cut(remedy.damage, sizeof(remedy.damage), why.msg, strlen(why.msg));
	r = recover(out, &s, &remedy, repair, e);
	if (r < 0)
		identity_wipe(out);
	else
		*origin = IDENTITY_RESTORED;
	return r;
}

/* Makes room for a key file: 0, or -EEXIST with a good one in place, in @out. */
static int vacate(struct identity *out, const struct store *s, struct err *e)
{
	int r = identity_read_file(out, s->dirfd, s->key, NULL);

	if (r == 0)
		return err_set(e, -EEXIST, "%s holds a key already", s->key);
	if (r != -EBADMSG && r != -ENOENT)
		return err_exit(e, EXITS_IO, r, "read %s", s->key);
	r = clear_place(s, s->key, e);
	return r < 0 ? r : clear_place(s, s->temp, e);
}

/* The snapshot first: an interrupted first start then leaves a whole key or none. */
static int write_first(const struct store *s, const struct identity *id, struct err *e)
{
	char snapshot[SNAPSHOT_NAME_SIZE];
	int r = snapshot_take(snapshot, id, s->dirfd, s->ifname, e);

	if (r < 0)
		return r;
	r = write_key(s, id, statefile_create, e);
	if (r == -EEXIST) {
		/* Somebody was faster. A snapshot of a key nobody uses must not be restored. */
		auto_close int snapfd = snapshot_open_dir(s->dirfd);

		(void)unlinkat(snapfd, snapshot, 0);
	}
	return r;
}

void identity_generate(struct identity *out)
{
	*out = (struct identity) { 0 };
	crypto_wg_keypair(out->private_key, out->public_key.b);
}

int identity_create(const struct identity *id, const struct identity_place *at, struct err *e)
{
	struct identity old;
	struct store s;
	int r = store_init(&s, at, e);

	if (r < 0)
		return r;
	r = vacate(&old, &s, e);
	identity_wipe(&old);
	return r < 0 ? r : write_first(&s, id, e);
}

static int replace(const struct store *s, const struct identity *id, struct err *e)
{
	int r = snapshot_take(NULL, id, s->dirfd, s->ifname, e);

	return r < 0 ? r : write_key(s, id, statefile_replace, e);
}

int identity_save(const struct identity *id, const struct identity_place *at, struct err *e)
{
	struct identity old;
	struct store s;
	int r = store_init(&s, at, e);

	if (r < 0)
		return r;
	r = vacate(&old, &s, e);
	if (r == -EEXIST && crypto_equal(&old.public_key, &id->public_key, sizeof(id->public_key)))
		r = 0;
	identity_wipe(&old);
	return r < 0 ? r : replace(&s, id, e);
}

int identity_restore(struct identity *out, const struct identity_place *at, const char *snapshot,
		     struct err *e)
{
	auto_close int snapfd = snapshot_open_dir(at->dirfd);
	struct identity old;
	struct err why;
	struct store s;
	int r = store_init(&s, at, e);

	if (r < 0)
		return r;
	if (!snapshot_is_name(snapshot, at->ifname))
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"\"%.80s\" is no snapshot of %s: `wgmesh state list` names them",
				snapshot, s.key);
	r = snapfd < 0 ? snapfd : identity_read_file(out, snapfd, snapshot, &why);
	if (r < 0)
		return err_exit(e, r == -EBADMSG ? EXITS_STATE_DAMAGED : EXITS_IO, r, "%s/%s %s",
				SNAPSHOT_DIR, snapshot, r == -EBADMSG ? why.msg : "cannot be read");
	r = vacate(&old, &s, e);
	if (r == -EEXIST)
		r = snapshot_take(NULL, &old, at->dirfd, at->ifname, e);
	identity_wipe(&old);
	if (r == 0)
		r = replace(&s, out, e);
	if (r < 0)
		identity_wipe(out);
	return r;
}
