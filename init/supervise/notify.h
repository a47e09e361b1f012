/* SPDX-License-Identifier: MIT */
/*
 * notify - the receiving side of sd_notify(3): what a program tells PID 1 about itself
 *
 * A datagram is a list of assignments, one a line. MAINPID is ignored: the program that was started
 * is the one that is watched, and a datagram must not be able to point PID 1 at another process.
 * FDSTORE is ignored too: PID 1 keeps no descriptors. BARRIER works by itself (see notify_receive()).
 *
 * Whom to believe: the name of the socket is no secret, and with the host's network even processes
 * of other containers can send to it. The kernel says who did (SCM_CREDENTIALS), and a datagram is
 * taken from
 *  - the program itself, whatever user it has become: a process number cannot come to mean another
 *    process before PID 1 has reaped its owner;
 *  - a member of its process group, or of a session it leads, with the user the program was started
 *    as, or root: so that a shell's `systemd-notify --ready` counts, like NotifyAccess=all of
 *    systemd.service(5), while what `docker exec` starts does not. A group cannot be entered from
 *    another session, which makes membership as good as descent. A helper under a third user is
 *    refused, because a program gives its helpers other users in order to trust them less.
 * A sender that has been reaped cannot be looked up any more and is refused; systemd has the same
 * gap. A sender that waits for the answer to BARRIER=1 (`systemd-notify` does) never falls into it,
 * nor does one whose death is handled after its datagram: so read this socket dry before reaping.
 */
#ifndef INIT_SUPERVISE_NOTIFY_H
#define INIT_SUPERVISE_NOTIFY_H

#include "common/marker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define NOTIFY_DATAGRAM_MAX 4096
#define NOTIFY_NAME_SIZE    108 /* a unix socket's name, and the NUL behind it */
#define NOTIFY_STATUS_SIZE  201 /* 200 bytes of text */

/**
 * struct notify_message - What one datagram says; what it does not mention is false or 0
 * @is_ready:	READY=1
 * @is_reloading: RELOADING=1
 * @is_stopping: STOPPING=1
 * @is_beat:	WATCHDOG=1
 * @is_trigger:	WATCHDOG=trigger: the program asks to be treated as hung
 * @has_watchdog: @watchdog_ms is set
 * @watchdog_ms: WATCHDOG_USEC: new interval of the watchdog, 0 to switch it off
 * @has_extend:	@extend_ms is set
 * @extend_ms:	EXTEND_TIMEOUT_USEC: from now on, the start, reload or stop may take this long
 * @has_errno:	@error_number is set
 * @error_number: ERRNO: why the program is about to fail, 0 to 4095
 * @has_serves:	@serves is set
 * @serves:	X_WGMESH_SERVES: an interface, and the public key it is served with
 * @has_clone:	@is_cloned is set
 * @is_cloned:	X_WGMESH_CLONE: the key that is served is live in a second place
 * @has_status:	@status is set
 * @status:	STATUS: one line of valid UTF-8 without control characters, may be empty
 * @is_asking:	X_WGMESH_ASK: the sender wants our status lines, at @from
 * @from:	Address of the sender
 * @from_len:	Bytes in @from; too few for an address when it has none
 * @sender_pid:	Who sent it, in our process namespace; 0 for somebody outside
 * @sender_uid:	Its user
 *
 * Times are milliseconds, rounded up, so that no interval that was asked for becomes 0.
 */
struct notify_message {
	bool is_ready;
	bool is_reloading;
	bool is_stopping;
	bool is_beat;
	bool is_trigger;
	bool has_watchdog;
	uint64_t watchdog_ms;
	bool has_extend;
	uint64_t extend_ms;
	bool has_errno;
	int error_number;
	bool has_serves;
	struct marker_key serves;
	bool has_clone;
	bool is_cloned;
	bool has_status;
	char status[NOTIFY_STATUS_SIZE];
	bool is_asking;
	struct sockaddr_un from;
	socklen_t from_len;
	pid_t sender_pid;
	uid_t sender_uid;
};

/**
 * struct notify_access - Whom to believe
 * @daemon:	Process number of the program, and of its process group; 0 while none runs, and then
 *		nobody is believed
 * @uid:	User it was started as
 */
struct notify_access {
	pid_t daemon;
	uid_t uid;
};

/**
 * notify_parse() - Read the text of a datagram; pure
 * @out:	Receives what it says; its sender is 0
 * @text:	Bytes, not terminated
 * @len:	Bytes in @text
 *
 * Unknown and malformed assignments are skipped; of one that comes twice, the last counts.
 *
 * Return: 0, -EMSGSIZE above NOTIFY_DATAGRAM_MAX, -EBADMSG when there is no text, or a NUL in it
 *         (one at its end is forgiven)
 */
int notify_parse(struct notify_message *out, const char *text, size_t len);

/**
 * notify_open() - Make the socket; needs no directory and no /proc
 * @name:	Receives the value for NOTIFY_SOCKET ("@...", an abstract name)
 * @size:	Room in @name, NOTIFY_NAME_SIZE is enough
 *
 * Return: non-blocking descriptor owned by the caller, or a negative errno value
 */
int notify_open(char *name, size_t size);

/**
 * notify_receive() - Take one datagram
 * @fd:		Socket of notify_open(); borrowed
 * @who:	Whom to believe
 * @out:	Receives what it says; its sender with every result but -EAGAIN, the rest only with 1
 *
 * Descriptors that come along are dropped, whatever becomes of the datagram: for a sender that
 * waits until its descriptor is closed (BARRIER=1), that is the answer.
 *
 * Return: 1 for a datagram to act on, -EAGAIN when there is none, -EPERM from somebody not to
 *         believe, -EMSGSIZE or -EBADMSG for one that says nothing of use, or another negative
 *         errno value
 */
int notify_receive(int fd, const struct notify_access *who, struct notify_message *out);

#endif /* INIT_SUPERVISE_NOTIFY_H */
