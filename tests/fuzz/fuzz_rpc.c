/* SPDX-License-Identifier: MIT */
/* A line on the control socket. */
#include "daemon/rpc/rpc.h"
#include "daemon/wire/json.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

static struct peers *peers;

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
	static const struct wg_key self = { .b = { 9 } };

	(void)argc;
	(void)argv;
	json_init();
	peers = peers_new(&self);
	FUZZ_CHECK(peers);
	return 0;
}

static int refuse_levels(void *arg, const char *levels, struct err *e)
{
	(void)arg;
	return err_set(e, -EINVAL, "no level \"%.20s\"", levels);
}

static int do_reload(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct view_counters counters;
	const struct histogram empty = { 0 };
	const struct view_source src = { .set_log_levels = refuse_levels, .reload = do_reload };
	const struct view view = { .phase = VIEW_RUNNING,
				   .hostname = "node",
				   .ifname = "wg0",
				   .backend = "kernel",
				   .identity = "loaded",
				   .counters = &counters,
				   .reconcile_s = &empty,
				   .rtt_s = &empty,
				   .peers = peers };
	char *exact = malloc(size + !size);
	struct rpc_call *call;
	char *answer;

	if (size > RPC_LINE_MAX) {
		free(exact);
		return -1;
	}
	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	call = rpc_begin(exact, size, &src);
	FUZZ_CHECK(call);
	answer = rpc_finish(call, &view);
	FUZZ_CHECK(answer && answer[strlen(answer) - 1] == '\n');
	FUZZ_CHECK(strchr(answer, '\n') == answer + strlen(answer) - 1);
	free(answer);
	free(exact);
	return 0;
}
