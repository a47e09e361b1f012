/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "init/state/migrate_impl.h"
#include "init/state/names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOTS_PER_NAME 32

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* ".snapshots/wg0.json.N": what the daemon keeps of a key. Return: 1, 0 or a negative errno value */
int migrate_has_snapshot(const struct migration *m, const char *name)
{
	auto_close int fd = migrate_open_dir(m, m->to_fd, NAMES_SNAPSHOTS);
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	size_t len = strlen(name);
	int r;

	if (!dir)
		return fd < 0 ? (fd == -ENOENT ? 0 : fd) : -errno;
	(void)steal_fd(&fd);
	while ((d = migrate_next_entry(dir, &r)) != NULL) {
		const char *rest = d->d_name + len;

		if (strncmp(d->d_name, name, len) == 0 && rest[0] == '.' && rest[1] >= '0' &&
		    rest[1] <= '9')
			return 1;
	}
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
		log_event(EVENT_SNAPSHOTS_NOT_GIVEN, NULL, "cannot give %s to user %u:%u",
			  NAMES_SNAPSHOTS, m->uid, m->gid);
	return steal_fd(&fd);
}

/* Finds the first free "legacy-NAME.N"; 1 when one of those in use has the same bytes. */
static int name_snapshot(const struct migration *m, int dirfd, const struct migrate_item *it,
			 char out[static NAME_MAX + 1])
{
	for (unsigned int i = 1; i <= SNAPSHOTS_PER_NAME; i++) {
		int r;

		/* Cannot be cut: names_is_state() accepts no longer ones. */
		(void)snprintf(out, NAME_MAX + 1, "legacy-%.200s.%u", it->name, i);
		r = migrate_compare(m, dirfd, out, it->fd);
		if (r == -ENOENT)
			return 0;
		if (r == 1)
			return 1;
	}
	return -ENOSPC;
}

static int keep_aside(struct migration *m, const struct migrate_item *it,
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
	migrate_init_copy(m, &c, it->fd);
	c.to_dir = dirfd;
	c.name = snapshot;
	c.temporary = ".legacy.new";
	return filecopy_publish(&c, e);
}

/* Says it with both keys, if the two are key files. Return: true when somebody should look */
static bool tell_difference(struct migration *m, const struct migrate_item *it, const char *kept,
			    enum migrate_action action)
{
	struct keypair keys = { 0 };
	bool is_known = m->keys && keyshow_ask(m->keys, it->name, it->fd, &keys);

	if (is_known && strcmp(keys.here, keys.there) == 0) {
		migrate_record(m, it, action,
			       "the same key %s, other contents; the legacy one is %s", keys.here,
			       kept);
		log_event(EVENT_MIGRATE_SAME_KEY, NULL,
			  "%s has the same key in both directories, and other contents",
			  it->visible);
		return false;
	}
	if (keys.here[0] || keys.there[0]) {
		const char *here = keys.here[0] ? keys.here : "unreadable";
		const char *there = keys.there[0] ? keys.there : "unreadable";

		migrate_record(m, it, action, "key %s is and stays in use; the legacy %s is %s",
			       here, there, kept);
		log_event(EVENT_MIGRATE_OTHER_KEY, NULL,
			  "%s exists in both directories with different keys: %s, which stays in "
			  "use, and the legacy %s, which is %s",
			  it->visible, here, there, kept);
		return true;
	}
	migrate_record(m, it, action,
		       "other contents; the one in the state directory stays in use, the "
		       "legacy one is %s",
		       kept);
	log_event(EVENT_MIGRATE_OTHER_CONTENTS, NULL,
		  "%s exists in both directories with different contents; the one in the state "
		  "directory stays in use, the legacy one is %s",
		  it->visible, kept);
	return true;
}

int migrate_keep_aside(struct migration *m, const struct migrate_item *it, bool is_lost,
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
		migrate_record(m, it, action,
			       "it is missing here, but there are copies of it; the legacy "
			       "one is %s",
			       kept);
		log_event(EVENT_MIGRATE_SET_ASIDE, NULL,
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
