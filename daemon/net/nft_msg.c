/* SPDX-License-Identifier: MIT */
#include "daemon/net/nft_msg.h"
#include "common/defs.h"
#include "daemon/net/nlmsg.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define CHAIN	      "forward"
#define DADDR4_OFFSET 16
#define SADDR4_OFFSET 12
#define DADDR6_OFFSET 24
#define SADDR6_OFFSET 8

/* --- building -------------------------------------------------------------------------------- */

static struct nlmsghdr *start(uint8_t *at, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

/* Room for a header has been checked by begin(); attributes check for themselves. */
static size_t room(const struct nft_batch *b)
{
	return NFT_BATCH_SIZE - b->len;
}

static struct nlmsghdr *begin(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh;

	if (room(b) < 64) {
		b->is_full = true;
		b->len = 0;
	}
	nlh = start(b->bytes + b->len, type, flags, NFPROTO_INET);
	nlh->nlmsg_seq = ++b->seq;
	return nlh;
}

static void end(struct nft_batch *b, const struct nlmsghdr *nlh)
{
	b->len += nlmsg_align(nlh->nlmsg_len);
}

static void put(struct nft_batch *b, struct nlmsghdr *nlh, uint16_t type, const void *data,
		size_t len)
{
	if (!mnl_attr_put_check(nlh, room(b), type, len, data))
		b->is_full = true;
}

static void put_u32(struct nft_batch *b, struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	uint32_t be = htonl(value);

	put(b, nlh, type, &be, sizeof(be));
}

static void put_text(struct nft_batch *b, struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	put(b, nlh, type, text, strlen(text) + 1);
}

/* Return: the nest, or NULL when it did not fit; then nothing in it counts */
static struct nlattr *nest(struct nft_batch *b, struct nlmsghdr *nlh, uint16_t type)
{
	struct nlattr *attr = mnl_attr_nest_start_check(nlh, room(b), type);

	if (!attr)
		b->is_full = true;
	return attr;
}

static void unnest(struct nlmsghdr *nlh, struct nlattr *attr)
{
	if (attr)
		mnl_attr_nest_end(nlh, attr);
}

static void batch_edge(struct nft_batch *b, uint16_t type)
{
	struct nlmsghdr *nlh = begin(b, type, 0);
	struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	nfg->nfgen_family = AF_UNSPEC;
	nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	end(b, nlh);
}

static uint16_t nft_type(unsigned int msg)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | msg);
}

static void table_message(struct nft_batch *b, unsigned int msg, const char *ifname)
{
	uint16_t flags = msg == NFT_MSG_NEWTABLE ? NLM_F_CREATE | NLM_F_ACK : NLM_F_ACK;
	struct nlmsghdr *nlh = begin(b, nft_type(msg), flags);
	char table[NFT_NAME_SIZE];

	put_text(b, nlh, NFTA_TABLE_NAME, nft_msg_table(table, ifname));
	end(b, nlh);
}

static void chain_message(struct nft_batch *b, const char *ifname)
{
	struct nlmsghdr *nlh = begin(b, nft_type(NFT_MSG_NEWCHAIN), NLM_F_CREATE | NLM_F_ACK);
	char table[NFT_NAME_SIZE];
	struct nlattr *hook;

	put_text(b, nlh, NFTA_CHAIN_TABLE, nft_msg_table(table, ifname));
	put_text(b, nlh, NFTA_CHAIN_NAME, CHAIN);
	hook = nest(b, nlh, NFTA_CHAIN_HOOK);
	put_u32(b, nlh, NFTA_HOOK_HOOKNUM, NF_INET_FORWARD);
	put_u32(b, nlh, NFTA_HOOK_PRIORITY, 0);
	unnest(nlh, hook);
	put_u32(b, nlh, NFTA_CHAIN_POLICY, NF_ACCEPT);
	put_text(b, nlh, NFTA_CHAIN_TYPE, "filter");
	end(b, nlh);
}

/* --- rules ----------------------------------------------------------------------------------- */

/* A rule under construction: nested twice, once for the rule and once for each expression. */
struct rule {
	struct nft_batch *b;
	struct nlmsghdr *nlh;
	struct nlattr *list;
	struct nlattr *element;
	struct nlattr *data;
};

