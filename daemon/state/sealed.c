/* SPDX-License-Identifier: MIT */
#include "daemon/state/sealed.h"

#include <errno.h>
#include <string.h>

#define METHOD_ARGON2ID_XCHACHA 1
#define MEMORY_MIN		8192 /* Argon2's own */

/* Where the fields are. */
enum { AT_VERSION = 8, AT_METHOD = 12, AT_PASSES = 16, AT_MEMORY = 24, AT_SALT = 32 };
enum { AT_NONCE = 48, AT_LENGTH = 72 };

static const uint8_t magic[8] = { 'w', 'g', 'm', 'e', 's', 'h', '\r', '\n' };

static void put(uint8_t *p, size_t n, uint64_t value)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		p[i] = (uint8_t)value;
}

static uint64_t get(const uint8_t *p, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | p[i];
	return value;
}

bool sealed_looks_so(const void *buf, size_t len)
{
	/* Without its line break too, so that a damaged one is called damaged. */
	return len >= 6 && memcmp(buf, magic, 6) == 0;
}

static bool is_bearable(const struct crypto_effort *effort)
{
	return effort->passes >= 1 && effort->passes <= SEALED_PASSES_MAX &&
	       effort->memory >= MEMORY_MIN && effort->memory <= SEALED_MEMORY_MAX;
}

int sealed_seal(uint8_t *out, const struct crypto_part *plain, const struct crypto_part *passphrase,
		const struct sealed_how *how, struct err *e)
{
	const struct crypto_part header = { out, SEALED_HEADER };
	uint8_t key[CRYPTO_KEY_LEN];
	int r;

	if (plain->len > SEALED_PLAIN_MAX || !is_bearable(&how->effort))
		return err_set(e, -EINVAL, "seal %zu bytes", plain->len);
	if (passphrase->len < SEALED_PASSPHRASE_MIN)
		return err_set(e, -EINVAL, "the passphrase must have at least %d characters",
			       SEALED_PASSPHRASE_MIN);
	memcpy(out, magic, sizeof(magic));
	put(out + AT_VERSION, 4, SEALED_VERSION);
	put(out + AT_METHOD, 4, METHOD_ARGON2ID_XCHACHA);
	put(out + AT_PASSES, 8, how->effort.passes);
	put(out + AT_MEMORY, 8, how->effort.memory);
	memcpy(out + AT_SALT, how->salt, sizeof(how->salt));
	memcpy(out + AT_NONCE, how->nonce, sizeof(how->nonce));
	put(out + AT_LENGTH, 8, plain->len);
	r = crypto_password_key(key, passphrase, how->salt, &how->effort);
	if (r == 0)
		crypto_seal_with(out + SEALED_HEADER, plain, &header, how->nonce, key);
	crypto_wipe(key, sizeof(key));
	return r < 0 ? err_set(e, r,
			       "take %u MiB of memory, which makes a passphrase hard to guess",
			       (unsigned int)(how->effort.memory >> 20))
		     : 0;
}

static struct crypto_effort effort_of(const uint8_t *header)
{
	return (struct crypto_effort) { .passes = get(header + AT_PASSES, 8),
					.memory = get(header + AT_MEMORY, 8) };
}

static int check_length(size_t *plain_len, const uint8_t *header, size_t len, struct err *e)
{
	uint64_t claimed = get(header + AT_LENGTH, 8);

	if (claimed > SEALED_PLAIN_MAX)
		return err_set(e, -EBADMSG, "is damaged: it claims an absurd size");
	*plain_len = (size_t)claimed;
	if (len < sealed_size(*plain_len))
		return err_set(e, -EBADMSG, "is cut short: %zu of %zu bytes are there", len,
			       sealed_size(*plain_len));
	if (len > sealed_size(*plain_len))
		return err_set(e, -EBADMSG, "is damaged: there are %zu bytes behind its end",
			       len - sealed_size(*plain_len));
	return 0;
}

int sealed_check(size_t *plain_len, const void *buf, size_t len, struct err *e)
{
	const uint8_t *header = buf;
	struct crypto_effort effort;

	*plain_len = 0;
	if (!sealed_looks_so(buf, len))
		return err_set(e, -EBADMSG, "is no export of `wgmesh state export`");
	if (len < SEALED_HEADER)
		return err_set(e, -EBADMSG, "is cut short: %zu of at least %zu bytes are there",
			       len, sealed_size(0));
	if (memcmp(header, magic, sizeof(magic)) != 0)
		return err_set(e, -EBADMSG,
			       "is damaged: its line breaks were changed; copy it in binary mode");
	if (get(header + AT_VERSION, 4) > SEALED_VERSION)
		return err_set(e, -EPROTONOSUPPORT,
			       "was written by a newer release of wgmesh: import it with that one");
	if (get(header + AT_VERSION, 4) != SEALED_VERSION ||
	    get(header + AT_METHOD, 4) != METHOD_ARGON2ID_XCHACHA)
		return err_set(e, -EBADMSG, "is damaged: its header names no known method");
	effort = effort_of(header);
	if (!is_bearable(&effort))
		return err_set(e, -EBADMSG,
			       "is damaged: opening it would take more than %u MiB of memory or %d "
			       "passes",
			       SEALED_MEMORY_MAX >> 20, SEALED_PASSES_MAX);
	return check_length(plain_len, header, len, e);
}

int sealed_open(uint8_t *out, const void *buf, size_t len, const struct crypto_part *passphrase,
		struct err *e)
{
	const uint8_t *header = buf;
	const struct crypto_part extra = { header, SEALED_HEADER };
	struct crypto_effort effort;
	struct crypto_part sealed;
	uint8_t key[CRYPTO_KEY_LEN];
	size_t plain_len;
	bool is_open = false;
	int r = sealed_check(&plain_len, buf, len, e);

	if (r < 0)
		return r;
	effort = effort_of(header);
	sealed = (struct crypto_part) { header + SEALED_HEADER, len - SEALED_HEADER };
	r = crypto_password_key(key, passphrase, header + AT_SALT, &effort);
	if (r == 0)
		is_open = crypto_open_with(out, &sealed, &extra, header + AT_NONCE, key);
	crypto_wipe(key, sizeof(key));
	if (is_open)
		return 0;
	crypto_wipe(out, plain_len);
	if (r < 0)
		return err_set(e, r, "needs %u MiB of memory to be opened",
			       (unsigned int)(effort.memory >> 20));
	return err_set(e, -EKEYREJECTED,
		       "cannot be opened: the passphrase is wrong, or the file was altered");
}
