/* SPDX-License-Identifier: MIT */
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/kstat.h"
#include "common/log.h"
#include "init/process/child.h"
#include "init/process/user.h"
#include "init/state/denial.h"
#include "init/state/ownership.h"
#include "init/state/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * DOC: Theory of operation
 *
 * Two steps in a child, because the storage may hang: the repair, as ourselves; and then the trial, as
 * the daemon's user. What the repair could not change matters only if the trial says so. If the trial
 * fails where the mode promised that a group may work, the mode is not believed, and everything is done
 * once more, strictly.
 */

#define PERMISSIONS 07777

struct work {
	int state_fd;
	bool is_dry;
	struct ownership_user user;
	struct ownership_result res;
	bool was_tried;
	struct trial trial;
};

static void run_work(void *data)
{
	struct work *w = data;

	/* What cannot be listed, the trial tells too. */
	(void)ownership_repair(w->state_fd, &w->user, w->is_dry, &w->res);
	/* What a dry run leaves as it is cannot be tried as it would be. */
	w->was_tried = !w->is_dry || w->res.fixed == 0;
	if (w->was_tried)
		trial_run(&w->trial);
}

static void load_user(const struct config *c, struct ownership_user *user)
{
	int n = 0;

	memset(user, 0, sizeof(*user));
	user->uid = c->uid;
	user->gid = c->gid;
	/* A change of user gives the supplementary groups up. */
	if (!c->may_change_user)
		n = getgroups(OWNERSHIP_GROUPS_MAX, user->groups);
	user->n_groups = n > 0 ? (size_t)n : 0;
}

static void prepare(const struct boot *b, struct work *w)
{
	memset(w, 0, sizeof(*w));
	w->state_fd = b->state_fd;
	w->is_dry = b->config.is_dry;
	load_user(&b->config, &w->user);
	(void)snprintf(w->trial.dir, sizeof(w->trial.dir), "%s", b->config.state_dir);
	(void)snprintf(w->trial.key, sizeof(w->trial.key), "%s.json", b->config.interface);
	w->trial.uid = b->config.uid;
	w->trial.gid = b->config.gid;
}

static int run_in_child(const struct boot *b, struct work *w, struct err *e)
{
	uint64_t limit_ms =
		CHILD_PATIENCE * settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT);
	int r = child_run_active(run_work, w, sizeof(*w), limit_ms, &w->res.seen);

	if (r == -ETIMEDOUT)
		return err_exit(e, EXITS_IO, r,
				"the storage of %.200s stopped answering while owners and modes "
				"were looked at; a network file system whose server is away? "
				"(limit: %d times --storage-timeout)",
				b->config.state_dir, CHILD_PATIENCE);
	if (r == -EINTR)
		return r;
	return r < 0 ? err_exit(e, EXITS_INTERNAL, r, "look at the owners of %.200s",
				b->config.state_dir)
		     : 0;
}

static bool is_access_error(int error)
{
	return error == -EACCES || error == -EPERM;
}

static bool is_denied(const struct trial *t)
{
	return is_access_error(t->work.error) || t->key_read.error < 0 || t->n_files > 0;
}

/* The first capability whose lack explains the failure, or NULL. */
static const char *missing_capability(void)
{
	if (!caps_may(CAP_CHOWN))
		return "CHOWN";
	if (!caps_may(CAP_FOWNER))
		return "FOWNER";
	return caps_may(CAP_DAC_OVERRIDE) ? NULL : "DAC_OVERRIDE";
}

/* In a child, because it is the storage that is asked. */
struct look {
	char path[PATH_MAX];
	struct stat st;
	bool is_there;
	bool is_immutable;
};

static void run_look(void *data)
{
	struct look *l = data;

	l->is_there = lstat(l->path, &l->st) == 0;
	/* The state directory's own path may be a symbolic link. */
	if (l->is_there && S_ISLNK(l->st.st_mode))
		l->is_there = stat(l->path, &l->st) == 0;
	l->is_immutable = kstat_is_immutable(l->path);
}

/*
 * The kernel shows every owner that is not mapped as this one. Where the number itself is mapped too,
 * it may be just that user; but then root could have changed it.
 */
static bool is_unmapped(uid_t uid)
{
	return uid == DENIAL_OVERFLOW_ID && !user_has_all() &&
	       (!user_is_mapped(uid) || caps_may(CAP_CHOWN));
}

