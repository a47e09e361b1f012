/* SPDX-License-Identifier: MIT */
#include "daemon/cli/cli.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/log.h"
#include "daemon/cli/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HELP_WIDTH 79

/* Bytes of a paragraph up to an empty line or an example, which begins with two blanks. */
static size_t paragraph(const char *s)
{
	size_t len = 0;

	while (s[len] && s[len] != '\n' && strncmp(s + len, "  ", 2) != 0)
		len += strcspn(s + len, "\n") + (strchr(s + len, '\n') ? 1 : 0);
	return len;
}

/* Fills paragraphs to the width of a small terminal, and leaves all other lines as they are. */
static void put_about(const char *s)
{
	while (*s) {
		size_t len = paragraph(s);
		auto_free char *text = len > 0 ? strndup(s, len) : NULL;

		for (char *p = text; p && *p; p++)
			if (*p == '\n')
				*p = p[1] ? ' ' : '\0';
		if (text) {
			text_wrap(stdout, text, 0, HELP_WIDTH);
		} else {
			len = strcspn(s, "\n") + 1;
			(void)printf("%.*s", (int)len, s);
		}
		s += len;
	}
}

static void help(const struct cli_usage *u)
{
	(void)printf("Usage: %s %s\n\n", u->name, u->synopsis);
	put_about(u->about);
	(void)puts("\nOptions (the flag wins over the variable):");
	settings_help(stdout, u->scope);
}

/* What a daemon says belongs into its log, in the form of the log. */
static int refuse(const struct cli_usage *u, const struct settings *s, const struct err *e)
{
	if (!(u->scope & SCOPE_JOIN))
		return cli_fail(e, EXITS_USAGE);
	cli_log_init(s);
	log_event(EVENT_SETTINGS_REFUSED, NULL, "%s", e->msg);
	return e->exit_code ? e->exit_code : EXITS_USAGE;
}

int cli_parse_more(struct settings *s, const struct cli_usage *u, int argc, char **argv,
		   int *exit_code)
{
	struct err e = { 0 };
	int r = settings_read_args(s, u->scope, argc, argv, &e);

	if (r == -ECANCELED) {
		help(u);
		*exit_code = EXITS_OK;
		return -1;
	}
	if (r < 0) {
		*exit_code = refuse(u, s, &e);
		return -1;
	}
	return r;
}

int cli_parse(struct settings *s, const struct cli_usage *u, int argc, char **argv, int *exit_code)
{
	struct err e = { 0 };

	settings_init(s);
	if (settings_read_env(s, u->scope, environ, &e) < 0) {
		*exit_code = refuse(u, s, &e);
		return -1;
	}
	return cli_parse_more(s, u, argc, argv, exit_code);
}

int cli_parse_alone(struct settings *s, const struct cli_usage *u, int argc, char **argv,
		    int *exit_code)
{
	int first = cli_parse(s, u, argc, argv, exit_code);

	if (first < 0 || first == argc)
		return first < 0 ? -1 : 0;
	*exit_code = cli_usage_error("%s takes no argument, but got \"%.40s\"",
				     u->name + strlen("wgmesh "), argv[first]);
	return -1;
}

const char *cli_sentence(char out[static CLI_SENTENCE_SIZE], const struct err *e)
{
	/* Wrong usage and a negative answer have no system error behind them that would help. */
	bool is_whole = (e->exit_code == EXITS_USAGE && e->code == -EINVAL) ||
			e->exit_code == EXITS_FAILURE;

	(void)snprintf(out, CLI_SENTENCE_SIZE, "%s%s%s", e->msg, is_whole ? "" : ": ",
		       is_whole ? "" : strerror(-e->code));
	return out;
}

int cli_fail(const struct err *e, int fallback)
{
	char sentence[CLI_SENTENCE_SIZE];

	(void)fprintf(stderr, "wgmesh: %s\n", cli_sentence(sentence, e));
	return e->exit_code ? e->exit_code : fallback;
}

int cli_usage_error(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("wgmesh: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return EXITS_USAGE;
}

void cli_log_init(const struct settings *s)
{
	const char *levels = settings_text(s, SETTING_LOG_LEVEL);

	if (log_init("wgmesh", (enum log_format)settings_number(s, SETTING_LOG_FORMAT), levels) < 0)
		log_event(EVENT_LOG_LEVELS_UNKNOWN, NULL,
			  "%s=\"%.40s\" is no list of levels such as \"info,exchange=debug\"; "
			  "info is used",
			  settings_origin(s, SETTING_LOG_LEVEL), levels);
}
