/* SPDX-License-Identifier: MIT */
#include "common/holder.h"
#include "common/str.h"

#include <stdio.h>
#include <string.h>

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
