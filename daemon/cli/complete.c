/* SPDX-License-Identifier: MIT */
#include "daemon/cli/complete.h"
#include "common/defs.h"
#include "common/settings.h"
#include "common/str.h"
#include "daemon/cli/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_SIZE 128
#define HIDDEN	  (SCOPE_NO_EFFECT | SCOPE_CONFIDENTIAL)

/**
 * struct place - Where in the command line the cursor is
 * @command:	The command; NULL when it is what the cursor is at
 * @verb:	Its verb; NULL when it has none, or none yet
 * @scope:	Whose options can be given
 * @is_lost:	A word before the cursor is no command, or no verb
 * @wants_value: The option whose value the cursor is at, or NULL
 * @n_operands:	Operands before the cursor
 * @is_given:	Options before the cursor
 */
struct place {
	const struct cli_command *command;
	const struct cli_verb *verb;
	unsigned int scope;
	bool is_lost;
	const struct setting *wants_value;
	size_t n_operands;
	bool is_given[SETTING_COUNT];
};

/* What is offered to whom, and what it must begin with. */
struct offers {
	complete_fn *fn;
	void *arg;
	const char *begin;
};

static void offer(const struct offers *to, const char *word, const char *about)
{
	if (strncmp(word, to->begin, strlen(to->begin)) == 0)
		to->fn(to->arg, word, about);
}

/* --- where are we? ------------------------------------------------------------------------- */

static const struct setting *find_option(unsigned int scope, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const struct setting *table = settings_table();
	size_t len = strcspn(name, "=");

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if ((table[i].scope & scope) && table[i].name && strlen(table[i].name) == len &&
		    strncmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

static const struct cli_verb *find_verb(const struct cli_command *command, const char *word)
{
	for (const struct cli_verb *v = command->verbs; v && v->name; v++)
		if (strcmp(v->name, word) == 0)
			return v;
	return NULL;
}

static void take_option(struct place *p, const char *word)
{
	const struct setting *row = find_option(p->scope, word);

	if (!row)
		return;
	p->is_given[row - settings_table()] = true;
	if (row->type != SETTING_FLAG && !strchr(word, '='))
		p->wants_value = row;
}

static void take_word(struct place *p, const char *word)
{
	if (p->is_lost)
		return;
	if (p->wants_value) {
		p->wants_value = NULL;
	} else if (word[0] == '-' && word[1] != '\0') {
		take_option(p, word);
	} else if (!p->command && strcmp(word, "help") == 0) {
		/* `wgmesh help peers get` is completed like `wgmesh peers get`. */
	} else if (!p->command) {
		p->command = cli_find(word);
		p->is_lost = !p->command;
		p->scope = p->command ? p->command->scope : 0;
	} else if (p->command->verbs && !p->verb) {
		p->verb = find_verb(p->command, word);
		p->is_lost = !p->verb;
		p->scope = p->verb ? p->verb->scope : 0;
	} else {
		p->n_operands++;
	}
}

/* --- what fits there? ---------------------------------------------------------------------- */

static bool is_path(const struct setting *row)
{
	static const char *const names[] = { "FILE", "DIR", "PATH", "PROGRAM" };

	for (size_t i = 0; row->metavar && i < ARRAY_LEN(names); i++)
		if (strcmp(row->metavar, names[i]) == 0)
			return true;
	return false;
}

static void offer_choices(const struct offers *to, const char *head, const char *choices,
			  const char *about)
{
	char word[WORD_SIZE];

	for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
		struct str_out t = { .out = word, .size = sizeof(word) };

		str_add(&t, "%s%.*s", head, (int)strcspn(p, "|"), p);
		offer(to, word, about);
	}
}

/* @head is what stands before the value in the same word: "--backend=", or nothing. */
static enum complete_more offer_value(const struct offers *to, const struct setting *row,
				      const char *head)
{
	if (row->type == SETTING_CHOICE)
		offer_choices(to, head, row->choices, row->help);
	else if (row->type == SETTING_FLAG)
		offer_choices(to, head, "true|false", row->help);
	else if (row == &settings_table()[SETTING_LOG_LEVEL])
		offer_choices(to, head, "error|warn|info|debug", row->help);
	return is_path(row) ? COMPLETE_FILES : COMPLETE_NOTHING;
}

static void offer_options(const struct offers *to, const struct place *p)
{
	const struct setting *table = settings_table();
	char word[WORD_SIZE];

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (!(table[i].scope & p->scope) || (table[i].scope & HIDDEN) || !table[i].name ||
		    p->is_given[i])
			continue;
		(void)snprintf(word, sizeof(word), "--%s", table[i].name);
		offer(to, word, table[i].help);
	}
	offer(to, "--help", "explain this");
}

