/* SPDX-License-Identifier: MIT */
/* unixlisten - a listening Unix socket at a path; what others have there is never removed */
#ifndef DAEMON_NET_UNIXLISTEN_H
#define DAEMON_NET_UNIXLISTEN_H

/**
 * unixlisten_open() - Listen at a path
 * @path:	At most 107 bytes; its directory is made (0755) when missing
 * @backlog:	As for listen(2)
 *
 * Anybody who can reach the path may connect: a server that minds asks for credentials. A file at
 * @path is removed only when it is a socket that refuses connections: one that a dead node left.
 *
 * Return: non-blocking descriptor owned by the caller, who unlinks the path after use; -EEXIST for
 *         another kind of file, -EADDRINUSE when somebody listens there, or another negative errno
 *         value
 */
int unixlisten_open(const char *path, int backlog);

#endif /* DAEMON_NET_UNIXLISTEN_H */
