/* SPDX-License-Identifier: MIT */
#include "docs/gen/usage.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Runs "COMMAND [VERB] --help" with its standard output in a file in memory. */
static int capture(cli_fn *run, const char *verb, int file)
{
	char help[] = "--help";
	char word[64] = "";
	char *argv[] = { word, help, NULL };
	auto_close int saved = dup(STDOUT_FILENO);

	(void)fflush(stdout);
	if (saved < 0 || dup2(file, STDOUT_FILENO) < 0)
		return -errno;
	if (verb)
		(void)snprintf(word, sizeof(word), "%s", verb);
	(void)run(verb ? 2 : 1, verb ? argv : argv + 1);
	(void)fflush(stdout);
	return dup2(saved, STDOUT_FILENO) < 0 ? -errno : 0;
}

int usage_read(struct usage *out, cli_fn *run, const char *verb)
{
	static const char head[] = "Usage: ";
	char text[sizeof(out->about)] = "";
	auto_close int file = memfd_create("help", MFD_CLOEXEC);
	int r = file < 0 ? -errno : capture(run, verb, file);
	const char *about;
	const char *end;

	if (r < 0)
		return r;
	if (pread(file, text, sizeof(text) - 1, 0) < 0)
		return -errno;
	if (strncmp(text, head, strlen(head)) != 0)
		return -ENODATA;
	about = text + strcspn(text, "\n");
	end = strstr(about, "\nOptions");
	str_cut(out->line, sizeof(out->line), text + strlen(head),
		(size_t)(about - text) - strlen(head));
	str_cut(out->about, sizeof(out->about), about, end ? (size_t)(end - about) : strlen(about));
	return 0;
}
