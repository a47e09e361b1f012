/* SPDX-License-Identifier: MIT */
/*
 * text - running text and tables, as a manual page (man(7)) or as Markdown
 *
 * Texts of the tables are plain, but for `backquotes` around what is typed. Options and variables that
 * are named without them are set the same way.
 */
#ifndef DOCS_GEN_TEXT_H
#define DOCS_GEN_TEXT_H

#include <stddef.h>
#include <stdio.h>

enum form { FORM_MAN, FORM_MARKDOWN };

/**
 * struct doc - Where the pages are written
 * @out:	Stream; borrowed
 * @form:	Form
 */
struct doc {
	FILE *out;
	enum form form;
};

#define DOC_COLUMNS_MAX 5

/**
 * struct doc_table - A table: in a manual page its rows are items, with the columns between the first
 *		      and the last as sentences at the end
 * @heads:	Names of the columns; NULL ends them
 */
struct doc_table {
	const char *heads[DOC_COLUMNS_MAX + 1];
};

/**
 * doc_text() - Write a paragraph's worth of text
 * @d:		Where to
 * @text:	Text
 *
 * In a manual page the lines are filled, each sentence begins a line, and the last one gets its full
 * stop; in Markdown nothing is broken or added, so that it can stand in a table.
 */
void doc_text(const struct doc *d, const char *text);

/**
 * doc_begin_sentence() - Give a text a capital letter, unless it begins with a program's name
 */
void doc_begin_sentence(char *text);

/**
 * doc_paragraphs() - Write the lines of a help text: paragraphs, and examples, which are indented
 * @d:		Where to; a manual page only
 * @text:	Lines
 */
void doc_paragraphs(const struct doc *d, const char *text);

/**
 * doc_example_line() - Write a line as it is typed; a manual page only, between .nf and .fi
 */
void doc_example_line(const struct doc *d, const char *line);

/**
 * doc_table_begin() - Begin a table
 */
void doc_table_begin(const struct doc *d, const struct doc_table *t);

/**
 * doc_table_row() - Write a row
 * @d:		Where to
 * @t:		Table
 * @cells:	As many texts as @t has columns; the first is what is typed, the last what it means
 */
void doc_table_row(const struct doc *d, const struct doc_table *t, const char *const *cells);

#endif /* DOCS_GEN_TEXT_H */
