/* SPDX-License-Identifier: MIT */
#include "init/boot.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/log.h"
#include "init/cli.h"
#include "init/clock.h"
#include "init/process/mask.h"
#include "init/termlog.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM_NAME  "wgmesh-init"
#define LAST_WORDS_MS 200

const char *phase_name(enum phase_id id)
{
	static const char *const names[] = {
		[PHASE_SIGNALS] = "signals",	     [PHASE_VOLUME] = "volume",
		[PHASE_WRITABILITY] = "writability", [PHASE_LOCK] = "lock",
		[PHASE_OWNERSHIP] = "ownership",     [PHASE_MIGRATE] = "migrate",
		[PHASE_VERIFY] = "verify",	     [PHASE_PRIVILEGES] = "privileges",
		[PHASE_SUPERVISE] = "supervise",
	};

	_Static_assert(ARRAY_LEN(names) == PHASE_COUNT, "a name for every phase");
	return names[id];
}

const char *outcome_name(enum phase_outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_OK] = "ok",	       [OUTCOME_WARNED] = "warned",
		[OUTCOME_SKIPPED] = "skipped", [OUTCOME_REFUSED] = "refused",
		[OUTCOME_STOPPED] = "stopped", [OUTCOME_PENDING] = "pending",
		[OUTCOME_RUNNING] = "running",
	};

	return names[outcome];
}

void boot_init(struct boot *b)
{
	memset(b, 0, sizeof(*b));
	b->started_us = clock_mono_us();
	b->state_fd = -1;
	b->lock_fd = -1;
	b->dir_lock_fd = -1;
	keeper_init(&b->keeper);
	for (size_t i = 0; i < PHASE_COUNT; i++)
		b->phases[i].outcome = OUTCOME_PENDING;
}

void boot_fini(struct boot *b)
{
	/* A reader that lags gets the last words too, if it hurries. */
	(void)log_flush(LAST_WORDS_MS);
	keeper_fini(&b->keeper);
	config_fini(&b->config);
	if (b->state_fd >= 0)
		(void)close(b->state_fd);
	if (b->dir_lock_fd >= 0)
		(void)close(b->dir_lock_fd);
	if (b->lock_fd >= 0)
		(void)close(b->lock_fd);
	b->state_fd = -1;
	b->lock_fd = -1;
	b->dir_lock_fd = -1;
}

void boot_note(struct boot *b, const char *fmt, ...)
{
	struct phase *p = &b->phases[b->current];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->note, sizeof(p->note), fmt, ap);
	va_end(ap);
}

int boot_skip_stateless(struct boot *b)
{
	bool is_refused = b->phases[PHASE_WRITABILITY].outcome == OUTCOME_REFUSED;

	boot_note(b, is_refused ? "not looked at: the state directory cannot be used"
				: "there is no state directory yet");
	return OUTCOME_SKIPPED;
}

void boot_warn(const struct boot *b, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_event_as(EVENT_PHASE_WARNING,
		     (struct log_as) { phase_name(b->current), LOG_LEVEL_WARN }, NULL, "%s", text);
}

bool boot_is_stopped(void)
{
	auto_close int fd = mask_open_stop();
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) == 1;
}

static void warn_unknown_env(const struct config *c)
{
	char name[64];
	const char *nearest = NULL;
	size_t pos = 0;

	while (settings_unknown_env(c->env.given, &pos, name, &nearest)) {
		if (nearest)
			log_event(EVENT_VARIABLE_UNKNOWN, NULL,
				  "the variable %s is not known; did you mean %s?", name, nearest);
		else
			log_event(EVENT_VARIABLE_UNKNOWN, NULL, "the variable %s is not known",
				  name);
	}
}

static int set_up_log(const struct config *c, struct err *e)
{
	const struct settings *s = &c->settings;
	enum log_format format = (enum log_format)settings_number(s, SETTING_LOG_FORMAT);
	const char *levels = settings_text(s, SETTING_LOG_LEVEL);

	if (log_init(PROGRAM_NAME, format, levels) < 0)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s=\"%.100s\" must be error, warn, info or debug, or a list such "
				"as \"info,volume=debug\"",
				settings_origin(s, SETTING_LOG_LEVEL), levels);
	return 0;
}

