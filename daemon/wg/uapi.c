/* SPDX-License-Identifier: MIT */
#include "daemon/wg/uapi.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <string.h>

#define KEY_HEX_LEN (2 * (size_t)WG_KEY_LEN)
#define MAX_ERRNO   4095

static void put_key(struct growbuf *b, const char *name, const uint8_t key[static WG_KEY_LEN])
{
	(void)growbuf_printf(b, "%s=", name);
	for (size_t i = 0; i < WG_KEY_LEN; i++)
		(void)growbuf_printf(b, "%02x", key[i]);
	(void)growbuf_append(b, "\n", 1);
}

void uapi_set_device(struct growbuf *b, const uint8_t *private_key, uint16_t listen_port)
{
	(void)growbuf_printf(b, "set=1\n");
	if (private_key)
		put_key(b, "private_key", private_key);
	if (listen_port > 0)
		(void)growbuf_printf(b, "listen_port=%u\n", listen_port);
	(void)growbuf_append(b, "\n", 1);
}

static void put_peer(struct growbuf *b, const struct wg_peer_config *peer)
{
	char text[ENDPOINT_TEXT_SIZE];

	put_key(b, "public_key", peer->key.b);
	if (peer->flags & WG_PEER_REMOVE) {
		(void)growbuf_printf(b, "remove=true\n");
		return;
	}
	if (peer->flags & WG_PEER_HAS_PSK)
		put_key(b, "preshared_key", peer->psk);
	if (peer->flags & WG_PEER_HAS_ENDPOINT)
		(void)growbuf_printf(b, "endpoint=%s\n", endpoint_format(text, &peer->endpoint));
	if (peer->flags & WG_PEER_HAS_KEEPALIVE)
		(void)growbuf_printf(b, "persistent_keepalive_interval=%u\n", peer->keepalive_s);
	if (peer->flags & WG_PEER_REPLACE_ALLOWED)
		(void)growbuf_printf(b, "replace_allowed_ips=true\n");
	for (size_t i = 0; i < peer->n_allowed; i++)
		(void)growbuf_printf(b, "allowed_ip=%s\n", prefix_format(text, &peer->allowed[i]));
}

size_t uapi_set_peers(struct growbuf *b, const struct wg_changes *changes)
{
	const struct wg_peer_config *p;
	size_t n = 0;

	(void)growbuf_printf(b, "set=1\n");
	for (; (p = changes->next(changes->arg)) != NULL; n++)
		put_peer(b, p);
	(void)growbuf_append(b, "\n", 1);
	return n;
}

bool uapi_is_complete(const void *text, size_t len)
{
	const char *end = (const char *)text + len;

	return len >= 2 && end[-1] == '\n' && end[-2] == '\n';
}

