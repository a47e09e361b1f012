/* SPDX-License-Identifier: MIT */
/* runtime_act - carries out what the state machine says */
#include "common/defs.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/process/signame.h"
#include "init/supervise/forward.h"
#include "init/supervise/runtime_impl.h"
#include "init/supervise/sweep.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define WRITE_MS 300

static uint32_t random_number(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		n = (uint32_t)clock_mono_us();
	return n;
}

void runtime_arm_timer(struct runtime *rt, uint64_t at_ms)
{
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at_ms / 1000),
						 .tv_nsec = (long)(at_ms % 1000) * 1000000 } };

	rt->timer_at_ms = at_ms;
	if (rt->timer_fd >= 0)
		(void)timerfd_settime(rt->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

bool runtime_is_wrapper(const struct runtime *rt)
{
	return rt->boot->config.is_plain && rt->machine.policy.restart == RESTART_NEVER;
}

struct log_as runtime_news(const struct runtime *rt)
{
	return (struct log_as) { .level = runtime_is_wrapper(rt) ? LOG_LEVEL_DEBUG
								 : LOG_LEVEL_INFO };
}

/* Return: process number, or 0 with the failure as the next event in @next */
static pid_t start(struct runtime *rt, enum launch_job job, struct supervise_event *next)
{
	struct err e = { 0 };
	pid_t pid = spawner_start(&rt->spawner, job, &rt->group, sizeof(rt->group), &e);

	if (pid > 0)
		return pid;
	if (pid == -EPIPE)
		log_event(EVENT_LAUNCH_FAILED, NULL, "%s", e.msg);
	else
		log_event(EVENT_LAUNCH_FAILED, NULL, "cannot %s: %s%s", e.msg, strerror((int)-pid),
			  job == LAUNCH_DAEMON ? "; trying again" : "");
	*next = (struct supervise_event) {
		.type = job == LAUNCH_DAEMON ? SUPERVISE_SPAWN_FAILED : SUPERVISE_HOOK_DONE,
		.is_final = pid == -EPIPE,
	};
	return 0;
}

static void start_daemon(struct runtime *rt, struct supervise_event *next)
{
	char pid[12];

	rt->launch.stderr_fd = relay_start(&rt->relay);
	rt->says[0] = '\0';
	rt->is_cloned = false;
	rt->daemon = start(rt, LAUNCH_DAEMON, next);
	if (rt->daemon == 0)
		return;
	/* The program first, where it has to share a processor with us: what follows can wait. */
	if (!rt->is_settled)
		(void)sched_yield();
	rt->group = rt->daemon;
	(void)snprintf(pid, sizeof(pid), "%d", rt->daemon);
	log_event_as(EVENT_DAEMON_STARTED, runtime_news(rt), LOG_FIELDS({ "pid", pid }),
		     "%s started", config_program_name(&rt->boot->config));
}

static void start_hook(struct runtime *rt, struct supervise_event *next)
{
	rt->hook = start(rt, LAUNCH_HOOK, next);
	if (rt->hook == 0)
		log_event(EVENT_NETWORK_LEFT, NULL, "the network is not taken down");
	else
		log_event(EVENT_TAKEDOWN_STARTED, NULL, "taking %s down",
			  rt->boot->config.interface);
}

static void kill_hook(const struct runtime *rt)
{
	if (rt->hook <= 0)
		return;
	log_event(EVENT_TAKEDOWN_KILLED, NULL, "taking the network down took too long, killing it");
	(void)kill(rt->hook, SIGKILL);
}

/* Both: it may have left its group, and others be left in it. */
static void kill_daemon(const struct runtime *rt)
{
	if (rt->daemon <= 0)
		return;
	(void)kill(-rt->daemon, SIGKILL);
	(void)kill(rt->daemon, SIGKILL);
}

/* Return: false when there is nobody left to tell */
static bool term_all(const struct runtime *rt)
{
	if (!sweep_signal(SIGTERM, rt->group))
		return false;
	/* A stopped process would not see it. */
	(void)sweep_signal(SIGCONT, rt->group);
	return true;
}

/* The value goes along when the signal is passed on as it came. */
static void forward_stop(const struct runtime *rt, int sig)
{
	bool group = settings_flag(&rt->boot->config.settings, SETTING_SIGNAL_GROUP);

	if (rt->stop.ssi_signo != 0)
		forward_as_sent(rt->daemon, group, sig, &rt->stop);
	else
		forward_signal(rt->daemon, group, sig);
}

static void log_stop(const struct runtime *rt, int sig)
{
	char came[SIGNAME_SIZE];
	char passed_on[SIGNAME_SIZE];
	int from = (int)rt->stop.ssi_signo;

	/* Not asked for, and said before. */
	if (from == 0)
		return;
	log_event_as(EVENT_STOP_REQUESTED, runtime_news(rt),
		     from == sig ? NULL
				 : LOG_FIELDS({ "passed_on_as", signame_of(sig, passed_on) }),
		     "%s: stopping, for at most %llu ms", signame_of(from, came),
		     (unsigned long long)rt->machine.policy.stop_timeout_ms);
}

static void log_kill(const struct runtime *rt)
{
	static const char *const reasons[] = {
		[SUPERVISE_KILLED_NOT] = "hangs",
		[SUPERVISE_KILLED_SILENT] = "has sent no watchdog beat in time",
		[SUPERVISE_KILLED_TRIGGER] = "asks to be restarted",
		[SUPERVISE_KILLED_UNREADY] = "did not get ready in time",
		[SUPERVISE_KILLED_LINGERING] = "said that it stops, and does not",
		[SUPERVISE_KILLED_STOP] = "does not stop",
	};

	log_event(EVENT_DAEMON_KILLED, NULL, "%s %s: killing it",
		  config_program_name(&rt->boot->config), reasons[rt->machine.killed]);
}

/* What the step means to somebody who reads the log. */
static void log_step(const struct runtime *rt, const struct supervise_step *step, bool was_forced)
{
	const struct supervise *m = &rt->machine;

	if (m->state == SUPERVISE_BACKOFF && (step->actions & SUPERVISE_DO_ARM))
		log_event(EVENT_RESTART_DELAYED, NULL,
			  "next start in %llu.%03u s (failure %u of %d)",
			  (unsigned long long)(m->delay_ms / 1000),
			  (unsigned int)(m->delay_ms % 1000), m->failures, SUPERVISE_LOOP_FAILURES);
	if (m->state == SUPERVISE_HOLDING && step->actions)
		log_event(EVENT_RESTART_LOOP_HELD, NULL,
			  "giving up after %u failures in a row: holding the container for "
			  "inspection until a stop signal; %s",
			  m->failures, rt->cause);
	if (step->actions & SUPERVISE_DO_FORWARD)
		log_stop(rt, step->signal);
	if (step->actions & SUPERVISE_DO_KILL_DAEMON)
		log_kill(rt);
	if ((step->actions & SUPERVISE_DO_KILL_ALL) && !was_forced)
		log_event(EVENT_LEFTOVERS_KILLED, NULL, "killing what still runs");
}

/*
 * Whoever writes down why the daemon had to be killed, or that the lease is free, would be killed as
 * well; it gets a moment, in which storage that works takes a line.
 */
static void await_writers(const struct runtime *rt)
{
	const pid_t pids[] = { rt->recorder, rt->boot->keeper.pid };
	uint64_t end_ms = clock_mono_ms() + WRITE_MS;

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		auto_close int fd = pids[i] > 0 ? (int)syscall(SYS_pidfd_open, pids[i], 0) : -1;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now_ms = clock_mono_ms();

		if (fd >= 0)
			(void)poll(&p, 1, now_ms < end_ms ? (int)(end_ms - now_ms) : 0);
	}
}

