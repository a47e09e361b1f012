/* SPDX-License-Identifier: MIT */
#include "init/volume/volwatch.h"
#include "common/defs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRY_MS       30000 /* after a look that saw something wrong, so that a recovery shows */
#define SHORTEST_MS    1000  /* between two looks, however often mounts change */
#define PAUSED_MS      1000  /* a timer this late did not run because nothing did */
#define ERRNO_CODE_MAX 127

static const struct volwatch_step nothing;

void volwatch_init(struct volwatch *w, uint64_t interval_ms, uint64_t limit_ms, uint64_t now_ms)
{
	*w = (struct volwatch) { .interval_ms = interval_ms,
				 .limit_ms = limit_ms,
				 .begun_ms = now_ms };
	if (interval_ms > 0 && interval_ms < SHORTEST_MS)
		w->interval_ms = SHORTEST_MS;
	w->due_ms = interval_ms > 0 ? now_ms + w->interval_ms : 0;
}

static struct volwatch_step begin(struct volwatch *w, uint64_t now_ms)
{
	w->is_looking = true;
	w->is_killed = false;
	w->is_wanted = false;
	w->begun_ms = now_ms;
	w->due_ms = now_ms + w->limit_ms;
	return (struct volwatch_step) { .start = true };
}

static uint64_t pause_ms(const struct volwatch *w)
{
	if (w->state == VOLWATCH_OK)
		return w->interval_ms;
	return w->interval_ms > 0 && w->interval_ms < RETRY_MS ? w->interval_ms : RETRY_MS;
}

/* No look goes on: set the time of the next one. */
static void rest(struct volwatch *w, uint64_t now_ms)
{
	uint64_t pause = pause_ms(w);
	uint64_t soonest_ms = w->begun_ms + SHORTEST_MS;

	w->is_looking = false;
	w->due_ms = pause > 0 ? now_ms + pause : 0;
	if (!w->is_wanted)
		return;
	if (w->due_ms == 0 || soonest_ms < w->due_ms)
		w->due_ms = soonest_ms > now_ms ? soonest_ms : now_ms;
}

static struct volwatch_step settle(struct volwatch *w, enum volwatch_state state, int error)
{
	bool is_changed = w->state != state || w->error != error;

	w->state = state;
	w->error = error;
	return (struct volwatch_step) { .is_changed = is_changed };
}

/*
 * Late means that the container was paused, or its machine: the look has not had its time either, and
 * gets it now.
 */
static struct volwatch_step overdue(struct volwatch *w, uint64_t now_ms)
{
	struct volwatch_step step;

	if (now_ms - w->due_ms > PAUSED_MS) {
		w->due_ms = now_ms + w->limit_ms;
		return nothing;
	}
	step = settle(w, VOLWATCH_HUNG, 0);
	step.kill = true;
	w->is_killed = true;
	w->due_ms = 0;
	return step;
}

static struct volwatch_step timer(struct volwatch *w, uint64_t now_ms)
{
	if (w->due_ms == 0 || now_ms < w->due_ms || w->is_killed)
		return nothing;
	return w->is_looking ? overdue(w, now_ms) : begin(w, now_ms);
}

static struct volwatch_step mounts_changed(struct volwatch *w, uint64_t now_ms)
{
	w->is_wanted = true;
	if (w->is_looking)
		return nothing;
	if (now_ms - w->begun_ms >= SHORTEST_MS)
		return begin(w, now_ms);
	rest(w, now_ms);
	return nothing;
}

/* Return: what a look saw, or VOLWATCH_STATE_COUNT when it saw nothing */
static enum volwatch_state state_of(const struct volwatch_event *ev)
{
	if (ev->signal != 0)
		return VOLWATCH_STATE_COUNT;
	if (ev->code == 0)
		return VOLWATCH_OK;
	if (ev->code > 0 && ev->code <= ERRNO_CODE_MAX)
		return VOLWATCH_FAILING;
	for (int i = VOLWATCH_UNMOUNTED; i < VOLWATCH_STATE_COUNT; i++)
		if (ev->code == VOLWATCH_CODE(i))
			return (enum volwatch_state)i;
	return VOLWATCH_STATE_COUNT;
}

