/* SPDX-License-Identifier: MIT */
#include "docs/gen/text.h"
#include "common/defs.h"
#include "common/str.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FILL_WIDTH 78

/* A piece of text that is not broken: of one kind, without a blank where lines may be filled. */
struct piece {
	const char *start;
	size_t len;
	bool is_typed;
};

static void put_man_char(FILE *out, char c, bool is_typed)
{
	switch (c) {
	case '\\':
		(void)fputs("\\e", out);
		return;
	case '-':
		(void)fputs(is_typed ? "\\-" : "-", out);
		return;
	case '\'':
		(void)fputs(is_typed ? "\\(aq" : "'", out);
		return;
	case '^':
		(void)fputs("\\(ha", out);
		return;
	case '~':
		(void)fputs("\\(ti", out);
		return;
	case '`':
		(void)fputs("\\(ga", out);
		return;
	default:
		(void)fputc(c, out);
	}
}

static void put_piece(const struct doc *d, const struct piece *p)
{
	bool is_man = d->form == FORM_MAN;

	if (p->is_typed)
		(void)fputs(is_man ? "\\fB" : "`", d->out);
	for (size_t i = 0; i < p->len; i++) {
		if (is_man)
			put_man_char(d->out, p->start[i], p->is_typed);
		else if (p->start[i] == '|')
			(void)fputs("\\|", d->out);
		else
			(void)fputc(p->start[i], d->out);
	}
	if (p->is_typed)
		(void)fputs(is_man ? "\\fR" : "`", d->out);
}

