/* SPDX-License-Identifier: MIT */
/* runtime_lease - while the daemon runs: what the keeper of the lease says, and what becomes of it */
#include "common/exits.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/supervise/runtime_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

/* A keeper that dies again so soon would do so for ever. */
#define SHORT_LIFE_MS 1000

_Static_assert(sizeof(struct keeper_task) <= SPAWNER_PAYLOAD_MAX, "a request to the spawner");

static void describe_loss(const struct keeper_report *report, char *out, size_t size)
{
	char who[HOLDER_TEXT_SIZE];

	holder_describe(&report->other.holder, who);
	(void)snprintf(out, size,
		       "the state directory was taken over by %.200s, because this container has "
		       "given no sign of life for too long",
		       who);
}

static int stop_signal(const struct runtime *rt)
{
	int sig = rt->boot->config.signals.to[SIGTERM];

	return sig ? sig : SIGTERM;
}

/* Somebody else is about to run with our identity, or does. */
static void stop_at_once(struct runtime *rt, const struct keeper_report *report)
{
	rt->boot->keeper.is_held = false;
	if (rt->revoked[0])
		return;
	describe_loss(report, rt->revoked, sizeof(rt->revoked));
	log_event(EVENT_LEASE_LOST, NULL, "%s: stopping", rt->revoked);
	runtime_feed(rt, (struct supervise_event) { .type = SUPERVISE_REVOKED,
						    .signal = stop_signal(rt),
						    .code = EXITS_LOCKED });
}

static void take_report(struct runtime *rt, const struct keeper_report *report)
{
	switch (report->news) {
	case LEASE_NEWS_LOST:
		stop_at_once(rt, report);
		break;
	case LEASE_NEWS_FAILING:
		log_event(EVENT_LEASE_RENEWAL_FAILED, NULL,
			  "the lease of %s cannot be renewed (%s): another container may take the "
			  "state directory over, and this one will then stop",
			  rt->boot->config.state_dir, strerror(-report->error));
		break;
	case LEASE_NEWS_BEATING:
		log_event(EVENT_LEASE_RENEWED, NULL, "the lease is renewed again");
		break;
	case LEASE_NO_NEWS:
	case LEASE_NEWS_WAITS:
	case LEASE_NEWS_REFUSED:
	case LEASE_NEWS_FAILED:
	case LEASE_NEWS_HELD:
	case LEASE_NEWS_RELEASED:
		break;
	}
}

void runtime_lease_hear(struct runtime *rt)
{
	struct keeper_report report;

	/* Its user is the daemon's: one at a time, however much is said. */
	if (keeper_hear(&rt->boot->keeper, &report))
		take_report(rt, &report);
}

int runtime_lease_check(struct runtime *rt, struct err *e)
{
	struct keeper_report report;
	char why[CAUSE_SIZE];

	while (keeper_hear(&rt->boot->keeper, &report)) {
		if (report.news != LEASE_NEWS_LOST)
			continue;
		describe_loss(&report, why, sizeof(why));
		return err_exit(e, EXITS_LOCKED, -EAGAIN, "%s", why);
	}
	return 0;
}

void runtime_lease_watch(struct runtime *rt)
{
	const struct keeper *k = &rt->boot->keeper;

	if (k->fd < 0)
		return;
	spawner_keep(&rt->spawner, k->task.fd);
	if (runtime_watch(rt, k->fd, EPOLLIN) < 0)
		log_event(EVENT_LEASE_UNWATCHED, NULL,
			  "the keeper of the lease cannot be listened to");
}

static void start_again(struct runtime *rt)
{
	struct keeper *k = &rt->boot->keeper;
	uint64_t now_ms = clock_mono_ms();
	bool is_futile = rt->keeper_ms > 0 && now_ms - rt->keeper_ms < SHORT_LIFE_MS;
	struct err e = { 0 };
	pid_t pid = -ECANCELED;

	rt->keeper_ms = now_ms;
	if (!is_futile)
		pid = spawner_start(&rt->spawner, LAUNCH_KEEPER, &k->task, sizeof(k->task), &e);
	if (pid > 0) {
		k->pid = pid;
		log_event(EVENT_LEASE_KEEPER_RESTARTED, NULL,
			  "the keeper of the lease was killed, and started again");
		return;
	}
	k->is_held = false;
	log_event(EVENT_LEASE_KEEPER_LOST, NULL,
		  "the lease is not renewed any more, because its keeper was killed and cannot be "
		  "started again%s%s: another container may take the state directory over; restart "
		  "this one",
		  e.msg[0] ? ": cannot " : "", e.msg);
}

void runtime_keeper_ended(struct runtime *rt, const struct reaped *end)
{
	struct keeper *k = &rt->boot->keeper;
	bool is_wanted = k->is_held;

	k->pid = 0;
	runtime_lease_hear(rt);
	if (!is_wanted || !k->is_held)
		return;
	log_event(EVENT_LEASE_KEEPER_ENDED, NULL, "the keeper ended with code %d", end->code);
	start_again(rt);
}

void runtime_lease_release(struct runtime *rt)
{
	struct keeper *k = &rt->boot->keeper;
	bool is_hung = rt->storage.watch.state == VOLWATCH_HUNG;
	const char *why;

	if (k->pid <= 0)
		return;
	why = is_hung ? "its storage does not answer" : "the network may not be down";
	if (!is_hung && (rt->is_network_down || !rt->machine.policy.has_hook)) {
		keeper_release(k);
		return;
	}
	if (k->is_held)
		log_event(EVENT_LEASE_KEPT, NULL,
			  "the lease is not given up, because %s: a successor waits until it has "
			  "run out",
			  why);
	k->is_held = false;
	(void)kill(k->pid, SIGKILL);
}
