/* SPDX-License-Identifier: MIT */
#include "init/lock/keeper.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "init/clock.h"
#include "init/lock/leasedir.h"
#include "init/process/child.h"
#include "init/process/descriptors.h"
#include "init/process/mask.h"
#include "init/process/spawn.h"
#include "init/state/fsuser.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCESS_NAME "wgmesh-keeper"
#define RELEASE	     'r'
#define RELEASE_MS   1000

/* --- the keeper itself ----------------------------------------------------------------------- */

/**
 * struct keeping - A keeper at work
 * @task:	What it is to do
 * @lease:	Where it stands
 * @op:		What is done next
 * @answer:	What came of the last operation
 * @dirfd:	State directory
 * @parent:	Process number of wgmesh-init
 * @uid:	User to become
 * @gid:	Group to become
 * @may_become:	That has not happened yet
 */
struct keeping {
	struct keeper_task task;
	struct lease lease;
	struct lease_op op;
	struct lease_answer answer;
	int dirfd;
	pid_t parent;
	uid_t uid;
	gid_t gid;
	bool may_become;
};

/* Return: false when there is nobody left to work for */
static bool stay_with_parent(const struct keeping *k)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* After each change of user, which clears it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return getppid() == k->parent;
}

/* The lock of the state directory among others: it must not outlive PID 1 by a moment. */
static void close_others(int a, int b)
{
	unsigned int low = (unsigned int)(a < b ? a : b);
	unsigned int high = (unsigned int)(a < b ? b : a);

	if (low > STDERR_FILENO + 1)
		descriptors_close(STDERR_FILENO + 1, low - 1);
	if (high > low + 1)
		descriptors_close(low + 1, high - 1);
	descriptors_close(high + 1, UINT_MAX);
}

/*
 * Of root's rights those that reach files, and those to become the daemon's user. Where PID 1 reaches files
 * as that user already, root's own reach is none: it must not come back either.
 */
