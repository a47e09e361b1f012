/* SPDX-License-Identifier: MIT */
#include "daemon/net/hostport.h"
#include "common/exits.h"
#include "common/str.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define SEPARATORS ", \t\n"
#define ENTRY_MAX  (HOSTPORT_NAME_MAX + 8) /* brackets, ':', five digits */
#define LABEL_MAX  63

/* Letters, digits, '-' and '_' in labels of 63 (RFC 1123 section 2.1; '_' is common in service names). */
static bool is_name(const char *s)
{
	size_t label = 0;
	bool has_letter = false;

	for (; *s; s++) {
		if (*s == '.' && label == 0)
			return false;
		label = *s == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
		if (!isalnum((unsigned char)*s) && !strchr(".-_", *s))
			return false;
		has_letter |= isalpha((unsigned char)*s) != 0;
	}
	return has_letter;
}

static bool take_literal(struct hostport *out, const char *entry)
{
	struct endpoint at;
	char text[IP_TEXT_SIZE];

	if (endpoint_parse(&at, entry) == 0) {
		out->ip = at.ip;
		out->port = at.port;
	} else if (ip_parse(&out->ip, entry) < 0) {
		return false;
	}
	return !ip_is_wildcard(&out->ip) &&
	       str_copy(out->name, sizeof(out->name), ip_format(text, &out->ip)) == 0;
}

static bool take_name(struct hostport *out, char *entry)
{
	char *colon = strchr(entry, ':');
	uint64_t port = 0;

	if (colon) {
		*colon = '\0';
		if (str_parse_u64(&port, colon + 1, 1, UINT16_MAX) < 0)
			return false;
		out->port = (uint16_t)port;
	}
	return is_name(entry) && str_copy(out->name, sizeof(out->name), entry) == 0;
}

static const char *example(enum hostport_kind kind)
{
	switch (kind) {
	case HOSTPORT_LITERAL:
		return "an address such as 192.0.2.1, 192.0.2.1:52101 or [2001:db8::1]:52101";
	case HOSTPORT_NAME:
		return "a name such as node.example.org or node.example.org:52101";
	case HOSTPORT_ANY:
		break;
	}
	return "a name or an address, with or without a port, such as node.example.org:6881";
}

static bool take_entry(struct hostport *out, const char *entry, enum hostport_kind kind)
{
	char copy[ENTRY_MAX + 1];

	memset(out, 0, sizeof(*out));
	if (kind != HOSTPORT_NAME && take_literal(out, entry))
		return true;
	memset(out, 0, sizeof(*out));
	return kind != HOSTPORT_LITERAL && str_copy(copy, sizeof(copy), entry) == 0 &&
	       take_name(out, copy);
}

int hostports_parse(struct hostports *out, const char *text, enum hostport_kind kind,
		    const char *origin, struct err *e)
{
	out->n = 0;
	for (;;) {
		char entry[ENTRY_MAX + 1];
		size_t len;

		text += strspn(text, SEPARATORS);
		len = strcspn(text, SEPARATORS);
		if (len == 0)
			return 0;
		if (out->n == HOSTPORTS_MAX)
			return err_exit(e, EXITS_USAGE, -E2BIG,
					"%s has more than %d entries; leave some out", origin,
					HOSTPORTS_MAX);
		if (len < sizeof(entry)) {
			memcpy(entry, text, len);
			entry[len] = '\0';
		}
		if (len >= sizeof(entry) || !take_entry(&out->at[out->n], entry, kind))
			return err_exit(e, EXITS_USAGE, -EINVAL, "%s: \"%.*s\" is not %s", origin,
					len < 60 ? (int)len : 60, text, example(kind));
		out->n++;
		text += len;
	}
}
