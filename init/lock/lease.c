/* SPDX-License-Identifier: MIT */
#include "init/lock/lease.h"
#include "common/defs.h"

#include <errno.h>
#include <string.h>

/*
 * DOC: Theory of operation
 *
 * The lease goes from holder to holder by terms: 1, 2, 3 ... Term N is the file .wgmesh.lease.N, and the
 * highest number in the directory is the term that counts. Three rules make it safe:
 *
 * 1. A term begins when its file is created, exclusively (O_EXCL), which of many at most one can do. It is
 *    over for good in the moment in which the file of the next one exists.
 * 2. Nobody writes to a file but the one who created it. So a write that was held up for an hour, in a frozen
 *    container or on the way to a server, changes nothing but a term that is over anyway.
 * 3. Whoever wants a term that somebody silent has, waits between creating the file and believing in it, for
 *    two beats and more. A holder that lives looks at the directory after every beat; it finds the higher
 *    number and stops before the other one starts.
 *
 * A holder is silent if its file did not change while we looked on, by our own monotonic clock: clocks of two
 * hosts are never compared. Only time counts in which we were able to look, from one look to the next and
 * twice the usual pause at most; so neither an outage of the storage nor a pause of our own makes somebody
 * else seem silent. A lease that was given up (state=free) is followed at once, and so is one of an earlier
 * run in our own container, whose end is proved by our being there (lease.trusts_place).
 *
 * The races:
 *
 * - Two that want it at once: one creates the file, the other gets EEXIST and waits on.
 * - One that was held up between its look and its creating: it gets EEXIST; or, if that old file was removed in
 *   the meantime, it finds a higher number when it confirms, and waits on without ever having believed.
 *   Files of terms that are over are removed only when LEASE_KEPT later ones exist, so that no listing of the
 *   directory, which is not atomic, can miss all higher numbers.
 * - One that was held up while its claim settled: the others find it silent, and claim the next term. It finds
 *   that when it confirms.
 * - A holder that was frozen, or cut off from the storage: it finds the higher number after the first write
 *   when it goes on. So a beat looks last, and the next one is at once due where something took longer.
 *
 * What remains: a holder that runs but cannot reach the storage, while others can. It does not know that it
 * lost until it reaches the storage again. It goes on on purpose: the usual reason is a server that is
 * restarted, and that must not take the mesh down.
 *
 * A beat overwrites its file in place: that works on a full volume, where a new file cannot be made. Its text
 * always has the same length. Should a reader meet half of it, it has changed, which is all that counts.
 */

static bool is_transient(int error)
{
	switch (-error) {
	case EIO:
	case ESTALE:
	case EAGAIN:
	case EINTR:
	case ETIMEDOUT:
	case ENOMEM:
	case ENFILE:
	case EMFILE:
	case ENOTCONN:
	case EREMOTEIO:
		return true;
	default:
		return false;
	}
}

static bool is_forbidden(int error)
{
	return error == -EACCES || error == -EPERM;
}

void lease_init(struct lease *l, const struct lease_text *me, uint64_t lease_ms)
{
	memset(l, 0, sizeof(*l));
	l->me = *me;
	l->me.form = LEASE_HELD;
	l->me.lease_ms = lease_ms;
	lease_divide(lease_ms, &l->times);
	l->patience = l->times;
}

void lease_resume(struct lease *l, uint64_t term, uint64_t now_ms)
{
	l->term = term;
	l->due_ms = now_ms;
	l->state = LEASE_HOLDING;
}

void lease_leave(struct lease *l)
{
	l->is_leaving = true;
}

/* --- operations: each is the last thing a handler does --------------------------------------- */

static enum lease_news go_on(struct lease *l, enum lease_state state, struct lease_op *op,
			     enum lease_do what, uint64_t term)
{
	l->state = state;
	op->what = what;
	op->term = term;
	return LEASE_NO_NEWS;
}

static enum lease_news sleep_until(struct lease *l, enum lease_state state, struct lease_op *op,
				   uint64_t until_ms)
{
	l->due_ms = until_ms;
	op->until_ms = until_ms;
	return go_on(l, state, op, LEASE_DO_PAUSE, 0);
}

static enum lease_news end(struct lease *l, struct lease_op *op, enum lease_news news)
{
	(void)go_on(l, LEASE_ENDED, op, LEASE_DO_END, 0);
	return news;
}

static enum lease_news list(struct lease *l, enum lease_state state, struct lease_op *op)
{
	return go_on(l, state, op, LEASE_DO_LIST, 0);
}

