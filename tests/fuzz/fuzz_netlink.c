/* SPDX-License-Identifier: MIT */
/* Netlink answers: links, addresses, routes, and the dump of a WireGuard interface. */
#include "daemon/net/nlmsg.h"
#include "daemon/net/rtnl_msg.h"
#include "daemon/wg/genl.h"
#include "tests/fuzz/fuzz.h"

#include <libmnl/libmnl.h>

#define FAMILY 30 /* of generic netlink, as the kernel may have chosen it */

static int on_peer(const struct wg_peer_state *peer, void *arg)
{
	(void)arg;
	FUZZ_CHECK(peer->n_allowed <= WG_ALLOWED_MAX);
	for (size_t i = 0; i < peer->n_allowed; i++)
		FUZZ_CHECK(peer->allowed[i].bits <= 128);
	return 0;
}

static void take(struct genl_dump *d, const struct nlmsghdr *nlh)
{
	struct rtnl_link_msg link;
	struct rtnl_route route;
	struct prefix addr;
	uint16_t family;
	bool is_global;
	int ifindex;
	struct nlmsg_verdict verdict;

	nlmsg_verdict(&verdict, nlh);
	FUZZ_CHECK(verdict.code <= 0 && fuzz_is_text(verdict.text, sizeof(verdict.text)));
	(void)genl_parse_family(&family, nlh);
	(void)genl_dump_message(d, nlh);
	(void)rtnl_msg_parse_link(&link, nlh);
	if (rtnl_msg_parse_addr(&addr, &ifindex, &is_global, nlh) == 0)
		FUZZ_CHECK(addr.bits <= 128);
	(void)rtnl_msg_parse_gone_link(&ifindex, nlh);
	(void)rtnl_msg_parse_gone_addr(&addr, &ifindex, nlh);
	if (rtnl_msg_parse_route(&route, nlh) == 0)
		FUZZ_CHECK(route.n_oif <= sizeof(route.oif) / sizeof(route.oif[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct genl_dump d = { .family = FAMILY, .fn = on_peer };
	uint8_t *exact = malloc(size + !size);
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)exact;
	int left = (int)size;

	if (size > 65536) {
		free(exact);
		return -1;
	}
	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	for (; nlmsg_is_whole(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		take(&d, nlh);
	(void)genl_dump_end(&d);
	free(exact);
	return 0;
}
