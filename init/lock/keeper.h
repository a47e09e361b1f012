/* SPDX-License-Identifier: MIT */
/*
 * keeper - the process that takes the lease of the state directory and keeps it alive
 *
 * It may hang with the storage, and PID 1 may not. So it does everything that the lease needs, from the
 * first look to the release, and says over a socket what comes of it. One that dies is replaced.
 */
#ifndef INIT_LOCK_KEEPER_H
#define INIT_LOCK_KEEPER_H

#include "common/err.h"
#include "init/config.h"
#include "init/lock/lease.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct keeper_task - What a keeper is to do; small enough for a request to the spawner
 * @me:		Who takes the lease
 * @term:	Term that is held already, 0 to take one
 * @lease_ms:	Lease time
 * @limit_ms:	How long to wait for a holder who lives
 * @trusts_place: An earlier run in this container is known to be dead
 * @fd:		Its end of the socket, the same for every keeper; owned by struct keeper
 */
struct keeper_task {
	struct lease_text me;
	uint64_t term;
	uint64_t lease_ms;
	uint64_t limit_ms;
	bool trusts_place;
	int fd;
};

/**
 * struct keeper_report - What a keeper says
 * @news:	What happened
 * @error:	Negative errno value of a failure
 * @term:	Term that it holds
 * @has_settled: The holder before was silent, and its lease was taken over
 * @other:	Who holds it, or held it before
 */
struct keeper_report {
	enum lease_news news;
	int error;
	uint64_t term;
	bool has_settled;
	struct lease_text other;
};

/**
 * struct keeper - The keeper, as PID 1 knows it
 * @task:	What it is to do
 * @fd:		Our end of the socket, -1 for none; owned
 * @pid:	Its process number, 0 when there is none
 * @is_held:	The lease is ours
 */
struct keeper {
	struct keeper_task task;
	int fd;
	pid_t pid;
	bool is_held;
};

/**
 * keeper_init() - There is no keeper
 */
void keeper_init(struct keeper *k);

/**
 * keeper_open() - Make the line to keepers, and a random number for the lease
 * @k:		Keeper
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int keeper_open(struct keeper *k, struct err *e);

/**
 * keeper_spawn() - Start a keeper
 * @task:	What it is to do
 * @c:		Whose user it becomes as soon as that one may write to the directory; borrowed
 * @dirfd:	State directory; borrowed
 * @parent:	Process number of wgmesh-init
 *
 * It blocks every signal, closes all other descriptors but the standard ones, and ends with @parent.
 *
 * Return: process number, or a negative errno value
 */
pid_t keeper_spawn(const struct keeper_task *task, const struct config *c, int dirfd, pid_t parent);

/**
 * keeper_hear() - Take the next report, if there is one
 * @k:		Keeper
 * @out:	Receives it
 *
 * Return: false when there is none
 */
bool keeper_hear(const struct keeper *k, struct keeper_report *out);

/**
 * keeper_await() - Wait for the next report, in a start-up phase
 * @k:		Keeper; forgotten when it has ended
 * @out:	Receives it
 * @limit_ms:	Milliseconds to wait
 *
 * Return: 0, -ETIMEDOUT, -EINTR for a stop signal, -ECHILD when it has ended, or another negative
 *         errno value
 */
int keeper_await(struct keeper *k, struct keeper_report *out, uint64_t limit_ms);

/**
 * keeper_release() - Have the lease given up, after which the keeper ends by itself
 * @k:		Keeper
 */
void keeper_release(struct keeper *k);

/**
 * keeper_fini() - Give the lease up, within a limit, and close the line
 * @k:		Keeper; may have ended before
 */
void keeper_fini(struct keeper *k);

#endif /* INIT_LOCK_KEEPER_H */
