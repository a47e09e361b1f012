/* SPDX-License-Identifier: MIT */
/* config - what wgmesh-init was asked to do: options, environment, and the daemon's own flags */
#ifndef INIT_CONFIG_H
#define INIT_CONFIG_H

#include "common/err.h"
#include "common/settings.h"
#include "init/env.h"
#include "init/supervise/signals.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum persistence_policy { PERSISTENCE_WARN, PERSISTENCE_REQUIRE, PERSISTENCE_IGNORE };

/**
 * struct config - Everything that was asked for
 * @settings:	Options as given
 * @signals:	As what signals are passed on
 * @program:	PROGRAM and its arguments, NULL at the end; NULL for a subcommand
 * @env:	Environment, as it came in and as the daemon gets it
 * @wgmesh:	The wgmesh program, a path or a name for PATH; NULL when there is none, or no use for it
 * @state_dir:	State directory
 * @legacy_dir:	Legacy directory, NULL for none
 * @interface:	WireGuard interface of the daemon
 * @is_plain:	No state to look after: phases 2 to 7 are skipped
 * @is_join:	PROGRAM is "wgmesh join"
 * @is_one_shot: PROGRAM is another command of wgmesh, run once for its output
 * @secret_file: Where the daemon finds the mesh secret, NULL when not in a file; borrowed, or @credential
 * @credential:	Path of the credential of systemd
 * @secret_fd:	That file, opened for the daemon; 0 for none
 * @is_dry:	Change nothing, say what would be done
 * @new_identity: A lost key may be replaced
 * @confine:	The daemon gets a user and capabilities of its own
 * @has_their_dir: The state directory comes from a flag of the daemon
 * @may_change_user: @uid and @gid differ from ours and can be had
 * @is_user_unmapped: The wanted user does not exist in this user namespace
 * @wanted_uid:	User that was asked for
 * @wanted_gid:	Group that was asked for
 * @uid:	User of the daemon
 * @gid:	Group of the daemon
 */
struct config {
	struct settings settings;
	struct signals_plan signals;
	char **program;
	struct env env;
	const char *wgmesh;
	const char *state_dir;
	const char *legacy_dir;
	const char *secret_file;
	char credential[PATH_MAX];
	int secret_fd;
	char interface[16];
	bool is_plain;
	bool is_join;
	bool is_one_shot;
	bool is_dry;
	bool new_identity;
	bool confine;
	bool has_their_dir;
	bool may_change_user;
	bool is_user_unmapped;
	uid_t wanted_uid;
	gid_t wanted_gid;
	uid_t uid;
	gid_t gid;
};

/**
 * config_load() - Work out what was asked for
 * @c:		Configuration to fill; config_fini() in every case
 * @scope:	SCOPE_INIT or SCOPE_INIT_CHECK
 * @argv:	Arguments, the first option at index 0, NULL at the end; borrowed
 * @e:		Receives the reason on failure
 *
 * Return: 0, -ECANCELED when help was asked for, or a negative errno value with an exit code
 */
int config_load(struct config *c, unsigned int scope, char **argv, char **envp, struct err *e);

/**
 * config_fini() - Free what a configuration owns
 */
void config_fini(struct config *c);

/**
 * config_program_name() - Last component of PROGRAM, for messages
 */
const char *config_program_name(const struct config *c);

/**
 * config_is_system_dir() - Is this a tree that a repair of ownership must never be let loose on? pure
 * @dir:	Absolute path
 */
bool config_is_system_dir(const char *dir);

#endif /* INIT_CONFIG_H */
