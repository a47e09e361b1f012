/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/str.h"
#include "init/supervise/notify.h"

#include <errno.h>
#include <string.h>

#define ERRNO_MAX  4095 /* what a system call can return */
#define DIGITS_MAX 20	/* of the largest 64-bit number */
#define REPLACED   '?'

/* Bytes that are not terminated. */
struct span {
	const unsigned char *at;
	size_t len;
};

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* --- numbers --------------------------------------------------------------------------------- */

static int parse_number(uint64_t *out, struct span s, uint64_t max)
{
	char text[DIGITS_MAX + 1];

	if (s.len > DIGITS_MAX)
		return -ERANGE;
	str_cut(text, sizeof(text), (const char *)s.at, s.len);
	return str_parse_u64(out, text, 0, max);
}

static int parse_usec(uint64_t *out_ms, struct span s)
{
	uint64_t usec = 0;
	int r = parse_number(&usec, s, UINT64_MAX);

	if (r == 0)
		*out_ms = usec / 1000 + (usec % 1000 != 0 ? 1 : 0);
	return r;
}

/* --- text ------------------------------------------------------------------------------------ */

/*
 * Length of the UTF-8 sequence at the start of @s, or 0 when there is none (RFC 3629: no overlong
 * form, no surrogate, nothing above U+10FFFF). The second byte alone tells all of that.
 */
static size_t utf8_length(struct span s)
{
	unsigned char lead = s.at[0];
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (len == 1)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || s.len < len || s.at[1] < low || s.at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s.at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* C0, DEL, and C1, which some terminals obey as well. */
static bool is_control(const unsigned char *at, size_t len)
{
	return len == 1 ? at[0] < 0x20 || at[0] == 0x7f : at[0] == 0xc2 && at[1] < 0xa0;
}

/* It ends in logs, in JSON and on terminals: each of them must be able to trust it. */
static void copy_status(char out[static NOTIFY_STATUS_SIZE], struct span s)
{
	size_t used = 0;

	while (s.len > 0) {
		size_t len = utf8_length(s);
		size_t step = len > 0 ? len : 1;
		bool is_bad = len == 0 || is_control(s.at, len);
		size_t need = is_bad ? 1 : len;

		if (used + need >= NOTIFY_STATUS_SIZE)
			break;
		if (is_bad)
			out[used] = REPLACED;
		else
			memcpy(out + used, s.at, len);
		used += need;
		s.at += step;
		s.len -= step;
	}
	out[used] = '\0';
}

/* --- assignments ----------------------------------------------------------------------------- */

static void set_flag(bool *flag, struct span value)
{
	if (span_is(value, "1"))
		*flag = true;
}

static void take_ready(struct notify_message *m, struct span value)
{
	set_flag(&m->is_ready, value);
}

static void take_reloading(struct notify_message *m, struct span value)
{
	set_flag(&m->is_reloading, value);
}

static void take_stopping(struct notify_message *m, struct span value)
{
	set_flag(&m->is_stopping, value);
}

static void take_watchdog(struct notify_message *m, struct span value)
{
	set_flag(&m->is_beat, value);
	if (span_is(value, "trigger"))
		m->is_trigger = true;
}

static void take_interval(struct notify_message *m, struct span value)
{
	if (parse_usec(&m->watchdog_ms, value) == 0)
		m->has_watchdog = true;
}

static void take_extend(struct notify_message *m, struct span value)
{
	if (parse_usec(&m->extend_ms, value) == 0)
		m->has_extend = true;
}

static void take_errno(struct notify_message *m, struct span value)
{
	uint64_t n = 0;

	if (parse_number(&n, value, ERRNO_MAX) < 0)
		return;
	m->has_errno = true;
	m->error_number = (int)n;
}

/* "wg0 KEY": an interface's name and 44 characters of base64, or nothing. */
static void take_serves(struct notify_message *m, struct span value)
{
	char text[sizeof(struct marker_key)];
	const char *key = NULL;

	if (value.len >= sizeof(text))
		return;
	str_cut(text, sizeof(text), (const char *)value.at, value.len);
	key = strchr(text, ' ');
	if (!key || !marker_is_public_key(key + 1))
		return;
	text[key - text] = '\0';
	if (!str_is_interface_name(text))
		return;
	m->has_serves = true;
	(void)str_copy(m->serves.ifname, sizeof(m->serves.ifname), text);
	(void)str_copy(m->serves.public_key, sizeof(m->serves.public_key), key + 1);
}

static void take_clone(struct notify_message *m, struct span value)
{
	m->is_cloned = span_is(value, "1");
	m->has_clone = m->is_cloned || span_is(value, "0");
}

static void take_ask(struct notify_message *m, struct span value)
{
	m->is_asking = span_is(value, "1");
}

static void take_status(struct notify_message *m, struct span value)
{
	m->has_status = true;
	copy_status(m->status, value);
}

static const struct {
	const char *key;
	void (*take)(struct notify_message *m, struct span value);
} assignments[] = {
	{ "READY", take_ready },
	{ "RELOADING", take_reloading },
	{ "STOPPING", take_stopping },
	{ "WATCHDOG", take_watchdog },
	{ "WATCHDOG_USEC", take_interval },
	{ "EXTEND_TIMEOUT_USEC", take_extend },
	{ "ERRNO", take_errno },
	{ "STATUS", take_status },
	{ "X_WGMESH_SERVES", take_serves },
	{ "X_WGMESH_CLONE", take_clone },
	{ "X_WGMESH_ASK", take_ask },
};

static void take_line(struct notify_message *m, struct span line)
{
	const unsigned char *eq = memchr(line.at, '=', line.len);
	struct span key = { line.at, 0 };
	struct span value = { NULL, 0 };

	if (!eq)
		return;
	key.len = (size_t)(eq - line.at);
	value.at = eq + 1;
	value.len = line.len - key.len - 1;
	for (size_t i = 0; i < ARRAY_LEN(assignments); i++)
		if (span_is(key, assignments[i].key))
			assignments[i].take(m, value);
}

int notify_parse(struct notify_message *out, const char *text, size_t len)
{
	struct span rest = { (const unsigned char *)text, len };

	memset(out, 0, sizeof(*out));
	if (len > NOTIFY_DATAGRAM_MAX)
		return -EMSGSIZE;
	if (len > 0 && text[len - 1] == '\0')
		rest.len--;
	if (rest.len == 0 || memchr(text, '\0', rest.len))
		return -EBADMSG;
	while (rest.len > 0) {
		const unsigned char *end = memchr(rest.at, '\n', rest.len);
		struct span line = { rest.at, end ? (size_t)(end - rest.at) : rest.len };

		take_line(out, line);
		rest.at += end ? line.len + 1 : line.len;
		rest.len -= end ? line.len + 1 : line.len;
	}
	return 0;
}
