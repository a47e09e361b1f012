/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "common/defs.h"
#include "common/lograte.h"
#include "common/str.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A line is at most this long, so that one write to a pipe is atomic. */
#define LINE_MAX_LEN   SINK_WRITE_MAX
#define OVERRIDES_MAX  16
#define COMPONENT_SIZE 24

static const char *const level_names[] = { "error", "warn", "info", "debug" };

struct override {
	char component[COMPONENT_SIZE];
	enum log_level level;
};

/**
 * struct levels - What is logged
 * @level:	Level of components that have none of their own
 * @n:		Entries in @overrides
 * @text:	The list that this was read from; "" stands for "info", and so does all zero
 */
struct levels {
	enum log_level level;
	size_t n;
	struct override overrides[OVERRIDES_MAX];
	char text[LOG_LEVELS_SIZE];
};

static struct {
	const char *program;
	enum log_format format;
	bool is_open;
	bool json;
	bool is_mid_line;
	bool is_held;
	struct sink sink;
	uint64_t dropped;
	uint64_t reported;
	uint64_t suppressed;
} state = { .program = "wgmesh", .sink = { .fd = STDERR_FILENO, .kind = SINK_POLLED } };

static struct levels current;

/* One bucket an event. */
static struct lograte rates[EVENT_COUNT];

/* Whoever asks for details gets more of them. */
static const struct lograte_limit news_limit = { .burst = 20, .every_ms = 10000 };
static const struct lograte_limit debug_limit = { .burst = 100, .every_ms = 100 };

/* Lines that a full sink had no room for. */
static struct {
	pid_t owner;
	size_t len;
	char text[SINK_WRITE_MAX];
} waiting;

/* A cursor over the line buffer; what does not fit is cut. */
struct line {
	size_t len;
	char text[LINE_MAX_LEN];
};

/* One line is made at a time, so one buffer will do, and the stack of PID 1 stays small. */
static struct line *new_line(void)
{
	static struct line line;

	line.len = 0;
	return &line;
}

static void put_char(struct line *l, char c)
{
	/* The last byte is kept for the newline. */
	if (l->len < sizeof(l->text) - 1)
		l->text[l->len++] = c;
}

static void put_text(struct line *l, const char *s)
{
	for (; *s; s++)
		put_char(l, *s);
}

static void put_json(struct line *l, const char *s)
{
	char escaped[STR_JSON_SIZE];

	/* Room for the closing `"}` must remain, or a cut line would not be JSON any more. */
	while (*s && l->len < sizeof(l->text) - 64) {
		s += str_json_escape(escaped, s);
		put_text(l, escaped);
	}
}

static void put_json_member(struct line *l, const char *key, const char *value)
{
	if (l->len >= sizeof(l->text) - 128)
		return;
	put_text(l, ",\"");
	put_json(l, key);
	put_text(l, "\":\"");
	put_json(l, value);
	put_char(l, '"');
}

/*
 * Control characters would let a hostname forge a second line on a terminal, and quotes a second
 * field.
 */
static void put_printable(struct line *l, const char *s, bool is_quoted)
{
	uint32_t code;

	while (*s) {
		size_t len = str_utf8(&code, s);
		bool is_shown = code != STR_UTF8_BAD && str_is_printable(code);

		if (l->len + len >= sizeof(l->text))
			return;
		if (is_quoted && (code == '"' || code == '\\'))
			put_char(l, '\\');
		for (size_t i = 0; is_shown && i < len; i++)
			put_char(l, s[i]);
		if (!is_shown)
			put_char(l, '?');
		s += len;
	}
}

static void put_text_field(struct line *l, const struct log_field *f)
{
	bool quote = f->value[0] == '\0' || strpbrk(f->value, " \"=\\") != NULL;

	put_char(l, ' ');
	put_text(l, f->key);
	put_char(l, '=');
	if (quote)
		put_char(l, '"');
	put_printable(l, f->value, quote);
	if (quote)
		put_char(l, '"');
}

static void put_held(struct line *l, uint32_t held, const char *key)
{
	char number[12];

	(void)snprintf(number, sizeof(number), "%u", held);
	put_text(l, key);
	put_text(l, number);
}

