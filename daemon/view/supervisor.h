/* SPDX-License-Identifier: MIT */
/* supervisor - ask the PID 1 that supervises this node what it knows, without waiting for it */
#ifndef DAEMON_VIEW_SUPERVISOR_H
#define DAEMON_VIEW_SUPERVISOR_H

#include "common/statusline.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct event;
struct event_base;

enum supervisor_state {
	SUPERVISOR_NONE,     /* there is none in this container */
	SUPERVISOR_SILENT,   /* there is one, and it does not answer */
	SUPERVISOR_ANSWERED, /* its lines are here */
};

/**
 * struct supervisor - A question to PID 1, and its last answer
 * @base:	Event loop
 * @event:	Waits for bytes, or calls back at once when there are none to come
 * @fd:		Connection, -1 for none
 * @done:	Called from the loop when the answer is complete, or will never be
 * @arg:	Passed to @done
 * @state:	How the last question ended; one that is open changes nothing yet
 * @refused:	How the open question will end, when nothing is read
 * @names:	Where it may listen, in the order to try; looked up at first, which takes files
 * @len:	Bytes in @incoming
 * @incoming:	Answer that is being read
 * @text:	Last whole answer
 */
struct supervisor {
	struct event_base *base;
	struct event *event;
	int fd;
	void (*done)(void *arg);
	void *arg;
	enum supervisor_state state;
	enum supervisor_state refused;
	struct {
		struct sockaddr_un sa;
		socklen_t len;
	} names[2];
	size_t len;
	char incoming[STATUSLINE_TEXT_SIZE];
	char text[STATUSLINE_TEXT_SIZE];
};

/**
 * supervisor_init() - Prepare; nothing is asked
 * @s:		In place until supervisor_close(), which is safe on a zeroed one
 * @base:	Event loop; borrowed
 * @done:	Called once for each question, unless another one is asked before
 * @arg:	Passed to @done
 */
void supervisor_init(struct supervisor *s, struct event_base *base, void (*done)(void *arg),
		     void *arg);
void supervisor_close(struct supervisor *s);

/**
 * supervisor_ask() - Ask now; a question that is still open is given up
 *
 * Return: 0 when @done will be called, or -ENOMEM
 */
int supervisor_ask(struct supervisor *s);

/**
 * supervisor_ask_at() - The same of a socket by its address, for tests
 * @s:		Supervisor
 * @sa:		Address; borrowed
 * @len:	Its length
 */
int supervisor_ask_at(struct supervisor *s, const struct sockaddr_un *sa, socklen_t len);

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
