/* SPDX-License-Identifier: MIT */
/*
 * identity - the node's key file, and the rule that a key is never lost or silently replaced
 *
 * {iface}.json (protocol.md section 4) holds the key pair and the mesh addresses. Snapshots of it
 * lie in .snapshots/ beside it (snapshot.h). The codec is pure (identity.c); the file work is in
 * identity_store.c, on top of common/statefile.
 */
#ifndef DAEMON_STATE_IDENTITY_H
#define DAEMON_STATE_IDENTITY_H

#include "common/err.h"
#include "daemon/net/addr.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/crypto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_FILE_MAX  4096
#define IDENTITY_SNAPSHOTS 8 /* newest kept */

/**
 * struct identity - What makes a node itself
 * @private_key: Clamped X25519 scalar; wipe with identity_wipe()
 * @public_key:	 Its public key
 * @mesh_ip:	 IPv4 mesh address, "none" in files of old releases
 * @mesh_ip6:	 IPv6 mesh address, "none" likewise
 */
struct identity {
	uint8_t private_key[CRYPTO_KEY_LEN];
	struct wg_key public_key;
	struct ip mesh_ip;
	struct ip mesh_ip6;
};

/**
 * identity_parse() - Read the text of a key file
 * @out:	Receives the identity; wiped on failure
 * @text:	JSON; borrowed
 * @len:	Bytes in @text
 * @e:		Says what is wrong, to be read after the file's name; never contains key bytes
 *
 * Stricter than existing nodes where they would lose a key: both keys must be there, canonical,
 * and belong together. A member "version", "schema" or "schema_version" above 1 marks a file of a
 * later release, which is not to be judged, repaired or replaced.
 *
 * Return: 0, -EINVAL, or -EPROTONOSUPPORT for a file of a later release
 */
int identity_parse(struct identity *out, const char *text, size_t len, struct err *e);

/**
 * identity_format() - Write the text of a key file, byte for byte as existing nodes do
 *
 * Return: bytes without the NUL, or -EMSGSIZE
 */
long identity_format(char *out, size_t size, const struct identity *id);

void identity_wipe(struct identity *id);

enum identity_origin {
	IDENTITY_LOADED,   /* the key file was good */
	IDENTITY_RESTORED, /* it was damaged or missing, and a snapshot took its place */
	IDENTITY_CREATED,  /* a first start: no trace of an earlier key */
};

/**
 * identity_read_file() - Read one key file, or one snapshot
 * @out:	Receives the identity; wiped on failure
 * @dirfd:	Directory; borrowed
 * @name:	File name
 * @e:		With -EBADMSG: what is wrong, to be read after the file's name; may be NULL
 *
 * Return: 0; -ENOENT; -EBADMSG when it is damaged, no regular file, or its bytes cannot be had;
 *         -EPROTONOSUPPORT when it is of a later release, with @e like for damage; another negative
 *         errno value when nothing can be said of it (no memory, no descriptor)
 */
int identity_read_file(struct identity *out, int dirfd, const char *name, struct err *e);

/**
 * struct identity_place - Where a key file lies
 * @dirfd:	State directory; borrowed
 * @dir:	Its path, for messages; borrowed
 * @ifname:	Interface, which names the file; borrowed
 */
struct identity_place {
	int dirfd;
	const char *dir;
	const char *ifname;
};

/**
 * identity_load() - Load the key, or restore it from the newest good snapshot
 * @out:	Receives the identity
 * @origin:	Receives IDENTITY_LOADED or IDENTITY_RESTORED
 * @at:		Where it lies
 * @repair:	false: report damage, change nothing
 * @e:		Names the file, the damage and the cure
 *
 * A damaged file is kept as .snapshots/{iface}.json.damaged-N; nothing is ever deleted. With
 * @repair, what was restored from where is logged, and a good key gets a snapshot if it has none.
 * A good key that is another one than the volume marker records is logged as a warning.
 *
 * Return: 0; -ENOENT when there is neither a key nor any trace of one (identity_trace.h: a first
 *         start); -EBADMSG with exit code 65 when the key is damaged or missing, or a trace of it
 *         exists, and no snapshot is good; -EPROTONOSUPPORT with exit code 78 when it is of a later
 *         release; or another negative errno value
 */
int identity_load(struct identity *out, enum identity_origin *origin,
		  const struct identity_place *at, bool repair, struct err *e);

/**
 * identity_generate() - Make a key pair; mesh addresses are "none"
 */
void identity_generate(struct identity *out);

/**
 * identity_create() - Write the first key file, never over an existing one
 * @id:		Identity; borrowed
 * @at:		Where it goes
 * @e:		Receives the reason on failure
 *
 * A left-over damaged file is moved aside first: callers come here after -ENOENT from
 * identity_load(), or because the person said --new-identity.
 *
 * Return: 0, -EEXIST when a good key file is there, -EPROTONOSUPPORT when one of a later release
 *         is, or another negative errno value
 */
int identity_create(const struct identity *id, const struct identity_place *at, struct err *e);

/**
 * identity_save() - Write changed mesh addresses, and snapshot the file
 * @id:		Identity; borrowed
 * @at:		Where it lies
 * @e:		Receives the reason on failure
 *
 * Return: 0; -EEXIST when the file holds another key; or another negative errno value with the old
 *         file in place
 */
int identity_save(const struct identity *id, const struct identity_place *at, struct err *e);

/**
 * struct identity_kept - What became of the file that another one has replaced
 * @snapshot:	Name inside .snapshots/ under which it is kept; empty when there was none
 * @is_good:	It is a good key; otherwise a damaged file
 * @added:	Name of the snapshot that was made of the new one; empty when there was one already,
 *		which is not to go when this is undone
 */
struct identity_kept {
	char snapshot[64];
	bool is_good;
	char added[64];
};

/**
 * identity_replace() - Put another key in the key file's place, because the person said so
 * @id:		What goes there
 * @at:		Where it goes
 * @kept:	Receives what became of the one in place, which is never deleted
 * @e:		Receives the reason on failure
 *
 * Return: 0; -EPROTONOSUPPORT when the file in place is of a later release; or another negative
 *         errno value with the old file in place or kept
 */
int identity_replace(const struct identity *id, const struct identity_place *at,
		     struct identity_kept *kept, struct err *e);

/**
 * identity_restore() - identity_replace() with what a snapshot holds
 * @out:	Receives the identity
 * @at:		Where it goes
 * @snapshot:	File name inside .snapshots/: a snapshot, or a legacy copy
 * @kept:	Receives what became of the file in place
 * @e:		Receives the reason on failure
 *
 * Return: 0; -EINVAL for a name of another kind, -ENOENT, -EBADMSG for a damaged snapshot; or
 *         another negative errno value
 */
int identity_restore(struct identity *out, const struct identity_place *at, const char *snapshot,
		     struct identity_kept *kept, struct err *e);

#endif /* DAEMON_STATE_IDENTITY_H */
