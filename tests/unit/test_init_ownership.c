/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "init/state/names.h"
#include "init/state/ownership.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MODES 07777

struct fixture {
	struct tempdir dir;
	struct ownership_user user;
	struct ownership_result res;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tempdir_make(&f->dir);
	/* As root, really for another user; without root, for ourselves. */
	f->user.uid = geteuid() == 0 ? 65532 : geteuid();
	f->user.gid = geteuid() == 0 ? 65532 : getegid();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tempdir_remove(&f->dir);
	free(f);
	return 0;
}

static struct stat look(const struct fixture *f, const char *name)
{
	struct stat st = { 0 };

	assert_int_equal(fstatat(f->dir.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static void expect(const struct fixture *f, const char *name, uid_t uid, mode_t mode)
{
	struct stat st = look(f, name);

	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_mode & MODES, mode);
}

static struct stat make_stat(mode_t mode, uid_t uid, gid_t gid)
{
	return (struct stat) { .st_mode = mode, .st_uid = uid, .st_gid = gid };
}

struct decision {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool chown;
	bool chmod;
};

static void decides_by_owner_mode_and_group(void **state)
{
	static const struct decision table[] = {
		{ S_IFDIR | 0700, 100, 100, false, false },
		{ S_IFDIR | 0755, 100, 100, false, true },
		{ S_IFDIR | 0700, 0, 0, true, false },
		{ S_IFREG | 0600, 100, 5, false, false },
		{ S_IFREG | 0644, 0, 0, true, true },
		{ S_IFREG | 04600, 100, 100, false, true },
		/* fsGroup: group 200 is one of ours */
		{ S_IFDIR | 02770, 0, 200, false, false },
		{ S_IFREG | 0660, 0, 200, false, false },
		/* the same for a group that is not ours, or with bits for others */
		{ S_IFDIR | 02770, 0, 300, true, true },
		{ S_IFDIR | 02775, 0, 200, true, true },
		{ S_IFREG | 0664, 0, 200, true, true },
		{ S_IFREG | 0640, 0, 200, true, true },
		/* only the owner may replace a file in a sticky directory */
		{ S_IFDIR | 03770, 0, 200, true, true },
	};
	const struct ownership_user user = {
		.uid = 100, .gid = 100, .n_groups = 1, .groups = { 200 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct stat st = make_stat(table[i].mode, table[i].uid, table[i].gid);
		struct ownership_plan plan;

		ownership_decide(&st, &user, &plan);
		if (plan.chown != table[i].chown || plan.chmod != table[i].chmod)
			fail_msg("row %zu: chown %d chmod %d", i, plan.chown, plan.chmod);
	}
}

static void a_strict_repair_believes_no_group_bits(void **state)
{
	const struct ownership_user user = { .uid = 100, .gid = 200, .is_strict = true };
	const struct stat st = make_stat(S_IFREG | 0660, 0, 200);
	struct ownership_plan plan;

	(void)state;
	ownership_decide(&st, &user, &plan);
	assert_true(plan.chown && plan.chmod);
}

static void the_first_class_that_fits_decides_about_access(void **state)
{
	const struct ownership_user user = {
		.uid = 100, .gid = 101, .n_groups = 1, .groups = { 200 }
	};
	struct stat st;

	(void)state;
	st = make_stat(S_IFREG | 0600, 100, 0);
	assert_true(ownership_can_use(&st, &user));
	st = make_stat(S_IFREG | 0066, 100, 0);
	assert_false(ownership_can_use(&st, &user));
	st = make_stat(S_IFREG | 0660, 0, 200);
	assert_true(ownership_can_use(&st, &user));
	st = make_stat(S_IFREG | 0606, 0, 101);
	assert_false(ownership_can_use(&st, &user));
	st = make_stat(S_IFREG | 0606, 0, 0);
	assert_true(ownership_can_use(&st, &user));
	st = make_stat(S_IFDIR | 0600, 100, 0);
	assert_false(ownership_can_use(&st, &user));
	st = make_stat(S_IFDIR | 0707, 0, 0);
	assert_true(ownership_can_use(&st, &user));
}

static void puts_directory_files_and_snapshots_right(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fchmod(f->dir.fd, 0755), 0);
	assert_int_equal(mkdirat(f->dir.fd, NAMES_SNAPSHOTS, 0755), 0);
	tempdir_write(&f->dir, "wg0.json", "{}");
	tempdir_write(&f->dir, ".snapshots/anything", "{}");
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	assert_int_equal(f->res.fixed, 4);
	expect(f, ".", f->user.uid, 0700);
	expect(f, "wg0.json", f->user.uid, 0600);
	expect(f, NAMES_SNAPSHOTS, f->user.uid, 0700);
	expect(f, ".snapshots/anything", f->user.uid, 0600);
}

static void the_second_run_touches_nothing(void **state)
{
	struct fixture *f = *state;
	struct stat before;
	struct stat after;

	tempdir_write(&f->dir, "wg0.json", "{}");
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	before = look(f, "wg0.json");
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	after = look(f, "wg0.json");
	assert_int_equal(f->res.fixed, 0);
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim));
}

