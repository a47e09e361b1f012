/* SPDX-License-Identifier: MIT */
/* status - what PID 1 knows, as key=value lines, and the socket it is served on */
#ifndef INIT_STATUS_H
#define INIT_STATUS_H

#include "common/err.h"
#include "common/statusline.h"
#include "init/boot.h"
#include "init/supervise/supervise.h"
#include "init/volume/volwatch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STATUS_SIZE STATUSLINE_TEXT_SIZE

/**
 * struct status_view - What there is to say
 * @boot:	Phases and verdict
 * @machine:	Supervisor
 * @daemon:	Process number of the daemon, 0 when it does not run
 * @says:	What the daemon said of itself last, empty before it did
 * @cause:	Why its last run ended, empty before the first end
 * @storage:	Whether the storage is good, NULL where there is none
 * @serves:	Key that the daemon says it serves, its texts empty before it did
 * @is_cloned:	That key is live in a second place
 * @now_us:	Monotonic time
 */
struct status_view {
	const struct boot *boot;
	const struct supervise *machine;
	pid_t daemon;
	const char *says;
	const char *cause;
	const struct volwatch *storage;
	const struct marker_key *serves;
	bool is_cloned;
	uint64_t now_us;
};

/**
 * status_format() - Write the lines
 * @v:		What there is to say
 * @out:	Receives the text
 *
 * Return: bytes written, without the terminating NUL
 */
size_t status_format(const struct status_view *v, char out[static STATUS_SIZE]);

/**
 * status_listen() - Open the socket, named by the container's namespaces: no directory is needed
 *
 * Return: listening descriptor owned by the caller, or a negative errno value
 */
int status_listen(void);

/**
 * status_fetch() - Ask the PID 1 of this container
 * @out:	Receives its lines
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int status_fetch(char out[static STATUS_SIZE], struct err *e);

#endif /* INIT_STATUS_H */
