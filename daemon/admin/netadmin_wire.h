/* SPDX-License-Identifier: MIT */
/* netadmin_wire - messages, perhaps with a descriptor, over a SOCK_SEQPACKET pair */
#ifndef DAEMON_ADMIN_NETADMIN_WIRE_H
#define DAEMON_ADMIN_NETADMIN_WIRE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * netadmin_wire_send() - Send one message
 * @sock:	Socket
 * @msg:	Message; borrowed
 * @len:	Its size
 * @fd:		Descriptor to pass, -1 for none; stays the caller's
 * @flags:	MSG_DONTWAIT or 0
 *
 * Return: 0, -EAGAIN, or another negative errno value
 */
int netadmin_wire_send(int sock, const void *msg, size_t len, int fd, int flags);

/**
 * netadmin_wire_take() - Receive one message of any size
 * @sock:	Socket
 * @msg:	Receives the message
 * @size:	Room in @msg
 * @fd:		Receives a passed descriptor, owned by the caller, or -1
 * @flags:	MSG_DONTWAIT or 0
 *
 * Return: its size, -EAGAIN, -EPIPE when the other end is closed, or -EPROTO for a message that has
 *         no room or more than one descriptor, all of which are closed
 */
ssize_t netadmin_wire_take(int sock, void *msg, size_t size, int *fd, int flags);

/**
 * netadmin_wire_receive() - Receive one message whose size is known
 * @sock:	Socket
 * @msg:	Receives the message
 * @len:	Its fixed size
 * @fd:		Receives a passed descriptor, owned by the caller, or -1
 * @flags:	MSG_DONTWAIT or 0
 *
 * Return: 0, -EAGAIN, -EPIPE when the other end is closed, or -EPROTO for a message of another size
 *         or with more than one descriptor, all of which are closed
 */
int netadmin_wire_receive(int sock, void *msg, size_t len, int *fd, int flags);

#endif /* DAEMON_ADMIN_NETADMIN_WIRE_H */
