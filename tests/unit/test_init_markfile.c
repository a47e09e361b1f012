/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "init/volume/markfile.h"

#include <errno.h>

#define NOW   1767225600
#define KEY_A "6HsZQcVYtUWQ6e7GyhPIMWPWSCqvdsSFfqUWIhYQ0wE="
#define KEY_B "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="

static const struct marker_key key_a = { .ifname = "wg0", .public_key = KEY_A };
static const struct marker_key key_b = { .ifname = "wg0", .public_key = KEY_B };

/* What a start finds and does. */
static struct markfile_start start_in(const struct tempdir *d)
{
	struct markfile_start m = { .dirfd = d->fd,
				    .id = { 0xab },
				    .facts = { .ifname = "wg0", .self = { .at_s = NOW } } };

	markfile_start(&m);
	return m;
}

/* What a start leaves for the jobs that follow it. */
static struct proof proof_of(const struct markfile_start *m)
{
	return (struct proof) { .marker = m->marker, .is_marked = m->error == 0 };
}

static struct marker load(const struct tempdir *d)
{
	struct marker m;

	assert_int_equal(markfile_load(&m, d->fd), 0);
	return m;
}

static struct proof_facts facts_of(const struct tempdir *d)
{
	struct markfile_start m = { .dirfd = d->fd, .is_look = true, .facts = { .ifname = "wg0" } };

	markfile_start(&m);
	return m.facts;
}

static void the_first_start_makes_a_marker_and_the_next_adds_to_it(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start first = start_in(d);
	struct markfile_start second = start_in(d);

	assert_int_equal(first.error, 0);
	assert_int_equal(first.facts.error, -ENOENT);
	assert_int_equal(second.error, 0);
	assert_int_equal(second.facts.error, 0);
	assert_int_equal(second.facts.marker.boots, 1);
	assert_string_equal(second.marker.volume, first.marker.volume);
	assert_int_equal(load(d).boots, 2);
	assert_int_equal(load(d).boot[0].at_s, NOW);
	assert_true(load(d).boot[0].host[0] != '\0');
}

static void who_only_looks_changes_nothing(void **state)
{
	struct tempdir *d = *state;

	assert_int_equal(facts_of(d).error, -ENOENT);
	assert_false(tempdir_has(d, MARKER_FILE));
	tempdir_write(d, MARKER_FILE, "damaged");
	assert_int_equal(facts_of(d).error, -EBADMSG);
	assert_string_equal(tempdir_read(d, MARKER_FILE), "damaged");
}

static void what_lies_in_the_directory_is_told_apart(void **state)
{
	static const struct {
		const char *name;
		bool has_key;
		bool has_traces;
		bool has_others;
	} files[] = {
		{ "wg0.json", true, false, false },
		{ "wg0-peers.json", false, true, false },
		{ "wg0-0123456789abcdef-dht.nodes", false, true, false },
		{ "wg0-dht.nodes", false, true, false },
		{ ".wg0.json.new", false, true, false },
		{ "wg1.json", false, false, true },
		{ "wg01.json", false, false, true },
		{ "mesh-state.json", false, false, true },
		{ ".wg1.json.new", false, false, false },
		{ ".wgmesh.lock", false, false, false },
		{ ".wgmesh.history", false, false, false },
		{ "lost+found", false, false, false },
		{ "notes.txt", false, false, false },
	};
	struct tempdir *d = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct proof_facts f;

		tempdir_write(d, files[i].name, "{}");
		f = facts_of(d);
		assert_int_equal(f.has_key, files[i].has_key);
		assert_int_equal(f.has_traces, files[i].has_traces);
		assert_int_equal(f.has_others, files[i].has_others);
		assert_int_equal(unlinkat(d->fd, files[i].name, 0), 0);
	}
}

static void an_interface_named_like_our_own_files_has_no_traces(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start m = { .dirfd = d->fd,
				    .is_look = true,
				    .facts = { .ifname = "wgmesh" } };

	tempdir_write(d, ".wgmesh.lock", "");
	tempdir_write(d, MARKER_FILE ".new", "");
	markfile_start(&m);
	assert_false(m.facts.has_traces || m.facts.has_others || m.facts.has_key);
}

