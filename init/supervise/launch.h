/* SPDX-License-Identifier: MIT */
/*
 * launch - everything that is started while supervising: the daemon, the hook, a note on the volume,
 *	    the keeper of the lease
 *
 * launch_start() runs where the rights are (spawner.h): in PID 1 for the first start, afterwards in
 * the spawner, which has its own copy of all that is pointed to here.
 */
#ifndef INIT_SUPERVISE_LAUNCH_H
#define INIT_SUPERVISE_LAUNCH_H

#include "init/config.h"
#include "init/volume/proof.h"

#include <sys/types.h>

enum launch_job {
	LAUNCH_DAEMON, /* the program that is supervised; the payload is its last process group */
	LAUNCH_HOOK,   /* "wgmesh down", which takes the network down */
	LAUNCH_RECORD, /* write the history; the payload is a struct history_entry */
	LAUNCH_SERVED, /* note the key that is served in the marker; the payload is a struct marker_key */
	LAUNCH_CHECK,  /* look at the storage; no payload */
	LAUNCH_KEEPER, /* keep the lease; the payload is a struct keeper_task */
};

/**
 * struct launch - What to start, and with what
 * @config:	What was asked for; borrowed
 * @pid:	Process number of wgmesh-init
 * @state_fd:	State directory, -1 for none; borrowed
 * @proof:	The volume's marker as the start left it; borrowed
 * @error_fd:	Where a program that could not be executed says why; borrowed
 * @stderr_fd:	Standard error of the daemon, -1 for ours; borrowed
 */
struct launch {
	const struct config *config;
	pid_t pid;
	int state_fd;
	const struct proof *proof;
	int error_fd;
	int stderr_fd;
};

/**
 * launch_start() - Start one of them; a spawner_function
 * @launch:	struct launch
 * @job:	enum launch_job
 * @payload:	What the job needs
 *
 * Return: process number, or a negative errno value when no process could be made
 */
pid_t launch_start(void *launch, unsigned int job, const void *payload);

#endif /* INIT_SUPERVISE_LAUNCH_H */
