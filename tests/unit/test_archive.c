/* SPDX-License-Identifier: MIT */
#include "daemon/state/archive.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC	"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
#define PRIVATE "4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw="
#define KEY	"{\"wg_pubkey\": \"" PUBLIC "\", \"wg_private_key\": \"" PRIVATE "\"}"
#define NODES	"\x00\x01\xff"

static void add(struct archive *a, const char *name, const char *data, size_t len)
{
	struct err e = { 0 };

	if (archive_add(a, name, data, len, &e) != 0)
		fail_msg("%s was not added: %s", name, e.msg);
}

static void begin(struct archive *a)
{
	*a = (struct archive) { .ifname = "wg0", .created_s = 1767225600 };
}

static char *make(long *len)
{
	struct archive a;
	char *text = NULL;

	begin(&a);
	add(&a, "wg0.json", KEY, strlen(KEY));
	add(&a, "wg0-dht.nodes", NODES, sizeof(NODES) - 1);
	add(&a, "account.json", "", 0);
	*len = archive_format(&text, &a);
	assert_int_equal(*len, strlen(text));
	archive_fini(&a);
	return text;
}

static int parse(const char *text, size_t len, struct err *e)
{
	struct archive a;
	/* Exactly as long as it is, so that a sanitizer sees what is read behind it. */
	char *copy = malloc(len > 0 ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, len);
	*e = (struct err) { 0 };
	r = archive_parse(&a, copy, len, e);
	assert_null(strstr(e->msg, "4GbZ"));
	archive_fini(&a);
	free(copy);
	return r;
}

/* The document with the first @from replaced by @to. */
static void assert_refused(const char *from, const char *to, int want, const char *part)
{
	long len;
	char *text = make(&len);
	char *at = strstr(text, from);
	char *changed = NULL;
	struct err e;

	assert_non_null(at);
	assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >
		    0);
	assert_int_equal(parse(changed, strlen(changed), &e), want);
	if (!strstr(e.msg, part))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, part);
	free(changed);
	free(text);
}

static void what_is_put_in_comes_out_byte_for_byte(void **state)
{
	struct archive a;
	struct err e = { 0 };
	long len;
	char *text = make(&len);

	(void)state;
	assert_int_equal(archive_parse(&a, text, (size_t)len, &e), 0);
	assert_string_equal(a.ifname, "wg0");
	assert_int_equal(a.created_s, 1767225600);
	assert_int_equal(a.n, 3);
	assert_string_equal(a.files[0].name, "wg0.json");
	assert_int_equal(a.files[0].len, strlen(KEY));
	assert_memory_equal(a.files[0].data, KEY, strlen(KEY));
	assert_int_equal(archive_find(&a, STATE_NODES)->len, sizeof(NODES) - 1);
	assert_memory_equal(archive_find(&a, STATE_NODES)->data, NODES, sizeof(NODES) - 1);
	assert_int_equal(archive_find(&a, STATE_SERVICE)->len, 0);
	assert_null(archive_find(&a, STATE_PEERS));
	archive_fini(&a);
	assert_int_equal(a.n, 0);
	free(text);
}

static void a_document_cut_anywhere_is_refused(void **state)
{
	struct err e;
	long len;
	char *text = make(&len);

	(void)state;
	for (long i = 0; i < len; i++)
		assert_int_equal(parse(text, (size_t)i, &e), -EBADMSG);
	assert_int_equal(parse(text, (size_t)len, &e), 0);
	free(text);
}

static void a_flipped_bit_changes_no_file_unnoticed(void **state)
{
	long len;
	char *text = make(&len);

	(void)state;
	for (size_t bit = 0; bit < 8 * (size_t)len; bit++) {
		struct archive a;
		struct err e = { 0 };

		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		/* White space and the time may change; names, keys and contents may not. */
		if (archive_parse(&a, text, (size_t)len, &e) == 0) {
			assert_string_equal(a.files[0].name, "wg0.json");
			assert_memory_equal(a.files[0].data, KEY, strlen(KEY));
			assert_memory_equal(a.files[1].data, NODES, sizeof(NODES) - 1);
		}
		archive_fini(&a);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
	}
	free(text);
}

