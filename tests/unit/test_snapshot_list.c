/* SPDX-License-Identifier: MIT */
#include "daemon/state/snapshot_list.h"
#include "daemon/wire/crypto.h"
#include "tests/unit/tempdir.h"

#include <errno.h>

#define GOOD                                                                      \
	"{\n  \"wg_pubkey\": \"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\",\n" \
	"  \"wg_private_key\": \"4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw=\"\n}"
#define OTHER                                                                     \
	"{\n  \"wg_pubkey\": \"o4udK4FiJwuKI2lrOwgd4OHJVl1h5If0CwlKiJJ16QE=\",\n" \
	"  \"wg_private_key\": \"ONniKxrphR8sIfb3Etz0wWEH+hvOW24PDb5sbQ96NUA=\"\n}"
#define NUMBERED(n) ".snapshots/wg0.json.0000000000000000000" #n

static size_t list(struct snapshot_entry **out, const struct tempdir *d)
{
	const struct identity_place at = { d->fd, d->path, "wg0" };
	struct err e = { 0 };
	size_t n = 99;

	if (snapshot_list(out, &n, &at, &e) != 0)
		fail_msg("%s", e.msg);
	return n;
}

static void make_snapshots(const struct tempdir *d)
{
	assert_int_equal(mkdirat(d->fd, SNAPSHOT_DIR, 0700), 0);
}

static void without_a_directory_there_are_none(void **state)
{
	struct snapshot_entry *all;

	assert_int_equal(list(&all, *state), 0);
	assert_null(all);
	make_snapshots(*state);
	assert_int_equal(list(&all, *state), 0);
	free(all);
}

static void however_many_there_are_the_newest_comes_first(void **state)
{
	const struct tempdir *d = *state;
	struct snapshot_entry *all;
	char name[80];

	make_snapshots(d);
	for (unsigned int i = 1; i <= 700; i++) {
		(void)snprintf(name, sizeof(name), SNAPSHOT_DIR "/wg0.json.%020u", i);
		tempdir_write(d, name, i % 2 == 0 ? GOOD : OTHER);
	}
	assert_int_equal(list(&all, d), 700);
	for (unsigned int i = 0; i < 700; i++)
		assert_int_equal(all[i].number, 700 - i);
	free(all);
}

static void the_newest_comes_first_and_what_is_no_snapshot_last(void **state)
{
	static const char *const want[] = { "wg0.json.00000000000000000003",
					    "wg0.json.00000000000000000002",
					    "wg0.json.00000000000000000001",
					    "legacy-wg0.json.1",
					    "wg0.json.damaged-1",
					    "wg0.json.damaged-2",
					    "wg0-peers.json.replaced-1",
					    "wg1.json.00000000000000000001" };
	const struct tempdir *d = *state;
	struct snapshot_entry *all;
	size_t n;

	make_snapshots(d);
	tempdir_write(d, NUMBERED(2), "half");
	tempdir_write(d, NUMBERED(1), GOOD);
	tempdir_write(d, NUMBERED(3), "{\"version\": 2}");
	tempdir_write(d, ".snapshots/legacy-wg0.json.1", OTHER);
	tempdir_write(d, ".snapshots/wg0.json.damaged-2", "");
	tempdir_write(d, ".snapshots/wg0.json.damaged-1", "");
	tempdir_write(d, ".snapshots/wg1.json.00000000000000000001", GOOD);
	tempdir_write(d, ".snapshots/wg0-peers.json.replaced-1", "");
	n = list(&all, d);
	assert_int_equal(n, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(all[i].name, want[i]);
	assert_int_equal(all[0].number, 3);
	assert_int_equal(all[0].result, -EPROTONOSUPPORT);
	assert_int_equal(all[1].result, -EBADMSG);
	assert_non_null(strstr(all[1].why, "not JSON"));
	assert_int_equal(all[2].result, 0);
	assert_int_equal(all[3].kind, SNAPSHOT_OLD);
	assert_int_equal(all[3].result, 0);
	assert_int_equal(all[4].kind, SNAPSHOT_DAMAGED);
	assert_int_equal(all[7].kind, SNAPSHOT_OTHER);
	free(all);
}

static void the_newest_copy_of_what_is_in_place_is_marked(void **state)
{
	const struct tempdir *d = *state;
	struct snapshot_entry *all;

	make_snapshots(d);
	tempdir_write(d, NUMBERED(1), GOOD);
	tempdir_write(d, NUMBERED(2), GOOD);
	tempdir_write(d, NUMBERED(3), OTHER);
	assert_int_equal(list(&all, d), 3);
	assert_false(all[0].is_current || all[1].is_current || all[2].is_current);
	free(all);
	tempdir_write(d, "wg0.json", GOOD);
	assert_int_equal(list(&all, d), 3);
	assert_false(all[0].is_current);
	assert_true(all[1].is_current);
	assert_false(all[2].is_current);
	free(all);
}

static void a_directory_that_is_none_is_an_error(void **state)
{
	const struct tempdir *d = *state;
	const struct identity_place at = { d->fd, d->path, "wg0" };
	struct snapshot_entry *all;
	struct err e = { 0 };
	size_t n;

	tempdir_write(d, SNAPSHOT_DIR, "");
	assert_int_equal(snapshot_list(&all, &n, &at, &e), -ENOTDIR);
	assert_int_equal(n, 0);
	assert_null(all);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_directory_there_are_none),
		TEST(however_many_there_are_the_newest_comes_first),
		TEST(the_newest_comes_first_and_what_is_no_snapshot_last),
		TEST(the_newest_copy_of_what_is_in_place_is_marked),
		TEST(a_directory_that_is_none_is_an_error),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
