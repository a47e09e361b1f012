/* SPDX-License-Identifier: MIT */
#include "daemon/admin/forwardlog.h"
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 64

static bool take_line(struct forwardlog *out, const char *key, const char *value)
{
	if (strcmp(key, "boot") == 0)
		return str_copy(out->boot, sizeof(out->boot), value) == 0;
	if (strcmp(key, "netns") == 0)
		return str_parse_u64(&out->netns, value, 0, UINT64_MAX) == 0;
	if (strcmp(key, "interface") == 0)
		return value[0] != '\0' && strlen(value) < sizeof(out->ifname[0]) &&
		       forwardlog_add(out, value);
	if (strcmp(key, "ipv6") == 0)
		out->ipv6 = value[0] == '1';
	if (strcmp(key, "table") == 0)
		out->table = value[0] == '1';
	return true;
}

int forwardlog_parse(struct forwardlog *out, const char *text, size_t len)
{
	bool good = true;

	memset(out, 0, sizeof(*out));
	while (good && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		char line[LINE_SIZE];
		char *value;

		good = end && n < sizeof(line);
		if (!good)
			break;
		str_cut(line, sizeof(line), text, n);
		value = strchr(line, '=');
		good = value != NULL;
		if (good)
			*value++ = '\0';
		good = good && take_line(out, line, value);
		text += n + 1;
		len -= n + 1;
	}
	if (good)
		return 0;
	memset(out, 0, sizeof(*out));
	return -EBADMSG;
}

size_t forwardlog_format(char out[static FORWARDLOG_FILE_MAX], const struct forwardlog *log)
{
	struct str_out t = { .size = FORWARDLOG_FILE_MAX };

	t.out = out;
	str_add(&t, "boot=%s\nnetns=%llu\n", log->boot, (unsigned long long)log->netns);
	for (size_t i = 0; i < log->n; i++)
		str_add(&t, "interface=%s\n", log->ifname[i]);
	str_add(&t, "ipv6=%d\ntable=%d\n", log->ipv6, log->table);
	return t.len;
}

bool forwardlog_is_here(const struct forwardlog *log, const struct forwardlog *here)
{
	return log->boot[0] != '\0' && strcmp(log->boot, here->boot) == 0 &&
	       log->netns == here->netns;
}

bool forwardlog_equal(const struct forwardlog *a, const struct forwardlog *b)
{
	bool same = forwardlog_is_here(a, b) && a->n == b->n && a->ipv6 == b->ipv6 &&
		    a->table == b->table;

	for (size_t i = 0; same && i < a->n; i++)
		same = forwardlog_has(b, a->ifname[i]);
	return same;
}

bool forwardlog_has(const struct forwardlog *log, const char *ifname)
{
	for (size_t i = 0; i < log->n; i++)
		if (strcmp(log->ifname[i], ifname) == 0)
			return true;
	return false;
}

bool forwardlog_add(struct forwardlog *log, const char *ifname)
{
	if (forwardlog_has(log, ifname))
		return true;
	if (log->n == FORWARDLOG_INTERFACES_MAX)
		return false;
	return str_copy(log->ifname[log->n], sizeof(log->ifname[0]), ifname) == 0 && ++log->n > 0;
}

void forwardlog_drop(struct forwardlog *log, const char *ifname)
{
	for (size_t i = 0; i < log->n; i++) {
		if (strcmp(log->ifname[i], ifname) != 0)
			continue;
		log->n--;
		memmove(log->ifname[i], log->ifname[i + 1], (log->n - i) * sizeof(log->ifname[0]));
		return;
	}
}
