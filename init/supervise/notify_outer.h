/* SPDX-License-Identifier: MIT */
/*
 * notify_outer - pass the program's notifications on to whoever waits for them outside
 *
 * An engine may have given PID 1 a NOTIFY_SOCKET of its own (`podman run --sdnotify=container`), which
 * the program never sees: it gets ours.
 */
#ifndef INIT_SUPERVISE_NOTIFY_OUTER_H
#define INIT_SUPERVISE_NOTIFY_OUTER_H

#include "init/supervise/notify.h"

/**
 * notify_outer_open() - Connect to the socket outside
 * @name:	Value of NOTIFY_SOCKET: an absolute path, or "@" and an abstract name; may be NULL
 *
 * Return: descriptor owned by the caller, -ENOENT without a name, or another negative errno value
 */
int notify_outer_open(const char *name);

/**
 * notify_outer_send() - Say there what the program said here
 * @fd:		Socket of notify_outer_open(), or a negative number to do nothing
 * @m:		What to say; clear @m->is_stopping unless PID 1 itself is stopping, because a program
 *		that stops may be started again here, while out there the container would be given up
 *
 * Never waits: when nobody listens, the message is lost.
 */
void notify_outer_send(int fd, const struct notify_message *m);

#endif /* INIT_SUPERVISE_NOTIFY_OUTER_H */
