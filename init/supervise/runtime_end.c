/* SPDX-License-Identifier: MIT */
/* runtime_end - endings: of the daemon, of its helpers, of PID 1 itself; said, and written down */
#include "common/exits.h"
#include "common/log.h"
#include "common/str.h"
#include "init/clock.h"
#include "init/process/signame.h"
#include "init/supervise/runtime_impl.h"
#include "init/termlog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LAST_WORDS_MS 200

void runtime_note_stop(struct runtime *rt, const struct signalfd_siginfo *ssi)
{
	if (rt->stop.ssi_signo != 0)
		return;
	rt->stop = *ssi;
	sender_comm((pid_t)ssi->ssi_pid, rt->stop_comm);
}

static enum cause_ours our_part(enum supervise_kill killed)
{
	static const enum cause_ours parts[] = {
		[SUPERVISE_KILLED_NOT] = CAUSE_NONE,
		[SUPERVISE_KILLED_SILENT] = CAUSE_WATCHDOG,
		[SUPERVISE_KILLED_TRIGGER] = CAUSE_TRIGGER,
		[SUPERVISE_KILLED_UNREADY] = CAUSE_START_TIMEOUT,
		[SUPERVISE_KILLED_LINGERING] = CAUSE_STOP_TIMEOUT,
		[SUPERVISE_KILLED_STOP] = CAUSE_STOP_TIMEOUT,
	};

	return parts[killed];
}

static uint64_t patience_ms(const struct supervise *m)
{
	switch (m->killed) {
	case SUPERVISE_KILLED_SILENT:
		return m->watchdog_ms;
	case SUPERVISE_KILLED_UNREADY:
		return m->policy.start_timeout_ms;
	case SUPERVISE_KILLED_LINGERING:
	case SUPERVISE_KILLED_STOP:
		return m->policy.stop_timeout_ms;
	case SUPERVISE_KILLED_NOT:
	case SUPERVISE_KILLED_TRIGGER:
		break;
	}
	return 0;
}

static void gather(struct runtime *rt, const struct reaped *end, struct cause_facts *f)
{
	const struct supervise *m = &rt->machine;

	*f = (struct cause_facts) {
		.program = config_program_name(&rt->boot->config),
		.is_wgmesh = rt->boot->config.is_join,
		.code = end->code,
		.signal = end->signal,
		.run_ms = clock_mono_ms() - m->started_ms,
		.oom_known = oom_is_known(&rt->oom),
		.killed_by_us = our_part(m->killed),
		.patience_ms = patience_ms(m),
		.stop_signal = (int)rt->stop.ssi_signo,
		.stop_pid = (pid_t)rt->stop.ssi_pid,
		.stop_comm = rt->stop_comm,
		.is_terminal = rt->stop.ssi_code == SI_KERNEL,
		.status = rt->says,
	};
	/* Whoever ends when told to was not short of memory. */
	if (end->code == 0 || (m->stop_signal && end->signal != SIGKILL))
		return;
	f->oom_kills = oom_new_kills(&rt->oom, &f->oom_by_limit);
	f->oom_limit = f->oom_kills ? oom_limit(&rt->oom) : 0;
}

/* For the next container, on the volume. */
static void write_down(struct runtime *rt, const struct cause_facts *f)
{
	struct history_entry entry = { .ended_s = clock_utc_s(),
				       .boot_s = rt->boot_s,
				       .run_ms = f->run_ms,
				       .code = f->code,
				       .signal = f->signal };

	(void)str_copy(entry.cause, sizeof(entry.cause), cause_word(f));
	runtime_storage_note_end(rt, &entry);
}

static void log_end(const struct runtime *rt, const struct reaped *end, bool was_executed)
{
	bool was_asked = rt->machine.stop_signal != 0 || end->code == 0;
	struct log_as as = { .level = was_asked ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR };
	char code[12];

	if (runtime_is_wrapper(rt) && was_executed)
		as = runtime_news(rt);
	(void)snprintf(code, sizeof(code), "%d", end->code);
	log_event_as(was_asked ? EVENT_DAEMON_ENDED : EVENT_DAEMON_FAILED, as,
		     LOG_FIELDS({ "exit_code", code }), "%s", rt->cause);
}

