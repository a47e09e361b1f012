/* SPDX-License-Identifier: MIT */
/* supervise - when to start, restart and stop the daemon, and with what code to end; pure */
#ifndef INIT_SUPERVISE_SUPERVISE_H
#define INIT_SUPERVISE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

enum restart_policy { RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_NEVER };

/**
 * struct supervise_policy - What the operator chose
 * @restart:	When to start the daemon again
 * @hold:	In a restart loop, stay up for inspection instead of ending
 * @has_hook:	There is a program that takes the network down at the end
 * @is_stop_ok:	Death by the stop signal that was passed on is a good end
 * @is_on_terminal: The daemon has the terminal: its ^C is a stop that we do not see
 * @expects_ready: The daemon says when it is ready
 * @stop_timeout_ms: Time the daemon gets after a stop signal
 * @start_timeout_ms: Time it gets to become ready, 0 for ever
 * @watchdog_ms: Longest silence after its first beat, 0 for any
 * @past_failures: Failures in a row before this container started
 */
struct supervise_policy {
	enum restart_policy restart;
	bool hold;
	bool has_hook;
	bool is_stop_ok;
	bool is_on_terminal;
	bool expects_ready;
	uint64_t stop_timeout_ms;
	uint64_t start_timeout_ms;
	uint64_t watchdog_ms;
	unsigned int past_failures;
};

enum supervise_state {
	SUPERVISE_NEW,	    /* nothing started yet */
	SUPERVISE_RUNNING,  /* the daemon lives */
	SUPERVISE_HUNG,	    /* it was killed because it hung, waiting for its end */
	SUPERVISE_BACKOFF,  /* it ended; a timer starts it again */
	SUPERVISE_HOLDING,  /* given up, kept for inspection */
	SUPERVISE_STOPPING, /* told to stop, waiting for its end */
	SUPERVISE_KILLING,  /* killed, waiting for its end */
	SUPERVISE_HOOK,	    /* the network is being taken down */
	SUPERVISE_SWEEPING, /* what is left was told to end */
	SUPERVISE_PURGING,  /* what is left was killed */
	SUPERVISE_DONE,	    /* PID 1 ends */
	SUPERVISE_STATE_COUNT,
};

enum supervise_event_type {
	SUPERVISE_START,
	SUPERVISE_SPAWN_FAILED, /* no process could be forked */
	SUPERVISE_EXITED,	/* the daemon ended */
	SUPERVISE_NOTIFIED,	/* the daemon said something about itself */
	SUPERVISE_STOP,		/* a stop signal came */
	SUPERVISE_TIMER,	/* the timer fired */
	SUPERVISE_HOOK_DONE,	/* the hook ended, or could not be started */
	SUPERVISE_CHILDLESS,	/* no process is left */
	SUPERVISE_REVOKED,	/* the right to run is gone: another container has the identity */
	SUPERVISE_EVENT_COUNT,
};

/* What the daemon said (sd_notify(3)); bits. */
enum supervise_notice {
	SUPERVISE_SAYS_READY = 1 << 0,
	SUPERVISE_SAYS_RELOADING = 1 << 1,
	SUPERVISE_SAYS_STOPPING = 1 << 2,
	SUPERVISE_SAYS_BEAT = 1 << 3,
	SUPERVISE_SAYS_TRIGGER = 1 << 4,  /* restart me */
	SUPERVISE_SAYS_WATCHDOG = 1 << 5, /* event.watchdog_ms */
	SUPERVISE_SAYS_EXTEND = 1 << 6,	  /* event.extend_ms */
};

/**
 * struct supervise_event - What happened
 * @type:	Kind
 * @now_ms:	Monotonic time
 * @random:	Any number, for the jitter
 * @signal:	Stop signal, or the signal the daemon died of
 * @code:	Exit code of the daemon, or 128 + signal; of SUPERVISE_REVOKED, what to end with
 * @is_final:	The daemon cannot be executed or started at all: no restart cures that
 * @notice:	enum supervise_notice bits
 * @watchdog_ms: Longest silence from now on
 * @extend_ms:	Time it wants from now on for the start or the stop that is going on
 */
struct supervise_event {
	enum supervise_event_type type;
	uint64_t now_ms;
	uint32_t random;
	int signal;
	int code;
	bool is_final;
	unsigned int notice;
	uint64_t watchdog_ms;
	uint64_t extend_ms;
};

