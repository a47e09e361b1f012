/* SPDX-License-Identifier: MIT */
#include "daemon/crypto.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/inchild.h"
#include "daemon/doctor/probe.h"
#include "daemon/net/nlsock.h"
#include "daemon/net/rtnl.h"
#include "daemon/wg/genl.h"
#include "daemon/wg/spawn.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SOCKET_DIR "/var/run/wireguard"

/*
 * A namespace of our own, which goes with this process. Where only a user namespace allows that, it
 * does as well: the kernel makes WireGuard interfaces in it too.
 */
static bool enter_netns(void)
{
	return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static int try_link(void)
{
	char ifname[IFNAMSIZ];
	uint32_t random = 0;
	struct rtnl *rtnl;
	int r = rtnl_open(&rtnl, NULL);

	if (r < 0)
		return r;
	crypto_random(&random, sizeof(random));
	(void)snprintf(ifname, sizeof(ifname), "wgd%08x", random);
	r = rtnl_link_create(rtnl, ifname, "wireguard", NULL);
	if (r == 0)
		(void)rtnl_link_delete(rtnl, ifname, NULL);
	rtnl_close(rtnl);
	return r;
}

static int take_family(const struct nlmsghdr *nlh, void *arg)
{
	return nlh ? genl_parse_family(arg, nlh) : 0;
}

/* Where the userspace implementation listens; `wgmesh join` makes the directory if it may. */
static int check_socket_dir(void)
{
	if (access(SOCKET_DIR, F_OK) == 0)
		return access(SOCKET_DIR, W_OK | X_OK) < 0 ? -errno : 0;
	return access("/var/run", W_OK | X_OK) < 0 ? -errno : 0;
}

/* The kernel loads the module for whoever asks, as it does when an interface is made. */
static int ask_family(void)
{
	struct nlmsg_verdict v = { 0 };
	uint16_t family = 0;
	struct nlsock *sock;
	union genl_req req;
	int r = nlsock_open(&sock, NETLINK_GENERIC, NULL);

	if (r < 0)
		return r;
	genl_get_family(&req);
	r = nlsock_talk(sock, &req.nlh, take_family, &family, &v);
	nlsock_close(sock);
	return r == 0 && family == 0 ? -ENOENT : r;
}

void probe_wireguard(void *out, const void *arg)
{
	const struct facts *known = arg;
	struct wireguard_facts *f = out;
	const char *search = getenv("PATH");

	f->family = ask_family();
	f->program = spawn_find(f->path, sizeof(f->path), known->wanted.wireguard_go,
				search ? search : SPAWN_PATH);
	f->socket_dir = check_socket_dir();
	f->has_netns = enter_netns();
	inchild_die_with_parent();
	f->link = f->has_netns ? try_link() : 0;
}
