/* SPDX-License-Identifier: MIT */
/*
 * plainfile - reach a file in a directory that others may write to, only if it is a plain one
 *
 * Plain is a regular file, on the directory's own mount, that has no other name. Opening a FIFO or a
 * device can block, or set something off, so nothing is opened for real before it was looked at.
 */
#ifndef INIT_STATE_PLAINFILE_H
#define INIT_STATE_PLAINFILE_H

#include "common/err.h"

#include <sys/stat.h>

/**
 * plainfile_look() - Get hold of a plain file without opening it (O_PATH)
 * @dirfd:	Directory; borrowed
 * @name:	Name inside it
 * @st:		Receives what it is, also with -EINVAL and -EMLINK
 * @e:		Says what it is instead, beginning with the name; may be NULL
 *
 * Return: descriptor owned by the caller; -ELOOP for a symbolic link, -EINVAL for what is no regular
 *         file, -EMLINK for one with a second name, -EXDEV for a mount of its own, -ESTALE when it was
 *         removed meanwhile; or another negative errno value
 */
int plainfile_look(int dirfd, const char *name, struct stat *st, struct err *e);

/**
 * plainfile_open() - Open a plain file to read it
 * @dirfd:	Directory; borrowed
 * @name:	Name inside it
 * @st:		Receives what it is
 * @e:		Says why not, beginning with the name; may be NULL
 *
 * Return: like plainfile_look()
 */
int plainfile_open(int dirfd, const char *name, struct stat *st, struct err *e);

/**
 * plainfile_judge() - Is what was opened with O_PATH a plain file?
 * @fd:		What plainfile_look() opened; borrowed
 * @dirfd:	Its directory; borrowed
 * @name:	Name that it was opened by
 * @st:		Receives what it is
 * @e:		Says what it is instead; may be NULL
 *
 * Return: 0, -ELOOP, -EINVAL, -EMLINK, -ESTALE or another negative errno value
 */
int plainfile_judge(int fd, int dirfd, const char *name, struct stat *st, struct err *e);

#endif /* INIT_STATE_PLAINFILE_H */
