/* SPDX-License-Identifier: MIT */
#include "daemon/wire/envelope.h"
#include "common/defs.h"
#include "daemon/wire/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {
	[MESSAGE_UNKNOWN] = "UNKNOWN",
	[MESSAGE_HELLO] = "HELLO",
	[MESSAGE_REPLY] = "REPLY",
	[MESSAGE_ANNOUNCE] = "ANNOUNCE",
	[MESSAGE_GOODBYE] = "GOODBYE",
	[MESSAGE_RENDEZVOUS_OFFER] = "RENDEZVOUS_OFFER",
	[MESSAGE_RENDEZVOUS_START] = "RENDEZVOUS_START",
};
static_assert(ARRAY_LEN(type_names) == MESSAGE_RENDEZVOUS_START + 1, "a name for every type");

static const char *const result_names[] = {
	[ENVELOPE_OK] = "accept",
	[ENVELOPE_BAD_JSON] = "envelope-json",
	[ENVELOPE_BAD_NONCE] = "nonce-size",
	[ENVELOPE_FORGED] = "decrypt",
	[ENVELOPE_BAD_PAYLOAD] = "payload-json",
	[ENVELOPE_WRONG_PROTOCOL] = "protocol-version",
	[ENVELOPE_TOO_OLD] = "too-old",
	[ENVELOPE_IN_FUTURE] = "in-future",
};
static_assert(ARRAY_LEN(result_names) == ENVELOPE_IN_FUTURE + 1, "a name for every result");

const char *envelope_result_name(enum envelope_result r)
{
	return result_names[r];
}

const char *message_type_name(enum message_type t)
{
	return type_names[t];
}

enum message_type message_type_parse(const char *name)
{
	for (size_t i = MESSAGE_HELLO; i < ARRAY_LEN(type_names); i++) {
		if (strcmp(name, type_names[i]) == 0)
			return (enum message_type)i;
	}
	return MESSAGE_UNKNOWN;
}

/* NOLINTNEXTLINE(readability-function-size): two buffers with lengths, and two keys */
long envelope_seal(char *out, size_t size, enum message_type type, const char *plain, size_t len,
		   const uint8_t nonce[static CRYPTO_NONCE_LEN],
		   const uint8_t key[static CRYPTO_KEY_LEN])
{
	char nonce_text[CRYPTO_NONCE_LEN / 3 * 4 + 1];
	auto_free uint8_t *sealed = NULL;
	size_t sealed_len = len + CRYPTO_TAG_LEN;
	size_t total;
	int head;

	if (len > ENVELOPE_DATAGRAM_MAX)
		return -EMSGSIZE;
	crypto_base64(nonce_text, sizeof(nonce_text), nonce, CRYPTO_NONCE_LEN);
	head = snprintf(out, size, "{\"type\":\"%s\",\"nonce\":\"%s\",\"ciphertext\":\"",
			message_type_name(type), nonce_text);
	total = (size_t)head + crypto_base64_size(sealed_len) - 1 + strlen("\"}");
	if (head < 0 || total >= size || total > ENVELOPE_DATAGRAM_MAX)
		return -EMSGSIZE;

	sealed = malloc(sealed_len);
	if (!sealed)
		return -ENOMEM;
	crypto_seal(sealed, (const uint8_t *)plain, len, nonce, key);
	crypto_base64(out + head, size - (size_t)head, sealed, sealed_len);
	memcpy(out + total - 2, "\"}", 3);
	return (long)total;
}

/**
 * struct sealed - The three members of a datagram
 * @type:	Claimed type
 * @nonce:	Decoded; owned
 * @nonce_len:	Bytes in @nonce, or -EINVAL
 * @text:	Decoded ciphertext and tag; owned
 * @text_len:	Bytes in @text, or -EINVAL
 */
struct sealed {
	enum message_type type;
	uint8_t *nonce;
	long nonce_len;
	uint8_t *text;
	long text_len;
};

static void sealed_free(struct sealed *s)
{
	free(s->nonce);
	free(s->text);
}

/* Decodes a base64 member into memory of its own; *@len becomes -EINVAL when it is none. */
static uint8_t *decode_member(long *len, json_t *object, const char *name)
{
	struct json_text text;
	uint8_t *bytes;

	*len = -EINVAL;
	if (json_member_text(&text, object, name) < 0)
		return NULL;
	bytes = malloc(text.len + 1);
	if (bytes)
		*len = crypto_unbase64(bytes, text.len, text.s, text.len, true);
	return bytes;
}

static enum envelope_result read_sealed(struct sealed *s, const void *datagram, size_t len)
{
	json_t *object = len <= ENVELOPE_DATAGRAM_MAX ? json_parse(datagram, len, NULL) : NULL;
	struct json_text type;
	int r;

	if (!object)
		return ENVELOPE_BAD_JSON;
	r = json_member_text(&type, object, "type");
	s->type = message_type_parse(type.s);
	s->nonce = decode_member(&s->nonce_len, object, "nonce");
	s->text = decode_member(&s->text_len, object, "ciphertext");
	json_decref(object);
	if (r < 0 || s->nonce_len < 0 || s->text_len < 0)
		return ENVELOPE_BAD_JSON;
	return s->nonce_len == CRYPTO_NONCE_LEN ? ENVELOPE_OK : ENVELOPE_BAD_NONCE;
}

static enum envelope_result judge_age(int64_t timestamp, int64_t now)
{
	if (timestamp < now - ENVELOPE_MAX_AGE_S)
		return ENVELOPE_TOO_OLD;
	return timestamp > now + ENVELOPE_MAX_AGE_S ? ENVELOPE_IN_FUTURE : ENVELOPE_OK;
}

static enum envelope_result judge_body(struct envelope *out, json_t *body, int64_t now)
{
	struct json_text protocol;

	if (json_member_text(&protocol, body, "protocol") < 0 ||
	    json_member_int(&out->timestamp, body, "timestamp") < 0)
		return ENVELOPE_BAD_PAYLOAD;
	if (protocol.len != strlen(ENVELOPE_PROTOCOL) ||
	    memcmp(protocol.s, ENVELOPE_PROTOCOL, protocol.len) != 0)
		return ENVELOPE_WRONG_PROTOCOL;
	return judge_age(out->timestamp, now);
}

/* Decrypts in place. */
static enum envelope_result open_sealed(struct envelope *out, struct sealed *s,
					const uint8_t key[static CRYPTO_KEY_LEN], int64_t now)
{
	size_t len = (size_t)s->text_len;
	enum envelope_result r;
	json_t *body;

	if (!crypto_open(s->text, s->text, len, s->nonce, key))
		return ENVELOPE_FORGED;
	body = json_parse(s->text, len - CRYPTO_TAG_LEN, NULL);
	if (!body)
		return ENVELOPE_BAD_PAYLOAD;
	r = judge_body(out, body, now);
	if (r != ENVELOPE_OK) {
		json_decref(body);
		return r;
	}
	out->type = s->type;
	out->body = body;
	return ENVELOPE_OK;
}

enum envelope_result envelope_open(struct envelope *out, const void *datagram, size_t len,
				   const uint8_t key[static CRYPTO_KEY_LEN], int64_t now)
{
	struct sealed s = { 0 };
	enum envelope_result r;

	*out = (struct envelope) { 0 };
	r = read_sealed(&s, datagram, len);
	if (r == ENVELOPE_OK)
		r = open_sealed(out, &s, key, now);
	sealed_free(&s);
	return r;
}

void envelope_free(struct envelope *env)
{
	json_decref(env->body);
	env->body = NULL;
}
