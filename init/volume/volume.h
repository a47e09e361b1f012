/* SPDX-License-Identifier: MIT */
/* volume - decide what holds the state directory, from the mount table and a few facts; pure */
#ifndef INIT_VOLUME_VOLUME_H
#define INIT_VOLUME_VOLUME_H

#include "init/volume/mountinfo.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict {
	VERDICT_UNKNOWN,    /* fits no rule: never called persistent */
	VERDICT_PERSISTENT, /* bind mount, named volume, claim, disk: the host decides */
	VERDICT_ANONYMOUS,  /* engine volume with a generated name */
	VERDICT_CONTAINER,  /* image volume of a Kubernetes runtime: one directory per container */
	VERDICT_POD,	    /* Kubernetes emptyDir */
	VERDICT_MEMORY,	    /* tmpfs or ramfs, whatever its name */
	VERDICT_LAYER,	    /* the container's own writable layer, or an engine's overlay mount */
	VERDICT_READONLY,   /* mounted read-only */
	VERDICT_WRONG_TYPE, /* a secret, a configMap, or no directory at all */
	VERDICT_BROKEN,	    /* the source was deleted on the host */
	VERDICT_SPLIT,	    /* a state file is a mount of its own: renaming onto it fails */
	VERDICT_COUNT,
};

/**
 * struct volume_facts - What the edge found out about the state directory
 * @path:	Absolute path without symbolic links; where the directory does not exist yet, that
 *		of its nearest existing ancestor
 * @exists:	The directory itself exists
 * @is_directory: @path is a directory, as far as one can see
 * @has_mount_id: @mount_id and @root_mount_id are known
 * @mount_id:	Mount that @path lies on
 * @root_mount_id: Mount that / lies on
 * @magic:	f_type of statfs(2), which does without /proc; 0 where it is not known
 * @is_read_only: statfs(2) says that the mount or its file system is read-only
 * @has_data_link: There is a "..data" entry, as in every mounted secret and configMap
 */
struct volume_facts {
	char path[PATH_MAX];
	bool exists;
	bool is_directory;
	bool has_mount_id;
	uint64_t mount_id;
	uint64_t root_mount_id;
	uint64_t magic;
	bool is_read_only;
	bool has_data_link;
};

/**
 * struct volume - What holds the state directory
 * @verdict:	The verdict
 * @what:	What it is, for people: 'the named volume "wg"'
 * @caution:	What to know of it although it is persistent, for people; empty for nothing
 * @is_temporary: It is in a directory that hosts empty at their start
 * @type:	File system type; empty where the mount table does not say
 * @root:	Path inside that file system
 * @point:	Where it is mounted
 */
struct volume {
	enum verdict verdict;
	char what[200];
	char caution[120];
	bool is_temporary;
	char type[64];
	char root[512];
	char point[512];
};

/**
 * volume_classify() - Decide what holds the state directory
 * @mounts:	Text of /proc/self/mountinfo, empty when it could not be read
 * @facts:	Facts about the directory
 * @out:	Receives the verdict
 *
 * Mount ids are compared, never device numbers: volumes share the device of the writable layer.
 */
void volume_classify(const char *mounts, const struct volume_facts *facts, struct volume *out);

/**
 * volume_classify_mount() - Say what a mount is by itself, wherever it is mounted
 * @row:	Its line of the mount table
 * @out:	Receives the verdict; "readonly" is not among them
 */
void volume_classify_mount(const struct mount_row *row, struct volume *out);

/**
 * verdict_name() - The verdict's word in logs and status
 */
const char *verdict_name(enum verdict verdict);

/**
 * verdict_is_usable() - Can state be kept there at all?
 */
bool verdict_is_usable(enum verdict verdict);

#endif /* INIT_VOLUME_VOLUME_H */