/* "2026-01-01T00:00:00.123" for machines, "00:00:00.123" for people; UTC for both. */
static void put_time(struct line *l, bool for_machines)
{
	struct timespec ts = { 0 };
	char text[STR_UTC_SIZE];
	char ms[8];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	str_utc(text, (uint64_t)ts.tv_sec);
	(void)snprintf(ms, sizeof(ms), ".%03u", (unsigned int)(ts.tv_nsec / 1000000) % 1000);
	put_text(l, for_machines ? text : strchr(text, 'T') + 1);
	put_text(l, ms);
}

/**
 * struct entry - What one line says
 * @name:	Name of the event
 * @as:		Component and level
 * @fields:	Fields, or NULL
 * @msg:	Message
 * @held:	Lines of this event that were held back before this one
 */
struct entry {
	const char *name;
	struct log_as as;
	const struct log_field *fields;
	const char *msg;
	uint32_t held;
};

static void format_json(struct line *l, const struct entry *e)
{
	put_text(l, "{\"time\":\"");
	put_time(l, true);
	put_text(l, "Z\"");
	put_json_member(l, "level", level_names[e->as.level]);
	put_json_member(l, "program", state.program);
	put_json_member(l, "component", e->as.component);
	put_json_member(l, "event", e->name);
	if (e->held > 0)
		put_held(l, e->held, ",\"suppressed\":");
	put_json_member(l, "msg", e->msg);
	for (const struct log_field *f = e->fields; f && f->key; f++)
		if (f->value)
			put_json_member(l, f->key, f->value);
	put_char(l, '}');
}

static void format_text(struct line *l, const struct entry *e)
{
	char padded[8];

	put_time(l, false);
	(void)snprintf(padded, sizeof(padded), " %-5s ", level_names[e->as.level]);
	put_text(l, padded);
	put_text(l, state.program);
	put_char(l, '/');
	put_text(l, e->as.component);
	put_text(l, ": ");
	put_printable(l, e->msg, false);
	for (const struct log_field *f = e->fields; f && f->key; f++)
		if (f->value)
			put_text_field(l, f);
	if (e->held > 0)
		put_held(l, e->held, " suppressed=");
}

/* A line after somebody else's unfinished one begins on a line of its own. */
static ssize_t write_out(const char *text, size_t len)
{
	ssize_t n = state.is_mid_line ? sink_write(&state.sink, "\n", 1) : 1;

	if (n < 0)
		return n;
	state.is_mid_line = false;
	n = sink_write(&state.sink, text, len);
	if (n > 0)
		state.is_mid_line = n != (ssize_t)len;
	return n;
}

/* Return: false when it finds no room */
static bool queue(const char *text, size_t len)
{
	if (len > sizeof(waiting.text) - waiting.len)
		return false;
	memcpy(waiting.text + waiting.len, text, len);
	waiting.len += len;
	waiting.owner = getpid();
	return true;
}

static bool await_room(unsigned int patience_ms)
{
	struct pollfd p = { .fd = state.sink.fd, .events = POLLOUT };

	return patience_ms > 0 && poll(&p, 1, (int)patience_ms) > 0;
}

bool log_flush(unsigned int patience_ms)
{
	ssize_t n;

	/* Those that a fork copied are the parent's to write. */
	if (waiting.len > 0 && waiting.owner != getpid())
		waiting.len = 0;
	while (waiting.len > 0) {
		n = write_out(waiting.text, waiting.len);
		if (n == -EAGAIN && await_room(patience_ms))
			n = write_out(waiting.text, waiting.len);
		if (n == -EAGAIN)
			return false;
		if (n < 0) {
			state.dropped++;
			n = (ssize_t)waiting.len;
		}
		waiting.len -= (size_t)n;
		memmove(waiting.text, waiting.text + n, waiting.len);
	}
	return true;
}

/* Return: false when the line, or the rest of it, is lost */
static bool emit(struct line *l)
{
	ssize_t n;

	l->text[l->len++] = '\n';
	n = !state.is_held && log_flush(0) ? write_out(l->text, l->len) : -EAGAIN;
	if (n == -EAGAIN)
		return queue(l->text, l->len);
	if (n < 0)
		return false;
	return n == (ssize_t)l->len || queue(l->text + n, l->len - (size_t)n);
}

static bool write_entry(const struct entry *e)
{
	struct line *l = new_line();

	if (state.json)
		format_json(l, e);
	else
		format_text(l, e);
	return emit(l);
}

