/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/state/identity.h"
#include "daemon/state/identity_impl.h"
#include "daemon/state/snapshot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/*
 * Makes room for a key file: 0, or -EEXIST with a good one in place, in @out. @kept receives the
 * name of the damaged one that was moved away, and is empty when there was none.
 */
static int vacate(struct identity *out, const struct store *s, char *kept, struct err *e)
{
	char temp[SNAPSHOT_NAME_SIZE];
	int r = identity_read_file(out, s->at->dirfd, s->key, NULL);

	if (r == 0)
		return err_set(e, -EEXIST, "%s holds a key already", s->key);
	if (r == -EPROTONOSUPPORT)
		return store_refuse_newer(s, s->key, e);
	if (r != -EBADMSG && r != -ENOENT)
		return err_exit(e, EXITS_IO, r, "read %s", s->key);
	r = store_clear(s, s->key, kept, e);
	return r < 0 ? r : store_clear(s, s->temp, temp, e);
}

/* The snapshot first: an interrupted first start then leaves a whole key or none. */
static int write_first(const struct store *s, const struct identity *id, struct err *e)
{
	char snapshot[SNAPSHOT_NAME_SIZE];
	int taken = snapshot_take(snapshot, id, s->at->dirfd, s->at->ifname, e);
	int r;

	if (taken < 0)
		return taken;
	r = store_write(s, id, statefile_create, e);
	if (r == -EEXIST && taken == 0) {
		/* Somebody was faster. A snapshot of a key nobody uses must not be restored. */
		auto_close int snapfd = snapshot_open_dir(s->at->dirfd);

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
	char kept[SNAPSHOT_NAME_SIZE];
	struct identity old;
	struct store s;
	int r = store_init(&s, at, e);

	if (r < 0)
		return r;
	r = vacate(&old, &s, kept, e);
	identity_wipe(&old);
	return r < 0 ? r : write_first(&s, id, e);
}

/* @added receives the name of the snapshot that was made, empty when there was one already. */
static int write_over(const struct store *s, const struct identity *id,
		      char added[static SNAPSHOT_NAME_SIZE], struct err *e)
{
	int r = snapshot_take(added, id, s->at->dirfd, s->at->ifname, e);

	if (r != 0)
		added[0] = '\0';
	return r < 0 ? r : store_write(s, id, statefile_replace, e);
}

int identity_save(const struct identity *id, const struct identity_place *at, struct err *e)
{
	char kept[SNAPSHOT_NAME_SIZE];
	char added[SNAPSHOT_NAME_SIZE];
	struct identity old;
	struct store s;
	int r = store_init(&s, at, e);

	if (r < 0)
		return r;
	r = vacate(&old, &s, kept, e);
	if (r == -EEXIST && crypto_equal(&old.public_key, &id->public_key, sizeof(id->public_key)))
		r = 0;
	identity_wipe(&old);
	return r < 0 ? r : write_over(&s, id, added, e);
}

int identity_replace(const struct identity *id, const struct identity_place *at,
		     struct identity_kept *kept, struct err *e)
{
	struct identity old;
	struct store s;
	int r = store_init(&s, at, e);

	*kept = (struct identity_kept) { 0 };
	if (r < 0)
		return r;
	r = vacate(&old, &s, kept->snapshot, e);
	if (r == -EEXIST) {
		r = snapshot_take(kept->snapshot, &old, at->dirfd, at->ifname, e);
		kept->is_good = true;
	}
	identity_wipe(&old);
	return r < 0 ? r : write_over(&s, id, kept->added, e);
}

int identity_restore(struct identity *out, const struct identity_place *at, const char *snapshot,
		     struct identity_kept *kept, struct err *e)
{
	auto_close int snapfd = snapshot_open_dir(at->dirfd);
	struct err why;
	int r;

	*kept = (struct identity_kept) { 0 };
	if (!snapshot_is_name(snapshot, at->ifname) && !snapshot_is_legacy(snapshot, at->ifname))
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"\"%.80s\" is no snapshot of %.15s.json: `wgmesh state list` names "
				"them",
				snapshot, at->ifname);
	r = snapfd < 0 ? snapfd : identity_read_file(out, snapfd, snapshot, &why);
	if (r == -EBADMSG)
		return err_exit(e, EXITS_STATE_DAMAGED, r, SNAPSHOT_DIR "/%s %s", snapshot,
				why.msg);
	if (r == -EPROTONOSUPPORT)
		return err_exit(e, EXITS_POLICY, r, SNAPSHOT_DIR "/%s %s", snapshot, why.msg);
	if (r == -ENOENT)
		return err_exit(e, EXITS_USAGE, r,
				"there is no " SNAPSHOT_DIR "/%s: `wgmesh state list` names them",
				snapshot);
	if (r < 0)
		return err_exit(e, EXITS_IO, r, SNAPSHOT_DIR "/%s cannot be read", snapshot);
	r = identity_replace(out, at, kept, e);
	if (r < 0)
		identity_wipe(out);
	return r;
}
