/* SPDX-License-Identifier: MIT */
/* keyshow - have "wgmesh state show" name the public keys of two key files that differ */
#ifndef INIT_STATE_KEYSHOW_H
#define INIT_STATE_KEYSHOW_H

#include <stdbool.h>
#include <sys/types.h>

#define KEYSHOW_SIZE 45 /* a key in base64, and NUL */

/**
 * struct keyshow - Whom to ask, and as whom
 * @wgmesh:	The wgmesh program, a path or a name for PATH
 * @envp:	Its environment
 * @dir:	State directory
 * @uid:	User it gets
 * @gid:	Group it gets
 */
struct keyshow {
	const char *wgmesh;
	char *const *envp;
	const char *dir;
	uid_t uid;
	gid_t gid;
};

/**
 * struct keypair - The public keys of two key files
 * @here:	Of the one in the state directory; empty when it cannot be told
 * @there:	Of the other one; empty likewise
 */
struct keypair {
	char here[KEYSHOW_SIZE];
	char there[KEYSHOW_SIZE];
};

/**
 * keyshow_ask() - Ask for the public keys of two files
 * @k:		Whom to ask
 * @name:	File in the state directory
 * @fd:		The other file, open for reading; borrowed
 * @out:	Receives the keys
 *
 * Return: true when both are known
 */
bool keyshow_ask(const struct keyshow *k, const char *name, int fd, struct keypair *out);

/**
 * keyshow_parse() - Read what the program printed, a line "FILE KEY" for each; pure
 * @text:	Text
 * @out:	Receives the keys
 *
 * Return: true when both are known
 */
bool keyshow_parse(const char *text, struct keypair *out);

#endif /* INIT_STATE_KEYSHOW_H */
