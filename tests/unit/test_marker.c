/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/marker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define VOLUME "00112233445566778899aabbccddeeff"
#define KEY_A  "6HsZQcVYtUWQ6e7GyhPIMWPWSCqvdsSFfqUWIhYQ0wE="
#define KEY_B  "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define NOW    1767225600 /* 2026-01-01T00:00:00Z */

static const uint8_t id[MARKER_ID_BYTES] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static const char golden[] = "version=1\n"
			     "volume=" VOLUME "\n"
			     "created=2026-01-01T00:00:00Z\n"
			     "served=wg0 " KEY_A "\n"
			     "proven=2026-01-01T00:02:00Z\n"
			     "last_exit=2026-01-01T00:01:00Z 137\n"
			     "boots=2\n"
			     "boot=2026-01-01T00:02:00Z feed web-1 1.2.3 -\n"
			     "boot=2026-01-01T00:00:00Z - web-0 - -\n";

static struct marker_boot boot_at(int64_t at_s, const char *container, const char *host)
{
	struct marker_boot b = { .at_s = at_s };

	(void)snprintf(b.container, sizeof(b.container), "%s", container);
	(void)snprintf(b.host, sizeof(b.host), "%s", host);
	return b;
}

static struct marker_key key_of(const char *ifname, const char *public_key)
{
	struct marker_key key = { .ifname = "" };

	(void)snprintf(key.ifname, sizeof(key.ifname), "%s", ifname);
	(void)snprintf(key.public_key, sizeof(key.public_key), "%s", public_key);
	return key;
}

static struct marker make_golden(void)
{
	struct marker m;
	struct marker_boot first = boot_at(NOW, "", "web-0");
	struct marker_boot second = boot_at(NOW + 120, "feed", "web-1");
	struct marker_key key = key_of("wg0", KEY_A);

	(void)snprintf(second.image, sizeof(second.image), "1.2.3");
	marker_init(&m, id, NOW);
	marker_add_boot(&m, &first);
	assert_int_equal(marker_set_served(&m, &key), 0);
	marker_set_exit(&m, NOW + 60, 137);
	marker_add_boot(&m, &second);
	return m;
}

static int parse(const char *text)
{
	struct marker m;

	return marker_parse(&m, text);
}

/* Parses the golden text with one string in it replaced. */
static int parse_with(const char *what, const char *instead)
{
	char text[2 * MARKER_TEXT_SIZE];
	const char *at = strstr(golden, what);

	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - golden), golden, instead,
		       at + strlen(what));
	return parse(text);
}

static void a_marker_is_written_as_documented(void **state)
{
	struct marker m = make_golden();
	char out[MARKER_TEXT_SIZE];

	(void)state;
	assert_int_equal(marker_format(&m, out), sizeof(golden) - 1);
	assert_string_equal(out, golden);
}

static void what_is_written_can_be_read(void **state)
{
	struct marker want = make_golden();
	struct marker m;

	(void)state;
	assert_int_equal(marker_parse(&m, golden), 0);
	assert_string_equal(m.volume, VOLUME);
	assert_int_equal(m.created_s, NOW);
	assert_true(m.has_proof);
	assert_int_equal(m.proven_s, NOW + 120);
	assert_true(m.has_exit);
	assert_int_equal(m.exit_s, NOW + 60);
	assert_int_equal(m.exit_code, 137);
	assert_int_equal(m.boots, 2);
	assert_int_equal(m.n_boot, 2);
	assert_memory_equal(m.boot, want.boot, sizeof(m.boot));
	assert_string_equal(marker_served(&m, "wg0"), KEY_A);
	assert_null(marker_served(&m, "wg1"));
}

static void a_file_that_was_cut_is_damaged(void **state)
{
	char text[sizeof(golden)];

	(void)state;
	for (size_t len = 0; len < sizeof(golden) - 1; len++) {
		memcpy(text, golden, len);
		text[len] = '\0';
		assert_int_equal(parse(text), -EBADMSG);
	}
}

