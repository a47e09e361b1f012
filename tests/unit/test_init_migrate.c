/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/exits.h"
#include "init/state/filecopy.h"
#include "init/state/migrate.h"
#include "init/state/names.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define KEY	"{\n  \"wg_pubkey\": \"a\"\n}"
#define OTHER	"{\n  \"wg_pubkey\": \"b\"\n}"
#define ASIDE	".snapshots/legacy-wg0.json.1"
#define ASIDE_2 ".snapshots/legacy-wg0.json.2"

struct fixture {
	struct tempdir from;
	struct tempdir to;
	struct migration m;
	struct err e;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tempdir_make(&f->from);
	tempdir_make(&f->to);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tempdir_remove(&f->from);
	tempdir_remove(&f->to);
	free(f);
	return 0;
}

static void run(struct fixture *f)
{
	f->m = (struct migration) { .from_fd = f->from.fd, .to_fd = f->to.fd };
	assert_int_equal(migrate_run(&f->m, &f->e), 0);
}

static void knows_the_names_of_state_files(void **state)
{
	static const char *const ours[] = {
		"wg0.json",	 "wg0-peers.json",
		"wg0-dht.nodes", "wg0-0123456789abcdef-dht.nodes",
		"wg0.reload",	 "mesh-state.json",
		"account.json",	 "services.json",
		"referral.json", "state.json",
		"a.json",	 "mesh-1_b.json",
	};
	static const char *const foreign[] = {
		"",
		".json",
		"0wg.json",
		"wg0.json.bak",
		"wg0.txt",
		"a name.json",
		"averyverylongname.json",
		"wg0-0123456789abcde-DHT.nodes",
		"wg0-0123456789abcdeg-dht.nodes",
		"0123456789abcdef-dht.nodes",
		"-dht.nodes",
		"wg0.JSON",
		"../wg0.json",
		"lost+found",
		".wg0.json.new",
		"wg0.json/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!names_is_state(ours[i]))
			fail_msg("%s was not recognized", ours[i]);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (names_is_state(foreign[i]))
			fail_msg("%s was taken for ours", foreign[i]);
	assert_true(names_is_ours(".wg0.json.new"));
	assert_true(names_is_ours(NAMES_LOCK));
	assert_true(names_is_ours(NAMES_SNAPSHOTS));
	assert_true(names_is_ours(NAMES_HISTORY));
	assert_true(names_is_ours(NAMES_HISTORY ".new"));
	assert_false(names_is_state(NAMES_HISTORY));
	assert_false(names_is_ours(".bashrc"));
	assert_false(names_is_ours(".new"));
}

static void copies_known_files_and_leaves_the_source(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	tempdir_write(&f->from, "wg0.json", KEY);
	tempdir_write(&f->from, "wg0-peers.json", "{}");
	tempdir_write(&f->from, "README", "hello");
	run(f);
	assert_int_equal(f->m.copied, 2);
	assert_int_equal(f->m.unknown, 1);
	assert_string_equal(f->m.unknown_names, "README");
	assert_string_equal(tempdir_read(&f->to, "wg0.json"), KEY);
	assert_string_equal(tempdir_read(&f->from, "wg0.json"), KEY);
	assert_false(tempdir_has(&f->to, "README"));
	assert_true(tempdir_has(&f->from, NAMES_MARKER));
	assert_int_equal(fstatat(f->to.fd, "wg0.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void the_second_run_does_nothing(void **state)
{
	struct fixture *f = *state;
	struct stat before;
	struct stat after;

	tempdir_write(&f->from, "wg0.json", KEY);
	run(f);
	assert_int_equal(fstat(f->to.fd, &before), 0);
	run(f);
	assert_int_equal(fstat(f->to.fd, &after), 0);
	assert_int_equal(f->m.copied, 0);
	assert_int_equal(f->m.present, 1);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

static void a_key_in_place_is_never_overwritten(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0.json", OTHER);
	tempdir_write(&f->to, "wg0.json", KEY);
	run(f);
	assert_int_equal(f->m.kept_aside, 1);
	assert_int_equal(f->m.copied, 0);
	assert_string_equal(tempdir_read(&f->to, "wg0.json"), KEY);
	assert_string_equal(tempdir_read(&f->to, ASIDE), OTHER);
}

static void a_difference_is_news_only_once(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0.json", OTHER);
	tempdir_write(&f->to, "wg0.json", KEY);
	run(f);
	run(f);
	assert_int_equal(f->m.kept_aside, 0);
	assert_int_equal(f->m.present, 1);
	assert_false(tempdir_has(&f->to, ASIDE_2));
	/* Without the journal the copy kept aside is recognized by its bytes. */
	assert_int_equal(unlinkat(f->to.fd, NAMES_JOURNAL, 0), 0);
	run(f);
	assert_int_equal(f->m.kept_aside, 1);
	assert_false(tempdir_has(&f->to, ASIDE_2));
}

static void another_legacy_key_is_kept_beside_the_first(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0.json", OTHER);
	tempdir_write(&f->to, "wg0.json", KEY);
	run(f);
	tempdir_write(&f->from, "wg0.json", OTHER " ");
	run(f);
	assert_string_equal(tempdir_read(&f->to, ASIDE), OTHER);
	assert_string_equal(tempdir_read(&f->to, ASIDE_2), OTHER " ");
}

static void what_the_daemon_rewrote_after_the_migration_is_no_difference(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0-peers.json", "old");
	run(f);
	tempdir_write(&f->to, "wg0-peers.json", "new");
	run(f);
	assert_int_equal(f->m.present, 1);
	assert_int_equal(f->m.kept_aside, 0);
	assert_string_equal(tempdir_read(&f->to, "wg0-peers.json"), "new");
}

static void a_lost_copy_is_made_again(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0.json", KEY);
	run(f);
	assert_int_equal(unlinkat(f->to.fd, "wg0.json", 0), 0);
	run(f);
	assert_int_equal(f->m.copied, 1);
	assert_string_equal(tempdir_read(&f->to, "wg0.json"), KEY);
}

static void what_a_killed_run_left_is_overwritten(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0.json", KEY);
	tempdir_write(&f->to, ".wg0.json.new",
		      "half of a much longer file that was never finished");
	run(f);
	assert_string_equal(tempdir_read(&f->to, "wg0.json"), KEY);
	assert_false(tempdir_has(&f->to, ".wg0.json.new"));
}

static void refuses_links_and_devices(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlinkat("/etc/passwd", f->from.fd, "wg0.json"), 0);
	assert_int_equal(mkfifoat(f->from.fd, "wg1.json", 0600), 0);
	assert_int_equal(mkdirat(f->from.fd, "wg2.json", 0700), 0);
	tempdir_write(&f->from, "wg3.json", KEY);
	assert_int_equal(linkat(f->from.fd, "wg3.json", f->from.fd, "second-name", 0), 0);
	run(f);
	assert_int_equal(f->m.refused, 4);
	assert_int_equal(f->m.copied, 0);
	assert_false(tempdir_has(&f->to, "wg0.json"));
	assert_false(tempdir_has(&f->to, "wg3.json"));
}

static void refuses_absurd_sizes(void **state)
{
	struct fixture *f = *state;
	int fd = openat(f->from.fd, "wg0.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, MIGRATE_MAX_BYTES + 1), 0);
	(void)close(fd);
	run(f);
	assert_int_equal(f->m.refused, 1);
	assert_false(tempdir_has(&f->to, "wg0.json"));
}

static void does_not_write_through_a_link_in_place(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0.json", KEY);
	tempdir_write(&f->from, "victim", "precious");
	assert_int_equal(symlinkat("victim", f->to.fd, "wg0.json"), 0);
	run(f);
	assert_int_equal(f->m.copied, 0);
	assert_string_equal(tempdir_read(&f->from, "victim"), "precious");
	assert_string_equal(tempdir_read(&f->to, ASIDE), KEY);
}

static void a_dry_run_changes_nothing(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "wg0.json", KEY);
	f->m = (struct migration) { .from_fd = f->from.fd, .to_fd = f->to.fd, .is_dry = true };
	assert_int_equal(migrate_run(&f->m, &f->e), 0);
	assert_int_equal(f->m.copied, 1);
	assert_false(tempdir_has(&f->to, "wg0.json"));
	assert_false(tempdir_has(&f->to, NAMES_JOURNAL));
	assert_false(tempdir_has(&f->from, NAMES_MARKER));
}

static void run_with_report(struct fixture *f, struct migrate_report *report)
{
	memset(report, 0, sizeof(*report));
	f->m = (struct migration) {
		.from_fd = f->from.fd, .to_fd = f->to.fd, .key = "wg0.json", .report = report
	};
}

static bool contains(const struct tempdir *d, const char *name, const char *text)
{
	const char *found = tempdir_read(d, name);

	assert_non_null(found);
	return found && strstr(found, text) != NULL;
}

/* What is in the journal is written again, for the daemon's user to read. */
static void a_journal_that_is_a_file_of_others_is_not_read(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->from, "victim", "precious\n");
	tempdir_write(&f->from, "wg0.json", KEY);
	assert_int_equal(linkat(f->from.fd, "victim", f->to.fd, NAMES_JOURNAL, 0), 0);
	run(f);
	assert_int_equal(f->m.copied, 1);
	assert_false(contains(&f->to, NAMES_JOURNAL, "precious"));
	assert_false(contains(&f->from, NAMES_MARKER, "precious"));
	assert_string_equal(tempdir_read(&f->from, "victim"), "precious\n");
}

static void a_lost_key_that_has_snapshots_is_not_replaced_by_an_older_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->to.fd, NAMES_SNAPSHOTS, 0700), 0);
	tempdir_write(&f->to, ".snapshots/wg0.json.00000000000000000001", KEY);
	tempdir_write(&f->from, "wg0.json", OTHER);
	tempdir_write(&f->from, "wg0-peers.json", "{}");
	run(f);
	assert_int_equal(f->m.copied, 1);
	assert_int_equal(f->m.kept_aside, 1);
	assert_false(tempdir_has(&f->to, "wg0.json"));
	assert_string_equal(tempdir_read(&f->to, ASIDE), OTHER);
}

