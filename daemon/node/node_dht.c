/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * What the DHT finds are addresses, which anybody may have announced: they are prospects like any
 * other. Its nodes are kept for the next run in the file that existing nodes keep them in; netadmin
 * reads it before the layers open, and writes it.
 */
#include "common/defs.h"
#include "common/io.h"
#include "common/log.h"
#include "daemon/dht/nodefile.h"
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SAVE_S	 120
#define READ_MAX (8 * NODEFILE_LEN_MAX)

/* --- the file ------------------------------------------------------------------------------ */

void node_dht_take_nodes(struct node *n, int fd)
{
	auto_free uint8_t *buf = fd < 0 ? NULL : malloc(READ_MAX);
	size_t wasted;
	ssize_t len;

	if (!buf || n->dht.seeds || n->cfg->no_dht)
		return;
	n->dht.seeds = calloc(NODEFILE_NODES_MAX, sizeof(*n->dht.seeds));
	len = n->dht.seeds ? io_read_bounded(fd, buf, READ_MAX) : -ENOMEM;
	if (len < 0)
		return;
	wasted = nodefile_parse(n->dht.seeds, &n->dht.n_seeds, buf, (size_t)len);
	if (wasted > 0)
		log_event(EVENT_DHT_NODES_DAMAGED, NULL,
			  "%zu of the %zd bytes of DHT nodes cannot be used; %zu nodes can", wasted,
			  len, n->dht.n_seeds);
}

/* Nodes as a file that has no name, to be handed to netadmin; -1 when there is nothing new. */
static int as_file(struct node *n)
{
	auto_free struct krpc_node *nodes = calloc(NODEFILE_NODES_MAX, sizeof(*nodes));
	auto_free uint8_t *buf = malloc(NODEFILE_LEN_MAX);
	uint8_t hash[CRYPTO_SHA256_LEN];
	struct crypto_part all = { .data = buf };
	auto_close int fd = -1;

	if (!nodes || !buf)
		return -1;
	all.len = nodefile_format(buf, nodes, dht_save(n->dht.dht, nodes, NODEFILE_NODES_MAX));
	if (all.len == 0)
		return -1;
	crypto_sha256(hash, &all, 1);
	if (!n->dht.save_failed && memcmp(hash, n->dht.saved_hash, sizeof(hash)) == 0)
		return -1;
	fd = memfd_create("nodes", MFD_CLOEXEC);
	if (fd < 0 || io_write_full(fd, buf, all.len) < 0)
		return -1;
	memcpy(n->dht.saved_hash, hash, sizeof(hash));
	return steal_fd(&fd);
}

static void save(struct node *n)
{
	struct netadmin_request req = { .op = NETADMIN_SAVE_NODES };
	int fd = as_file(n);

	if (fd >= 0)
		adminlink_send(n->admin, &req, fd);
}

static void on_save_timer(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase == NODE_RUNNING && n->dht.dht)
		save(n);
}

void node_dht_saved(struct node *n, const struct err *e)
{
	bool was_good = !n->dht.save_failed;

	n->dht.save_failed = e->code != 0;
	if (n->dht.save_failed && was_good)
		log_event(EVENT_DHT_NODES_UNSAVED, NULL, "%s: %s; trying again every %d s", e->msg,
			  strerror(-e->code), SAVE_S);
}

/* --- the layer ----------------------------------------------------------------------------- */

static void on_found(void *arg, const struct endpoint *at)
{
	struct node *n = arg;
	char text[ENDPOINT_TEXT_SIZE];

	if (n->phase == NODE_STOPPING)
		return;
	log_event(EVENT_DHT_FOUND, LOG_FIELDS({ "address", endpoint_format(text, at) }),
		  "the DHT names an address");
	node_prospect(n, at, METHOD_MAINLINE);
}

