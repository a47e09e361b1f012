/* SPDX-License-Identifier: MIT */
#include "init/supervise/cause.h"
#include "common/defs.h"
#include "common/exits.h"
#include "init/process/signame.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN   60
#define WHY_MAX_LEN    240
#define STATUS_MAX_LEN 100
#define QUOTE_MIN_LEN  24 /* less of a line than that says nothing */

enum kind {
	KIND_OK,
	KIND_EXIT,
	KIND_STOPPED,
	KIND_STOP_TIMEOUT,
	KIND_OOM,
	KIND_KILLED,
	KIND_CRASH,
	KIND_SECCOMP,
	KIND_SIGNAL,
	KIND_WATCHDOG,
	KIND_START_TIMEOUT,
	KIND_TRIGGER,
	KIND_EXEC,
	KIND_REVOKED,
	KIND_COUNT,
};

static bool is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGABRT || sig == SIGBUS || sig == SIGILL ||
	       sig == SIGFPE || sig == SIGTRAP;
}

/* The signal that ended it, or the one that a shell reports of what it ran, as 128+n. */
static int signal_behind(const struct cause_facts *f)
{
	if (f->signal)
		return f->signal;
	return f->code > 128 && f->code <= 128 + SIGNAME_MAX ? f->code - 128 : 0;
}

static enum kind classify_signal(const struct cause_facts *f)
{
	if (f->signal == SIGKILL)
		return KIND_KILLED;
	if (f->signal == SIGSYS)
		return KIND_SECCOMP;
	return is_crash(f->signal) ? KIND_CRASH : KIND_SIGNAL;
}

static enum kind classify(const struct cause_facts *f)
{
	static const enum kind ours[] = {
		[CAUSE_WATCHDOG] = KIND_WATCHDOG, [CAUSE_START_TIMEOUT] = KIND_START_TIMEOUT,
		[CAUSE_TRIGGER] = KIND_TRIGGER,	  [CAUSE_STOP_TIMEOUT] = KIND_STOP_TIMEOUT,
		[CAUSE_EXEC] = KIND_EXEC,	  [CAUSE_REVOKED] = KIND_REVOKED,
	};

	if (f->killed_by_us != CAUSE_NONE)
		return ours[f->killed_by_us];
	if (f->stop_signal)
		return KIND_STOPPED;
	if (f->oom_kills > 0 && signal_behind(f) == SIGKILL)
		return KIND_OOM;
	if (f->signal)
		return classify_signal(f);
	return f->code == 0 ? KIND_OK : KIND_EXIT;
}

const char *cause_word(const struct cause_facts *f)
{
	static const char *const words[] = {
		[KIND_OK] = "ok",
		[KIND_EXIT] = "exit",
		[KIND_STOPPED] = CAUSE_WORD_STOPPED,
		[KIND_STOP_TIMEOUT] = CAUSE_WORD_STOP_TIMEOUT,
		[KIND_OOM] = "oom",
		[KIND_KILLED] = "killed",
		[KIND_CRASH] = "crash",
		[KIND_SECCOMP] = "seccomp",
		[KIND_SIGNAL] = "signal",
		[KIND_WATCHDOG] = "watchdog",
		[KIND_START_TIMEOUT] = "start-timeout",
		[KIND_TRIGGER] = "trigger",
		[KIND_EXEC] = "exec",
		[KIND_REVOKED] = CAUSE_WORD_REVOKED,
	};

	_Static_assert(ARRAY_LEN(words) == KIND_COUNT, "a word for every kind");
	return words[classify(f)];
}

/* A sentence that grows; what does not fit is left out. */
struct text {
	char *out;
	size_t len;
};

static size_t room(const struct text *t)
{
	return CAUSE_SIZE - 1 - t->len;
}

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->out + t->len, room(t) + 1, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n <= room(t) ? (size_t)n : room(t);
}

