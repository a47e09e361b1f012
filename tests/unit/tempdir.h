/* SPDX-License-Identifier: MIT */
/* tempdir - a directory of its own for a test, and files in it */
#ifndef TESTS_UNIT_TEMPDIR_H
#define TESTS_UNIT_TEMPDIR_H

#include "tests/unit/test.h"

#include "common/io.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tempdir {
	char path[64];
	int fd;
};

static inline void tempdir_make(struct tempdir *d)
{
	(void)snprintf(d->path, sizeof(d->path), "/tmp/wgmesh-test.XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
}

static inline int tempdir_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void tempdir_remove(struct tempdir *d)
{
	(void)close(d->fd);
	assert_int_equal(nftw(d->path, tempdir_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void tempdir_write(const struct tempdir *d, const char *name, const char *text)
{
	int fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	(void)close(fd);
}

/* The file's text, in a buffer that the next call reuses; NULL when there is no such file. */
static inline const char *tempdir_read(const struct tempdir *d, const char *name)
{
	static char text[4096];
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = io_read_bounded(fd, text, sizeof(text) - 1);
	(void)close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static inline bool tempdir_has(const struct tempdir *d, const char *name)
{
	struct stat st;

	return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The fixture of a test that needs one directory: *state is a struct tempdir. */
static inline int tempdir_set_up(void **state)
{
	struct tempdir *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	tempdir_make(d);
	*state = d;
	return 0;
}

static inline int tempdir_tear_down(void **state)
{
	tempdir_remove(*state);
	free(*state);
	return 0;
}

#endif /* TESTS_UNIT_TEMPDIR_H */