static void keep_little(const struct keeping *k)
{
	static const cap_value_t all[] = { CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_DAC_OVERRIDE };
	bool is_another = (uid_t)setfsuid((uid_t)-1) != geteuid();
	size_t n = ARRAY_LEN(all) - (is_another ? 1 : 0);

	if (k->may_become)
		(void)caps_keep_only(all, n, NULL);
	else
		(void)caps_keep_only(&all[ARRAY_LEN(all) - 1], is_another ? 0 : 1, NULL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool settle_in(struct keeping *k)
{
	close_others(k->dirfd, k->task.fd);
	(void)prctl(PR_SET_NAME, PROCESS_NAME, 0, 0, 0);
	keep_little(k);
	if (chdir("/") < 0)
		return false;
	return stay_with_parent(k);
}

static bool is_forbidden(const struct keeping *k)
{
	return k->answer.error == -EACCES || k->answer.error == -EPERM;
}

/*
 * At first the directory may be root's, and soon it is the daemon's; with root-squash it never is anybody
 * else's. So whatever works: as the daemon's user, and for good once that could write; else as before.
 *
 * Return: false when there is nobody left to work for
 */
static bool run(struct keeping *k)
{
	bool writes = k->op.what == LEASE_DO_CREATE || k->op.what == LEASE_DO_WRITE;

	if (!k->may_become) {
		leasedir_run(k->dirfd, &k->op, &k->answer);
		return true;
	}
	fsuser_become(k->uid, k->gid);
	leasedir_run(k->dirfd, &k->op, &k->answer);
	fsuser_revert();
	if (is_forbidden(k)) {
		leasedir_run(k->dirfd, &k->op, &k->answer);
		return true;
	}
	if (!writes || k->answer.error < 0 || caps_become(k->uid, k->gid, NULL, 0, NULL) < 0)
		return true;
	k->may_become = false;
	return stay_with_parent(k);
}

static void tell(const struct keeping *k, enum lease_news news)
{
	struct keeper_report report;

	if (news == LEASE_NO_NEWS)
		return;
	memset(&report, 0, sizeof(report));
	report.news = news;
	report.error = k->lease.error;
	report.term = k->lease.term;
	report.has_settled = k->lease.must_settle;
	report.other = k->lease.other;
	/* PID 1 may be busy for long, and then has no use for all the repetitions. */
	(void)send(k->task.fd, &report, sizeof(report), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int until(uint64_t at_ms)
{
	uint64_t now_ms = clock_mono_ms();

	if (at_ms <= now_ms)
		return 0;
	return at_ms - now_ms > INT_MAX ? INT_MAX : (int)(at_ms - now_ms);
}

static void rest(struct keeping *k)
{
	struct pollfd p = { .fd = k->lease.is_leaving ? -1 : k->task.fd, .events = POLLIN };
	char command = 0;

	if (poll(&p, 1, until(k->op.until_ms)) != 1)
		return;
	if (recv(k->task.fd, &command, 1, MSG_DONTWAIT) == 1 && command == RELEASE)
		lease_leave(&k->lease);
}

static int work(void *arg)
{
	struct keeping *k = arg;

	if (!settle_in(k))
		return EXITS_SYSTEM;
	do {
		tell(k, lease_next(&k->lease, &k->answer, clock_mono_ms(), &k->op));
		if (k->op.what == LEASE_DO_PAUSE)
			rest(k);
		else if (k->op.what != LEASE_DO_END && !run(k))
			return EXITS_SYSTEM;
	} while (k->op.what != LEASE_DO_END);
	return EXITS_OK;
}

pid_t keeper_spawn(const struct keeper_task *task, const struct config *c, int dirfd, pid_t parent)
{
	struct keeping k = { .task = *task,
			     .dirfd = dirfd,
			     .parent = parent,
			     .uid = c->uid,
			     .gid = c->gid,
			     .may_become = c->may_change_user };

	lease_init(&k.lease, &task->me, task->lease_ms);
	k.lease.limit_ms = task->limit_ms;
	k.lease.trusts_place = task->trusts_place;
	if (task->term > 0)
		lease_resume(&k.lease, task->term, clock_mono_ms());
	return spawn_function(work, &k);
}

/* --- and its line to PID 1 ------------------------------------------------------------------- */

void keeper_init(struct keeper *k)
{
	memset(k, 0, sizeof(*k));
	k->fd = -1;
	k->task.fd = -1;
}

static int make_id(char id[static LEASE_ID_SIZE])
{
	unsigned char bytes[(LEASE_ID_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(id + 2 * i, LEASE_ID_SIZE - 2 * i, "%02x", bytes[i]);
	return 0;
}

int keeper_open(struct keeper *k, struct err *e)
{
	int fds[2];
	int r = make_id(k->task.me.id);

	if (r < 0)
		return err_set(e, r, "get a random number for the lease");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_set(e, -errno, "make a line to the keeper of the lease");
	k->fd = fds[0];
	k->task.fd = fds[1];
	return 0;
}

static void terminate(struct lease_text *t)
{
	struct holder *h = &t->holder;

	t->id[sizeof(t->id) - 1] = '\0';
	h->host[sizeof(h->host) - 1] = '\0';
	h->container[sizeof(h->container) - 1] = '\0';
	h->pid[sizeof(h->pid) - 1] = '\0';
	h->since[sizeof(h->since) - 1] = '\0';
	h->boot[sizeof(h->boot) - 1] = '\0';
}

bool keeper_hear(const struct keeper *k, struct keeper_report *out)
{
	if (k->fd < 0 || recv(k->fd, out, sizeof(*out), MSG_DONTWAIT) != (ssize_t)sizeof(*out))
		return false;
	terminate(&out->other);
	return true;
}

static bool has_ended(struct keeper *k)
{
	struct reaped end;

	if (k->pid > 0 && reap_pid(&end, k->pid) == 0)
		return false;
	k->pid = 0;
	return true;
}

int keeper_await(struct keeper *k, struct keeper_report *out, uint64_t limit_ms)
{
	uint64_t end_ms = clock_mono_ms() + limit_ms;
	auto_close int stop_fd = mask_open_stop();
	auto_close int pid_fd = (int)syscall(SYS_pidfd_open, k->pid, 0);
	struct pollfd fds[] = { { .fd = k->fd, .events = POLLIN },
				{ .fd = stop_fd, .events = POLLIN },
				{ .fd = pid_fd, .events = POLLIN } };

	for (;;) {
		if (keeper_hear(k, out))
			return 0;
		if (has_ended(k))
			return keeper_hear(k, out) ? 0 : -ECHILD;
		if (until(end_ms) == 0)
			return -ETIMEDOUT;
		if (poll(fds, ARRAY_LEN(fds), until(end_ms)) > 0 && fds[1].revents != 0)
			return -EINTR;
	}
}

void keeper_release(struct keeper *k)
{
	const char command = RELEASE;

	k->is_held = false;
	if (k->pid > 0 && k->fd >= 0)
		(void)send(k->fd, &command, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void keeper_fini(struct keeper *k)
{
	struct reaped end = { 0 };

	keeper_release(k);
	if (k->pid > 0 && child_wait(&end, k->pid, RELEASE_MS) < 0)
		child_abandon(k->pid);
	if (k->fd >= 0)
		(void)close(k->fd);
	if (k->task.fd >= 0)
		(void)close(k->task.fd);
	keeper_init(k);
}
