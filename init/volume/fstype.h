/* SPDX-License-Identifier: MIT */
/* fstype - what is known of file system types, by name and by statfs(2)'s magic number; pure */
#ifndef INIT_VOLUME_FSTYPE_H
#define INIT_VOLUME_FSTYPE_H

#include <stdbool.h>
#include <stdint.h>

enum fstype_kind { FSTYPE_OTHER, FSTYPE_MEMORY, FSTYPE_LAYERED };

/**
 * fstype_is_memory() - Is it gone with the machine's power?
 * @type:	Type as in the mount table
 */
bool fstype_is_memory(const char *type);

/**
 * fstype_is_layered() - Is it one of those that engines make writable layers with?
 * @type:	Type as in the mount table
 */
bool fstype_is_layered(const char *type);

/**
 * fstype_is_host_share() - Is it how desktops and virtual machines share a directory from outside?
 * @type:	Type as in the mount table
 */
bool fstype_is_host_share(const char *type);

/**
 * fstype_of_magic() - What a magic number is, whatever name the type has
 * @magic:	f_type of statfs(2)
 */
enum fstype_kind fstype_of_magic(uint64_t magic);

/**
 * fstype_contradicts() - Can a file system of this type not have this magic number?
 * @type:	Type as in the mount table
 * @magic:	f_type of statfs(2), 0 where it is not known
 *
 * Return: false also when there is nothing to compare with, except where @magic says memory or overlay
 */
bool fstype_contradicts(const char *type, uint64_t magic);

#endif /* INIT_VOLUME_FSTYPE_H */
