/* SPDX-License-Identifier: MIT */
#include "init/lock/leasedir.h"
#include "common/defs.h"
#include "common/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Opened anew each time, and by name: then NFS asks its server, whether somebody else has changed
 * it ("close-to-open"). The same holds for a file and its contents.
 */
static DIR *open_listing(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int saved = errno;

	if (!dir && fd >= 0)
		(void)close(fd);
	errno = saved;
	return dir;
}

static int list_terms(int dirfd, struct lease_answer *a)
{
	DIR *dir = open_listing(dirfd);
	const struct dirent *d;
	int r;

	if (!dir)
		return -errno;
	errno = 0;
	while ((d = readdir(dir)) != NULL) {
		uint64_t term = lease_term_of(d->d_name);

		if (term > a->highest)
			a->highest = term;
		if (term > 0 && (a->lowest == 0 || term < a->lowest))
			a->lowest = term;
	}
	r = -errno;
	(void)closedir(dir);
	return r;
}

static int open_term(int dirfd, uint64_t term, int flags)
{
	char name[LEASE_NAME_SIZE];

	lease_name(term, name);
	/* O_NONBLOCK: opening a planted FIFO must not wait for somebody at its other end. */
	return io_open_beneath(dirfd, name, flags | O_NONBLOCK | O_NOCTTY, 0600);
}

static int open_regular(int dirfd, uint64_t term, int flags, struct stat *st)
{
	auto_close int fd = open_term(dirfd, term, flags);

	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0)
		return -errno;
	return S_ISREG(st->st_mode) ? steal_fd(&fd) : -EINVAL;
}

/* What is longer than a lease of ours was not written by us, and is cut. */
static int read_term(int dirfd, uint64_t term, char text[static LEASE_TEXT_SIZE])
{
	struct stat st;
	auto_close int fd = open_regular(dirfd, term, O_RDONLY, &st);
	ssize_t n = fd < 0 ? fd : pread(fd, text, LEASE_TEXT_SIZE - 1, 0);

	if (n < 0)
		return fd < 0 ? fd : -errno;
	memset(text + n, 0, LEASE_TEXT_SIZE - (size_t)n);
	return 0;
}

static int create_term(int dirfd, uint64_t term)
{
	auto_close int fd = open_term(dirfd, term, O_WRONLY | O_CREAT | O_EXCL);

	if (fd < 0)
		return fd;
	return fsync(dirfd) < 0 && errno != EINVAL ? -errno : 0;
}

/* In place, see "Theory of operation" in lease.c. */
static int write_term(int dirfd, uint64_t term, const char *text)
{
	size_t len = strlen(text);
	struct stat st;
	auto_close int fd = open_regular(dirfd, term, O_WRONLY, &st);
	int r;

	if (fd < 0)
		return fd;
	r = io_write_full(fd, text, len);
	if (r == 0 && (size_t)st.st_size > len && ftruncate(fd, (off_t)len) < 0)
		r = -errno;
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int remove_term(int dirfd, uint64_t term)
{
	char name[LEASE_NAME_SIZE];

	lease_name(term, name);
	return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
}

void leasedir_run(int dirfd, const struct lease_op *op, struct lease_answer *a)
{
	memset(a, 0, sizeof(*a));
	switch (op->what) {
	case LEASE_DO_LIST:
		a->error = list_terms(dirfd, a);
		break;
	case LEASE_DO_READ:
		a->error = read_term(dirfd, op->term, a->text);
		break;
	case LEASE_DO_CREATE:
		a->error = create_term(dirfd, op->term);
		break;
	case LEASE_DO_WRITE:
		a->error = write_term(dirfd, op->term, op->text);
		break;
	case LEASE_DO_REMOVE:
		a->error = remove_term(dirfd, op->term);
		break;
	case LEASE_DO_PAUSE:
	case LEASE_DO_END:
		break;
	}
}

void leasedir_read_current(int dirfd, struct lease_answer *a)
{
	struct lease_op op = { .what = LEASE_DO_LIST };
	uint64_t term;

	leasedir_run(dirfd, &op, a);
	term = a->highest;
	if (a->error < 0 || term == 0)
		return;
	op = (struct lease_op) { .what = LEASE_DO_READ, .term = term };
	leasedir_run(dirfd, &op, a);
	a->highest = term;
}
