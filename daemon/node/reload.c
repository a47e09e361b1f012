/* SPDX-License-Identifier: MIT */
#include "daemon/node/reload.h"
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE   4096
#define ORIGIN_SIZE 160
#define LEVELS_KEY  "log-level"

static const char blank[] = " \t\r";

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, blank);
	len = strlen(text);
	while (len > 0 && strchr(blank, text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int take_pair(struct reload *out, const char *key, const char *value, const char *origin,
		     struct err *e)
{
	char name[64];

	if (strcmp(key, "advertise-routes") == 0) {
		out->has_routes = true;
		return routelist_parse(&out->routes, value, origin, e);
	}
	if (strcmp(key, LEVELS_KEY) == 0) {
		out->has_levels = true;
		if (value[0] != '\0' && str_copy(out->levels, sizeof(out->levels), value) == 0)
			return 0;
		return err_set(e, -EINVAL,
			       "%s: log-level needs error, warn, info or debug, such as "
			       "log-level=info,exchange=debug",
			       origin);
	}
	if (strcmp(key, "peer") == 0) {
		out->has_peers = true;
		return hostports_parse(&out->peers, value, HOSTPORT_LITERAL, origin, e);
	}
	if (strcmp(key, "peer-dns") == 0) {
		out->has_dns = true;
		return hostports_parse(&out->dns, value, HOSTPORT_NAME, origin, e);
	}
	return err_set(
		e, -EINVAL,
		"%s: \"%s\" is not known; advertise-routes, log-level, peer and peer-dns can "
		"be reloaded, everything else needs a restart",
		origin, str_visible(name, sizeof(name), key));
}

static int take_line(struct reload *out, char *line, unsigned int number, const char *path,
		     struct err *e)
{
	char origin[ORIGIN_SIZE];
	char *text = trim(line);
	char *value = strchr(text, '=');

	(void)snprintf(origin, sizeof(origin), "%.120s line %u", path, number);
	if (*text == '\0' || *text == '#')
		return 0;
	if (!value)
		return err_set(e, -EINVAL,
			       "%s has no \"=\"; write KEY=VALUE, or # before a comment", origin);
	*value = '\0';
	text = trim(text);
	if (strcmp(text, LEVELS_KEY) == 0)
		out->levels_line = number;
	return take_pair(out, text, trim(value + 1), origin, e);
}

int reload_parse(struct reload *out, const char *text, size_t len, const char *path, struct err *e)
{
	char line[LINE_SIZE];
	unsigned int number = 0;
	int r = 0;

	memset(out, 0, sizeof(*out));
	while (r == 0 && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		number++;
		if (n >= sizeof(line) || memchr(text, '\0', n))
			return err_set(e, -EINVAL, "%.120s line %u is no text of at most %d bytes",
				       path, number, LINE_SIZE - 1);
		str_cut(line, sizeof(line), text, n);
		r = take_line(out, line, number, path, e);
		n += end ? 1 : 0;
		text += n;
		len -= n;
	}
	return r;
}