static void a_key_that_is_refused_and_not_in_place_ends_the_start(void **state)
{
	struct migrate_report *report = calloc(1, sizeof(*report));
	struct fixture *f = *state;

	assert_non_null(report);
	tempdir_write(&f->from, "victim", KEY);
	assert_int_equal(symlinkat("victim", f->from.fd, "wg0.json"), 0);
	assert_int_equal(symlinkat("victim", f->from.fd, "wg1.json"), 0);
	run_with_report(f, report);
	assert_int_equal(migrate_run(&f->m, &f->e), -ELOOP);
	assert_int_equal(f->e.exit_code, EXITS_POLICY);
	assert_non_null(strstr(f->e.msg, "wg0.json is a symbolic link"));
	/* With a key in place there is nothing to lose. */
	tempdir_write(&f->to, "wg0.json", KEY);
	run_with_report(f, report);
	assert_int_equal(migrate_run(&f->m, &f->e), 0);
	assert_int_equal(f->m.refused, 2);
	free(report);
}

static void a_key_file_is_no_larger_than_the_daemon_reads(void **state)
{
	struct migrate_report *report = calloc(1, sizeof(*report));
	struct fixture *f = *state;
	char big[MIGRATE_KEY_MAX_BYTES + 2];

	assert_non_null(report);
	memset(big, ' ', sizeof(big));
	big[MIGRATE_KEY_MAX_BYTES] = '\0';
	tempdir_write(&f->from, "wg0.json", big);
	run_with_report(f, report);
	assert_int_equal(migrate_run(&f->m, &f->e), 0);
	assert_int_equal(f->m.copied, 1);
	big[MIGRATE_KEY_MAX_BYTES] = ' ';
	big[MIGRATE_KEY_MAX_BYTES + 1] = '\0';
	assert_int_equal(unlinkat(f->to.fd, "wg0.json", 0), 0);
	tempdir_write(&f->from, "wg0.json", big);
	run_with_report(f, report);
	assert_int_equal(migrate_run(&f->m, &f->e), -EFBIG);
	free(report);
}

