/* SPDX-License-Identifier: MIT */
/*
 * supervisor - ask the PID 1 that supervises this node what it knows, without waiting for it
 *
 * A question is one datagram on the socket of its notifications, and the answer is one that comes back:
 * no descriptor, connection or file is needed for it, which a confined process could not have.
 */
#ifndef DAEMON_VIEW_SUPERVISOR_H
#define DAEMON_VIEW_SUPERVISOR_H

#include "common/statusline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUPERVISOR_AGAIN_MS 10000 /* a question is sent again when it has no answer for so long */

struct event;
struct event_base;

enum supervisor_state {
	SUPERVISOR_NONE,     /* there is none in this container */
	SUPERVISOR_SILENT,   /* there is one, and it does not answer */
	SUPERVISOR_ANSWERED, /* its lines are here */
};

/**
 * struct supervisor_handler - Who asks
 * @arg:	Passed to the call
 * @done:	Called from the loop once for each question, when it is answered or never will be
 */
struct supervisor_handler {
	void *arg;
	void (*done)(void *arg);
};

/**
 * struct supervisor - A question to PID 1, and its last answer
 * @h:		Who asks
 * @fd:		Socket of notifications; -1 where nobody supervises who can be asked
 * @answer:	Waits for datagrams; NULL before supervisor_init()
 * @at_once:	Calls back when there is no answer to come
 * @state:	How the last question ended; one that is open changes nothing yet
 * @refused:	How the open question will end, when nothing is read
 * @is_open:	A question is open
 * @sent_ms:	When one was sent that has no answer yet, 0 for none
 * @text:	Last answer
 */
struct supervisor {
	struct supervisor_handler h;
	int fd;
	struct event *answer;
	struct event *at_once;
	enum supervisor_state state;
	enum supervisor_state refused;
	bool is_open;
	int64_t sent_ms;
	char text[STATUSLINE_TEXT_SIZE];
};

/**
 * supervisor_init() - Prepare; nothing is asked
 * @s:		In place until supervisor_close(), which is safe on a zeroed one
 * @base:	Event loop; borrowed
 * @fd:		Socket of notifications to wgmesh-init, non-blocking, bound and connected; borrowed; -1
 *		where there is none
 * @h:		Who asks; copied
 *
 * Return: 0 or -ENOMEM
 */
int supervisor_init(struct supervisor *s, struct event_base *base, int fd,
		    const struct supervisor_handler *h);
void supervisor_close(struct supervisor *s);

/**
 * supervisor_ask() - Ask now; who asks while a question is open shares its answer
 */
void supervisor_ask(struct supervisor *s);

/**
 * supervisor_late() - Nobody waits any longer: while the question is open, PID 1 counts as silent
 * @s:		Supervisor
 *
 * An answer that comes after all is still taken.
 */
void supervisor_late(struct supervisor *s);

/**
 * supervisor_last() - The lines of its last answer, also when it is silent now; NULL without one, or
 * where there is no PID 1 of ours
 */
const char *supervisor_last(const struct supervisor *s);

/**
 * supervisor_text() - The key=value lines of the last answer; NULL unless it answered the last time
 */
const char *supervisor_text(const struct supervisor *s);

#endif /* DAEMON_VIEW_SUPERVISOR_H */
