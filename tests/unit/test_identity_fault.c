/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/exits.h"
#include "common/log.h"
#include "common/statefile.h"
#include "daemon/state/identity.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Faults in the middle of a start. The sweeps of tests/fault inject every one of them; these are
 * those that once made a node take, or make, another key.
 */

#define NOBODY 65534

#define GOOD                                                                        \
	"{\n  \"wg_pubkey\": \"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\",\n"   \
	"  \"wg_private_key\": \"4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw=\",\n" \
	"  \"mesh_ip\": \"10.77.3.4\"\n}"
#define OTHER                                                                     \
	"{\n  \"wg_pubkey\": \"o4udK4FiJwuKI2lrOwgd4OHJVl1h5If0CwlKiJJ16QE=\",\n" \
	"  \"wg_private_key\": \"ONniKxrphR8sIfb3Etz0wWEH+hvOW24PDb5sbQ96NUA=\"\n}"
#define MARKER                                                               \
	"version=1\nvolume=0123456789abcdef0123456789abcdef\n"               \
	"created=2026-01-01T00:00:00Z\n"                                     \
	"served=wg0 cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\nboots=1\n" \
	"boot=2026-01-01T00:00:00Z - - - -\n"

#define SNAPSHOT(number) ".snapshots/wg0.json.0000000000000000000" number

