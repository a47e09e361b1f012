/* SPDX-License-Identifier: MIT */
/* identity_impl - what the two halves of the identity's file work share: loading, and writing */
#ifndef DAEMON_STATE_IDENTITY_IMPL_H
#define DAEMON_STATE_IDENTITY_IMPL_H

#include "common/err.h"
#include "daemon/state/identity.h"

#define IDENTITY_NAME_SIZE 24 /* interface name, ".json", NUL */

/**
 * struct store - Where a key file lies
 * @at:		Directory and interface; borrowed
 * @key:	Name of the key file
 * @temp:	Name of the temporary it is written through
 */
struct store {
	const struct identity_place *at;
	char key[IDENTITY_NAME_SIZE];
	char temp[IDENTITY_NAME_SIZE + 8];
};

/**
 * store_init() - Check the interface name, and make the file names
 *
 * Return: 0 or a negative errno value
 */
int store_init(struct store *s, const struct identity_place *at, struct err *e);

/**
 * store_clear() - Move what lies in the way of a write to .snapshots/; nothing is ever deleted
 * @kept:	Receives its name there, SNAPSHOT_NAME_SIZE bytes, empty when nothing lay there
 *
 * Return: 0 or a negative errno value
 */
int store_clear(const struct store *s, const char *file, char *kept, struct err *e);

/* statefile_create() or statefile_replace() */
typedef int store_write_fn(int dirfd, const char *name, const void *buf, size_t len, struct err *e);

/**
 * store_write() - Write the key file
 *
 * Return: 0 or a negative errno value
 */
int store_write(const struct store *s, const struct identity *id, store_write_fn *write,
		struct err *e);

/**
 * store_refuse_newer() - Say that a file of a later release is not ours to touch
 * @file:	Its name
 *
 * Return: -EPROTONOSUPPORT
 */
int store_refuse_newer(const struct store *s, const char *file, struct err *e);

#endif /* DAEMON_STATE_IDENTITY_IMPL_H */
