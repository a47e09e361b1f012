/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "common/str.h"
#include "init/state/fsuser.h"
#include "init/state/journal.h"
#include "init/state/migrate_impl.h"
#include "init/state/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * DOC: Theory of operation
 *
 * Each known file of the legacy directory ends in one of five ways, and each is reached again by
 * the same steps after a crash:
 *
 *   not in place                 copied (filecopy.h), the source stays
 *   in place, same bytes         nothing to do
 *   in place, dealt with before  nothing to do (journal.h)
 *   in place, other bytes        the one in place stays, the legacy one goes to .snapshots, once
 *   lost, but there are copies   the same: an older key must not take the place of a lost one
 *
 * The source is never written to, moved or removed. A marker beside it tells people that it was
 * migrated; no decision depends on that marker.
 */

void migrate_record(struct migration *m, const struct migrate_item *it, enum migrate_action action,
		    const char *fmt, ...)
{
	struct migrate_report *report = m->report;
	struct migrate_file *f;
	va_list ap;

	if (!report)
		return;
	report->totals[action]++;
	if (action == MIGRATE_COPIED || action == MIGRATE_WOULD_COPY)
		report->bytes += (uint64_t)it->st.st_size;
	if (report->n == MIGRATE_FILES_MAX)
		return;
	f = &report->files[report->n++];
	str_cut(f->name, sizeof(f->name), it->visible, strlen(it->visible));
	f->action = action;
	f->bytes = (uint64_t)it->st.st_size;
	va_start(ap, fmt);
	(void)vsnprintf(f->note, sizeof(f->note), fmt, ap);
	va_end(ap);
}

/* Is it certain that there is something of that name? */
static bool exists(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* As ourselves, or as the daemon's user: root without CAP_DAC_OVERRIDE may not read his files. */
int migrate_open_file(const struct migration *m, int dirfd, const char *name, struct stat *st,
		      struct err *e)
{
	int fd = filecopy_open(dirfd, name, st, e);

	if (fd == -EACCES && m->change_owner && fsuser_swap(m->uid, m->gid)) {
		fd = filecopy_open(dirfd, name, st, e);
		(void)fsuser_swap(m->uid, m->gid);
	}
	return fd;
}

int migrate_open_dir(const struct migration *m, int dirfd, const char *name)
{
	int fd = io_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0);

	if (fd == -EACCES && m->change_owner && fsuser_swap(m->uid, m->gid)) {
		fd = io_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0);
		(void)fsuser_swap(m->uid, m->gid);
	}
	return fd;
}

