/* SPDX-License-Identifier: MIT */
/* state - what the verbs of `wgmesh state` share: the directory, its locks, refusals, undoing */
#ifndef DAEMON_CLI_STATE_H
#define DAEMON_CLI_STATE_H

#include "common/err.h"
#include "daemon/cli/cli.h"
#include "daemon/state/identity.h"

#include <stdbool.h>

/* argv[0] is the first argument after the verb. */
cli_fn state_show;
cli_fn state_verify;
cli_fn state_snapshot;
cli_fn state_list;
cli_fn state_restore;
cli_fn state_export;
cli_fn state_import;

/**
 * struct state_dir - The state directory of a command
 * @at:		Where it is, and the interface; at.dirfd is owned
 * @init_lock:	wgmesh-init's lock, -1 unless taken; owned
 * @daemon_lock: The daemon's lock, likewise
 */
struct state_dir {
	struct identity_place at;
	int init_lock;
	int daemon_lock;
};

/**
 * state_arguments() - Read flags that stand before and behind one argument
 * @s:		Receives the settings
 * @u:		The verb
 * @argc:	Entries in @argv
 * @argv:	Arguments
 * @argument:	Receives the argument, when the verb takes one; NULL for a verb that takes none
 *
 * Return: 0, or the exit code plus 1 when the command is not to run
 */
int state_arguments(struct settings *s, const struct cli_usage *u, int argc, char **argv,
		    const char **argument);

/**
 * state_open() - Open the directory that the settings name
 * @d:		Receives it; close it with state_close(), also after a failure
 * @s:		Settings
 * @create:	Make it when it is missing
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int state_open(struct state_dir *d, const struct settings *s, bool create, struct err *e);
void state_close(struct state_dir *d);

/**
 * state_lock() - Keep every node off the directory while its identity is changed
 * @d:		Directory
 * @s:		Settings
 * @e:		Names who uses it, with exit code 75
 *
 * Return: 0, also with a warning where the file system has no locks; or a negative errno value
 */
int state_lock(struct state_dir *d, const struct settings *s, struct err *e);

/**
 * state_fail() - Say on standard error why a command ends, in the one form that all verbs have
 *
 * Return: exit code
 */
int state_fail(const struct err *e);

/**
 * state_say() - Print a sentence for people on standard error, "wgmesh: ..."
 */
__attribute__((format(printf, 1, 2))) void state_say(const char *fmt, ...);

/*
 * state_undo_*() - Print a line "undo: COMMAND" on standard output, quoted for a shell
 *
 * restore: take a snapshot back; move: put a kept file back; remove: delete one that was not there
 * before. @file and @kept are names inside the state directory.
 */
void state_undo_restore(const struct state_dir *d, const char *snapshot);
void state_undo_move(const struct state_dir *d, const char *kept, const char *file);
void state_undo_remove(const struct state_dir *d, const char *file);

/**
 * state_undo_key() - The undoing of identity_replace()
 * @d:		Directory
 * @kept:	What became of the file in place
 */
void state_undo_key(const struct state_dir *d, const struct identity_kept *kept);

/**
 * state_describe() - "public key KEY, mesh address 10.1.2.3"
 */
void state_describe(char out[static 160], const struct identity *id);

#endif /* DAEMON_CLI_STATE_H */
