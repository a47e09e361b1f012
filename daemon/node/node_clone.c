/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Two nodes with one key steal each other's tunnels: every peer sends to whichever was heard last.
 * Neither can mend that, and nothing tells which one is right, so both go on and say so loudly; and
 * so does every peer, for the two may not be able to hear each other. On the LAN they do: there
 * everybody hears every announcement, one's own included.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <stdio.h>
#include <string.h>

#define REPEAT_MS 600000 /* how often a person is told again */

void node_clone_init(struct node *n)
{
	uint64_t random = 0;

	n->start_unix_s = clock_now().unix_s;
	crypto_random(&random, sizeof(random));
	(void)snprintf(n->instance, sizeof(n->instance), "%016llx", (unsigned long long)random);
}

static void raise_alarm(const struct node *n)
{
	log_event(
		EVENT_CLONE_FOUND, LOG_FIELDS({ "public_key", n->self.key_text }),
		"this node's key is live in a second place: %s; a volume or a machine was copied, "
		"and each of the two takes the other's packets: stop one, and give it a key of its "
		"own with an empty state directory",
		n->clone_place);
}

/* Somebody else announces our key. */
static void take_foreign(struct node *n, const struct announcement *a, const struct endpoint *from,
			 int64_t now_ms)
{
	char text[ENDPOINT_TEXT_SIZE];

	(void)snprintf(n->clone_place, sizeof(n->clone_place), "%s at %s",
		       a->self.hostname[0] != '\0' ? a->self.hostname : "a host without a name",
		       endpoint_format(text, from));
	if (clone_hear_own_key(&n->clone, a->timestamp, n->start_unix_s, now_ms))
		raise_alarm(n);
}

void node_clone_settle(struct node *n)
{
	if (clone_is_over(&n->clone, clock_now().mono_ms))
		log_event(EVENT_CLONE_SILENT, NULL,
			  "the second node with this node's key is silent now");
}

bool node_clone_heard(struct node *n, const struct announcement *a, const struct endpoint *from)
{
	bool is_own_key = memcmp(&a->self.key, &n->ready.public_key, sizeof(a->self.key)) == 0;
	int64_t now_ms = clock_now().mono_ms;

	if (is_own_key && strcmp(a->instance, n->instance) != 0)
		take_foreign(n, a, from, now_ms);
	else
		node_clone_settle(n);
	return is_own_key;
}

void node_clone_follow(struct node *n, const struct peer *p, const struct announcement *a,
		       const struct endpoint *from)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct node_peer *row = &n->rows[p->slot];
	int64_t now_ms = clock_now().mono_ms;

	if (!clone_follow(&row->trail, a->instance) ||
	    (row->clone_ms != 0 && now_ms - row->clone_ms < REPEAT_MS))
		return;
	row->clone_ms = now_ms;
	log_event(EVENT_PEER_CLONED,
		  LOG_FIELDS({ "peer", p->key_text }, { "host", a->self.hostname },
			     { "endpoint", endpoint_format(text, from) }),
		  "two nodes announce the key of this peer in turns: a copied volume or machine? "
		  "Stop one of them");
}
