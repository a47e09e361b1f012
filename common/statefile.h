/* SPDX-License-Identifier: MIT */
/* statefile - replace a small file so that a reader finds the old one or the new one, whole */
#ifndef COMMON_STATEFILE_H
#define COMMON_STATEFILE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * statefile_replace() - Write a file's new contents atomically and durably
 * @dirfd:	Directory of the file; borrowed, opened for reading, ours alone to write
 * @name:	File name inside @dirfd: no '/', and not that of a sibling
 * @buf:	New contents; borrowed
 * @len:	Bytes in @buf
 * @e:		Receives the reason on failure, may be NULL
 *
 * The file gets mode 0600. The contents are first written to a sibling, see
 * statefile_sibling().
 *
 * Return: 0 once the contents outlive a power cut, or a negative errno value with the old file
 *         still in place (after a failed last fsync(): either file, whole)
 */
int statefile_replace(int dirfd, const char *name, const void *buf, size_t len, struct err *e);

/**
 * statefile_create() - Like statefile_replace(), but never over an existing file
 * @dirfd:	Directory of the file; borrowed
 * @name:	File name inside @dirfd: no '/', and not that of a sibling
 * @buf:	Contents; borrowed
 * @len:	Bytes in @buf
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: 0, -EEXIST with the existing file untouched, or another negative errno value
 */
int statefile_create(int dirfd, const char *name, const void *buf, size_t len, struct err *e);

/**
 * statefile_read() - Read a small regular file whole
 * @dirfd:	Directory of the file; borrowed
 * @name:	File name inside @dirfd
 * @buf:	Receives the bytes and a terminating NUL
 * @size:	Room in @buf, the NUL included
 * @e:		Receives the reason on failure, may be NULL
 *
 * Symbolic links, devices, FIFOs and directories are refused: a state directory has none of ours.
 *
 * Return: bytes read, -ENOENT, -EFBIG, -ELOOP, -EINVAL (not a regular file) or another negative
 *         errno value
 */
ssize_t statefile_read(int dirfd, const char *name, char *buf, size_t size, struct err *e);

/**
 * statefile_sibling() - Name of the temporary file that a replacement goes through
 * @out:	Receives ".NAME.new", for a name with a leading dot "NAME.new"
 * @size:	Room in @out
 * @name:	Name of the state file
 *
 * Return: 0, -EINVAL for a name that no state file may have, or -ENAMETOOLONG
 */
int statefile_sibling(char *out, size_t size, const char *name);

#endif /* COMMON_STATEFILE_H */
