/* SPDX-License-Identifier: MIT */
/* What PID 1 reads beside mountinfo: its own files, notifications, cgroup files; the first byte chooses. */
#include "common/holder.h"
#include "common/marker.h"
#include "common/statusline.h"
#include "init/lock/lease.h"
#include "init/state/keyshow.h"
#include "init/supervise/history.h"
#include "init/supervise/notify.h"
#include "init/supervise/oom.h"
#include "init/supervise/signals.h"
#include "tests/fuzz/fuzz.h"

static void try_marker(const char *text)
{
	char out[MARKER_TEXT_SIZE];
	struct marker m;
	struct marker again;

	if (marker_parse(&m, text) < 0)
		return;
	FUZZ_CHECK(marker_format(&m, out) < sizeof(out));
	FUZZ_CHECK(marker_parse(&again, out) == 0);
}

static void try_lease(const char *text)
{
	struct lease_text t;
	char holder[HOLDER_TEXT_SIZE];
	char out[LEASE_TEXT_SIZE];

	lease_parse(text, &t);
	holder_describe(&t.holder, holder);
	if (t.form == LEASE_HELD || t.form == LEASE_FREE)
		FUZZ_CHECK(lease_format(&t, out) < sizeof(out));
	(void)lease_term_of(text);
}

static void try_notify(const char *text)
{
	struct notify_message m;

	(void)notify_parse(&m, text, strlen(text));
}

static void try_status(const char *text)
{
	char key[STATUSLINE_KEY_SIZE];
	char value[STATUSLINE_VALUE_SIZE];
	const char *pos = text;

	while (statusline_next(&pos, key, value)) {
		FUZZ_CHECK(pos > text && pos <= text + strlen(text));
		(void)statusline_is_bare(key, value);
	}
	(void)statusline_value(text, "volume", value, sizeof(value));
}

static void try_small(const char *text)
{
	struct oom_counters counters;
	struct signals_plan plan;
	struct history h;
	struct keypair keys;
	struct err e = { 0 };
	char path[64];

	history_parse(&h, text);
	FUZZ_CHECK(h.n <= HISTORY_MAX);
	(void)oom_parse_cgroup(text, 1, path, sizeof(path));
	(void)oom_parse_cgroup(text, 2, path, sizeof(path));
	(void)oom_parse_counters(&counters, text);
	(void)oom_parse_limit(text);
	(void)keyshow_parse(text, &keys);
	(void)signals_plan_parse(&plan, text, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *) = { try_marker, try_lease, try_notify,
						       try_status, try_small };
	char *text;

	if (size == 0)
		return -1;
	text = fuzz_text(data + 1, size - 1);
	tries[(data[0] + 3U) % (sizeof(tries) / sizeof(tries[0]))](text);
	free(text);
	return 0;
}
