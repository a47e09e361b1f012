/* SPDX-License-Identifier: MIT */
#include "init/state/ownership.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "common/str.h"
#include "init/state/fsuser.h"
#include "init/state/names.h"
#include "init/state/plainfile.h"
#include "init/volume/statepath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define PERMISSIONS 07777
#define LEFT_NAMED  8

/* One walk through a state directory. */
struct repair {
	const struct ownership_user *user;
	bool is_dry;
	struct ownership_result *out;
};

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
	/* In a sticky directory, only the owner of a file may replace it. */
	mode_t forbidden = S_ISDIR(st->st_mode) ? S_IRWXO | S_ISVTX : S_IRWXO | S_ISUID | S_ISGID;

	if (user->is_strict || (st->st_mode & need) != need || (st->st_mode & forbidden) != 0)
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
static int try_change(int fd, const struct ownership_plan *plan, const struct ownership_user *user)
{
	int r = plan->chmod ? change_mode(fd, plan->mode) : 0;

	if (plan->chown && fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	return r < 0 ? change_mode(fd, plan->mode) : 0;
}

/* What root may not do, because a server takes it for nobody, say, the user himself perhaps may. */
static int change(int fd, const struct ownership_plan *plan, const struct ownership_user *user)
{
	int r = try_change(fd, plan, user);

	if ((r == -EPERM || r == -EACCES) && fsuser_swap(user->uid, user->gid)) {
		if (try_change(fd, plan, user) == 0)
			r = 0;
		(void)fsuser_swap(user->uid, user->gid);
	}
	return r;
}

/* As far as that can be told without trying. */
static int would_change(const struct stat *st, const struct ownership_plan *plan)
{
	if (plan->chown && !caps_may(CAP_CHOWN))
		return -EPERM;
	if (plan->chmod && st->st_uid != geteuid() && !caps_may(CAP_FOWNER))
		return -EPERM;
	return 0;
}

static void note_failure(struct ownership_result *out, const char *name, const struct stat *st,
			 int error)
{
	if (out->failed++ > 0)
		return;
	(void)str_visible(out->first, sizeof(out->first), name);
	out->first_stat = *st;
	out->first_error = error;
}

static void settle_entry(const struct repair *job, int fd, const char *name)
{
	struct ownership_plan plan;
	char visible[NAME_MAX + 1];
	struct stat st;
	int r;

	job->out->seen++;
	if (fstat(fd, &st) < 0)
		return;
	ownership_decide(&st, job->user, &plan);
	if (!plan.chown && !plan.chmod)
		return;
	r = job->is_dry ? would_change(&st, &plan) : change(fd, &plan, job->user);
	if (r < 0) {
		/* Part of it may have worked. */
		(void)fstat(fd, &st);
		note_failure(job->out, name, &st, r);
		return;
	}
	job->out->fixed++;
	log_event(EVENT_OWNERSHIP_FIXED, NULL, "%s: owner %u:%u and mode %04o %s",
		  str_visible(visible, sizeof(visible), name), st.st_uid, st.st_gid,
		  st.st_mode & PERMISSIONS, job->is_dry ? "would be put right" : "put right");
}

/* A directory full of traps is to be told of, and not to fill the log. */
static void leave(const struct repair *job, const char *why)
{
	job->out->seen++;
	if (job->out->left++ < LEFT_NAMED)
		log_event(EVENT_OWNERSHIP_LEFT, NULL, "left alone: %s", why);
}

/*
 * Where a file system cannot rename without replacing, a new file gets its name by a second link, and
 * whoever is killed then leaves both names (io_rename_new()). That is the one second name that is ours.
 */
static void drop_own_link(int dirfd, const char *name)
{
	char sibling[NAME_MAX + 1];
	struct stat st;
	struct stat other;

	if (statefile_sibling(sibling, sizeof(sibling), name) < 0 ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(dirfd, sibling, &other, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISREG(st.st_mode) && st.st_nlink == 2 && st.st_ino == other.st_ino &&
	    st.st_dev == other.st_dev)
		(void)unlinkat(dirfd, sibling, 0);
}

static void settle_name(const struct repair *job, int dirfd, const char *name)
{
	struct err why = { 0 };
	struct stat st;
	auto_close int fd = -1;

	if (!job->is_dry && names_is_state(name))
		drop_own_link(dirfd, name);
	fd = plainfile_look(dirfd, name, &st, &why);
	if (fd == -EACCES && fsuser_swap(job->user->uid, job->user->gid)) {
		fd = plainfile_look(dirfd, name, &st, &why);
		(void)fsuser_swap(job->user->uid, job->user->gid);
	}
	if (fd >= 0)
		settle_entry(job, fd, name);
	else if (fd != -ENOENT && fd != -ESTALE)
		leave(job, why.msg);
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

static int open_listing(const struct repair *job, int dirfd)
{
	int fd = io_open_beneath(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);

	if (fd == -EACCES && fsuser_swap(job->user->uid, job->user->gid)) {
		fd = io_open_beneath(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
		(void)fsuser_swap(job->user->uid, job->user->gid);
	}
	return fd;
}

/* Goes through the entries of one directory; with @only_ours, through those with a name of ours. */
static int settle_dir(const struct repair *job, int dirfd, bool only_ours)
{
	auto_close int fd = open_listing(job, dirfd);
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return fd < 0 ? fd : -errno;
	(void)steal_fd(&fd);
	while ((d = readdir(dir)) != NULL) {
		if (is_dot(d->d_name) || (only_ours && !names_is_ours(d->d_name)) ||
		    strcmp(d->d_name, NAMES_SNAPSHOTS) == 0)
			continue;
		settle_name(job, dirfd, d->d_name);
	}
	return 0;
}

/* The directory first: only whoever owns it may search it, where capabilities do not help. */
static void settle_snapshots(const struct repair *job, int dirfd)
{
	auto_close int fd = io_open_beneath(dirfd, NAMES_SNAPSHOTS, O_PATH, 0);
	struct stat st;
	int r;

	if (fd == -ENOENT)
		return;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) {
		leave(job, fd == -EXDEV ? NAMES_SNAPSHOTS " is a mount of its own"
					: NAMES_SNAPSHOTS " is not a directory");
		return;
	}
	settle_entry(job, fd, NAMES_SNAPSHOTS);
	r = settle_dir(job, fd, false);
	if (r < 0)
		note_failure(job->out, NAMES_SNAPSHOTS, &st, r);
}

int ownership_repair(int dirfd, const struct ownership_user *user, bool is_dry,
		     struct ownership_result *out)
{
	const struct repair job = { .user = user, .is_dry = is_dry, .out = out };
	int r;

	memset(out, 0, sizeof(*out));
	settle_snapshots(&job, dirfd);
	r = settle_dir(&job, dirfd, true);
	/* The directory last: it may be no longer ours to search afterwards. */
	settle_entry(&job, dirfd, ".");
	return r;
}

int ownership_repair_directory(const char *dir, uid_t uid, gid_t gid)
{
	const struct ownership_user user = { .uid = uid, .gid = gid };
	struct ownership_plan plan;
	struct stat st;
	auto_close int fd = statepath_open(dir, O_PATH);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	ownership_decide(&st, &user, &plan);
	return change(fd, &plan, &user);
}
