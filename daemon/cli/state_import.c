/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Nothing is written before everything is known to be good: the file is opened and checked in memory,
 * the directory is locked, what is in place is compared, and the mesh is asked whether the identity is
 * in use. Then come the caches, one whole file after the other, and the key last. Killed in between,
 * the directory has caches without a key, which no node takes for a first start, and a second run
 * finishes. What another file replaces is moved to .snapshots/; nothing is deleted.
 */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/statefile.h"
#include "daemon/cli/passphrase.h"
#include "daemon/cli/state.h"
#include "daemon/cli/state_live.h"
#include "daemon/state/archive.h"
#include "daemon/state/identity_trace.h"
#include "daemon/state/sealed.h"
#include "daemon/state/snapshot.h"
#include "daemon/state/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct cli_usage usage = {
	.name = "wgmesh state import",
	.synopsis = "FILE | -",
	.about =
		"Makes this state directory the node that `wgmesh state export` wrote into FILE. The\n"
		"whole file is checked before anything is written. Refused are: another identity in\n"
		"place (78; --replace keeps it as a snapshot), a directory that a node uses (75), and an\n"
		"identity that is in use (75): the node that runs here is asked, and, with the mesh's\n"
		"secret, the LAN and the peers in the file, for six seconds. The commands that undo it\n"
		"are printed. The same identity again changes nothing.\n\n"
		"  wgmesh state import node1.wgmesh\n"
		"  wgmesh state import --secret-file secret --passphrase-file FILE in.wgmesh\n"
		"  docker run --rm -i -v NAME:/var/lib/wgmesh -v \"$PWD/FILE:/FILE:ro\" \\\n"
		"      IMAGE state import --passphrase-file /FILE - < node1.wgmesh\n",
	.scope = SCOPE_IMPORT,
};

/* --- the file ------------------------------------------------------------------------------ */

/**
 * struct input - The bytes of an export
 * @buf:	Bytes; owned
 * @len:	Bytes in @buf
 */
struct input {
	uint8_t *buf;
	size_t len;
};

static void input_fini(struct input *in)
{
	if (in->buf)
		crypto_wipe(in->buf, in->len);
	free(in->buf);
	*in = (struct input) { 0 };
}

static int input_read(struct input *out, const char *file, struct err *e)
{
	auto_close int fd = strcmp(file, "-") == 0 ? dup(STDIN_FILENO)
						   : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -ENOMEM;

	*out = (struct input) { 0 };
	if (fd < 0)
		return err_exit(e, EXITS_USAGE, -errno, "%.200s cannot be opened", file);
	out->buf = malloc(SEALED_MAX);
	if (out->buf)
		n = io_read_bounded(fd, out->buf, SEALED_MAX);
	if (n == -EFBIG)
		return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
				"%.200s is larger than any export", file);
	if (n < 0)
		return err_exit(e, EXITS_IO, (int)n, "%.200s cannot be read", file);
	out->len = (size_t)n;
	return 0;
}

/* Names the file before what is wrong with it. */
static int explain(int r, const char *file, const struct err *why, struct err *e)
{
	int code = r == -EPROTONOSUPPORT ? EXITS_POLICY
		   : r == -EKEYREJECTED	 ? EXITS_NO_PERMISSION
		   : r == -EBADMSG	 ? EXITS_STATE_DAMAGED
					 : EXITS_SYSTEM;

	return err_exit(e, code, r, "%.150s %.230s", strcmp(file, "-") == 0 ? "the input" : file,
			why->msg);
}

/* Replaces sealed bytes by what is in them. */
static int unseal(struct input *in, const char *file, const struct settings *s, struct err *e)
{
	struct input plain = { 0 };
	struct passphrase p;
	struct err why = { 0 };
	int r = sealed_check(&plain.len, in->buf, in->len, &why);

	if (r < 0)
		return explain(r, file, &why, e);
	r = passphrase_get(&p, s, false, e);
	if (r < 0)
		return r;
	plain.buf = malloc(plain.len + 1);
	r = plain.buf ? sealed_open(plain.buf, in->buf, in->len,
				    &(struct crypto_part) { p.text, p.len }, &why)
		      : err_set(&why, -ENOMEM, "needs memory to be opened");
	passphrase_wipe(&p);
	if (r < 0) {
		input_fini(&plain);
		return explain(r, file, &why, e);
	}
	input_fini(in);
	*in = plain;
	return 0;
}

