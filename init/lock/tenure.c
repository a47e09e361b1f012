/* SPDX-License-Identifier: MIT */
#include "init/lock/tenure.h"
#include "common/exits.h"
#include "init/clock.h"
#include "init/lock/leasedir.h"
#include "init/lock/lock.h"
#include "init/lock/self.h"
#include "init/process/child.h"
#include "init/state/names.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t lease_ms(const struct boot *b)
{
	return settings_number(&b->config.settings, SETTING_LEASE_TIME);
}

static uint64_t storage_ms(const struct boot *b)
{
	return settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT);
}

void tenure_say_waiting(const struct boot *b, const struct holder *h, uint64_t limit_ms)
{
	char who[HOLDER_TEXT_SIZE];

	holder_describe(h, who);
	boot_warn(b, "the state directory %.120s is in use by %s; waiting up to %llu.%llu s for it",
		  b->config.state_dir, who, (unsigned long long)(limit_ms / 1000),
		  (unsigned long long)(limit_ms % 1000 / 100));
}

/* --- taking it ------------------------------------------------------------------------------- */

static int start_keeper(struct boot *b, uint64_t limit_ms, bool is_locked, struct err *e)
{
	struct keeper *k = &b->keeper;
	pid_t pid;
	int r = keeper_open(k, e);

	if (r < 0)
		return r;
	holder_self(&k->task.me.holder);
	k->task.lease_ms = lease_ms(b);
	k->task.limit_ms = limit_ms;
	/* With the lock, and as PID 1, we know that nobody else lives here. */
	k->task.trusts_place = is_locked && getpid() == 1;
	pid = keeper_spawn(&k->task, &b->config, b->state_fd, getpid());
	if (pid < 0)
		return err_set(e, (int)pid, "fork the keeper of the lease");
	k->pid = pid;
	return 0;
}

static int refuse_failure(const struct boot *b, int error, struct err *e)
{
	int exit_code = EXITS_IO;

	if (error == -EACCES || error == -EPERM)
		exit_code = EXITS_NO_PERMISSION;
	else if (error == -ENOSPC || error == -EDQUOT || error == -EROFS)
		exit_code = EXITS_CANNOT_CREATE;
	return err_exit(e, exit_code, error,
			"cannot take the lease of the state directory %.200s (%s.N in it)",
			b->config.state_dir, NAMES_LEASE);
}

static int refuse_silence(const struct boot *b, int error, struct err *e)
{
	if (error == -ETIMEDOUT)
		return err_exit(e, EXITS_IO, error,
				"the storage of %.200s does not answer: a network file system "
				"whose server is away? (limit: --storage-timeout)",
				b->config.state_dir);
	return err_set(e, error, "wait for the lease of the state directory %.200s",
		       b->config.state_dir);
}

static int refuse_other(const struct boot *b, const struct lease_text *other, struct err *e)
{
	if (other->form != LEASE_NEWER)
		return lock_refuse(b, &other->holder, e);
	return err_exit(e, EXITS_LOCKED, -EAGAIN,
			"the lease of the state directory %.120s was written by a newer release, "
			"which may be running; run that release, or stop what uses the directory "
			"and remove its files %s.*",
			b->config.state_dir, NAMES_LEASE);
}

static int conclude(struct boot *b, const struct keeper_report *report, bool is_locked)
{
	const char *alone = is_locked ? "" : "; no lock could be had";
	char who[HOLDER_TEXT_SIZE];

	b->keeper.is_held = true;
	b->keeper.task.term = report->term;
	holder_describe(&report->other.holder, who);
	if (report->has_settled)
		boot_note(b,
			  "this is the only node that uses the state directory: it took the lease "
			  "over (term %llu%s) from %s, which has given no sign of life",
			  (unsigned long long)report->term, alone, who);
	else
		boot_note(
			b,
			"this is the only node that uses the state directory (lease, term %llu%s)",
			(unsigned long long)report->term, alone);
	return OUTCOME_OK;
}