static void a_key_among_thousands_of_strangers_is_not_lost(void **state)
{
	struct tempdir *d = *state;
	char name[32];

	for (int i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "stranger.%d", i);
		assert_int_equal(mknodat(d->fd, name, S_IFREG | 0600, 0), 0);
	}
	for (int i = 0; i < 10; i++) {
		struct markfile_start m = { .dirfd = d->fd, .is_look = true };

		(void)snprintf(m.facts.ifname, sizeof(m.facts.ifname), "wg%d", i);
		(void)snprintf(name, sizeof(name), "wg%d.json", i);
		tempdir_write(d, name, "{}");
		markfile_start(&m);
		assert_true(m.facts.has_key);
	}
}

static void snapshots_of_the_interface_are_traces(void **state)
{
	static const struct {
		const char *name;
		bool is_trace;
	} files[] = {
		{ ".snapshots/wg0.json.00000000000000000001", true },
		{ ".snapshots/wg0.json.damaged-1", true },
		{ ".snapshots/legacy-wg0.json", true },
		{ ".snapshots/wg1.json.00000000000000000001", false },
	};
	struct tempdir *d = *state;

	assert_int_equal(mkdirat(d->fd, ".snapshots", 0700), 0);
	assert_false(facts_of(d).has_traces);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		tempdir_write(d, files[i].name, "{}");
		assert_int_equal(facts_of(d).has_traces, files[i].is_trace);
		assert_int_equal(unlinkat(d->fd, files[i].name, 0), 0);
	}
}

static void a_damaged_marker_is_moved_aside_under_a_name_that_is_free(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start m;

	tempdir_write(d, MARKER_FILE, "first");
	m = start_in(d);
	assert_int_equal(m.error, 0);
	assert_string_equal(m.aside, ".wgmesh.volume.damaged");
	tempdir_write(d, MARKER_FILE, "second");
	m = start_in(d);
	assert_string_equal(m.aside, ".wgmesh.volume.damaged.1");
	assert_string_equal(tempdir_read(d, ".wgmesh.volume.damaged"), "first");
	assert_string_equal(tempdir_read(d, ".wgmesh.volume.damaged.1"), "second");
	assert_int_equal(load(d).boots, 1);
}

static void damaged_markers_do_not_pile_up_for_ever_and_none_is_lost(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start m;

	for (int i = 0; i < 8; i++) {
		tempdir_write(d, MARKER_FILE, "damaged");
		assert_int_equal(start_in(d).error, 0);
	}
	tempdir_write(d, MARKER_FILE, "the ninth");
	m = start_in(d);
	assert_int_equal(m.error, -EEXIST);
	assert_string_equal(m.aside, "");
	assert_string_equal(m.marker.volume, "");
	assert_string_equal(tempdir_read(d, MARKER_FILE), "the ninth");
}

static void what_is_no_file_of_ours_is_damage_and_never_followed(void **state)
{
	struct tempdir *d = *state;
	struct marker m;

	assert_int_equal(symlinkat("elsewhere", d->fd, MARKER_FILE), 0);
	tempdir_write(d, "elsewhere", "version=1\n");
	assert_int_equal(markfile_load(&m, d->fd), -EBADMSG);
	assert_int_equal(start_in(d).error, 0);
	assert_string_equal(tempdir_read(d, "elsewhere"), "version=1\n");
	assert_int_equal(unlinkat(d->fd, MARKER_FILE, 0), 0);
	assert_int_equal(mkfifoat(d->fd, MARKER_FILE, 0600), 0);
	assert_int_equal(markfile_load(&m, d->fd), -EBADMSG);
}

static void a_file_of_any_size_is_damage(void **state)
{
	struct tempdir *d = *state;
	char text[2 * MARKER_TEXT_SIZE];
	struct marker m;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	tempdir_write(d, MARKER_FILE, text);
	assert_int_equal(markfile_load(&m, d->fd), -EBADMSG);
	tempdir_write(d, MARKER_FILE, "");
	assert_int_equal(markfile_load(&m, d->fd), -EBADMSG);
}

