/* SPDX-License-Identifier: MIT */
/* kstat - what the kernel says of a file beyond struct stat; each C library knows another part of it */
#ifndef COMMON_KSTAT_H
#define COMMON_KSTAT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * kstat_mount_id() - The mount that a file is on
 * @dirfd:	What @path starts from, AT_FDCWD will do; borrowed
 * @path:	The file, links are followed; empty for @dirfd itself
 * @id:		Receives the number that /proc/self/mountinfo shows
 *
 * Return: 0, -EOPNOTSUPP before Linux 5.8, otherwise negative errno
 */
int kstat_mount_id(int dirfd, const char *path, uint64_t *id);

/**
 * kstat_is_immutable() - May nobody change the file, or only append to it (chattr +i, +a)?
 * @path:	The file, links are followed
 *
 * Return: false also where that cannot be found out
 */
bool kstat_is_immutable(const char *path);

#endif /* COMMON_KSTAT_H */
