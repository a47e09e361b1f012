/* SPDX-License-Identifier: MIT */
#include "daemon/state/statedir.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/str.h"
#include "daemon/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 512
#define PAUSE_NS (20 * 1000 * 1000)

static const struct flock whole_file = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

int statedir_open(const char *path, bool create, struct err *e)
{
	int fd;

	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_exit(e, EXITS_CANNOT_CREATE, -errno,
				"the state directory %.200s cannot be made", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return err_exit(e, errno == EACCES ? EXITS_NO_PERMISSION : EXITS_IO, -errno,
			"the state directory %.200s cannot be opened by uid %u", path, geteuid());
}

void statedir_give(int dirfd, int subfd, const char *name)
{
	auto_close int fd = openat(subfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat file;
	struct stat dir;

	if (geteuid() != 0 || fd < 0 || fstat(dirfd, &dir) < 0 || fstat(fd, &file) < 0)
		return;
	/* A second name could be that of a file elsewhere, put here for us to give away. */
	if (file.st_uid != 0 || dir.st_uid == 0 || (S_ISREG(file.st_mode) && file.st_nlink != 1) ||
	    !(S_ISREG(file.st_mode) || S_ISDIR(file.st_mode)))
		return;
	if (fchownat(fd, "", dir.st_uid, dir.st_gid, AT_EMPTY_PATH) < 0)
		log_event(EVENT_STATE_DIR_NOT_GIVEN, NULL,
			  "%s could not be given to uid %u, which has to read it: %s", name,
			  dir.st_uid, strerror(errno));
}

static int open_lock(int dirfd, const char *file, int flags)
{
	int fd = openat(dirfd, file, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return -EINVAL;
}

/* For the next one that has to wait; not into a file that has a second name, perhaps elsewhere. */
static void write_holder(int fd)
{
	struct holder me = { 0 };
	char utc[STR_UTC_SIZE];
	char text[TEXT_MAX];
	struct stat st;
	size_t len;

	(void)gethostname(me.host, sizeof(me.host) - 1);
	(void)snprintf(me.pid, sizeof(me.pid), "%d", getpid());
	str_utc(utc, (uint64_t)clock_now().unix_s);
	(void)snprintf(me.since, sizeof(me.since), "%sZ", utc);
	len = holder_format(&me, text, sizeof(text));
	if (fstat(fd, &st) == 0 && st.st_nlink == 1 && ftruncate(fd, 0) == 0)
		(void)io_write_full(fd, text, len);
}

static int take(int fd, uint64_t patience_ms)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int64_t until_ms = clock_now().mono_ms + (int64_t)patience_ms;

	for (;;) {
		struct flock lock = whole_file;

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		if (clock_now().mono_ms >= until_ms)
			return -EAGAIN;
		(void)nanosleep(&pause, NULL);
	}
}

int statedir_lock(int *fd, int dirfd, const char *file, uint64_t patience_ms, struct err *e)
{
	auto_close int lock = open_lock(dirfd, file, O_RDWR | O_CREAT);
	int r;

	*fd = -1;
	if (lock < 0)
		return err_set(e, lock, "open the lock file %s", file);
	statedir_give(dirfd, dirfd, file);
	r = take(lock, patience_ms);
	if (r < 0)
		return err_set(e, r, "lock the file %s", file);
	write_holder(lock);
	*fd = steal_fd(&lock);
	return 0;
}

void statedir_describe(char out[static HOLDER_TEXT_SIZE], const char *text)
{
	struct holder h;

	holder_parse(text, &h);
	holder_describe(&h, out);
}

bool statedir_holder(char out[static HOLDER_TEXT_SIZE], int dirfd, const char *file)
{
	struct flock lock = whole_file;
	char text[TEXT_MAX + 1];
	ssize_t n;
	/* Asking needs no right to write: others look as well, also at a volume mounted read-only. */
	auto_close int fd = open_lock(dirfd, file, O_RDONLY);

	out[0] = '\0';
	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return false;
	n = pread(fd, text, TEXT_MAX, 0);
	text[n < 0 ? 0 : n] = '\0';
	statedir_describe(out, text);
	return true;
}