static enum lease_news write_ours(struct lease *l, enum lease_state state, struct lease_op *op)
{
	(void)lease_format(&l->me, op->text);
	return go_on(l, state, op, LEASE_DO_WRITE, l->term);
}

static enum lease_news give_up(struct lease *l, struct lease_op *op)
{
	if (l->term == 0)
		return end(l, op, LEASE_NEWS_RELEASED);
	l->me.form = LEASE_FREE;
	return write_ours(l, LEASE_RELEASING, op);
}

/* --- wanting it ------------------------------------------------------------------------------ */

static bool is_impatient(const struct lease *l, uint64_t now_ms)
{
	return now_ms - l->started_ms >= l->limit_ms;
}

/* Should claims keep failing, in whatever way, there is an end to it all the same. */
static bool is_exhausted(const struct lease *l, uint64_t now_ms)
{
	return now_ms - l->started_ms >=
	       l->limit_ms + 3 * (l->patience.silence_ms + l->patience.settle_ms);
}

static enum lease_news wait_on(struct lease *l, uint64_t now_ms, struct lease_op *op)
{
	bool is_refused = is_impatient(l, now_ms) && (l->was_heard || l->other.form == LEASE_NEWER);

	l->term = 0;
	if (is_refused || is_exhausted(l, now_ms))
		return end(l, op, LEASE_NEWS_REFUSED);
	(void)sleep_until(l, LEASE_WAITING, op, now_ms + l->times.poll_ms);
	return LEASE_NEWS_WAITS;
}

/* Storage that fails for a while says nothing about the holder. */
static enum lease_news look_failed(struct lease *l, int error, uint64_t now_ms, struct lease_op *op)
{
	l->error = error;
	l->looked_ms = 0;
	if (!is_transient(error) || is_impatient(l, now_ms))
		return end(l, op, LEASE_NEWS_FAILED);
	return wait_on(l, now_ms, op);
}

static void watch(struct lease *l, uint64_t term, const char *text, uint64_t now_ms)
{
	bool is_first = l->seen_term == 0;
	uint64_t passed_ms = l->looked_ms ? now_ms - l->looked_ms : 0;

	if (passed_ms > 2 * l->times.poll_ms)
		passed_ms = 2 * l->times.poll_ms;
	l->looked_ms = now_ms;
	if (!is_first && l->seen_term == term && strcmp(l->seen, text) == 0) {
		l->silent_ms += passed_ms;
		return;
	}
	l->was_heard = !is_first;
	l->silent_ms = 0;
	l->seen_term = term;
	memcpy(l->seen, text, sizeof(l->seen));
}

static enum lease_news claim(struct lease *l, uint64_t term, bool must_settle, struct lease_op *op)
{
	l->term = term;
	l->must_settle = must_settle;
	l->me.beat = 0;
	return go_on(l, LEASE_CLAIMING, op, LEASE_DO_CREATE, term);
}

static enum lease_news judge(struct lease *l, uint64_t now_ms, struct lease_op *op)
{
	const struct lease_text *other = &l->other;
	uint64_t next = l->seen_term + 1;

	if (other->form == LEASE_FREE)
		return claim(l, next, false, op);
	if (other->form == LEASE_HELD && l->trusts_place &&
	    holder_is_same_place(&other->holder, &l->me.holder))
		return claim(l, next, false, op);
	if (other->form != LEASE_NEWER && l->silent_ms >= l->patience.silence_ms)
		return claim(l, next, true, op);
	return wait_on(l, now_ms, op);
}

static enum lease_news on_new(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
			      struct lease_op *op)
{
	(void)a;
	l->started_ms = now_ms;
	return l->is_leaving ? give_up(l, op) : list(l, LEASE_LOOKING, op);
}

static enum lease_news on_waiting(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				  struct lease_op *op)
{
	(void)a;
	if (l->is_leaving)
		return give_up(l, op);
	if (now_ms < l->due_ms)
		return sleep_until(l, LEASE_WAITING, op, l->due_ms);
	return list(l, LEASE_LOOKING, op);
}

static enum lease_news on_looking(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				  struct lease_op *op)
{
	if (a->error < 0)
		return look_failed(l, a->error, now_ms, op);
	/* Leases that were there a moment ago: somebody cleans up, under a holder that may live. */
	if (a->highest == 0)
		return claim(l, 1, l->seen_term != 0, op);
	return go_on(l, LEASE_READING, op, LEASE_DO_READ, a->highest);
}

static enum lease_news on_reading(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				  struct lease_op *op)
{
	bool is_unknown = a->error < 0 && a->error != -ENOENT;

