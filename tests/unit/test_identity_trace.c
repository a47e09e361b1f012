/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "daemon/state/identity.h"
#include "daemon/state/snapshot.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD                                                                        \
	"{\n  \"wg_pubkey\": \"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\",\n"   \
	"  \"wg_private_key\": \"4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw=\",\n" \
	"  \"mesh_ip\": \"10.77.3.4\",\n"                                           \
	"  \"mesh_ipv6\": \"fd12:3456:789a:bcde:2:3:4:5\"\n}"
#define OTHER                                                                     \
	"{\n  \"wg_pubkey\": \"o4udK4FiJwuKI2lrOwgd4OHJVl1h5If0CwlKiJJ16QE=\",\n" \
	"  \"wg_private_key\": \"ONniKxrphR8sIfb3Etz0wWEH+hvOW24PDb5sbQ96NUA=\"\n}"

#define FIRST_SNAPSHOT	".snapshots/wg0.json.00000000000000000001"
#define SECOND_SNAPSHOT ".snapshots/wg0.json.00000000000000000002"
#define DAMAGED		".snapshots/wg0.json.damaged-1"

static char dir[64];
static int dirfd_ = -1;

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/identity.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0 ? -1 : 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	(void)close(dirfd_);
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const void *text, size_t len)
{
	int fd = openat(dirfd_, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, len), 0);
	(void)close(fd);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void assert_file(const char *name, const char *want)
{
	char text[IDENTITY_FILE_MAX + 1];

	assert_int_equal(statefile_read(dirfd_, name, text, sizeof(text), NULL), strlen(want));
	assert_string_equal(text, want);
}

static bool exists(const char *name)
{
	return faccessat(dirfd_, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void make_snapshot_dir(void)
{
	assert_int_equal(mkdirat(dirfd_, SNAPSHOT_DIR, 0700), 0);
}

#define PLACE(name) ((struct identity_place) { dirfd_, dir, (name) })

static int create(struct identity *out, struct err *e)
{
	identity_generate(out);
	return identity_create(out, &PLACE("wg0"), e);
}

static int load(bool repair, enum identity_origin *origin, struct err *e)
{
	struct identity id;
	return identity_load(&id, origin, &PLACE("wg0"), repair, e);
}

static void assert_loads(enum identity_origin want)
{
	enum identity_origin origin = IDENTITY_CREATED;
	struct err e = { 0 };

	if (load(true, &origin, &e) != 0)
		fail_msg("not loaded: %s", e.msg);
	assert_int_equal(origin, want);
}

static void assert_refused(bool repair, const char *part)
{
	enum identity_origin origin;
	struct err e = { 0 };

	assert_int_equal(load(repair, &origin, &e), -EBADMSG);
	assert_int_equal(e.exit_code, EXITS_STATE_DAMAGED);
	assert_non_null(strstr(e.msg, dir));
	if (!strstr(e.msg, part))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, part);
}

static int restore(struct identity *out, const char *name, struct identity_kept *kept,
		   struct err *e)
{
	return identity_restore(out, &PLACE("wg0"), name, kept, e);
}

static void a_person_may_go_back_to_a_snapshot(void **state)
{
	struct identity_kept kept;
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, OTHER);
	put_text("wg0.json", GOOD);
	assert_int_equal(restore(&id, "../wg0.json", &kept, &e), -EINVAL);
	assert_int_equal(restore(&id, "legacy-../wg0.json", &kept, &e), -EINVAL);
	assert_int_equal(restore(&id, "wg0.json.00000000000000000009", &kept, &e), -ENOENT);
	assert_int_equal(restore(&id, "wg0.json.00000000000000000001", &kept, &e), 0);
	assert_file("wg0.json", OTHER);
	assert_file(SECOND_SNAPSHOT, GOOD);
	assert_true(kept.is_good);
	assert_string_equal(kept.snapshot, "wg0.json.00000000000000000002");
	put_text("wg0.json", "");
	assert_loads(IDENTITY_RESTORED);
	assert_file("wg0.json", OTHER);
}

