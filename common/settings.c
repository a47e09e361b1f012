/* SPDX-License-Identifier: MIT */
#include "common/settings.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"

#include <errno.h>
#include <string.h>

#define ENV_PREFIX  "WGMESH_"
#define NAME_SIZE   64
#define NEAREST_MAX 3

/* Finds the index of @text in "a|b|c". */
static int find_choice(uint64_t *out, const char *choices, const char *text)
{
	const char *p = choices;
	size_t len = strlen(text);

	for (uint64_t i = 0;; i++) {
		size_t n = strcspn(p, "|");

		if (n == len && strncmp(p, text, n) == 0) {
			*out = i;
			return 0;
		}
		if (p[n] == '\0')
			return -EINVAL;
		p += n + 1;
	}
}

static int parse_value(const struct setting *row, const char *text, uint64_t *number)
{
	bool flag = false;
	int r = 0;

	switch (row->type) {
	case SETTING_FLAG:
		r = str_parse_bool(&flag, text);
		*number = flag ? 1 : 0;
		return r;
	case SETTING_NUMBER:
		return str_parse_u64(number, text, row->min, row->max);
	case SETTING_DURATION:
		r = str_parse_duration_ms(number, text, row->max);
		return r == 0 && *number < row->min ? -ERANGE : r;
	case SETTING_CHOICE:
		return find_choice(number, row->choices, text);
	case SETTING_TEXT:
		break;
	}
	return 0;
}

void settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		s->v[i].text = settings_table()[i].fallback;
		if (settings_table()[i].fallback)
			(void)parse_value(&settings_table()[i], settings_table()[i].fallback,
					  &s->v[i].number);
	}
}

/* @given is "--listen-port" or "WGMESH_LISTEN_PORT", whichever the person wrote. */
static int refuse_value(const struct setting *row, const char *given, const char *text,
			struct err *e)
{
	/* A long value would push the cure out of the message. */
	const char *shown = (row->scope & SCOPE_CONFIDENTIAL) ? "..." : text;

	switch (row->type) {
	case SETTING_FLAG:
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s=\"%.60s\" must be true or false",
				given, shown);
	case SETTING_NUMBER:
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s=\"%.60s\" must be a number from %llu to %llu", given, shown,
				(unsigned long long)row->min, (unsigned long long)row->max);
	case SETTING_DURATION:
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s=\"%.60s\" must be a time such as 500ms, 8s or 2m, %s1h", given,
				shown, row->min ? "from 1s to " : "at most ");
	case SETTING_CHOICE:
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s=\"%.60s\" must be one of %s", given,
				shown, row->choices);
	case SETTING_TEXT:
		break;
	}
	return err_exit(e, EXITS_USAGE, -EINVAL, "%s=\"%.60s\" is not accepted", given, shown);
}

/* @given is the flag or the variable as the person wrote it. */
struct origin {
	const char *given;
	enum setting_source source;
};

static int set_value(struct settings *s, size_t id, const char *text, const struct origin *from,
		     struct err *e)
{
	uint64_t number = 0;

	if (parse_value(&settings_table()[id], text, &number) < 0)
		return refuse_value(&settings_table()[id], from->given, text, e);
	s->v[id] =
		(struct setting_value) { .text = text, .number = number, .source = from->source };
	return 0;
}

/* The part after "NAME=" when @entry sets @name, else NULL. */
static const char *env_value(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL;
}

