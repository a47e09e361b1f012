/* SPDX-License-Identifier: MIT */
#include "init/lock/lock.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "init/clock.h"
#include "init/lock/dirlock.h"
#include "init/lock/self.h"
#include "init/lock/tenure.h"
#include "init/process/child.h"
#include "init/state/names.h"
#include "init/state/plainfile.h"
#include "init/volume/fstype.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_MAX     512
#define REPLACED_MAX 100
#define ENDING_MS    500

static const struct flock whole_file = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

/* Something else of that name is not opened: a device may do more than being opened. */
static int open_file(int dirfd, int flags)
{
	struct stat st;
	auto_close int seen = plainfile_look(dirfd, NAMES_LOCK, &st, NULL);

	if (seen == -EINVAL || seen == -ELOOP || seen == -EXDEV)
		return seen;
	return io_open_beneath(dirfd, NAMES_LOCK, flags | O_NONBLOCK, 0600);
}

/* May it be written to? A second name may be that of a file elsewhere. */
static bool has_one_name(int dirfd, int fd)
{
	struct stat st;

	return plainfile_judge(fd, dirfd, NAMES_LOCK, &st, NULL) == 0;
}

/* Return: 1 taken, 0 held by another, or a negative errno value */
static int take(int fd, int command)
{
	struct flock lock = whole_file;

	if (fcntl(fd, command, &lock) == 0)
		return 1;
	return errno == EAGAIN || errno == EACCES ? 0 : -errno;
}

struct attempt {
	int fd;
	int command;
	int result;
};

static void run_attempt(void *data)
{
	struct attempt *a = data;

	a->result = take(a->fd, a->command);
}

/*
 * The lock belongs to the open file description, which a forked child shares: the child waits in
 * the kernel, for a holder or for a lock server, what it takes is ours, and it can be killed.
 */
static int take_in_child(int fd, int command, uint64_t limit_ms)
{
	struct attempt a = { .fd = fd, .command = command };
	int r = child_run(run_attempt, &a, sizeof(a), limit_ms);

	return r < 0 ? r : a.result;
}

/*
 * Somebody may remove the file between our opening and our locking it ("rm -rf"), and whoever comes
 * next locks another one of the same name.
 */
