/* SPDX-License-Identifier: MIT */
/* mountinfo - parse the text of /proc/self/mountinfo, proc_pid_mountinfo(5); pure */
#ifndef INIT_VOLUME_MOUNTINFO_H
#define INIT_VOLUME_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct mount_row - One line, unescaped; what is too long is cut
 * @id:		Mount id, as statx(2) reports it
 * @parent:	Mount id of the mount it lies on
 * @device:	Number of the file system, "254:0"; mounts with the same one show the same file system
 * @root:	Path inside the file system that is mounted here
 * @point:	Where it is mounted
 * @type:	File system type
 * @source:	Device or name
 * @read_only:	The mount itself is read-only
 * @super_read_only: The whole file system is read-only
 */
struct mount_row {
	uint64_t id;
	uint64_t parent;
	char device[24];
	char root[PATH_MAX];
	char point[PATH_MAX];
	char type[64];
	char source[256];
	bool read_only;
	bool super_read_only;
};

/**
 * mountinfo_next() - Parse the next line
 * @text:	Position in the text, moved past the line; starts at its beginning
 * @row:	Receives the line
 *
 * Lines that are not in the format are passed over.
 *
 * Return: false at the end of the text
 */
bool mountinfo_next(const char **text, struct mount_row *row);

/**
 * mountinfo_next_on() - Parse the next line of a mount that lies on a given one
 * @text:	Position in the text, moved past the line
 * @parent:	Id of the mount that it lies on
 * @row:	Receives the line
 *
 * Return: false at the end of the text
 */
bool mountinfo_next_on(const char **text, uint64_t parent, struct mount_row *row);

/**
 * mountinfo_find_id() - Find a mount by its id
 * @text:	Whole text
 * @id:		Mount id
 * @row:	Receives the line; undefined when there is none
 */
bool mountinfo_find_id(const char *text, uint64_t id, struct mount_row *row);

/**
 * mountinfo_find_path() - Find the mount that a path lies on
 * @text:	Whole text
 * @path:	Absolute path without symbolic links
 * @row:	Receives the line; undefined when there is none
 *
 * Walks down from the root mount as the kernel does, so that a mount which another one covers, at the
 * same place or above it, is never taken. Where the table does not show the root, the longest mount
 * point counts, and the last such line.
 */
bool mountinfo_find_path(const char *text, const char *path, struct mount_row *row);

/**
 * mountinfo_covers() - Does a path lie at or below a mount point, by its name?
 * @point:	Mount point
 * @path:	Absolute path
 */
bool mountinfo_covers(const char *point, const char *path);

/**
 * mountinfo_parse_fdinfo() - Find the mount id in the text of /proc/self/fdinfo/N
 * @text:	Whole text
 * @id:		Receives the mount id
 *
 * Return: false where there is none (Linux before 3.15)
 */
bool mountinfo_parse_fdinfo(const char *text, uint64_t *id);

/**
 * mountinfo_container_id() - Find the container's id, as the engine's own mounts show it
 * @text:	Whole text
 * @out:	Receives 64 hexadecimal digits; empty when there are none
 *
 * Engines mount /etc/hostname, /etc/hosts or /etc/resolv.conf from a directory named by the id.
 */
bool mountinfo_container_id(const char *text, char out[static 65]);

/**
 * mountinfo_is_hex_id() - Is a path component a generated id: 64 hexadecimal digits?
 * @s:		Component, need not be terminated
 * @len:	Its length
 */
bool mountinfo_is_hex_id(const char *s, unsigned long len);

#endif /* INIT_VOLUME_MOUNTINFO_H */