int settings_read_env(struct settings *s, unsigned int scope, char *const *envp, struct err *e)
{
	for (size_t id = 0; id < SETTING_COUNT; id++) {
		if (!(settings_table()[id].scope & scope) || !settings_table()[id].env)
			continue;
		for (char *const *p = envp; *p; p++) {
			const struct origin from = { settings_table()[id].env, SOURCE_ENV };
			const char *text = env_value(*p, settings_table()[id].env);
			int r;

			if (!text || *text == '\0')
				continue;
			r = set_value(s, id, text, &from, e);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static const struct setting *find_flag(unsigned int scope, const char *name, size_t len)
{
	for (size_t id = 0; id < SETTING_COUNT; id++)
		if ((settings_table()[id].scope & scope) && settings_table()[id].name &&
		    strlen(settings_table()[id].name) == len &&
		    strncmp(settings_table()[id].name, name, len) == 0)
			return &settings_table()[id];
	return NULL;
}

static int refuse_flag(unsigned int scope, const char *name, size_t len, struct err *e)
{
	char given[NAME_SIZE];
	const char *nearest = NULL;
	unsigned int best = NEAREST_MAX + 1;

	str_cut(given, sizeof(given), name, len);
	for (size_t id = 0; id < SETTING_COUNT; id++) {
		const char *known = settings_table()[id].name;
		unsigned int d = known ? str_distance(given, known) : best;

		if ((settings_table()[id].scope & scope) && d < best) {
			best = d;
			nearest = known;
		}
	}
	if (nearest)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"unknown option --%s; did you mean --%s? --help lists them all",
				given, nearest);
	return err_exit(e, EXITS_USAGE, -EINVAL, "unknown option --%s; --help lists them all",
			given);
}

static bool is_help(const char *name)
{
	return strcmp(name, "help") == 0 || strcmp(name, "h") == 0;
}

/* Where in the arguments we are. */
struct cursor {
	int argc;
	char **argv;
	int i;
};

/* Reads the flag under the cursor, and moves it over a value in the next argument. */
static int read_flag(struct settings *s, unsigned int scope, struct cursor *at, struct err *e)
{
	const char *name = at->argv[at->i] + (at->argv[at->i][1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct setting *row = find_flag(scope, name, len);
	char given[NAME_SIZE];
	const struct origin from = { given, SOURCE_FLAG };

	if (!row)
		return is_help(name) ? -ECANCELED : refuse_flag(scope, name, len, e);
	(void)snprintf(given, sizeof(given), "--%s", row->name);
	if ((row->scope & SCOPE_ONCE) && s->v[row - settings_table()].source == SOURCE_FLAG)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s is there twice; join both lists: %s %s", given, given,
				row->metavar);
	if (!value && row->type == SETTING_FLAG)
		value = "true";
	if (!value && at->i + 1 == at->argc)
		return err_exit(e, EXITS_USAGE, -EINVAL, "%s needs a value: %s %s", given, given,
				row->metavar);
	if (!value)
		value = at->argv[++at->i];
	return set_value(s, (size_t)(row - settings_table()), value, &from, e);
}

int settings_read_args(struct settings *s, unsigned int scope, int argc, char **argv, struct err *e)
{
	struct cursor at = { .argc = argc, .argv = argv };

	for (; at.i < argc; at.i++) {
		const char *arg = argv[at.i];
		int r;

		if (strcmp(arg, "--") == 0)
			return at.i + 1;
		if (arg[0] != '-' || arg[1] == '\0')
			break;
		r = read_flag(s, scope, &at, e);
		if (r < 0)
			return r;
	}
	return at.i;
}

static bool is_known_env(const char *name)
{
	for (size_t id = 0; id < SETTING_COUNT; id++)
		if (settings_table()[id].env && strcmp(settings_table()[id].env, name) == 0)
			return true;
	return false;
}

static const char *nearest_env(const char *name)
{
	const char *nearest = NULL;
	unsigned int best = NEAREST_MAX + 1;

	for (size_t id = 0; id < SETTING_COUNT; id++) {
		unsigned int d = settings_table()[id].env
					 ? str_distance(name, settings_table()[id].env)
					 : best;

		if (d < best) {
			best = d;
			nearest = settings_table()[id].env;
		}
	}
	return nearest;
}

bool settings_unknown_env(char *const *envp, size_t *pos, char name[static 64],
			  const char **nearest)
{
	for (; envp[*pos]; (*pos)++) {
		const char *entry = envp[*pos];

		if (strncmp(entry, ENV_PREFIX, strlen(ENV_PREFIX)) != 0)
			continue;
		str_cut(name, NAME_SIZE, entry, strcspn(entry, "="));
		if (is_known_env(name))
			continue;
		*nearest = nearest_env(name);
		(*pos)++;
		return true;
	}
	return false;
}

const char *settings_origin(const struct settings *s, enum setting_id id)
{
	/* Names of flags without dashes would not be found in the help. */
	static char flag[NAME_SIZE];

	if (s->v[id].source == SOURCE_ENV || !settings_table()[id].name)
		return settings_table()[id].env;
	(void)snprintf(flag, sizeof(flag), "--%s", settings_table()[id].name);
	return flag;
}
