/* SPDX-License-Identifier: MIT */
/*
 * notify - the sending side of sd_notify(3): what this process tells whoever supervises it
 *
 * One datagram socket to NOTIFY_SOCKET, connected once, before any sandbox might forbid it. A
 * supervisor that is slow or gone costs messages, never time: nothing here waits.
 */
#ifndef DAEMON_NODE_NOTIFY_H
#define DAEMON_NODE_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NOTIFY_ADDRESS_SIZE 108 /* a unix socket's name */
#define NOTIFY_TEXT_SIZE    512
#define NOTIFY_STATUS_SIZE  201

/**
 * struct notify_env - What the supervisor asks for
 * @address:	Socket: an absolute path, or "@" and an abstract name; empty for none
 * @watchdog_us: WATCHDOG_USEC: silence after which this process is taken for hung, 0 for never
 */
struct notify_env {
	char address[NOTIFY_ADDRESS_SIZE];
	uint64_t watchdog_us;
};

/**
 * struct notify - The connection to the supervisor
 * @fd:		Connected socket, -1 when nobody supervises
 * @is_init:	wgmesh-init supervises, which can be asked (daemon/view/supervisor.h)
 * @watchdog_us: As in struct notify_env; 0 when nobody supervises
 * @failures:	Datagrams in a row that could not be sent
 */
struct notify {
	int fd;
	bool is_init;
	uint64_t watchdog_us;
	unsigned int failures;
};

/**
 * struct notify_say - One message; what is false, 0 or NULL is left out
 * @is_ready:	READY=1
 * @is_reloading: RELOADING=1
 * @is_stopping: STOPPING=1
 * @is_beat:	WATCHDOG=1
 * @monotonic_us: MONOTONIC_USEC: CLOCK_MONOTONIC, which has to go with RELOADING=1
 * @extend_us:	EXTEND_TIMEOUT_USEC: what is under way may take this long from now
 * @error_number: ERRNO, positive
 * @serves:	X_WGMESH_SERVES: interface, a space and its public key, for the volume's marker;
 *		borrowed
 * @clone:	X_WGMESH_CLONE: "1" when the node's key is live in a second place, "0" when it no longer
 *		is; borrowed
 * @status:	STATUS: a sentence for people; borrowed, cut to NOTIFY_STATUS_SIZE
 */
struct notify_say {
	bool is_ready;
	bool is_reloading;
	bool is_stopping;
	bool is_beat;
	uint64_t monotonic_us;
	uint64_t extend_us;
	int error_number;
	const char *serves;
	const char *clone;
	const char *status;
};

/**
 * notify_env_parse() - Understand the three variables; pure
 * @out:	Receives what they ask for
 * @address:	NOTIFY_SOCKET, may be NULL
 * @usec:	WATCHDOG_USEC, may be NULL
 * @pid:	WATCHDOG_PID: whom the watchdog is for, NULL for whoever gets it
 * @self:	Our own process number
 *
 * Return: 0 or -EINVAL for an address of a kind that is not known; a malformed number is no
 *         watchdog
 */
int notify_env_parse(struct notify_env *out, const char *address, const char *usec, const char *pid,
		     pid_t self);

/**
 * notify_format() - Write a message as it is sent; pure
 * @out:	Receives lines, without a terminating line break
 * @s:		What to say; borrowed
 *
 * Return: bytes written, without the terminating NUL; 0 when nothing is said
 */
size_t notify_format(char out[static NOTIFY_TEXT_SIZE], const struct notify_say *s);

/**
 * notify_open() - Connect to the supervisor that the environment names, if it does
 * @n:		Connection to fill
 *
 * Takes the variables out of the environment: what we start is not the supervisor's business.
 */
void notify_open(struct notify *n);

/**
 * notify_send() - Say something, or say nothing when nobody supervises
 * @n:		Connection
 * @s:		What to say; borrowed
 */
void notify_send(struct notify *n, const struct notify_say *s);
void notify_close(struct notify *n);

#endif /* DAEMON_NODE_NOTIFY_H */