static void expect_json(const struct migrate_report *report, const char *want)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	migrate_put_json(out, report);
	(void)fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void the_report_names_every_file_in_order(void **state)
{
	struct migrate_report *report = calloc(1, sizeof(*report));
	struct fixture *f = *state;

	assert_non_null(report);
	tempdir_write(&f->from, "wg0.json", KEY);
	tempdir_write(&f->from, "b\n\"", "x");
	assert_int_equal(symlinkat("x", f->from.fd, "account.json"), 0);
	run_with_report(f, report);
	assert_int_equal(migrate_run(&f->m, &f->e), 0);
	expect_json(report,
		    "\"files\":["
		    "{\"name\":\"account.json\",\"action\":\"refused\",\"bytes\":1,"
		    "\"note\":\"account.json is a symbolic link\"},"
		    "{\"name\":\"b\\\\x0a\\\"\",\"action\":\"unknown\",\"bytes\":1,"
		    "\"note\":\"none of ours, left where it is\"},"
		    "{\"name\":\"wg0.json\",\"action\":\"copied\",\"bytes\":22,"
		    "\"note\":\"reads back equal; the original stays\"}],"
		    "\"totals\":{\"copied\":1,\"would-copy\":0,\"present\":0,\"kept-aside\":0,"
		    "\"would-keep-aside\":0,\"refused\":1,\"unknown\":1,\"bytes\":22,"
		    "\"omitted\":0}");
	free(report);
}

