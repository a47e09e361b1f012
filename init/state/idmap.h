/* SPDX-License-Identifier: MIT */
/* idmap - which users or groups exist in a user namespace (/proc/PID/uid_map, gid_map); pure */
#ifndef INIT_STATE_IDMAP_H
#define INIT_STATE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 340 lines, which is what the kernel allows, of three numbers each. */
#define IDMAP_SIZE (340 * 34)

/**
 * idmap_has() - Is a number mapped, so that a process can have it?
 * @map:	Text of the map: lines "inside outside count"; a line that is not is skipped
 * @id:		User or group, as it is called inside
 */
bool idmap_has(const char *map, uint32_t id);

/**
 * idmap_describe() - Name the numbers that are mapped: "0", "0 to 65535", "0, 100 to 200"
 * @map:	Text of the map
 * @out:	Receives the words, cut where they do not fit; "none" for an empty map
 * @size:	Room in @out, at least 1
 */
void idmap_describe(const char *map, char *out, size_t size);

#endif /* INIT_STATE_IDMAP_H */