static bool is_key(const struct migration *m, const char *name)
{
	return m->key && strcmp(name, m->key) == 0;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* The next entry, or NULL, with 0 or an error in @r: a list that was cut short may lack the key. */
const struct dirent *migrate_next_entry(DIR *dir, int *r)
{
	const struct dirent *d;

	errno = 0;
	d = readdir(dir);
	*r = d ? 0 : -errno;
	return d;
}

/* Errors that say what a file is, as opposed to those that say that nobody could look. */
static bool is_unfit(int error)
{
	return error == -ELOOP || error == -EINVAL || error == -EMLINK || error == -EFBIG ||
	       error == -ENXIO || error == -ENODEV || error == -EXDEV;
}

static int exit_code_of(int error)
{
	return error == -EACCES || error == -EPERM ? EXITS_NO_PERMISSION : EXITS_IO;
}

/*
 * A file that we do not trust is reported and left. But where it may be the node's only key, going on
 * would let the daemon make a new one.
 */
static int refuse_file(struct migration *m, const struct migrate_item *it, const struct err *why,
		       struct err *e)
{
	m->refused++;
	migrate_record(m, it, MIGRATE_REFUSED, "%s", why->msg);
	if (is_key(m, it->name) && !exists(m->to_fd, it->name) &&
	    migrate_has_snapshot(m, it->name) <= 0) {
		if (!is_unfit(why->code))
			return err_exit(
				e, exit_code_of(why->code), why->code,
				"the legacy key file %.60s exists but cannot be read, and it may "
				"be this node's identity; make it readable for uid %u, or give up "
				"on it with --legacy-dir=none",
				it->visible, geteuid());
		return err_exit(
			e, EXITS_POLICY, why->code,
			"in the legacy directory %.120s, so it is not migrated, and without it this "
			"node would get a new identity; put the key file itself into the state "
			"directory, or give up on it with --legacy-dir=none",
			why->msg);
	}
	log_event(EVENT_FILE_NOT_MIGRATED, NULL, "not migrated: %s", why->msg);
	return 0;
}

void migrate_init_copy(const struct migration *m, struct filecopy *c, int from_fd)
{
	*c = (struct filecopy) { .from_fd = from_fd,
				 .to_dir = m->to_fd,
				 .progress = m->progress,
				 .change_owner = m->change_owner,
				 .uid = m->uid,
				 .gid = m->gid };
}

static int copy_file(struct migration *m, const struct migrate_item *it, struct err *e)
{
	char temporary[NAME_MAX + 1];
	struct filecopy c;
	int r = statefile_sibling(temporary, sizeof(temporary), it->name);

	if (r < 0)
		return err_set(e, r, "file name %s", it->visible);
	m->copied++;
	if (m->is_dry) {
		log_event(EVENT_FILE_WOULD_BE_COPIED, NULL, "%s would be copied", it->visible);
		migrate_record(m, it, MIGRATE_WOULD_COPY, "%s", "");
		return 0;
	}
	migrate_init_copy(m, &c, it->fd);
	c.name = it->name;
	c.temporary = temporary;
	r = filecopy_publish(&c, e);
	if (r < 0)
		return r;
	log_event(EVENT_FILE_COPIED, NULL, "%s was copied and reads back equal", it->visible);
	migrate_record(m, it, MIGRATE_COPIED, "reads back equal; the original stays");
	return 0;
}

/* Return: 1 when @name exists in @dirfd with the same bytes as @fd, 0 with others, or -ENOENT */
int migrate_compare(const struct migration *m, int dirfd, const char *name, int fd)
{
	struct stat st;
	auto_close int other = migrate_open_file(m, dirfd, name, &st, NULL);

	return other < 0 ? other : filecopy_compare(fd, other, m->progress);
}

static int settle_file(struct migration *m, const struct journal *j, const struct migrate_item *it,
		       struct err *e)
{
	int r = migrate_compare(m, m->to_fd, it->name, it->fd);

	if (r == 1 || (r != -ENOENT && journal_has(j, it->name, &it->st))) {
		m->present++;
		migrate_record(m, it, MIGRATE_PRESENT, "%s",
			       r == 1 ? "the same bytes" : "migrated earlier, changed since");
		return 0;
	}
	if (r >= 0 || is_unfit(r))
		return migrate_keep_aside(m, it, false, e);
	if (r == -ENOENT)
		r = migrate_has_snapshot(m, it->name);
	if (r < 0)
		return err_exit(
			e, exit_code_of(r), r,
			"whether %.60s is in the state directory, or a copy of it, cannot be told; "
			"make both readable for uid %u",
			it->visible, geteuid());
	return r > 0 ? migrate_keep_aside(m, it, true, e) : copy_file(m, it, e);
}

static int migrate_file(struct migration *m, struct journal *j, struct migrate_item *it,
			struct err *e)
{
	struct err why = { 0 };
	auto_close int fd = migrate_open_file(m, m->from_fd, it->name, &it->st, &why);
	int r;

	if (fd >= 0 && is_key(m, it->name) && it->st.st_size > MIGRATE_KEY_MAX_BYTES) {
		(void)err_set(&why, -EFBIG, "%s is larger than any key file", it->visible);
		return refuse_file(m, it, &why, e);
	}
	if (fd < 0)
		return refuse_file(m, it, &why, e);
	it->fd = fd;
	progress_begin(m->progress, it->visible, (uint64_t)it->st.st_size);
	r = settle_file(m, j, it, e);
	if (r == 0)
		journal_add(j, it->name, &it->st);
	return r;
}

static void note_unknown(struct migration *m, struct migrate_item *it)
{
	size_t used = strlen(m->unknown_names);

	(void)fstatat(m->from_fd, it->name, &it->st, AT_SYMLINK_NOFOLLOW);
	m->unknown++;
	(void)snprintf(m->unknown_names + used, sizeof(m->unknown_names) - used, "%s%.40s",
		       used ? ", " : "", it->visible);
	migrate_record(m, it, MIGRATE_UNKNOWN, "%s",
		       names_is_ours(it->name)
			       ? "belongs to an earlier state directory itself, not to a node"
			       : "none of ours, left where it is");
	progress_step(m->progress, 0);
}

/* The state directory may lie in the legacy one. */
static bool is_state_dir(const struct migration *m, const char *name)
{
	struct stat a;
	struct stat b;

	return fstatat(m->from_fd, name, &a, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(a.st_mode) &&
	       fstat(m->to_fd, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool is_silent(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, NAMES_MARKER) == 0 || strcmp(name, "lost+found") == 0;
}

static int migrate_entry(struct migration *m, struct journal *j, const char *name, struct err *e)
{
	struct migrate_item it = { .name = name, .fd = -1 };

	if (is_silent(name))
		return 0;
	(void)str_visible(it.visible, sizeof(it.visible), name);
	if (names_is_state(name))
		return migrate_file(m, j, &it, e);
	if (!is_state_dir(m, name))
		note_unknown(m, &it);
	return 0;
}

/* For people: what happened to this directory, and that it may go. */
static void leave_marker(const struct migration *m, const struct journal *j)
{
	int r = journal_store(j, m->from_fd, NAMES_MARKER);

	if (r < 0)
		log_event(EVENT_LEGACY_UNMARKED, NULL,
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

static void load_journal(const struct migration *m, struct journal *j)
{
	journal_load(j, m->to_fd);
	if (j->len > 0 || !m->change_owner || !fsuser_swap(m->uid, m->gid))
		return;
	journal_load(j, m->to_fd);
	(void)fsuser_swap(m->uid, m->gid);
}

int migrate_run(struct migration *m, struct err *e)
{
	struct journal j;
	auto_close int fd = migrate_open_dir(m, m->from_fd, ".");
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	int r = 0;

	if (!dir)
		return err_exit(e, EXITS_IO, fd < 0 ? fd : -errno, "list the legacy directory");
	(void)steal_fd(&fd);
	load_journal(m, &j);
	while (r == 0 && (d = migrate_next_entry(dir, &r)) != NULL)
		r = migrate_entry(m, &j, d->d_name, e);
	if (m->report)
		migrate_sort(m->report);
	return r < 0 ? r : finish(m, &j, e);
}
