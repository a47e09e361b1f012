/* SPDX-License-Identifier: MIT */
/* nft - our table of nf_tables, and what other tables do to what is forwarded; by netlink alone */
#ifndef DAEMON_NET_NFT_H
#define DAEMON_NET_NFT_H

#include "common/err.h"
#include "daemon/net/nft_msg.h"

/**
 * nft_replace() - Make the table anew, in one step
 *
 * Return: 0; -EOPNOTSUPP or -EPROTONOSUPPORT where the kernel has no nf_tables; or another negative
 *         errno value with the table as it was
 */
int nft_replace(const struct nft_policy *p, struct err *e);

/**
 * nft_remove() - Remove the table of an interface; none is success
 */
int nft_remove(const char *ifname, struct err *e);

/**
 * nft_find_dropping() - Find a chain of somebody else's that drops what is forwarded
 * @out:	Receives the chain
 * @ifname:	Our interface: a table with a rule for it counts as put right by its owner
 * @has_docker:	Receives whether there is a chain DOCKER-USER in the IPv4 table "filter"
 *
 * Rules of the old iptables, which are not kept in nf_tables, are not seen.
 *
 * Return: true when there is one
 */
bool nft_find_dropping(struct nft_chain *out, const char *ifname, bool *has_docker);

#endif /* DAEMON_NET_NFT_H */
