/* SPDX-License-Identifier: MIT */
#include "daemon/net/unixlisten.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <libgen.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Removes a socket that a dead node left; anything else at the path stays (protocol.md B20). */
static int clear_path(const struct sockaddr_un *at)
{
	struct stat st;
	auto_close int fd = -1;

	if (lstat(at->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A hung node with a full backlog is alive too. */
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlink(at->sun_path) < 0 ? -errno : 0;
}

static void make_directory(const struct sockaddr_un *at)
{
	char copy[sizeof(at->sun_path)];

	if (str_copy(copy, sizeof(copy), at->sun_path) == 0)
		(void)mkdir(dirname(copy), 0755);
}

static int bind_for_all(int fd, const struct sockaddr_un *at)
{
	/* Root in a container often lacks the capability to pass a mode that names another user. */
	mode_t old = umask(0111);
	int r = bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 ? -errno : 0;

	(void)umask(old);
	return r;
}

int unixlisten_open(const char *path, int backlog)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = str_copy(at.sun_path, sizeof(at.sun_path), path);

	if (fd < 0)
		return -errno;
	if (r < 0)
		return r;
	make_directory(&at);
	r = clear_path(&at);
	if (r == 0)
		r = bind_for_all(fd, &at);
	if (r < 0)
		return r;
	return listen(fd, backlog) < 0 ? -errno : steal_fd(&fd);
}