static void offer_commands(const struct offers *to)
{
	for (const struct cli_command *c = cli_commands(); c->name; c++)
		offer(to, c->name, c->about);
	offer(to, "help", "explain a command");
}

static enum complete_more offer_operand(const struct offers *to, const struct place *p)
{
	enum cli_operand operand = p->verb ? p->verb->operand : p->command->operand;

	if (p->n_operands > 0)
		operand = OPERAND_NONE;
	switch (operand) {
	case OPERAND_NONE:
		offer_options(to, p);
		break;
	case OPERAND_FILE:
		return COMPLETE_FILES;
	case OPERAND_PEER:
		return COMPLETE_PEERS;
	case OPERAND_LEVELS:
		offer_choices(to, "", "error|warn|info|debug", "log level");
		break;
	case OPERAND_SNAPSHOT:
		offer(to, "latest", "the newest good one");
		break;
	}
	return COMPLETE_NOTHING;
}

/* "--backend=ker" */
static enum complete_more offer_in_word(const struct offers *to, const struct place *p)
{
	const struct setting *row = find_option(p->scope, to->begin);
	char head[WORD_SIZE];

	if (!row)
		return COMPLETE_NOTHING;
	str_cut(head, sizeof(head), to->begin, strcspn(to->begin, "=") + 1);
	return offer_value(to, row, head);
}

/* bash takes "[::1]:9464" for five words, two of which are colons. */
static bool is_colons(const char *word)
{
	return *word == ':' && word[strspn(word, ":")] == '\0';
}

/* In the middle of such a word nothing fits. */
static bool is_behind_colon(const struct complete *q)
{
	return is_colons(q->current) || (q->n > 0 && is_colons(q->words[q->n - 1]));
}

enum complete_more complete_line(const struct complete *q, complete_fn *fn, void *arg)
{
	const struct offers to = {
		.fn = fn,
		.arg = arg,
		.begin = strcmp(q->current, "=") == 0 ? "" : q->current,
	};
	struct place p = { .scope = 0 };

	for (size_t i = 0; i < q->n; i++) {
		const char *word = q->words[i];

		if (strcmp(word, "=") == 0)
			continue;
		/* ":9464" is a value itself, "127.0.0.1:9464" one that is not at its end yet. */
		if (!is_colons(word) || p.wants_value)
			take_word(&p, word);
		if (is_colons(word))
			i++;
	}
	if (p.is_lost || is_behind_colon(q))
		return COMPLETE_NOTHING;
	if (p.wants_value)
		return offer_value(&to, p.wants_value, "");
	if (to.begin[0] == '-' && strchr(to.begin, '='))
		return offer_in_word(&to, &p);
	if (to.begin[0] == '-') {
		offer_options(&to, &p);
	} else if (!p.command) {
		offer_commands(&to);
	} else if (p.command->verbs && !p.verb) {
		for (const struct cli_verb *v = p.command->verbs; v->name; v++)
			offer(&to, v->name, v->about);
	} else {
		return offer_operand(&to, &p);
	}
	return COMPLETE_NOTHING;
}
