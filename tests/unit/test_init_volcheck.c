/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "init/state/names.h"
#include "init/volume/markfile.h"
#include "init/volume/volcheck.h"
#include "init/volume/volwatch.h"

#include <errno.h>
#include <limits.h>

/**
 * struct fixture - A state directory with a marker, as a start leaves it
 * @d:		Directory that holds it
 * @dir:	Its path
 * @other:	Path that it can be moved to
 * @fd:		The directory, opened
 * @proof:	Its marker
 */
struct fixture {
	struct tempdir d;
	char dir[PATH_MAX];
	char other[PATH_MAX];
	int fd;
	struct proof proof;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct markfile_start m = { .id = { 7 },
				    .facts = { .ifname = "wg0", .self = { .at_s = 1767225600 } } };

	assert_non_null(f);
	tempdir_make(&f->d);
	(void)snprintf(f->dir, sizeof(f->dir), "%s/state", f->d.path);
	(void)snprintf(f->other, sizeof(f->other), "%s/other", f->d.path);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	m.dirfd = f->fd;
	markfile_start(&m);
	assert_int_equal(m.error, 0);
	f->proof = (struct proof) { .marker = m.marker, .is_marked = true };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)close(f->fd);
	tempdir_remove(&f->d);
	free(f);
	return 0;
}

static int look(const struct fixture *f)
{
	const struct volcheck c = { .dir = f->dir, .dirfd = f->fd, .proof = &f->proof };

	return volcheck_run(&c);
}

