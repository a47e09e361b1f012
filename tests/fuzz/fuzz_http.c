/* SPDX-License-Identifier: MIT */
/* What is asked by HTTP, as it comes out of libevent: a path, a query, Accept and Host, each a line. */
#include "daemon/http/endpoints.h"
#include "daemon/http/process.h"
#include "tests/fuzz/fuzz.h"

static char *next_line(char **pos)
{
	char *line = strsep(pos, "\n");

	return line && *line ? line : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct view_counters counters;
	const struct histogram empty = { 0 };
	const struct process_facts process = { 0 };
	const struct view view = { .phase = VIEW_RUNNING,
				   .hostname = "node",
				   .ifname = "wg0",
				   .backend = "kernel",
				   .identity = "loaded",
				   .counters = &counters,
				   .reconcile_s = &empty,
				   .rtt_s = &empty };
	char *text = fuzz_text(data, size);
	char *pos = text;
	enum http_endpoint id = http_endpoint_find(next_line(&pos));
	struct http_request req = { .view = &view, .process = &process };
	struct http_answer answer = { 0 };

	req.query = next_line(&pos);
	req.accept = next_line(&pos);
	(void)http_host_is_local(next_line(&pos), "node");
	if (http_answer_make(&answer, id, &req) == 0) {
		FUZZ_CHECK(answer.status >= 200 && answer.status < 600 && answer.type);
		FUZZ_CHECK(strlen(answer.body) == answer.len);
		free(answer.body);
	}
	free(text);
	return 0;
}