static void the_report_counts_what_it_has_no_room_for(void **state)
{
	struct migrate_report *report = calloc(1, sizeof(*report));
	struct fixture *f = *state;
	char name[16];

	assert_non_null(report);
	for (unsigned int i = 0; i < MIGRATE_FILES_MAX + 2; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		tempdir_write(&f->from, name, "");
	}
	run_with_report(f, report);
	assert_int_equal(migrate_run(&f->m, &f->e), 0);
	assert_int_equal(report->n, MIGRATE_FILES_MAX);
	assert_int_equal(report->totals[MIGRATE_UNKNOWN], MIGRATE_FILES_MAX + 2);
	free(report);
}

static void equal_means_every_byte(void **state)
{
	struct fixture *f = *state;
	char big[40000];
	int a;
	int b;

	memset(big, 'x', sizeof(big));
	a = openat(f->from.fd, "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	b = openat(f->from.fd, "b", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(filecopy_is_equal(a, b), 1);
	assert_int_equal(io_write_full(a, big, sizeof(big)), 0);
	assert_int_equal(filecopy_is_equal(a, b), 0);
	assert_int_equal(io_write_full(b, big, sizeof(big)), 0);
	assert_int_equal(filecopy_is_equal(a, b), 1);
	assert_int_equal(pwrite(b, "y", 1, sizeof(big) - 1), 1);
	assert_int_equal(filecopy_is_equal(a, b), 0);
	(void)close(a);
	(void)close(b);
}

/* From now on, nobody gets to know what a directory holds. */
static bool hide_entries(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getdents64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static void a_list_that_cannot_be_read_to_its_end_is_no_empty_one(void **state)
{
	struct fixture *f = *state;
	int status = -1;
	pid_t pid;

	tempdir_write(&f->from, "wg0.json", KEY);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		f->m = (struct migration) { .from_fd = f->from.fd, .to_fd = f->to.fd };
		_exit(hide_entries() && migrate_run(&f->m, &f->e) == -EIO ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(tempdir_has(&f->to, NAMES_JOURNAL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(knows_the_names_of_state_files),
		TEST(copies_known_files_and_leaves_the_source),
		TEST(the_second_run_does_nothing),
		TEST(a_key_in_place_is_never_overwritten),
		TEST(a_difference_is_news_only_once),
		TEST(another_legacy_key_is_kept_beside_the_first),
		TEST(what_the_daemon_rewrote_after_the_migration_is_no_difference),
		TEST(a_lost_copy_is_made_again),
		TEST(what_a_killed_run_left_is_overwritten),
		TEST(refuses_links_and_devices),
		TEST(refuses_absurd_sizes),
		TEST(does_not_write_through_a_link_in_place),
		TEST(a_dry_run_changes_nothing),
		TEST(a_journal_that_is_a_file_of_others_is_not_read),
		TEST(a_lost_key_that_has_snapshots_is_not_replaced_by_an_older_one),
		TEST(a_key_that_is_refused_and_not_in_place_ends_the_start),
		TEST(a_key_file_is_no_larger_than_the_daemon_reads),
		TEST(the_report_names_every_file_in_order),
		TEST(the_report_counts_what_it_has_no_room_for),
		TEST(equal_means_every_byte),
		TEST(a_list_that_cannot_be_read_to_its_end_is_no_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
