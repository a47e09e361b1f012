/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "init/supervise/oom.h"

#define MIB (1024UL * 1024)

static const char docker_v1[] = "13:rdma:/\n"
				"12:cpu,cpuacct:/docker/0c5f\n"
				"11:memory:/docker/0c5f\n"
				"1:name=systemd:/docker/0c5f\n"
				"0::/system.slice/containerd.service\n";
static const char kubernetes_v1[] =
	"5:hugetlb,memory:/kubepods/burstable/pod1a/0c5f\n4:cpuset:/kubepods\n";
static const char v2[] = "0::/kubepods.slice/kubepods-pod1a.slice/cri-containerd-0c5f.scope\n";

static void finds_the_memory_cgroup_of_either_version(void **state)
{
	char path[128];

	(void)state;
	assert_true(oom_parse_cgroup(docker_v1, 1, path, sizeof(path)));
	assert_string_equal(path, "/docker/0c5f");
	assert_true(oom_parse_cgroup(docker_v1, 2, path, sizeof(path)));
	assert_string_equal(path, "/system.slice/containerd.service");
	assert_true(oom_parse_cgroup(kubernetes_v1, 1, path, sizeof(path)));
	assert_string_equal(path, "/kubepods/burstable/pod1a/0c5f");
	assert_false(oom_parse_cgroup(kubernetes_v1, 2, path, sizeof(path)));
	assert_true(oom_parse_cgroup(v2, 2, path, sizeof(path)));
	assert_string_equal(path, "/kubepods.slice/kubepods-pod1a.slice/cri-containerd-0c5f.scope");
	assert_false(oom_parse_cgroup(v2, 1, path, sizeof(path)));
	assert_true(oom_parse_cgroup("0::/a:b", 2, path, sizeof(path)));
	assert_string_equal(path, "/a:b");
}

static void paths_that_lead_elsewhere_and_damaged_lines_are_passed_over(void **state)
{
	static const char *const wrong[] = { "",
					     "\n\n",
					     "0::",
					     "0::\n",
					     "0::relative",
					     "0::/..",
					     "0::/../../etc",
					     "0::/a/../b",
					     "0:",
					     "0",
					     "4:memory:/x",
					     "::",
					     "0::/longer than the buffer that is given" };
	char path[24];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (oom_parse_cgroup(wrong[i], 2, path, sizeof(path)))
			fail_msg("\"%s\" gives %s", wrong[i], path);
	assert_false(oom_parse_cgroup("4:memory_recursiveprot:/x", 1, path, sizeof(path)));
	assert_false(oom_parse_cgroup("4:xmemory,memoryx:/x", 1, path, sizeof(path)));
	assert_true(oom_parse_cgroup("0::/../x\n0::/..y\n", 2, path, sizeof(path)));
	assert_string_equal(path, "/..y");
}

static void reads_the_counters_of_either_version(void **state)
{
	struct oom_counters c;

	(void)state;
	assert_true(oom_parse_counters(
		&c, "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"));
	assert_int_equal(c.kills, 2);
	assert_int_equal(c.hits, 3);
	assert_true(c.has_hits);
	assert_true(oom_parse_counters(&c, "oom_kill_disable 0\nunder_oom 1\noom_kill 7\n"));
	assert_int_equal(c.kills, 7);
	assert_false(c.has_hits);
	assert_true(oom_parse_counters(&c, "oom_kill 18446744073709551615"));
	assert_true(c.kills == UINT64_MAX);
}

static void a_file_without_the_counter_tells_nothing(void **state)
{
	struct oom_counters c;

	(void)state;
	assert_false(oom_parse_counters(&c, ""));
	assert_false(oom_parse_counters(&c, "oom_kill_disable 0\nunder_oom 0\n"));
	assert_false(oom_parse_counters(&c, "oom_kill\n"));
	assert_false(oom_parse_counters(&c, "oom_kill -1\n"));
	assert_false(oom_parse_counters(&c, "oom_kill 99999999999999999999999999\n"));
	assert_false(oom_parse_counters(&c, "xoom_kill 1\n"));
}

static void a_limit_is_a_number_and_not_the_largest(void **state)
{
	(void)state;
	assert_int_equal(oom_parse_limit("67108864\n"), 64 * MIB);
	assert_int_equal(oom_parse_limit("max\n"), 0);
	assert_int_equal(oom_parse_limit("9223372036854771712\n"), 0);
	assert_int_equal(oom_parse_limit(""), 0);
	assert_int_equal(oom_parse_limit("garbage"), 0);
}

/* A tree of files as cgroup file systems show it. */
static void make_directory(const struct tempdir *d, const char *name)
{
	assert_int_equal(mkdirat(d->fd, name, 0755), 0);
}

