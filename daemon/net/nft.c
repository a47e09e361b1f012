/* SPDX-License-Identifier: MIT */
#include "daemon/net/nft.h"
#include "common/defs.h"
#include "daemon/net/nlsock.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECV_SIZE   16384
#define CHAINS_MAX  8
#define DOCKER_USER "DOCKER-USER"

/* --- writing --------------------------------------------------------------------------------- */

/* Whatever the kernel has to say of a batch is in the socket when sending returns. */
static int read_verdicts(const struct mnl_socket *nl, struct nlmsg_verdict *v)
{
	union {
		struct nlmsghdr align;
		uint8_t bytes[RECV_SIZE];
	} in;
	ssize_t n;

	*v = (struct nlmsg_verdict) { .code = 0 };
	while ((n = recv(mnl_socket_get_fd(nl), in.bytes, sizeof(in.bytes), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *nlh = &in.align;
		int left = (int)n;

		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_type == NLMSG_ERROR && v->code == 0)
				nlmsg_verdict(v, nlh);
	}
	return v->code;
}

static int send_batch(const struct nft_batch *b, struct nlmsg_verdict *v)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int on = 1;

	*v = (struct nlmsg_verdict) { .code = nl ? 0 : -errno };
	if (!nl)
		return v->code;
	(void)mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, b->bytes, b->len) < 0)
		v->code = -errno;
	else
		(void)read_verdicts(nl, v);
	(void)mnl_socket_close(nl);
	return v->code;
}

int nft_replace(const struct nft_policy *p, struct err *e)
{
	auto_free uint8_t *bytes = calloc(1, NFT_BATCH_SIZE);
	struct nft_batch b = { .bytes = bytes };
	struct nlmsg_verdict v;

	if (!bytes)
		return err_set(e, -ENOMEM, "make firewall rules");
	nft_msg_replace(&b, p);
	if (b.is_full)
		return err_set(e, -E2BIG, "make firewall rules for so many networks");
	if (send_batch(&b, &v) < 0)
		return nlmsg_fail(e, &v, "make the firewall rules of %s", p->ifname);
	return 0;
}

int nft_remove(const char *ifname, struct err *e)
{
	auto_free uint8_t *bytes = calloc(1, NFT_BATCH_SIZE);
	struct nft_batch b = { .bytes = bytes };
	struct nlmsg_verdict v;

	if (!bytes)
		return err_set(e, -ENOMEM, "remove firewall rules");
	nft_msg_remove(&b, ifname);
	if (send_batch(&b, &v) < 0)
		return nlmsg_fail(e, &v, "remove the firewall rules of %s", ifname);
	return 0;
}

/* --- looking --------------------------------------------------------------------------------- */

struct search {
	const char *ifname;
	struct nft_chain chain[CHAINS_MAX];
	bool is_settled[CHAINS_MAX]; /* its table has a rule for our interface */
	size_t n;
	bool has_docker;
};

static int take_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;

	if (!nlh) {
		s->n = 0;
		return 0;
	}
	s->has_docker |= nft_msg_is_chain(nlh, NFPROTO_IPV4, "filter", DOCKER_USER);
	if (s->n < CHAINS_MAX && nft_msg_dropping_chain(&s->chain[s->n], nlh))
		s->n++;
	return 0;
}

static int take_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;

	for (size_t i = 0; nlh && i < s->n; i++)
		s->is_settled[i] |= nft_msg_names(nlh, &s->chain[i], s->ifname);
	return 0;
}

/* nlmsghdr wants more than a byte's alignment. */
union request {
	struct nlmsghdr nlh;
	uint8_t bytes[NFT_REQUEST_SIZE];
};

bool nft_find_dropping(struct nft_chain *out, const char *ifname, bool *has_docker)
{
	struct search s = { .ifname = ifname };
	struct nlmsg_verdict v;
	struct nlsock *nl;
	union request req;
	int r;

	if (nlsock_open(&nl, NETLINK_NETFILTER, NULL) < 0)
		return false;
	nft_msg_dump_chains(req.bytes);
	r = nlsock_talk(nl, &req.nlh, take_chain, &s, &v);
	nft_msg_dump_rules(req.bytes);
	if (r == 0 && s.n > 0)
		(void)nlsock_talk(nl, &req.nlh, take_rule, &s, &v);
	nlsock_close(nl);
	*has_docker = s.has_docker;
	for (size_t i = 0; r == 0 && i < s.n; i++) {
		if (s.is_settled[i])
			continue;
		*out = s.chain[i];
		return true;
	}
	return false;
}
