/* SPDX-License-Identifier: MIT */
#include "docs/gen/commands.h"
#include "common/defs.h"
#include "common/settings.h"
#include "common/str.h"
#include "daemon/cli/commands.h"
#include "docs/gen/sections.h"
#include "docs/gen/usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned int scope;
	const char *about;
	const char *details;
} init_commands[] = {
#define COMMAND(name, run, scope, about, details) { name, scope, about, details },
#include "init/commands.def"
#undef COMMAND
};

static void add(struct scoped *list, size_t *n, unsigned int scope, const char *command,
		const char *verb)
{
	struct scoped *s = &list[*n];

	if (scope == 0 || *n == SCOPED_MAX)
		return;
	s->scope = scope;
	(void)snprintf(s->name, sizeof(s->name), "%s%s%s", command, verb ? " " : "",
		       verb ? verb : "");
	++*n;
}

size_t commands_of_init(struct scoped out[static SCOPED_MAX])
{
	size_t n = 0;

	add(out, &n, SCOPE_INIT, "a start", NULL);
	for (size_t i = 0; i < ARRAY_LEN(init_commands); i++)
		add(out, &n, init_commands[i].scope, init_commands[i].name, NULL);
	return n;
}

/* Verbs that all take what their command takes are not worth a name each. */
size_t commands_of_wgmesh(struct scoped out[static SCOPED_MAX])
{
	size_t n = 0;

	for (const struct cli_command *c = cli_commands(); c->name; c++) {
		add(out, &n, c->scope, c->name, NULL);
		for (const struct cli_verb *v = c->verbs; c->scope == 0 && v && v->name; v++)
			add(out, &n, v->scope, c->name, v->name);
	}
	return n;
}

/* The names of the options alone: what they mean stands once, for all commands. */
static void put_option_names(const struct doc *d, unsigned int scope)
{
	const struct setting *table = settings_table();
	char text[2048] = "";
	struct str_out t = { .out = text, .size = sizeof(text) };

	for (size_t id = 0; id < SETTING_COUNT; id++)
		if ((table[id].scope & scope) && table[id].name)
			str_add(&t, "%s`--%s`", t.len > 0 ? ", " : "Options: ", table[id].name);
	if (t.len == 0)
		return;
	(void)fputs(".PP\n", d->out);
	doc_text(d, text);
}

void section_init_commands(const struct doc *d)
{
	static const struct doc_table t = { { "command", "meaning" } };

	doc_table_begin(d, &t);
	for (size_t i = 0; i < ARRAY_LEN(init_commands); i++) {
		char tag[64];
		char text[1024];

		(void)snprintf(tag, sizeof(tag), "wgmesh-init %s", init_commands[i].name);
		(void)snprintf(text, sizeof(text), "%s%s%s", init_commands[i].about,
			       init_commands[i].details ? ". " : "",
			       init_commands[i].details ? init_commands[i].details : "");
		doc_table_row(d, &t, (const char *[]) { tag, text });
	}
}

static void put_command(const struct doc *d, const struct cli_command *c, const struct cli_verb *v)
{
	unsigned int scope = v ? v->scope : c->scope;
	struct usage u;

	(void)fprintf(d->out, ".SS wgmesh %s%s%s\n", c->name, v ? " " : "", v ? v->name : "");
	if (usage_read(&u, c->run, v ? v->name : NULL) < 0) {
		char about[256];

		(void)snprintf(about, sizeof(about), "%s", v ? v->about : c->about);
		doc_begin_sentence(about);
		doc_text(d, about);
		return;
	}
	(void)fputs(".nf\n", d->out);
	doc_example_line(d, u.line);
	(void)fputs(".fi\n", d->out);
	doc_paragraphs(d, u.about);
	put_option_names(d, scope);
}

static void put_commands_row(const struct doc *d, const struct doc_table *t,
			     const struct cli_command *c)
{
	char tag[64];

	(void)snprintf(tag, sizeof(tag), "wgmesh %s", c->name);
	doc_table_row(d, t, (const char *[]) { tag, c->about });
}

/* Verbs with options of their own are explained one by one. */
static bool has_pages(const struct cli_command *c)
{
	return c->scope == 0 && c->verbs && c->verbs[0].scope != 0;
}

void section_commands(const struct doc *d)
{
	static const struct doc_table t = { { "command", "meaning" } };

	if (d->form == FORM_MARKDOWN)
		doc_table_begin(d, &t);
	for (const struct cli_command *c = cli_commands(); c->name; c++) {
		if (d->form == FORM_MARKDOWN)
			put_commands_row(d, &t, c);
		else if (!has_pages(c))
			put_command(d, c, NULL);
		else
			for (const struct cli_verb *v = c->verbs; v->name; v++)
				put_command(d, c, v);
	}
}