static void begin_rule(struct rule *r, struct nft_batch *b, const char *ifname)
{
	char table[NFT_NAME_SIZE];

	r->b = b;
	r->nlh = begin(b, nft_type(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
	put_text(b, r->nlh, NFTA_RULE_TABLE, nft_msg_table(table, ifname));
	put_text(b, r->nlh, NFTA_RULE_CHAIN, CHAIN);
	r->list = nest(b, r->nlh, NFTA_RULE_EXPRESSIONS);
}

static void begin_expr(struct rule *r, const char *name)
{
	r->element = nest(r->b, r->nlh, NFTA_LIST_ELEM);
	put_text(r->b, r->nlh, NFTA_EXPR_NAME, name);
	r->data = nest(r->b, r->nlh, NFTA_EXPR_DATA);
}

static void end_expr(struct rule *r)
{
	unnest(r->nlh, r->data);
	unnest(r->nlh, r->element);
}

static void put_value(struct rule *r, uint16_t type, const void *value, size_t len)
{
	struct nlattr *attr = nest(r->b, r->nlh, type);

	put(r->b, r->nlh, NFTA_DATA_VALUE, value, len);
	unnest(r->nlh, attr);
}

static void compare(struct rule *r, const void *value, size_t len)
{
	begin_expr(r, "cmp");
	put_u32(r->b, r->nlh, NFTA_CMP_SREG, NFT_REG_1);
	put_u32(r->b, r->nlh, NFTA_CMP_OP, NFT_CMP_EQ);
	put_value(r, NFTA_CMP_DATA, value, len);
	end_expr(r);
}

static void match_meta(struct rule *r, uint32_t key, const void *value, size_t len)
{
	begin_expr(r, "meta");
	put_u32(r->b, r->nlh, NFTA_META_DREG, NFT_REG_1);
	put_u32(r->b, r->nlh, NFTA_META_KEY, key);
	end_expr(r);
	compare(r, value, len);
}

static void match_interface(struct rule *r, uint32_t key, const char *ifname)
{
	char name[IFNAMSIZ] = { 0 };

	(void)snprintf(name, sizeof(name), "%s", ifname);
	match_meta(r, key, name, sizeof(name));
}

static void match_family(struct rule *r, uint8_t family)
{
	uint8_t proto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	match_meta(r, NFT_META_NFPROTO, &proto, sizeof(proto));
}

static void match_net(struct rule *r, const struct prefix *net, bool is_source)
{
	static const uint8_t none[16] = { 0 };
	bool is4 = net->ip.family == AF_INET;
	uint32_t len = is4 ? 4 : 16;
	uint32_t offset = is_source ? SADDR4_OFFSET : DADDR4_OFFSET;
	struct prefix mask = { .ip = { .family = net->ip.family }, .bits = net->bits };

	if (!is4)
		offset = is_source ? SADDR6_OFFSET : DADDR6_OFFSET;
	memset(mask.ip.b, 0xff, len);
	prefix_mask(&mask);
	match_family(r, net->ip.family);
	begin_expr(r, "payload");
	put_u32(r->b, r->nlh, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_u32(r->b, r->nlh, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_u32(r->b, r->nlh, NFTA_PAYLOAD_OFFSET, offset);
	put_u32(r->b, r->nlh, NFTA_PAYLOAD_LEN, len);
	end_expr(r);
	begin_expr(r, "bitwise");
	put_u32(r->b, r->nlh, NFTA_BITWISE_SREG, NFT_REG_1);
	put_u32(r->b, r->nlh, NFTA_BITWISE_DREG, NFT_REG_1);
	put_u32(r->b, r->nlh, NFTA_BITWISE_LEN, len);
	put_value(r, NFTA_BITWISE_MASK, mask.ip.b, len);
	put_value(r, NFTA_BITWISE_XOR, none, len);
	end_expr(r);
	compare(r, net->ip.b, len);
}

static void end_rule(struct rule *r, uint32_t verdict)
{
	struct nlattr *data;
	struct nlattr *code;

	begin_expr(r, "immediate");
	put_u32(r->b, r->nlh, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nest(r->b, r->nlh, NFTA_IMMEDIATE_DATA);
	code = nest(r->b, r->nlh, NFTA_DATA_VERDICT);
	put_u32(r->b, r->nlh, NFTA_VERDICT_CODE, verdict);
	unnest(r->nlh, code);
	unnest(r->nlh, data);
	end_expr(r);
	unnest(r->nlh, r->list);
	end(r->b, r->nlh);
}

static void accept_net(struct nft_batch *b, const struct nft_policy *p, const struct prefix *net)
{
	struct rule r = { 0 };

	begin_rule(&r, b, p->ifname);
	match_interface(&r, NFT_META_IIFNAME, p->ifname);
	match_net(&r, net, false);
	end_rule(&r, NF_ACCEPT);
	begin_rule(&r, b, p->ifname);
	match_interface(&r, NFT_META_OIFNAME, p->ifname);
	match_net(&r, net, true);
	end_rule(&r, NF_ACCEPT);
}

static void drop_rest(struct nft_batch *b, const struct nft_policy *p, uint8_t family)
{
	static const uint32_t keys[] = { NFT_META_IIFNAME, NFT_META_OIFNAME };
	struct rule r = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		begin_rule(&r, b, p->ifname);
		match_interface(&r, keys[i], p->ifname);
		match_family(&r, family);
		end_rule(&r, NF_DROP);
	}
}

const char *nft_msg_table(char out[static NFT_NAME_SIZE], const char *ifname)
{
	(void)snprintf(out, NFT_NAME_SIZE, "wgmesh-%.15s", ifname);
	return out;
}

void nft_msg_replace(struct nft_batch *b, const struct nft_policy *p)
{
	struct rule r = { 0 };

	batch_edge(b, NFNL_MSG_BATCH_BEGIN);
	/* Removing needs one that is there. */
	table_message(b, NFT_MSG_NEWTABLE, p->ifname);
	table_message(b, NFT_MSG_DELTABLE, p->ifname);
	table_message(b, NFT_MSG_NEWTABLE, p->ifname);
	chain_message(b, p->ifname);
	if (p->mesh) {
		begin_rule(&r, b, p->ifname);
		match_interface(&r, NFT_META_IIFNAME, p->ifname);
		match_interface(&r, NFT_META_OIFNAME, p->ifname);
		end_rule(&r, NF_ACCEPT);
	}
	for (size_t i = 0; i < p->n_nets && i < NFT_NETS_MAX; i++)
		accept_net(b, p, &p->nets[i]);
	if (p->drop4)
		drop_rest(b, p, AF_INET);
	if (p->drop6)
		drop_rest(b, p, AF_INET6);
	batch_edge(b, NFNL_MSG_BATCH_END);
}

void nft_msg_remove(struct nft_batch *b, const char *ifname)
{
	batch_edge(b, NFNL_MSG_BATCH_BEGIN);
	table_message(b, NFT_MSG_NEWTABLE, ifname);
	table_message(b, NFT_MSG_DELTABLE, ifname);
	batch_edge(b, NFNL_MSG_BATCH_END);
}

/* --- what is there --------------------------------------------------------------------------- */

void nft_msg_dump_chains(uint8_t out[static NFT_REQUEST_SIZE])
{
	memset(out, 0, NFT_REQUEST_SIZE);
	(void)start(out, nft_type(NFT_MSG_GETCHAIN), NLM_F_DUMP, NFPROTO_UNSPEC);
}

void nft_msg_dump_rules(uint8_t out[static NFT_REQUEST_SIZE])
{
	memset(out, 0, NFT_REQUEST_SIZE);
	(void)start(out, nft_type(NFT_MSG_GETRULE), NLM_F_DUMP, NFPROTO_UNSPEC);
}

static bool is_u32(const struct nlattr *attr, uint32_t value)
{
	uint32_t be = 0;

	return attr && nlmsg_get(&be, sizeof(be), attr) == 0 && ntohl(be) == value;
}

/* Family, table and name of a chain; attributes as far as the policy. */
static bool read_chain(struct nft_chain *out, const struct nlattr **tb, size_t n,
		       const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != nft_type(NFT_MSG_NEWCHAIN) ||
	    nlmsg_attrs(tb, n, nlh, sizeof(*nfg)) < 0)
		return false;
	out->family = nfg->nfgen_family;
	nlmsg_get_text(out->table, sizeof(out->table), tb[NFTA_CHAIN_TABLE]);
	nlmsg_get_text(out->name, sizeof(out->name), tb[NFTA_CHAIN_NAME]);
	return true;
}

bool nft_msg_is_chain(const struct nlmsghdr *nlh, uint8_t family, const char *table,
		      const char *name)
{
	const struct nlattr *tb[NFTA_CHAIN_POLICY + 1];
	struct nft_chain chain;

	return read_chain(&chain, tb, ARRAY_LEN(tb), nlh) && chain.family == family &&
	       strcmp(chain.table, table) == 0 && strcmp(chain.name, name) == 0;
}

bool nft_msg_dropping_chain(struct nft_chain *out, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NFTA_CHAIN_POLICY + 1];
	const struct nlattr *hook[NFTA_HOOK_HOOKNUM + 1];

	if (!read_chain(out, tb, ARRAY_LEN(tb), nlh) || !tb[NFTA_CHAIN_HOOK] ||
	    !is_u32(tb[NFTA_CHAIN_POLICY], NF_DROP))
		return false;
	/* Of other families, the numbers stand for other hooks. */
	if (out->family != NFPROTO_IPV4 && out->family != NFPROTO_IPV6 &&
	    out->family != NFPROTO_INET)
		return false;
	nlmsg_nested(hook, ARRAY_LEN(hook), tb[NFTA_CHAIN_HOOK]);
	return is_u32(hook[NFTA_HOOK_HOOKNUM], NF_INET_FORWARD);
}

bool nft_msg_names(const struct nlmsghdr *nlh, const struct nft_chain *chain, const char *ifname)
{
	const struct nlattr *tb[NFTA_RULE_EXPRESSIONS + 1];
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *list;
	char table[NFT_NAME_SIZE];

	if (nlh->nlmsg_type != nft_type(NFT_MSG_NEWRULE) ||
	    nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(*nfg)) < 0)
		return false;
	list = tb[NFTA_RULE_EXPRESSIONS];
	nlmsg_get_text(table, sizeof(table), tb[NFTA_RULE_TABLE]);
	if (!list || nfg->nfgen_family != chain->family || strcmp(table, chain->table) != 0)
		return false;
	return memmem(mnl_attr_get_payload(list), mnl_attr_get_payload_len(list), ifname,
		      strlen(ifname) + 1) != NULL;
}
