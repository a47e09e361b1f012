/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * netadmin owns the state directory and reads the file, which may lie on a disk that is slow; what it
 * says is parsed here, where a parser of bytes belongs. Either all of it is applied, or nothing.
 */
#include "common/io.h"
#include "common/log.h"
#include "daemon/node/node_impl.h"
#include "daemon/node/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void file_path(const struct node *n, char out[static 160])
{
	(void)snprintf(out, 160, "%.120s/%s.reload", n->cfg->state_dir, n->cfg->ifname);
}

int node_log_levels(struct node *n, const char *levels, struct err *e)
{
	struct netadmin_request req = { .op = NETADMIN_LOG };

	if (log_set_levels(levels) < 0)
		return err_set(
			e, -EINVAL,
			"\"%.60s\" are no log levels: write error, warn, info or debug, and for "
			"single components \"info,exchange=debug\"",
			levels);
	(void)snprintf(req.levels, sizeof(req.levels), "%s", levels);
	adminlink_send(n->admin, &req, -1);
	return 0;
}

int node_reload_begin(struct node *n, struct err *e)
{
	struct netadmin_request req = { .op = NETADMIN_RELOAD };

	if (n->phase != NODE_RUNNING)
		return err_set(e, -EAGAIN, "this node is not running yet, or stops; try again");
	if (n->reload_pending)
		return 0;
	n->reload_pending = true;
	gather_expire(&n->gather, GATHER_RELOAD);
	node_notify_reload_begins(n);
	adminlink_send(n->admin, &req, -1);
	return 0;
}

static bool is_same(const struct routelist *a, const struct routelist *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = prefix_equal(&a->net[i], &b->net[i]);
	return same;
}

static void advertise(struct node *n, const struct routelist *routes)
{
	if (is_same(&n->advertised, routes))
		return;
	n->advertised = *routes;
	node_forward_ask(n);
	lan_announce(n->lan);
	node_peers_greet(n);
}

static int apply(struct node *n, const struct reload *what, const char *path, struct err *e)
{
	struct err why = { 0 };

	/* The levels can still be refused, and then nothing must have happened. */
	if (what->has_levels && node_log_levels(n, what->levels, &why) < 0)
		return err_set(e, -EINVAL, "%.120s line %u: %.240s", path, what->levels_line,
			       why.msg);
	if (what->has_routes)
		advertise(n, &what->routes);
	if (what->has_peers)
		n->static_peers = what->peers;
	if (what->has_dns)
		n->dns_peers = what->dns;
	if (what->has_peers || what->has_dns)
		node_ways_reload(n);
	return 0;
}

static int take_file(struct node *n, int fd, const char *path, struct err *e)
{
	static struct reload what;
	char text[RELOAD_FILE_MAX];
	ssize_t len = io_read_bounded(fd, text, sizeof(text));

	if (len < 0)
		return err_set(e, (int)len, "%s cannot be read", path);
	if (reload_parse(&what, text, (size_t)len, path, e) < 0)
		return -EINVAL;
	return apply(n, &what, path, e);
}

void node_reload_take(struct node *n, const struct err *e, int fd)
{
	char path[160];
	struct err why = { 0 };

	file_path(n, path);
	n->reload_pending = false;
	n->reload_note[0] = '\0';
	if (fd >= 0 ? take_file(n, fd, path, &why) < 0 : e->code != -ENOENT) {
		(void)snprintf(n->reload_note, sizeof(n->reload_note), "%s",
			       fd >= 0 ? why.msg : e->msg);
		log_event(EVENT_RELOAD_REFUSED, NULL, "nothing was reloaded: %s", n->reload_note);
	} else {
		log_event(EVENT_RELOAD_DONE, NULL,
			  fd >= 0 ? "reloaded %s" : "there is no %s, so nothing has changed", path);
	}
	node_notify_reload_ends(n);
	gather_came(&n->gather, GATHER_RELOAD);
}
