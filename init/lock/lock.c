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
#include "init/state/fsuser.h"
#include "init/state/names.h"
#include "init/state/ownership.h"
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

int lock_try(int dirfd, uint64_t limit_ms, int *fd, struct err *e)
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

static void write_holder(int fd, const struct holder *me)
{
	char text[TEXT_MAX];
	size_t len = holder_format(me, text, sizeof(text));

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

/* What is asked of a lock file, or written into it; of storage that may come to hang while we wait. */
struct file_job {
	const struct config *config;
	int dirfd;
	int fd;
	bool is_current;
	struct holder holder;
};

static void run_is_current(void *data)
{
	struct file_job *job = data;

	job->is_current = is_current(job->dirfd, job->fd);
}

static void run_read(void *data)
{
	struct file_job *job = data;

	read_holder(job->fd, &job->holder);
}

static void run_write(void *data)
{
	struct file_job *job = data;
	const struct config *c = job->config;

	if (!has_one_name(job->dirfd, job->fd))
		return;
	/* Whoever is next may be that user from the start, and no repair of owners come in between. */
	if (c->may_change_user)
		(void)!fchown(job->fd, c->uid, c->gid);
	write_holder(job->fd, &job->holder);
}

static int run_limited(const struct boot *b, void (*run)(void *data), struct file_job *job)
{
	uint64_t limit_ms = call_limit_ms(b);

	if (limit_ms > 0)
		return child_run(run, job, sizeof(*job), limit_ms);
	run(job);
	return 0;
}

/* Who has it is good to know, and nothing to wait for: @out stays as it is where nobody can tell. */
static int find_holder(const struct boot *b, int fd, struct holder *out)
{
	struct file_job job = { .dirfd = b->state_fd, .fd = fd, .holder = *out };
	int r = run_limited(b, run_read, &job);

	*out = job.holder;
	return r == -EINTR ? r : 0;
}

/* Who we are, for the next one that has to wait. Not knowing everything is no reason to fail. */
static int sign(const struct boot *b, int fd)
{
	struct file_job job = { .config = &b->config, .dirfd = b->state_fd, .fd = fd };
	int r;

	holder_self(&job.holder);
	r = run_limited(b, run_write, &job);
	return r == -EINTR ? r : 0;
}

static int refuse_silence(const struct boot *b, int error, struct err *e)
{
	return err_exit(e, EXITS_IO, error == -ETIMEDOUT ? -EIO : error,
			"the storage of %.200s does not answer any more: a network file system "
			"whose server is away? (limit: --storage-timeout)",
			b->config.state_dir);
}

/* Return: 1 taken, or a negative errno value: -ETIMEDOUT when the other one stayed */
static int wait_in_line(const struct boot *b, const struct patience *p, int *fd, struct err *e)
{
	struct file_job job = { .dirfd = b->state_fd };
	int r = 0;

	while (r == 0) {
		r = take_in_child(*fd, F_OFD_SETLKW, left_ms(p));
		if (r != 1)
			return r < 0 ? err_set(e, r, "wait for the lock %s", NAMES_LOCK) : -EIO;
		job.fd = *fd;
		r = run_limited(b, run_is_current, &job);
		if (r < 0)
			return r == -EINTR ? r : refuse_silence(b, r, e);
		if (job.is_current)
			return 1;
		close_file(fd);
		r = lock_try(b->state_fd, call_limit_ms(b), fd, e);
	}
	return r;
}

static int wait_for_turn(const struct boot *b, const struct patience *p, int *fd, struct err *e)
{
	struct holder holder = { 0 };
	int r = find_holder(b, *fd, &holder);

	if (r < 0)
		return r;
	if (b->config.program == NULL)
		return lock_refuse(b, &holder, e);
	tenure_say_waiting(b, &holder, left_ms(p));
	r = wait_in_line(b, p, fd, e);
	if (r != -ETIMEDOUT)
		return r;
	r = find_holder(b, *fd, &holder);
	return r < 0 ? r : lock_refuse(b, &holder, e);
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

static int report_holder(struct boot *b, struct err *e)
{
	struct holder holder;
	struct holder me;
	bool is_held;
	auto_close int directory = -1;

	if (b->state_fd < 0)
		return boot_skip_stateless(b);
	if (is_remote(b))
		return tenure_report(b, e);
	is_held = lock_is_held(b->state_fd, &holder);
	if (!is_held && dirlock_take(b->state_fd, 0, &directory) == 0)
		return refuse_hidden(b, e);
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

/* As ourselves, or as the daemon's user: root without CAP_DAC_OVERRIDE may not open his files. */
static int try_as_either(const struct boot *b, int *fd, struct err *e)
{
	const struct config *c = &b->config;
	int r = lock_try(b->state_fd, call_limit_ms(b), fd, e);

	if (r == -EACCES && *fd < 0 && c->may_change_user && fsuser_swap(c->uid, c->gid)) {
		r = lock_try(b->state_fd, call_limit_ms(b), fd, e);
		(void)fsuser_swap(c->uid, c->gid);
	}
	return r == -EACCES && *fd < 0 ? ownership_refuse(c, "open the lock file", NAMES_LOCK, r, e)
				       : r;
}

/* Return: 1 taken, 0 where the file system has no locks that work, or a negative errno value */
static int take_lock(struct boot *b, const struct patience *p, struct err *e)
{
	auto_close int fd = -1;
	int r = try_as_either(b, &fd, e);

	if (r == 0)
		r = wait_for_turn(b, p, &fd, e);
	else if (r < 0 && fd >= 0 && r != -EINTR)
		return 0;
	if (r == 1 && !is_remote(b))
		r = take_directory(b, p, e);
	if (r == 1)
		r = sign(b, fd);
	if (r < 0)
		return r;
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