static void the_path_in_a_mounted_hierarchy_comes_first(void **state)
{
	struct tempdir *d = *state;
	struct oom o;
	bool by_limit;

	make_directory(d, "box");
	tempdir_write(d, "box/memory.events", "oom 1\noom_kill 1\n");
	tempdir_write(d, "box/memory.max", "33554432\n");
	tempdir_write(d, "memory.events", "oom 90\noom_kill 90\n");
	oom_open_below(&o, "0::/box\n", d->path);
	assert_true(oom_is_known(&o));
	assert_int_equal(oom_limit(&o), 32 * MIB);
	assert_int_equal(oom_new_kills(&o, NULL), 0);
	tempdir_write(d, "box/memory.events", "oom 2\noom_kill 3\n");
	assert_int_equal(oom_new_kills(&o, &by_limit), 2);
	assert_true(by_limit);
	assert_int_equal(oom_new_kills(&o, &by_limit), 0);
	assert_false(by_limit);
	oom_close(&o);
	assert_false(oom_is_known(&o));
}

static void a_kill_without_a_hit_of_the_limit_is_somebody_elses_shortage(void **state)
{
	struct tempdir *d = *state;
	struct oom o;
	bool by_limit = true;

	tempdir_write(d, "memory.events", "oom 5\noom_kill 5\n");
	tempdir_write(d, "memory.max", "max\n");
	oom_open_below(&o, "0::/\n", d->path);
	tempdir_write(d, "memory.events", "oom 5\noom_kill 6\n");
	assert_int_equal(oom_new_kills(&o, &by_limit), 1);
	assert_false(by_limit);
	assert_int_equal(oom_limit(&o), 0);
	oom_close(&o);
}

static void a_path_that_only_the_host_knows_leads_to_the_mounts_root(void **state)
{
	struct tempdir *d = *state;
	struct oom o;
	bool by_limit = false;

	make_directory(d, "memory");
	tempdir_write(d, "memory/memory.oom_control", "oom_kill_disable 0\noom_kill 0\n");
	tempdir_write(d, "memory/memory.limit_in_bytes", "67108864\n");
	oom_open_below(&o, docker_v1, d->path);
	assert_true(oom_is_known(&o));
	tempdir_write(d, "memory/memory.oom_control", "oom_kill_disable 0\noom_kill 1\n");
	assert_int_equal(oom_new_kills(&o, &by_limit), 1);
	assert_true(by_limit);
	assert_int_equal(oom_limit(&o), 64 * MIB);
	oom_close(&o);
}

static void of_a_hybrid_hierarchy_the_one_with_the_controller_counts(void **state)
{
	struct tempdir *d = *state;
	struct oom o;

	make_directory(d, "unified");
	make_directory(d, "memory");
	make_directory(d, "memory/docker");
	make_directory(d, "memory/docker/0c5f");
	tempdir_write(d, "memory/docker/0c5f/memory.oom_control", "oom_kill 4\n");
	oom_open_below(&o, docker_v1, d->path);
	assert_true(oom_is_known(&o));
	tempdir_write(d, "memory/docker/0c5f/memory.oom_control", "oom_kill 5\n");
	assert_int_equal(oom_new_kills(&o, NULL), 1);
	oom_close(&o);
}

static void without_files_nothing_is_known_and_nothing_fails(void **state)
{
	struct tempdir *d = *state;
	struct oom o;

	oom_open_below(&o, docker_v1, d->path);
	assert_false(oom_is_known(&o));
	assert_int_equal(oom_new_kills(&o, NULL), 0);
	assert_int_equal(oom_limit(&o), 0);
	oom_close(&o);
	oom_open_below(&o, "", "/nonexistent");
	assert_false(oom_is_known(&o));
	/* An old kernel's file without the counter, and a planted link. */
	tempdir_write(d, "memory.events", "low 0\n");
	oom_open_below(&o, "0::/\n", d->path);
	assert_false(oom_is_known(&o));
	assert_int_equal(unlinkat(d->fd, "memory.events", 0), 0);
	tempdir_write(d, "target", "oom_kill 1\n");
	assert_int_equal(symlinkat("target", d->fd, "memory.events"), 0);
	oom_open_below(&o, "0::/\n", d->path);
	assert_false(oom_is_known(&o));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_memory_cgroup_of_either_version),
		cmocka_unit_test(paths_that_lead_elsewhere_and_damaged_lines_are_passed_over),
		cmocka_unit_test(reads_the_counters_of_either_version),
		cmocka_unit_test(a_file_without_the_counter_tells_nothing),
		cmocka_unit_test(a_limit_is_a_number_and_not_the_largest),
		TEST(the_path_in_a_mounted_hierarchy_comes_first),
		TEST(a_kill_without_a_hit_of_the_limit_is_somebody_elses_shortage),
		TEST(a_path_that_only_the_host_knows_leads_to_the_mounts_root),
		TEST(of_a_hybrid_hierarchy_the_one_with_the_controller_counts),
		TEST(without_files_nothing_is_known_and_nothing_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