static bool is_current(int dirfd, int fd)
{
	struct stat ours;
	struct stat named;

	return fstat(fd, &ours) == 0 &&
	       fstatat(dirfd, NAMES_LOCK, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Takes the lock if it is free; in a child with a limit, unless that is 0. */
static int try_lock(int dirfd, uint64_t limit_ms, int *fd, struct err *e)
{
	int r = -ESTALE;

	*fd = -1;
	for (int i = 0; i < REPLACED_MAX && r == -ESTALE; i++) {
		close_file(fd);
		*fd = open_file(dirfd, O_RDWR | O_CREAT);
		if (*fd < 0)
			return err_exit(e, EXITS_CANNOT_CREATE, *fd, "open the lock file %s",
					NAMES_LOCK);
		r = limit_ms ? take_in_child(*fd, F_OFD_SETLK, limit_ms) : take(*fd, F_OFD_SETLK);
		if (r == 1 && !is_current(dirfd, *fd))
			r = -ESTALE;
	}
	return r < 0 ? err_set(e, r, "lock the file %s", NAMES_LOCK) : r;
}

int lock_try(int dirfd, int *fd, struct err *e)
{
	return try_lock(dirfd, 0, fd, e);
}

static void read_holder(int fd, struct holder *out)
{
	char text[TEXT_MAX + 1];
	ssize_t n = pread(fd, text, TEXT_MAX, 0);

	text[n < 0 ? 0 : n] = '\0';
	holder_parse(text, out);
}

bool lock_is_held(int dirfd, struct holder *holder)
{
	struct flock lock = whole_file;
	auto_close int fd = open_file(dirfd, O_RDWR);

	memset(holder, 0, sizeof(*holder));
	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return false;
	read_holder(fd, holder);
	return true;
}

/* Who we are, for the next one that has to wait. Not knowing everything is no reason to fail. */
static void write_holder(int fd)
{
	struct holder me;
	char text[TEXT_MAX];
	size_t len;

	holder_self(&me);
	len = holder_format(&me, text, sizeof(text));
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return;
	(void)io_write_full(fd, text, len);
}

int lock_refuse(const struct boot *b, const struct holder *h, struct err *e)
{
	char who[HOLDER_TEXT_SIZE];

	holder_describe(h, who);
	return err_exit(
		e, EXITS_LOCKED, -EAGAIN,
		"the state directory %.120s is in use by %.200s; two nodes cannot share one "
		"identity: stop the other one, or give this one a volume of its own",
		b->config.state_dir, who);
}

/* What is left of the time that we are ready to wait. */
struct patience {
	uint64_t limit_ms;
	uint64_t began_ms;
};

static uint64_t left_ms(const struct patience *p)
{
	uint64_t passed_ms = clock_mono_ms() - p->began_ms;

	return passed_ms < p->limit_ms ? p->limit_ms - passed_ms : 0;
}

/* The writable layer is a container's own, even where FUSE makes it (rootless Podman). */
static bool is_remote(const struct boot *b)
{
	return lease_is_needed(b->fs_type) && !fstype_is_layered(b->volume.type);
}

/* Only where a lock server may hang does it take a child to ask for a lock. */
static uint64_t call_limit_ms(const struct boot *b)
{
	uint64_t limit_ms = settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT);

	return is_remote(b) ? limit_ms + 1 : 0;
}

/* Return: 1 taken, or a negative errno value: -ETIMEDOUT when the other one stayed */
static int wait_in_line(const struct boot *b, const struct patience *p, int *fd, struct err *e)
{
	int r = 0;

	while (r == 0) {
		r = take_in_child(*fd, F_OFD_SETLKW, left_ms(p));
		if (r != 1)
			return r < 0 ? err_set(e, r, "wait for the lock %s", NAMES_LOCK) : -EIO;
		if (is_current(b->state_fd, *fd))
			return 1;
		close_file(fd);
		r = try_lock(b->state_fd, call_limit_ms(b), fd, e);
	}
	return r;
}

static int wait_for_turn(const struct boot *b, const struct patience *p, int *fd, struct err *e)
{
	struct holder holder;
	int r;

	read_holder(*fd, &holder);
	if (b->config.program == NULL)
		return lock_refuse(b, &holder, e);
	tenure_say_waiting(b, &holder, left_ms(p));
	r = wait_in_line(b, p, fd, e);
	if (r != -ETIMEDOUT)
		return r;
	read_holder(*fd, &holder);
	return lock_refuse(b, &holder, e);
}

static int report_holder(struct boot *b, struct err *e)
{
	struct holder holder;
	struct holder me;
	bool is_held;

	if (b->state_fd >= 0 && is_remote(b))
		return tenure_report(b, e);
	is_held = b->state_fd >= 0 && lock_is_held(b->state_fd, &holder);
	if (!is_held) {
		boot_note(b, "nobody uses the state directory");
		return OUTCOME_OK;
	}
	holder_self(&me);
	if (strcmp(me.host, holder.host) != 0 || strcmp(me.container, holder.container) != 0)
		return lock_refuse(b, &holder, e);
	boot_note(b, "the state directory is in use by this container itself, since %s",
		  holder.since);
	return OUTCOME_OK;
}

static int refuse_hidden(const struct boot *b, struct err *e)
{
	return err_exit(
		e, EXITS_LOCKED, -EAGAIN,
		"the state directory %.120s is in use by a container whose lock file %s was "
		"removed, which does not end its use; two nodes cannot share one identity: "
		"stop the other one, or give this one a volume of its own",
		b->config.state_dir, NAMES_LOCK);
}

/*
 * With the lock file in hand, only somebody whose file was removed can have the directory; or who is just
 * ending, in whatever order the kernel takes both locks away.
 */
static int take_directory(struct boot *b, const struct patience *p, struct err *e)
{
	int r = dirlock_take(b->state_fd, ENDING_MS, &b->dir_lock_fd);

	if (r == 0 && b->config.program) {
		boot_warn(b,
			  "the state directory %.120s is in use by a container whose lock file %s "
			  "was removed; waiting up to %llu s for it",
			  b->config.state_dir, NAMES_LOCK, (unsigned long long)(left_ms(p) / 1000));
		r = dirlock_take(b->state_fd, left_ms(p), &b->dir_lock_fd);
	}
	if (r == 0)
		return refuse_hidden(b, e);
	return r == 1 || r == -EINTR ? r : err_set(e, r, "lock the state directory itself");
}

/* Return: 1 taken, 0 where the file system has no locks that work, or a negative errno value */
static int take_lock(struct boot *b, const struct patience *p, struct err *e)
{
	auto_close int fd = -1;
	int r = try_lock(b->state_fd, call_limit_ms(b), &fd, e);

	if (r == 0)
		r = wait_for_turn(b, p, &fd, e);
	else if (r < 0 && fd >= 0 && r != -EINTR)
		return 0;
	if (r == 1 && !is_remote(b))
		r = take_directory(b, p, e);
	if (r < 0)
		return r;
	if (has_one_name(b->state_fd, fd))
		write_holder(fd);
	b->lock_fd = steal_fd(&fd);
	return 1;
}

int lock_acquire(struct boot *b, struct err *e)
{
	const struct patience p = {
		.limit_ms = settings_number(&b->config.settings, SETTING_LOCK_TIMEOUT),
		.began_ms = clock_mono_ms(),
	};
	int is_locked;

	if (b->config.is_dry)
		return report_holder(b, e);
	is_locked = take_lock(b, &p, e);
	if (is_locked < 0)
		return is_locked;
	if (!is_locked || is_remote(b))
		return tenure_take(b, b->config.program ? left_ms(&p) : 0, is_locked, e);
	boot_note(b, "this is the only node that uses the state directory");
	return OUTCOME_OK;
}
