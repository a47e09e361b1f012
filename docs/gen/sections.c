/* SPDX-License-Identifier: MIT */
#include "docs/gen/sections.h"
#include "common/defs.h"
#include "common/events.h"
#include "common/exits.h"
#include "common/settings.h"
#include "common/statusline.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	section_fn *write;
} sections[] = {
	{ "init-commands", section_init_commands },
	{ "init-options", section_init_options },
	{ "commands", section_commands },
	{ "options", section_options },
	{ "variables", section_variables },
	{ "exit-codes", section_exit_codes },
	{ "status-keys", section_status_keys },
	{ "events", section_events },
	{ "metrics", section_metrics },
	{ "endpoints", section_endpoints },
	{ "methods", section_methods },
};

section_fn *section_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (strcmp(sections[i].name, name) == 0)
			return sections[i].write;
	return NULL;
}

void section_exit_codes(const struct doc *d)
{
	static const struct doc_table t = { { "code", "tried again", "meaning" } };
	static const char *const details[] = {
#define EXIT(name, number, meaning, details) details,
#include "common/exits.def"
#undef EXIT
	};
	const struct exits_row *rows;
	size_t n = 0;

	rows = exits_table(&n);
	doc_table_begin(d, &t);
	for (size_t i = 0; i < n; i++) {
		char code[16];
		char text[512];

		(void)snprintf(code, sizeof(code), "%d", rows[i].code);
		(void)snprintf(text, sizeof(text), "%s: %s", rows[i].meaning, details[i]);
		doc_table_row(d, &t,
			      (const char *[]) { code, exits_is_incurable(rows[i].code) ? "no" : "",
						 text });
	}
	doc_table_row(
		d, &t,
		(const char *[]) { "128+n", "",
				   "the program died of signal n; 137 also when it did not stop "
				   "in time and was killed" });
}

void section_status_keys(const struct doc *d)
{
	static const struct doc_table t = { { "key", "meaning" } };
	static const char *const meanings[] = {
#define STATUS_KEY(id, name, is_prose, meaning) meaning,
#include "common/statusline.def"
#undef STATUS_KEY
	};

	doc_table_begin(d, &t);
	for (size_t i = 0; i < STATUS_KEY_COUNT; i++)
		doc_table_row(d, &t,
			      (const char *[]) { statusline_key((enum status_key)i), meanings[i] });
	doc_table_row(d, &t,
		      (const char *[]) { "phase.NAME", "What came of each phase: outcome, "
						       "milliseconds, note" });
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	return names[level];
}

void section_events(const struct doc *d)
{
	static const struct doc_table t = { { "event", "component", "level", "meaning" } };
	static const char *const meanings[] = {
#define EVENT(id, name, component, level, meaning) meaning,
#include "common/events.def"
	};

	doc_table_begin(d, &t);
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		struct event_info info = event_info((enum log_event_id)i);

		doc_table_row(d, &t,
			      (const char *[]) { info.name, info.component, level_name(info.level),
						 meanings[i] });
	}
}

static void put_setting_variable(const struct doc *d, const struct doc_table *t,
				 const struct setting *s)
{
	unsigned int init = SCOPE_INIT | SCOPE_INIT_CHECK | SCOPE_INIT_STATUS;
	unsigned int traits = SCOPE_ONCE | SCOPE_NO_EFFECT | SCOPE_CONFIDENTIAL;
	bool is_init = (s->scope & init) != 0;
	bool is_daemon = (s->scope & ~(init | traits)) != 0;
	char meaning[256];

	if (s->name)
		(void)snprintf(meaning, sizeof(meaning), "`--%s`", s->name);
	else
		(void)snprintf(meaning, sizeof(meaning), "%s", s->help);
	doc_table_row(d, t,
		      (const char *[]) { s->env,
					 is_init && is_daemon ? "wgmesh-init, wgmesh"
					 : is_init	      ? "wgmesh-init"
							      : "wgmesh",
					 meaning });
}

void section_variables(const struct doc *d)
{
	static const struct doc_table t = { { "variable", "read by", "meaning" } };
	static const char *const others[][3] = {
#define VARIABLE(name, readers, meaning) { name, readers, meaning },
#include "common/environment.def"
#undef VARIABLE
	};

	doc_table_begin(d, &t);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings_table()[i].env)
			put_setting_variable(d, &t, &settings_table()[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		doc_table_row(d, &t, others[i]);
}
