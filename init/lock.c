/* SPDX-License-Identifier: MIT */
#include "init/lock.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/str.h"
#include "init/child.h"
#include "init/clock.h"
#include "init/names.h"
#include "init/plainfile.h"
#include "init/spawn.h"
#include "init/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 512

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

int lock_try(int dirfd, int *fd, struct err *e)
{
	int r;

	*fd = open_file(dirfd, O_RDWR | O_CREAT);
	if (*fd < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, *fd, "open the lock file %s", NAMES_LOCK);
	r = take(*fd, F_OFD_SETLK);
	return r < 0 ? err_set(e, r, "lock the file %s", NAMES_LOCK) : r;
}

static void copy_value(char *out, size_t size, const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) == 0 && line[len] == '=')
		str_cut(out, size, line + len + 1, strcspn(line + len + 1, "\n"));
}

void lock_parse_holder(const char *text, struct lock_holder *out)
{
	memset(out, 0, sizeof(*out));
	while (*text) {
		copy_value(out->host, sizeof(out->host), text, "host");
		copy_value(out->container, sizeof(out->container), text, "container");
		copy_value(out->pid, sizeof(out->pid), text, "pid");
		copy_value(out->since, sizeof(out->since), text, "since");
		text += strcspn(text, "\n");
		text += *text == '\n' ? 1 : 0;
	}
}

static void read_holder(int fd, struct lock_holder *out)
{
	char text[TEXT_MAX + 1];
	ssize_t n = pread(fd, text, TEXT_MAX, 0);

	text[n < 0 ? 0 : n] = '\0';
	lock_parse_holder(text, out);
}

bool lock_is_held(int dirfd, struct lock_holder *holder)
{
	struct flock lock = whole_file;
	auto_close int fd = open_file(dirfd, O_RDWR);

	memset(holder, 0, sizeof(*holder));
	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return false;
	read_holder(fd, holder);
	return true;
}

static void describe_self(struct lock_holder *me)
{
	auto_free char *mounts = storage_read_mounts();

	memset(me, 0, sizeof(*me));
	(void)gethostname(me->host, sizeof(me->host) - 1);
	if (mounts)
		(void)mountinfo_container_id(mounts, me->container);
	clock_utc_text(me->since);
}

/* Who we are, for the next one that has to wait. Not knowing everything is no reason to fail. */
static void write_holder(int fd)
{
	struct lock_holder me;
	char text[TEXT_MAX];
	int n;

	describe_self(&me);
	n = snprintf(text, sizeof(text), "host=%s\npid=%d\ncontainer=%s\nsince=%s\n", me.host,
		     getpid(), me.container, me.since);
	if (n <= 0 || (size_t)n >= sizeof(text) || ftruncate(fd, 0) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return;
	(void)io_write_full(fd, text, (size_t)n);
}

static void describe(const struct lock_holder *h, char out[static 320])
{
	const char *host = h->host[0] ? h->host : "an unknown host";
	const char *pid = h->pid[0] ? h->pid : "?";
	const char *since = h->since[0] ? h->since : "an unknown time";

	if (h->container[0])
		(void)snprintf(out, 320, "%s (container %.12s), process %s, since %s", host,
			       h->container, pid, since);
	else
		(void)snprintf(out, 320, "%s, process %s, since %s", host, pid, since);
}

static int wait_for_lock(void *arg)
{
	const int *fd = arg;

	return take(*fd, F_OFD_SETLKW) == 1 ? 0 : 1;
}

/*
 * The lock belongs to the open file description, which a forked child shares: the child waits in
 * the kernel without any polling, what it takes is ours, and it can be killed when time is up.
 */
static int wait_in_child(int fd, uint64_t limit_ms)
{
	struct reaped end = { 0 };
	pid_t pid = spawn_function(wait_for_lock, &fd);
	int r;

	if (pid < 0)
		return (int)pid;
	r = child_wait(&end, pid, limit_ms);
	if (r < 0) {
		struct reaped killed = { 0 };

		child_abandon(pid);
		(void)child_wait(&killed, pid, 1000);
		return r;
	}
	return end.code == 0 ? 0 : -EIO;
}

static int refuse(const struct boot *b, const struct lock_holder *h, struct err *e)
{
	char who[320];

	describe(h, who);
	return err_exit(
		e, EXITS_LOCKED, -EAGAIN,
		"the state directory %.120s is in use by %.200s; two nodes cannot share one "
		"identity: stop the other one, or give this one a volume of its own",
		b->config.state_dir, who);
}

static int wait_for_turn(struct boot *b, int fd, struct err *e)
{
	uint64_t limit_ms = settings_number(&b->config.settings, SETTING_LOCK_TIMEOUT);
	struct lock_holder holder;
	char who[320];
	int r;

	read_holder(fd, &holder);
	describe(&holder, who);
	if (b->config.program == NULL)
		return refuse(b, &holder, e);
	boot_warn(b, "the state directory %.120s is in use by %s; waiting up to %llu.%llu s for it",
		  b->config.state_dir, who, (unsigned long long)(limit_ms / 1000),
		  (unsigned long long)(limit_ms % 1000 / 100));
	r = wait_in_child(fd, limit_ms);
	if (r == -ETIMEDOUT) {
		read_holder(fd, &holder);
		return refuse(b, &holder, e);
	}
	return r == 0 || r == -EINTR ? r : err_set(e, r, "wait for the lock %s", NAMES_LOCK);
}

static int report_holder(struct boot *b, struct err *e)
{
	struct lock_holder holder;
	struct lock_holder me;

	if (b->state_fd < 0 || !lock_is_held(b->state_fd, &holder)) {
		boot_note(b, "nobody uses the state directory");
		return OUTCOME_OK;
	}
	describe_self(&me);
	if (strcmp(me.host, holder.host) != 0 || strcmp(me.container, holder.container) != 0)
		return refuse(b, &holder, e);
	boot_note(b, "the state directory is in use by this container itself, since %s",
		  holder.since);
	return OUTCOME_OK;
}

int lock_acquire(struct boot *b, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (b->config.is_dry)
		return report_holder(b, e);
	r = lock_try(b->state_fd, &fd, e);
	if (r < 0 && fd < 0)
		return r;
	if (r < 0) {
		boot_note(b,
			  "the file system has no locks (%s): make sure that no other container "
			  "uses %.120s",
			  strerror(-r), b->config.state_dir);
		return OUTCOME_WARNED;
	}
	if (r == 0) {
		r = wait_for_turn(b, fd, e);
		if (r < 0)
			return r;
	}
	if (has_one_name(b->state_fd, fd))
		write_holder(fd);
	b->lock_fd = steal_fd(&fd);
	boot_note(b, "this is the only node that uses the state directory");
	return OUTCOME_OK;
}
