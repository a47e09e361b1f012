/* SPDX-License-Identifier: MIT */
#include "init/migrate.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "init/filecopy.h"
#include "init/journal.h"
#include "init/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * DOC: Theory of operation
 *
 * Each known file of the legacy directory ends in one of four ways, and each is reached again by
 * the same steps after a crash:
 *
 *   not in place                 copied (filecopy.h), the source stays
 *   in place, same bytes         nothing to do
 *   in place, dealt with before  nothing to do (journal.h)
 *   in place, other bytes        the one in place stays, the legacy one goes to .snapshots, once
 *
 * The source is never written to, moved or removed. A marker beside it tells people that it was
 * migrated; no decision depends on that marker.
 */

#define COMPONENT	   "migrate"
#define SNAPSHOTS_PER_NAME 32

/*
 * A file that we do not trust is reported and left. One that we only cannot read may be the key
 * itself: going on would let the daemon make a new one.
 */
static int refuse_file(struct migration *m, const char *name, const struct err *why, struct err *e)
{
	bool is_unreadable = why->code == -EACCES || why->code == -EPERM || why->code == -EIO;

	if (is_unreadable && faccessat(m->to_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_exit(
			e, why->code == -EIO ? EXITS_IO : EXITS_NO_PERMISSION, why->code,
			"the legacy file %.100s exists but cannot be read, and it may be "
			"this node's identity; make it readable for uid %u, or give up on it "
			"with --legacy-dir=none",
			name, geteuid());
	log_warn(COMPONENT, "not migrated: %s", why->msg);
	m->refused++;
	return 0;
}

static void init_copy(const struct migration *m, struct filecopy *c, int from_fd)
{
	*c = (struct filecopy) { .from_fd = from_fd,
				 .to_dir = m->to_fd,
				 .change_owner = m->change_owner,
				 .uid = m->uid,
				 .gid = m->gid };
}

static int copy_file(struct migration *m, int fd, const char *name, struct err *e)
{
	char temporary[NAME_MAX + 1];
	struct filecopy c;
	int r = statefile_sibling(temporary, sizeof(temporary), name);

	if (r < 0)
		return err_set(e, r, "file name %s", name);
	m->copied++;
	if (m->is_dry) {
		log_info(COMPONENT, "%s would be copied", name);
		return 0;
	}
	init_copy(m, &c, fd);
	c.name = name;
	c.temporary = temporary;
	r = filecopy_publish(&c, e);
	if (r == 0)
		log_info(COMPONENT, "%s was copied and reads back equal", name);
	return r;
}

static int open_snapshots(const struct migration *m, struct err *e)
{
	auto_close int fd = -1;

	if (mkdirat(m->to_fd, NAMES_SNAPSHOTS, 0700) < 0 && errno != EEXIST)
		return err_exit(e, EXITS_CANNOT_CREATE, -errno, "create %s", NAMES_SNAPSHOTS);
	fd = io_open_beneath(m->to_fd, NAMES_SNAPSHOTS, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, fd, "open %s", NAMES_SNAPSHOTS);
	if (m->change_owner && fchown(fd, m->uid, m->gid) < 0)
		log_warn(COMPONENT, "cannot give %s to user %u:%u", NAMES_SNAPSHOTS, m->uid,
			 m->gid);
	return steal_fd(&fd);
}

/* Return: 1 when @name exists in @dirfd with the same bytes as @fd, 0 with others, or -ENOENT */
static int compare_with(int dirfd, const char *name, int fd)
{
	struct stat st;
	auto_close int other = filecopy_open(dirfd, name, &st, NULL);

	return other < 0 ? other : filecopy_is_equal(fd, other);
}

/* Finds the first free "legacy-NAME.N"; 1 when one of those in use has the same bytes. */
static int name_snapshot(int dirfd, const char *name, int fd, char out[static NAME_MAX + 1])
{
	for (unsigned int i = 1; i <= SNAPSHOTS_PER_NAME; i++) {
		int r;

		/* Cannot be cut: names_is_state() accepts no longer ones. */
		(void)snprintf(out, NAME_MAX + 1, "legacy-%.200s.%u", name, i);
		r = compare_with(dirfd, out, fd);
		if (r == -ENOENT)
			return 0;
		if (r == 1)
			return 1;
	}
	return -ENOSPC;
}

static int keep_aside(struct migration *m, int fd, const char *name, struct err *e)
{
	char snapshot[NAME_MAX + 1];
	struct filecopy c;
	auto_close int dirfd = open_snapshots(m, e);
	int r;

	if (dirfd < 0)
		return dirfd;
	r = name_snapshot(dirfd, name, fd, snapshot);
	if (r == 1)
		return 0;
	if (r < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, r, "keep a copy of the legacy %s in %s",
				name, NAMES_SNAPSHOTS);
	init_copy(m, &c, fd);
	c.to_dir = dirfd;
	c.name = snapshot;
	c.temporary = ".legacy.new";
	r = filecopy_publish(&c, e);
	if (r == 0)
		log_info(COMPONENT, "the legacy %s is kept as %s/%s", name, NAMES_SNAPSHOTS,
			 snapshot);
	return r;
}

static int handle_difference(struct migration *m, int fd, const char *name, struct err *e)
{
	m->kept_aside++;
	log_warn(COMPONENT,
		 "%s exists in both directories with different contents; the one in the state "
		 "directory stays in use%s",
		 name, m->is_dry ? "" : ", the legacy one is not lost");
	return m->is_dry ? 0 : keep_aside(m, fd, name, e);
}

static int migrate_file(struct migration *m, struct journal *j, const char *name, struct err *e)
{
	struct err why = { 0 };
	struct stat st;
	auto_close int fd = filecopy_open(m->from_fd, name, &st, &why);
	int r;

	if (fd < 0)
		return refuse_file(m, name, &why, e);
	r = compare_with(m->to_fd, name, fd);
	if (r == 1 || (r != -ENOENT && journal_has(j, name, &st))) {
		m->present++;
		r = 0;
	} else if (r == -ENOENT) {
		r = copy_file(m, fd, name, e);
	} else {
		r = handle_difference(m, fd, name, e);
	}
	if (r == 0)
		journal_add(j, name, &st);
	return r;
}

static void note_unknown(struct migration *m, const char *name)
{
	size_t used = strlen(m->unknown_names);

	m->unknown++;
	(void)snprintf(m->unknown_names + used, sizeof(m->unknown_names) - used, "%s%.40s",
		       used ? ", " : "", name);
}

static bool is_silent(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, NAMES_MARKER) == 0 || strcmp(name, "lost+found") == 0;
}

/* For people: what happened to this directory, and that it may go. */
static void leave_marker(const struct migration *m, const struct journal *j)
{
	int r = journal_store(j, m->from_fd, NAMES_MARKER);

	if (r < 0)
		log_info(COMPONENT,
			 "the legacy directory cannot be marked as migrated (%s); that changes "
			 "nothing",
			 strerror(-r));
}

static int finish(const struct migration *m, const struct journal *j, struct err *e)
{
	int r;

	if (m->is_dry)
		return 0;
	r = journal_store(j, m->to_fd, NAMES_JOURNAL);
	if (r < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, r, "write %s", NAMES_JOURNAL);
	leave_marker(m, j);
	return 0;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

int migrate_run(struct migration *m, struct err *e)
{
	struct journal j;
	int fd = io_open_beneath(m->from_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int r = 0;

	if (!dir)
		return err_exit(e, EXITS_IO, fd < 0 ? fd : -errno, "list the legacy directory");
	journal_load(&j, m->to_fd);
	while (r == 0 && (d = readdir(dir)) != NULL) {
		if (is_silent(d->d_name))
			continue;
		if (boot_is_stopped())
			return -EINTR;
		if (names_is_state(d->d_name))
			r = migrate_file(m, &j, d->d_name, e);
		else
			note_unknown(m, d->d_name);
	}
	return r < 0 ? r : finish(m, &j, e);
}

static bool is_same_dir(int a, int b)
{
	struct stat x;
	struct stat y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static int conclude(struct boot *b, const struct migration *m)
{
	const char *verb = m->is_dry ? "would be" : "were";

	if (m->unknown > 0)
		log_info(COMPONENT, "left in %.100s, because they are none of ours: %s%s",
			 b->config.legacy_dir, m->unknown_names,
			 strlen(m->unknown_names) + 1 == sizeof(m->unknown_names) ? "..." : "");
	boot_note(b,
		  "%.100s: %u files %s copied, %u were here already, %u differ and %s kept aside, "
		  "%u refused; the originals stay",
		  b->config.legacy_dir, m->copied, verb, m->present, m->kept_aside, verb,
		  m->refused);
	return m->kept_aside + m->refused > 0 ? OUTCOME_WARNED : OUTCOME_OK;
}

static int open_legacy(const struct boot *b)
{
	int fd;

	if (!b->config.legacy_dir || b->state_fd < 0)
		return -ENOENT;
	fd = open(b->config.legacy_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Without a key in place, the key may be in there: then it is no time to go on. */
static int handle_unreadable(struct boot *b, int error, struct err *e)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s.json", b->config.interface);
	if (faccessat(b->state_fd, key, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_exit(
			e, error == -EIO ? EXITS_IO : EXITS_NO_PERMISSION, error,
			"the legacy directory %.100s cannot be opened, and it may hold this "
			"node's identity; make it readable for uid %u, or give up on it with "
			"--legacy-dir=none",
			b->config.legacy_dir, geteuid());
	boot_note(b, "the legacy directory %.100s cannot be opened (%s): nothing migrated",
		  b->config.legacy_dir, strerror(-error));
	return OUTCOME_WARNED;
}

int migrate_legacy(struct boot *b, struct err *e)
{
	auto_close int fd = open_legacy(b);
	struct migration m = { .from_fd = fd,
			       .to_fd = b->state_fd,
			       .uid = b->config.uid,
			       .gid = b->config.gid,
			       .change_owner = b->config.may_change_user,
			       .is_dry = b->config.is_dry };
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR || (fd >= 0 && is_same_dir(fd, b->state_fd))) {
		boot_note(b, "there is no legacy directory to migrate from");
		return OUTCOME_SKIPPED;
	}
	if (fd < 0)
		return handle_unreadable(b, fd, e);
	r = migrate_run(&m, e);
	return r < 0 ? r : conclude(b, &m);
}