static bool is_usable(const struct config *c, const struct stat *st)
{
	struct ownership_user user;

	load_user(c, &user);
	return ownership_can_use(st, &user);
}

int ownership_refuse(const struct config *c, const char *what, const char *name, int error,
		     struct err *e)
{
	uint64_t limit_ms = settings_number(&c->settings, SETTING_STORAGE_TIMEOUT);
	struct look l = { 0 };
	struct denial d = { .what = what,
			    .path = l.path,
			    .missing = missing_capability(),
			    .euid = geteuid(),
			    .uid = c->uid,
			    .gid = c->gid };

	(void)snprintf(l.path, sizeof(l.path), "%s%s%s", c->state_dir, name[0] ? "/" : "", name);
	(void)child_run(run_look, &l, sizeof(l), limit_ms);
	d.st = l.is_there ? &l.st : NULL;
	d.is_above = error == -EACCES && l.is_there && is_usable(c, &l.st);
	d.is_immutable = l.is_immutable;
	d.is_unmapped = l.is_there && is_unmapped(l.st.st_uid);
	return denial_explain(&d, error, e);
}

static int refuse_failure(const struct boot *b, const struct trial_failure *f, struct err *e)
{
	if (!is_access_error(f->error))
		return err_exit(e, EXITS_IO, f->error, "the daemon's user cannot %s in %.200s%s%s",
				f->step, b->config.state_dir, f->name[0] ? "/" : "", f->name);
	return ownership_refuse(&b->config, f->step, f->name, f->error, e);
}

/* A key has good copies, and caches can be done without: that is judged later. */
static int warn_of_files(struct boot *b, const struct trial *t)
{
	const struct trial_failure *f = t->key_read.error < 0 ? &t->key_read : &t->file;
	unsigned int n = t->n_files + (t->key_read.error < 0 ? 1 : 0);
	struct err why = { 0 };

	(void)refuse_failure(b, f, &why);
	boot_warn(b, "%s", why.msg);
	boot_note(b, "%u files cannot be used by the daemon, %.100s the first of them", n, f->name);
	return OUTCOME_WARNED;
}

static int conclude_repair(struct boot *b, const struct work *w)
{
	const struct ownership_result *res = &w->res;
	const char *what = res->fixed == 1 ? "entry" : "entries";
	const char *done = res->fixed == 1 ? "was" : "were";

	if (res->failed > 0) {
		boot_note(b,
			  "%u entries keep another owner or mode (%.64s: %u:%u %04o), which may "
			  "not be changed (%s); %s",
			  res->failed, res->first, res->first_stat.st_uid, res->first_stat.st_gid,
			  res->first_stat.st_mode & PERMISSIONS, strerror(-res->first_error),
			  w->was_tried
				  ? "the daemon can work with them"
				  : "whether the daemon can work with them shows at the start");
		return OUTCOME_WARNED;
	}
	if (res->fixed > 0)
		boot_note(b, "%u %s %s put right for user %u:%u", res->fixed, what,
			  b->config.is_dry ? "would be" : done, b->config.uid, b->config.gid);
	else
		boot_note(b, "all files belong to user %u:%u, who can work with them",
			  b->config.uid, b->config.gid);
	return res->left > 0 ? OUTCOME_WARNED : OUTCOME_OK;
}

static int conclude(struct boot *b, const struct work *w, struct err *e)
{
	const struct trial *t = &w->trial;

	if (t->work.error < 0)
		return refuse_failure(b, &t->work, e);
	/* Nothing to restore it from: that is no damage, and this is how it is put right. */
	if (t->key_read.error < 0 && t->n_snapshots == 0 && !b->config.new_identity)
		return refuse_failure(b, &t->key_read, e);
	if (t->key_read.error < 0 || t->n_files > 0)
		return warn_of_files(b, t);
	return conclude_repair(b, w);
}

int ownership_settle(struct boot *b, struct err *e)
{
	struct work w;
	int r;

	if (b->state_fd < 0)
		return boot_skip_stateless(b);
	prepare(b, &w);
	r = run_in_child(b, &w, e);
	if (r == 0 && is_denied(&w.trial) && !b->config.is_dry) {
		prepare(b, &w);
		w.user.is_strict = true;
		r = run_in_child(b, &w, e);
	}
	return r < 0 ? r : conclude(b, &w, e);
}
