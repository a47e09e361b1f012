/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "daemon/state/identity.h"
#include "daemon/state/snapshot.h"
#include "tests/unit/identity_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static void assert_mode(const char *name, mode_t want)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd_, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, want);
}

static void a_directory_without_any_trace_is_a_first_start(void **state)
{
	enum identity_origin origin;
	struct err e;

	(void)state;
	assert_int_equal(load(true, &origin, &e), -ENOENT);
	make_snapshot_dir();
	put_text(".snapshots/wg1.json.00000000000000000001", GOOD);
	put_text(".snapshots/.wg0.json.00000000000000000001.new", "{");
	assert_int_equal(load(true, &origin, &e), -ENOENT);
}

static void a_first_start_makes_a_key_that_later_starts_load(void **state)
{
	struct identity made;
	struct identity loaded;
	enum identity_origin origin;
	struct err e;

	(void)state;
	assert_int_equal(create(&made, &e), 0);
	assert_int_equal(made.private_key[0] & 7, 0);
	assert_int_equal(made.private_key[31] & 0xc0, 0x40);
	assert_int_equal(identity_load(&loaded, &origin, &PLACE("wg0"), true, &e), 0);
	assert_int_equal(origin, IDENTITY_LOADED);
	assert_memory_equal(&loaded, &made, sizeof(made));
	assert_mode("wg0.json", 0600);
	assert_mode(".snapshots", 0700);
	assert_mode(FIRST_SNAPSHOT, 0600);
	assert_false(exists(SECOND_SNAPSHOT));
}

static void a_second_create_refuses(void **state)
{
	struct identity id;
	struct err e;

	(void)state;
	put_text("wg0.json", GOOD);
	assert_int_equal(create(&id, &e), -EEXIST);
	assert_file("wg0.json", GOOD);
	assert_false(exists(FIRST_SNAPSHOT));
}

static void a_key_of_an_existing_node_is_loaded_and_snapshotted_once(void **state)
{
	(void)state;
	put_text("wg0.json", GOOD);
	assert_loads(IDENTITY_LOADED);
	assert_loads(IDENTITY_LOADED);
	assert_file("wg0.json", GOOD);
	assert_file(FIRST_SNAPSHOT, GOOD);
	assert_false(exists(SECOND_SNAPSHOT));
}

static void looking_without_repair_changes_nothing(void **state)
{
	enum identity_origin origin;
	struct err e;

	(void)state;
	put_text("wg0.json", GOOD);
	assert_int_equal(load(false, &origin, &e), 0);
	assert_false(exists(SNAPSHOT_DIR));
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);
	put_text("wg0.json", "");
	assert_refused(false,
		       "is empty: `wgmesh state verify --repair` restores it from " FIRST_SNAPSHOT);
	assert_file("wg0.json", "");
	assert_int_equal(unlinkat(dirfd_, "wg0.json", 0), 0);
	assert_refused(false, "is missing: `wgmesh state verify --repair`");
	assert_false(exists("wg0.json"));
}

static void truncation_anywhere_is_refused_without_a_snapshot(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(GOOD); len++) {
		put("wg0.json", GOOD, len);
		assert_refused(true, len == 0 ? "is empty" : "is cut short");
		assert_false(exists(SNAPSHOT_DIR));
	}
}

static void truncation_anywhere_is_restored_from_the_snapshot(void **state)
{
	(void)state;
	put_text("wg0.json", GOOD);
	assert_loads(IDENTITY_LOADED);
	for (size_t len = 0; len < strlen(GOOD); len++) {
		put("wg0.json", GOOD, len);
		assert_loads(IDENTITY_RESTORED);
		assert_file("wg0.json", GOOD);
		assert_mode("wg0.json", 0600);
	}
	assert_true(exists(DAMAGED));
	assert_false(exists(SECOND_SNAPSHOT));
}

static void a_damaged_file_is_kept(void **state)
{
	(void)state;
	put_text("wg0.json", GOOD);
	assert_loads(IDENTITY_LOADED);
	put_text("wg0.json", "hello");
	assert_loads(IDENTITY_RESTORED);
	assert_file(DAMAGED, "hello");
	put_text("wg0.json", "world");
	assert_loads(IDENTITY_RESTORED);
	assert_file(DAMAGED, "hello");
	assert_file(".snapshots/wg0.json.damaged-2", "world");
}

static void messages_name_damage_and_cure(void **state)
{
	(void)state;
	put_text("wg0.json", "hello");
	assert_refused(true, "/wg0.json is not JSON: syntax error at line 1, column");
	assert_refused(
		true,
		"restore a backup of it (`wgmesh state import`), or start once with --new-identity to accept "
		"a new key and address");
}

static void a_public_key_of_another_node_is_damage(void **state)
{
	(void)state;
	put_text("wg0.json",
		 "{\"wg_pubkey\": \"o4udK4FiJwuKI2lrOwgd4OHJVl1h5If0CwlKiJJ16QE=\",\n"
		 " \"wg_private_key\": \"4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw=\"}");
	assert_refused(true, "does not belong to");
}

