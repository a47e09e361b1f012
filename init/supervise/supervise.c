/* SPDX-License-Identifier: MIT */
#include "init/supervise/supervise.h"
#include "common/defs.h"
#include "common/exits.h"

#include <stddef.h>

/*
 * DOC: Theory of operation
 *
 * One table, state x event to handler; an empty field means that the event changes nothing. The
 * way out is always the same: the daemon has ended, the hook takes the network down, what is left
 * is told to end, what then still is left is killed, and PID 1 ends. A crash of the daemon is not
 * on that way: RUNNING and BACKOFF alternate and nothing else is touched.
 */

#define BACKOFF_MIN_MS	   100
#define BACKOFF_MAX_MS	   30000
#define BACKOFF_DOUBLINGS  9
#define HEALTHY_MS	   60000
#define HOOK_MS		   2000
#define HURRIED_HOOK_MS	   1000
#define KILL_MS		   1000
#define PAUSED_MS	   1000
#define REVOKED_MS	   1000
#define SIGNAL_CODE(n)	   (128 + (n))
#define SIGNAL_NUMBER_HUP  1
#define SIGNAL_NUMBER_INT  2
#define SIGNAL_NUMBER_QUIT 3
#define SIGNAL_NUMBER_KILL 9
#define SIGNAL_NUMBER_TERM 15

typedef struct supervise_step handler(struct supervise *m, const struct supervise_event *ev);

static const struct supervise_step nothing = { 0 };

static uint64_t earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

/* The timer for whichever limit of a running daemon passes first. */
static struct supervise_step watch(const struct supervise *m)
{
	uint64_t at_ms = earlier(m->watchdog_at_ms, m->limit_at_ms);

	return (struct supervise_step) { .actions = at_ms ? SUPERVISE_DO_ARM : SUPERVISE_DO_DISARM,
					 .timer_ms = at_ms };
}

static struct supervise_step spawn(struct supervise *m, const struct supervise_event *ev)
{
	struct supervise_step step;
	bool is_limited = m->policy.expects_ready && m->policy.start_timeout_ms > 0;

	m->state = SUPERVISE_RUNNING;
	m->started_ms = ev->now_ms;
	m->is_ready = false;
	m->is_reloading = false;
	m->is_leaving = false;
	m->killed = SUPERVISE_KILLED_NOT;
	m->watchdog_ms = m->policy.watchdog_ms;
	m->watchdog_at_ms = 0;
	m->limit_at_ms = is_limited ? ev->now_ms + m->policy.start_timeout_ms : 0;
	/* A timer that nobody armed is not worth a system call. */
	step = is_limited ? watch(m) : nothing;
	step.actions |= SUPERVISE_DO_SPAWN;
	return step;
}

static struct supervise_step respawn(struct supervise *m, const struct supervise_event *ev)
{
	m->restarts++;
	return spawn(m, ev);
}

static struct supervise_step finish(struct supervise *m, const struct supervise_event *ev)
{
	(void)ev;
	m->state = SUPERVISE_DONE;
	return (struct supervise_step) { .actions = SUPERVISE_DO_DISARM | SUPERVISE_DO_EXIT };
}

static struct supervise_step purge(struct supervise *m, const struct supervise_event *ev)
{
	m->state = SUPERVISE_PURGING;
	m->is_forced = true;
	return (struct supervise_step) { .actions = SUPERVISE_DO_KILL_ALL | SUPERVISE_DO_ARM,
					 .timer_ms = ev->now_ms + KILL_MS };
}

static struct supervise_step sweep(struct supervise *m, const struct supervise_event *ev)
{
	if (m->is_forced || ev->now_ms >= m->deadline_ms)
		return purge(m, ev);
	m->state = SUPERVISE_SWEEPING;
	return (struct supervise_step) { .actions = SUPERVISE_DO_TERM_ALL | SUPERVISE_DO_ARM,
					 .timer_ms = m->deadline_ms };
}

