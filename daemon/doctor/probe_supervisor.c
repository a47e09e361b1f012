/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/io.h"
#include "common/statusline.h"
#include "common/str.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* The child that this runs in has a limit, so nothing here needs one. */
static int fetch(char text[static STATUSLINE_TEXT_SIZE])
{
	struct sockaddr_un sa;
	socklen_t len = 0;
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = statusline_address(&sa, &len, 0);
	ssize_t n;

	if (fd < 0 || r < 0)
		return fd < 0 ? -errno : r;
	if (connect(fd, (const struct sockaddr *)&sa, len) < 0)
		return -errno;
	if (!statusline_is_ours(fd))
		return -EPERM;
	n = io_read_bounded(fd, text, STATUSLINE_TEXT_SIZE - 1);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -ENODATA;
}

void probe_supervisor(void *out, const void *arg)
{
	struct supervisor_facts *f = out;
	char text[STATUSLINE_TEXT_SIZE];
	uint64_t code = 0;
	char number[8];

	(void)arg;
	f->last_exit = -1;
	f->code = fetch(text);
	if (f->code < 0)
		return;
	(void)statusline_value(text, "verdict", f->verdict, sizeof(f->verdict));
	(void)statusline_value(text, "volume", f->volume, sizeof(f->volume));
	(void)statusline_value(text, "storage", f->storage, sizeof(f->storage));
	(void)statusline_value(text, "storage_note", f->storage_note, sizeof(f->storage_note));
	(void)statusline_value(text, "cause", f->cause, sizeof(f->cause));
	if (statusline_value(text, "last_exit", number, sizeof(number)) &&
	    str_parse_u64(&code, number, 0, UINT8_MAX) == 0)
		f->last_exit = (int)code;
}
