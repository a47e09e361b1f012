/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/doctor/judge.h"

#include <errno.h>
#include <string.h>

#define CONFLICTS "conflicts"
#define MULTICAST "multicast"
#define MTU	  "mtu"
#define FORWARD	  "forwarding"

/* The rules of netadmin's setup: WireGuard's overhead over IPv6, and a default. */
#define OVERHEAD6     80
#define OVERHEAD4     60
#define MTU_DEFAULT   1420
#define MTU_MIN_IPV6  1280
#define STRICT_FILTER 1

void judge_conflicts(struct report *r, const struct facts *f)
{
	const struct link_facts *l = &f->links;

	if (!judge_probe(r, CONFLICTS, l->probe))
		return;
	if (l->code < 0) {
		report_say(r, REPORT_WARN, CONFLICTS, "the kernel does not tell of interfaces: %s",
			   strerror(-l->code));
		report_cure(r, "allow netlink sockets (seccomp profile of the container)");
		return;
	}
	if (l->exists && !l->is_ours && !facts_is_running(f)) {
		report_fail(r, EXITS_POLICY, CONFLICTS,
			    "interface %s exists and was not made by wgmesh (%s)", f->wanted.ifname,
			    l->kind[0] ? l->kind : "hardware");
		report_cure(r,
			    "remove it (ip link delete %s), or choose another name with "
			    "--interface (WGMESH_INTERFACE)",
			    f->wanted.ifname);
	}
	for (size_t i = 0; i < l->n_overlap; i++) {
		report_say(r, REPORT_WARN, CONFLICTS,
			   "%s lies inside the mesh's subnet: peers with such addresses cannot be "
			   "reached",
			   l->overlap[i]);
		report_cure(r, "renumber that network, or give all nodes another subnet with "
			       "--mesh-subnet (WGMESH_MESH_SUBNET)");
	}
	if (l->n_overlap == 0 && (!l->exists || l->is_ours || facts_is_running(f)))
		report_say(
			r, REPORT_PASS, CONFLICTS, "%s %s%s", f->wanted.ifname,
			l->exists ? "is ours" : "is a free name",
			f->keys.subnet.ip.family != 0 || f->wanted.has_custom_subnet
				? ", and no address or route of this host is in the mesh's subnet"
				: "");
}

void judge_multicast(struct report *r, const struct facts *f)
{
	const struct multicast_facts *m = &f->multicast;

	if (f->wanted.no_lan) {
		report_say(r, REPORT_SKIP, MULTICAST, "LAN discovery is turned off");
		return;
	}
	if (!judge_probe(r, MULTICAST, m->probe))
		return;
	if (m->n_links == 0) {
		report_say(
			r, REPORT_WARN, MULTICAST,
			"no interface but the loopback is up and carries multicast, so nobody can be "
			"discovered on the LAN");
		report_cure(r, "plug the container into a network (not --network none)");
	} else if (m->join < 0) {
		report_say(r, REPORT_WARN, MULTICAST, "the mesh's group cannot be joined on %s: %s",
			   m->link, strerror(-m->join));
		report_cure(r, "raise net.ipv4.igmp_max_memberships, or find peers by other means");
	} else if (m->send < 0) {
		report_say(r, REPORT_WARN, MULTICAST,
			   "nothing can be sent to the mesh's group by %s: "
			   "%s%s",
			   m->link, strerror(-m->send),
			   m->send == -EPERM ? " (this host's own firewall)" : "");
		report_cure(r, m->send == -EPERM
				       ? "let UDP port 51830 out to 239.192.0.0/16"
				       : "give the interface an IPv4 address and a route");
	} else if (!m->came_back) {
		report_say(r, REPORT_WARN, MULTICAST,
			   "a datagram to the mesh's group by %s did not come back to us", m->link);
		report_cure(r,
			    "let UDP port 51830 in from 239.192.0.0/16 and the LAN: a firewall of "
			    "this host drops multicast");
	} else {
		report_say(r, REPORT_PASS, MULTICAST, "works inside this host, on %s%s", m->link,
			   m->n_links > 1 ? " and possibly others" : "");
	}
}

/* What netadmin would set, or has set. */
static uint32_t tunnel_mtu(const struct facts *f)
{
	if (f->links.is_ours && f->links.mtu > 0)
		return f->links.mtu;
	if (f->wanted.mtu > 0)
		return f->wanted.mtu;
	if (f->links.underlay >= MTU_MIN_IPV6 + OVERHEAD6)
		return f->links.underlay - OVERHEAD6;
	return MTU_DEFAULT;
}

