/* SPDX-License-Identifier: MIT */
/*
 * statepath - open a directory by a path that a volume may have a part in
 *
 * Where the state directory lies below a mount ("/data/node"), whoever writes to that volume may make it a
 * symbolic link. Links of the container's own root file system are the image's, and lead anywhere; one on a
 * volume has to end on that volume, or owners and modes would be changed elsewhere.
 */
#ifndef INIT_VOLUME_STATEPATH_H
#define INIT_VOLUME_STATEPATH_H

/**
 * statepath_open() - Open a directory
 * @dir:	Absolute path
 * @flags:	O_RDONLY or O_PATH; O_DIRECTORY and O_CLOEXEC are added
 *
 * Return: descriptor owned by the caller, -EXDEV when a link leads out of its volume, whether or not there
 *         is anything at its end, or another negative errno value
 */
int statepath_open(const char *dir, int flags);

#endif /* INIT_VOLUME_STATEPATH_H */