static int open_archive(struct archive *out, const char *file, const struct settings *s,
			struct err *e)
{
	struct err why = { 0 };
	struct input in;
	int r = input_read(&in, file, e);

	*out = (struct archive) { 0 };
	if (r == 0 && sealed_looks_so(in.buf, in.len))
		r = unseal(&in, file, s, e);
	if (r == 0) {
		r = archive_parse(out, in.buf, in.len, &why);
		if (r < 0)
			(void)explain(r, file, &why, e);
	}
	input_fini(&in);
	if (r == 0 && settings_is_given(s, SETTING_INTERFACE) &&
	    strcmp(settings_text(s, SETTING_INTERFACE), out->ifname) != 0)
		r = err_exit(e, EXITS_USAGE, -EINVAL,
			     "%.150s is the node of interface %s, not of %.15s: say --interface %s",
			     file, out->ifname, settings_text(s, SETTING_INTERFACE), out->ifname);
	return r;
}

/* --- what is in place ---------------------------------------------------------------------- */

enum in_place { NOTHING_IN_PLACE, SAME_IN_PLACE, OTHER_IN_PLACE };

static enum in_place compare(char key[static MARKER_KEY_SIZE], const struct identity *id,
			     const struct identity *wanted)
{
	(void)wg_key_format(key, &id->public_key);
	return crypto_equal(&id->public_key, &wanted->public_key, sizeof(wanted->public_key))
		       ? SAME_IN_PLACE
		       : OTHER_IN_PLACE;
}

/* The key is lost: is what remains of it that of another node? */
static enum in_place compare_remains(char key[static MARKER_KEY_SIZE], const struct archive *a,
				     const struct state_dir *d)
{
	auto_close int snapfd = snapshot_open_dir(d->at.dirfd);
	char name[SNAPSHOT_NAME_SIZE];
	enum in_place found = NOTHING_IN_PLACE;
	char wanted[MARKER_KEY_SIZE];
	struct identity id;

	if (snapfd >= 0 && snapshot_newest_good(&id, name, snapfd, d->at.ifname) == 0)
		found = compare(key, &id, &a->id);
	identity_wipe(&id);
	if (found == SAME_IN_PLACE)
		return NOTHING_IN_PLACE;
	(void)wg_key_format(wanted, &a->id.public_key);
	if (found == NOTHING_IN_PLACE && identity_served(key, &d->at) == 0 && key[0] != '\0' &&
	    strcmp(key, wanted) != 0)
		found = OTHER_IN_PLACE;
	return found;
}

/* enum in_place, with the key that is there in @key; or a negative errno value */
static int look_in_place(char key[static MARKER_KEY_SIZE], const struct archive *a,
			 const struct state_dir *d, struct err *e)
{
	enum identity_origin origin;
	struct identity id = { 0 };
	int r = identity_load(&id, &origin, &d->at, false, e);

	if (r == 0)
		r = (int)compare(key, &id, &a->id);
	else if (r == -ENOENT)
		r = NOTHING_IN_PLACE;
	else if (r == -EBADMSG)
		r = (int)compare_remains(key, a, d);
	identity_wipe(&id);
	return r;
}

static int refuse_other(const char *key, const struct archive *a, const struct state_dir *d,
			struct err *e)
{
	char wanted[MARKER_KEY_SIZE];

	return err_exit(
		e, EXITS_POLICY, -EEXIST,
		"%.100s/%s.json is another node (%.44s) than the one to import (%s): "
		"--replace puts the new one in its place and keeps the old one as a snapshot",
		d->at.dir, a->ifname, key, wg_key_format(wanted, &a->id.public_key));
}

/* --- writing ------------------------------------------------------------------------------- */

static bool holds_already(const struct state_dir *d, const struct archive_file *f)
{
	char *data = malloc(ARCHIVE_FILE_MAX + 1);
	ssize_t n = data ? statefile_read(d->at.dirfd, f->name, data, ARCHIVE_FILE_MAX + 1, NULL)
			 : -ENOMEM;
	bool same = n >= 0 && (size_t)n == f->len && memcmp(data, f->data, f->len) == 0;

	if (n > 0)
		crypto_wipe(data, (size_t)n);
	free(data);
	return same;
}

