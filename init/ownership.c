/* SPDX-License-Identifier: MIT */
#include "init/ownership.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "init/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define OVERFLOW_UID 65534
#define PERMISSIONS  07777

static bool is_group_of(const struct ownership_user *user, gid_t gid)
{
	if (gid == user->gid)
		return true;
	for (size_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] == gid)
			return true;
	return false;
}

bool ownership_can_use(const struct stat *st, const struct ownership_user *user)
{
	mode_t need = S_ISDIR(st->st_mode) ? 07 : 06;
	unsigned int shift = 0;

	/* The first class that fits decides, even when a later one would allow more. */
	if (st->st_uid == user->uid)
		shift = 6;
	else if (is_group_of(user, st->st_gid))
		shift = 3;
	return ((st->st_mode >> shift) & need) == need;
}

/* Kubernetes gives a volume to a group (fsGroup), and would do it again at the next start. */
static bool is_shared_by_group(const struct stat *st, const struct ownership_user *user)
{
	mode_t need = S_ISDIR(st->st_mode) ? S_IRWXG : S_IRGRP | S_IWGRP;

	if ((st->st_mode & need) != need || (st->st_mode & S_IRWXO) != 0)
		return false;
	return is_group_of(user, st->st_gid) || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISGID));
}

void ownership_decide(const struct stat *st, const struct ownership_user *user,
		      struct ownership_plan *out)
{
	mode_t mode = st->st_mode & PERMISSIONS;

	out->mode = S_ISDIR(st->st_mode) ? 0700 : 0600;
	out->chown = false;
	out->chmod = false;
	if (is_shared_by_group(st, user) && ownership_can_use(st, user))
		return;
	out->chown = st->st_uid != user->uid;
	out->chmod = mode != out->mode;
}

/* By the descriptor alone: the name may have been exchanged since. */
static int change_mode(int fd, mode_t mode)
{
	char path[40];

	if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) < 0 ? -errno : 0;
}

/*
 * The mode first: after the change of owner it may be no longer ours to change. And once more
 * afterwards, in case that it was only then ours.
 */
