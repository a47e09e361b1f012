/* SPDX-License-Identifier: MIT */
/*
 * log - one line per event on standard error: text for a terminal, JSON otherwise
 *
 * Text:  12:00:00.123 warn  wgmesh/peers: message key=value key="two words"
 * JSON:  {"time":"2026-01-01T00:00:00.123Z","level":"warn","program":"wgmesh","component":"peers",
 *         "event":"peer_added_again","msg":"...","key":"value"}
 *
 * What is logged is in events.def: an event's name is stable, and is in the JSON form only. An event
 * that comes too often is held back, and its next line says how many in the field "suppressed".
 *
 * Times are UTC, as those of the engine's own log are.
 *
 * Standard error is written without blocking: a full or broken pipe costs lines, never the program.
 * A few lines wait for room; those that find none are counted, and the next one that can be written
 * says how many are missing.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/events.h"
#include "common/sink.h"

#include <stdbool.h>
#include <stdint.h>

enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/**
 * struct log_field - A named value beside the message
 * @key:	Name, lower case with underscores; a NULL key ends a list
 * @value:	Text; borrowed; NULL leaves the field out
 */
struct log_field {
	const char *key;
	const char *value;
};

/* LOG_FIELDS({"path", path}, {"verdict", name}): the fields argument of log_event(). */
/* clang-format off */
#define LOG_FIELDS(...) (const struct log_field[]){ __VA_ARGS__, { NULL, NULL } }
/* clang-format on */

/* A list of levels, with its NUL, is at most this long. */
#define LOG_LEVELS_SIZE 512

/**
 * log_init() - Choose the form of the log; call it again to change it
 * @program:	Name for the text form's lines ("wgmesh-init"); borrowed for good
 * @format:	LOG_FORMAT_AUTO is text on a terminal and JSON otherwise
 * @levels:	As for log_set_levels()
 *
 * Return: 0, or -EINVAL for an unknown level, in which case "info" holds
 */
int log_init(const char *program, enum log_format format, const char *levels);

/**
 * log_set_levels() - Change what is logged, at any time
 * @levels:	"info", or "info,exchange=debug": a level, then levels of components; NULL or "" is
 *		"info"; what comes later in the list wins
 *
 * Return: 0, or -EINVAL for an unknown level or a list that is too long, in which case nothing changes
 */
int log_set_levels(const char *levels);

/**
 * log_levels() - What log_set_levels() was last given and took
 *
 * Return: the text, until the next call of log_set_levels() or log_init()
 */
const char *log_levels(void);

/**
 * log_dropped() - Lines lost so far because standard error took none
 */
uint64_t log_dropped(void);

/**
 * log_suppressed() - Lines held back so far because their event came too often
 */
uint64_t log_suppressed(void);

/**
 * log_open() - Open standard error anew now, instead of at the first line
 *
 * For a program that is about to give up the right to. Many a start has no line to log.
 */
void log_open(void);

/**
 * log_would() - Is a line of this level and component written at all?
 * @level:	Level of the line
 * @component:	Component of the line
 */
bool log_would(enum log_level level, const char *component);

/**
 * log_sink() - Where the lines go: standard error, in a form that never blocks
 *
 * Return: the sink, for others who write there too; constant from the first log_init() on
 */
const struct sink *log_sink(void);

/**
 * log_flush() - Write the lines that wait for room
 * @patience_ms: How long to wait for room; 0, except at a program's end, does not wait
 *
 * Return: true when none waits any more
 */
bool log_flush(unsigned int patience_ms);

/**
 * log_mid_line() - Somebody else wrote to the sink
 * @is_mid_line: What they wrote last was no whole line: our next one begins with a line break
 */
void log_mid_line(bool is_mid_line);

/**
 * log_hold() - Somebody else has more for the sink than it takes now
 * @is_held:	Lines wait until this is over, or they would come between two halves of a line
 */
void log_hold(bool is_held);

/**
 * log_event() - Write one line, unless its level is not asked for or the event comes too often
 * @id:		Event; events.def gives its component and level
 * @fields:	LOG_FIELDS(...), or NULL
 * @fmt:	printf() format of the message; a sentence without a full stop
 */
__attribute__((format(printf, 3, 4))) void log_event(enum log_event_id id,
						     const struct log_field *fields,
						     const char *fmt, ...);

/**
 * struct log_as - What a line has in place of what events.def says
 * @component:	Component, one word; borrowed; NULL for that of events.def
 * @level:	Level
 */
struct log_as {
	const char *component;
	enum log_level level;
};

/**
 * log_event_as() - log_event(), where component or level depend on the occasion
 * @id:		Event
 * @as:		Component and level
 * @fields:	LOG_FIELDS(...), or NULL
 * @fmt:	printf() format of the message
 */
__attribute__((format(printf, 4, 5))) void log_event_as(enum log_event_id id, struct log_as as,
							const struct log_field *fields,
							const char *fmt, ...);

#endif /* COMMON_LOG_H */
