/* SPDX-License-Identifier: MIT */
/* doctor - facts to judge, and the lines that come of them */
#ifndef TESTS_UNIT_DOCTOR_H
#define TESTS_UNIT_DOCTOR_H

#include "tests/unit/test.h"

#include "daemon/doctor/judge.h"

#include <errno.h>
#include <string.h>

typedef void judge_fn(struct report *r, const struct facts *f);

static struct report said;
static struct facts facts;

/* A host without a node, with the kernel's WireGuard, and with nothing wrong. */
static inline int doctor_setup(void **state)
{
	(void)state;
	said = (struct report) { 0 };
	facts = (struct facts) {
		.wanted = { .state_dir = "/state",
			    .ifname = "wg0",
			    .wireguard_go = "wireguard-go",
			    .listen_port = 51820 },
		.node = { .code = -ENOENT },
		.supervisor = { .code = -ENOENT, .last_exit = -1 },
		.storage = { .step = STORAGE_DONE, .free_kib = 1 << 20, .key_code = -ENOENT },
		.caps = { .has = true, .is_permitted = true, .is_bound = true },
		.links = { .underlay = 1500 },
	};
	return 0;
}

static inline void doctor_judge(judge_fn *fn)
{
	said.n = 0;
	fn(&said, &facts);
	assert_in_range(said.n, 1, REPORT_MAX);
	for (size_t i = 0; i < said.n; i++) {
		/* Nothing was cut off, and a complaint comes with what to do. */
		assert_in_range(strlen(said.lines[i].text), 1, REPORT_TEXT_SIZE - 2);
		assert_in_range(strlen(said.lines[i].cure), 0, REPORT_TEXT_SIZE - 2);
		assert_int_equal(said.lines[i].exit_code != 0, said.lines[i].result == REPORT_FAIL);
	}
}

static inline void doctor_line(size_t i, enum report_result result, const char *text,
			       const char *cure)
{
	assert_in_range(i, 0, said.n - 1);
	assert_string_equal(said.lines[i].text, text);
	assert_string_equal(said.lines[i].cure, cure);
	assert_int_equal(said.lines[i].result, result);
}

/* The judge has one line to say, and this is it. */
static inline void doctor_only(judge_fn *fn, enum report_result result, const char *text,
			       const char *cure)
{
	doctor_judge(fn);
	doctor_line(0, result, text, cure);
	assert_int_equal(said.n, 1);
}

static inline void doctor_fails(judge_fn *fn, int exit_code, const char *text, const char *cure)
{
	doctor_only(fn, REPORT_FAIL, text, cure);
	assert_int_equal(said.lines[0].exit_code, exit_code);
}

/* A node that runs here and answers. */
static inline void doctor_run_node(void)
{
	facts.node = (struct node_facts) { .version = WGMESH_VERSION,
					   .backend = "userspace",
					   .phase = "running",
					   .network_id = "0123456789abcdef",
					   .listen_port = 51820,
					   .gossip_port = 52000,
					   .has_peers = true,
					   .active = 2,
					   .total = 3 };
}

#endif /* TESTS_UNIT_DOCTOR_H */
