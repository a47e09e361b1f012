/* SPDX-License-Identifier: MIT */
#include "init/lock/holder.h"
#include "common/defs.h"
#include "common/str.h"
#include "init/clock.h"
#include "init/volume/mountinfo.h"
#include "init/volume/mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void read_boot_id(char *out, size_t size)
{
	auto_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	out[n < 0 ? 0 : n] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

void holder_self(struct holder *me)
{
	auto_free char *mounts = mounts_read();

	memset(me, 0, sizeof(*me));
	(void)gethostname(me->host, sizeof(me->host) - 1);
	if (mounts)
		(void)mountinfo_container_id(mounts, me->container);
	(void)snprintf(me->pid, sizeof(me->pid), "%d", getpid());
	clock_utc_text(me->since);
	read_boot_id(me->boot, sizeof(me->boot));
}

/* The file may be anybody's work, and its words end up in logs. */
static void copy_value(char *out, size_t size, const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0 || line[len] != '=')
		return;
	str_cut(out, size, line + len + 1, strcspn(line + len + 1, "\n"));
	for (char *p = out; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

void holder_parse(const char *text, struct holder *out)
{
	memset(out, 0, sizeof(*out));
	while (*text) {
		copy_value(out->host, sizeof(out->host), text, "host");
		copy_value(out->container, sizeof(out->container), text, "container");
		copy_value(out->pid, sizeof(out->pid), text, "pid");
		copy_value(out->since, sizeof(out->since), text, "since");
		copy_value(out->boot, sizeof(out->boot), text, "boot");
		text += strcspn(text, "\n");
		text += *text == '\n' ? 1 : 0;
	}
}

size_t holder_format(const struct holder *h, char *out, size_t size)
{
	int n = snprintf(out, size, "host=%s\npid=%s\ncontainer=%s\nsince=%s\nboot=%s\n", h->host,
			 h->pid, h->container, h->since, h->boot);

	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

void holder_describe(const struct holder *h, char out[static HOLDER_TEXT_SIZE])
{
	const char *host = h->host[0] ? h->host : "an unknown host";
	const char *pid = h->pid[0] ? h->pid : "?";
	const char *since = h->since[0] ? h->since : "an unknown time";

	if (h->container[0])
		(void)snprintf(out, HOLDER_TEXT_SIZE, "%s (container %.12s), process %s, since %s",
			       host, h->container, pid, since);
	else
		(void)snprintf(out, HOLDER_TEXT_SIZE, "%s, process %s, since %s", host, pid, since);
}

bool holder_is_known(const struct holder *h)
{
	return h->host[0] || h->container[0];
}

bool holder_is_same_place(const struct holder *a, const struct holder *b)
{
	return a->container[0] && a->boot[0] && strcmp(a->container, b->container) == 0 &&
	       strcmp(a->boot, b->boot) == 0;
}
