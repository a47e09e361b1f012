/* SPDX-License-Identifier: MIT */
/* newfile - write a file that must not exist yet: whole, durable, readable by nobody else */
#ifndef DAEMON_CLI_NEWFILE_H
#define DAEMON_CLI_NEWFILE_H

#include "common/err.h"

#include <stddef.h>

/**
 * newfile_write() - Write a new file, mode 0600
 * @path:	Where; its directory must exist
 * @buf:	Contents; borrowed
 * @len:	Bytes in @buf
 * @e:		Names the path, and with exit codes 73 or 74 what is wrong
 *
 * Return: 0; -EEXIST with the existing file untouched; or another negative errno value
 */
int newfile_write(const char *path, const void *buf, size_t len, struct err *e);

#endif /* DAEMON_CLI_NEWFILE_H */