/* The start of the character that byte @at belongs to. */
static size_t cut_before(const char *s, size_t at)
{
	while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* Somebody else's words: on one line, and cut between two characters. */
static void add_foreign(struct text *t, const char *s, size_t max)
{
	size_t most = max < room(t) ? max : room(t);
	size_t len = strnlen(s, most + 1);
	bool is_cut = len > most;

	if (is_cut && most < 3)
		return;
	if (is_cut)
		len = cut_before(s, most - 3);
	for (size_t i = 0; i < len; i++) {
		bool is_control = (unsigned char)s[i] < 0x20 || s[i] == 0x7f;
		char c = s[i];

		if (is_control)
			c = '?';
		t->out[t->len++] = c;
	}
	t->out[t->len] = '\0';
	if (is_cut)
		add(t, "...");
}

static void add_duration(struct text *t, uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (s < 10 && ms % 1000 >= 100)
		add(t, "%u.%u s", (unsigned int)s, (unsigned int)(ms % 1000 / 100));
	else if (ms > 0 && s == 0)
		add(t, "%u ms", (unsigned int)ms);
	else if (s < 120)
		add(t, "%u s", (unsigned int)s);
	else if (s < 7200)
		add(t, "%u min", (unsigned int)(s / 60));
	else if (s < UINT64_C(2) * 86400)
		add(t, "%u h", (unsigned int)(s / 3600));
	else
		add(t, "%llu days", (unsigned long long)(s / 86400));
}

static void add_size(struct text *t, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (unit + 1 < ARRAY_LEN(units) && bytes >= 1024 &&
	       (bytes % 1024 == 0 || bytes >= 10240)) {
		bytes /= 1024;
		unit++;
	}
	add(t, "%llu %s", (unsigned long long)bytes, units[unit]);
}

static void add_signal(struct text *t, int sig)
{
	char name[SIGNAME_SIZE];

	/* strsignal() makes up its text for the others, in memory of its own. */
	add(t, "signal %d (%s)", sig, sig < 32 ? strsignal(sig) : signame_of(sig, name));
}

/* What wgmesh means by an exit code, or any program by two of them; NULL without a meaning. */
static const char *meaning_of(const struct cause_facts *f)
{
	bool is_shells = f->code == EXITS_NOT_EXECUTABLE || f->code == EXITS_NOT_FOUND;

	return is_shells || (f->is_wgmesh && f->code > EXITS_FAILURE) ? exits_meaning(f->code)
								      : NULL;
}

static void add_code(struct text *t, const struct cause_facts *f)
{
	const char *meaning = meaning_of(f);
	int sig = signal_behind(f);
	char name[SIGNAME_SIZE];

	add(t, " ended with code %d", f->code);
	if (meaning)
		add(t, " (%s)", meaning);
	else if (sig && sig != f->stop_signal)
		add(t, " (128 + %d: %s)", sig, signame_of(sig, name));
}

static void add_program(struct text *t, const struct cause_facts *f)
{
	add_foreign(t, f->program, NAME_MAX_LEN);
}

static void add_end(struct text *t, const struct cause_facts *f)
{
	add_program(t, f);
	if (!f->signal) {
		add_code(t, f);
		return;
	}
	add(t, is_crash(f->signal) ? " crashed by " : " was killed by ");
	add_signal(t, f->signal);
}

static void add_after(struct text *t, const struct cause_facts *f)
{
	add(t, " after ");
	add_duration(t, f->run_ms);
}

static void add_limit(struct text *t, const struct cause_facts *f)
{
	if (f->oom_limit == 0)
		return;
	add(t, " (limit ");
	add_size(t, f->oom_limit);
	add(t, ")");
}

static void say_oom(struct text *t, const struct cause_facts *f)
{
	add_end(t, f);
	add_after(t, f);
	if (f->oom_by_limit) {
		add(t, ": the container ran out of memory");
		add_limit(t, f);
		add(t, ", raise the limit");
	} else {
		add(t, ": the %s ran out of memory, not this container",
		    f->oom_limit ? "pod or the machine" : "machine");
		add_limit(t, f);
	}
}

static void say_killed(struct text *t, const struct cause_facts *f)
{
	add_end(t, f);
	add_after(t, f);
	if (f->oom_known)
		add(t, " by a process outside its control, not for lack of memory");
	else
		add(t, " by a process outside its control, or for lack of memory: the container's "
		       "memory cgroup cannot be read");
}

static const char *why_signal(int sig)
{
	switch (sig) {
	case SIGILL:
		return "an error in the program, or it was built for another processor";
	case SIGSYS:
		return "a seccomp profile forbids a system call that it needs";
	case SIGPIPE:
		return "it wrote to a pipe or socket that nobody reads any more";
	case SIGXCPU:
		return "it used up the processor time that it may use (ulimit -t)";
	case SIGXFSZ:
		return "it made a file larger than it may make (ulimit -f)";
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		return "another process sent that, no stop was asked for";
	default:
		return is_crash(sig) ? "an error in the program, report it"
				     : "the program has no handler for that";
	}
}

static void say_signal(struct text *t, const struct cause_facts *f)
{
	add_end(t, f);
	add_after(t, f);
	add(t, ": %s", why_signal(f->signal));
}

static void say_exit(struct text *t, const struct cause_facts *f)
{
	add_end(t, f);
	add_after(t, f);
	if (f->oom_kills == 0)
		return;
	add(t, "; meanwhile %llu of the container's processes %s killed for lack of memory",
	    (unsigned long long)f->oom_kills, f->oom_kills == 1 ? "was" : "were");
	add_limit(t, f);
}

static void say_ok(struct text *t, const struct cause_facts *f)
{
	add_end(t, f);
	add_after(t, f);
	add(t, ", without being told to");
}

/* "stopped by SIGTERM from process 17 (sh): " */
static void add_stop(struct text *t, const struct cause_facts *f)
{
	char name[SIGNAME_SIZE];

	add(t, "stopped by %s from ", signame_of(f->stop_signal, name));
	if (f->is_terminal) {
		add(t, "the terminal%s",
		    f->stop_signal == SIGINT	? " (^C)"
		    : f->stop_signal == SIGQUIT ? " (^\\)"
						: "");
	} else if (f->stop_pid == 0) {
		add(t, "outside the container (docker stop, kubelet)");
	} else {
		add(t, "process %d", f->stop_pid);
		if (f->stop_comm && *f->stop_comm) {
			add(t, " (");
			add_foreign(t, f->stop_comm, NAME_MAX_LEN);
			add(t, ")");
		}
	}
	add(t, ": ");
}

static void say_stopped(struct text *t, const struct cause_facts *f)
{
	add_stop(t, f);
	if (f->signal && f->signal == f->stop_signal) {
		add_program(t, f);
		add(t, " was ended by it");
	} else {
		add_end(t, f);
	}
}

static void say_stop_timeout(struct text *t, const struct cause_facts *f)
{
	if (f->stop_signal)
		add_stop(t, f);
	add_program(t, f);
	add(t, " did not end");
	if (f->patience_ms) {
		add(t, " within ");
		add_duration(t, f->patience_ms);
	}
	add(t, " and was killed");
}

/* Killed by us: "wgmesh was killed after 61 s: REASON 60 s, so it hung". */
static void add_our_kill(struct text *t, const struct cause_facts *f, const char *reason,
			 const char *limit)
{
	add_program(t, f);
	add(t, " was killed");
	add_after(t, f);
	add(t, ": %s", reason);
	if (f->patience_ms && *limit) {
		add(t, " %s ", limit);
		add_duration(t, f->patience_ms);
	}
}

static void say_watchdog(struct text *t, const struct cause_facts *f)
{
	add_our_kill(t, f, "no watchdog beat", "for");
	add(t, ", so it hung");
}

static void say_start_timeout(struct text *t, const struct cause_facts *f)
{
	add_our_kill(t, f, "it did not report to be ready", "within");
}

static void say_trigger(struct text *t, const struct cause_facts *f)
{
	add_our_kill(t, f, "it reported a fault of its own (WATCHDOG=trigger)", "");
}

static void say_exec(struct text *t, const struct cause_facts *f)
{
	add_program(t, f);
	add(t, " could not be started");
	if (f->why && *f->why) {
		add(t, ": ");
		add_foreign(t, f->why, WHY_MAX_LEN);
	}
}

static void say_revoked(struct text *t, const struct cause_facts *f)
{
	add_program(t, f);
	add(t, " was stopped");
	add_after(t, f);
	if (f->why && *f->why) {
		add(t, ": ");
		add_foreign(t, f->why, WHY_MAX_LEN);
	}
}

/*
 * The message of a line of JSON, the form in which wgmesh and many others log. This is no parser:
 * it looks for one member and understands two escapes, which is safe for any bytes.
 */
static const char *message_of(const char *line, char *out, size_t size)
{
	static const char member[] = "\"msg\":\"";
	const char *p = line[0] == '{' ? strstr(line, member) : NULL;
	size_t len = 0;

	if (!p)
		return line;
	for (p += sizeof(member) - 1; *p && *p != '"' && len + 1 < size; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		out[len++] = *p;
	}
	out[len] = '\0';
	return len > 0 ? out : line;
}

static void add_quote(struct text *t, const char *head, const char *words, size_t max)
{
	if (!words || !*words || room(t) < strlen(head) + QUOTE_MIN_LEN)
		return;
	add(t, "; %s: ", head);
	add_foreign(t, words, max);
}

/* Does what the program said last explain anything? */
static bool is_quoted(const struct cause_facts *f, enum kind kind)
{
	if (kind == KIND_OK || kind == KIND_EXEC || kind == KIND_REVOKED)
		return false;
	return kind != KIND_STOPPED || (f->code != 0 && signal_behind(f) != f->stop_signal);
}

void cause_sentence(const struct cause_facts *f, char out[static CAUSE_SIZE])
{
	static void (*const say[])(struct text *, const struct cause_facts *) = {
		[KIND_OK] = say_ok,
		[KIND_EXIT] = say_exit,
		[KIND_STOPPED] = say_stopped,
		[KIND_STOP_TIMEOUT] = say_stop_timeout,
		[KIND_OOM] = say_oom,
		[KIND_KILLED] = say_killed,
		[KIND_CRASH] = say_signal,
		[KIND_SECCOMP] = say_signal,
		[KIND_SIGNAL] = say_signal,
		[KIND_WATCHDOG] = say_watchdog,
		[KIND_START_TIMEOUT] = say_start_timeout,
		[KIND_TRIGGER] = say_trigger,
		[KIND_EXEC] = say_exec,
		[KIND_REVOKED] = say_revoked,
	};
	struct text t = { .out = out };
	enum kind kind = classify(f);
	char message[CAUSE_SIZE];

	_Static_assert(ARRAY_LEN(say) == KIND_COUNT, "words for every kind");
	out[0] = '\0';
	say[kind](&t, f);
	if (!is_quoted(f, kind))
		return;
	if (f->killed_by_us != CAUSE_NONE)
		add_quote(&t, "its last status", f->status, STATUS_MAX_LEN);
	if (f->last_line)
		add_quote(&t, "its last line", message_of(f->last_line, message, sizeof(message)),
			  CAUSE_SIZE);
}
