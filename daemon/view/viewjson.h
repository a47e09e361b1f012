/* SPDX-License-Identifier: MIT */
/* viewjson - a node and its peers as JSON, for the control socket and for HTTP; pure */
#ifndef DAEMON_VIEW_VIEWJSON_H
#define DAEMON_VIEW_VIEWJSON_H

#include "daemon/view/view.h"

#include <jansson.h>

/**
 * viewjson_status() - What `daemon.status` and /health answer
 * @v:		The node; borrowed
 *
 * Members that are not known, such as addresses while the node starts, are left out.
 *
 * Return: object owned by the caller (json_decref()), NULL without memory
 */
json_t *viewjson_status(const struct view *v);

/**
 * viewjson_peer() - One entry of `peers.list`
 * @v:		The node; borrowed
 * @p:		One of its peers
 *
 * The members of existing nodes come first and mean the same (protocol.md section 14).
 *
 * Return: object owned by the caller, NULL without memory
 */
json_t *viewjson_peer(const struct view *v, const struct peer *p);

/**
 * viewjson_supervisor() - The member "supervisor" of viewjson_status()
 * @text:	Lines of PID 1; borrowed; NULL when there are none
 *
 * Return: object, or JSON's null, owned by the caller; NULL without memory
 */
json_t *viewjson_supervisor(const char *text);

/**
 * struct viewjson_counts - Peers by what they are
 * @active:	Heard of lately, or with a live tunnel
 * @total:	In the table
 * @direct:	With a tunnel of their own
 * @relayed:	Reached through another node
 */
struct viewjson_counts {
	int active;
	int total;
	int direct;
	int relayed;
};

/**
 * viewjson_count() - Count the peers of a view
 */
struct viewjson_counts viewjson_count(const struct view *v);

#endif /* DAEMON_VIEW_VIEWJSON_H */
