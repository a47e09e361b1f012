/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/settings.h"
#include "common/str.h"
#include "docs/gen/commands.h"
#include "docs/gen/sections.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MS_PER_HOUR UINT64_C(3600000)

static const char *const details[] = {
#define SETTING(id, name, env, scope, type, min, max, choices, fallback, metavar, help, details) \
	[SETTING_##id] = (details),
#include "common/settings.def"
#undef SETTING
};

/* "--restart on-failure|always|never"; a variable that has no option stands for itself. */
static void put_tag(char *out, size_t size, const struct setting *s)
{
	const char *value = s->choices ? s->choices : s->metavar;

	if (s->name)
		(void)snprintf(out, size, "--%s%s%s", s->name, value ? " " : "",
			       value ? value : "");
	else
		(void)snprintf(out, size, "%s", s->env);
}

static void put_range(char *out, size_t size, const struct setting *s)
{
	out[0] = '\0';
	if (s->type == SETTING_NUMBER)
		(void)snprintf(out, size, " (%" PRIu64 " to %" PRIu64 ")", s->min, s->max);
	else if (s->type == SETTING_DURATION && s->min > 0)
		(void)snprintf(out, size, " (%" PRIu64 "s to %" PRIu64 "h)", s->min / 1000,
			       s->max / MS_PER_HOUR);
	else if (s->type == SETTING_DURATION)
		(void)snprintf(out, size, " (at most %" PRIu64 "h)", s->max / MS_PER_HOUR);
}

/* How many of the commands from @list on are verbs of the same one: "state verify", "state show". */
static size_t count_verbs(const struct scoped *list, size_t n)
{
	size_t len = strcspn(list->name, " ");
	size_t i = 1;

	while (i < n && list->name[len] == ' ' && strncmp(list[i].name, list->name, len + 1) == 0)
		i++;
	return i;
}

static size_t count_takers(const struct scoped *list, size_t n, unsigned int scope)
{
	size_t takers = 0;

	for (size_t i = 0; i < n; i++)
		takers += (list[i].scope & scope) ? 1 : 0;
	return takers;
}

/* "join, state, doctor"; verbs are named where not all of a command's take it. */
static void put_takers(char *out, size_t size, const struct scoped *list, size_t n,
		       unsigned int scope)
{
	struct str_out t = { .out = out, .size = size };
	size_t verbs = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i += verbs) {
		bool is_all;

		verbs = count_verbs(&list[i], n - i);
		is_all = verbs > 1 && count_takers(&list[i], verbs, scope) == verbs;
		if (is_all)
			str_add(&t, "%s%.*s", t.len > 0 ? ", " : "",
				(int)strcspn(list[i].name, " "), list[i].name);
		for (size_t k = i; k < i + verbs && !is_all; k++)
			if (list[k].scope & scope)
				str_add(&t, "%s%s", t.len > 0 ? ", " : "", list[k].name);
	}
}

static void put_option(const struct doc *d, const struct doc_table *t, size_t id,
		       const char *takers)
{
	const struct setting *s = &settings_table()[id];
	bool has_default = s->fallback && strcmp(s->fallback, "false") != 0;
	char tag[128];
	char fallback[64] = "";
	char range[64];
	char text[1024];

	put_tag(tag, sizeof(tag), s);
	put_range(range, sizeof(range), s);
	if (has_default)
		(void)snprintf(fallback, sizeof(fallback), "`%s`", s->fallback);
	(void)snprintf(text, sizeof(text), "%s%s%s%s", s->help, range, details[id] ? ". " : "",
		       details[id] ? details[id] : "");
	doc_table_row(
		d, t,
		(const char *[]) { tag, s->name && s->env ? s->env : "", fallback, takers, text });
}

static void put_options(const struct doc *d, const struct scoped *list, size_t n)
{
	static const struct doc_table t = { { "option", "variable", "default", "taken by",
					      "meaning" } };

	doc_table_begin(d, &t);
	for (size_t id = 0; id < SETTING_COUNT; id++) {
		char takers[512];

		put_takers(takers, sizeof(takers), list, n, settings_table()[id].scope);
		if (takers[0])
			put_option(d, &t, id, takers);
	}
}

void section_init_options(const struct doc *d)
{
	struct scoped list[SCOPED_MAX];
	size_t n = commands_of_init(list);

	put_options(d, list, n);
}

void section_options(const struct doc *d)
{
	struct scoped list[SCOPED_MAX];
	size_t n = commands_of_wgmesh(list);

	put_options(d, list, n);
}