static bool judge_path(struct report *r, const struct path_facts *p, uint32_t mtu)
{
	uint32_t overhead = p->to.ip.family == AF_INET6 ? OVERHEAD6 : OVERHEAD4;
	char to[ENDPOINT_TEXT_SIZE];

	endpoint_format(to, &p->to);
	if (p->code < 0) {
		report_say(r, REPORT_WARN, MTU, "there is no way to %s: %s", to,
			   strerror(-p->code));
		report_cure(r, "give this host a route there (default route, IPv6)");
		return false;
	}
	if ((uint32_t)p->mtu >= mtu + overhead)
		return true;
	report_say(
		r, REPORT_WARN, MTU,
		"the way to %s carries %d bytes, but a full packet of the tunnel takes %u there: "
		"large transfers will stall",
		to, p->mtu, mtu + overhead);
	report_cure(r, "start every node with --mtu %u (WGMESH_MTU)",
		    (uint32_t)p->mtu > overhead ? (uint32_t)p->mtu - overhead : MTU_MIN_IPV6);
	return false;
}

void judge_mtu(struct report *r, const struct facts *f)
{
	const struct link_facts *l = &f->links;
	uint32_t mtu = tunnel_mtu(f);
	bool is_good = true;

	if (!judge_probe(r, MTU, l->probe))
		return;
	for (size_t i = 0; i < l->n_paths; i++)
		is_good &= judge_path(r, &l->paths[i], mtu);
	if (l->underlay > 0 && mtu + OVERHEAD4 > l->underlay && l->n_paths == 0) {
		is_good = false;
		report_say(
			r, REPORT_WARN, MTU,
			"the tunnel's MTU is %u, which with WireGuard's overhead exceeds the %u of "
			"the network",
			mtu, l->underlay);
		report_cure(r, "start every node with --mtu %u (WGMESH_MTU), or leave it out",
			    l->underlay - OVERHEAD6);
	}
	if (l->underlay == 0 && is_good) {
		report_say(r, REPORT_WARN, MTU, "no interface but the loopback is up");
		report_cure(r, "plug the container into a network (not --network none)");
	} else if (is_good) {
		report_say(r, REPORT_PASS, MTU, "tunnel %u, network %u%s", mtu, l->underlay,
			   l->n_paths > 0 ? ", and the way to peers carries that as far as is known"
					  : "");
	}
}

static const char *on_off(int value)
{
	return value < 0 ? "unknown" : (value > 0 ? "on" : "off");
}

void judge_forward(struct report *r, const struct facts *f)
{
	const struct forward_facts *w = &f->forward;

	if (!judge_probe(r, FORWARD, w->probe))
		return;
	if (!f->wanted.advertises) {
		report_say(r, REPORT_SKIP, FORWARD,
			   "not needed without --advertise-routes (IPv4 %s, IPv6 %s)",
			   on_off(w->v4), on_off(w->v6));
		return;
	}
	if (!f->wanted.forwards && (w->v4 == 0 || w->v6 == 0)) {
		report_say(r, REPORT_WARN, FORWARD,
			   "this node advertises networks, but forwards nothing to them over %s",
			   w->v4 == 0 ? (w->v6 == 0 ? "IPv4 and IPv6" : "IPv4") : "IPv6");
		report_cure(
			r,
			"start it with --forward (WGMESH_FORWARD=1), or %s%s%s; in a container: "
			"docker run --sysctl, compose: sysctls:",
			w->v4 == 0 ? "sysctl -w net.ipv4.ip_forward=1" : "",
			w->v4 == 0 && w->v6 == 0 ? "; " : "",
			w->v6 == 0 ? "sysctl -w net.ipv6.conf.all.forwarding=1" : "");
	}
	if (w->rp_filter == STRICT_FILTER) {
		report_say(
			r, REPORT_WARN, FORWARD,
			"the reverse path filter is strict: packets from the networks of peers may "
			"be dropped");
		report_cure(r, "sysctl -w net.ipv4.conf.all.rp_filter=2");
	}
	if (w->rp_filter == STRICT_FILTER)
		return;
	if (f->wanted.forwards)
		report_say(r, REPORT_PASS, FORWARD,
			   "the node switches it on while it runs (IPv4 %s, IPv6 %s)",
			   on_off(w->v4), on_off(w->v6));
	else if (w->v4 != 0 && w->v6 != 0)
		report_say(r, REPORT_PASS, FORWARD, "IPv4 %s, IPv6 %s", on_off(w->v4),
			   on_off(w->v6));
}
