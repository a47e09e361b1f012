/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"

#include <net/if.h>
#include <stdio.h>

#define PLUG "plug the container into a network (not --network none)"

static void a_name_that_is_free_or_ours_is_no_conflict(void **state)
{
	(void)state;
	doctor_only(judge_conflicts, REPORT_PASS, "wg0 is a free name", "");
	facts.links.exists = true;
	facts.links.is_ours = true;
	facts.keys.subnet.ip.family = AF_INET;
	doctor_only(judge_conflicts, REPORT_PASS,
		    "wg0 is ours, and no address or route of this host is in the mesh's subnet",
		    "");
}

static void a_foreign_interface_is_refused_with_two_ways_out(void **state)
{
	(void)state;
	facts.links.exists = true;
	(void)snprintf(facts.links.kind, sizeof(facts.links.kind), "wireguard");
	doctor_fails(judge_conflicts, EXITS_POLICY,
		     "interface wg0 exists and was not made by wgmesh (wireguard)",
		     "remove it (ip link delete wg0), or choose another name with --interface "
		     "(WGMESH_INTERFACE)");
}

static void what_lies_inside_the_subnet_is_named(void **state)
{
	(void)state;
	facts.links.n_overlap = 1;
	(void)snprintf(facts.links.overlap[0], sizeof(facts.links.overlap[0]),
		       "route 10.7.1.0/24 of eth0");
	doctor_only(
		judge_conflicts, REPORT_WARN,
		"route 10.7.1.0/24 of eth0 lies inside the mesh's subnet: peers with such addresses "
		"cannot be reached",
		"renumber that network, or give all nodes another subnet with --mesh-subnet "
		"(WGMESH_MESH_SUBNET)");
}

static void a_kernel_that_does_not_tell_is_reported(void **state)
{
	(void)state;
	facts.links.code = -EPERM;
	doctor_only(judge_conflicts, REPORT_WARN,
		    "the kernel does not tell of interfaces: Operation not permitted",
		    "allow netlink sockets (seccomp profile of the container)");
}

static void multicast_that_comes_back_passes(void **state)
{
	(void)state;
	facts.multicast =
		(struct multicast_facts) { .n_links = 1, .link = "eth0", .came_back = true };
	doctor_only(judge_multicast, REPORT_PASS, "works inside this host, on eth0", "");
	facts.multicast.n_links = 2;
	doctor_only(judge_multicast, REPORT_PASS,
		    "works inside this host, on eth0 and possibly others", "");
}

static void each_trouble_with_multicast_has_its_cure(void **state)
{
	(void)state;
	doctor_only(judge_multicast, REPORT_WARN,
		    "no interface but the loopback is up and carries multicast, so nobody can be "
		    "discovered on the LAN",
		    PLUG);
	facts.multicast = (struct multicast_facts) { .n_links = 1, .link = "eth0" };
	doctor_only(
		judge_multicast, REPORT_WARN,
		"a datagram to the mesh's group by eth0 did not come back to us",
		"let UDP port 51830 in from 239.192.0.0/16 and the LAN: a firewall of this host "
		"drops multicast");
	facts.multicast.send = -EPERM;
	doctor_only(
		judge_multicast, REPORT_WARN,
		"nothing can be sent to the mesh's group by eth0: Operation not permitted (this "
		"host's own firewall)",
		"let UDP port 51830 out to 239.192.0.0/16");
	facts.multicast.send = -ENETUNREACH;
	doctor_only(judge_multicast, REPORT_WARN,
		    "nothing can be sent to the mesh's group by eth0: Network is unreachable",
		    "give the interface an IPv4 address and a route");
	facts.multicast.join = -ENOBUFS;
	doctor_only(judge_multicast, REPORT_WARN,
		    "the mesh's group cannot be joined on eth0: No buffer space available",
		    "raise net.ipv4.igmp_max_memberships, or find peers by other means");
	facts.wanted.no_lan = true;
	doctor_only(judge_multicast, REPORT_SKIP, "LAN discovery is turned off", "");
}

static void the_mtu_is_the_one_that_join_would_set(void **state)
{
	(void)state;
	doctor_only(judge_mtu, REPORT_PASS, "tunnel 1420, network 1500", "");
	facts.links.underlay = 9000;
	doctor_only(judge_mtu, REPORT_PASS, "tunnel 8920, network 9000", "");
	facts.wanted.mtu = 1280;
	doctor_only(judge_mtu, REPORT_PASS, "tunnel 1280, network 9000", "");
	facts.links.is_ours = true;
	facts.links.mtu = 1300;
	doctor_only(judge_mtu, REPORT_PASS, "tunnel 1300, network 9000", "");
}

static void an_mtu_that_does_not_fit_the_network_is_told(void **state)
{
	(void)state;
	facts.wanted.mtu = 1450;
	doctor_only(
		judge_mtu, REPORT_WARN,
		"the tunnel's MTU is 1450, which with WireGuard's overhead exceeds the 1500 of the "
		"network",
		"start every node with --mtu 1420 (WGMESH_MTU), or leave it out");
	facts.links.underlay = 0;
	facts.wanted.mtu = 0;
	doctor_only(judge_mtu, REPORT_WARN, "no interface but the loopback is up", PLUG);
}