static void a_dry_run_counts_and_changes_nothing(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->dir, "wg0.json", "{}");
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, true, &f->res), 0);
	assert_true(f->res.fixed >= 1);
	expect(f, "wg0.json", geteuid(), 0644);
}

static void files_of_others_are_left_alone(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->dir, "notes.txt", "mine");
	assert_int_equal(mkdirat(f->dir.fd, "lost+found", 0755), 0);
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	expect(f, "notes.txt", geteuid(), 0644);
	expect(f, "lost+found", geteuid(), 0755);
	assert_int_equal(f->res.left, 0);
}

static void links_are_never_followed(void **state)
{
	struct fixture *f = *state;
	struct tempdir victim = { .fd = -1 };
	char target[96];
	struct stat st;

	tempdir_make(&victim);
	tempdir_write(&victim, "file", "precious");
	(void)snprintf(target, sizeof(target), "%s/file", victim.path);
	assert_int_equal(symlinkat(target, f->dir.fd, "wg0.json"), 0);
	assert_int_equal(symlinkat(victim.path, f->dir.fd, NAMES_SNAPSHOTS), 0);
	assert_int_equal(linkat(victim.fd, "file", f->dir.fd, "wg1.json", 0), 0);
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	assert_int_equal(f->res.left, 3);
	assert_int_equal(fstatat(victim.fd, "file", &st, 0), 0);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_mode & MODES, 0644);
	assert_int_equal(fstat(victim.fd, &st), 0);
	assert_int_equal(st.st_uid, geteuid());
	tempdir_remove(&victim);
}

static void a_name_that_a_killed_run_left_beside_its_file_is_removed(void **state)
{
	struct fixture *f = *state;

	tempdir_write(&f->dir, "wg0.json", "{}");
	assert_int_equal(linkat(f->dir.fd, "wg0.json", f->dir.fd, ".wg0.json.new", 0), 0);
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	assert_int_equal(f->res.left, 0);
	assert_false(tempdir_has(&f->dir, ".wg0.json.new"));
	expect(f, "wg0.json", f->user.uid, 0600);
	/* A third name is somebody else's. */
	assert_int_equal(linkat(f->dir.fd, "wg0.json", f->dir.fd, ".wg0.json.new", 0), 0);
	assert_int_equal(linkat(f->dir.fd, "wg0.json", f->dir.fd, "third", 0), 0);
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	assert_int_equal(f->res.left, 2);
	assert_true(tempdir_has(&f->dir, ".wg0.json.new"));
}

/* As before Linux 6.6. */
static int repair_without_fchmodat2(const struct fixture *f)
{
	struct ownership_result res;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 452, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return 1;
	if (ownership_repair(f->dir.fd, &f->user, false, &res) < 0)
		return 2;
	return res.fixed >= 1 && res.failed == 0 ? 0 : 3;
}

static void modes_are_changed_on_older_kernels_too(void **state)
{
	struct fixture *f = *state;
	int status = 0;
	pid_t pid;

	tempdir_write(&f->dir, "wg0.json", "{}");
	pid = fork();
	if (pid == 0)
		_exit(repair_without_fchmodat2(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect(f, "wg0.json", f->user.uid, 0600);
}

static void fifos_and_directories_with_our_names_are_left_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifoat(f->dir.fd, "wg0.json", 0644), 0);
	assert_int_equal(mkdirat(f->dir.fd, "wg1.json", 0755), 0);
	assert_int_equal(ownership_repair(f->dir.fd, &f->user, false, &f->res), 0);
	assert_int_equal(f->res.left, 2);
	expect(f, "wg0.json", geteuid(), 0644);
	expect(f, "wg1.json", geteuid(), 0755);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(decides_by_owner_mode_and_group),
		TEST(the_first_class_that_fits_decides_about_access),
		TEST(puts_directory_files_and_snapshots_right),
		TEST(the_second_run_touches_nothing),
		TEST(a_dry_run_counts_and_changes_nothing),
		TEST(files_of_others_are_left_alone),
		TEST(links_are_never_followed),
		TEST(a_strict_repair_believes_no_group_bits),
		TEST(a_name_that_a_killed_run_left_beside_its_file_is_removed),
		TEST(modes_are_changed_on_older_kernels_too),
		TEST(fifos_and_directories_with_our_names_are_left_alone),
	};

	(void)umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
