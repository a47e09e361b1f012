/* SPDX-License-Identifier: MIT */
/*
 * lease - one node for one identity where locks reach no further than one host; pure
 *
 * The state machine of whoever wants, holds or gives up the lease. It does nothing itself: it says
 * which one operation on the state directory comes next (leasedir.h), and is told what came of it.
 */
#ifndef INIT_LOCK_LEASE_H
#define INIT_LOCK_LEASE_H

#include "common/holder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEASE_ID_SIZE	33 /* 128 bits in hexadecimal, and a NUL */
#define LEASE_TEXT_SIZE 512
#define LEASE_NAME_SIZE 40
#define LEASE_TERM_MAX	UINT64_C(999999999999999999)
#define LEASE_MS_MAX	UINT64_C(3600000)

/* Files of terms that are over; see "Theory of operation". */
#define LEASE_KEPT 4

/**
 * lease_is_needed() - May the locks of this file system be local to one host, or missing?
 * @fs_type:	f_type of statfs(2)
 *
 * Return: false only for file systems that are known to belong to one kernel: disks and memory
 */
bool lease_is_needed(uint64_t fs_type);

/**
 * struct lease_times - What the lease time is divided into, milliseconds
 * @poll_ms:	Between two looks at somebody else's lease
 * @beat_ms:	Between two signs of life of our own
 * @silence_ms:	Without a sign of life for so long, a lease may be claimed
 * @settle_ms:	From a claim over a silent holder to the moment that it counts: time for that holder,
 *		should it live, to notice and to stop
 */
struct lease_times {
	uint64_t poll_ms;
	uint64_t beat_ms;
	uint64_t silence_ms;
	uint64_t settle_ms;
};

/**
 * lease_divide() - Divide the lease time: silence and settling together are all of it
 * @lease_ms:	Lease time
 * @out:	Receives the parts
 */
void lease_divide(uint64_t lease_ms, struct lease_times *out);

enum lease_form {
	LEASE_DAMAGED, /* by somebody unknown, who may live */
	LEASE_HELD,
	LEASE_FREE,  /* given up by its holder */
	LEASE_NEWER, /* written by a later release, in a form unknown here */
};

/**
 * struct lease_text - Contents of a lease file
 * @form:	What it says
 * @id:		Random number of its holder
 * @beat:	Counts its signs of life
 * @lease_ms:	Its lease time, which may differ from ours; 0 when it is not known
 * @holder:	Who that is
 */
struct lease_text {
	enum lease_form form;
	char id[LEASE_ID_SIZE];
	uint64_t beat;
	uint64_t lease_ms;
	struct holder holder;
};

/**
 * lease_parse() - Read the contents of a lease file
 * @text:	Contents
 * @out:	Receives them
 */
void lease_parse(const char *text, struct lease_text *out);

/**
 * lease_format() - Write the contents of a lease file
 * @t:		Contents, LEASE_HELD or LEASE_FREE
 * @out:	Receives the text; for one holder it is always of the same length
 *
 * Return: bytes written, without the NUL
 */
size_t lease_format(const struct lease_text *t, char out[static LEASE_TEXT_SIZE]);

/**
 * lease_name() - File name of a term
 * @term:	Term, from 1
 * @out:	Receives the name
 */
void lease_name(uint64_t term, char out[static LEASE_NAME_SIZE]);

/**
 * lease_term_of() - Which term's file has this name?
 * @name:	File name
 *
 * Return: term, or 0 when it is no lease file
 */
uint64_t lease_term_of(const char *name);

enum lease_do {
	LEASE_DO_PAUSE,	 /* until op.until_ms */
	LEASE_DO_LIST,	 /* find the highest and the lowest term that have a file */
	LEASE_DO_READ,	 /* the file of op.term */
	LEASE_DO_CREATE, /* the file of op.term, empty, if there is none (O_EXCL) */
	LEASE_DO_WRITE,	 /* op.text into the file of op.term, durably, if there is one */
	LEASE_DO_REMOVE, /* the file of op.term */
	LEASE_DO_END,	 /* nothing more to do */
};

/**
 * struct lease_op - The next thing to do
 * @what:	What
 * @term:	Which file
 * @until_ms:	Monotonic time
 * @text:	What to write
 */
struct lease_op {
	enum lease_do what;
	uint64_t term;
	uint64_t until_ms;
	char text[LEASE_TEXT_SIZE];
};

/**
 * struct lease_answer - What came of it
 * @error:	0 or a negative errno value
 * @highest:	Of LEASE_DO_LIST: highest term, 0 for none
 * @lowest:	Lowest term, 0 for none
 * @text:	Of LEASE_DO_READ: contents
 */
struct lease_answer {
	int error;
	uint64_t highest;
	uint64_t lowest;
	char text[LEASE_TEXT_SIZE];
};

