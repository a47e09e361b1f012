/* SPDX-License-Identifier: MIT */
#include "daemon/node/notify.h"
#include "common/defs.h"
#include "common/log.h"
#include "common/statusline.h"
#include "common/str.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the environment ------------------------------------------------------------------------- */

static uint64_t parse_watchdog(const char *usec, const char *pid, pid_t self)
{
	uint64_t interval = 0;
	uint64_t whom = 0;

	if (!usec || str_parse_u64(&interval, usec, 1, UINT64_MAX) < 0)
		return 0;
	if (pid && (str_parse_u64(&whom, pid, 1, INT_MAX) < 0 || whom != (uint64_t)self))
		return 0;
	return interval;
}

int notify_env_parse(struct notify_env *out, const char *address, const char *usec, const char *pid,
		     pid_t self)
{
	*out = (struct notify_env) { .watchdog_us = parse_watchdog(usec, pid, self) };
	if (!address || address[0] == '\0')
		return 0;
	/* systemd also knows vsock:, for virtual machines. */
	if ((address[0] != '@' && address[0] != '/') || address[1] == '\0' ||
	    str_copy(out->address, sizeof(out->address), address) < 0)
		return -EINVAL;
	return 0;
}

static int take_environment(struct notify_env *out)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID" };
	int r = notify_env_parse(out, getenv(names[0]), getenv(names[1]), getenv(names[2]),
				 getpid());

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)unsetenv(names[i]);
	return r;
}

/* --- the socket ------------------------------------------------------------------------------ */

/*
 * A name of our own, which the kernel chooses, so that PID 1 can answer; nobody else can: what is
 * connected takes datagrams from the other end only. Without a name there are no answers.
 */
static void take_name(int fd)
{
	const sa_family_t any = AF_UNIX;

	(void)bind(fd, (const struct sockaddr *)(const void *)&any, sizeof(any));
}

static int connect_to(const char *address)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(address);
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	take_name(fd);
	memcpy(sa.sun_path, address, len);
	/* An abstract name begins with a NUL, a path ends with one. */
	if (address[0] == '@')
		sa.sun_path[0] = '\0';
	else
		len++;
	len += offsetof(struct sockaddr_un, sun_path);
	if (connect(fd, (const struct sockaddr *)&sa, (socklen_t)len) < 0)
		return -errno;
	return steal_fd(&fd);
}

void notify_open(struct notify *n)
{
	struct notify_env env;
	int r = take_environment(&env);

	*n = (struct notify) { .fd = -1 };
	if (r == 0 && env.address[0] == '\0')
		return;
	if (r == 0)
		r = connect_to(env.address);
	if (r < 0) {
		log_event(EVENT_SUPERVISOR_UNREACHABLE, NULL,
			  "the supervisor will not learn how this node fares: cannot reach "
			  "NOTIFY_SOCKET: %s",
			  strerror(-r));
		return;
	}
	n->fd = r;
	n->is_init = strncmp(env.address, STATUSLINE_NAME_HEAD, strlen(STATUSLINE_NAME_HEAD)) == 0;
	n->watchdog_us = env.watchdog_us;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		(void)close(n->fd);
	*n = (struct notify) { .fd = -1 };
}

/* --- messages -------------------------------------------------------------------------------- */

/* A line break would begin an assignment of its own. */
static void put_status(struct str_out *t, const char *status)
{
	char line[NOTIFY_STATUS_SIZE];

	str_cut(line, sizeof(line), status, strlen(status));
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	str_add(t, "STATUS=%s\n", line);
}

size_t notify_format(char out[static NOTIFY_TEXT_SIZE], const struct notify_say *s)
{
	struct str_out t = { .out = out, .size = NOTIFY_TEXT_SIZE };

	out[0] = '\0';
	if (s->is_reloading)
		str_add(&t, "RELOADING=1\n");
	if (s->monotonic_us > 0)
		str_add(&t, "MONOTONIC_USEC=%llu\n", (unsigned long long)s->monotonic_us);
	if (s->is_ready)
		str_add(&t, "READY=1\n");
	if (s->is_stopping)
		str_add(&t, "STOPPING=1\n");
	if (s->is_beat)
		str_add(&t, "WATCHDOG=1\n");
	if (s->extend_us > 0)
		str_add(&t, "EXTEND_TIMEOUT_USEC=%llu\n", (unsigned long long)s->extend_us);
	if (s->error_number > 0)
		str_add(&t, "ERRNO=%d\n", s->error_number);
	if (s->serves)
		str_add(&t, "X_WGMESH_SERVES=%s\n", s->serves);
	if (s->clone)
		str_add(&t, "X_WGMESH_CLONE=%s\n", s->clone);
	if (s->status)
		put_status(&t, s->status);
	if (t.len > 0)
		out[--t.len] = '\0';
	return t.len;
}

void notify_send(struct notify *n, const struct notify_say *s)
{
	char text[NOTIFY_TEXT_SIZE];
	size_t len = notify_format(text, s);

	if (n->fd < 0 || len == 0)
		return;
	if (send(n->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		n->failures = 0;
	else if (n->failures++ == 0)
		log_event(EVENT_SUPERVISOR_DEAF, NULL, "the supervisor takes no message: %s",
			  strerror(errno));
}
