/* SPDX-License-Identifier: MIT */
#include "daemon/state/identity.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PUBLIC	"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
#define PRIVATE "4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw="
#define OTHER	"bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY="
#define ZEROS	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEYS	"\"wg_pubkey\": \"" PUBLIC "\", \"wg_private_key\": \"" PRIVATE "\""

static const char good[] = "{\n  \"wg_pubkey\": \"" PUBLIC "\",\n"
			   "  \"wg_private_key\": \"" PRIVATE "\",\n"
			   "  \"mesh_ip\": \"10.77.3.4\",\n"
			   "  \"mesh_ipv6\": \"fd12:3456:789a:bcde:2:3:4:5\"\n}";

static void assert_refused(const char *text, const char *reason)
{
	struct identity zero = { 0 };
	struct identity id;
	struct err e = { 0 };

	memset(&id, 1, sizeof(id));
	assert_int_equal(identity_parse(&id, text, strlen(text), &e), -EINVAL);
	if (strncmp(e.msg, reason, strlen(reason)) != 0)
		fail_msg("\"%s\", not \"%s\"", e.msg, reason);
	assert_null(strstr(e.msg, "4GbZ"));
	assert_memory_equal(&id, &zero, sizeof(id));
}

static void damaged_files_are_told_apart(void **state)
{
	(void)state;
	assert_refused("", "is empty");
	assert_refused("\n", "is cut short");
	assert_refused("[]", "is not JSON: it holds no object");
	assert_refused("{" KEYS ", 4GbZ}", "is not JSON: syntax error at line 1, column ");
	assert_refused("{" KEYS, "is cut short");
	assert_refused("{}", "holds no valid wg_private_key");
	assert_refused("{\"wg_private_key\": 5}", "holds no valid wg_private_key");
	assert_refused("{\"wg_pubkey\": \"" ZEROS "\", \"wg_private_key\": \"" ZEROS "\"}",
		       "holds no valid wg_private_key");
	assert_refused("{\"wg_private_key\": \"" PRIVATE "\"}", "holds no valid wg_pubkey");
	assert_refused("{\"wg_pubkey\": \"" OTHER "\", \"wg_private_key\": \"" PRIVATE "\"}",
		       "holds a wg_pubkey that its wg_private_key does not belong to");
	assert_refused("{" KEYS ", \"mesh_ip\": \"10.77.3.4/16\"}",
		       "holds a mesh_ip that is no address");
	assert_refused("{" KEYS ", \"mesh_ipv6\": 6}", "holds a mesh_ipv6 that is no address");
}

static void a_file_of_zero_bytes_is_named_as_such(void **state)
{
	static const char zeros[sizeof(good)];
	struct identity id;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(identity_parse(&id, zeros, sizeof(zeros), &e), -EINVAL);
	assert_string_equal(e.msg, "holds nothing but zero bytes, as after a power cut");
}

static void no_truncation_yields_a_key(void **state)
{
	struct identity id;

	(void)state;
	for (size_t len = 0; len < strlen(good); len++)
		assert_int_equal(identity_parse(&id, good, len, NULL), -EINVAL);
	assert_int_equal(identity_parse(&id, good, strlen(good), NULL), 0);
}

/* A flipped bit of the private key may be one that clamping ignores: then nothing is lost. */
static void no_flipped_bit_yields_another_key(void **state)
{
	struct identity want;
	struct identity id;
	char text[sizeof(good)];

	(void)state;
	assert_int_equal(identity_parse(&want, good, strlen(good), NULL), 0);
	for (size_t i = 0; i < strlen(good) * 8; i++) {
		memcpy(text, good, sizeof(text));
		text[i / 8] = (char)(text[i / 8] ^ (1 << i % 8));
		if (identity_parse(&id, text, strlen(good), NULL) == 0)
			assert_memory_equal(&id.public_key, &want.public_key,
					    sizeof(want.public_key));
	}
}

static void files_edited_by_hand_are_read(void **state)
{
	static const char text[] = "\r\n{\"WG_Private_Key\": \"x\", \"comment\": \"\xff\", " KEYS
				   ", \"Mesh_IP\": \"10.1.2.3\", \"mesh_ipv6\": \"\"}\n";
	struct identity id;
	char ip[IP_TEXT_SIZE];

	(void)state;
	assert_int_equal(identity_parse(&id, text, strlen(text), NULL), 0);
	assert_string_equal(ip_format(ip, &id.mesh_ip), "10.1.2.3");
	assert_int_equal(id.mesh_ip6.family, 0);
}

static void a_small_buffer_is_reported(void **state)
{
	struct identity id;
	char out[sizeof(good)];

	(void)state;
	assert_int_equal(identity_parse(&id, good, strlen(good), NULL), 0);
	assert_int_equal(identity_format(out, sizeof(good) - 1, &id), -EMSGSIZE);
	assert_int_equal(identity_format(out, sizeof(good), &id), strlen(good));
	assert_string_equal(out, good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_files_are_told_apart),
		cmocka_unit_test(a_file_of_zero_bytes_is_named_as_such),
		cmocka_unit_test(no_truncation_yields_a_key),
		cmocka_unit_test(no_flipped_bit_yields_another_key),
		cmocka_unit_test(files_edited_by_hand_are_read),
		cmocka_unit_test(a_small_buffer_is_reported),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