bool boot_configure(struct boot *b, unsigned int scope, char **argv, char **envp)
{
	struct err e = { 0 };
	int r;

	(void)log_init(PROGRAM_NAME, LOG_FORMAT_AUTO, NULL);
	r = config_load(&b->config, scope, argv, envp, &e);
	if (r == -ECANCELED) {
		cli_help();
		b->exit_code = EXITS_OK;
		return false;
	}
	if (r == 0)
		r = set_up_log(&b->config, &e);
	if (r < 0) {
		b->exit_code = e.exit_code ? e.exit_code : EXITS_SYSTEM;
		log_event(EVENT_SETTINGS_REFUSED, NULL, "%s", e.msg);
		termlog_write(e.msg);
		return false;
	}
	warn_unknown_env(&b->config);
	return true;
}

/* A plain supervisor is started for its program's output: its own start is no news. */
static enum log_level quiet_level(const struct boot *b)
{
	return b->config.is_plain ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

static void format_ms(char out[static 24], uint64_t us)
{
	(void)snprintf(out, 24, "%llu.%03u", (unsigned long long)(us / 1000),
		       (unsigned int)(us % 1000));
}

static bool end_stopped(struct boot *b, int sig)
{
	const char *name = phase_name(b->current);

	b->phases[b->current].outcome = OUTCOME_STOPPED;
	b->exit_code = 128 + sig;
	log_event_as(EVENT_PHASE_STOPPED, (struct log_as) { name, LOG_LEVEL_INFO }, NULL,
		     "stopped by signal %d (%s) before the daemon started", sig, strsignal(sig));
	termlog_write("stopped by a signal before the daemon started");
	return false;
}

/* The kernel's word for it, unless the refusal is our own and the sentence says everything. */
static const char *reason_of(const struct err *e)
{
	bool is_ours = e->exit_code == EXITS_POLICY || e->exit_code == EXITS_LOCKED;

	return is_ours || e->code == 0 ? NULL : strerror(-e->code);
}

static void refuse(struct boot *b, const struct err *e, const char *duration_ms)
{
	struct phase *p = &b->phases[b->current];
	int exit_code = e->exit_code ? e->exit_code : EXITS_SYSTEM;
	char code[12];

	p->outcome = OUTCOME_REFUSED;
	(void)snprintf(p->note, sizeof(p->note), "%s", e->msg);
	if (b->exit_code == 0)
		b->exit_code = exit_code;
	(void)snprintf(code, sizeof(code), "%d", exit_code);
	log_event_as(
		EVENT_PHASE_REFUSED, (struct log_as) { phase_name(b->current), LOG_LEVEL_ERROR },
		LOG_FIELDS({ "outcome", outcome_name(p->outcome) }, { "duration_ms", duration_ms },
			   { "exit_code", code }, { "reason", reason_of(e) }),
		"%s", e->msg);
	if (!b->is_report)
		termlog_write(e->msg);
}

static void succeed(struct boot *b, enum phase_outcome outcome, const char *duration_ms)
{
	struct phase *p = &b->phases[b->current];
	bool is_warned = outcome == OUTCOME_WARNED;
	struct log_as as = { phase_name(b->current), is_warned ? LOG_LEVEL_WARN : quiet_level(b) };

	p->outcome = outcome;
	log_event_as(
		is_warned ? EVENT_PHASE_DONE_WARNED : EVENT_PHASE_DONE, as,
		LOG_FIELDS({ "outcome", outcome_name(outcome) }, { "duration_ms", duration_ms }),
		"%s", p->note[0] ? p->note : "done");
}

static int run_phase(struct boot *b, phase_function *run, struct err *e)
{
	bool is_storage = b->current >= PHASE_VOLUME && b->current <= PHASE_VERIFY;

	if (b->config.is_plain && is_storage) {
		boot_note(b, "nothing to look after: a plain supervisor");
		return OUTCOME_SKIPPED;
	}
	return run(b, e);
}

/* Without state no phase takes long, and the program gets the signal itself a moment later. */
static bool is_stoppable(const struct boot *b, enum phase_id id)
{
	return id < PHASE_SUPERVISE && !b->config.is_plain;
}

bool boot_phase(struct boot *b, enum phase_id id, phase_function *run)
{
	struct err e = { 0 };
	char duration_ms[24];
	uint64_t start_us = clock_mono_us();
	int sig;
	int r;

	b->current = id;
	b->phases[id].outcome = OUTCOME_RUNNING;
	r = run_phase(b, run, &e);
	b->phases[id].duration_us = clock_mono_us() - start_us;
	format_ms(duration_ms, b->phases[id].duration_us);
	if (r == -EINTR || (r >= 0 && is_stoppable(b, id))) {
		sig = mask_take_stop();
		if (sig > 0)
			return end_stopped(b, sig);
	}
	if (r < 0) {
		refuse(b, &e, duration_ms);
		return b->is_report;
	}
	succeed(b, (enum phase_outcome)r, duration_ms);
	return true;
}
