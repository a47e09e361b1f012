/* SPDX-License-Identifier: MIT */
/* mounts - read the mount table of this process */
#ifndef INIT_VOLUME_MOUNTS_H
#define INIT_VOLUME_MOUNTS_H

/**
 * mounts_read() - Read /proc/self/mountinfo
 *
 * Return: text owned by the caller (free(3)), cut after the last whole line that fits; empty where
 *         /proc is masked; NULL without memory
 */
char *mounts_read(void);

#endif /* INIT_VOLUME_MOUNTS_H */
