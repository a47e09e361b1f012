/* SPDX-License-Identifier: MIT */
/*
 * volwatch - is the storage still what it was? When to look while running, and what came of it; pure
 *
 * A look is a child's work (volcheck.h), because it may never end: one at a time, killed when its time
 * is up, and the next one only once it is gone. Its exit code says what it saw.
 */
#ifndef INIT_VOLUME_VOLWATCH_H
#define INIT_VOLUME_VOLWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum volwatch_state {
	VOLWATCH_OK,
	VOLWATCH_UNMOUNTED,    /* the path leads elsewhere than at the start */
	VOLWATCH_WRONG_VOLUME, /* the marker there is gone, or another volume's */
	VOLWATCH_SHARED,       /* another container has started on this volume since */
	VOLWATCH_READONLY,
	VOLWATCH_FULL,
	VOLWATCH_HUNG,	  /* a look has not ended in time */
	VOLWATCH_FAILING, /* an error that is none of these */
	VOLWATCH_STATE_COUNT,
};

/*
 * Exit codes of a look: 0 for VOLWATCH_OK, an errno value below 128 for VOLWATCH_FAILING,
 * VOLWATCH_CODE() for the other states, and one for a look that could not be made.
 */
#define VOLWATCH_CODE(state) (200 + (int)(state))
#define VOLWATCH_CODE_UNABLE 255

#define VOLWATCH_TEXT_SIZE 480

enum volwatch_event_type {
	VOLWATCH_TIMER,	       /* the timer fired */
	VOLWATCH_MOUNTS,       /* the mount table changed */
	VOLWATCH_ENDED,	       /* the look ended */
	VOLWATCH_START_FAILED, /* no process could be made for it */
};

/**
 * struct volwatch_event - What happened
 * @type:	Kind
 * @now_ms:	Monotonic time
 * @code:	Exit code of the look
 * @signal:	Signal that it died of, or 0
 */
struct volwatch_event {
	enum volwatch_event_type type;
	uint64_t now_ms;
	int code;
	int signal;
};

/**
 * struct volwatch_step - What to do now; then the timer is to fire at struct volwatch.due_ms
 * @start:	Start a look
 * @kill:	Kill the one that runs
 * @is_changed:	State or error differ from what they were
 */
struct volwatch_step {
	bool start;
	bool kill;
	bool is_changed;
};

/**
 * struct volwatch - The watch
 * @interval_ms: Time between two looks, 0 to look only when mounts change
 * @limit_ms:	Time that a look may take
 * @state:	What the last look saw
 * @error:	Positive errno value with VOLWATCH_FAILING, else 0
 * @is_looking:	A look runs, or has been killed and is not gone
 * @is_killed:	It has been killed
 * @is_wanted:	Mounts changed meanwhile: look again
 * @begun_ms:	When the last look began
 * @due_ms:	When the next look is to begin, or the one that runs must have ended; 0 for never
 */
struct volwatch {
	uint64_t interval_ms;
	uint64_t limit_ms;
	enum volwatch_state state;
	int error;
	bool is_looking;
	bool is_killed;
	bool is_wanted;
	uint64_t begun_ms;
	uint64_t due_ms;
};

/**
 * volwatch_init() - Begin, with storage that a start has found good
 * @w:		Watch to fill
 * @interval_ms: Time between two looks, 0 to look only when mounts change
 * @limit_ms:	Time that a look may take
 * @now_ms:	Monotonic time
 */
void volwatch_init(struct volwatch *w, uint64_t interval_ms, uint64_t limit_ms, uint64_t now_ms);

/**
 * volwatch_step() - Take one event
 * @w:		Watch
 * @ev:		What happened
 *
 * Return: what to do
 */
struct volwatch_step volwatch_step(struct volwatch *w, const struct volwatch_event *ev);

/**
 * volwatch_code() - What a look ends with for an error that it met
 * @error:	Negative errno value
 *
 * Return: exit code
 */
int volwatch_code(int error);

/**
 * volwatch_describe() - Say what is wrong with the storage, and what to do
 * @w:		Watch
 * @dir:	State directory
 * @out:	Receives a sentence; empty when nothing is wrong
 */
void volwatch_describe(const struct volwatch *w, const char *dir,
		       char out[static VOLWATCH_TEXT_SIZE]);

/**
 * volwatch_state_name() - A state's word in logs and status
 */
const char *volwatch_state_name(enum volwatch_state state);

#endif /* INIT_VOLUME_VOLWATCH_H */