static void kill_all(const struct runtime *rt)
{
	await_writers(rt);
	(void)sweep_signal(SIGKILL, rt->group);
}

/* Before everything is told to end: the spawner blocks SIGTERM. */
static void close_spawner(struct runtime *rt, unsigned int actions)
{
	bool is_last = rt->launch.state_fd < 0 && !rt->machine.policy.has_hook;

	if ((actions & (SUPERVISE_DO_TERM_ALL | SUPERVISE_DO_KILL_ALL)) ||
	    ((actions & SUPERVISE_DO_FORWARD) && is_last))
		spawner_close(&rt->spawner);
}

static void act_on_processes(struct runtime *rt, const struct supervise_step *step)
{
	close_spawner(rt, step->actions);
	if (step->actions & (SUPERVISE_DO_TERM_ALL | SUPERVISE_DO_KILL_ALL))
		runtime_lease_release(rt);
	if (step->actions & SUPERVISE_DO_FORWARD)
		forward_stop(rt, step->signal);
	if (step->actions & SUPERVISE_DO_KILL_DAEMON)
		kill_daemon(rt);
	if (step->actions & SUPERVISE_DO_KILL_HOOK)
		kill_hook(rt);
	if (step->actions & SUPERVISE_DO_KILL_ALL)
		kill_all(rt);
}

static void act(struct runtime *rt, const struct supervise_step *step, struct supervise_event *next)
{
	act_on_processes(rt, step);
	if ((step->actions & SUPERVISE_DO_TERM_ALL) && !term_all(rt)) {
		*next = (struct supervise_event) { .type = SUPERVISE_CHILDLESS };
		return;
	}
	if (step->actions & SUPERVISE_DO_ARM)
		runtime_arm_timer(rt, step->timer_ms);
	if (step->actions & SUPERVISE_DO_EXIT)
		rt->is_done = true;
	else if ((step->actions & SUPERVISE_DO_DISARM) && rt->timer_at_ms > 0)
		runtime_arm_timer(rt, 0);
	if (step->actions & SUPERVISE_DO_SPAWN)
		start_daemon(rt, next);
	if (step->actions & SUPERVISE_DO_HOOK)
		start_hook(rt, next);
}

/* Only a pause before the next start has to be jittered. */
static bool may_back_off(const struct supervise *m, enum supervise_event_type type)
{
	return m->stop_signal == 0 && (type == SUPERVISE_EXITED || type == SUPERVISE_SPAWN_FAILED);
}

void runtime_feed(struct runtime *rt, struct supervise_event ev)
{
	do {
		bool was_forced = rt->machine.is_forced;
		struct supervise_event next = { .type = SUPERVISE_EVENT_COUNT };
		struct supervise_step step;

		ev.now_ms = clock_mono_ms();
		if (may_back_off(&rt->machine, ev.type))
			ev.random = random_number();
		step = supervise_step(&rt->machine, &ev);
		log_step(rt, &step, was_forced);
		act(rt, &step, &next);
		ev = next;
	} while (ev.type != SUPERVISE_EVENT_COUNT);
}
