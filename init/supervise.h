/* SPDX-License-Identifier: MIT */
/* supervise - when to start, restart and stop the daemon, and with what code to end; pure */
#ifndef INIT_SUPERVISE_H
#define INIT_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

enum restart_policy { RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_NEVER };

/**
 * struct supervise_policy - What the operator chose
 * @restart:	When to start the daemon again
 * @hold:	In a restart loop, stay up for inspection instead of ending
 * @has_hook:	There is a program that takes the network down at the end
 * @stop_timeout_ms: Time the daemon gets after a stop signal
 */
struct supervise_policy {
	enum restart_policy restart;
	bool hold;
	bool has_hook;
	uint64_t stop_timeout_ms;
};

enum supervise_state {
	SUPERVISE_NEW,	    /* nothing started yet */
	SUPERVISE_RUNNING,  /* the daemon lives */
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
	SUPERVISE_STOP,		/* a stop signal came */
	SUPERVISE_TIMER,	/* the timer fired */
	SUPERVISE_HOOK_DONE,	/* the hook ended, or could not be started */
	SUPERVISE_CHILDLESS,	/* no process is left */
	SUPERVISE_EVENT_COUNT,
};

/**
 * struct supervise_event - What happened
 * @type:	Kind
 * @now_ms:	Monotonic time
 * @random:	Any number, for the jitter
 * @signal:	Stop signal, or the signal the daemon died of
 * @code:	Exit code of the daemon, or 128 + signal
 * @is_final:	The daemon could not be executed at all: no restart cures that
 */
struct supervise_event {
	enum supervise_event_type type;
	uint64_t now_ms;
	uint32_t random;
	int signal;
	int code;
	bool is_final;
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
	SUPERVISE_DO_EXIT = 1 << 8, /* with exit_code */
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
 * @last_code:	Last exit code of the daemon, -1 before its first end
 * @last_run_ms: How long it ran
 * @exit_code:	What PID 1 ends with
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
	int last_code;
	uint64_t last_run_ms;
	int exit_code;
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
 * supervise_state_name() - A state's word in logs and status
 */
const char *supervise_state_name(enum supervise_state state);

#endif /* INIT_SUPERVISE_H */
