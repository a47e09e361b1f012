/* SPDX-License-Identifier: MIT */
/*
 * relay - passes the program's standard error on, unchanged, and remembers its last line
 *
 * The program writes to a pipe of ours, which outlives it: the next start gets the same one, so its
 * end never comes. What is read is passed on to PID 1's own standard error (log_sink()). When that is
 * full, the relay stops reading, so that the program waits as it would without us, and nothing is
 * lost; PID 1 itself never waits. A sink that is closed or broken swallows everything.
 */
#ifndef INIT_SUPERVISE_RELAY_H
#define INIT_SUPERVISE_RELAY_H

#include "common/sink.h"
#include "init/supervise/lastline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RELAY_READ 16384		/* at once */
#define RELAY_ROOM (RELAY_READ + 65536) /* and what a pipe holds */

/**
 * enum relay_wants - What has to happen before relay_pump() is worth a call; watch nothing else
 * @RELAY_WANTS_NOTHING: There is no relay (relay_open() failed or was not called)
 * @RELAY_WANTS_INPUT:	EPOLLIN on relay.read_fd, level-triggered
 * @RELAY_WANTS_OUTPUT:	EPOLLOUT on relay_sink_fd()
 */
enum relay_wants { RELAY_WANTS_NOTHING, RELAY_WANTS_INPUT, RELAY_WANTS_OUTPUT };

/**
 * struct relay - The pipe and what is on its way
 * @read_fd:	PID 1's end, non-blocking; owned; -1 without a relay
 * @write_fd:	The programs' end; owned
 * @start:	First byte of @buf that is not passed on yet
 * @ready:	End of what is to be passed on now; beyond it, a line that is not whole yet
 * @len:	End of what was read
 * @sink:	Where it goes; borrowed; NULL for log_sink()
 * @is_used:	A program had it before
 * @is_listening: Our end does not block
 * @is_mute:	The sink is given up, everything is swallowed
 * @last:	Last line
 * @buf:	Bytes on their way, RELAY_ROOM at most; borrowed for good, there is one for all relays
 */
struct relay {
	int read_fd;
	int write_fd;
	size_t start;
	size_t ready;
	size_t len;
	const struct sink *sink;
	bool is_used;
	bool is_listening;
	bool is_mute;
	struct lastline last;
	char *buf;
};

/**
 * relay_open() - Make the pipe, once
 * @r:		Relay to fill
 * @uid:	User of the program: it may then open /dev/stderr, as engines grant; (uid_t)-1 for ours
 * @gid:	Its group, or (gid_t)-1
 *
 * Return: 0, or a negative errno value with nothing made (give the program standard error itself)
 */
int relay_open(struct relay *r, uid_t uid, gid_t gid);

/**
 * relay_close() - Let go of the pipe
 * @r:		Relay; a closed or failed one is left alone
 */
void relay_close(struct relay *r);

/**
 * relay_start() - A program is about to start: forget the last line
 * @r:		Relay
 *
 * Return: descriptor for the program's standard error, blocking whatever its predecessor made of it;
 *         borrowed; -1 without a relay
 */
int relay_start(struct relay *r);

/**
 * relay_sink_fd() - What to watch with RELAY_WANTS_OUTPUT
 */
int relay_sink_fd(void);

/**
 * relay_pump() - Pass on what is there, some 64 KiB at most; never waits
 * @r:		Relay
 */
enum relay_wants relay_pump(struct relay *r);

/**
 * relay_drain() - Like relay_pump(), for all that is in the pipe now (at most 1 MiB); at a program's end
 * @r:		Relay
 *
 * What a full sink does not take is kept here, as far as there is room, so that the last line is
 * known.
 */
enum relay_wants relay_drain(struct relay *r);

/**
 * relay_finish() - PID 1 ends: drain, and wait for the reader of a full sink, but not for long
 * @r:		Relay
 * @patience_ms: How long at most; 0 does not wait at all
 *
 * The only function here that may wait. What the reader has not taken then is lost. The log's own
 * lines that wait for room are written too, also where there is no relay.
 */
void relay_finish(struct relay *r, unsigned int patience_ms);

/**
 * relay_mute() - The full sink cannot be watched: swallow everything from now on
 * @r:		Relay
 */
void relay_mute(struct relay *r);

/**
 * relay_last_line() - The last line since relay_start()
 * @r:		Relay
 * @out:	Receives it, see lastline_get(); empty when there is none
 */
void relay_last_line(const struct relay *r, char out[static LASTLINE_SIZE]);

#endif /* INIT_SUPERVISE_RELAY_H */