static void names_that_are_none_of_the_nodes_are_refused(void **state)
{
	static const char *const names[] = { "../wg0.json",    "/etc/passwd",  "wg1.json",
					     "wg1-dht.nodes",  ".wgmesh.lock", ".snapshots",
					     ".wg0.json.new",  "account.jso",  "",
					     "a/account.json", "wg0.json" };
	char quoted[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(quoted, sizeof(quoted), "\"%s\"", names[i]);
		assert_refused("\"account.json\"", quoted, -EBADMSG, "once");
	}
	assert_refused("\"name\": \"account.json\",", "", -EBADMSG, "none");
	assert_refused("\"account.json\"", "\"account.json\\u0000x\"", -EBADMSG, "no name");
	assert_refused("\"account.json\"", "5", -EBADMSG, "no name");
}

static void what_is_not_as_it_is_said_to_be_is_refused(void **state)
{
	(void)state;
	assert_refused("\"size\": 3", "\"size\": 2", -EBADMSG, "checksum or size");
	assert_refused("\"size\": 3", "\"size\": -3", -EBADMSG, "checksum or size");
	assert_refused("\"size\": 3", "\"size\": 4611686018427387904", -EBADMSG,
		       "checksum or size");
	assert_refused("\"AAH/\"", "\"AAH+\"", -EBADMSG, "checksum or size");
	assert_refused("\"AAH/\"", "\"AA_-\"", -EBADMSG, "checksum or size");
	assert_refused("\"AAH/\"", "null", -EBADMSG, "checksum or size");
	assert_refused("\"public_key\": \"cV7L", "\"public_key\": \"cV7M", -EBADMSG, "another key");
	assert_refused("\"wg0\"", "\"../wg0\"", -EBADMSG, "no interface");
	assert_refused("\"wgmesh-state\"", "\"something\"", -EBADMSG, "no export");
	assert_refused("\"files\": [", "\"file\": [", -EBADMSG, "no key file");
	assert_refused("\"version\": 1", "\"version\": 0", -EBADMSG, "no export");
	assert_refused("\"version\": 1", "\"version\": 2", -EPROTONOSUPPORT, "newer release");
}

static void a_key_file_that_is_no_good_is_not_archived(void **state)
{
	struct archive a;
	struct err e = { 0 };

	(void)state;
	begin(&a);
	assert_int_equal(archive_add(&a, "wg0.json", "{}", 2, &e), -EINVAL);
	assert_int_equal(archive_add(&a, "wg0.json", "{\"version\": 9}", 14, &e), -EPROTONOSUPPORT);
	assert_int_equal(a.n, 0);
	archive_fini(&a);
}

static void there_is_an_end_to_how_much_goes_in(void **state)
{
	char *huge = calloc(1, ARCHIVE_FILE_MAX + 1);
	struct archive a;
	struct err e = { 0 };
	char name[64];
	int r = 0;
	unsigned int n;

	(void)state;
	assert_non_null(huge);
	begin(&a);
	assert_int_equal(archive_add(&a, "wg0-peers.json", huge, ARCHIVE_FILE_MAX + 1, &e), -EFBIG);
	for (n = 0; r == 0; n++) {
		(void)snprintf(name, sizeof(name), "wg0-%016x-dht.nodes", n);
		r = archive_add(&a, name, huge, ARCHIVE_FILE_MAX, &e);
	}
	assert_int_equal(r, -EFBIG);
	assert_int_equal(n - 1, ARCHIVE_DATA_MAX / ARCHIVE_FILE_MAX);
	for (r = 0; r == 0; n++) {
		(void)snprintf(name, sizeof(name), "wg0-%016x-dht.nodes", n);
		r = archive_add(&a, name, "", 0, &e);
	}
	assert_int_equal(r, -EFBIG);
	assert_non_null(strstr(e.msg, "more than 64 files"));
	assert_int_equal(a.n, ARCHIVE_FILES_MAX);
	archive_fini(&a);
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_in_comes_out_byte_for_byte),
		cmocka_unit_test(a_document_cut_anywhere_is_refused),
		cmocka_unit_test(a_flipped_bit_changes_no_file_unnoticed),
		cmocka_unit_test(names_that_are_none_of_the_nodes_are_refused),
		cmocka_unit_test(what_is_not_as_it_is_said_to_be_is_refused),
		cmocka_unit_test(a_key_file_that_is_no_good_is_not_archived),
		cmocka_unit_test(there_is_an_end_to_how_much_goes_in),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