enum lease_news {
	LEASE_NO_NEWS,
	LEASE_NEWS_WAITS,    /* lease.other may hold it */
	LEASE_NEWS_REFUSED,  /* lease.other holds it, and patience is over */
	LEASE_NEWS_FAILED,   /* lease.error made it impossible to take */
	LEASE_NEWS_HELD,     /* it is ours now */
	LEASE_NEWS_FAILING,  /* lease.error keeps us from giving signs of life */
	LEASE_NEWS_BEATING,  /* no longer */
	LEASE_NEWS_LOST,     /* lease.other has it: stop at once */
	LEASE_NEWS_RELEASED, /* nobody has it */
};

enum lease_state {
	LEASE_NEW,
	LEASE_WAITING,	   /* paused, then looks again */
	LEASE_LOOKING,	   /* which term is it? */
	LEASE_READING,	   /* whose is it? */
	LEASE_CLAIMING,	   /* creates the file of the next term */
	LEASE_SIGNING,	   /* writes into it */
	LEASE_SETTLING,	   /* paused, while a holder that lives may notice */
	LEASE_CONFIRMING,  /* is that still the highest term? */
	LEASE_RECOGNIZING, /* is it ours? */
	LEASE_HOLDING,	   /* paused between two beats */
	LEASE_CHECKING,	   /* is it still ours? */
	LEASE_BEATING,	   /* writes a sign of life */
	LEASE_GUARDING,	   /* is there a higher term? */
	LEASE_RESTORING,   /* creates our file again, which somebody has removed */
	LEASE_TIDYING,	   /* removes the file of an old term */
	LEASE_YIELDING,	   /* lost: who has it? */
	LEASE_RELEASING,   /* gives it up */
	LEASE_ENDED,
	LEASE_STATE_COUNT,
};

/**
 * struct lease - Somebody who wants, holds or gives up the lease
 * @times:	How often we give signs of life, and look for those of others
 * @patience:	How patient we are with @other, who may be slower
 * @me:		Who, and our own beat
 * @limit_ms:	How long to wait for somebody who lives
 * @trusts_place: An earlier run in the same container is known to be dead
 * @state:	What the last operation was for
 * @started_ms:	When we began to wait
 * @due_ms:	When the pause ends
 * @settled_ms:	When our claim counts, unless somebody objects
 * @began_ms:	When the last beat began
 * @lowest:	Lowest term that had a file then, 0 for not known
 * @term:	Our own term, 0 for none
 * @must_settle: Our claim counts only after a while
 * @is_gone:	Our own file has vanished
 * @is_leaving:	To be given up
 * @error:	Last failure
 * @is_failing:	It has been reported
 * @seen_term:	Term that we watch
 * @seen:	Its contents when we looked last
 * @looked_ms:	When that was; 0 when that look failed
 * @silent_ms:	How long nothing has changed, counted while we were able to look
 * @was_heard:	Something has changed since we began
 * @other:	Who holds it, as far as known
 */
struct lease {
	struct lease_times times;
	struct lease_times patience;
	struct lease_text me;
	uint64_t limit_ms;
	bool trusts_place;
	enum lease_state state;
	uint64_t started_ms;
	uint64_t due_ms;
	uint64_t settled_ms;
	uint64_t began_ms;
	uint64_t lowest;
	uint64_t term;
	bool must_settle;
	bool is_gone;
	bool is_leaving;
	int error;
	bool is_failing;
	uint64_t seen_term;
	char seen[LEASE_TEXT_SIZE];
	uint64_t looked_ms;
	uint64_t silent_ms;
	bool was_heard;
	struct lease_text other;
};

/**
 * lease_init() - Begin to want the lease
 * @l:		Lease to fill
 * @me:		Who; its id random and its form ignored
 * @lease_ms:	Lease time
 */
void lease_init(struct lease *l, const struct lease_text *me, uint64_t lease_ms);

/**
 * lease_resume() - Begin as its holder, in place of a process that died
 * @l:		Lease, after lease_init()
 * @term:	Term that we hold
 * @now_ms:	Monotonic time
 */
void lease_resume(struct lease *l, uint64_t term, uint64_t now_ms);

/**
 * lease_leave() - Give it up, or stop wanting it, at the end of the next pause
 */
void lease_leave(struct lease *l);

/**
 * lease_next() - Take the answer to the last operation, and say the next one
 * @l:		Lease
 * @answer:	What came of it; of a pause, anything
 * @now_ms:	Monotonic time
 * @op:		The last operation; receives the next one
 *
 * A pause may end early, after lease_leave().
 *
 * Return: what the caller should tell
 */
enum lease_news lease_next(struct lease *l, const struct lease_answer *answer, uint64_t now_ms,
			   struct lease_op *op);

#endif /* INIT_LOCK_LEASE_H */