static bool has(const struct fixture *f, const char *name)
{
	return faccessat(f->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void good_storage_is_0_and_nothing_is_left_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(look(f), 0);
	assert_false(has(f, NAMES_ALIVE));
	assert_false(has(f, NAMES_ALIVE ".renamed"));
}

static void what_a_killed_look_left_is_no_obstacle(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(close(openat(f->fd, NAMES_ALIVE, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(close(openat(f->fd, NAMES_ALIVE ".renamed", O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(look(f), 0);
	assert_false(has(f, NAMES_ALIVE) || has(f, NAMES_ALIVE ".renamed"));
}

static void another_directory_at_the_path_is_not_the_volume(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rename(f->dir, f->other), 0);
	assert_int_equal(look(f), VOLWATCH_CODE(VOLWATCH_UNMOUNTED));
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(look(f), VOLWATCH_CODE(VOLWATCH_UNMOUNTED));
	assert_int_equal(rmdir(f->dir), 0);
	assert_int_equal(rename(f->other, f->dir), 0);
	assert_int_equal(look(f), 0);
}

static void a_program_is_not_started_on_another_directory_than_before(void **state)
{
	struct fixture *f = *state;
	struct volcheck c = { .dir = f->dir, .dirfd = f->fd, .proof = &f->proof };
	struct err e = { 0 };

	assert_int_equal(volcheck_place(&c, &e), 0);
	/* Another directory of the same mount, or none. */
	assert_int_equal(rename(f->dir, f->other), 0);
	assert_int_equal(volcheck_place(&c, &e), -ESTALE);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(volcheck_place(&c, &e), -ESTALE);
	assert_int_equal(rmdir(f->dir), 0);
	assert_int_equal(rename(f->other, f->dir), 0);
	assert_int_equal(volcheck_place(&c, &e), 0);
	/* Another mount. */
	c.dir = "/proc/self";
	assert_int_equal(volcheck_place(&c, &e), -ESTALE);
	assert_int_equal(e.exit_code, 74);
	assert_non_null(strstr(e.msg, "/proc/self is not the volume any more"));
}

static void a_directory_of_another_number_with_our_marker_in_it_is_ours(void **state)
{
	struct fixture *f = *state;
	const struct volcheck c = { .dir = f->dir, .dirfd = f->fd, .proof = &f->proof };
	struct err e = { 0 };
	char marker[PATH_MAX + 32];

	assert_int_equal(rename(f->dir, f->other), 0);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	(void)snprintf(marker, sizeof(marker), "%s/%s", f->dir, MARKER_FILE);
	assert_int_equal(linkat(f->fd, MARKER_FILE, AT_FDCWD, marker, 0), 0);
	assert_int_equal(volcheck_place(&c, &e), 0);
	f->proof.marker.volume[5] = f->proof.marker.volume[5] == 'f' ? 'e' : 'f';
	assert_int_equal(volcheck_place(&c, &e), -ESTALE);
}

static void a_link_that_leads_elsewhere_now_is_another_directory(void **state)
{
	struct fixture *f = *state;
	char link[PATH_MAX];
	struct volcheck c = { .dir = link, .dirfd = f->fd, .proof = &f->proof };
	struct err e = { 0 };

	(void)snprintf(link, sizeof(link), "%s/link", f->d.path);
	assert_int_equal(symlink(f->dir, link), 0);
	assert_int_equal(volcheck_place(&c, &e), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(f->d.path, link), 0);
	assert_int_equal(volcheck_place(&c, &e), -ESTALE);
}

static void a_daemon_is_not_started_where_both_its_key_and_the_marker_are_gone(void **state)
{
	struct fixture *f = *state;
	const struct volcheck c = { .dir = f->dir, .dirfd = f->fd, .proof = &f->proof };
	struct err e = { 0 };

	/* A first start: there is a marker, and no key yet. */
	assert_int_equal(volcheck_contents(&c, "wg0", &e), 0);
	assert_int_equal(unlinkat(f->fd, MARKER_FILE, 0), 0);
	assert_int_equal(volcheck_contents(&c, "wg0", &e), -ESTALE);
	assert_int_equal(e.exit_code, 74);
	assert_non_null(strstr(e.msg, "wg0.json"));
	assert_int_equal(close(openat(f->fd, "wg0.json", O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(volcheck_contents(&c, "wg0", &e), 0);
	/* A marker that there never was is not missed. */
	assert_int_equal(unlinkat(f->fd, "wg0.json", 0), 0);
	f->proof.is_marked = false;
	assert_int_equal(volcheck_contents(&c, "wg0", &e), 0);
}

static void a_marker_that_is_gone_or_anothers_is_a_wrong_volume(void **state)
{
	struct fixture *f = *state;
	char volume[MARKER_VOLUME_SIZE];

	memcpy(volume, f->proof.marker.volume, sizeof(volume));
	f->proof.marker.volume[5] = f->proof.marker.volume[5] == 'f' ? 'e' : 'f';
	assert_int_equal(look(f), VOLWATCH_CODE(VOLWATCH_WRONG_VOLUME));
	memcpy(f->proof.marker.volume, volume, sizeof(volume));
	assert_int_equal(look(f), 0);
	assert_int_equal(unlinkat(f->fd, MARKER_FILE, 0), 0);
	assert_int_equal(look(f), VOLWATCH_CODE(VOLWATCH_WRONG_VOLUME));
}

static void a_marker_that_never_was_is_not_missed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlinkat(f->fd, MARKER_FILE, 0), 0);
	f->proof.is_marked = false;
	assert_int_equal(look(f), 0);
	f->proof.marker.volume[0] = '\0';
	assert_int_equal(look(f), 0);
}

static void another_start_on_the_volume_means_that_it_is_shared(void **state)
{
	struct fixture *f = *state;
	struct markfile_start other = {
		.dirfd = f->fd, .facts = { .ifname = "wg0", .self = { .at_s = 1767225600 } }
	};

	markfile_start(&other);
	assert_int_equal(other.error, 0);
	assert_int_equal(look(f), VOLWATCH_CODE(VOLWATCH_SHARED));
}

static void a_key_that_was_noted_is_no_other_start(void **state)
{
	static const struct marker_key key = {
		.ifname = "wg0", .public_key = "6HsZQcVYtUWQ6e7GyhPIMWPWSCqvdsSFfqUWIhYQ0wE="
	};
	struct fixture *f = *state;

	assert_int_equal(markfile_note_served(f->fd, &f->proof, &key), 0);
	assert_int_equal(markfile_note_exit(f->fd, &f->proof, 1767225700, 3), 0);
	assert_int_equal(look(f), 0);
}

static void an_error_of_the_probe_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->fd, NAMES_ALIVE, 0700), 0);
	assert_int_equal(look(f), EEXIST);
	assert_int_equal(unlinkat(f->fd, NAMES_ALIVE, AT_REMOVEDIR), 0);
	assert_int_equal(look(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_storage_is_0_and_nothing_is_left_there),
		TEST(what_a_killed_look_left_is_no_obstacle),
		TEST(another_directory_at_the_path_is_not_the_volume),
		TEST(a_program_is_not_started_on_another_directory_than_before),
		TEST(a_directory_of_another_number_with_our_marker_in_it_is_ours),
		TEST(a_link_that_leads_elsewhere_now_is_another_directory),
		TEST(a_daemon_is_not_started_where_both_its_key_and_the_marker_are_gone),
		TEST(a_marker_that_is_gone_or_anothers_is_a_wrong_volume),
		TEST(a_marker_that_never_was_is_not_missed),
		TEST(another_start_on_the_volume_means_that_it_is_shared),
		TEST(a_key_that_was_noted_is_no_other_start),
		TEST(an_error_of_the_probe_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
