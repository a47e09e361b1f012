/* SPDX-License-Identifier: MIT */
/* viewfix - a node with four peers, as those who answer questions see it */
#ifndef TESTS_UNIT_VIEWFIX_H
#define TESTS_UNIT_VIEWFIX_H

#include "common/str.h"
#include "daemon/http/process.h"
#include "daemon/view/view.h"
#include "tests/unit/fixtures.h"

#include <stdlib.h>
#include <string.h>

#define VIEWFIX_SUPERVISOR                                                                  \
	"healthy=true\nstate=running\nuptime_s=77\nrestarts=2\nfailures=0\nlast_exit=137\n" \
	"verdict=persistent\nboots=5\nproof=proven\nstorage=ok\ncloned=false\n"

/**
 * struct viewfix - A view, and what it borrows
 */
struct viewfix {
	struct view view;
	struct view_counters counters;
	struct histogram reconcile_s;
	struct histogram rtt_s;
	struct process_facts process;
};

static inline struct peer *viewfix_peer(struct viewfix *f, unsigned int n)
{
	struct known_peer who = peer_of(n);
	struct sighting s = { .who = &who, .method = METHOD_LAN };
	struct peer *p = NULL;

	(void)str_copy(who.hostname, sizeof(who.hostname), "peer");
	assert_int_equal(peers_sight(f->view.peers, &s, at(0), &p), PEER_NEW);
	p->rx_bytes = 1000 * n;
	p->tx_bytes = 10 * n;
	return p;
}

static inline int viewfix_set_up(void **state)
{
	static const double bounds[] = { 0.005, 1, 10 };
	struct viewfix *f = calloc(1, sizeof(*f));
	struct wg_key self = key_of(25);
	struct view *v = &f->view;

	assert_non_null(f);
	v->phase = VIEW_RUNNING;
	v->now = at(60000);
	v->uptime_ms = 61500;
	v->hostname = "web";
	v->ifname = "wg0";
	v->backend = "kernel";
	v->identity = "loaded";
	v->identity_since_s = UNIX_START;
	(void)str_copy(v->pubkey, sizeof(v->pubkey), "aGVsbG8=");
	(void)str_copy(v->network_id, sizeof(v->network_id), "0011223344556677");
	v->mesh_ip = ip_of("10.77.0.25");
	v->peers = peers_new(&self);
	assert_non_null(v->peers);
	for (unsigned int n = 1; n <= 4; n++)
		(void)viewfix_peer(f, n);
	v->checks[0] = (struct view_check) { .name = "netadmin", .text = "answers" };
	v->checks[1] = (struct view_check) { .name = "state", .text = "can be written" };
	v->n_checks = 2;
	v->supervisor = VIEWFIX_SUPERVISOR;
	f->counters.datagrams[FATE_STALE] = 3;
	f->counters.sightings[1] = 4;
	v->counters = &f->counters;
	f->reconcile_s = (struct histogram) { .bounds = bounds, .n_bounds = 3 };
	f->rtt_s = f->reconcile_s;
	histogram_add(&f->reconcile_s, 0.001);
	histogram_add(&f->reconcile_s, 0.5);
	histogram_add(&f->reconcile_s, 60);
	v->reconcile_s = &f->reconcile_s;
	v->rtt_s = &f->rtt_s;
	f->process = (struct process_facts) { .cpu_s = 1.25,
					      .resident_bytes = 4096,
					      .virtual_bytes = -1,
					      .open_fds = 12,
					      .max_fds = 1024,
					      .start_unix_s = UNIX_START + 0.5 };
	*state = f;
	return 0;
}

static inline int viewfix_tear_down(void **state)
{
	struct viewfix *f = *state;

	peers_free(f->view.peers);
	free(f);
	return 0;
}

#endif /* TESTS_UNIT_VIEWFIX_H */
