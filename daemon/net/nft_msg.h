/* SPDX-License-Identifier: MIT */
/*
 * nft_msg - a table of nf_tables as bytes of netlink, and what chains of others do; pure
 *
 * linux/netfilter/nf_tables.h. One batch replaces the whole table: the kernel does all of it or nothing.
 */
#ifndef DAEMON_NET_NFT_MSG_H
#define DAEMON_NET_NFT_MSG_H

#include "daemon/net/addr.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NFT_NETS_MAX	 100
#define NFT_NAME_SIZE	 64
#define NFT_BATCH_SIZE	 (128 * 1024) /* of 4 * NFT_NETS_MAX rules with room to spare */
#define NFT_REQUEST_SIZE 128

/**
 * struct nft_policy - What may be forwarded from and to the mesh
 * @ifname:	Its interface
 * @mesh:	From the mesh to the mesh
 * @nets:	Networks behind this node, to and from which it may; borrowed
 * @n_nets:	Entries in @nets, NFT_NETS_MAX at most
 * @drop4:	Drop what else would be forwarded over IPv4
 * @drop6:	And over IPv6
 */
struct nft_policy {
	const char *ifname;
	bool mesh;
	const struct prefix *nets;
	size_t n_nets;
	bool drop4;
	bool drop6;
};

/**
 * struct nft_batch - Messages that are sent at once
 * @bytes:	NFT_BATCH_SIZE bytes of the caller's, aligned as for malloc()
 * @len:	Bytes in use
 * @seq:	Sequence number of the last message
 * @is_full:	Something did not fit: the batch must not be sent
 */
struct nft_batch {
	uint8_t *bytes;
	size_t len;
	uint32_t seq;
	bool is_full;
};

/**
 * nft_msg_table() - Name of the table of an interface: "wgmesh-wg0"
 */
const char *nft_msg_table(char out[static NFT_NAME_SIZE], const char *ifname);

/**
 * nft_msg_replace() - The batch that makes the table anew, whether or not there is one
 */
void nft_msg_replace(struct nft_batch *b, const struct nft_policy *p);

/**
 * nft_msg_remove() - The batch that removes the table, whether or not there is one
 */
void nft_msg_remove(struct nft_batch *b, const char *ifname);

/**
 * nft_msg_dump_chains() - Ask for all chains of all families
 * @out:	Receives the request
 */
void nft_msg_dump_chains(uint8_t out[static NFT_REQUEST_SIZE]);

/**
 * nft_msg_dump_rules() - Ask for all rules of all families
 */
void nft_msg_dump_rules(uint8_t out[static NFT_REQUEST_SIZE]);

/**
 * struct nft_chain - A chain that packets pass on their way through this machine
 * @family:	NFPROTO_*
 * @table:	Its table
 * @name:	Its name
 */
struct nft_chain {
	uint8_t family;
	char table[NFT_NAME_SIZE];
	char name[NFT_NAME_SIZE];
};

/**
 * nft_msg_dropping_chain() - Is it a chain whose policy drops what is forwarded?
 * @out:	Receives its names
 * @nlh:	Message of the answer to nft_msg_dump_chains(), whose length has been checked
 *
 * Return: true when it is
 */
bool nft_msg_dropping_chain(struct nft_chain *out, const struct nlmsghdr *nlh);

/**
 * nft_msg_is_chain() - Does a message tell of this chain?
 */
bool nft_msg_is_chain(const struct nlmsghdr *nlh, uint8_t family, const char *table,
		      const char *name);

/**
 * nft_msg_names() - Does a rule of this table look at an interface of this name?
 * @nlh:	Message of the answer to nft_msg_dump_rules(), whose length has been checked
 * @chain:	Its family and table count
 * @ifname:	Interface
 */
bool nft_msg_names(const struct nlmsghdr *nlh, const struct nft_chain *chain, const char *ifname);

#endif /* DAEMON_NET_NFT_MSG_H */