static struct volwatch_step ended(struct volwatch *w, const struct volwatch_event *ev)
{
	enum volwatch_state state = state_of(ev);
	bool is_errno = ev->code <= ERRNO_CODE_MAX;
	struct volwatch_step step = nothing;

	/* What came too late came from storage that hangs. */
	if (!w->is_killed && state != VOLWATCH_STATE_COUNT)
		step = settle(w, state, is_errno ? ev->code : 0);
	w->is_killed = false;
	rest(w, ev->now_ms);
	return step;
}

struct volwatch_step volwatch_step(struct volwatch *w, const struct volwatch_event *ev)
{
	switch (ev->type) {
	case VOLWATCH_TIMER:
		return timer(w, ev->now_ms);
	case VOLWATCH_MOUNTS:
		return mounts_changed(w, ev->now_ms);
	case VOLWATCH_ENDED:
		return ended(w, ev);
	case VOLWATCH_START_FAILED:
		w->is_looking = false;
		w->due_ms = ev->now_ms + RETRY_MS;
		break;
	}
	return nothing;
}

int volwatch_code(int error)
{
	switch (-error) {
	case 0:
		return 0;
	case ENOSPC:
	case EDQUOT:
		return VOLWATCH_CODE(VOLWATCH_FULL);
	case EROFS:
		return VOLWATCH_CODE(VOLWATCH_READONLY);
	case ENOENT:
	case ENOTDIR:
		return VOLWATCH_CODE(VOLWATCH_UNMOUNTED);
	default:
		return -error > 0 && -error <= ERRNO_CODE_MAX ? -error : EIO;
	}
}

void volwatch_describe(const struct volwatch *w, const char *dir,
		       char out[static VOLWATCH_TEXT_SIZE])
{
	static const char *const sentences[] = {
		[VOLWATCH_OK] = "",
		[VOLWATCH_UNMOUNTED] =
			"is not the volume any more that this node started with: it was unmounted, "
			"mounted over or deleted; mount it again, then restart the container",
		[VOLWATCH_WRONG_VOLUME] =
			"does not carry this node's marker any more: it was emptied or replaced; put "
			"the volume back, then restart the container",
		[VOLWATCH_SHARED] =
			"is used by another container too, which has started on this volume since: "
			"stop one of them",
		[VOLWATCH_READONLY] =
			"has become read-only, as file systems do after an error; look at the "
			"kernel's log, repair it, and mount it read-write",
		[VOLWATCH_FULL] = "is full: free some space or inodes on the volume",
		[VOLWATCH_HUNG] =
			"does not answer: a network file system whose server is away, or a "
			"disk that hangs?",
		[VOLWATCH_FAILING] = "fails",
	};

	_Static_assert(ARRAY_LEN(sentences) == VOLWATCH_STATE_COUNT, "a sentence for every state");
	out[0] = '\0';
	if (w->state == VOLWATCH_OK)
		return;
	(void)snprintf(out, VOLWATCH_TEXT_SIZE, "the storage at %.200s %s%s%s", dir,
		       sentences[w->state], w->error ? ": " : "",
		       w->error ? strerror(w->error) : "");
}

const char *volwatch_state_name(enum volwatch_state state)
{
	static const char *const names[] = {
		[VOLWATCH_OK] = "ok",
		[VOLWATCH_UNMOUNTED] = "unmounted",
		[VOLWATCH_WRONG_VOLUME] = "wrong-volume",
		[VOLWATCH_SHARED] = "shared",
		[VOLWATCH_READONLY] = "readonly",
		[VOLWATCH_FULL] = "full",
		[VOLWATCH_HUNG] = "hung",
		[VOLWATCH_FAILING] = "failing",
	};

	_Static_assert(ARRAY_LEN(names) == VOLWATCH_STATE_COUNT, "a name for every state");
	return names[state];
}