/* The daemon is gone for good: take the network down, then sweep. */
static struct supervise_step wind_up(struct supervise *m, const struct supervise_event *ev)
{
	uint64_t limit_ms = m->is_forced ? HURRIED_HOOK_MS : HOOK_MS;

	if (!m->policy.has_hook)
		return sweep(m, ev);
	m->state = SUPERVISE_HOOK;
	return (struct supervise_step) { .actions = SUPERVISE_DO_HOOK | SUPERVISE_DO_ARM,
					 .timer_ms = ev->now_ms + limit_ms };
}

static struct supervise_step hook_overdue(struct supervise *m, const struct supervise_event *ev)
{
	struct supervise_step step = sweep(m, ev);

	step.actions |= SUPERVISE_DO_KILL_HOOK;
	return step;
}

/* Ends without a stop signal: there is nobody whose patience counts, so the whole time is given. */
static struct supervise_step end_with(struct supervise *m, const struct supervise_event *ev,
				      int code)
{
	m->exit_code = code;
	m->deadline_ms = ev->now_ms + m->policy.stop_timeout_ms;
	return wind_up(m, ev);
}

static struct supervise_step give_up(struct supervise *m, const struct supervise_event *ev)
{
	/* Under restart=always a daemon can loop with code 0; a loop is not a success. */
	int code = ev->code == 0 ? EXITS_FAILURE : ev->code;

	if (!m->policy.hold)
		return end_with(m, ev, code);
	m->exit_code = code;
	m->state = SUPERVISE_HOLDING;
	return (struct supervise_step) { .actions = SUPERVISE_DO_DISARM };
}

static struct supervise_step back_off(struct supervise *m, const struct supervise_event *ev,
				      unsigned int failures)
{
	unsigned int doublings = failures > BACKOFF_DOUBLINGS ? BACKOFF_DOUBLINGS : failures - 1;
	uint64_t base = (uint64_t)BACKOFF_MIN_MS << doublings;

	/* A quarter of jitter keeps nodes that crashed together from coming back together. */
	m->delay_ms = base + ev->random % (base / 4 + 1);
	if (m->delay_ms > BACKOFF_MAX_MS)
		m->delay_ms = BACKOFF_MAX_MS;
	m->state = SUPERVISE_BACKOFF;
	return (struct supervise_step) { .actions = SUPERVISE_DO_ARM,
					 .timer_ms = ev->now_ms + m->delay_ms };
}

static void note_end(struct supervise *m, const struct supervise_event *ev)
{
	m->last_code = ev->code;
	m->last_run_ms = ev->now_ms - m->started_ms;
	m->fork_failures = 0;
}

static bool is_terminal_stop(int sig)
{
	return sig == SIGNAL_NUMBER_HUP || sig == SIGNAL_NUMBER_INT || sig == SIGNAL_NUMBER_QUIT;
}

static struct supervise_step ended(struct supervise *m, const struct supervise_event *ev)
{
	note_end(m, ev);
	if (m->last_run_ms >= HEALTHY_MS)
		m->failures = 0;
	if (m->policy.restart == RESTART_NEVER)
		return end_with(m, ev, ev->code);
	if (ev->code == 0 && m->policy.restart == RESTART_ON_FAILURE)
		return end_with(m, ev, 0);
	/* ^C and a hang-up reach a daemon that has the terminal, and pass us by. */
	if (m->policy.is_on_terminal && is_terminal_stop(ev->signal))
		return end_with(m, ev, ev->code);
	m->failures++;
	if (ev->is_final || m->failures >= SUPERVISE_LOOP_FAILURES ||
	    (ev->signal == 0 && exits_is_incurable(ev->code)))
		return give_up(m, ev);
	return back_off(m, ev, m->failures);
}

/*
 * No process could be made: the machine's trouble, not the daemon's, so it is tried for ever; unless
 * the right to start anything is gone.
 */
static struct supervise_step fork_failed(struct supervise *m, const struct supervise_event *ev)
{
	if (ev->is_final)
		return end_with(m, ev, m->last_code > 0 ? m->last_code : EXITS_SYSTEM);
	m->fork_failures++;
	return back_off(m, ev, m->fork_failures);
}

