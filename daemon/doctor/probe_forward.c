/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/io.h"
#include "common/str.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"

#include <fcntl.h>
#include <string.h>

/* Return: the number in the file, or -1 where it cannot be read */
static int read_number(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16];
	uint64_t number = 0;
	ssize_t n = fd < 0 ? fd : io_read_bounded(fd, text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return str_parse_u64(&number, text, 0, INT_MAX) < 0 ? -1 : (int)number;
}

void probe_forward(void *out, const void *arg)
{
	struct forward_facts *f = out;
	int all = read_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	int new = read_number("/proc/sys/net/ipv4/conf/default/rp_filter");

	(void)arg;
	f->v4 = read_number("/proc/sys/net/ipv4/ip_forward");
	f->v6 = read_number("/proc/sys/net/ipv6/conf/all/forwarding");
	/* The larger of "all" and the interface's own counts, and a new one has that of "default". */
	f->rp_filter = all > new ? all : new;
}