static bool is_exec_error(const struct err *why)
{
	return why->code < 0 &&
	       (why->exit_code == EXITS_NOT_FOUND || why->exit_code == EXITS_NOT_EXECUTABLE);
}

void runtime_daemon_ended(struct runtime *rt, const struct reaped *end)
{
	struct err why = { 0 };
	char why_text[CAUSE_SIZE + 80];
	char last_line[LASTLINE_SIZE];
	struct cause_facts f;

	gather(rt, end, &f);
	runtime_watch_relay(rt, relay_drain(&rt->relay));
	relay_last_line(&rt->relay, last_line);
	f.last_line = last_line;
	if (rt->revoked[0]) {
		f.killed_by_us = CAUSE_REVOKED;
		f.why = rt->revoked;
	} else if (spawn_errors_take(&rt->errors, end->pid, &why) < 0) {
		(void)snprintf(why_text, sizeof(why_text), "%s: %s", why.msg, strerror(-why.code));
		f.killed_by_us = CAUSE_EXEC;
		f.why = why_text;
	}
	cause_sentence(&f, rt->cause);
	rt->daemon = 0;
	log_end(rt, end, f.killed_by_us != CAUSE_EXEC);
	/* Should the sink be full of the program's last words, ours come when there is room. */
	runtime_watch_relay(rt, relay_pump(&rt->relay));
	write_down(rt, &f);
	runtime_feed(rt, (struct supervise_event) { .type = SUPERVISE_EXITED,
						    .code = end->code,
						    .signal = end->signal,
						    .is_final = is_exec_error(&why) });
}

void runtime_hook_ended(struct runtime *rt, const struct reaped *end)
{
	struct err why = { 0 };

	rt->hook = 0;
	if (spawn_errors_take(&rt->errors, end->pid, &why) < 0)
		log_event(EVENT_NETWORK_LEFT, NULL, "the network is not taken down: cannot %s: %s",
			  why.msg, strerror(-why.code));
	else if (end->code != 0)
		log_event(EVENT_TAKEDOWN_FAILED, NULL, "taking the network down ended with code %d",
			  end->code);
	else
		rt->is_network_down = true;
	runtime_feed(rt, (struct supervise_event) { .type = SUPERVISE_HOOK_DONE });
}

void runtime_say_spawner_lost(const struct runtime *rt)
{
	log_event(EVENT_SPAWNER_LOST, NULL,
		  "the process that starts programs for wgmesh-init has gone: %s goes on, but "
		  "cannot be started again, nor the network be taken down, before the container "
		  "is restarted",
		  config_program_name(&rt->boot->config));
}

void runtime_spawner_ended(struct runtime *rt)
{
	rt->spawner.pid = 0;
	if (rt->spawner.fd < 0)
		return;
	spawner_close(&rt->spawner);
	runtime_say_spawner_lost(rt);
}

/* What the end of PID 1 adds to the cause, which the log has already. */
static void note_end(struct boot *b, const struct supervise *m)
{
	char in_a_row[48] = "";

	if (m->failures > 1 && !m->stop_signal)
		(void)snprintf(in_a_row, sizeof(in_a_row), "%u failures in a row; ", m->failures);
	boot_note(b, "%s%sexit code %d", in_a_row,
		  m->is_forced ? "what was left had to be killed; " : "", m->exit_code);
}

/*
 * For whoever asks the orchestrator why the container ended. The daemon knows only that it may not
 * touch the network; why it may not, PID 1 found out before.
 */
static void write_last_words(const struct runtime *rt)
{
	const struct boot *b = rt->boot;
	bool has_advice = b->exit_code == EXITS_NO_PERMISSION && b->advice[0];
	char text[CAUSE_SIZE + sizeof(b->phases[0].note) + sizeof(b->advice) + 8];

	(void)snprintf(text, sizeof(text), "%s%s%s; %s", has_advice ? b->advice : "",
		       has_advice ? "; " : "", rt->cause[0] ? rt->cause : "nothing was started",
		       b->phases[PHASE_SUPERVISE].note);
	termlog_write(text);
}

void runtime_say_end(struct runtime *rt)
{
	rt->boot->exit_code = rt->machine.exit_code;
	note_end(rt->boot, &rt->machine);
	if (rt->boot->exit_code != 0)
		write_last_words(rt);
	relay_finish(&rt->relay, LAST_WORDS_MS);
}