static void what_is_no_regular_file_is_moved_aside_and_restored(void **state)
{
	struct stat st;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);

	assert_int_equal(mkdirat(dirfd_, "wg0.json", 0700), 0);
	assert_refused(false, "is not a regular file");
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", GOOD);
	assert_int_equal(fstatat(dirfd_, DAMAGED, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISDIR(st.st_mode));

	assert_int_equal(unlinkat(dirfd_, "wg0.json", 0), 0);
	put_text("elsewhere", OTHER);
	assert_int_equal(symlinkat("elsewhere", dirfd_, "wg0.json"), 0);
	assert_refused(false, "is a symbolic link");
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", GOOD);
	assert_file("elsewhere", OTHER);

	assert_int_equal(unlinkat(dirfd_, "wg0.json", 0), 0);
	assert_int_equal(mkfifoat(dirfd_, "wg0.json", 0600), 0);
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", GOOD);
}

static void oversize_files_are_damage(void **state)
{
	static char big[IDENTITY_FILE_MAX + 2];

	(void)state;
	memset(big, ' ', sizeof(big));
	memcpy(big, GOOD, strlen(GOOD));
	put("wg0.json", big, sizeof(big));
	assert_refused(true, "is larger than 4096 bytes");
}

/* As another user, since root reads every file. */
static int load_as_nobody(bool repair)
{
	enum identity_origin origin = IDENTITY_CREATED;
	struct err e = { 0 };
	int r;

	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		return 1;
	r = load(repair, &origin, &e);
	if (repair)
		return r == 0 && origin == IDENTITY_RESTORED ? 0 : 2;
	return r == -EBADMSG && strstr(e.msg, "cannot be read: Permission denied") ? 0 : 3;
}

static int wait_for_nobody(bool repair)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(load_as_nobody(repair));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void an_unreadable_file_is_damage(void **state)
{
	(void)state;
	put_text("wg0.json", OTHER);
	assert_int_equal(fchmodat(dirfd_, "wg0.json", 0, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchown(dirfd_, NOBODY, NOBODY), 0);
	assert_int_equal(wait_for_nobody(false), 0);

	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(dirfd_, SNAPSHOT_DIR, NOBODY, NOBODY, 0), 0);
		assert_int_equal(fchownat(dirfd_, FIRST_SNAPSHOT, NOBODY, NOBODY, 0), 0);
	}
	assert_int_equal(wait_for_nobody(true), 0);
	assert_file("wg0.json", GOOD);
	assert_mode(DAMAGED, 0);
}

static void a_missing_key_is_restored_from_the_newest_good_snapshot(void **state)
{
	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, OTHER);
	put_text(SECOND_SNAPSHOT, GOOD);
	put_text(".snapshots/wg0.json.00000000000000000003", "{");
	put_text(".snapshots/wg0.json.4", OTHER);
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", GOOD);
	assert_file(".snapshots/wg0.json.00000000000000000003", "{");
	assert_file(".snapshots/wg0.json.00000000000000000004", GOOD);
}

static void no_key_is_made_while_a_trace_of_one_exists(void **state)
{
	static const char *const traces[] = {
		FIRST_SNAPSHOT,
		DAMAGED,
		".snapshots/legacy-wg0.json",
		".snapshots/legacy-wg0.json.2",
		".wg0.json.new",
	};

	(void)state;
	make_snapshot_dir();
	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		put_text(traces[i], "");
		assert_refused(true, traces[i]);
		assert_refused(true, "wg0.json is missing, but");
		assert_int_equal(unlinkat(dirfd_, traces[i], 0), 0);
	}
}

static void the_finished_temporary_of_a_lost_write_is_published(void **state)
{
	(void)state;
	put_text(".wg0.json.new", GOOD);
	assert_refused(false, "restores it from .wg0.json.new");
	assert_int_equal(fchmodat(dirfd_, ".wg0.json.new", 0644, 0), 0);
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", GOOD);
	assert_mode("wg0.json", 0600);
	assert_false(exists(".wg0.json.new"));
	assert_file(FIRST_SNAPSHOT, GOOD);
}

static void a_finished_temporary_also_replaces_a_damaged_key(void **state)
{
	(void)state;
	put_text("wg0.json", "{");
	put_text(".wg0.json.new", GOOD);
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", GOOD);
	assert_file(DAMAGED, "{");
}

static void a_snapshot_wins_over_a_temporary_which_is_kept(void **state)
{
	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);
	put_text(".wg0.json.new", OTHER);
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", GOOD);
	assert_file(DAMAGED, OTHER);
}

