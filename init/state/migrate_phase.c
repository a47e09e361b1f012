/* SPDX-License-Identifier: MIT */
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/log.h"
#include "common/str.h"
#include "init/process/child.h"
#include "init/state/fsuser.h"
#include "init/state/migrate.h"
#include "init/volume/statepath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How far the child came. */
enum stage {
	STAGE_ABSENT, /* there is no legacy directory */
	STAGE_SAME,   /* it is the state directory itself */
	STAGE_CLOSED, /* it cannot be opened */
	STAGE_DONE,
};

/* All of it in a child: the storage of either directory may hang. */
struct job {
	const struct boot *b; /* as it was when the child was made */
	enum stage stage;
	int result;
	struct err why;
	char key[32];
	struct keyshow keys;
	struct progress progress;
	struct migration m;
	struct migrate_report report;
};

static bool is_same_dir(int a, int b)
{
	struct stat x;
	struct stat y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static void set_up(struct job *job, int from_fd)
{
	const struct config *c = &job->b->config;

	job->keys = (struct keyshow) { .wgmesh = c->wgmesh,
				       .envp = c->env.list,
				       .dir = c->state_dir,
				       .uid = c->uid,
				       .gid = c->gid };
	job->m = (struct migration) { .from_fd = from_fd,
				      .to_fd = job->b->state_fd,
				      .uid = c->uid,
				      .gid = c->gid,
				      .change_owner = c->may_change_user,
				      .is_dry = c->is_dry,
				      .key = c->new_identity ? NULL : job->key,
				      .keys = c->wgmesh ? &job->keys : NULL,
				      .progress = &job->progress,
				      .report = &job->report };
}

static void run_job(void *data)
{
	struct job *job = data;
	const struct config *c = &job->b->config;
	auto_close int fd = -1;

	/* What could not be given away is better made by its owner. */
	if (c->may_change_user && !caps_may(CAP_CHOWN))
		fsuser_become(c->uid, c->gid);
	fd = statepath_open(c->legacy_dir, O_RDONLY);
	if (fd == -EACCES && c->may_change_user && fsuser_swap(c->uid, c->gid)) {
		fd = statepath_open(c->legacy_dir, O_RDONLY);
		(void)fsuser_swap(c->uid, c->gid);
	}
	if (fd < 0) {
		job->result = fd;
		job->stage = fd == -ENOENT || fd == -ENOTDIR ? STAGE_ABSENT : STAGE_CLOSED;
		return;
	}
	if (is_same_dir(fd, job->b->state_fd)) {
		job->stage = STAGE_SAME;
		return;
	}
	job->stage = STAGE_DONE;
	set_up(job, fd);
	job->result = migrate_run(&job->m, &job->why);
}

static int run_in_child(const struct boot *b, struct job *job, struct err *e)
{
	uint64_t limit_ms =
		CHILD_PATIENCE * settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT);
	int r = child_run_active(run_job, job, sizeof(*job), limit_ms, &job->progress.steps);

	if (r == -ETIMEDOUT)
		return err_exit(e, EXITS_IO, r,
				"the storage of the legacy directory %.120s or of %.120s stopped "
				"answering; mount a good one, or give up on the legacy one with "
				"--legacy-dir=none (limit: %d times --storage-timeout)",
				b->config.legacy_dir, b->config.state_dir, CHILD_PATIENCE);
	if (r == -EINTR)
		return r;
	return r < 0 ? err_exit(e, EXITS_INTERNAL, r, "migrate from %.200s", b->config.legacy_dir)
		     : 0;
}

static bool is_new_node(const struct boot *b)
{
	char key[32];
	struct stat st;

	(void)snprintf(key, sizeof(key), "%s.json", b->config.interface);
	return fstatat(b->state_fd, key, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Without a key in place, the key may be in there: then it is no time to go on. */
static int conclude_closed(struct boot *b, int error, struct err *e)
{
	if (is_new_node(b) && !b->config.new_identity)
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

/* Somebody who names a directory expects something to be in it. */
static int conclude_absent(struct boot *b, int error)
{
	bool is_given = settings_is_given(&b->config.settings, SETTING_LEGACY_DIR);

	if (is_given && is_new_node(b)) {
		boot_note(
			b,
			"the legacy directory %.100s that was asked for %s, so there is nothing to "
			"migrate: is it mounted?",
			b->config.legacy_dir,
			error == -ENOTDIR ? "is not a directory" : "does not exist");
		return OUTCOME_WARNED;
	}
	boot_note(b, "there is no legacy directory to migrate from");
	return OUTCOME_SKIPPED;
}

static int conclude_done(struct boot *b, const struct migration *m)
{
	const char *verb = m->is_dry ? "would be" : "were";

	if (m->unknown > 0)
		log_event(EVENT_FILES_LEFT, NULL,
			  "left in %.100s, because they are none of ours: %s%s",
			  b->config.legacy_dir, m->unknown_names,
			  strlen(m->unknown_names) + 1 == sizeof(m->unknown_names) ? "..." : "");
	if (m->copied + m->present + m->kept_aside + m->refused == 0) {
		boot_note(b, "%.100s holds nothing to migrate", b->config.legacy_dir);
		return OUTCOME_OK;
	}
	boot_note(b,
		  "%.100s: %u files %s copied, %u were here already, %u differ and %s kept aside, "
		  "%u refused; the originals stay",
		  b->config.legacy_dir, m->copied, verb, m->present, m->kept_aside, verb,
		  m->refused);
	return m->kept_aside + m->refused > 0 ? OUTCOME_WARNED : OUTCOME_OK;
}

static int conclude(struct boot *b, const struct job *job, struct err *e)
{
	switch (job->stage) {
	case STAGE_ABSENT:
		return conclude_absent(b, job->result);
	case STAGE_SAME:
		boot_note(b, "%.100s is the state directory itself: nothing to migrate",
			  b->config.legacy_dir);
		return OUTCOME_SKIPPED;
	case STAGE_CLOSED:
		return conclude_closed(b, job->result, e);
	case STAGE_DONE:
		break;
	}
	if (job->result < 0) {
		*e = job->why;
		return job->result;
	}
	return conclude_done(b, &job->m);
}

int migrate_legacy(struct boot *b, struct err *e)
{
	auto_free struct job *job = NULL;
	int r;

	if (!b->config.legacy_dir) {
		boot_note(b, "there is no legacy directory to migrate from");
		return OUTCOME_SKIPPED;
	}
	if (b->state_fd < 0)
		return boot_skip_stateless(b);
	job = calloc(1, sizeof(*job));
	if (!job)
		return err_set(e, -ENOMEM, "make room for a migration");
	job->b = b;
	(void)snprintf(job->key, sizeof(job->key), "%s.json", b->config.interface);
	r = run_in_child(b, job, e);
	if (r == 0 && b->migrated)
		*b->migrated = job->report;
	return r < 0 ? r : conclude(b, job, e);
}
