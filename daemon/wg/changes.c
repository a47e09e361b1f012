/* SPDX-License-Identifier: MIT */
#include "daemon/wg/wg.h"

static const struct wg_peer_config *next_of_array(void *arg)
{
	struct wg_change_array *a = arg;

	return a->at < a->end ? a->at++ : NULL;
}

struct wg_changes wg_changes_of(struct wg_change_array *a)
{
	return (struct wg_changes) { .arg = a, .next = next_of_array };
}