static int write_file(const struct state_dir *d, const struct archive_file *f, struct err *e)
{
	char kept[SNAPSHOT_NAME_SIZE] = "";
	char path[sizeof(SNAPSHOT_DIR) + SNAPSHOT_NAME_SIZE];
	struct stat st;
	int r = 0;

	if (holds_already(d, f))
		return 0;
	if (fstatat(d->at.dirfd, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		r = snapshot_keep(kept, d->at.dirfd, f->name, e);
	if (r == 0)
		r = statefile_create(d->at.dirfd, f->name, f->data, f->len, e);
	if (r < 0)
		return r;
	statedir_give(d->at.dirfd, d->at.dirfd, f->name);
	(void)snprintf(path, sizeof(path), SNAPSHOT_DIR "/%s", kept);
	if (kept[0] != '\0')
		state_undo_move(d, path, f->name);
	else
		state_undo_remove(d, f->name);
	return 0;
}

static int write_all(const struct state_dir *d, const struct archive *a, struct err *e)
{
	struct identity_kept kept;
	int r = 0;

	for (size_t i = 0; i < a->n && r == 0; i++)
		if (a->files[i].kind != STATE_KEY)
			r = write_file(d, &a->files[i], e);
	if (r == 0)
		r = identity_replace(&a->id, &d->at, &kept, e);
	if (r == 0)
		state_undo_key(d, &kept);
	return r;
}

/* wgmesh-init judges storage for `wgmesh join` only, and an import is done by hand: -v is forgotten. */
static void warn_if_fleeting(const struct state_dir *d)
{
	struct statfs fs;
	const char *where;

	if (fstatfs(d->at.dirfd, &fs) < 0)
		return;
	where = fs.f_type == OVERLAYFS_SUPER_MAGIC ? "an overlay, as a container's own layer is"
		: fs.f_type == TMPFS_MAGIC	   ? "in memory"
						   : NULL;
	if (where)
		state_say("%s is %s: if no volume is mounted there, what was imported goes with "
			  "the container; mount one, and import again",
			  d->at.dir, where);
}

/* --- all together -------------------------------------------------------------------------- */

static int import_node(struct state_dir *d, const struct archive *a, const struct settings *s,
		       struct err *e)
{
	char key[MARKER_KEY_SIZE] = "";
	char text[160];
	int found = look_in_place(key, a, d, e);
	int r = found < 0 ? found : 0;

	state_describe(text, &a->id);
	if (found == SAME_IN_PLACE) {
		(void)printf("%s/%s.json is this node already: %s; nothing was changed\n",
			     d->at.dir, a->ifname, text);
		return EXITS_OK;
	}
	if (found == OTHER_IN_PLACE && !settings_flag(s, SETTING_REPLACE))
		r = refuse_other(key, a, d, e);
	if (r == 0)
		r = state_refuse_live(a, s, e);
	if (r == 0)
		r = write_all(d, a, e);
	if (r < 0)
		return state_fail(e);
	(void)printf("%s/%s.json is the imported node: %s\n", d->at.dir, a->ifname, text);
	warn_if_fleeting(d);
	return EXITS_OK;
}

int state_import(int argc, char **argv)
{
	const char *file = NULL;
	struct state_dir d;
	struct archive a;
	struct settings s;
	struct err e = { 0 };
	int code = state_arguments(&s, &usage, argc, argv, &file);

	if (code != 0)
		return code - 1;
	if (open_archive(&a, file, &s, &e) < 0) {
		archive_fini(&a);
		return state_fail(&e);
	}
	if (state_open(&d, &s, true, &e) < 0) {
		code = state_fail(&e);
	} else {
		/* The file names its interface; the default of the setting does not. */
		d.at.ifname = a.ifname;
		code = state_lock(&d, &s, &e) < 0 ? state_fail(&e) : import_node(&d, &a, &s, &e);
	}
	state_close(&d);
	archive_fini(&a);
	return code;
}
