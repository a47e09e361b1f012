/* SPDX-License-Identifier: MIT */
/* runtime_storage - the volume while the daemon runs; what the supervisor's event loop knows of it */
#ifndef INIT_SUPERVISE_RUNTIME_STORAGE_H
#define INIT_SUPERVISE_RUNTIME_STORAGE_H

#include "common/marker.h"
#include "init/supervise/history.h"
#include "init/supervise/reap.h"
#include "init/volume/volwatch.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct runtime_storage - The volume, as far as PID 1 knows
 * @is_watched:	There is one
 * @watch:	Whether it is good
 * @armed_ms:	What the timer is set to
 * @timer_fd:	For the next look, -1 for none
 * @mounts_fd:	The mount table, for its changes, -1 for none
 * @looker:	Process that looks, 0 when none does
 * @serves:	Key that the daemon says it serves; empty before it did
 * @has_key:	It is to be noted on the volume
 * @end:	How the daemon ended
 * @has_end:	It is to be noted
 * @is_writing_end: That is what the recorder does
 */
struct runtime_storage {
	bool is_watched;
	struct volwatch watch;
	uint64_t armed_ms;
	int timer_fd;
	int mounts_fd;
	pid_t looker;
	struct marker_key serves;
	bool has_key;
	struct history_entry end;
	bool has_end;
	bool is_writing_end;
};

struct runtime;

/**
 * runtime_storage_open() - Begin to watch, once there is an event loop
 */
void runtime_storage_open(struct runtime *rt);

/**
 * runtime_storage_event() - Its timer fired, or a mount changed
 * @rt:		Supervisor
 * @fd:		Descriptor that is ready
 *
 * Return: false when the descriptor is somebody else's
 */
bool runtime_storage_event(struct runtime *rt, int fd);

/**
 * runtime_storage_ended() - A child ended: was it one that looked, or noted something?
 * @rt:		Supervisor
 * @end:	How it ended
 *
 * Return: false when it is somebody else's
 */
bool runtime_storage_ended(struct runtime *rt, const struct reaped *end);

/**
 * runtime_storage_leave() - Once the supervisor is on its way out: have nobody wait for the volume
 */
void runtime_storage_leave(struct runtime *rt);

/**
 * runtime_storage_note_end() - Write down how the daemon ended, in history and marker
 * @rt:		Supervisor
 * @entry:	The ending
 */
void runtime_storage_note_end(struct runtime *rt, const struct history_entry *entry);

/**
 * runtime_storage_serves() - The daemon says which key it serves: have it noted, once
 * @rt:		Supervisor
 * @key:	Interface and key
 */
void runtime_storage_serves(struct runtime *rt, const struct marker_key *key);

#endif /* INIT_SUPERVISE_RUNTIME_STORAGE_H */