static void a_marker_of_a_later_release_is_never_written(void **state)
{
	static const char later[] = "version=2\nanything\n";
	struct tempdir *d = *state;
	struct markfile_start m;
	struct proof p;

	tempdir_write(d, MARKER_FILE, later);
	m = start_in(d);
	p = proof_of(&m);
	assert_int_equal(m.error, -EPROTONOSUPPORT);
	assert_int_equal(markfile_note_served(d->fd, &p, &key_a), -EPROTONOSUPPORT);
	assert_int_equal(markfile_note_exit(d->fd, &p, NOW, 0), -EPROTONOSUPPORT);
	assert_string_equal(tempdir_read(d, MARKER_FILE), later);
}

static void key_and_exit_are_noted(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start m = start_in(d);
	struct proof p = proof_of(&m);

	assert_int_equal(markfile_note_served(d->fd, &p, &key_a), 0);
	assert_int_equal(markfile_note_exit(d->fd, &p, NOW + 7, 69), 0);
	assert_int_equal(markfile_note_served(d->fd, &p, &key_b), 0);
	assert_int_equal(load(d).exit_code, 69);
	assert_int_equal(load(d).exit_s, NOW + 7);
	assert_string_equal(load(d).served[0].public_key, KEY_B);
	assert_int_equal(load(d).boots, 1);
}

static void nothing_is_noted_on_another_volume(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start m = start_in(d);
	struct proof p = proof_of(&m);

	p.marker.volume[0] = p.marker.volume[0] == '0' ? '1' : '0';
	assert_int_equal(markfile_note_served(d->fd, &p, &key_a), -ESTALE);
	assert_int_equal(load(d).n_served, 0);
}

static void a_marker_that_vanished_is_not_made_again(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start m = start_in(d);
	struct proof p = proof_of(&m);

	assert_int_equal(unlinkat(d->fd, MARKER_FILE, 0), 0);
	assert_int_equal(markfile_note_served(d->fd, &p, &key_a), -ENOENT);
	assert_false(tempdir_has(d, MARKER_FILE));
}

static void a_marker_that_could_not_be_written_at_the_start_is_written_later(void **state)
{
	struct tempdir *d = *state;
	struct markfile_start m;
	struct proof p;

	/* A directory in the way of the temporary file. */
	assert_int_equal(mkdirat(d->fd, MARKER_FILE ".new", 0700), 0);
	m = start_in(d);
	p = proof_of(&m);
	assert_true(m.error < 0);
	assert_int_equal(unlinkat(d->fd, MARKER_FILE ".new", AT_REMOVEDIR), 0);
	assert_int_equal(markfile_note_served(d->fd, &p, &key_a), 0);
	assert_int_equal(load(d).boots, 1);
	assert_string_equal(load(d).volume, m.marker.volume);
	assert_string_equal(load(d).served[0].public_key, KEY_A);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_start_makes_a_marker_and_the_next_adds_to_it),
		TEST(who_only_looks_changes_nothing),
		TEST(what_lies_in_the_directory_is_told_apart),
		TEST(an_interface_named_like_our_own_files_has_no_traces),
		TEST(a_key_among_thousands_of_strangers_is_not_lost),
		TEST(snapshots_of_the_interface_are_traces),
		TEST(a_damaged_marker_is_moved_aside_under_a_name_that_is_free),
		TEST(damaged_markers_do_not_pile_up_for_ever_and_none_is_lost),
		TEST(what_is_no_file_of_ours_is_damage_and_never_followed),
		TEST(a_file_of_any_size_is_damage),
		TEST(a_marker_of_a_later_release_is_never_written),
		TEST(key_and_exit_are_noted),
		TEST(nothing_is_noted_on_another_volume),
		TEST(a_marker_that_vanished_is_not_made_again),
		TEST(a_marker_that_could_not_be_written_at_the_start_is_written_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
