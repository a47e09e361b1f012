/* SPDX-License-Identifier: MIT */
#include "init/supervise/notify_outer.h"
#include "common/defs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int notify_outer_open(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = name ? strlen(name) : 0;
	auto_close int fd = -1;

	if (len < 2)
		return -ENOENT;
	if ((name[0] != '@' && name[0] != '/') || len >= sizeof(sa.sun_path))
		return -EINVAL;
	memcpy(sa.sun_path, name, len);
	/* A path is sent with its NUL; an abstract name begins with one instead. */
	if (name[0] == '@')
		sa.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path) + (name[0] == '/' ? 1 : 0);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, (socklen_t)len) < 0)
		return -errno;
	return steal_fd(&fd);
}

void notify_outer_send(int fd, const struct notify_message *m)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", m->is_ready ? "READY=1\n" : "",
			 m->is_reloading ? "RELOADING=1\n" : "",
			 m->is_stopping ? "STOPPING=1\n" : "", m->is_beat ? "WATCHDOG=1\n" : "",
			 m->has_status ? "STATUS=" : "", m->has_status ? m->status : "",
			 m->has_status ? "\n" : "");

	if (n >= 0 && m->has_extend)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "EXTEND_TIMEOUT_USEC=%llu\n",
			      m->extend_ms < UINT64_MAX / 1000
				      ? (unsigned long long)m->extend_ms * 1000
				      : (unsigned long long)UINT64_MAX);
	if (fd >= 0 && n > 0)
		(void)send(fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}
