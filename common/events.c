/* SPDX-License-Identifier: MIT */
#include "common/events.h"

#include <string.h>

/*
 * Pointers would cost PID 1 three times the size of the text: eight bytes and a relocation each. So
 * the table is one text without gaps, two strings an event, and is walked through to find one. The
 * first character is the level, a capital where the event is not limited.
 */
#define LEVEL_OF_ERROR "e"
#define LEVEL_OF_WARN  "w"
#define LEVEL_OF_INFO  "i"
#define LEVEL_OF_DEBUG "d"
#define EACH_OF_ERROR  "E"
#define EACH_OF_WARN   "W"
#define EACH_OF_INFO   "I"

static const struct {
#define EVENT(id, name, component, level, meaning) char id[sizeof("?" component "\0" name)];
#include "common/events.def"
} table = {
#define EVENT(id, name, component, level, meaning)	LEVEL_OF_##level component "\0" name,
#define EVENT_EACH(id, name, component, level, meaning) EACH_OF_##level component "\0" name,
#include "common/events.def"
};

static const char *next_string(const char *s)
{
	return s + strlen(s) + 1;
}

static enum log_level level_of(char c)
{
	switch (c) {
	case 'e':
	case 'E':
		return LOG_LEVEL_ERROR;
	case 'w':
	case 'W':
		return LOG_LEVEL_WARN;
	case 'i':
	case 'I':
		return LOG_LEVEL_INFO;
	default:
		return LOG_LEVEL_DEBUG;
	}
}

struct event_info event_info(enum log_event_id id)
{
	const char *s = (const char *)&table;

	for (unsigned int i = 0; i < (unsigned int)id; i++)
		s = next_string(next_string(s));
	return (struct event_info) { .name = next_string(s),
				     .component = s + 1,
				     .level = level_of(s[0]),
				     .is_limited = s[0] >= 'a' };
}
