/* SPDX-License-Identifier: MIT */
/*
 * archive - everything of one node in one document: the inner form of `wgmesh state export`; pure
 *
 *	{ "format": "wgmesh-state", "version": 1, "interface": "wg0", "public_key": "...",
 *	  "created": 1767225600,
 *	  "files": [ { "name": "wg0.json", "size": 214, "sha256": "hex", "data": "base64" }, ... ] }
 *
 * With --plain this is the whole file, so that it can be read without any program of ours.
 */
#ifndef DAEMON_STATE_ARCHIVE_H
#define DAEMON_STATE_ARCHIVE_H

#include "common/err.h"
#include "daemon/state/identity.h"
#include "daemon/state/statename.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_VERSION	  1
#define ARCHIVE_FILES_MAX 64 /* a file of DHT nodes for each secret that was ever used */
#define ARCHIVE_FILE_MAX  (4U << 20)
#define ARCHIVE_DATA_MAX  (16U << 20)
#define ARCHIVE_NAME_SIZE 64

/**
 * struct archive_file - One state file
 * @name:	Its name, one that statename_moves() and belongs to the archive's interface
 * @kind:	What it is
 * @data:	Its bytes; owned, wiped by archive_fini()
 * @len:	Bytes in @data
 */
struct archive_file {
	char name[ARCHIVE_NAME_SIZE];
	enum state_kind kind;
	uint8_t *data;
	size_t len;
};

/**
 * struct archive - One node
 * @ifname:	Interface, which names the files
 * @id:		What its key file holds
 * @created_s:	When it was exported, UTC seconds
 * @files:	Its files, the key file among them
 * @n:		Entries in @files
 */
struct archive {
	char ifname[STATENAME_IFACE_SIZE];
	struct identity id;
	int64_t created_s;
	struct archive_file files[ARCHIVE_FILES_MAX];
	size_t n;
};

/**
 * archive_add() - Add a file
 * @a:		Archive, with its interface set
 * @name:	File name
 * @data:	Bytes; copied
 * @len:	Bytes in @data
 * @e:		Receives the reason on failure
 *
 * Return: 0; -EINVAL for a name that does not go with this interface's node, or is there already;
 *         -EFBIG; the results of identity_parse() for a key file; or -ENOMEM
 */
int archive_add(struct archive *a, const char *name, const void *data, size_t len, struct err *e);

/**
 * archive_find() - The first file of a kind
 *
 * Return: the file, or NULL
 */
const struct archive_file *archive_find(const struct archive *a, enum state_kind kind);

/**
 * archive_format() - Write the document
 * @out:	Receives text owned by the caller, to be wiped and freed; a NUL behind it
 * @a:		Archive with a key file
 *
 * Return: bytes without the NUL, or -ENOMEM
 */
long archive_format(char **out, const struct archive *a);

/**
 * archive_parse() - Read and check the whole document
 * @out:	Receives the archive; archive_fini() it, also after a failure
 * @text:	Bytes from anybody; borrowed
 * @len:	Bytes in @text
 * @e:		What is wrong, to be read after the file's name
 *
 * Every file is as long as is said and has the checksum that is said, has a name of a state file of
 * this interface, and is there once; the key file is there and holds the key that is named.
 *
 * Return: 0; -EBADMSG; -EPROTONOSUPPORT when it is of a later release; or -ENOMEM
 */
int archive_parse(struct archive *out, const void *text, size_t len, struct err *e);

/**
 * archive_fini() - Wipe and free
 */
void archive_fini(struct archive *a);

#endif /* DAEMON_STATE_ARCHIVE_H */
