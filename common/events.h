/* SPDX-License-Identifier: MIT */
/*
 * events - what the programs log: each event's stable name, component and level, from events.def
 */
#ifndef COMMON_EVENTS_H
#define COMMON_EVENTS_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* EVENT_PEER_CONFIGURED is "peer_configured". */
enum log_event_id {
#define EVENT(id, name, component, level, meaning) EVENT_##id,
#include "common/events.def"
	EVENT_COUNT
};

/**
 * struct event_info - What events.def says of an event
 * @name:	Stable name, lower_snake_case; for good
 * @component:	Part of the program, one word; for good; "phase" stands for the name of any phase
 * @level:	Level
 * @is_limited:	Held back when it comes too often
 */
struct event_info {
	const char *name;
	const char *component;
	enum log_level level;
	bool is_limited;
};

/**
 * event_info() - Look an event up
 * @id:		Event, below EVENT_COUNT
 */
struct event_info event_info(enum log_event_id id);

#endif /* COMMON_EVENTS_H */
