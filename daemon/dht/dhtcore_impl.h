/* SPDX-License-Identifier: MIT */
/* dhtcore_impl - the state of a DHT node, shared by the dhtcore*.c files and by nobody else */
#ifndef DAEMON_DHT_DHTCORE_IMPL_H
#define DAEMON_DHT_DHTCORE_IMPL_H

#include "daemon/dht/agenda.h"
#include "daemon/dht/allowance.h"
#include "daemon/dht/dhtcore.h"
#include "daemon/dht/found.h"
#include "daemon/dht/lookup.h"
#include "daemon/dht/nodetable.h"
#include "daemon/dht/peerstore.h"
#include "daemon/dht/transact.h"
#include "daemon/dht/voters.h"
#include "daemon/dht/writetoken.h"
#include "daemon/discovery/ratelimit.h"

#define DHT_SEEDS_MAX	64
#define DHT_ROUTERS_MAX 32

/* What is looked for, for each family. */
enum dht_job_kind {
	JOB_JOIN,     /* nodes, at a random target */
	JOB_CURRENT,  /* peers, at the id of this hour */
	JOB_PREVIOUS, /* peers, at the id of the hour before */
	JOB_KINDS,
};

#define DHT_JOBS (JOB_KINDS * DHT_FAMILIES)

enum dht_job_phase {
	JOB_IDLE,
	JOB_LOOKING,
	JOB_ANNOUNCING, /* the closest nodes are told of us, one after the other */
};

/**
 * struct dht_job - One lookup, and what follows it
 * @phase:	How far it is
 * @must_announce: It announces us at its end
 * @n_unsent:	Queries that the network did not take
 * @n_told:	Of the closest nodes, how many were told of us
 * @n_closest:	Entries in @closest
 * @closest:	Nodes to tell
 * @lookup:	The lookup
 */
struct dht_job {
	enum dht_job_phase phase;
	bool must_announce;
	unsigned int n_unsent;
	unsigned int n_told;
	size_t n_closest;
	const struct lookup_node *closest[LOOKUP_K];
	struct lookup lookup;
};

/* What a query under way is for: the number of a job, or one of these. */
#define PURPOSE_PING	 100U
#define PURPOSE_REFRESH	 101U
#define PURPOSE_ANNOUNCE 102U

/**
 * struct dht_family - What is apart for IPv4 and IPv6 (BEP 32)
 * @is_on:	The family is used
 * @af:		AF_INET or AF_INET6
 * @id:		Our id
 * @renamed_ms:	When it was last changed; 0 for never
 * @voters:	Who sees us where
 * @table:	Routing table
 * @agenda:	What is due when
 * @widen_ms:	When to look for more nodes next, while there are few
 * @n_accepted:	Nodes that took the announcement that is under way
 * @n_announced: Nodes that took the last one
 * @n_seeds:	Nodes to begin with that were ever told
 * @seed:	The last of them: of the last run, or that nodes of the other family told of
 */
struct dht_family {
	bool is_on;
	uint8_t af;
	struct nodeid id;
	int64_t renamed_ms;
	struct voters voters;
	struct nodetable table;
	struct agenda agenda;
	int64_t widen_ms;
	unsigned int n_accepted;
	unsigned int n_announced;
	size_t n_seeds;
	struct krpc_node seed[DHT_SEEDS_MAX];
};

/**
 * struct dhtcore - Everything of one DHT node
 * @cfg:	Configuration
 * @out:	Queries that may be sent
 * @answers:	Queries that may be answered
 * @strangers:	Nodes that asked us and may be asked back
 * @maintain_ms: When upkeep may send its next query
 * @sources:	Datagrams by source
 * @tokens:	Write tokens
 * @n_routers:	Addresses to begin with that were ever told
 * @router:	The last of them
 * @pending:	Queries under way
 * @job:	Lookups: those of IPv4, then those of IPv6
 * @store:	Announcements of others
 * @found:	Addresses that we were given
 * @fates:	Messages
 * @in:		The message at hand
 */
struct dhtcore {
	struct dhtcore_config cfg;
	struct allowance out;
	struct allowance answers;
	struct allowance strangers;
	int64_t maintain_ms;
	struct ratelimit sources;
	struct writetoken tokens;
	size_t n_routers;
	struct endpoint router[DHT_ROUTERS_MAX];
	struct dht_family family[DHT_FAMILIES];
	struct transacts pending;
	struct dht_job job[DHT_JOBS];
	struct peerstore store;
	struct found found;
	uint64_t fates[DHT_FATES];
	struct krpc_message in;
};

/* dhtcore.c */

/* The family of an address; NULL when it is not used. */
struct dht_family *dhtcore_family_of(struct dhtcore *c, const struct ip *ip);
uint16_t dhtcore_random16(const struct dhtcore *c);
/* Sends, and counts the fate. Return: whether the network took it */
bool dhtcore_send(struct dhtcore *c, const struct endpoint *to, const struct krpc_message *m,
		  enum dhtcore_fate fate);

/* dhtcore_query.c: what we ask */

/*
 * Sends a query; its allowance was looked at. @q has method, target and what belongs to it.
 * Return: whether an answer can come
 */
bool dhtcore_ask(struct dhtcore *c, const struct endpoint *to, struct krpc_message *q,
		 unsigned int purpose, int64_t now_ms);
/* May a query be sent now? */
bool dhtcore_may_ask(struct dhtcore *c, int64_t now_ms);
void dhtcore_ping(struct dhtcore *c, const struct endpoint *to, int64_t now_ms);
/* Takes a response or an error. */
void dhtcore_take_answer(struct dhtcore *c, const struct endpoint *from, struct now now);
/* Gives up on those who do not answer. */
void dhtcore_expire(struct dhtcore *c, int64_t now_ms);
/* Begins what is due. */
void dhtcore_begin_jobs(struct dhtcore *c, struct now now);
/* Sends what the lookups under way have to send. */
void dhtcore_step_jobs(struct dhtcore *c, struct now now);
/* Looks for nodes now: somebody is known to begin with. */
void dhtcore_join(struct dhtcore *c, enum dhtcore_family family, struct now now);
/* Adds a node to begin with. */
void dhtcore_add_seed(struct dht_family *f, const struct krpc_node *node);
/* Hands a member's address over, unless it is ours or cannot be one. */
bool dhtcore_tell(struct dhtcore *c, const struct ip *teller, const struct endpoint *at,
		  int64_t now_ms);
/* When jobs have something to do next. */
int64_t dhtcore_jobs_due_ms(struct dhtcore *c, int64_t now_ms);

/* dhtcore_serve.c: what others ask */
void dhtcore_serve(struct dhtcore *c, enum krpc_verdict verdict, const struct endpoint *from,
		   struct now now);

#endif /* DAEMON_DHT_DHTCORE_IMPL_H */