/* A reader of an answer: the device's lines, then those of each peer. */
struct reader {
	struct uapi_device *dev;
	wg_peer_fn *fn;
	void *arg;
	bool has_peer;
	struct wg_peer_state peer;
	int verdict;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_key(uint8_t out[static WG_KEY_LEN], const char *value)
{
	if (strlen(value) != KEY_HEX_LEN)
		return -EBADMSG;
	for (size_t i = 0; i < WG_KEY_LEN; i++) {
		int hi = hex_digit(value[2 * i]);
		int lo = hex_digit(value[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EBADMSG;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

static int read_u64(uint64_t *out, const char *value, uint64_t max)
{
	return str_parse_u64(out, value, 0, max) < 0 ? -EBADMSG : 0;
}

static int read_u16(uint16_t *out, const char *value)
{
	uint64_t n;

	if (read_u64(&n, value, UINT16_MAX) < 0)
		return -EBADMSG;
	*out = (uint16_t)n;
	return 0;
}

static int on_private_key(struct reader *rd, const char *value)
{
	rd->dev->has_private_key = true;
	return read_key(rd->dev->private_key, value);
}

static int on_listen_port(struct reader *rd, const char *value)
{
	return read_u16(&rd->dev->listen_port, value);
}

static int end_peer(struct reader *rd)
{
	bool had_peer = rd->has_peer;

	rd->has_peer = false;
	return had_peer && rd->fn ? rd->fn(&rd->peer, rd->arg) : 0;
}

static int on_public_key(struct reader *rd, const char *value)
{
	int r = end_peer(rd);

	if (r != 0)
		return r;
	rd->peer = (struct wg_peer_state) { 0 };
	rd->has_peer = true;
	return read_key(rd->peer.key.b, value);
}

/* A link-local endpoint may carry a zone that has no place in the model: it is shown as unknown. */
static int on_endpoint(struct reader *rd, const char *value)
{
	int r = endpoint_parse(&rd->peer.endpoint, value);

	if (r == 0)
		ip_unmap(&rd->peer.endpoint.ip);
	return r < 0 && !strchr(value, '%') ? -EBADMSG : 0;
}

static int on_keepalive(struct reader *rd, const char *value)
{
	return read_u16(&rd->peer.keepalive_s, value);
}

static int on_handshake(struct reader *rd, const char *value)
{
	uint64_t n;
	int r = read_u64(&n, value, INT64_MAX);

	if (r == 0)
		rd->peer.handshake_s = (int64_t)n;
	return r;
}

static int on_rx(struct reader *rd, const char *value)
{
	return read_u64(&rd->peer.rx_bytes, value, UINT64_MAX);
}

static int on_tx(struct reader *rd, const char *value)
{
	return read_u64(&rd->peer.tx_bytes, value, UINT64_MAX);
}

static int on_allowed_ip(struct reader *rd, const char *value)
{
	struct prefix p;

	if (prefix_parse(&p, value) < 0)
		return -EBADMSG;
	if (rd->peer.n_allowed < WG_ALLOWED_MAX)
		rd->peer.allowed[rd->peer.n_allowed++] = p;
	return 0;
}

/* Implementations differ in the sign. */
static int on_errno(struct reader *rd, const char *value)
{
	uint64_t n;

	if (read_u64(&n, value + (value[0] == '-' ? 1 : 0), MAX_ERRNO) < 0)
		return -EBADMSG;
	rd->verdict = -(int)n;
	return 0;
}

static const struct {
	const char *name;
	int (*on)(struct reader *rd, const char *value);
	bool of_peer;
} keys[] = {
	{ "private_key", on_private_key, false },
	{ "listen_port", on_listen_port, false },
	{ "public_key", on_public_key, false },
	{ "endpoint", on_endpoint, true },
	{ "persistent_keepalive_interval", on_keepalive, true },
	{ "last_handshake_time_sec", on_handshake, true },
	{ "rx_bytes", on_rx, true },
	{ "tx_bytes", on_tx, true },
	{ "allowed_ip", on_allowed_ip, true },
	{ "errno", on_errno, false },
};

static int read_pair(struct reader *rd, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(name, keys[i].name) != 0)
			continue;
		return keys[i].of_peer && !rd->has_peer ? -EBADMSG : keys[i].on(rd, value);
	}
	return 0;
}

/* The line is copied to be terminated: it may be one that holds a key. */
static int read_line(struct reader *rd, const char *text, size_t len)
{
	char line[256];
	char *value;
	int r;

	if (len >= sizeof(line) || memchr(text, '\0', len))
		return -EBADMSG;
	memcpy(line, text, len);
	line[len] = '\0';
	value = strchr(line, '=');
	if (value)
		*value++ = '\0';
	r = value ? read_pair(rd, line, value) : -EBADMSG;
	explicit_bzero(line, sizeof(line));
	return r;
}

int uapi_parse(struct uapi_device *dev, wg_peer_fn *fn, void *arg, const char *text, size_t len)
{
	struct reader rd = { .dev = dev, .fn = fn, .arg = arg, .verdict = 1 };

	*dev = (struct uapi_device) { 0 };
	if (!uapi_is_complete(text, len))
		return -EBADMSG;
	/* Up to the blank line, which is the last. */
	for (const char *end = text + len - 1; text < end;) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		int r;

		if (!eol)
			return -EBADMSG;
		r = read_line(&rd, text, (size_t)(eol - text));
		if (r != 0)
			return r;
		text = eol + 1;
	}
	if (rd.verdict > 0)
		return -EBADMSG;
	return rd.verdict < 0 ? rd.verdict : end_peer(&rd);
}
