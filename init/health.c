/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/settings.h"
#include "init/commands.h"
#include "init/json.h"
#include "init/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int commands_healthcheck(char **argv, char **envp)
{
	char text[STATUS_SIZE];
	char value[VOLWATCH_TEXT_SIZE];
	struct err e = { 0 };

	(void)argv;
	(void)envp;
	if (status_fetch(text, &e) < 0) {
		(void)fprintf(stderr, "unhealthy: %s\n", e.msg);
		return EXITS_FAILURE;
	}
	if (statusline_value(text, "healthy", value, sizeof(value)) && strcmp(value, "true") == 0)
		return EXITS_OK;
	if (statusline_value(text, "cloned", value, sizeof(value)) && strcmp(value, "true") == 0) {
		(void)statusline_value(text, "daemon_status", value, sizeof(value));
		(void)fprintf(stderr, "unhealthy: %s; stop one of the two\n", value);
		return EXITS_FAILURE;
	}
	if (statusline_value(text, "storage_note", value, sizeof(value)) && value[0]) {
		(void)fprintf(stderr, "unhealthy: %s\n", value);
		return EXITS_FAILURE;
	}
	(void)statusline_value(text, "state", value, sizeof(value));
	(void)fprintf(stderr, "unhealthy: the supervisor is in state \"%s\"\n", value);
	return EXITS_FAILURE;
}

/* "ok 0.123 sentence" as an object. */
static void put_phase(char *value)
{
	char *duration = value + strcspn(value, " ");
	char *note;

	*duration = '\0';
	duration++;
	note = duration + strcspn(duration, " ");
	*note = '\0';
	(void)printf("{\"outcome\":\"%s\",\"duration_ms\":%s,\"note\":", value, duration);
	json_put_string(stdout, note + 1);
	(void)putchar('}');
}

static void put_member(char *line, const char *separator)
{
	static const char head[] = "phase.";
	char *value = line + strcspn(line, "=");
	bool is_phase = strncmp(line, head, sizeof(head) - 1) == 0;

	*value = '\0';
	value++;
	(void)fputs(separator, stdout);
	json_put_string(stdout, is_phase ? line + sizeof(head) - 1 : line);
	(void)putchar(':');
	if (is_phase)
		put_phase(value);
	else if (statusline_is_bare(line, value))
		(void)fputs(value, stdout);
	else
		json_put_string(stdout, value);
}

static void print_json(char *text)
{
	const char *separator = "{";
	bool in_phases = false;

	while (*text) {
		char *end = text + strcspn(text, "\n");

		*end = '\0';
		if (!in_phases && strncmp(text, "phase.", 6) == 0) {
			(void)fputs(",\"phases\":", stdout);
			separator = "{";
			in_phases = true;
		}
		put_member(text, separator);
		separator = ",";
		text = end + 1;
	}
	(void)puts(in_phases ? "}}" : "}");
}

static int read_flags(struct settings *s, char **argv, struct err *e)
{
	int n = 0;
	int r;

	while (argv[n])
		n++;
	settings_init(s);
	r = settings_read_args(s, SCOPE_INIT_STATUS, n, argv, e);
	if (r >= 0 && r < n)
		return err_set(e, -EINVAL, "unexpected argument \"%.60s\"", argv[r]);
	return r;
}

int commands_status(char **argv, char **envp)
{
	char text[STATUS_SIZE + 1];
	struct settings s;
	struct err e = { 0 };
	int r = read_flags(&s, argv, &e);

	(void)envp;
	if (r < 0) {
		(void)fprintf(stderr, "wgmesh-init status: %s\n", e.msg);
		return EXITS_USAGE;
	}
	r = status_fetch(text, &e);
	if (r < 0) {
		(void)fprintf(stderr, "wgmesh-init status: %s\n", e.msg);
		return EXITS_FAILURE;
	}
	if (settings_flag(&s, SETTING_JSON))
		print_json(text);
	else
		(void)fputs(text, stdout);
	return EXITS_OK;
}
