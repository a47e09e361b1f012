/* SPDX-License-Identifier: MIT */
/* storage - phase "volume": look at the state directory, judge it, and say what to change */
#ifndef INIT_VOLUME_STORAGE_H
#define INIT_VOLUME_STORAGE_H

#include "init/boot.h"

/**
 * storage_classify() - Phase "volume": what holds the state directory, and does policy allow it?
 */
int storage_classify(struct boot *b, struct err *e);

/**
 * storage_read_mounts() - Read /proc/self/mountinfo
 *
 * Return: text owned by the caller (free(3)), cut after the last whole line that fits; empty where
 *         /proc is masked; NULL without memory
 */
char *storage_read_mounts(void);

#endif /* INIT_VOLUME_STORAGE_H */