static void a_new_identity_leaves_the_old_remains_in_place(void **state)
{
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);
	put_text("wg0.json", "{");
	put_text(".wg0.json.new", OTHER);
	assert_int_equal(create(&id, &e), 0);
	assert_file(FIRST_SNAPSHOT, GOOD);
	assert_file(DAMAGED, "{");
	assert_file(".snapshots/wg0.json.damaged-2", OTHER);
	assert_loads(IDENTITY_LOADED);
	/* And it is the new one that comes back from now on. */
	put_text("wg0.json", "");
	assert_int_equal(identity_load(&id, &(enum identity_origin) { 0 }, &PLACE("wg0"), true, &e),
			 0);
	assert_true(exists(SECOND_SNAPSHOT));
	assert_int_equal(id.mesh_ip.family, 0);
}

static void saving_replaces_addresses_and_keeps_the_newest_snapshots(void **state)
{
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, OTHER);
	put_text("wg0.json", GOOD);
	assert_int_equal(identity_parse(&id, GOOD, strlen(GOOD), NULL), 0);
	for (uint8_t i = 0; i < IDENTITY_SNAPSHOTS + 3; i++) {
		id.mesh_ip.b[3] = i;
		assert_int_equal(identity_save(&id, &PLACE("wg0"), &e), 0);
	}
	/* The key of another identity stays; of this one, numbers 2 to 4 had to go. */
	assert_file(FIRST_SNAPSHOT, OTHER);
	assert_false(exists(SECOND_SNAPSHOT));
	assert_false(exists(".snapshots/wg0.json.00000000000000000004"));
	assert_true(exists(".snapshots/wg0.json.00000000000000000005"));
	assert_true(exists(".snapshots/wg0.json.00000000000000000012"));
	put_text("wg0.json", "");
	assert_int_equal(identity_load(&id, &(enum identity_origin) { 0 }, &PLACE("wg0"), true, &e),
			 0);
	assert_int_equal(id.mesh_ip.b[3], IDENTITY_SNAPSHOTS + 2);
}

static void saving_over_another_key_is_refused(void **state)
{
	struct identity id;
	struct err e;

	(void)state;
	put_text("wg0.json", OTHER);
	assert_int_equal(identity_parse(&id, GOOD, strlen(GOOD), NULL), 0);
	assert_int_equal(identity_save(&id, &PLACE("wg0"), &e), -EEXIST);
	assert_file("wg0.json", OTHER);
	assert_false(exists(SNAPSHOT_DIR));
}

static void a_failed_save_leaves_the_old_file(void **state)
{
	struct identity id;
	struct err e;

	(void)state;
	put_text("wg0.json", GOOD);
	put_text(SNAPSHOT_DIR, "in the way");
	assert_int_equal(identity_parse(&id, GOOD, strlen(GOOD), NULL), 0);
	id.mesh_ip.b[3] = 99;
	assert_int_equal(identity_save(&id, &PLACE("wg0"), &e), -ENOTDIR);
	assert_file("wg0.json", GOOD);
	/* A good key is loaded all the same, a lost one is not replaced by a new one. */
	assert_loads(IDENTITY_LOADED);
	assert_int_equal(unlinkat(dirfd_, "wg0.json", 0), 0);
	assert_int_equal(load(true, &(enum identity_origin) { 0 }, &e), -ENOTDIR);
	assert_int_equal(e.exit_code, EXITS_IO);
}

static void names_that_no_interface_has_are_refused(void **state)
{
	struct identity id;
	struct err e = { 0 };

	(void)state;
	identity_generate(&id);
	assert_int_equal(identity_create(&id, &PLACE("../wg0"), &e), -EINVAL);
	assert_int_equal(e.exit_code, EXITS_USAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_directory_without_any_trace_is_a_first_start),
		TEST(a_first_start_makes_a_key_that_later_starts_load),
		TEST(a_second_create_refuses),
		TEST(a_key_of_an_existing_node_is_loaded_and_snapshotted_once),
		TEST(looking_without_repair_changes_nothing),
		TEST(truncation_anywhere_is_refused_without_a_snapshot),
		TEST(truncation_anywhere_is_restored_from_the_snapshot),
		TEST(a_damaged_file_is_kept),
		TEST(messages_name_damage_and_cure),
		TEST(a_public_key_of_another_node_is_damage),
		TEST(what_is_no_regular_file_is_moved_aside_and_restored),
		TEST(oversize_files_are_damage),
		TEST(an_unreadable_file_is_damage),
		TEST(a_missing_key_is_restored_from_the_newest_good_snapshot),
		TEST(no_key_is_made_while_a_trace_of_one_exists),
		TEST(the_finished_temporary_of_a_lost_write_is_published),
		TEST(a_finished_temporary_also_replaces_a_damaged_key),
		TEST(a_snapshot_wins_over_a_temporary_which_is_kept),
		TEST(a_new_identity_leaves_the_old_remains_in_place),
		TEST(saving_replaces_addresses_and_keeps_the_newest_snapshots),
		TEST(saving_over_another_key_is_refused),
		TEST(a_failed_save_leaves_the_old_file),
		TEST(names_that_no_interface_has_are_refused),
	};

	if (crypto_init() < 0 || log_init("test", LOG_FORMAT_TEXT, "error") < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
