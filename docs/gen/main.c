/* SPDX-License-Identifier: MIT */
/*
 * docgen PAGE - write a page of the manual to standard output, with its tables made anew
 *
 * A PAGE that ends in ".md" has them between "<!-- generated: NAME -->" and "<!-- end -->". Any other
 * one is a template of a manual page: a line "@NAME@" becomes the table, "@VERSION@" the version.
 */
#include "common/str.h"
#include "docs/gen/sections.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 64

struct page {
	FILE *in;
	const char *path;
	char *line;
	size_t size;
	struct doc doc;
};

static bool next_line(struct page *p)
{
	return getline(&p->line, &p->size, p->in) > 0;
}

/* The NAME between @before and @after, when the line is nothing else. */
static bool take_name(char name[static NAME_SIZE], const char *line, const char *before,
		      const char *after)
{
	size_t head = strlen(before);
	const char *end = strncmp(line, before, head) == 0 ? strstr(line + head, after) : NULL;

	if (!end || strcmp(end + strlen(after), "\n") != 0)
		return false;
	str_cut(name, NAME_SIZE, line + head, (size_t)(end - line) - head);
	return true;
}

static int write_section(const struct page *p, const char *name)
{
	section_fn *write = section_find(name);

	if (!write) {
		(void)fprintf(stderr, "docgen: %s: there is no table \"%s\"\n", p->path, name);
		return -ENOENT;
	}
	write(&p->doc);
	return 0;
}

/* Passes over what stands between the marks now. */
static int skip_old(struct page *p, const char *name)
{
	while (next_line(p))
		if (strcmp(p->line, "<!-- end -->\n") == 0)
			return 0;
	(void)fprintf(stderr, "docgen: %s: the table \"%s\" has no \"<!-- end -->\"\n", p->path,
		      name);
	return -ENODATA;
}

static int write_markdown(struct page *p)
{
	char name[NAME_SIZE];
	int r = 0;

	while (r == 0 && next_line(p)) {
		(void)fputs(p->line, stdout);
		if (!take_name(name, p->line, "<!-- generated: ", " -->"))
			continue;
		(void)putchar('\n');
		r = write_section(p, name);
		if (r == 0)
			r = skip_old(p, name);
		(void)fputs("\n<!-- end -->\n", stdout);
	}
	return r;
}

static int write_man(struct page *p)
{
	static const char version[] = "@VERSION@";
	char name[NAME_SIZE];
	int r = 0;

	while (r == 0 && next_line(p)) {
		char *at = strstr(p->line, version);

		if (at)
			(void)printf("%.*s%s%s", (int)(at - p->line), p->line, WGMESH_VERSION,
				     at + strlen(version));
		else if (take_name(name, p->line, "@", "@"))
			r = write_section(p, name);
		else
			(void)fputs(p->line, stdout);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct page p = { .doc = { .out = stdout } };
	size_t len = argc == 2 ? strlen(argv[1]) : 0;
	int r;

	if (len < 4) {
		(void)fputs("Usage: docgen PAGE\n", stderr);
		return EXIT_FAILURE;
	}
	p.path = argv[1];
	p.doc.form = strcmp(argv[1] + len - 3, ".md") == 0 ? FORM_MARKDOWN : FORM_MAN;
	p.in = fopen(argv[1], "re");
	if (!p.in) {
		(void)fprintf(stderr, "docgen: %s: %s\n", argv[1], strerror(errno));
		return EXIT_FAILURE;
	}
	r = p.doc.form == FORM_MARKDOWN ? write_markdown(&p) : write_man(&p);
	(void)fclose(p.in);
	free(p.line);
	return r == 0 && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
