/* SPDX-License-Identifier: MIT */
/* storage - the edge of the volume module: read the mount table, look at the state directory */
#ifndef INIT_STORAGE_H
#define INIT_STORAGE_H

#include "init/boot.h"

/**
 * storage_classify() - Phase "volume": what holds the state directory, and does policy allow it?
 */
int storage_classify(struct boot *b, struct err *e);

/**
 * storage_read_mounts() - Read /proc/self/mountinfo
 *
 * Return: text owned by the caller (free(3)); empty where /proc is masked; NULL without memory
 */
char *storage_read_mounts(void);

#endif /* INIT_STORAGE_H */
