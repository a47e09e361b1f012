/* SPDX-License-Identifier: MIT */
#include "daemon/http/address.h"
#include "common/exits.h"
#include "common/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ITEM_SIZE    (HTTP_PATH_SIZE + sizeof("unix:"))
#define UNIX_HEAD    "unix:"
#define LOOPBACK     ((struct ip) { .family = AF_INET, .b = { 127, 0, 0, 1 } })
#define HOST_SIZE    64
#define SEPARATORS   ", "
#define FORMS	     "PORT, :PORT, IP:PORT, [IP6]:PORT, /PATH or none"
#define SHOWN_LENGTH "60"

/* The text of a setting, and how the person gave it. */
struct source {
	const char *origin;
	const char *text;
};

/* Of a text that is wrong: which setting, which part of it, what is wrong with it. */
__attribute__((format(printf, 4, 5))) static int refuse(struct err *e, const struct source *from,
							const char *item, const char *fmt, ...)
{
	char why[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_exit(e, EXITS_USAGE, -EINVAL, "%s: \"%." SHOWN_LENGTH "s\" %s", from->origin,
			item, why);
}

static bool parse_port(uint16_t *out, const char *text)
{
	uint64_t port = 0;

	if (str_parse_u64(&port, text, 1, UINT16_MAX) < 0)
		return false;
	*out = (uint16_t)port;
	return true;
}

static int read_path(struct http_address *out, const struct source *from, const char *item,
		     struct err *e)
{
	const char *path =
		item + (strncmp(item, UNIX_HEAD, strlen(UNIX_HEAD)) == 0 ? strlen(UNIX_HEAD) : 0);

	if (path[0] != '/')
		return refuse(e, from, item,
			      "has to name the socket by its whole path: unix:/PATH");
	if (str_copy(out->path, sizeof(out->path), path) < 0)
		return refuse(e, from, item, "is longer than the %zu bytes of a socket path",
			      sizeof(out->path) - 1);
	return 0;
}

/* Takes the brackets off; what is in brackets has to be IPv6, as nothing else needs them. */
static bool parse_host(struct http_address *out, const char *host)
{
	char bare[HOST_SIZE];
	size_t len = strlen(host);
	bool is_bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';

	if (len == 0 || strcmp(host, "*") == 0) {
		out->is_any = true;
		return true;
	}
	if (strcmp(host, "localhost") == 0) {
		out->at.ip = LOOPBACK;
		return true;
	}
	str_cut(bare, sizeof(bare), host + is_bracketed, len - (is_bracketed ? 2 : 0));
	return ip_parse(&out->at.ip, bare) == 0 && (!is_bracketed || out->at.ip.family == AF_INET6);
}

static int read_tcp(struct http_address *out, const struct source *from, const char *item,
		    struct err *e)
{
	const char *colon = strrchr(item, ':');
	char host[HOST_SIZE] = "localhost";
	struct ip whole;

	if (colon)
		str_cut(host, sizeof(host), item, (size_t)(colon - item));
	if (parse_host(out, host)) {
		if (parse_port(&out->at.port, colon ? colon + 1 : item))
			return 0;
		if (colon && ip_parse(&whole, item) < 0)
			return refuse(e, from, item,
				      "needs a port from 1 to 65535 after the colon");
	}
	if (ip_parse(&whole, item) == 0)
		return refuse(e, from, item,
			      whole.family == AF_INET6
				      ? "is an address without a port; write [ADDRESS]:PORT"
				      : "is an address without a port; write ADDRESS:PORT");
	if (colon && parse_port(&out->at.port, colon + 1))
		return refuse(e, from, item,
			      "names no address of this machine; names are not looked up, write "
			      "its IP address, or [IP6]:PORT");
	return refuse(e, from, item, "is no address to listen at; write " FORMS);
}

static bool is_same(const struct http_address *a, const struct http_address *b)
{
	return a->is_any == b->is_any && strcmp(a->path, b->path) == 0 &&
	       endpoint_equal(&a->at, &b->at);
}

/* The default of one setting is what many give with the other. */
static bool is_known(const struct http_addresses *all, const struct http_address *a)
{
	for (size_t i = 0; i < all->n; i++)
		if (is_same(&all->list[i], a))
			return true;
	return false;
}

static int read_item(struct http_addresses *out, const struct source *from, const char *item,
		     struct err *e)
{
	struct http_address a = { .is_any = false };
	bool is_path = item[0] == '/' || strncmp(item, UNIX_HEAD, strlen(UNIX_HEAD)) == 0;
	int r = is_path ? read_path(&a, from, item, e) : read_tcp(&a, from, item, e);

	if (r < 0 || is_known(out, &a))
		return r;
	if (out->n == HTTP_ADDRESSES_MAX)
		return refuse(e, from, item, "is one address too many; there may be %d",
			      HTTP_ADDRESSES_MAX);
	out->list[out->n++] = a;
	return 0;
}

static int read_list(struct http_addresses *out, const struct source *from, struct err *e)
{
	const char *p = from->text;

	if (!p || strcmp(p, "none") == 0)
		return 0;
	for (;;) {
		char item[ITEM_SIZE + 1];
		size_t len;
		int r;

		p += strspn(p, SEPARATORS);
		len = strcspn(p, SEPARATORS);
		if (len == 0)
			return 0;
		str_cut(item, sizeof(item), p, len);
		if (strcmp(item, "none") == 0)
			return refuse(e, from, item, "stands alone, or not at all");
		r = read_item(out, from, item, e);
		if (r < 0)
			return r;
		p += len;
	}
}

int http_addresses_load(struct http_addresses *out, const struct settings *s, struct err *e)
{
	static const enum setting_id ids[] = { SETTING_HTTP, SETTING_METRICS };

	*out = (struct http_addresses) { .n = 0 };
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct source from = { settings_origin(s, ids[i]), settings_text(s, ids[i]) };
		int r = read_list(out, &from, e);

		if (r < 0)
			return r;
	}
	return 0;
}

char *http_address_format(char out[static HTTP_PATH_SIZE], const struct http_address *a)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (a->path[0])
		(void)str_copy(out, HTTP_PATH_SIZE, a->path);
	else if (a->is_any)
		(void)snprintf(out, HTTP_PATH_SIZE, ":%u", a->at.port);
	else
		(void)str_copy(out, HTTP_PATH_SIZE, endpoint_format(text, &a->at));
	return out;
}
