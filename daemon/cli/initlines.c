/* SPDX-License-Identifier: MIT */
#include "daemon/cli/initlines.h"
#include "common/defs.h"
#include "common/statusline.h"
#include "daemon/view/viewjson.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 1

static int connect_to_init(void)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_S };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa;
	socklen_t len = 0;

	if (fd < 0 || statusline_address(&sa, &len, 0) < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&sa, len) < 0 || !statusline_is_ours(fd))
		return -1;
	return steal_fd(&fd);
}

json_t *initlines_ask(void)
{
	char text[STATUSLINE_TEXT_SIZE];
	auto_close int fd = connect_to_init();
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return NULL;
	while (used < sizeof(text) - 1 && (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return used > 0 ? viewjson_supervisor(text) : NULL;
}
