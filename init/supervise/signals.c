/* SPDX-License-Identifier: MIT */
#include "init/supervise/signals.h"
#include "common/str.h"
#include "init/process/signame.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum signal_class signals_classify(int sig)
{
	switch (sig) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		return SIGNAL_STOP;
	case SIGHUP:
		return SIGNAL_RELOAD;
	case SIGTTIN:
	case SIGTTOU:
		return SIGNAL_IGNORE;
	case SIGCHLD:
		return SIGNAL_CHILD;
	default:
		return SIGNAL_FORWARD;
	}
}

static int parse_signal(const char *text, size_t len)
{
	char name[SIGNAME_SIZE];

	if (len >= sizeof(name))
		return -EINVAL;
	str_cut(name, sizeof(name), text, len);
	return signame_parse(name);
}

/* One "FROM:TO" of the list. */
static int parse_rewrite(struct signals_plan *plan, const char *text, size_t len, struct err *e)
{
	const char *colon = memchr(text, ':', len);
	size_t from_len = colon ? (size_t)(colon - text) : 0;
	int from = colon ? parse_signal(text, from_len) : -EINVAL;
	int to = colon ? parse_signal(colon + 1, len - from_len - 1) : -EINVAL;

	if (from <= 0 || to < 0)
		return err_set(e, -EINVAL,
			       "\"%.*s\" must be FROM:TO with two signals, such as TERM:QUIT or "
			       "USR2:0",
			       (int)(len < 40 ? len : 40), text);
	if (from == SIGKILL || from == SIGSTOP || from == SIGCHLD)
		return err_set(e, -EINVAL, "\"%.*s\": wgmesh-init cannot pass that signal on",
			       (int)len, text);
	plan->to[from] = (uint8_t)to;
	return 0;
}

int signals_plan_parse(struct signals_plan *plan, const char *text, struct err *e)
{
	int r = 0;

	for (int sig = 0; sig <= SIGNALS_MAX; sig++)
		plan->to[sig] = (uint8_t)sig;
	while (r == 0 && text && *text) {
		size_t len = strcspn(text, ",");

		r = parse_rewrite(plan, text, len, e);
		text += len;
		text += *text == ',' ? 1 : 0;
	}
	return r;
}

enum signal_class signals_plan_classify(const struct signals_plan *plan, int sig)
{
	enum signal_class class = signals_classify(sig);
	int to = plan->to[sig];

	if (to == sig)
		return class;
	if (to == 0)
		return SIGNAL_IGNORE;
	if (class == SIGNAL_STOP || signals_classify(to) == SIGNAL_STOP)
		return SIGNAL_STOP;
	return class == SIGNAL_RELOAD ? SIGNAL_RELOAD : SIGNAL_FORWARD;
}
