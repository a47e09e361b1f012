/* SPDX-License-Identifier: MIT */
#include "daemon/state/sealed.h"
#include "tests/unit/vectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "a private key, and what belongs to it";
static const struct crypto_part plain = { text, sizeof(text) };
static const struct crypto_part right = { "correct horse", 13 };
static const struct crypto_part wrong = { "correct house", 13 };

/* As little work as Argon2 allows: thousands of files are opened here. */
static const struct sealed_how how = { .effort = { 1, 8192 },
				       .salt = { 1, 2, 3 },
				       .nonce = { 4, 5, 6 } };

#define FILE_LEN (SEALED_HEADER + sizeof(text) + CRYPTO_TAG_LEN)

static void make(uint8_t out[static FILE_LEN])
{
	struct err e = { 0 };

	if (sealed_seal(out, &plain, &right, &how, &e) != 0)
		fail_msg("not sealed: %s", e.msg);
}

/* Opens a copy that has exactly @len bytes, so that a sanitizer sees what is read behind them. */
static int open_copy(const uint8_t *file, size_t len, const struct crypto_part *passphrase,
		     struct err *e)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	uint8_t *out;
	size_t out_len = 0;
	int r;

	assert_non_null(copy);
	memcpy(copy, file, len);
	r = sealed_check(&out_len, copy, len, e);
	if (r == 0) {
		out = malloc(out_len + 1);
		assert_non_null(out);
		memset(out, 0xa5, out_len);
		r = sealed_open(out, copy, len, passphrase, e);
		if (r == 0)
			assert_memory_equal(out, text, out_len);
		else
			for (size_t i = 0; i < out_len; i++)
				assert_int_equal(out[i], 0);
		free(out);
	}
	free(copy);
	return r;
}

static void what_is_sealed_can_be_opened_with_the_passphrase_alone(void **state)
{
	uint8_t file[FILE_LEN];
	struct err e = { 0 };

	(void)state;
	make(file);
	assert_int_equal(sealed_size(sizeof(text)), FILE_LEN);
	assert_true(sealed_looks_so(file, sizeof(file)));
	assert_int_equal(open_copy(file, sizeof(file), &right, &e), 0);
	assert_int_equal(open_copy(file, sizeof(file), &wrong, &e), -EKEYREJECTED);
	assert_non_null(strstr(e.msg, "passphrase"));
}

static void nothing_of_the_text_can_be_seen(void **state)
{
	uint8_t file[FILE_LEN];

	(void)state;
	make(file);
	assert_null(memmem(file, sizeof(file), "private", 7));
}

static void a_file_cut_anywhere_is_known_to_be_cut(void **state)
{
	uint8_t file[FILE_LEN];

	(void)state;
	make(file);
	for (size_t len = 0; len < sizeof(file); len++) {
		struct err e = { 0 };

		assert_int_equal(open_copy(file, len, &right, &e), -EBADMSG);
		if (len >= 6)
			assert_non_null(strstr(e.msg, "cut short"));
	}
}

static void any_flipped_bit_is_noticed(void **state)
{
	uint8_t file[FILE_LEN];

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(file); bit++) {
		struct err e = { 0 };

		make(file);
		file[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (open_copy(file, sizeof(file), &right, &e) == 0)
			fail_msg("bit %zu was not noticed", bit);
	}
}

static void bytes_behind_the_end_are_noticed(void **state)
{
	uint8_t file[FILE_LEN + 1] = { 0 };
	struct err e = { 0 };

	(void)state;
	make(file);
	assert_int_equal(open_copy(file, sizeof(file), &right, &e), -EBADMSG);
}

/* Sets one big-endian field of the header. */
static void set(uint8_t *file, size_t at, size_t n, uint64_t value)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		file[at + i] = (uint8_t)value;
}

static void what_would_take_too_much_is_refused_before_it_is_taken(void **state)
{
	static const struct {
		size_t at;
		size_t n;
		uint64_t value;
	} fields[] = {
		{ 16, 8, 0 },	       { 16, 8, SEALED_PASSES_MAX + 1 },
		{ 16, 8, UINT64_MAX }, { 24, 8, 0 },
		{ 24, 8, 8191 },       { 24, 8, (uint64_t)SEALED_MEMORY_MAX + 1 },
		{ 24, 8, UINT64_MAX }, { 72, 8, (uint64_t)SEALED_PLAIN_MAX + 1 },
		{ 72, 8, UINT64_MAX }, { 12, 4, 0 },
		{ 12, 4, 2 },	       { 8, 4, 0 },
	};
	uint8_t file[FILE_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct err e = { 0 };
		size_t len = 1;

		make(file);
		set(file, fields[i].at, fields[i].n, fields[i].value);
		assert_int_equal(sealed_check(&len, file, sizeof(file), &e), -EBADMSG);
		assert_int_equal(sealed_open(file, file, sizeof(file), &right, &e), -EBADMSG);
	}
}

