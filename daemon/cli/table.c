/* SPDX-License-Identifier: MIT */
#include "daemon/cli/table.h"
#include "daemon/cli/text.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 16
#define GAP	    2
#define NOTE_INDENT 4
#define ELLIPSIS    "…"

/**
 * struct item - A cell, or a note
 * @text:	Clean text; owned
 * @is_note:	It spans the columns
 */
struct item {
	char *text;
	bool is_note;
};

struct table {
	const struct table_column *columns;
	size_t n_columns;
	struct item *items;
	size_t n_items;
	size_t size;
	bool is_broken; /* memory ran out */
};

/* What is shown, and how wide. */
struct layout {
	bool is_shown[COLUMNS_MAX];
	size_t width[COLUMNS_MAX];
};

struct table *table_new(const struct table_column *columns, size_t n)
{
	struct table *t = n > 0 && n <= COLUMNS_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (t) {
		t->columns = columns;
		t->n_columns = n;
	}
	return t;
}

void table_free(struct table *t)
{
	for (size_t i = 0; t && i < t->n_items; i++)
		free(t->items[i].text);
	if (t)
		free(t->items);
	free(t);
}

static bool make_room(struct table *t)
{
	size_t size = t->size ? 2 * t->size : 64;
	struct item *items;

	if (t->n_items < t->size)
		return true;
	items = reallocarray(t->items, size, sizeof(*items));
	if (!items)
		return false;
	t->items = items;
	t->size = size;
	return true;
}

/* A missing cell would move all that follow it into the wrong column: better no more rows. */
static void add(struct table *t, const char *text, bool is_note)
{
	char *clean = !t->is_broken && make_room(t) ? text_clean(text) : NULL;

	t->is_broken = !clean;
	if (clean)
		t->items[t->n_items++] = (struct item) { .text = clean, .is_note = is_note };
}

void table_cell(struct table *t, const char *text)
{
	if (t)
		add(t, text && *text ? text : "-", false);
}

void table_note(struct table *t, const char *text)
{
	if (t)
		add(t, text, true);
}

static void measure(struct layout *l, const struct table *t)
{
	size_t column = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		l->is_shown[i] = true;
		l->width[i] = text_width(t->columns[i].title);
	}
	for (size_t i = 0; i < t->n_items; i++) {
		size_t width = text_width(t->items[i].text);

		if (t->items[i].is_note)
			continue;
		if (width > l->width[column])
			l->width[column] = width;
		if (++column == t->n_columns)
			column = 0;
	}
}

/* A column's width when all that may be cut is cut. */
static size_t least_width(const struct layout *l, const struct table *t, size_t i)
{
	size_t title = text_width(t->columns[i].title);
	size_t least = t->columns[i].least > title ? t->columns[i].least : title;

	return t->columns[i].least != 0 && least < l->width[i] ? least : l->width[i];
}

static size_t total_width(const struct layout *l, const struct table *t, bool when_cut)
{
	size_t total = 0;

	for (size_t i = 0; i < t->n_columns; i++)
		if (l->is_shown[i])
			total +=
				(total ? GAP : 0) + (when_cut ? least_width(l, t, i) : l->width[i]);
	return total;
}

/* Hides the least important column; false when only one is left. */
static bool drop_one(struct layout *l, const struct table *t)
{
	size_t n_shown = 0;
	size_t worst = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		if (!l->is_shown[i])
			continue;
		if (n_shown == 0 || t->columns[i].rank <= t->columns[worst].rank)
			worst = i;
		n_shown++;
	}
	if (n_shown < 2)
		return false;
	l->is_shown[worst] = false;
	return true;
}

/* Takes one column of the terminal from whoever has most to spare. */
static bool shrink_one(struct layout *l, const struct table *t)
{
	size_t most = 0;
	size_t at = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		size_t spare = l->width[i] - least_width(l, t, i);

		if (l->is_shown[i] && spare > most) {
			most = spare;
			at = i;
		}
	}
	if (most > 0)
		l->width[at]--;
	return most > 0;
}

static void fit(struct layout *l, const struct table *t, size_t width)
{
	/* What is wider than the terminal is cut in any case: at once, since it may be very wide. */
	for (size_t i = 0; i < t->n_columns; i++) {
		size_t least = least_width(l, t, i);

		if (least < l->width[i] && l->width[i] > width)
			l->width[i] = least > width ? least : width;
	}
	while (total_width(l, t, true) > width && drop_one(l, t))
		;
	while (total_width(l, t, false) > width && shrink_one(l, t))
		;
}

static void print_spaces(FILE *out, size_t n)
{
	(void)fprintf(out, "%*s", (int)n, "");
}

/* No blanks behind the last cell: they would wrap on a terminal of just this width. */
static void print_cell(FILE *out, const char *text, size_t width, bool is_right, bool is_last)
{
	size_t has = text_width(text);
	size_t taken;
	size_t n;

	if (has <= width) {
		if (is_right)
			print_spaces(out, width - has);
		(void)fputs(text, out);
		if (!is_right && !is_last)
			print_spaces(out, width - has);
		return;
	}
	n = text_cut(text, width > 0 ? width - 1 : 0, &taken);
	(void)fprintf(out, "%.*s" ELLIPSIS, (int)n, text);
	if (!is_last)
		print_spaces(out, width > taken + 1 ? width - taken - 1 : 0);
}

/* A row of the table, or its titles when @items is NULL. */
static void print_row(FILE *out, const struct layout *l, const struct table *t,
		      const struct item *items)
{
	size_t last = 0;
	bool is_first = true;

	for (size_t i = 0; i < t->n_columns; i++)
		if (l->is_shown[i])
			last = i;
	for (size_t i = 0; i < t->n_columns; i++) {
		if (!l->is_shown[i])
			continue;
		if (!is_first)
			print_spaces(out, GAP);
		is_first = false;
		print_cell(out, items ? items[i].text : t->columns[i].title, l->width[i],
			   t->columns[i].is_right, i == last);
	}
	(void)fputc('\n', out);
}

void table_print(FILE *out, const struct table *t, size_t width)
{
	struct layout l = { 0 };

	if (!t)
		return;
	measure(&l, t);
	if (width != TEXT_NO_LIMIT)
		fit(&l, t, width);
	print_row(out, &l, t, NULL);
	for (size_t i = 0; i < t->n_items;) {
		if (t->items[i].is_note) {
			print_spaces(out, NOTE_INDENT);
			text_wrap(out, t->items[i].text, NOTE_INDENT, width);
			i++;
		} else if (t->n_items - i >= t->n_columns) {
			print_row(out, &l, t, &t->items[i]);
			i += t->n_columns;
		} else {
			break;
		}
	}
}