static void no_changed_bit_makes_a_file_that_reads_differently(void **state)
{
	char text[sizeof(golden)];
	char back[MARKER_TEXT_SIZE];
	struct marker m;

	(void)state;
	for (size_t bit = 0; bit < (sizeof(golden) - 1) * 8; bit++) {
		int r;

		memcpy(text, golden, sizeof(golden));
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		r = marker_parse(&m, text);
		assert_true(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
		if (r < 0)
			continue;
		(void)marker_format(&m, back);
		assert_string_equal(back, text);
	}
}

static void what_does_not_belong_in_a_marker_is_damage(void **state)
{
	(void)state;
	assert_int_equal(parse(""), -EBADMSG);
	assert_int_equal(parse_with("version=1", "version=0"), -EBADMSG);
	assert_int_equal(parse_with("version=1", "version="), -EBADMSG);
	assert_int_equal(parse_with("version=1\n", ""), -EBADMSG);
	assert_int_equal(parse_with("volume=0", "volume=0\x1b"), -EBADMSG);
	assert_int_equal(parse_with("volume=0", "volume="), -EBADMSG);
	assert_int_equal(parse_with("volume=0", "volume=A"), -EBADMSG);
	assert_int_equal(parse_with("created=2026-01-01", "created=2026-02-29"), -EBADMSG);
	assert_int_equal(parse_with("created=2026-01-01", "created=1969-12-31"), -EBADMSG);
	assert_int_equal(parse_with("created=2026-01-01T00", "created=2026-01-01T24"), -EBADMSG);
	assert_int_equal(parse_with("00:00Z\nserved", "00:00\nserved"), -EBADMSG);
	assert_int_equal(parse_with("137", "256"), -EBADMSG);
	assert_int_equal(parse_with("137", "-1"), -EBADMSG);
	assert_int_equal(parse_with("137", ""), -EBADMSG);
	assert_int_equal(parse_with("boots=2", "boots=1"), -EBADMSG);
	assert_int_equal(parse_with("boots=2", "boots=3"), -EBADMSG);
	assert_int_equal(parse_with("boots=2", "boots=99999999999999999999"), -EBADMSG);
	assert_int_equal(parse_with("web-1", "web\x7f"), -EBADMSG);
	assert_int_equal(parse_with("web-1", "web 1"), -EBADMSG);
	assert_int_equal(parse_with("web-1 ", ""), -EBADMSG);
	assert_int_equal(parse_with("web-0 - -\n", "web-0 - -\nmore=1\n"), -EBADMSG);
	assert_int_equal(parse_with("web-0 - -\n", "web-0 - -\n\n"), -EBADMSG);
	assert_int_equal(parse_with("web-0 - -\n", "web-0 - -\r\n"), -EBADMSG);
	assert_int_equal(parse_with("wg0", "0wg"), -EBADMSG);
	assert_int_equal(parse_with("wg0", "../wg0"), -EBADMSG);
	assert_int_equal(parse_with(KEY_A, "short="), -EBADMSG);
}

static void no_key_may_come_twice(void **state)
{
	(void)state;
	assert_int_equal(parse_with("volume=", "volume=" VOLUME "\nvolume="), -EBADMSG);
	assert_int_equal(parse_with("boots=2\n", "boots=2\nboots=2\n"), -EBADMSG);
	assert_int_equal(parse_with("served=", "served=wg1 " KEY_B "\nserved="), 0);
	assert_int_equal(parse_with("served=", "served=wg0 " KEY_B "\nserved="), -EBADMSG);
}

static void a_long_line_is_damage(void **state)
{
	char word[1024];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	for (size_t len = sizeof(word) - 1; len >= MARKER_WORD_SIZE; len--) {
		word[len] = '\0';
		assert_int_equal(parse_with("web-1", word), -EBADMSG);
		assert_int_equal(parse_with("version", word), -EBADMSG);
		assert_int_equal(parse_with("wg0", word), -EBADMSG);
	}
	word[MARKER_WORD_SIZE - 1] = '\0';
	assert_int_equal(parse_with("web-1", word), 0);
}

static void a_later_version_is_told_from_damage(void **state)
{
	(void)state;
	assert_int_equal(parse_with("version=1", "version=2"), -EPROTONOSUPPORT);
	assert_int_equal(parse("version=7\nanything at all\n"), -EPROTONOSUPPORT);
	assert_int_equal(parse("version=2"), -EBADMSG);
}

static void a_failed_parse_leaves_nothing(void **state)
{
	static const struct marker empty;
	struct marker m = make_golden();

	(void)state;
	assert_int_equal(marker_parse(&m, "version=1\nvolume=" VOLUME "\n"), -EBADMSG);
	assert_memory_equal(&m, &empty, sizeof(m));
}

static void the_newest_boots_are_kept_and_all_are_counted(void **state)
{
	struct marker m;
	struct marker back;
	char out[MARKER_TEXT_SIZE];

	(void)state;
	marker_init(&m, id, NOW);
	for (int i = 0; i < MARKER_BOOTS_MAX + 3; i++) {
		struct marker_boot b = boot_at(NOW + i, "c", "h");

		marker_add_boot(&m, &b);
		(void)marker_format(&m, out);
		assert_int_equal(marker_parse(&back, out), 0);
	}
	assert_int_equal(m.boots, MARKER_BOOTS_MAX + 3);
	assert_int_equal(m.n_boot, MARKER_BOOTS_MAX);
	assert_int_equal(m.boot[0].at_s, NOW + MARKER_BOOTS_MAX + 2);
	assert_int_equal(m.boot[MARKER_BOOTS_MAX - 1].at_s, NOW + 3);
}

static struct marker boots_of(const char *const (*who)[2], size_t n)
{
	struct marker m;

	marker_init(&m, id, NOW);
	for (size_t i = 0; i < n; i++) {
		struct marker_boot b = boot_at(NOW + (int64_t)i, who[i][0], who[i][1]);

		marker_add_boot(&m, &b);
	}
	return m;
}

static void another_container_is_one_with_another_id_or_else_name(void **state)
{
	static const char *const same[][2] = { { "a", "h" }, { "a", "other" } };
	static const char *const other[][2] = { { "a", "h" }, { "b", "h" } };
	static const char *const unknown_same[][2] = { { "a", "h" }, { "", "h" } };
	static const char *const unknown_other[][2] = { { "", "h" }, { "b", "i" } };

	(void)state;
	assert_false(boots_of(same, 1).has_proof);
	assert_false(boots_of(same, 2).has_proof);
	assert_true(boots_of(other, 2).has_proof);
	assert_false(boots_of(unknown_same, 2).has_proof);
	assert_true(boots_of(unknown_other, 2).has_proof);
}

static void the_proof_outlasts_the_list_of_boots(void **state)
{
	struct marker m = make_golden();
	struct marker_boot again = boot_at(NOW + 300, "feed", "web-1");

	(void)state;
	for (int i = 0; i < 2 * MARKER_BOOTS_MAX; i++)
		marker_add_boot(&m, &again);
	assert_true(m.has_proof);
	assert_int_equal(m.proven_s, NOW + 120);
}

static void a_hostile_name_is_written_so_that_it_can_be_read(void **state)
{
	struct marker m;
	struct marker_boot b = boot_at(-5, "a\nserved=wg0 x", "\x1b[2J h\xc3\xb6st");
	char out[MARKER_TEXT_SIZE];

	(void)state;
	marker_init(&m, id, INT64_MAX);
	marker_add_boot(&m, &b);
	assert_string_equal(m.boot[0].container, "a_served=wg0_x");
	assert_string_equal(m.boot[0].host, "__2J_h__st");
	assert_string_equal(m.boot[0].image, "-");
	(void)marker_format(&m, out);
	assert_int_equal(parse(out), 0);
}

static void each_interface_has_one_key_the_newest_first(void **state)
{
	struct marker m = make_golden();
	struct marker_key other = key_of("wg1", KEY_B);
	struct marker_key changed = key_of("wg0", KEY_B);

	(void)state;
	assert_int_equal(marker_set_served(&m, &other), 0);
	assert_int_equal(m.n_served, 2);
	assert_string_equal(m.served[0].ifname, "wg1");
	assert_string_equal(marker_served(&m, "wg0"), KEY_A);
	assert_int_equal(marker_set_served(&m, &changed), 0);
	assert_int_equal(m.n_served, 2);
	assert_string_equal(m.served[0].ifname, "wg0");
	assert_string_equal(marker_served(&m, "wg0"), KEY_B);
	assert_string_equal(marker_served(&m, "wg1"), KEY_B);
}

static void what_was_served_longest_ago_gives_way(void **state)
{
	struct marker m = make_golden();

	(void)state;
	for (int i = 1; i <= MARKER_SERVED_MAX; i++) {
		char name[MARKER_IFNAME_SIZE];
		struct marker_key key;

		(void)snprintf(name, sizeof(name), "wg%d", i);
		key = key_of(name, KEY_B);
		assert_int_equal(marker_set_served(&m, &key), 0);
	}
	assert_int_equal(m.n_served, MARKER_SERVED_MAX);
	assert_null(marker_served(&m, "wg0"));
	assert_non_null(marker_served(&m, "wg1"));
}

static void a_malformed_key_is_not_recorded(void **state)
{
	struct marker m = make_golden();
	struct marker_key bad_name = key_of("wg 0", KEY_B);
	struct marker_key bad_key = key_of("wg0", "nothing");

	(void)state;
	assert_int_equal(marker_set_served(&m, &bad_name), -EINVAL);
	assert_int_equal(marker_set_served(&m, &bad_key), -EINVAL);
	assert_int_equal(m.n_served, 1);
	assert_string_equal(marker_served(&m, "wg0"), KEY_A);
}

static void a_public_key_is_base64_in_one_way_only(void **state)
{
	(void)state;
	assert_true(marker_is_public_key(KEY_A));
	assert_true(marker_is_public_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	assert_true(marker_is_public_key("//////////////////////////////////////////8="));
	assert_false(marker_is_public_key("///////////////////////////////////////////="));
	assert_false(marker_is_public_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	assert_false(marker_is_public_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="));
	assert_false(marker_is_public_key("AAAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAA="));
	assert_false(marker_is_public_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	assert_false(marker_is_public_key(""));
}

static void an_exit_code_stays_one(void **state)
{
	struct marker m = make_golden();

	(void)state;
	marker_set_exit(&m, NOW, -1);
	assert_int_equal(m.exit_code, 255);
	marker_set_exit(&m, -1, 256);
	assert_int_equal(m.exit_code, 255);
	assert_int_equal(m.exit_s, 0);
	marker_set_exit(&m, NOW, 0);
	assert_int_equal(m.exit_code, 0);
}

static void the_largest_marker_fits(void **state)
{
	char word[MARKER_WORD_SIZE + 8];
	char out[MARKER_TEXT_SIZE];
	struct marker m;
	struct marker back;

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	marker_init(&m, id, INT64_MAX);
	marker_set_exit(&m, INT64_MAX, 255);
	for (int i = 0; i < MARKER_SERVED_MAX; i++) {
		struct marker_key key = key_of("interface-0123", KEY_A);

		key.ifname[0] = (char)('a' + i);
		assert_int_equal(marker_set_served(&m, &key), 0);
	}
	for (int i = 0; i < MARKER_BOOTS_MAX; i++) {
		struct marker_boot b = boot_at(INT64_MAX, word, word);

		memcpy(b.image, word, sizeof(b.image));
		b.image[sizeof(b.image) - 1] = '\0';
		memcpy(b.kernel, word, sizeof(b.kernel));
		b.kernel[sizeof(b.kernel) - 1] = '\0';
		marker_add_boot(&m, &b);
	}
	m.boots = UINT64_MAX;
	(void)marker_format(&m, out);
	assert_int_equal(marker_parse(&back, out), 0);
	assert_memory_equal(back.boot, m.boot, sizeof(m.boot));
	assert_int_equal(back.boots, UINT64_MAX);
}

static void every_day_survives_writing_and_reading(void **state)
{
	char out[MARKER_TEXT_SIZE];
	struct marker m = make_golden();
	struct marker back;

	(void)state;
	for (int64_t day = 0; day < 365 * 150; day++) {
		m.created_s = day * 86400 + day % 86400;
		(void)marker_format(&m, out);
		assert_int_equal(marker_parse(&back, out), 0);
		assert_int_equal(back.created_s, m.created_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_marker_is_written_as_documented),
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(a_file_that_was_cut_is_damaged),
		cmocka_unit_test(no_changed_bit_makes_a_file_that_reads_differently),
		cmocka_unit_test(what_does_not_belong_in_a_marker_is_damage),
		cmocka_unit_test(no_key_may_come_twice),
		cmocka_unit_test(a_long_line_is_damage),
		cmocka_unit_test(a_later_version_is_told_from_damage),
		cmocka_unit_test(a_failed_parse_leaves_nothing),
		cmocka_unit_test(the_newest_boots_are_kept_and_all_are_counted),
		cmocka_unit_test(another_container_is_one_with_another_id_or_else_name),
		cmocka_unit_test(the_proof_outlasts_the_list_of_boots),
		cmocka_unit_test(a_hostile_name_is_written_so_that_it_can_be_read),
		cmocka_unit_test(each_interface_has_one_key_the_newest_first),
		cmocka_unit_test(what_was_served_longest_ago_gives_way),
		cmocka_unit_test(a_malformed_key_is_not_recorded),
		cmocka_unit_test(a_public_key_is_base64_in_one_way_only),
		cmocka_unit_test(an_exit_code_stays_one),
		cmocka_unit_test(the_largest_marker_fits),
		cmocka_unit_test(every_day_survives_writing_and_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
