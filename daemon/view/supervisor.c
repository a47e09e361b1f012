/* SPDX-License-Identifier: MIT */
#include "daemon/view/supervisor.h"
#include "common/defs.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

static void hang_up(struct supervisor *s)
{
	if (s->event)
		event_free(s->event);
	if (s->fd >= 0)
		(void)close(s->fd);
	s->event = NULL;
	s->fd = -1;
}

static void finish(struct supervisor *s, enum supervisor_state state)
{
	hang_up(s);
	s->state = state;
	s->done(s->arg);
}

/* The end of the answer is the end of the connection. */
static void take_end(struct supervisor *s)
{
	if (s->len == 0) {
		finish(s, SUPERVISOR_SILENT);
		return;
	}
	memcpy(s->text, s->incoming, s->len);
	s->text[s->len] = '\0';
	finish(s, SUPERVISOR_ANSWERED);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)what;
	for (;;) {
		size_t room = sizeof(s->incoming) - 1 - s->len;
		ssize_t n = room > 0 ? read(fd, s->incoming + s->len, room) : 0;

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			finish(s, SUPERVISOR_SILENT);
			return;
		}
		if (n == 0) {
			take_end(s);
			return;
		}
		s->len += (size_t)n;
	}
}

/* The caller is told from the loop only, also of what is known at once. */
static void on_refused(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	finish(s, s->refused);
}

/* Return: SUPERVISOR_SILENT when it will answer, or how the question has ended already */
static enum supervisor_state connect_to(struct supervisor *s, const struct sockaddr_un *sa,
					socklen_t len)
{
	int r;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return SUPERVISOR_NONE;
	r = connect(s->fd, (const struct sockaddr *)sa, len);
	if (r == 0 && statusline_is_ours(s->fd))
		return SUPERVISOR_SILENT;
	/* A backlog that is full is that of somebody who does not answer. */
	if (r < 0 && errno == EAGAIN)
		r = 1;
	(void)close(s->fd);
	s->fd = -1;
	return r == 1 ? SUPERVISOR_SILENT : SUPERVISOR_NONE;
}

static int await(struct supervisor *s)
{
	s->len = 0;
	if (s->fd >= 0)
		s->event = event_new(s->base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	else
		s->event = event_new(s->base, -1, 0, on_refused, s);
	if (!s->event || (s->fd >= 0 && event_add(s->event, NULL) < 0)) {
		hang_up(s);
		return -ENOMEM;
	}
	if (s->fd < 0)
		event_active(s->event, 0, 0);
	return 0;
}

int supervisor_ask_at(struct supervisor *s, const struct sockaddr_un *sa, socklen_t len)
{
	hang_up(s);
	s->refused = connect_to(s, sa, len);
	return await(s);
}

int supervisor_ask(struct supervisor *s)
{
	hang_up(s);
	s->refused = SUPERVISOR_NONE;
	for (size_t i = 0; i < ARRAY_LEN(s->names); i++)
		if (s->refused == SUPERVISOR_NONE && s->names[i].len > 0)
			s->refused = connect_to(s, &s->names[i].sa, s->names[i].len);
	return await(s);
}

void supervisor_init(struct supervisor *s, struct event_base *base, void (*done)(void *arg),
		     void *arg)
{
	/* One that runs beside another PID 1 has a name with its number; ours is our parent. */
	const pid_t candidates[ARRAY_LEN(s->names)] = { getppid(), 0 };

	for (size_t i = 0; i < ARRAY_LEN(s->names); i++)
		if (statusline_address(&s->names[i].sa, &s->names[i].len, candidates[i]) < 0)
			s->names[i].len = 0;
	s->base = base;
	s->done = done;
	s->arg = arg;
	s->event = NULL;
	s->fd = -1;
	s->state = SUPERVISOR_NONE;
	s->text[0] = '\0';
}

void supervisor_close(struct supervisor *s)
{
	if (s->base)
		hang_up(s);
	s->base = NULL;
}

void supervisor_late(struct supervisor *s)
{
	if (s->event)
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
