/* SPDX-License-Identifier: MIT */
/*
 * settings - every option of both programs: flag, variable, type, range, help
 *
 * The rows are in common/settings.def, from which the manual is made as well (docs/gen).
 * The flag wins over the environment variable, which wins over the default. Both programs know the
 * whole table, because a container's environment holds the variables of both. Flags are written as
 * the existing command accepts them (protocol.md section 16, Go's flag package): -x or --x, then
 * "=value" or the next argument; a boolean takes only "=value"; the first argument that is no flag,
 * or "--", ends them.
 */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* SETTING_STATE_DIR to SETTING_TIMEOUT, in the order of common/settings.def */
enum setting_id {
#define SETTING(id, ...) SETTING_##id,
#include "common/settings.def"
#undef SETTING
	SETTING_COUNT,
};

/* The commands that know a setting; a bit each. */
enum setting_scope {
	SCOPE_INIT = 1 << 0,	      /* wgmesh-init PROGRAM */
	SCOPE_INIT_CHECK = 1 << 1,    /* wgmesh-init check, migrate, fix-permissions */
	SCOPE_INIT_STATUS = 1 << 2,   /* wgmesh-init status */
	SCOPE_JOIN = 1 << 3,	      /* wgmesh join */
	SCOPE_STATUS = 1 << 4,	      /* wgmesh status */
	SCOPE_PEERS = 1 << 5,	      /* wgmesh peers */
	SCOPE_STATE = 1 << 6,	      /* wgmesh state verify */
	SCOPE_DOWN = 1 << 7,	      /* wgmesh down */
	SCOPE_DECODE = 1 << 8,	      /* wgmesh decode */
	SCOPE_NEW_SECRET = 1 << 9,    /* wgmesh init */
	SCOPE_STATE_LIST = 1 << 10,   /* wgmesh state list */
	SCOPE_STATE_KEEP = 1 << 11,   /* wgmesh state snapshot, restore */
	SCOPE_EXPORT = 1 << 12,	      /* wgmesh state export */
	SCOPE_IMPORT = 1 << 13,	      /* wgmesh state import */
	SCOPE_STATE_SHOW = 1 << 14,   /* wgmesh state show */
	SCOPE_ONCE = 1 << 15,	      /* a list: a second flag would silently replace the first */
	SCOPE_NO_EFFECT = 1 << 16,    /* accepted for compatibility, changes nothing */
	SCOPE_CONFIDENTIAL = 1 << 17, /* its value is never printed */
	SCOPE_DOCTOR = 1 << 18,	      /* wgmesh doctor */
	SCOPE_TEST_PEER = 1 << 19,    /* wgmesh test-peer */
	SCOPE_QR = 1 << 20,	      /* wgmesh qr */
	SCOPE_CONTROL = 1 << 21,      /* wgmesh log-level, reload */
};

enum setting_type {
	SETTING_FLAG,	  /* number is 0 or 1 */
	SETTING_TEXT,	  /* text */
	SETTING_NUMBER,	  /* number, min to max */
	SETTING_DURATION, /* number in milliseconds, min to max */
	SETTING_CHOICE,	  /* number is the index into "a|b|c" */
};

/**
 * struct setting - One row of the table
 * @name:	Flag without dashes; NULL where a flag would show a secret in the process list
 * @env:	Environment variable, NULL when there is none
 * @scope:	enum setting_scope bits
 * @type:	How its text is read
 * @min:	Smallest number; of a SETTING_DURATION, 0 or 1000 milliseconds
 * @max:	Largest number, or milliseconds
 * @choices:	"a|b|c" of a SETTING_CHOICE
 * @fallback:	Default as text, NULL for "not set"
 * @metavar:	Name of the value in the help, NULL for a flag
 * @help:	A few words; in wgmesh-init NULL for a setting that none of its commands has
 */
struct setting {
	const char *name;
	const char *env;
	unsigned int scope;
	enum setting_type type;
	uint64_t min;
	uint64_t max;
	const char *choices;
	const char *fallback;
	const char *metavar;
	const char *help;
};

enum setting_source { SOURCE_DEFAULT, SOURCE_ENV, SOURCE_FLAG };

/**
 * struct setting_value - What a setting is now
 * @text:	Text as given; borrowed from argv, environ or the table; NULL when not set
 * @number:	Flag, number, milliseconds or choice
 * @source:	Who gave it
 */
struct setting_value {
	const char *text;
	uint64_t number;
	enum setting_source source;
};

struct settings {
	struct setting_value v[SETTING_COUNT];
};

/**
 * settings_table() - The table, indexed by enum setting_id
 */
const struct setting *settings_table(void);

/**
 * settings_init() - Fill in the defaults
 */
void settings_init(struct settings *s);

/**
 * settings_read_env() - Take the variables that a command knows
 * @s:		Settings
 * @scope:	The command
 * @envp:	NAME=value strings, NULL at the end; borrowed for as long as @s is used
 * @e:		Receives the reason on failure, may be NULL
 *
 * An empty variable counts as not set, since compose files write "${X:-}".
 *
 * Return: 0 or -EINVAL with exit code 64
 */
int settings_read_env(struct settings *s, unsigned int scope, char *const *envp, struct err *e);

/**
 * settings_read_args() - Take a command's flags
 * @s:		Settings
 * @scope:	The command
 * @argc:	Entries in @argv
 * @argv:	Arguments, the first flag at index 0; borrowed for as long as @s is used
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: index of the first argument that is no flag (@argc when there is none), or -EINVAL with
 *         exit code 64, or -ECANCELED when help was asked for
 */
int settings_read_args(struct settings *s, unsigned int scope, int argc, char **argv,
		       struct err *e);

/**
 * settings_unknown_env() - Find WGMESH_ variables that no command knows
 * @envp:	NAME=value strings, NULL at the end
 * @pos:	Index to go on from; starts at 0
 * @name:	Receives the name, cut to 64 bytes
 * @nearest:	Receives the nearest known variable, or NULL when none is near
 *
 * Return: true when one was found
 */
bool settings_unknown_env(char *const *envp, size_t *pos, char name[static 64],
			  const char **nearest);

/**
 * settings_help() - Print a command's options with types, defaults and variables
 * @out:	Stream
 * @scope:	The command
 */
void settings_help(FILE *out, unsigned int scope);

/**
 * settings_origin() - How the person gave a setting, for a message: "--listen-port" or the variable
 * @s:		Settings
 * @id:		Setting
 */
const char *settings_origin(const struct settings *s, enum setting_id id);

static inline const char *settings_text(const struct settings *s, enum setting_id id)
{
	return s->v[id].text;
}

static inline uint64_t settings_number(const struct settings *s, enum setting_id id)
{
	return s->v[id].number;
}

static inline bool settings_flag(const struct settings *s, enum setting_id id)
{
	return s->v[id].number != 0;
}

static inline bool settings_is_given(const struct settings *s, enum setting_id id)
{
	return s->v[id].source != SOURCE_DEFAULT;
}

#endif /* COMMON_SETTINGS_H */
