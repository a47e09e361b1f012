/* SPDX-License-Identifier: MIT */
#include "init/migrate.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "common/str.h"
#include "init/filecopy.h"
#include "init/fsuser.h"
#include "init/journal.h"
#include "init/names.h"

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

#define COMPONENT	   "migrate"
#define SNAPSHOTS_PER_NAME 32

/* One file of the legacy directory. */
struct item {
	const char *name;
	char visible[NAME_MAX + 1];
	struct stat st;
	int fd;
};

__attribute__((format(printf, 4, 5))) static void record(struct migration *m, const struct item *it,
							 enum migrate_action action,
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
static int open_file(const struct migration *m, int dirfd, const char *name, struct stat *st,
		     struct err *e)
{
	int fd = filecopy_open(dirfd, name, st, e);

	if (fd == -EACCES && m->change_owner && fsuser_swap(m->uid, m->gid)) {
		fd = filecopy_open(dirfd, name, st, e);
		(void)fsuser_swap(m->uid, m->gid);
	}
	return fd;
}

static int open_dir(const struct migration *m, int dirfd, const char *name)
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
static const struct dirent *next_entry(DIR *dir, int *r)
{
	const struct dirent *d;

	errno = 0;
	d = readdir(dir);
	*r = d ? 0 : -errno;
	return d;
}

/* ".snapshots/wg0.json.N": what the daemon keeps of a key. Return: 1, 0 or a negative errno value */
static int has_snapshot(const struct migration *m, const char *name)
{
	auto_close int fd = open_dir(m, m->to_fd, NAMES_SNAPSHOTS);
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	size_t len = strlen(name);
	int r;

	if (!dir)
		return fd < 0 ? (fd == -ENOENT ? 0 : fd) : -errno;
	(void)steal_fd(&fd);
	while ((d = next_entry(dir, &r)) != NULL) {
		const char *rest = d->d_name + len;

		if (strncmp(d->d_name, name, len) == 0 && rest[0] == '.' && rest[1] >= '0' &&
		    rest[1] <= '9')
			return 1;
	}
	return r;
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
static int refuse_file(struct migration *m, const struct item *it, const struct err *why,
		       struct err *e)
{
	m->refused++;
	record(m, it, MIGRATE_REFUSED, "%s", why->msg);
	if (is_key(m, it->name) && !exists(m->to_fd, it->name) && has_snapshot(m, it->name) <= 0) {
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
	log_warn(COMPONENT, "not migrated: %s", why->msg);
	return 0;
}

static void init_copy(const struct migration *m, struct filecopy *c, int from_fd)
{
	*c = (struct filecopy) { .from_fd = from_fd,
				 .to_dir = m->to_fd,
				 .progress = m->progress,
				 .change_owner = m->change_owner,
				 .uid = m->uid,
				 .gid = m->gid };
}

static int copy_file(struct migration *m, const struct item *it, struct err *e)
{
	char temporary[NAME_MAX + 1];
	struct filecopy c;
	int r = statefile_sibling(temporary, sizeof(temporary), it->name);

	if (r < 0)
		return err_set(e, r, "file name %s", it->visible);
	m->copied++;
	if (m->is_dry) {
		log_info(COMPONENT, "%s would be copied", it->visible);
		record(m, it, MIGRATE_WOULD_COPY, "%s", "");
		return 0;
	}
	init_copy(m, &c, it->fd);
	c.name = it->name;
	c.temporary = temporary;
	r = filecopy_publish(&c, e);
	if (r < 0)
		return r;
	log_info(COMPONENT, "%s was copied and reads back equal", it->visible);
	record(m, it, MIGRATE_COPIED, "reads back equal; the original stays");
	return 0;
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
static int compare_with(const struct migration *m, int dirfd, const char *name, int fd)
{
	struct stat st;
	auto_close int other = open_file(m, dirfd, name, &st, NULL);

	return other < 0 ? other : filecopy_compare(fd, other, m->progress);
}

/* Finds the first free "legacy-NAME.N"; 1 when one of those in use has the same bytes. */
static int name_snapshot(const struct migration *m, int dirfd, const struct item *it,
			 char out[static NAME_MAX + 1])
{
	for (unsigned int i = 1; i <= SNAPSHOTS_PER_NAME; i++) {
		int r;

		/* Cannot be cut: names_is_state() accepts no longer ones. */
		(void)snprintf(out, NAME_MAX + 1, "legacy-%.200s.%u", it->name, i);
		r = compare_with(m, dirfd, out, it->fd);
		if (r == -ENOENT)
			return 0;
		if (r == 1)
			return 1;
	}
	return -ENOSPC;
}

static int keep_aside(struct migration *m, const struct item *it,
		      char snapshot[static NAME_MAX + 1], struct err *e)
{
	struct filecopy c;
	auto_close int dirfd = open_snapshots(m, e);
	int r;

	if (dirfd < 0)
		return dirfd;
	r = name_snapshot(m, dirfd, it, snapshot);
	if (r == 1)
		return 0;
	if (r < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, r, "keep a copy of the legacy %s in %s",
				it->visible, NAMES_SNAPSHOTS);
	init_copy(m, &c, it->fd);
	c.to_dir = dirfd;
	c.name = snapshot;
	c.temporary = ".legacy.new";
	return filecopy_publish(&c, e);
}

/* Says it with both keys, if the two are key files. Return: true when somebody should look */
static bool tell_difference(struct migration *m, const struct item *it, const char *kept,
			    enum migrate_action action)
{
	struct keypair keys = { 0 };
	bool is_known = m->keys && keyshow_ask(m->keys, it->name, it->fd, &keys);

	if (is_known && strcmp(keys.here, keys.there) == 0) {
		record(m, it, action, "the same key %s, other contents; the legacy one is %s",
		       keys.here, kept);
		log_info(COMPONENT, "%s has the same key in both directories, and other contents",
			 it->visible);
		return false;
	}
	if (keys.here[0] || keys.there[0]) {
		const char *here = keys.here[0] ? keys.here : "unreadable";
		const char *there = keys.there[0] ? keys.there : "unreadable";

		record(m, it, action, "key %s is and stays in use; the legacy %s is %s", here,
		       there, kept);
		log_warn(COMPONENT,
			 "%s exists in both directories with different keys: %s, which stays in "
			 "use, and the legacy %s, which is %s",
			 it->visible, here, there, kept);
		return true;
	}
	record(m, it, action,
	       "other contents; the one in the state directory stays in use, the "
	       "legacy one is %s",
	       kept);
	log_warn(COMPONENT,
		 "%s exists in both directories with different contents; the one in the state "
		 "directory stays in use, the legacy one is %s",
		 it->visible, kept);
	return true;
}

static int handle_difference(struct migration *m, const struct item *it, bool is_lost,
			     struct err *e)
{
	enum migrate_action action = m->is_dry ? MIGRATE_WOULD_KEEP_ASIDE : MIGRATE_KEPT_ASIDE;
	char snapshot[NAME_MAX + 1] = "";
	char kept[NAME_MAX + 32] = "left where it is";
	int r = m->is_dry ? 0 : keep_aside(m, it, snapshot, e);

	if (r < 0)
		return r;
	if (snapshot[0])
		(void)snprintf(kept, sizeof(kept), "kept as %s/%s", NAMES_SNAPSHOTS, snapshot);
	if (is_lost) {
		record(m, it, action,
		       "it is missing here, but there are copies of it; the legacy "
		       "one is %s",
		       kept);
		log_warn(COMPONENT,
			 "%s is missing, but %s has copies of it; so the legacy one does not take "
			 "its place, and is %s",
			 it->visible, NAMES_SNAPSHOTS, kept);
		m->kept_aside++;
	} else if (tell_difference(m, it, kept, action)) {
		m->kept_aside++;
	} else {
		m->present++;
	}
	return 0;
}

static int settle_file(struct migration *m, const struct journal *j, const struct item *it,
		       struct err *e)
{
	int r = compare_with(m, m->to_fd, it->name, it->fd);

	if (r == 1 || (r != -ENOENT && journal_has(j, it->name, &it->st))) {
		m->present++;
		record(m, it, MIGRATE_PRESENT, "%s",
		       r == 1 ? "the same bytes" : "migrated earlier, changed since");
		return 0;
	}
	if (r >= 0 || is_unfit(r))
		return handle_difference(m, it, false, e);
	if (r == -ENOENT)
		r = has_snapshot(m, it->name);
	if (r < 0)
		return err_exit(
			e, exit_code_of(r), r,
			"whether %.60s is in the state directory, or a copy of it, cannot be told; "
			"make both readable for uid %u",
			it->visible, geteuid());
	return r > 0 ? handle_difference(m, it, true, e) : copy_file(m, it, e);
}

static int migrate_file(struct migration *m, struct journal *j, struct item *it, struct err *e)
{
	struct err why = { 0 };
	auto_close int fd = open_file(m, m->from_fd, it->name, &it->st, &why);
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

static void note_unknown(struct migration *m, struct item *it)
{
	size_t used = strlen(m->unknown_names);

	(void)fstatat(m->from_fd, it->name, &it->st, AT_SYMLINK_NOFOLLOW);
	m->unknown++;
	(void)snprintf(m->unknown_names + used, sizeof(m->unknown_names) - used, "%s%.40s",
		       used ? ", " : "", it->visible);
	record(m, it, MIGRATE_UNKNOWN, "%s",
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
	struct item it = { .name = name, .fd = -1 };

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

int migrate_run(struct migration *m, struct err *e)
{
	struct journal j;
	auto_close int fd = open_dir(m, m->from_fd, ".");
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	int r = 0;

	if (!dir)
		return err_exit(e, EXITS_IO, fd < 0 ? fd : -errno, "list the legacy directory");
	(void)steal_fd(&fd);
	journal_load(&j, m->to_fd);
	while (r == 0 && (d = next_entry(dir, &r)) != NULL)
		r = migrate_entry(m, &j, d->d_name, e);
	if (m->report)
		migrate_sort(m->report);
	return r < 0 ? r : finish(m, &j, e);
}
