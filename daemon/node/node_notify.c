/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * The heartbeat goes through netadmin: at half of the watchdog's interval the mesh process sends it
 * an echo request, and the answer is what becomes WATCHDOG=1. So a beat proves that both processes
 * turn, within the one interval, and there is no second timer to compare. While an answer is owed
 * nothing more is asked.
 *
 * The status text is compared whenever the peer table may have changed, and sent when it differs;
 * a timer runs only while a change waits for its second to be over.
 */
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How long setting up may take at most: what netadmin waits for has limits that sum up to this. */
#define START_BOUND_US	 20000000
#define STATUS_PAUSE_MS	 1000
#define BEAT_SHORTEST_US 1000

/* --- the heartbeat --------------------------------------------------------------------------- */

static void on_beat_timer(evutil_socket_t fd, short what, void *arg)
{
	struct netadmin_request req = { .op = NETADMIN_ECHO };
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase != NODE_RUNNING || n->echo_owed)
		return;
	n->echo_owed = true;
	node_admin_owes(n);
	adminlink_send(n->admin, &req, -1);
}

void node_notify_echoed(struct node *n)
{
	n->echo_owed = false;
	if (n->phase == NODE_RUNNING)
		notify_send(n->notify, &(struct notify_say) { .is_beat = true });
}

static void start_beating(struct node *n)
{
	uint64_t us = n->notify->watchdog_us / 2;
	struct timeval period;

	if (n->notify->watchdog_us == 0)
		return;
	if (us < BEAT_SHORTEST_US)
		us = BEAT_SHORTEST_US;
	period.tv_sec = (time_t)(us / 1000000);
	period.tv_usec = (suseconds_t)(us % 1000000);
	(void)event_add(n->beat_timer, &period);
}

/* --- the status text ------------------------------------------------------------------------- */

void node_notify_format(char out[static NOTIFY_STATUS_SIZE], const struct node *n)
{
	char ip[IP_TEXT_SIZE];
	size_t total = 0;
	size_t heard = 0;

	for (const struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		if (!p->applied.present)
			continue;
		total++;
		heard += p->handshake_s != 0 ? 1 : 0;
	}
	(void)ip_format(ip, &n->ready.mesh_ip);
	(void)snprintf(out, NOTIFY_STATUS_SIZE,
		       "%s up as %s, %zu peer%s, %zu with a handshake%s%.80s", n->cfg->ifname, ip,
		       total, total == 1 ? "" : "s", heard,
		       n->clone.is_on ? "; its key is also live on " : "",
		       n->clone.is_on ? n->clone_place : "");
}

static void send_status(struct node *n, const struct notify_say *with, int64_t now_ms)
{
	struct notify_say say = *with;

	node_notify_format(n->status, n);
	n->status_ms = now_ms;
	say.status = n->status;
	if (n->clone_told != n->clone.is_on)
		say.clone = n->clone.is_on ? "1" : "0";
	n->clone_told = n->clone.is_on;
	notify_send(n->notify, &say);
}

void node_notify_changed(struct node *n)
{
	char text[NOTIFY_STATUS_SIZE];
	int64_t now_ms = clock_now().mono_ms;
	int64_t wait_ms = n->status_ms + STATUS_PAUSE_MS - now_ms;
	struct timeval pause = { .tv_usec = wait_ms % 1000 * 1000, .tv_sec = wait_ms / 1000 };

	if (n->notify->fd < 0 || n->phase != NODE_RUNNING || evtimer_pending(n->status_timer, NULL))
		return;
	node_notify_format(text, n);
	if (strcmp(text, n->status) == 0)
		return;
	if (wait_ms > 0)
		(void)event_add(n->status_timer, &pause);
	else
		send_status(n, &(struct notify_say) { 0 }, now_ms);
}

static void on_status_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_notify_changed(arg);
}

/* --- what happens once ----------------------------------------------------------------------- */

int node_notify_init(struct node *n)
{
	n->beat_timer = event_new(n->base, -1, EV_PERSIST, on_beat_timer, n);
	n->status_timer = evtimer_new(n->base, on_status_timer, n);
	return n->beat_timer && n->status_timer ? 0 : -ENOMEM;
}

void node_notify_starting(struct node *n)
{
	char text[NOTIFY_STATUS_SIZE];

	(void)snprintf(text, sizeof(text), "setting up %s", n->cfg->ifname);
	notify_send(n->notify,
		    &(struct notify_say) { .extend_us = START_BOUND_US, .status = text });
}

void node_notify_ready(struct node *n)
{
	char serves[80];

	(void)snprintf(serves, sizeof(serves), "%s %s", n->cfg->ifname, n->self.key_text);
	send_status(n,
		    &(struct notify_say) { .is_ready = true,
					   .is_beat = n->notify->watchdog_us > 0,
					   .serves = serves },
		    clock_now().mono_ms);
	start_beating(n);
}

void node_notify_reload_begins(struct node *n)
{
	if (n->phase == NODE_RUNNING)
		notify_send(n->notify,
			    &(struct notify_say) { .is_reloading = true,
						   .monotonic_us = clock_monotonic_us() });
}

void node_notify_reload_ends(struct node *n)
{
	if (n->phase == NODE_RUNNING)
		notify_send(n->notify, &(struct notify_say) { .is_ready = true });
}

void node_notify_stopping(struct node *n)
{
	char text[NOTIFY_STATUS_SIZE];

	(void)event_del(n->beat_timer);
	(void)event_del(n->status_timer);
	(void)snprintf(text, sizeof(text), "saying goodbye and deleting %s", n->cfg->ifname);
	notify_send(n->notify, &(struct notify_say) { .is_stopping = true, .status = text });
}

void node_notify_failed(struct node *n, int error_number, const char *sentence)
{
	/* What is too long is cut; the log has it whole. */
	notify_send(n->notify,
		    &(struct notify_say) { .error_number = error_number, .status = sentence });
}