static unsigned int on_count_peers(void *arg)
{
	struct node *n = arg;
	struct now now = clock_now();
	unsigned int total = 0;

	for (const struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		total += peer_is_active(p, now);
	return total;
}

static void on_joined(void *arg, bool is_joined, const char *why)
{
	struct node *n = arg;
	struct dhtcore_status status = { 0 };
	char text[24] = "1";

	if (!is_joined) {
		log_event(EVENT_DHT_ALONE, NULL, "no node of the DHT answers%s%s; trying again",
			  why ? ": " : "", why ? why : "");
		return;
	}
	/* The first ones may come before the handle does. */
	if (n->dht.dht) {
		dht_status(n->dht.dht, &status);
		(void)snprintf(text, sizeof(text), "%zu",
			       status.nodes[DHT_IPV4] + status.nodes[DHT_IPV6]);
	}
	log_event(EVENT_DHT_JOINED, LOG_FIELDS({ "nodes", text }), "nodes of the DHT answer");
}

/* One above the exchange, but not where the LAN's groups are (protocol.md section 2). */
static uint16_t port_for(const struct node *n)
{
	uint16_t port = (uint16_t)(n->cfg->keys.gossip_port + 1);

	return port == DERIVE_LAN_PORT ? 0 : port;
}

static int open_layer(struct node *n, struct err *e)
{
	struct dht_config cfg = {
		.port = port_for(n),
		.announced = n->cfg->keys.gossip_port,
		.secret = &n->cfg->secret,
		.no_ipv6 = n->cfg->no_ipv6,
		.bootstrap = &n->cfg->dht_bootstrap,
		.avoid = { n->self.subnet, n->self.prefix6 },
		.n_avoid = DHTCORE_AVOID_MAX,
		.resolver = n->resolver,
		.handler = { .arg = n,
			     .found = on_found,
			     .count_peers = on_count_peers,
			     .joined = on_joined },
	};
	struct dht_seeds seeds = { n->dht.n_seeds, n->dht.seeds };

	n->dht.save_timer = event_new(n->base, -1, EV_PERSIST, on_save_timer, n);
	if (!n->dht.save_timer)
		return err_set(e, -ENOMEM, "make a timer");
	return dht_open(&n->dht.dht, n->base, &cfg, &seeds, e);
}

void node_dht_open(struct node *n)
{
	static const struct timeval period = { .tv_sec = SAVE_S };
	struct err e = { 0 };
	int r = n->cfg->no_dht ? 0 : open_layer(n, &e);

	free(n->dht.seeds);
	n->dht.seeds = NULL;
	if (r < 0) {
		(void)snprintf(n->dht.why_off, sizeof(n->dht.why_off), "%.80s: %s", e.msg,
			       strerror(-r));
		log_event(EVENT_DHT_OFF, NULL, "the DHT is not used: %s", n->dht.why_off);
	} else if (n->dht.dht) {
		(void)event_add(n->dht.save_timer, &period);
	}
}

void node_dht_stop(struct node *n)
{
	if (n->dht.dht)
		save(n);
	node_dht_close(n);
}

void node_dht_close(struct node *n)
{
	dht_close(n->dht.dht);
	n->dht.dht = NULL;
	if (n->dht.save_timer)
		event_free(n->dht.save_timer);
	n->dht.save_timer = NULL;
	free(n->dht.seeds);
	n->dht.seeds = NULL;
}

/* --- what it tells ------------------------------------------------------------------------- */

static void describe_nodes(const struct dhtcore_status *s, char out[static 120])
{
	size_t total = s->nodes[DHT_IPV4] + s->nodes[DHT_IPV6];
	unsigned int announced = s->announced[DHT_IPV4] + s->announced[DHT_IPV6];

	if (total == 0)
		(void)snprintf(out, 120, "no node answers yet, trying again");
	else
		(void)snprintf(out, 120, "%zu node%s%s, announced to %u", total,
			       total == 1 ? "" : "s",
			       s->nodes[DHT_IPV6] > 0 ? ", IPv6 among them" : "", announced);
}

static size_t count_found(struct peers *peers)
{
	size_t total = 0;

	for (const struct peer *p = peers_next(peers, NULL); p; p = peers_next(peers, p))
		total += (p->methods & METHOD_MAINLINE) != 0;
	return total;
}

void node_dht_describe(struct node *n, struct view *out)
{
	char text[120];
	size_t found;

	if (n->cfg->no_dht) {
		view_add_layer(out, "dht", false, "by --no-dht");
		return;
	}
	if (!n->dht.dht) {
		view_add_layer(out, "dht", n->phase == NODE_STARTING, "%s",
			       n->dht.why_off[0] != '\0' ? n->dht.why_off : "not begun");
		return;
	}
	dht_status(n->dht.dht, &n->dht.status);
	out->dht = &n->dht.status;
	describe_nodes(&n->dht.status, text);
	found = count_found(n->peers);
	view_add_layer(out, "dht", true, "%s, %zu peer%s found so", text, found,
		       found == 1 ? "" : "s");
}