	if (is_unknown && (is_transient(a->error) || is_forbidden(a->error)))
		return look_failed(l, a->error, now_ms, op);
	if (a->error == -ENOENT) {
		l->looked_ms = 0;
		return wait_on(l, now_ms, op);
	}
	watch(l, op->term, is_unknown ? "" : a->text, now_ms);
	lease_parse(l->seen, &l->other);
	lease_divide(l->other.lease_ms > l->me.lease_ms ? l->other.lease_ms : l->me.lease_ms,
		     &l->patience);
	return judge(l, now_ms, op);
}

static enum lease_news on_claiming(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				   struct lease_op *op)
{
	if (a->error == -EEXIST)
		return wait_on(l, now_ms, op);
	if (a->error < 0) {
		l->term = 0;
		return look_failed(l, a->error, now_ms, op);
	}
	return write_ours(l, LEASE_SIGNING, op);
}

/* In short pauses, each with a word to whoever waits, and might take us to hang with the storage. */
static enum lease_news settle(struct lease *l, uint64_t now_ms, struct lease_op *op)
{
	uint64_t next_ms = now_ms + l->times.poll_ms;

	(void)sleep_until(l, LEASE_SETTLING, op, next_ms < l->settled_ms ? next_ms : l->settled_ms);
	return LEASE_NEWS_WAITS;
}

static enum lease_news on_signing(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				  struct lease_op *op)
{
	if (a->error < 0) {
		l->error = a->error;
		return end(l, op, LEASE_NEWS_FAILED);
	}
	if (!l->must_settle)
		return list(l, LEASE_CONFIRMING, op);
	l->settled_ms = now_ms + l->patience.settle_ms;
	return settle(l, now_ms, op);
}

static enum lease_news on_settling(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				   struct lease_op *op)
{
	(void)a;
	if (l->is_leaving)
		return give_up(l, op);
	return now_ms < l->settled_ms ? settle(l, now_ms, op) : list(l, LEASE_CONFIRMING, op);
}

static enum lease_news confirm_later(struct lease *l, int error, uint64_t now_ms,
				     struct lease_op *op)
{
	l->error = error;
	if (is_exhausted(l, now_ms))
		return end(l, op, LEASE_NEWS_FAILED);
	l->settled_ms = now_ms + l->times.poll_ms;
	return settle(l, now_ms, op);
}

static enum lease_news on_confirming(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				     struct lease_op *op)
{
	if (a->error < 0)
		return confirm_later(l, a->error, now_ms, op);
	if (a->highest != l->term)
		return wait_on(l, now_ms, op);
	return go_on(l, LEASE_RECOGNIZING, op, LEASE_DO_READ, l->term);
}

/* --- holding it ------------------------------------------------------------------------------ */

/*
 * Counted from the beginning of the last beat, so that whatever held us up since then, a freezer or a
 * slow server, is followed by another look at once.
 */
static enum lease_news rest(struct lease *l, uint64_t now_ms, struct lease_op *op)
{
	uint64_t due_ms = l->began_ms + l->times.beat_ms;

	return sleep_until(l, LEASE_HOLDING, op, due_ms > now_ms ? due_ms : now_ms);
}

static enum lease_news look_after(struct lease *l, struct lease_op *op)
{
	return go_on(l, LEASE_CHECKING, op, LEASE_DO_READ, l->term);
}

static enum lease_news on_recognizing(struct lease *l, const struct lease_answer *a,
				      uint64_t now_ms, struct lease_op *op)
{
	struct lease_text found;

	if (a->error < 0 && a->error != -ENOENT)
		return confirm_later(l, a->error, now_ms, op);
	lease_parse(a->error < 0 ? "" : a->text, &found);
	if (strcmp(found.id, l->me.id) != 0)
		return wait_on(l, now_ms, op);
	(void)sleep_until(l, LEASE_HOLDING, op, now_ms);
	return LEASE_NEWS_HELD;
}

static enum lease_news on_holding(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				  struct lease_op *op)
{
	(void)a;
	if (l->is_leaving)
		return give_up(l, op);
	if (now_ms < l->due_ms)
		return sleep_until(l, LEASE_HOLDING, op, l->due_ms);
	l->began_ms = now_ms;
	if (l->lowest > 0 && l->lowest + LEASE_KEPT <= l->term)
		return go_on(l, LEASE_TIDYING, op, LEASE_DO_REMOVE, l->lowest);
	return look_after(l, op);
}

static enum lease_news on_tidying(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				  struct lease_op *op)
{
	(void)a;
	(void)now_ms;
	return look_after(l, op);
}

