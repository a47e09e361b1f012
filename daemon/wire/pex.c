/* SPDX-License-Identifier: MIT */
#include "daemon/wire/pex.h"
#include "common/defs.h"
#include "daemon/wire/crypto.h"

#include <string.h>

#define PREFIX_LEN 4
#define PORT_LEN   2
#define LEN4	   (PREFIX_LEN + 4 + PORT_LEN)
#define LEN6	   (PREFIX_LEN + 16 + PORT_LEN)
#define BYTES_MAX  (PEX_MAX * LEN6)
#define TEXT_SIZE  ((BYTES_MAX + 2) / 3 * 4 + 1)

/**
 * struct kind - One of the two members
 */
struct kind {
	const char *name;
	uint8_t family;
	size_t ip_len;
	size_t len;
};

static const struct kind kinds[] = {
	{ "pex", AF_INET, 4, LEN4 },
	{ "pex6", AF_INET6, 16, LEN6 },
};

uint32_t pex_prefix(const struct wg_key *key)
{
	return (uint32_t)key->b[0] << 24 | (uint32_t)key->b[1] << 16 | (uint32_t)key->b[2] << 8 |
	       key->b[3];
}

static void put_record(uint8_t *out, const struct pex_record *r, const struct kind *k)
{
	for (unsigned int i = 0; i < PREFIX_LEN; i++)
		out[i] = (uint8_t)(r->prefix >> (24 - 8 * i));
	memcpy(out + PREFIX_LEN, r->at.ip.b, k->ip_len);
	out[k->len - 2] = (uint8_t)(r->at.port >> 8);
	out[k->len - 1] = (uint8_t)r->at.port;
}

static struct pex_record get_record(const uint8_t *in, const struct kind *k)
{
	struct pex_record r = { .at.ip.family = k->family };

	for (unsigned int i = 0; i < PREFIX_LEN; i++)
		r.prefix = r.prefix << 8 | in[i];
	memcpy(r.at.ip.b, in + PREFIX_LEN, k->ip_len);
	r.at.port = (uint16_t)(in[k->len - 2] << 8 | in[k->len - 1]);
	return r;
}

static void read_kind(struct pex_list *out, json_t *body, const struct kind *k)
{
	uint8_t bytes[BYTES_MAX];
	struct json_text text;
	long len;

	if (json_member_text(&text, body, k->name) < 0 || text.len >= TEXT_SIZE)
		return;
	len = crypto_unbase64(bytes, sizeof(bytes), text.s, text.len, false);
	if (len < 0 || (size_t)len % k->len != 0)
		return;
	for (size_t i = 0; i < (size_t)len && out->n < PEX_MAX; i += k->len) {
		struct pex_record r = get_record(bytes + i, k);

		if (r.at.port != 0)
			out->record[out->n++] = r;
	}
}

void pex_read(struct pex_list *out, json_t *body)
{
	out->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		read_kind(out, body, &kinds[i]);
}

/* What a member with @n records takes: comma, quoted name, colon, quoted text. */
static size_t size_of(const struct kind *k, size_t n)
{
	return n == 0 ? 0 : strlen(k->name) + 6 + (n * k->len + 2) / 3 * 4;
}

static const struct kind *kind_of(const struct pex_record *r)
{
	return r->at.ip.family == AF_INET ? &kinds[0] : &kinds[1];
}

/* How many of the first records fit, whatever their families. */
static size_t count_fitting(const struct pex_list *list, size_t room)
{
	size_t n[ARRAY_LEN(kinds)] = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		n[kind_of(&list->record[i]) - kinds]++;
		if (size_of(&kinds[0], n[0]) + size_of(&kinds[1], n[1]) > room)
			return i;
	}
	return list->n;
}

void pex_write(struct json_writer *w, const struct pex_list *list, size_t room)
{
	size_t total = count_fitting(list, room);

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		uint8_t bytes[BYTES_MAX];
		char text[TEXT_SIZE];
		size_t len = 0;

		for (size_t i = 0; i < total; i++) {
			if (kind_of(&list->record[i]) != &kinds[k])
				continue;
			put_record(bytes + len, &list->record[i], &kinds[k]);
			len += kinds[k].len;
		}
		if (len == 0)
			continue;
		crypto_base64(text, sizeof(text), bytes, len);
		json_write_text(w, kinds[k].name, text);
	}
}