static void put(const struct tempdir *d, const char *name, const char *text, mode_t mode)
{
	tempdir_write(d, name, text);
	assert_int_equal(fchmodat(d->fd, name, mode, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(d->fd, name, NOBODY, NOBODY, 0), 0);
}

static void put_directory(const struct tempdir *d, const char *name)
{
	if (*name != '.' || name[1] != '\0')
		assert_int_equal(mkdirat(d->fd, name, 0700), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(d->fd, name, NOBODY, NOBODY, 0), 0);
}

/* Lets fstatat(2) without AT_EMPTY_PATH fail: nobody can tell any more whether a name is there. */
static bool blind(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AT_SYMLINK_NOFOLLOW, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* Lets one system call fail. */
static bool fail_call(unsigned int number, unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static bool break_disk(void)
{
	return fail_call(SYS_fsync, EIO);
}

/* As on NFS: nothing can be renamed without replacing. */
static bool rename_plainly(void)
{
	return fail_call(SYS_renameat2, EINVAL);
}

static bool become_nobody(void)
{
	return geteuid() != 0 || (setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static const struct tempdir *taken_dir;

/* Somebody else makes a key file between our look and our rename. */
static bool be_late(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)taken_dir->fd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EEXIST),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* What a start in a process of its own comes to: an exit code, 1 for "make a new key". */
static int start(const struct tempdir *d, bool (*hinder)(void))
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct identity_place at = { d->fd, "state", "wg0" };
		enum identity_origin origin;
		struct err e = { 0 };
		struct identity id;
		int r;

		if (!hinder())
			_exit(99);
		r = identity_load(&id, &origin, &at, true, &e);
		if (r == -ENOENT)
			_exit(EXITS_FAILURE);
		_exit(r == 0 ? EXITS_OK : e.exit_code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_key_that_came_too_late_leaves_no_snapshot_to_be_restored_from(void **state)
{
	const struct tempdir *d = *state;
	int status = -1;
	pid_t pid;

	taken_dir = d;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct identity_place at = { d->fd, "state", "wg0" };
		struct identity id;
		struct err e;

		identity_generate(&id);
		_exit(be_late() && identity_create(&id, &at, &e) == -EEXIST ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(faccessat(d->fd, ".snapshots", F_OK, 0), 0);
	assert_int_equal(faccessat(d->fd, SNAPSHOT("1"), F_OK, 0), -1);
}

/* Whoever was killed may have written it and not synced it. */
static void a_temporary_becomes_the_key_only_once_it_is_on_disk(void **state)
{
	const struct tempdir *d = *state;

	put(d, ".wg0.json.new", GOOD, 0600);
	(void)start(d, break_disk);
	assert_false(tempdir_has(d, "wg0.json"));
	assert_true(tempdir_has(d, ".wg0.json.new"));
}

static void what_is_kept_aside_replaces_nothing_that_was_kept_before(void **state)
{
	const struct tempdir *d = *state;

	put_directory(d, ".snapshots");
	put(d, SNAPSHOT("1"), GOOD, 0600);
	put(d, ".snapshots/wg0.json.damaged-1", "first", 0600);
	put(d, "wg0.json", "second", 0600);
	assert_int_equal(start(d, rename_plainly), EXITS_OK);
	assert_string_equal(tempdir_read(d, ".snapshots/wg0.json.damaged-1"), "first");
	assert_string_equal(tempdir_read(d, ".snapshots/wg0.json.damaged-2"), "second");
}

static void a_new_file_replaces_none_also_where_a_plain_rename_would(void **state)
{
	const struct tempdir *d = *state;
	int status = -1;
	pid_t pid;

	tempdir_write(d, "there", "old");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(rename_plainly() &&
				      statefile_create(d->fd, "there", "new", 3, NULL) == -EEXIST &&
				      statefile_create(d->fd, "elsewhere", "new", 3, NULL) == 0
			      ? 0
			      : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(tempdir_read(d, "there"), "old");
	assert_string_equal(tempdir_read(d, "elsewhere"), "new");
	assert_false(tempdir_has(d, ".there.new"));
	assert_false(tempdir_has(d, ".elsewhere.new"));
}

static void a_repair_that_fails_is_no_first_start(void **state)
{
	const struct tempdir *d = *state;

	put_directory(d, ".snapshots");
	put(d, SNAPSHOT("1"), GOOD, 0600);
	assert_int_equal(start(d, blind), EXITS_IO);
	assert_false(tempdir_has(d, "wg0.json"));
}

static void an_older_key_does_not_take_the_place_of_one_that_cannot_be_read(void **state)
{
	const struct tempdir *d = *state;

	put_directory(d, ".");
	put_directory(d, ".snapshots");
	put(d, SNAPSHOT("1"), OTHER, 0600);
	put(d, SNAPSHOT("2"), GOOD, 0);
	assert_int_equal(start(d, become_nobody), EXITS_IO);
	assert_false(tempdir_has(d, "wg0.json"));
	assert_int_equal(fchmodat(d->fd, SNAPSHOT("2"), 0600, 0), 0);
	assert_int_equal(start(d, become_nobody), EXITS_OK);
	assert_string_equal(tempdir_read(d, "wg0.json"), GOOD);
}

static void a_marker_that_cannot_be_read_may_tell_of_a_key(void **state)
{
	const struct tempdir *d = *state;

	put_directory(d, ".");
	put(d, ".wgmesh.volume", MARKER, 0);
	assert_int_equal(start(d, become_nobody), EXITS_NO_PERMISSION);
	assert_int_equal(fchmodat(d->fd, ".wgmesh.volume", 0600, 0), 0);
	assert_int_equal(start(d, become_nobody), EXITS_STATE_DAMAGED);
	assert_int_equal(unlinkat(d->fd, ".wgmesh.volume", 0), 0);
	assert_int_equal(start(d, become_nobody), EXITS_FAILURE);
}

static void a_damaged_marker_may_tell_of_a_key_wherever_it_was_moved(void **state)
{
	const struct tempdir *d = *state;

	put_directory(d, ".");
	put(d, ".wgmesh.volume.damaged", "version=1\nvol", 0600);
	assert_int_equal(start(d, become_nobody), EXITS_STATE_DAMAGED);
}

#define T(test) cmocka_unit_test_setup_teardown(test, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_key_that_came_too_late_leaves_no_snapshot_to_be_restored_from),
		T(a_temporary_becomes_the_key_only_once_it_is_on_disk),
		T(what_is_kept_aside_replaces_nothing_that_was_kept_before),
		T(a_new_file_replaces_none_also_where_a_plain_rename_would),
		T(a_repair_that_fails_is_no_first_start),
		T(an_older_key_does_not_take_the_place_of_one_that_cannot_be_read),
		T(a_marker_that_cannot_be_read_may_tell_of_a_key),
		T(a_damaged_marker_may_tell_of_a_key_wherever_it_was_moved),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
