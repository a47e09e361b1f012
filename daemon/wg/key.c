/* SPDX-License-Identifier: MIT */
#include "daemon/wg/wg.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <string.h>

#define KEY_TEXT_SIZE 45 /* 44 characters of base64 and a NUL */

char *wg_key_format(char out[static KEY_TEXT_SIZE], const struct wg_key *key)
{
	crypto_base64(out, KEY_TEXT_SIZE, key->b, sizeof(key->b));
	return out;
}

int wg_key_parse(struct wg_key *out, const char *text)
{
	struct wg_key key = { 0 };
	long n = crypto_unbase64(key.b, sizeof(key.b), text, strlen(text), false);

	if (n != (long)sizeof(key.b))
		return -EINVAL;
	*out = key;
	return 0;
}
