/* SPDX-License-Identifier: MIT */
/* io - reads and writes that finish or fail, and opens that cannot leave a directory */
#ifndef COMMON_IO_H
#define COMMON_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * io_write_full() - Write a whole buffer, through short writes and signals
 * @fd:		Blocking descriptor
 * @buf:	Bytes to write; borrowed
 * @len:	Bytes in @buf
 *
 * Return: 0, or a negative errno value with an unknown part written
 */
int io_write_full(int fd, const void *buf, size_t len);

/**
 * io_read_bounded() - Read a descriptor to its end, but never more than a buffer holds
 * @fd:		Blocking descriptor
 * @buf:	Receives the bytes
 * @size:	Room in @buf
 *
 * Return: bytes read, -EFBIG when there are more than @size, or another negative errno value
 */
ssize_t io_read_bounded(int fd, void *buf, size_t size);

/**
 * io_rename_new() - Rename a file inside its directory, never over an existing name
 * @dirfd:	Directory; borrowed
 * @from:	Name it has
 * @to:		Name it gets
 *
 * Where a file system has no RENAME_NOREPLACE (NFS), link(2) refuses an existing name too.
 *
 * Return: 0, -EEXIST, or another negative errno value
 */
int io_rename_new(int dirfd, const char *from, const char *to);

/**
 * io_read_mount() - A number that tells mounts apart
 * @fd:		Anything on the mount, O_PATH will do; borrowed
 * @mount:	Receives the number: the mount id, or before Linux 5.8 that of the device, so that another
 *		mount of the same device goes unnoticed
 *
 * Return: 0 or a negative errno value
 */
int io_read_mount(int fd, uint64_t *mount);

/**
 * io_create_anew() - Create a file for writing, in place of whatever has its name
 * @dirfd:	Directory; borrowed
 * @name:	File name inside @dirfd; a file, link, FIFO or device of that name is removed first
 * @flags:	O_WRONLY or O_RDWR
 * @mode:	Mode of the new file
 *
 * Never O_TRUNC: somebody may have planted a second name of a file that lies elsewhere.
 *
 * Return: descriptor owned by the caller, or a negative errno value: -EEXIST for a directory of that
 *         name, or when somebody makes the name again and again
 */
int io_create_anew(int dirfd, const char *name, int flags, mode_t mode);

/**
 * io_open_beneath() - Open a path inside a directory without ever leaving it
 * @dirfd:	Directory; borrowed
 * @path:	Relative path inside it
 * @flags:	open(2) flags; O_CLOEXEC and O_NOFOLLOW are added
 * @mode:	Mode for O_CREAT
 *
 * No symbolic link is followed and no mount is crossed (openat2(2) RESOLVE_BENEATH,
 * RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV). Where a seccomp filter hides openat2(2), a single
 * component is opened with O_NOFOLLOW and its mount id compared, and a longer path is refused with
 * -ENOSYS.
 *
 * Return: descriptor owned by the caller, or a negative errno value
 */
int io_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

#endif /* COMMON_IO_H */
