/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"

#include <stdio.h>
#include <sys/stat.h>

#define LOAD "on the host: modprobe wireguard (and to /etc/modules-load.d, for the next boot)"
#define GIVE                                                                                             \
	"docker run --device /dev/net/tun; compose: devices: [/dev/net/tun]; Kubernetes: a hostPath of " \
	"type CharDevice"

/* A kernel without WireGuard, and a program that stands in. */
static void use_program(void)
{
	facts.wireguard = (struct wireguard_facts) { .has_netns = true,
						     .link = -EOPNOTSUPP,
						     .family = -ENOENT };
	(void)snprintf(facts.wireguard.path, sizeof(facts.wireguard.path), "/bin/wireguard-go");
	facts.tun = (struct tun_facts) { .is_tun = true, .mode = S_IFCHR | 0666 };
}

static void the_kernels_is_taken_where_it_is(void **state)
{
	(void)state;
	facts.wireguard.has_netns = true;
	doctor_only(
		judge_wireguard, REPORT_PASS,
		"the kernel has it, an interface could be made, and `wgmesh join` will use that",
		"");
	facts.wireguard.has_netns = false;
	facts.wireguard.program = -ENOENT;
	doctor_only(judge_wireguard, REPORT_PASS,
		    "the kernel has it, and `wgmesh join` will use that", "");
	doctor_only(judge_tun, REPORT_SKIP, "not needed: the kernel's WireGuard uses no TUN", "");
}

static void an_attempt_counts_for_more_than_a_question(void **state)
{
	(void)state;
	facts.wireguard = (struct wireguard_facts) { .has_netns = true, .link = -EOPNOTSUPP };
	assert_false(judge_uses_kernel(&facts));
	facts.wireguard.link = -EPERM;
	assert_true(judge_uses_kernel(&facts));
	facts.wireguard.family = -ENOENT;
	assert_false(judge_uses_kernel(&facts));
}

static void the_program_that_stands_in_is_named_with_the_cure(void **state)
{
	(void)state;
	use_program();
	doctor_only(
		judge_wireguard, REPORT_WARN,
		"the kernel has no WireGuard; `wgmesh join` will run /bin/wireguard-go, which is "
		"several times slower",
		LOAD);
	doctor_only(judge_tun, REPORT_PASS, "/dev/net/tun can be opened", "");
	facts.wanted.backend = WG_BACKEND_USERSPACE;
	doctor_only(judge_wireguard, REPORT_PASS,
		    "`wgmesh join` will run /bin/wireguard-go, as --backend says", "");
}

static void without_either_both_cures_are_given(void **state)
{
	(void)state;
	use_program();
	facts.wireguard.program = -ENOENT;
	doctor_fails(
		judge_wireguard, EXITS_NO_WIREGUARD,
		"the kernel has no WireGuard, and the program wireguard-go is not there (PATH, "
		"--wireguard-go)",
		LOAD ", or use an image that has it");
	facts.wireguard.program = -EACCES;
	facts.wanted.backend = WG_BACKEND_USERSPACE;
	doctor_fails(judge_wireguard, EXITS_NO_WIREGUARD,
		     "the program wireguard-go may not be executed", "use an image that has it");
}

static void a_back_end_that_was_asked_for_and_is_not_there_fails(void **state)
{
	(void)state;
	use_program();
	facts.wanted.backend = WG_BACKEND_KERNEL;
	doctor_fails(judge_wireguard, EXITS_NO_WIREGUARD,
		     "the kernel has no WireGuard, and --backend=kernel takes no other",
		     LOAD ", or allow the userspace one (--backend auto)");
	doctor_only(judge_tun, REPORT_SKIP, "not needed: --backend=kernel uses no TUN", "");
}

static void the_program_needs_a_place_for_its_socket(void **state)
{
	(void)state;
	use_program();
	facts.wireguard.socket_dir = -EROFS;
	doctor_fails(judge_wireguard, EXITS_CANNOT_CREATE,
		     "/bin/wireguard-go listens in /var/run/wireguard, which cannot be written to "
		     "(Read-only file system)",
		     "give the container a writable /run (docker run --tmpfs /run)");
}

static void what_a_node_uses_is_good_enough(void **state)
{
	(void)state;
	use_program();
	facts.wireguard.program = -ENOENT;
	facts.tun.stat = -ENOENT;
	doctor_run_node();
	doctor_only(judge_wireguard, REPORT_PASS, "the node that runs uses the userspace one", "");
	doctor_only(judge_tun, REPORT_PASS, "the node that runs has what it needs", "");
	(void)snprintf(facts.node.backend, sizeof(facts.node.backend), "kernel");
	doctor_only(judge_wireguard, REPORT_PASS, "the node that runs uses the kernel's", "");
	doctor_only(judge_tun, REPORT_SKIP, "not needed: the kernel's WireGuard uses no TUN", "");
	facts.node = (struct node_facts) { .code = -EPROTO };
	doctor_only(judge_wireguard, REPORT_PASS, "the node that runs has found one", "");
}

static void each_trouble_with_the_device_has_its_cure(void **state)
{
	(void)state;
	use_program();
	facts.tun.open = -EPERM;
	doctor_fails(judge_tun, EXITS_NO_WIREGUARD,
		     "the engine does not let this container use /dev/net/tun (device cgroup)",
		     "request it as a device, not as a volume: " GIVE);
	facts.tun.open = -EACCES;
	facts.tun.mode = S_IFCHR | 0600;
	doctor_fails(
		judge_tun, EXITS_NO_WIREGUARD,
		"/dev/net/tun belongs to 0:0 with mode 0600, and this user may not open it",
		"on the host: chmod 666 /dev/net/tun; or start as root: wgmesh-init gives a device "
		"of the container's own to the daemon");
	facts.tun.open = -ENODEV;
	doctor_fails(judge_tun, EXITS_NO_WIREGUARD, "/dev/net/tun cannot be opened: No such device",
		     "on the host: modprobe tun");
	facts.tun.is_tun = false;
	doctor_fails(judge_tun, EXITS_NO_WIREGUARD,
		     "/dev/net/tun is not the character device 10:200",
		     "remove what is there; " GIVE);
	facts.tun.stat = -ENOENT;
	doctor_fails(judge_tun, EXITS_NO_WIREGUARD,
		     "userspace WireGuard needs /dev/net/tun, which is not there",
		     GIVE "; on the host: modprobe tun");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_kernels_is_taken_where_it_is, doctor_setup),
		cmocka_unit_test_setup(an_attempt_counts_for_more_than_a_question, doctor_setup),
		cmocka_unit_test_setup(the_program_that_stands_in_is_named_with_the_cure,
				       doctor_setup),
		cmocka_unit_test_setup(without_either_both_cures_are_given, doctor_setup),
		cmocka_unit_test_setup(a_back_end_that_was_asked_for_and_is_not_there_fails,
				       doctor_setup),
		cmocka_unit_test_setup(the_program_needs_a_place_for_its_socket, doctor_setup),
		cmocka_unit_test_setup(what_a_node_uses_is_good_enough, doctor_setup),
		cmocka_unit_test_setup(each_trouble_with_the_device_has_its_cure, doctor_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