int tenure_take(struct boot *b, uint64_t limit_ms, bool is_locked, struct err *e)
{
	struct keeper_report report;
	struct lease_times times;
	bool has_said = false;
	int r = start_keeper(b, limit_ms, is_locked, e);

	lease_divide(lease_ms(b), &times);
	while (r == 0) {
		r = keeper_await(&b->keeper, &report, times.poll_ms + storage_ms(b));
		if (r == -EINTR)
			return r;
		if (r < 0)
			return refuse_silence(b, r, e);
		switch (report.news) {
		case LEASE_NEWS_HELD:
			return conclude(b, &report, is_locked);
		case LEASE_NEWS_REFUSED:
			return refuse_other(b, &report.other, e);
		case LEASE_NEWS_WAITS:
			if (!has_said)
				tenure_say_waiting(b, &report.other.holder, limit_ms);
			has_said = true;
			break;
		case LEASE_NEWS_FAILED:
		case LEASE_NO_NEWS:
		case LEASE_NEWS_FAILING:
		case LEASE_NEWS_BEATING:
		case LEASE_NEWS_LOST:
		case LEASE_NEWS_RELEASED:
			return refuse_failure(b, report.error, e);
		}
	}
	return r;
}

/* --- reporting on it ------------------------------------------------------------------------- */

/* Filled in by a child, because the storage may hang. */
struct look {
	int dirfd;
	uint64_t poll_ms;
	uint64_t limit_ms;
	struct holder me;
	bool is_locked;
	struct holder locker;
	int error;
	struct lease_text lease;
	bool exists;
	bool is_alive;
};

/* Does its text change while we look on? */
static void watch(struct look *l, const struct lease_answer *first)
{
	uint64_t end_ms = clock_mono_ms() + l->limit_ms;
	struct lease_answer now;

	while (!l->is_alive && clock_mono_ms() < end_ms) {
		(void)poll(NULL, 0, (int)l->poll_ms);
		leasedir_read_current(l->dirfd, &now);
		l->is_alive = now.error == 0 &&
			      (now.highest != first->highest || strcmp(now.text, first->text) != 0);
	}
}

static void look_at(void *data)
{
	struct look *l = data;
	struct lease_answer a;

	l->is_locked = lock_is_held(l->dirfd, &l->locker);
	leasedir_read_current(l->dirfd, &a);
	l->error = a.error;
	l->exists = a.error == 0 && a.highest > 0;
	if (!l->exists)
		return;
	lease_parse(a.text, &l->lease);
	if (l->lease.form != LEASE_FREE && !holder_is_same_place(&l->lease.holder, &l->me))
		watch(l, &a);
}

static bool is_this_container(const struct look *l)
{
	const struct holder *other =
		l->exists && l->lease.form == LEASE_HELD ? &l->lease.holder : &l->locker;

	return holder_is_same_place(other, &l->me) && strcmp(other->host, l->me.host) == 0;
}

static int judge(struct boot *b, const struct look *l, struct err *e)
{
	char who[HOLDER_TEXT_SIZE];
	bool is_leased = l->exists && l->lease.form != LEASE_FREE;

	if (l->error < 0)
		return refuse_failure(b, l->error, e);
	if ((is_leased || l->is_locked) && is_this_container(l)) {
		boot_note(b, "the state directory is in use by this container itself");
		return OUTCOME_OK;
	}
	if (l->is_locked)
		return lock_refuse(b, &l->locker, e);
	if (!is_leased) {
		boot_note(b, "nobody uses the state directory");
		return OUTCOME_OK;
	}
	if (l->is_alive || l->lease.form == LEASE_NEWER)
		return refuse_other(b, &l->lease, e);
	holder_describe(&l->lease.holder, who);
	boot_note(b,
		  "the lease of the state directory belongs to %s, which gives no sign of life; a "
		  "start takes it over when that has lasted %llu s",
		  who, (unsigned long long)(lease_ms(b) / 1000));
	return OUTCOME_WARNED;
}

int tenure_report(struct boot *b, struct err *e)
{
	struct look l = { .dirfd = b->state_fd };
	struct lease_times times;
	int r;

	lease_divide(lease_ms(b), &times);
	l.poll_ms = times.poll_ms;
	l.limit_ms = 2 * times.beat_ms;
	holder_self(&l.me);
	r = child_run(look_at, &l, sizeof(l), storage_ms(b) + l.limit_ms);
	if (r == -EINTR)
		return r;
	return r < 0 ? refuse_silence(b, r, e) : judge(b, &l, e);
}
