/* SPDX-License-Identifier: MIT */
#include "init/state/trial.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/str.h"
#include "init/state/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST	NAMES_TRIAL
#define RENAMED NAMES_TRIAL ".renamed"

static void fail(struct trial_failure *f, int error, const char *step, const char *name)
{
	if (f->error < 0)
		return;
	f->error = error;
	(void)snprintf(f->step, sizeof(f->step), "%s", step);
	(void)str_visible(f->name, sizeof(f->name), name);
}

static void fail_file(struct trial *t, int error, const char *step, const char *name)
{
	t->n_files++;
	fail(&t->file, error, step, name);
}

static void remove_leftovers(int dirfd)
{
	(void)unlinkat(dirfd, FIRST, 0);
	(void)unlinkat(dirfd, RENAMED, 0);
}

/* Return: the step that fails, with its error in @error; NULL when all went well */
static const char *write_in(int dirfd, int *error)
{
	const char *step = NULL;
	auto_close int fd = -1;

	remove_leftovers(dirfd);
	fd = openat(dirfd, FIRST, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* A directory of that name is a nuisance, and says nothing about the user. */
	if (fd < 0 && errno == EEXIST)
		return NULL;
	if (fd < 0)
		step = "create a file";
	else if (renameat(dirfd, FIRST, dirfd, RENAMED) < 0)
		step = "rename a file";
	else if (unlinkat(dirfd, RENAMED, 0) < 0)
		step = "remove a file";
	*error = -errno;
	if (step)
		remove_leftovers(dirfd);
	return step;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Opens a file for reading, if it is one: links, FIFOs and devices are others' business. */
static int try_to_read(int dirfd, const char *name, const struct stat *st)
{
	int fd;

	if (!S_ISREG(st->st_mode))
		return 0;
	fd = io_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd == -EXDEV || fd == -ENOENT || fd == -ELOOP ? 0 : fd;
	(void)close(fd);
	return 0;
}

static bool is_stuck(const struct trial *t, int dirfd, const struct stat *st)
{
	struct stat dir;

	return fstat(dirfd, &dir) == 0 && (dir.st_mode & S_ISVTX) && dir.st_uid != t->uid &&
	       st->st_uid != t->uid;
}

static void try_file(struct trial *t, int dirfd, const char *name)
{
	struct stat st;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	r = try_to_read(dirfd, name, &st);
	if (r < 0 && strcmp(name, t->key) == 0)
		fail(&t->key_read, r, "read a file", name);
	else if (r < 0)
		fail_file(t, r, "read a file", name);
	else if (S_ISREG(st.st_mode) && is_stuck(t, dirfd, &st))
		fail_file(t, -EPERM, "replace a file in a sticky directory", name);
}

static void try_snapshot(struct trial *t, int dirfd, const char *name)
{
	size_t len = strlen(t->key);
	struct stat st;

	if (strncmp(name, t->key, len) != 0 || name[len] != '.' ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	if (try_to_read(dirfd, name, &st) == 0)
		t->n_snapshots++;
	else
		fail_file(t, -EACCES, "read a file", name);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

typedef void try_fn(struct trial *t, int dirfd, const char *name);

static int try_all(struct trial *t, int dirfd, bool only_state, try_fn *try_one)
{
	auto_close int fd = io_open_beneath(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
	__attribute__((cleanup(close_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir)
		return fd < 0 ? fd : -errno;
	(void)steal_fd(&fd);
	while ((d = readdir(dir)) != NULL)
		if (!is_dot(d->d_name) && (!only_state || names_is_state(d->d_name)))
			try_one(t, dirfd, d->d_name);
	return 0;
}

static void try_snapshots(struct trial *t, int dirfd)
{
	auto_close int fd = io_open_beneath(dirfd, NAMES_SNAPSHOTS, O_RDONLY | O_DIRECTORY, 0);
	const char *step = NULL;
	int error = fd;

	if (fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR || fd == -EXDEV)
		return;
	if (fd < 0)
		step = "open a directory";
	else
		step = write_in(fd, &error);
	if (step)
		fail_file(t, error, step, NAMES_SNAPSHOTS);
	if (fd >= 0)
		(void)try_all(t, fd, false, try_snapshot);
}

void trial_run(struct trial *t)
{
	struct err why = { 0 };
	auto_close int fd = -1;
	const char *step;
	int r = caps_become(t->uid, t->gid, NULL, 0, &why);

	if (r < 0) {
		fail(&t->work, r, "become the daemon's user", "");
		return;
	}
	fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fail(&t->work, -errno, "open the directory", "");
		return;
	}
	step = write_in(fd, &r);
	if (step) {
		fail(&t->work, r, step, "");
		return;
	}
	try_snapshots(t, fd);
	r = try_all(t, fd, true, try_file);
	if (r < 0)
		fail(&t->work, r, "list the directory", "");
}