static void begin_stop(struct supervise *m, const struct supervise_event *ev)
{
	m->stop_signal = ev->signal;
	m->deadline_ms = ev->now_ms + m->policy.stop_timeout_ms;
}

static struct supervise_step stop_running(struct supervise *m, const struct supervise_event *ev)
{
	begin_stop(m, ev);
	m->state = SUPERVISE_STOPPING;
	return (struct supervise_step) { .actions = SUPERVISE_DO_FORWARD | SUPERVISE_DO_ARM,
					 .signal = ev->signal,
					 .timer_ms = m->deadline_ms };
}

/* Between two starts the last end is the truth, and it was not asked for. */
static struct supervise_step stop_idle(struct supervise *m, const struct supervise_event *ev)
{
	begin_stop(m, ev);
	m->exit_code = m->last_code > 0 ? m->last_code : 0;
	return wind_up(m, ev);
}

/* It hangs: its end is a failure like any other, and what comes after is ended()'s to decide. */
static struct supervise_step kill_hung(struct supervise *m, enum supervise_kill why)
{
	m->state = SUPERVISE_HUNG;
	m->killed = why;
	return (struct supervise_step) { .actions =
						 SUPERVISE_DO_KILL_DAEMON | SUPERVISE_DO_DISARM };
}

/*
 * The silence is as long as the daemon's chance to speak only if the timer was on time. One that is
 * late did not run because nothing did: the container was paused, or its machine.
 */
static bool was_paused(const struct supervise *m, const struct supervise_event *ev)
{
	return ev->now_ms >= m->watchdog_at_ms + PAUSED_MS;
}

static struct supervise_step overdue(struct supervise *m, const struct supervise_event *ev)
{
	if (m->watchdog_at_ms && was_paused(m, ev))
		m->watchdog_at_ms = ev->now_ms + m->watchdog_ms;
	if (m->watchdog_at_ms && ev->now_ms >= m->watchdog_at_ms)
		return kill_hung(m, SUPERVISE_KILLED_SILENT);
	if (m->limit_at_ms && ev->now_ms >= m->limit_at_ms)
		return kill_hung(m, m->is_leaving ? SUPERVISE_KILLED_LINGERING
						  : SUPERVISE_KILLED_UNREADY);
	return watch(m);
}