/* What the driver has to do, in this order; bits. */
enum supervise_action {
	SUPERVISE_DO_SPAWN = 1 << 0,
	SUPERVISE_DO_FORWARD = 1 << 1, /* step.signal to the daemon */
	SUPERVISE_DO_KILL_HOOK = 1 << 2,
	SUPERVISE_DO_HOOK = 1 << 3,
	SUPERVISE_DO_TERM_ALL = 1 << 4, /* everything but PID 1 */
	SUPERVISE_DO_KILL_ALL = 1 << 5,
	SUPERVISE_DO_ARM = 1 << 6, /* the timer, for step.timer_ms */
	SUPERVISE_DO_DISARM = 1 << 7,
	SUPERVISE_DO_EXIT = 1 << 8,	   /* with exit_code */
	SUPERVISE_DO_KILL_DAEMON = 1 << 9, /* it and its process group */
};

/* Why we killed the daemon. */
enum supervise_kill {
	SUPERVISE_KILLED_NOT,
	SUPERVISE_KILLED_SILENT,    /* no beat of the watchdog */
	SUPERVISE_KILLED_TRIGGER,   /* it asked for it */
	SUPERVISE_KILLED_UNREADY,   /* not ready in time */
	SUPERVISE_KILLED_LINGERING, /* said that it stops, and did not */
	SUPERVISE_KILLED_STOP,	    /* did not heed the stop signal */
};

/**
 * struct supervise_step - What to do now
 * @actions:	enum supervise_action bits
 * @signal:	Signal to forward
 * @timer_ms:	Monotonic time for the timer
 */
struct supervise_step {
	unsigned int actions;
	int signal;
	uint64_t timer_ms;
};

/**
 * struct supervise - The supervisor's state
 * @policy:	What the operator chose
 * @state:	State
 * @started_ms:	When the daemon was last started
 * @failures:	Ends in a row without a healthy minute between
 * @fork_failures: Failed forks in a row
 * @restarts:	Starts after the first
 * @delay_ms:	Last backoff
 * @stop_signal: First stop signal, 0 without one
 * @is_forced:	Something had to be killed
 * @deadline_ms: When patience ends
 * @is_ready:	This run said that it is ready
 * @is_reloading: It reads its configuration again
 * @is_leaving:	It said that it stops
 * @watchdog_ms: Longest silence of this run, 0 for any
 * @watchdog_at_ms: When its silence is too long, 0 before the first beat
 * @limit_at_ms: When it must be ready, or gone; 0 without a limit
 * @killed:	Why the last run was killed by us, if it was
 * @last_code:	Last exit code of the daemon, -1 before its first end
 * @last_run_ms: How long it ran
 * @exit_code:	What PID 1 ends with
 * @revoked_code: What it has to end with after SUPERVISE_REVOKED, 0 before
 */
struct supervise {
	struct supervise_policy policy;
	enum supervise_state state;
	uint64_t started_ms;
	unsigned int failures;
	unsigned int fork_failures;
	unsigned int restarts;
	uint64_t delay_ms;
	int stop_signal;
	bool is_forced;
	uint64_t deadline_ms;
	bool is_ready;
	bool is_reloading;
	bool is_leaving;
	uint64_t watchdog_ms;
	uint64_t watchdog_at_ms;
	uint64_t limit_at_ms;
	enum supervise_kill killed;
	int last_code;
	uint64_t last_run_ms;
	int exit_code;
	int revoked_code;
};

/* Ends in a row that make a restart loop. */
#define SUPERVISE_LOOP_FAILURES 10

/**
 * supervise_init() - Begin
 * @m:		State to fill
 * @policy:	What the operator chose; copied
 */
void supervise_init(struct supervise *m, const struct supervise_policy *policy);

/**
 * supervise_step() - Take one event
 * @m:		State
 * @ev:		What happened
 *
 * Return: what to do; an event that means nothing in a state changes nothing
 */
struct supervise_step supervise_step(struct supervise *m, const struct supervise_event *ev);

/**
 * supervise_is_healthy() - Is the daemon in the state it should be in?
 */
bool supervise_is_healthy(const struct supervise *m);

/**
 * supervise_may_start() - Can there be another start, of the daemon or the hook?
 *
 * Return: false when PID 1 can give up the right to start anything
 */
bool supervise_may_start(const struct supervise *m);

/**
 * supervise_state_name() - A state's word in logs and status
 */
const char *supervise_state_name(enum supervise_state state);

#endif /* INIT_SUPERVISE_SUPERVISE_H */
