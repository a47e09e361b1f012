/* SPDX-License-Identifier: MIT */
#include "daemon/view/supervisor.h"
#include "daemon/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

static void finish(struct supervisor *s, enum supervisor_state state)
{
	bool was_open = s->is_open;

	s->state = state;
	s->is_open = false;
	if (was_open)
		s->h.done(s->h.arg);
}

/* One datagram is a whole answer; of several, the last one is the newest. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	char text[STATUSLINE_TEXT_SIZE];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	(void)what;
	if (n < 0)
		return;
	s->sent_ms = 0;
	if (n == 0) {
		finish(s, SUPERVISOR_SILENT);
		return;
	}
	memcpy(s->text, text, (size_t)n);
	s->text[n] = '\0';
	finish(s, SUPERVISOR_ANSWERED);
}

/* The caller is told from the loop only, also of what is known at once. */
static void on_refused(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	if (s->is_open)
		finish(s, s->refused);
}

static void refuse(struct supervisor *s, enum supervisor_state state)
{
	s->refused = state;
	event_active(s->at_once, 0, 0);
}

void supervisor_ask(struct supervisor *s)
{
	static const char question[] = "X_WGMESH_ASK=1";
	const int64_t now_ms = clock_now().mono_ms;

	s->is_open = true;
	if (s->fd < 0) {
		refuse(s, SUPERVISOR_NONE);
		return;
	}
	/* Its queue is short, and heartbeats have to find room in it: one question at a time. */
	if (s->sent_ms != 0 && now_ms - s->sent_ms < SUPERVISOR_AGAIN_MS)
		return;
	if (send(s->fd, question, sizeof(question) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		s->sent_ms = now_ms;
	else
		refuse(s, errno == ECONNREFUSED ? SUPERVISOR_NONE : SUPERVISOR_SILENT);
}

int supervisor_init(struct supervisor *s, struct event_base *base, int fd,
		    const struct supervisor_handler *h)
{
	*s = (struct supervisor) { .h = *h, .fd = fd, .state = SUPERVISOR_NONE };
	s->at_once = event_new(base, -1, 0, on_refused, s);
	if (fd >= 0)
		s->answer = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, s);
	if (s->at_once && (fd < 0 || (s->answer && event_add(s->answer, NULL) == 0)))
		return 0;
	supervisor_close(s);
	return -ENOMEM;
}

void supervisor_close(struct supervisor *s)
{
	if (s->answer)
		event_free(s->answer);
	if (s->at_once)
		event_free(s->at_once);
	s->answer = NULL;
	s->at_once = NULL;
}

void supervisor_late(struct supervisor *s)
{
	if (s->is_open)
		s->state = SUPERVISOR_SILENT;
}

const char *supervisor_last(const struct supervisor *s)
{
	return s->state != SUPERVISOR_NONE && s->text[0] != '\0' ? s->text : NULL;
}

const char *supervisor_text(const struct supervisor *s)
{
	return s->state == SUPERVISOR_ANSWERED ? s->text : NULL;
}