static void report_dropped(void)
{
	struct event_info about = event_info(EVENT_LOG_LINES_DROPPED);
	uint64_t missing = state.dropped - state.reported;
	char text[64];
	struct entry e = { .name = about.name, .msg = text };

	if (missing == 0)
		return;
	e.as = (struct log_as) { about.component, about.level };
	(void)snprintf(text, sizeof(text), "%llu log lines were dropped",
		       (unsigned long long)missing);
	if (write_entry(&e))
		state.reported += missing;
}

void log_open(void)
{
	if (state.is_open)
		return;
	sink_open(&state.sink, STDERR_FILENO);
	state.json = state.format == LOG_FORMAT_JSON ||
		     (state.format == LOG_FORMAT_AUTO && isatty(STDERR_FILENO) == 0);
	state.is_open = true;
}

bool log_would(enum log_level level, const char *component)
{
	for (size_t i = current.n; i > 0; i--)
		if (strcmp(current.overrides[i - 1].component, component) == 0)
			return level <= current.overrides[i - 1].level;
	return level <= (current.text[0] != '\0' ? current.level : LOG_LEVEL_INFO);
}

static uint64_t now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool is_too_much(enum log_event_id id, enum log_level level)
{
	bool is_debug = level == LOG_LEVEL_DEBUG;

	if (lograte_take(&rates[id], is_debug ? &debug_limit : &news_limit, now_ms()))
		return false;
	state.suppressed++;
	return true;
}

__attribute__((format(printf, 4, 0))) static void write_event(enum log_event_id id,
							      struct log_as as,
							      const struct log_field *fields,
							      const char *fmt, va_list ap)
{
	struct event_info about = event_info(id);
	char msg[1024];
	struct entry e = { about.name, as, fields, msg, rates[id].held };

	if (!log_would(as.level, as.component) || (about.is_limited && is_too_much(id, as.level)))
		return;
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	log_open();
	report_dropped();
	if (write_entry(&e))
		rates[id].held = 0;
	else
		state.dropped++;
}

void log_event(enum log_event_id id, const struct log_field *fields, const char *fmt, ...)
{
	struct event_info about = event_info(id);
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	write_event(id, (struct log_as) { about.component, about.level }, fields, fmt, ap);
	va_end(ap);
	errno = saved;
}

void log_event_as(enum log_event_id id, struct log_as as, const struct log_field *fields,
		  const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!as.component)
		as.component = event_info(id).component;
	va_start(ap, fmt);
	write_event(id, as, fields, fmt, ap);
	va_end(ap);
	errno = saved;
}

static int parse_level(enum log_level *out, const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strlen(level_names[i]) == len && strncmp(level_names[i], text, len) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* One entry of "info,exchange=debug". */
static int parse_entry(struct levels *l, const char *entry, size_t len)
{
	const char *eq = memchr(entry, '=', len);
	struct override *o = &l->overrides[l->n];
	size_t name_len;

	if (!eq)
		return parse_level(&l->level, entry, len);
	name_len = (size_t)(eq - entry);
	if (l->n == OVERRIDES_MAX || name_len == 0 || name_len >= COMPONENT_SIZE)
		return -EINVAL;
	memcpy(o->component, entry, name_len);
	o->component[name_len] = '\0';
	if (parse_level(&o->level, eq + 1, len - name_len - 1) < 0)
		return -EINVAL;
	l->n++;
	return 0;
}

int log_set_levels(const char *levels)
{
	struct levels l = { .level = LOG_LEVEL_INFO };
	const char *p = levels;

	if (levels && str_copy(l.text, sizeof(l.text), levels) < 0)
		return -EINVAL;
	while (p && *p) {
		size_t len = strcspn(p, ",");

		if (parse_entry(&l, p, len) < 0)
			return -EINVAL;
		p += len;
		p += *p == ',' ? 1 : 0;
	}
	current = l;
	return 0;
}

const char *log_levels(void)
{
	return current.text[0] != '\0' ? current.text : level_names[LOG_LEVEL_INFO];
}

uint64_t log_dropped(void)
{
	return state.dropped;
}

uint64_t log_suppressed(void)
{
	return state.suppressed;
}

const struct sink *log_sink(void)
{
	log_open();
	return &state.sink;
}

void log_mid_line(bool is_mid_line)
{
	state.is_mid_line = is_mid_line;
}

void log_hold(bool is_held)
{
	state.is_held = is_held;
}

int log_init(const char *program, enum log_format format, const char *levels)
{
	state.program = program;
	state.format = format;
	state.is_open = false;
	current = (struct levels) { .level = LOG_LEVEL_INFO };
	return log_set_levels(levels);
}
