/* SPDX-License-Identifier: MIT */
/*
 * livecheck - is a key in use in the mesh right now? Asked before a node is made of it a second time
 *
 * Listens to what nodes announce on the LAN (protocol.md section 7), and asks known peers whom they
 * know by one exchange each (section 9), as a node with a key that is thrown away, which says
 * goodbye at the end (B23). Nobody answering proves nothing, and is told apart.
 */
#ifndef DAEMON_STATE_LIVECHECK_H
#define DAEMON_STATE_LIVECHECK_H

#include "common/err.h"
#include "daemon/net/addr.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/announce.h"
#include "daemon/wire/derive.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVECHECK_ASK_MAX  32
#define LIVECHECK_LIMIT_MS 6000 /* nodes announce themselves every five seconds, or nearly so */

/**
 * struct livecheck - What is asked
 * @keys:	Of the mesh; borrowed
 * @wanted:	The key
 * @ask:	Control endpoints of peers; borrowed
 * @n_ask:	Entries in @ask, at most LIVECHECK_ASK_MAX
 * @limit_ms:	How long to wait for answers, and for announcements
 */
struct livecheck {
	const struct mesh_keys *keys;
	struct wg_key wanted;
	const struct endpoint *ask;
	size_t n_ask;
	int64_t limit_ms;
};

/**
 * struct livecheck_result - What was heard
 * @is_live:	The key is in use
 * @where:	"it announces itself from 10.0.0.5", "node-2 (10.0.0.6:52000) knows it as active"
 * @n_heard:	Datagrams of members that were heard; 0 means that nothing can be said
 */
struct livecheck_result {
	bool is_live;
	char where[200];
	size_t n_heard;
};

/**
 * livecheck_run() - Ask, and wait
 * @out:	Receives what was heard
 * @q:		What is asked
 * @e:		Receives the reason on failure
 *
 * Ends as soon as the key is heard of, otherwise after @q->limit_ms.
 *
 * Return: 0, or a negative errno value when no socket can be opened
 */
int livecheck_run(struct livecheck_result *out, const struct livecheck *q, struct err *e);

/**
 * livecheck_judge() - What does an announcement say of the key? Pure
 * @out:	@n_heard is counted, and the rest filled in when the key is heard of
 * @wanted:	The key
 * @a:		What a member said, with known peers when it answers us
 * @from:	Where it came from
 */
void livecheck_judge(struct livecheck_result *out, const struct wg_key *wanted,
		     const struct announcement *a, const struct endpoint *from);

#endif /* DAEMON_STATE_LIVECHECK_H */