static int apply(int fd, const struct ownership_plan *plan, const struct ownership_user *user)
{
	int r = plan->chmod ? change_mode(fd, plan->mode) : 0;

	if (plan->chown && fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	return r < 0 ? change_mode(fd, plan->mode) : 0;
}

static void note_first(struct ownership_result *out, const char *name, const struct stat *st,
		       int error)
{
	if (out->first[0] != '\0')
		return;
	(void)snprintf(out->first, sizeof(out->first), "%s", name);
	out->first_stat = *st;
	out->first_error = error;
}

static void settle_entry(int fd, const char *name, const struct ownership_user *user, bool is_dry,
			 struct ownership_result *out)
{
	struct ownership_plan plan;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return;
	ownership_decide(&st, user, &plan);
	if (!plan.chown && !plan.chmod)
		return;
	r = is_dry ? 0 : apply(fd, &plan, user);
	if (r == 0) {
		out->fixed++;
		log_debug("ownership", "%s: owner %u:%u and mode %04o %s", name, st.st_uid,
			  st.st_gid, st.st_mode & PERMISSIONS,
			  is_dry ? "would be put right" : "put right");
		return;
	}
	/* Part of it may have worked. */
	(void)fstat(fd, &st);
	if (ownership_can_use(&st, user))
		out->tolerated++;
	else
		out->unusable++;
	note_first(out, name, &st, r);
}

static void settle_name(int dirfd, const char *name, const struct ownership_user *user, bool is_dry,
			struct ownership_result *out)
{
	auto_close int fd = io_open_beneath(dirfd, name, O_PATH, 0);
	struct stat st;

	if (fd < 0) {
		log_warn("ownership", "%s is left alone: %s", name,
			 fd == -EXDEV ? "it is a mount of its own" : strerror(-fd));
		out->left++;
		return;
	}
	if (fstat(fd, &st) < 0)
		return;
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1) {
		log_warn("ownership", "%s is left alone: it %s", name,
			 S_ISREG(st.st_mode) ? "has a second name (hard link)"
					     : "is not a regular file");
		out->left++;
		return;
	}
	settle_entry(fd, name, user, is_dry, out);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* Goes through the entries of one directory; with @only_ours, through those with a name of ours. */
static int settle_dir(int dirfd, bool only_ours, const struct ownership_user *user, bool is_dry,
		      struct ownership_result *out)
{
	int fd = io_open_beneath(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		int r = -errno;

		if (fd >= 0)
			(void)close(fd);
		return fd < 0 ? fd : r;
	}
	while ((d = readdir(dir)) != NULL) {
		if (is_dot(d->d_name) || (only_ours && !names_is_ours(d->d_name)) ||
		    strcmp(d->d_name, NAMES_SNAPSHOTS) == 0)
			continue;
		if (boot_is_stopped())
			return -EINTR;
		settle_name(dirfd, d->d_name, user, is_dry, out);
	}
	return 0;
}

static int settle_snapshots(int dirfd, const struct ownership_user *user, bool is_dry,
			    struct ownership_result *out)
{
	auto_close int fd = io_open_beneath(dirfd, NAMES_SNAPSHOTS, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		/* Root without CAP_DAC_OVERRIDE may not list it, but may still own it. */
		settle_name(dirfd, NAMES_SNAPSHOTS, user, is_dry, out);
		return 0;
	}
	r = settle_dir(fd, false, user, is_dry, out);
	settle_entry(fd, NAMES_SNAPSHOTS, user, is_dry, out);
	return r;
}

int ownership_repair(int dirfd, const struct ownership_user *user, bool is_dry,
		     struct ownership_result *out)
{
	int r;

	memset(out, 0, sizeof(*out));
	/* The files first: the directory may be no longer ours to search afterwards. */
	r = settle_snapshots(dirfd, user, is_dry, out);
	if (r == 0)
		r = settle_dir(dirfd, true, user, is_dry, out);
	if (r == 0)
		settle_entry(dirfd, ".", user, is_dry, out);
	return r;
}

int ownership_repair_directory(const char *dir, uid_t uid, gid_t gid)
{
	const struct ownership_user user = { .uid = uid, .gid = gid };
	struct ownership_plan plan;
	struct stat st;
	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	ownership_decide(&st, &user, &plan);
	return apply(fd, &plan, &user);
}

/* The first capability whose lack explains the failure, or NULL. */
static const char *missing_capability(void)
{
	if (geteuid() != 0)
		return NULL;
	if (!caps_has(CAP_CHOWN))
		return "CHOWN";
	if (!caps_has(CAP_FOWNER))
		return "FOWNER";
	return caps_has(CAP_DAC_OVERRIDE) ? NULL : "DAC_OVERRIDE";
}

static void describe_owner(const char *path, char out[static 96])
{
	struct stat st;

	if (stat(path, &st) < 0) {
		(void)snprintf(out, 96, "cannot be looked at");
		return;
	}
	(void)snprintf(out, 96, "belongs to %u:%u%s with mode %04o", st.st_uid, st.st_gid,
		       st.st_uid == OVERFLOW_UID ? " (a user not mapped here)" : "",
		       st.st_mode & PERMISSIONS);
}

int ownership_refuse(const struct config *c, const char *what, int error, struct err *e)
{
	const char *cap = missing_capability();
	char owner[96];
	char why[96];

	describe_owner(c->state_dir, owner);
	if (cap)
		(void)snprintf(why, sizeof(why), "wgmesh-init is root without CAP_%s", cap);
	else
		(void)snprintf(why, sizeof(why), "wgmesh-init runs as uid %u", geteuid());
	return err_exit(
		e, EXITS_NO_PERMISSION, error,
		"cannot %.60s: %.100s %s, the daemon is %u:%u, and %s; on the host run "
		"chown -R %u:%u on the volume%s%s%s, or run \"wgmesh-init fix-permissions\" "
		"as root",
		what, c->state_dir, owner, c->uid, c->gid, why, c->uid, c->gid,
		cap ? ", or add the capability (cap_add: [" : "", cap ? cap : "", cap ? "])" : "");
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

static int conclude(struct boot *b, const struct ownership_result *res, struct err *e)
{
	const char *verb = b->config.is_dry ? "would be" : "were";
	char what[128];

	if (res->unusable > 0) {
		bool is_directory = strcmp(res->first, ".") == 0;
		int r;

		(void)snprintf(what, sizeof(what), "give %.60s to the daemon",
			       is_directory ? "the directory" : res->first);
		r = ownership_refuse(&b->config, what, res->first_error, e);
		if (is_directory)
			return r;
		/* A key has good copies, and caches can be done without: that is judged next. */
		boot_warn(b, "%s", e->msg);
		boot_note(b, "%u entries cannot be used by the daemon", res->unusable);
		return OUTCOME_WARNED;
	}
	if (res->tolerated > 0) {
		boot_note(b,
			  "%u entries keep another owner or mode (%.64s: %u:%u %04o), which may "
			  "not be changed (%s); the daemon can work with them",
			  res->tolerated, res->first, res->first_stat.st_uid,
			  res->first_stat.st_gid, res->first_stat.st_mode & PERMISSIONS,
			  strerror(-res->first_error));
		return OUTCOME_WARNED;
	}
	if (res->fixed > 0)
		boot_note(b, "%u entries %s put right for user %u:%u", res->fixed, verb,
			  b->config.uid, b->config.gid);
	else
		boot_note(b, "all files belong to user %u:%u", b->config.uid, b->config.gid);
	return res->left > 0 ? OUTCOME_WARNED : OUTCOME_OK;
}

int ownership_settle(struct boot *b, struct err *e)
{
	struct ownership_user user;
	struct ownership_result res;
	int r;

	if (b->state_fd < 0) {
		boot_note(b, "there is no state directory yet");
		return OUTCOME_SKIPPED;
	}
	load_user(&b->config, &user);
	r = ownership_repair(b->state_fd, &user, b->config.is_dry, &res);
	if (r == -EINTR)
		return r;
	if (r < 0)
		return ownership_refuse(&b->config, "list the state directory", r, e);
	return conclude(b, &res, e);
}