static void take_progress(struct supervise *m, const struct supervise_event *ev)
{
	if (ev->notice & SUPERVISE_SAYS_RELOADING)
		m->is_reloading = true;
	if (ev->notice & SUPERVISE_SAYS_READY) {
		m->is_ready = true;
		m->is_reloading = false;
		if (!m->is_leaving)
			m->limit_at_ms = 0;
	}
	if (ev->notice & SUPERVISE_SAYS_STOPPING) {
		m->is_leaving = true;
		m->watchdog_at_ms = 0;
		m->limit_at_ms = ev->now_ms + m->policy.stop_timeout_ms;
	}
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void take_times(struct supervise *m, const struct supervise_event *ev)
{
	bool is_armed = m->watchdog_at_ms != 0;

	if (ev->notice & SUPERVISE_SAYS_WATCHDOG)
		m->watchdog_ms = ev->watchdog_ms;
	if (((ev->notice & SUPERVISE_SAYS_BEAT) ||
	     (is_armed && (ev->notice & SUPERVISE_SAYS_WATCHDOG))) &&
	    !m->is_leaving)
		m->watchdog_at_ms = m->watchdog_ms ? ev->now_ms + m->watchdog_ms : 0;
	if ((ev->notice & SUPERVISE_SAYS_EXTEND) && m->limit_at_ms)
		m->limit_at_ms = later(m->limit_at_ms, ev->now_ms + ev->extend_ms);
}

static struct supervise_step notified(struct supervise *m, const struct supervise_event *ev)
{
	if (ev->notice & SUPERVISE_SAYS_TRIGGER)
		return kill_hung(m, SUPERVISE_KILLED_TRIGGER);
	take_progress(m, ev);
	take_times(m, ev);
	return watch(m);
}

/* While it stops, only more time can be asked for. */
static struct supervise_step extend_stop(struct supervise *m, const struct supervise_event *ev)
{
	if (!(ev->notice & SUPERVISE_SAYS_EXTEND))
		return nothing;
	m->deadline_ms = later(m->deadline_ms, ev->now_ms + ev->extend_ms);
	return (struct supervise_step) { .actions = SUPERVISE_DO_ARM, .timer_ms = m->deadline_ms };
}

static struct supervise_step kill_daemon(struct supervise *m, const struct supervise_event *ev)
{
	m->state = SUPERVISE_KILLING;
	m->killed = SUPERVISE_KILLED_STOP;
	m->is_forced = true;
	return (struct supervise_step) { .actions = SUPERVISE_DO_KILL_DAEMON | SUPERVISE_DO_ARM,
					 .timer_ms = ev->now_ms + KILL_MS };
}

/* A daemon that ends of the signal it was stopped with did what it was asked to do. */
static bool is_orderly(const struct supervise *m, const struct supervise_event *ev)
{
	return m->policy.is_stop_ok && (ev->code == SIGNAL_CODE(m->stop_signal) ||
					ev->code == SIGNAL_CODE(SIGNAL_NUMBER_TERM));
}

/* The code was settled when it was given up. */
static struct supervise_step stop_holding(struct supervise *m, const struct supervise_event *ev)
{
	begin_stop(m, ev);
	return wind_up(m, ev);
}

/* It hangs, was killed for it, and may be beyond even that. */
static struct supervise_step stop_hung(struct supervise *m, const struct supervise_event *ev)
{
	begin_stop(m, ev);
	return kill_daemon(m, ev);
}

/* Another container starts with our identity in a moment: there is no time for more than this. */
static struct supervise_step revoke_running(struct supervise *m, const struct supervise_event *ev)
{
	uint64_t limit_ms =
		m->policy.stop_timeout_ms < REVOKED_MS ? m->policy.stop_timeout_ms : REVOKED_MS;
	struct supervise_step step = stop_running(m, ev);

	m->revoked_code = ev->code;
	m->deadline_ms = ev->now_ms + limit_ms;
	step.timer_ms = m->deadline_ms;
	return step;
}

static struct supervise_step revoke_dying(struct supervise *m, const struct supervise_event *ev)
{
	if (m->stop_signal == 0)
		begin_stop(m, ev);
	m->revoked_code = ev->code;
	return kill_daemon(m, ev);
}

static struct supervise_step revoke_idle(struct supervise *m, const struct supervise_event *ev)
{
	begin_stop(m, ev);
	m->revoked_code = ev->code;
	m->exit_code = ev->code;
	return wind_up(m, ev);
}

static int code_of_stop(const struct supervise *m, int code)
{
	return m->revoked_code ? m->revoked_code : code;
}

static struct supervise_step stopped(struct supervise *m, const struct supervise_event *ev)
{
	note_end(m, ev);
	m->exit_code = code_of_stop(m, is_orderly(m, ev) ? 0 : ev->code);
	return wind_up(m, ev);
}

/* Not even SIGKILL ends it: it hangs in the kernel, and dies with PID 1 at the latest. */
static struct supervise_step leave_daemon(struct supervise *m, const struct supervise_event *ev)
{
	m->exit_code = code_of_stop(m, SIGNAL_CODE(SIGNAL_NUMBER_KILL));
	return wind_up(m, ev);
}

static struct supervise_step hurry(struct supervise *m, const struct supervise_event *ev)
{
	if (m->stop_signal == 0)
		begin_stop(m, ev);
	else
		m->is_forced = true;
	return nothing;
}

static struct supervise_step hurry_sweep(struct supervise *m, const struct supervise_event *ev)
{
	if (m->stop_signal == 0) {
		begin_stop(m, ev);
		return (struct supervise_step) { .actions = SUPERVISE_DO_ARM,
						 .timer_ms = m->deadline_ms };
	}
	return purge(m, ev);
}

/* clang-format off */
static handler *const table[SUPERVISE_STATE_COUNT][SUPERVISE_EVENT_COUNT] = {
	[SUPERVISE_NEW] = { [SUPERVISE_START] = spawn, [SUPERVISE_STOP] = stop_idle,
		[SUPERVISE_REVOKED] = revoke_idle },
	[SUPERVISE_RUNNING] = { [SUPERVISE_EXITED] = ended, [SUPERVISE_SPAWN_FAILED] = fork_failed,
		[SUPERVISE_STOP] = stop_running, [SUPERVISE_TIMER] = overdue, [SUPERVISE_NOTIFIED] = notified,
		[SUPERVISE_REVOKED] = revoke_running },
	[SUPERVISE_HUNG] = { [SUPERVISE_EXITED] = ended, [SUPERVISE_STOP] = stop_hung,
		[SUPERVISE_REVOKED] = revoke_dying },
	[SUPERVISE_BACKOFF] = { [SUPERVISE_TIMER] = respawn, [SUPERVISE_STOP] = stop_idle,
		[SUPERVISE_REVOKED] = revoke_idle },
	[SUPERVISE_HOLDING] = { [SUPERVISE_STOP] = stop_holding, [SUPERVISE_REVOKED] = revoke_idle },
	[SUPERVISE_STOPPING] = { [SUPERVISE_EXITED] = stopped, [SUPERVISE_STOP] = kill_daemon,
		[SUPERVISE_TIMER] = kill_daemon, [SUPERVISE_NOTIFIED] = extend_stop,
		[SUPERVISE_REVOKED] = revoke_dying },
	[SUPERVISE_KILLING] = { [SUPERVISE_EXITED] = stopped, [SUPERVISE_TIMER] = leave_daemon },
	[SUPERVISE_HOOK] = { [SUPERVISE_HOOK_DONE] = sweep, [SUPERVISE_TIMER] = hook_overdue,
		[SUPERVISE_STOP] = hurry },
	[SUPERVISE_SWEEPING] = { [SUPERVISE_CHILDLESS] = finish, [SUPERVISE_TIMER] = purge,
		[SUPERVISE_STOP] = hurry_sweep },
	[SUPERVISE_PURGING] = { [SUPERVISE_CHILDLESS] = finish, [SUPERVISE_TIMER] = finish },
	[SUPERVISE_DONE] = { NULL },
};
/* clang-format on */

void supervise_init(struct supervise *m, const struct supervise_policy *policy)
{
	*m = (struct supervise) { .policy = *policy,
				  .failures = policy->past_failures,
				  .last_code = -1 };
}

struct supervise_step supervise_step(struct supervise *m, const struct supervise_event *ev)
{
	handler *handle = table[m->state][ev->type];

	return handle ? handle(m, ev) : nothing;
}

bool supervise_is_healthy(const struct supervise *m)
{
	return m->state == SUPERVISE_RUNNING && !m->is_leaving &&
	       (m->is_ready || !m->policy.expects_ready);
}

bool supervise_may_start(const struct supervise *m)
{
	/* Even a program that is run once waits for its start where no process could be made. */
	return m->policy.restart != RESTART_NEVER || m->policy.has_hook ||
	       m->state == SUPERVISE_BACKOFF;
}

const char *supervise_state_name(enum supervise_state state)
{
	static const char *const names[] = {
		[SUPERVISE_NEW] = "new",	   [SUPERVISE_RUNNING] = "running",
		[SUPERVISE_HUNG] = "hung",	   [SUPERVISE_BACKOFF] = "backoff",
		[SUPERVISE_HOLDING] = "holding",   [SUPERVISE_STOPPING] = "stopping",
		[SUPERVISE_KILLING] = "killing",   [SUPERVISE_HOOK] = "hook",
		[SUPERVISE_SWEEPING] = "sweeping", [SUPERVISE_PURGING] = "purging",
		[SUPERVISE_DONE] = "done",
	};

	_Static_assert(ARRAY_LEN(names) == SUPERVISE_STATE_COUNT, "a name for every state");
	return names[state];
}