static void going_back_to_a_snapshot_can_be_undone_by_going_back_again(void **state)
{
	struct identity_kept kept;
	struct identity_kept first;
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, OTHER);
	put_text(SECOND_SNAPSHOT, GOOD);
	put_text("wg0.json", GOOD);
	assert_int_equal(restore(&id, "wg0.json.00000000000000000001", &first, &e), 0);
	/* It was the newest one already: the name is told all the same. */
	assert_string_equal(first.snapshot, "wg0.json.00000000000000000002");
	assert_int_equal(restore(&id, first.snapshot, &kept, &e), 0);
	assert_file("wg0.json", GOOD);
}

static void going_back_over_a_damaged_file_keeps_it(void **state)
{
	struct identity_kept kept;
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);
	put_text("wg0.json", "half");
	assert_int_equal(restore(&id, "wg0.json.00000000000000000001", &kept, &e), 0);
	assert_file("wg0.json", GOOD);
	assert_false(kept.is_good);
	assert_string_equal(kept.snapshot, "wg0.json.damaged-1");
	assert_file(DAMAGED, "half");
}

static void only_a_snapshot_that_was_made_on_the_way_is_named_for_the_undoing(void **state)
{
	struct identity_kept kept;
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);
	assert_int_equal(restore(&id, "wg0.json.00000000000000000001", &kept, &e), 0);
	assert_string_equal(kept.added, "");
	put_text(".snapshots/legacy-wg0.json", OTHER);
	assert_int_equal(restore(&id, "legacy-wg0.json", &kept, &e), 0);
	assert_string_equal(kept.added, "wg0.json.00000000000000000002");
}

static void a_legacy_copy_can_be_taken_back(void **state)
{
	struct identity_kept kept;
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text(".snapshots/legacy-wg0.json", GOOD);
	put_text(".snapshots/legacy-wg0.json.2", OTHER);
	assert_refused(true, "`wgmesh state restore legacy-wg0.json");
	put_text("wg0.json", "half");
	assert_refused(true, "`wgmesh state restore legacy-wg0.json");
	assert_int_equal(unlinkat(dirfd_, "wg0.json", 0), 0);
	assert_int_equal(restore(&id, "legacy-wg0.json", &kept, &e), 0);
	assert_file("wg0.json", GOOD);
	assert_string_equal(kept.snapshot, "");
	assert_int_equal(restore(&id, "legacy-wg0.json.2", &kept, &e), 0);
	assert_file("wg0.json", OTHER);
	assert_int_equal(restore(&id, "legacy-wg1.json", &kept, &e), -EINVAL);
}

/* A file of a later release: nothing may be read into it, and nothing may happen to it. */
#define LATER "{\n  \"version\": 2,\n  \"wg_pubkey\": \"x\"\n}"

static void assert_later(enum identity_origin *origin, const char *file)
{
	struct err e = { 0 };

	assert_int_equal(load(true, origin, &e), -EPROTONOSUPPORT);
	assert_int_equal(e.exit_code, EXITS_POLICY);
	if (!strstr(e.msg, file) || !strstr(e.msg, "newer release"))
		fail_msg("\"%s\" does not name %s", e.msg, file);
}

static void what_a_later_release_wrote_is_left_alone(void **state)
{
	struct identity_kept kept;
	enum identity_origin origin;
	struct identity id;
	struct err e;

	(void)state;
	make_snapshot_dir();
	put_text("wg0.json", LATER);
	put_text(FIRST_SNAPSHOT, GOOD);
	assert_later(&origin, "wg0.json");
	assert_int_equal(create(&id, &e), -EPROTONOSUPPORT);
	assert_int_equal(identity_save(&id, &PLACE("wg0"), &e), -EPROTONOSUPPORT);
	assert_int_equal(restore(&id, "wg0.json.00000000000000000001", &kept, &e),
			 -EPROTONOSUPPORT);
	assert_int_equal(e.exit_code, EXITS_POLICY);
	assert_file("wg0.json", LATER);
	assert_false(exists(SECOND_SNAPSHOT));
}