static void the_way_to_a_peer_is_measured_with_the_overhead_of_its_family(void **state)
{
	struct path_facts *p = &facts.links.paths[0];

	(void)state;
	facts.links.n_paths = 1;
	assert_int_equal(endpoint_parse(&p->to, "192.0.2.1:51820"), 0);
	p->mtu = 1480;
	doctor_only(
		judge_mtu, REPORT_PASS,
		"tunnel 1420, network 1500, and the way to peers carries that as far as is known",
		"");
	assert_int_equal(endpoint_parse(&p->to, "[2001:db8::1]:51820"), 0);
	doctor_only(
		judge_mtu, REPORT_WARN,
		"the way to [2001:db8::1]:51820 carries 1480 bytes, but a full packet of the tunnel "
		"takes 1500 there: large transfers will stall",
		"start every node with --mtu 1400 (WGMESH_MTU)");
	p->code = -ENETUNREACH;
	doctor_only(judge_mtu, REPORT_WARN,
		    "there is no way to [2001:db8::1]:51820: Network is unreachable",
		    "give this host a route there (default route, IPv6)");
}

static void forwarding_matters_to_those_who_advertise_networks(void **state)
{
	(void)state;
	facts.forward = (struct forward_facts) { .v6 = -1, .rp_filter = 1 };
	doctor_only(judge_forward, REPORT_SKIP,
		    "not needed without --advertise-routes (IPv4 off, IPv6 unknown)", "");
	facts.wanted.advertises = true;
	doctor_judge(judge_forward);
	doctor_line(
		0, REPORT_WARN,
		"this node advertises networks, but forwards nothing to them over IPv4",
		"start it with --forward (WGMESH_FORWARD=1), or sysctl -w net.ipv4.ip_forward=1; in a "
		"container: docker run --sysctl, compose: sysctls:");
	doctor_line(1, REPORT_WARN,
		    "the reverse path filter is strict: packets from the networks of peers may be "
		    "dropped",
		    "sysctl -w net.ipv4.conf.all.rp_filter=2");
	facts.forward = (struct forward_facts) { .rp_filter = 2 };
	doctor_only(
		judge_forward, REPORT_WARN,
		"this node advertises networks, but forwards nothing to them over IPv4 and IPv6",
		"start it with --forward (WGMESH_FORWARD=1), or sysctl -w net.ipv4.ip_forward=1; sysctl "
		"-w net.ipv6.conf.all.forwarding=1; in a container: docker run --sysctl, compose: sysctls:");
	facts.forward = (struct forward_facts) { .v4 = 1, .rp_filter = 2 };
	doctor_only(
		judge_forward, REPORT_WARN,
		"this node advertises networks, but forwards nothing to them over IPv6",
		"start it with --forward (WGMESH_FORWARD=1), or sysctl -w net.ipv6.conf.all.forwarding=1; "
		"in a container: docker run --sysctl, compose: sysctls:");
	facts.forward = (struct forward_facts) { .v4 = 1, .v6 = 1 };
	doctor_only(judge_forward, REPORT_PASS, "IPv4 on, IPv6 on", "");
	facts.wanted.forwards = true;
	facts.forward = (struct forward_facts) { .v4 = 0, .v6 = 1 };
	doctor_only(judge_forward, REPORT_PASS,
		    "the node switches it on while it runs (IPv4 off, IPv6 on)", "");
}

static void what_could_not_be_looked_at_is_no_pass(void **state)
{
	(void)state;
	facts.links.probe = -ETIMEDOUT;
	doctor_only(judge_mtu, REPORT_WARN, "this could not be looked at in time",
		    "run the doctor once more when the machine is less busy");
	facts.links.probe = -EAGAIN;
	doctor_only(judge_mtu, REPORT_WARN,
		    "this could not be looked at: Resource temporarily unavailable",
		    "look for a limit of memory or processes (docker run --pids-limit)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_name_that_is_free_or_ours_is_no_conflict, doctor_setup),
		cmocka_unit_test_setup(a_foreign_interface_is_refused_with_two_ways_out,
				       doctor_setup),
		cmocka_unit_test_setup(what_lies_inside_the_subnet_is_named, doctor_setup),
		cmocka_unit_test_setup(a_kernel_that_does_not_tell_is_reported, doctor_setup),
		cmocka_unit_test_setup(multicast_that_comes_back_passes, doctor_setup),
		cmocka_unit_test_setup(each_trouble_with_multicast_has_its_cure, doctor_setup),
		cmocka_unit_test_setup(the_mtu_is_the_one_that_join_would_set, doctor_setup),
		cmocka_unit_test_setup(an_mtu_that_does_not_fit_the_network_is_told, doctor_setup),
		cmocka_unit_test_setup(
			the_way_to_a_peer_is_measured_with_the_overhead_of_its_family,
			doctor_setup),
		cmocka_unit_test_setup(forwarding_matters_to_those_who_advertise_networks,
				       doctor_setup),
		cmocka_unit_test_setup(what_could_not_be_looked_at_is_no_pass, doctor_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