/* Where exclusive creation is not what it says (object stores), a term may have got two holders. */
static bool is_anothers(const struct lease *l, const struct lease_text *found)
{
	return (found->form == LEASE_HELD || found->form == LEASE_FREE) &&
	       strcmp(found->id, l->me.id) != 0;
}

static enum lease_news on_checking(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				   struct lease_op *op)
{
	struct lease_text found;

	(void)now_ms;
	l->is_gone = a->error == -ENOENT;
	l->error = l->is_gone ? 0 : a->error;
	if (a->error < 0)
		return list(l, LEASE_GUARDING, op);
	lease_parse(a->text, &found);
	if (is_anothers(l, &found)) {
		l->other = found;
		return end(l, op, LEASE_NEWS_LOST);
	}
	/* Whoever held it before in our name may have come further. */
	l->me.beat = (found.beat > l->me.beat ? found.beat : l->me.beat) + 1;
	return write_ours(l, LEASE_BEATING, op);
}

static enum lease_news on_beating(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				  struct lease_op *op)
{
	(void)now_ms;
	l->is_gone = a->error == -ENOENT;
	l->error = l->is_gone ? 0 : a->error;
	return list(l, LEASE_GUARDING, op);
}

/* Told once when it begins, and once when it is over. */
static enum lease_news tell_failure(struct lease *l)
{
	bool was_failing = l->is_failing;

	l->is_failing = l->error < 0;
	if (l->is_failing == was_failing)
		return LEASE_NO_NEWS;
	return l->is_failing ? LEASE_NEWS_FAILING : LEASE_NEWS_BEATING;
}

static enum lease_news on_guarding(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				   struct lease_op *op)
{
	if (a->error < 0 && l->error == 0)
		l->error = a->error;
	if (a->error == 0 && a->highest > l->term)
		return go_on(l, LEASE_YIELDING, op, LEASE_DO_READ, a->highest);
	if (a->error == 0 && l->is_gone)
		return go_on(l, LEASE_RESTORING, op, LEASE_DO_CREATE, l->term);
	l->lowest = a->error == 0 ? a->lowest : 0;
	(void)rest(l, now_ms, op);
	return tell_failure(l);
}

/* Somebody has removed our file, as "rm -rf" does. If another has made one by now, it is read next. */
static enum lease_news on_restoring(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				    struct lease_op *op)
{
	if (a->error < 0 && a->error != -EEXIST) {
		l->error = a->error;
		(void)rest(l, now_ms, op);
		return tell_failure(l);
	}
	if (a->error == -EEXIST)
		return look_after(l, op);
	l->me.beat++;
	return write_ours(l, LEASE_BEATING, op);
}

static enum lease_news on_yielding(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				   struct lease_op *op)
{
	(void)now_ms;
	lease_parse(a->error < 0 ? "" : a->text, &l->other);
	return end(l, op, LEASE_NEWS_LOST);
}

static enum lease_news on_releasing(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				    struct lease_op *op)
{
	(void)now_ms;
	l->error = a->error;
	return end(l, op, LEASE_NEWS_RELEASED);
}

static enum lease_news on_ended(struct lease *l, const struct lease_answer *a, uint64_t now_ms,
				struct lease_op *op)
{
	(void)a;
	(void)now_ms;
	return end(l, op, LEASE_NO_NEWS);
}

enum lease_news lease_next(struct lease *l, const struct lease_answer *answer, uint64_t now_ms,
			   struct lease_op *op)
{
	static enum lease_news (*const handlers[])(struct lease *, const struct lease_answer *,
						   uint64_t, struct lease_op *) = {
		[LEASE_NEW] = on_new,
		[LEASE_WAITING] = on_waiting,
		[LEASE_LOOKING] = on_looking,
		[LEASE_READING] = on_reading,
		[LEASE_CLAIMING] = on_claiming,
		[LEASE_SIGNING] = on_signing,
		[LEASE_SETTLING] = on_settling,
		[LEASE_CONFIRMING] = on_confirming,
		[LEASE_RECOGNIZING] = on_recognizing,
		[LEASE_HOLDING] = on_holding,
		[LEASE_CHECKING] = on_checking,
		[LEASE_BEATING] = on_beating,
		[LEASE_GUARDING] = on_guarding,
		[LEASE_RESTORING] = on_restoring,
		[LEASE_TIDYING] = on_tidying,
		[LEASE_YIELDING] = on_yielding,
		[LEASE_RELEASING] = on_releasing,
		[LEASE_ENDED] = on_ended,
	};

	_Static_assert(ARRAY_LEN(handlers) == LEASE_STATE_COUNT, "a handler for every state");
	return handlers[l->state](l, answer, now_ms, op);
}