static void an_older_snapshot_does_not_take_the_place_of_one_of_a_later_release(void **state)
{
	enum identity_origin origin;

	(void)state;
	make_snapshot_dir();
	put_text(FIRST_SNAPSHOT, GOOD);
	put_text(SECOND_SNAPSHOT, LATER);
	assert_later(&origin, SNAPSHOT_DIR);
	assert_int_equal(unlinkat(dirfd_, SECOND_SNAPSHOT, 0), 0);
	assert_int_equal(unlinkat(dirfd_, FIRST_SNAPSHOT, 0), 0);
	put_text(".wg0.json.new", LATER);
	assert_later(&origin, ".wg0.json.new");
	assert_file(".wg0.json.new", LATER);
	assert_false(exists("wg0.json"));
}

#define MARKER(served)                                                                              \
	"version=1\nvolume=0123456789abcdef0123456789abcdef\ncreated=2026-01-01T00:00:00Z\n" served \
	"boots=1\nboot=2026-01-01T00:00:00Z - - - -\n"
#define GOOD_KEY "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="

static void a_key_that_the_volume_marker_records_is_missed(void **state)
{
	enum identity_origin origin;
	struct err e;

	(void)state;
	put_text(".wgmesh.volume", MARKER(""));
	assert_int_equal(load(true, &origin, &e), -ENOENT);
	put_text(".wgmesh.volume", MARKER("served=wg1 " GOOD_KEY "\n"));
	assert_int_equal(load(true, &origin, &e), -ENOENT);
	put_text(".wgmesh.volume", MARKER("served=wg0 " GOOD_KEY "\n"));
	assert_refused(true, "the public key " GOOD_KEY);
	assert_refused(true, "--new-identity");
	assert_false(exists("wg0.json"));
	/* The marker may have said the same, had it not been damaged. */
	put_text(".wgmesh.volume", "version=1\nvolu");
	assert_refused(true, ".wgmesh.volume");
	put_text(".wgmesh.volume", "version=2\n");
	assert_later(&origin, ".wgmesh.volume");
	/* A good key needs no marker at all. */
	put_text("wg0.json", GOOD);
	assert_loads(IDENTITY_LOADED);
}

static void a_key_is_missed_where_only_its_caches_are_left(void **state)
{
	static const char *const caches[] = { "wg0-peers.json", "wg0-dht.nodes",
					      "wg0-0123456789abcdef-dht.nodes" };
	static const char *const others[] = { "wg1-peers.json", "wg1-dht.nodes", "wg0.reload",
					      "account.json", "wg0-peers.json.bak" };
	enum identity_origin origin;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		put_text(others[i], "");
	assert_int_equal(load(true, &origin, &e), -ENOENT);
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		put_text(caches[i], "");
		assert_refused(true, caches[i]);
		assert_int_equal(unlinkat(dirfd_, caches[i], 0), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_person_may_go_back_to_a_snapshot),
		TEST(going_back_to_a_snapshot_can_be_undone_by_going_back_again),
		TEST(going_back_over_a_damaged_file_keeps_it),
		TEST(only_a_snapshot_that_was_made_on_the_way_is_named_for_the_undoing),
		TEST(a_legacy_copy_can_be_taken_back),
		TEST(what_a_later_release_wrote_is_left_alone),
		TEST(an_older_snapshot_does_not_take_the_place_of_one_of_a_later_release),
		TEST(a_key_that_the_volume_marker_records_is_missed),
		TEST(a_key_is_missed_where_only_its_caches_are_left),
	};

	if (crypto_init() < 0 || log_init("test", LOG_FORMAT_TEXT, "error") < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