/* Length of an option or a variable that stands at the start of a word; 0 for another word. */
static size_t typed_prefix(const char *s)
{
	static const char option[] = "abcdefghijklmnopqrstuvwxyz0123456789-=";
	static const char variable[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t len = 0;

	if (strncmp(s, "--", 2) == 0 && islower((unsigned char)s[2]))
		len = strspn(s, option);
	else if (strncmp(s, "WGMESH_", 7) == 0)
		len = strspn(s, variable);
	return len > strlen("WGMESH_") || *s == '-' ? len : 0;
}

/* Takes the next piece of a word, and moves over it. */
static struct piece next_piece(const char **pos, const char *end)
{
	const char *s = *pos;
	const char *close = *s == '`' ? memchr(s + 1, '`', (size_t)(end - s - 1)) : NULL;
	size_t typed = typed_prefix(s);
	struct piece p = { s, typed, true };

	if (close) {
		p = (struct piece) { s + 1, (size_t)(close - s - 1), true };
		*pos = close + 1;
		return p;
	}
	if (typed == 0) {
		p = (struct piece) { s, 1, false };
		while (s + p.len < end && s[p.len] != '`' && !typed_prefix(s + p.len))
			p.len++;
	}
	*pos = s + p.len;
	return p;
}

static void put_word(const struct doc *d, const char *word, size_t len)
{
	const char *pos = word;
	const char *end = word + len;

	if (d->form == FORM_MAN && (*word == '.' || *word == '\''))
		(void)fputs("\\&", d->out);
	while (pos < end) {
		struct piece p = next_piece(&pos, end);

		put_piece(d, &p);
	}
}

/* Length of the next word; what stands in backquotes is one word, blanks and all. */
static size_t word_len(const char *s)
{
	bool in_quotes = false;
	size_t len = 0;

	for (; s[len] && (in_quotes || (s[len] != ' ' && s[len] != '\n')); len++)
		if (s[len] == '`')
			in_quotes = !in_quotes;
	return len;
}

static bool ends_sentence(const char *word, size_t len)
{
	return len > 1 && strchr(".?!", word[len - 1]) && !isdigit((unsigned char)word[len - 2]);
}

/* A word as it is written, so that lines can be filled by what they are long in the file. */
static char *render_word(const struct doc *d, const char *word, size_t len)
{
	char *text = NULL;
	size_t size = 0;
	struct doc to = { .out = open_memstream(&text, &size), .form = d->form };

	if (!to.out)
		abort();
	put_word(&to, word, len);
	(void)fclose(to.out);
	return text;
}

static void put_filled(const struct doc *d, const char *text)
{
	bool is_over = true;
	char last = '\0';
	size_t at = 0;
	size_t len = 0;

	for (; *text; text += len, text += strspn(text, " \n")) {
		auto_free char *word = NULL;
		bool is_new_line;

		len = word_len(text);
		word = render_word(d, text, len);
		is_new_line = is_over || at + 1 + strlen(word) > FILL_WIDTH;
		if (at > 0)
			(void)fputc(is_new_line ? '\n' : ' ', d->out);
		at = is_new_line ? 0 : at + 1;
		at += (size_t)fprintf(d->out, "%s", word);
		is_over = ends_sentence(text, len);
		last = text[len - 1];
	}
	(void)fputs(strchr(".?!:", last) ? "\n" : ".\n", d->out);
}

void doc_text(const struct doc *d, const char *text)
{
	if (d->form == FORM_MAN) {
		put_filled(d, text);
		return;
	}
	while (*text) {
		size_t len = word_len(text);

		put_word(d, text, len);
		text += len;
		if (*text)
			(void)fputc(*text++, d->out);
	}
}

static void put_line(const struct doc *d, const char *line, size_t len)
{
	if (len > 0 && (line[0] == '.' || line[0] == '\''))
		(void)fputs("\\&", d->out);
	for (size_t i = 0; i < len; i++)
		put_man_char(d->out, line[i], true);
	(void)fputc('\n', d->out);
}

void doc_example_line(const struct doc *d, const char *line)
{
	put_line(d, line, strlen(line));
}

/* The lines up to the next empty one, which begin with two blanks. */
static const char *put_example(const struct doc *d, const char *text)
{
	(void)fputs(".PP\n.nf\n", d->out);
	while (*text && *text != '\n') {
		size_t len = strcspn(text, "\n");
		size_t skip = strspn(text, " ") >= 2 ? 2 : 0;

		put_line(d, text + skip, len - skip);
		text += len + (text[len] == '\n' ? 1 : 0);
	}
	(void)fputs(".fi\n", d->out);
	return text;
}

static const char *put_paragraph(const struct doc *d, const char *text)
{
	char lines[4096];
	size_t used = 0;

	while (*text && *text != '\n' && strncmp(text, "  ", 2) != 0) {
		size_t len = strcspn(text, "\n") + (strchr(text, '\n') ? 1 : 0);

		if (used + len >= sizeof(lines))
			break;
		memcpy(lines + used, text, len);
		used += len;
		text += len;
	}
	while (used > 0 && lines[used - 1] == '\n')
		used--;
	lines[used] = '\0';
	(void)fputs(".PP\n", d->out);
	put_filled(d, lines);
	return text;
}

void doc_paragraphs(const struct doc *d, const char *text)
{
	while (*text) {
		if (*text == '\n')
			text++;
		else if (strncmp(text, "  ", 2) == 0)
			text = put_example(d, text);
		else
			text = put_paragraph(d, text);
	}
}

void doc_table_begin(const struct doc *d, const struct doc_table *t)
{
	if (d->form == FORM_MAN)
		return;
	for (size_t i = 0; t->heads[i]; i++)
		(void)fprintf(d->out, "| %s ", t->heads[i]);
	(void)fputs("|\n", d->out);
	for (size_t i = 0; t->heads[i]; i++)
		(void)fputs("| --- ", d->out);
	(void)fputs("|\n", d->out);
}

/* "--state-dir DIR": what is typed, and what stands for something. */
static void put_item(const struct doc *d, const char *tag)
{
	size_t typed = strncmp(tag, "--", 2) == 0 ? strcspn(tag, " ") : strlen(tag);
	struct piece head = { .start = tag, .len = typed, .is_typed = true };

	(void)fputs(".TP\n", d->out);
	put_piece(d, &head);
	if (tag[typed]) {
		(void)fputs(" \\fI", d->out);
		for (const char *p = tag + typed + 1; *p; p++)
			put_man_char(d->out, *p, true);
		(void)fputs("\\fR", d->out);
	}
	(void)fputc('\n', d->out);
}

void doc_begin_sentence(char *text)
{
	if (strncmp(text, "wgmesh", strlen("wgmesh")) != 0)
		text[0] = (char)toupper((unsigned char)text[0]);
}

static void put_item_text(const struct doc *d, const struct doc_table *t, const char *const *cells,
			  size_t last)
{
	char text[4096] = "";
	struct str_out s = { .out = text, .size = sizeof(text) };

	str_add(&s, "%s", cells[last]);
	doc_begin_sentence(text);
	for (size_t i = 1; i < last; i++)
		if (cells[i][0] != '\0')
			str_add(&s, "%s %c%s: %s", ends_sentence(text, s.len) ? "" : ".",
				toupper((unsigned char)t->heads[i][0]), t->heads[i] + 1, cells[i]);
	put_filled(d, text);
}

void doc_table_row(const struct doc *d, const struct doc_table *t, const char *const *cells)
{
	size_t last = 0;

	while (t->heads[last + 1])
		last++;
	if (d->form == FORM_MAN) {
		put_item(d, cells[0]);
		put_item_text(d, t, cells, last);
		return;
	}
	(void)fputs("| ", d->out);
	put_piece(d, &(struct piece) { cells[0], strlen(cells[0]), true });
	for (size_t i = 1; i <= last; i++) {
		(void)fputs(" | ", d->out);
		doc_text(d, cells[i]);
	}
	(void)fputs(" |\n", d->out);
}
