/* SPDX-License-Identifier: MIT */
/*
 * statusline - what PID 1 tells of itself: the name of its socket, and its key=value lines
 *
 * wgmesh-init writes and serves them (init/status.h), the daemon and `wgmesh-init status` read them.
 */
#ifndef COMMON_STATUSLINE_H
#define COMMON_STATUSLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define STATUSLINE_NAME_HEAD  "@wgmesh-init/" /* what every socket name of PID 1 begins with */
#define STATUSLINE_TEXT_SIZE  8192	      /* all lines and a NUL */
#define STATUSLINE_KEY_SIZE   40
#define STATUSLINE_VALUE_SIZE 640

/* STATUS_HEALTHY is "healthy" (common/statusline.def). */
enum status_key {
#define STATUS_KEY(id, name, is_prose, meaning) STATUS_##id,
#include "common/statusline.def"
#undef STATUS_KEY
	STATUS_KEY_COUNT,
};

/**
 * statusline_key() - What a key is called
 * @key:	Key, below STATUS_KEY_COUNT
 */
const char *statusline_key(enum status_key key);

/**
 * statusline_address() - The name of PID 1's status socket: that of the container's namespaces
 * @sa:		Receives the address, an abstract one: no directory is needed
 * @len:	Receives its length
 * @pid:	0; or the process number of a supervisor beside another one that has the name already
 *
 * Return: 0 or -ENAMETOOLONG
 */
int statusline_address(struct sockaddr_un *sa, socklen_t *len, pid_t pid);

/**
 * statusline_is_ours() - Does a process of our own process namespace hold the other end?
 * @fd:		Connected socket
 *
 * With the host's network, a process of another container could have taken the name.
 */
bool statusline_is_ours(int fd);

/**
 * statusline_value() - Find a value in the lines; pure
 * @text:	Lines
 * @key:	Key
 * @out:	Receives the value, cut to @size; empty when there is none
 * @size:	Room in @out
 *
 * Return: true when there is one
 */
bool statusline_value(const char *text, const char *key, char *out, size_t size);

/**
 * statusline_next() - Take the next line; pure
 * @pos:	Where to go on; starts at the text, moves behind the line
 * @key:	Receives the key, cut to fit
 * @value:	Receives the value, cut to fit
 *
 * Lines without a '=' are passed over.
 *
 * Return: false at the end
 */
bool statusline_next(const char **pos, char key[static STATUSLINE_KEY_SIZE],
		     char value[static STATUSLINE_VALUE_SIZE]);

/**
 * statusline_is_bare() - Is a value a number or truth value, which JSON writes without quotes? pure
 * @key:	Its key: what people write stays text, even when it reads like a number
 * @value:	Value
 */
bool statusline_is_bare(const char *key, const char *value);

#endif /* COMMON_STATUSLINE_H */