static void a_later_version_is_told_apart_from_damage(void **state)
{
	uint8_t file[FILE_LEN];
	struct err e = { 0 };
	size_t len;

	(void)state;
	make(file);
	set(file, 8, 4, SEALED_VERSION + 1);
	assert_int_equal(sealed_check(&len, file, sizeof(file), &e), -EPROTONOSUPPORT);
	assert_non_null(strstr(e.msg, "newer release"));
}

static void what_is_out_of_range_is_not_sealed(void **state)
{
	static const struct crypto_part brief = { "seven77", 7 };
	const struct crypto_part huge = { text, (size_t)SEALED_PLAIN_MAX + 1 };
	struct sealed_how greedy = how;
	uint8_t file[FILE_LEN];
	struct err e;

	(void)state;
	assert_int_equal(sealed_seal(file, &plain, &brief, &how, &e), -EINVAL);
	assert_int_equal(sealed_seal(file, &huge, &right, &how, &e), -EINVAL);
	greedy.effort.memory = (uint64_t)SEALED_MEMORY_MAX + 1;
	assert_int_equal(sealed_seal(file, &plain, &right, &greedy, &e), -EINVAL);
}

static void the_effort_that_exports_use_is_one_that_imports_accept(void **state)
{
	const struct sealed_how real = { .effort = { SEALED_PASSES, SEALED_MEMORY } };
	uint8_t file[FILE_LEN];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sealed_seal(file, &plain, &right, &real, &e), 0);
	assert_int_equal(open_copy(file, sizeof(file), &right, &e), 0);
}

/* Another implementation of Argon2id and XChaCha20-Poly1305 reads "golden" in it too. */
static void files_of_the_first_release_are_opened_for_good(void **state)
{
	static const char hex[] =
		"77676d6573680d0a0000000100000001000000000000000100000000000020000102030000000000"
		"00000000000000000405060000000000000000000000000000000000000000000000000000000006"
		"59cc1ab398389e7565ee3c867fb2d0c5ee9448c03a7f";
	uint8_t file[(sizeof(hex) - 1) / 2];
	uint8_t again[sizeof(file)];
	const struct crypto_part golden = { "golden", 6 };
	uint8_t out[6];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(from_hex(file, sizeof(file), hex), sizeof(file));
	assert_int_equal(sealed_open(out, file, sizeof(file), &right, &e), 0);
	assert_memory_equal(out, "golden", 6);
	assert_int_equal(sealed_seal(again, &golden, &right, &how, &e), 0);
	assert_memory_equal(again, file, sizeof(file));
}

static void nothing_at_all_can_be_sealed_too(void **state)
{
	const struct crypto_part nothing = { "", 0 };
	uint8_t file[SEALED_HEADER + CRYPTO_TAG_LEN];
	uint8_t out[1];
	struct err e = { 0 };
	size_t len = 1;

	(void)state;
	assert_int_equal(sealed_seal(file, &nothing, &right, &how, &e), 0);
	assert_int_equal(sealed_check(&len, file, sizeof(file), &e), 0);
	assert_int_equal(len, 0);
	assert_int_equal(sealed_open(out, file, sizeof(file), &right, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_can_be_opened_with_the_passphrase_alone),
		cmocka_unit_test(nothing_of_the_text_can_be_seen),
		cmocka_unit_test(a_file_cut_anywhere_is_known_to_be_cut),
		cmocka_unit_test(any_flipped_bit_is_noticed),
		cmocka_unit_test(bytes_behind_the_end_are_noticed),
		cmocka_unit_test(what_would_take_too_much_is_refused_before_it_is_taken),
		cmocka_unit_test(a_later_version_is_told_apart_from_damage),
		cmocka_unit_test(what_is_out_of_range_is_not_sealed),
		cmocka_unit_test(the_effort_that_exports_use_is_one_that_imports_accept),
		cmocka_unit_test(files_of_the_first_release_are_opened_for_good),
		cmocka_unit_test(nothing_at_all_can_be_sealed_too),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
