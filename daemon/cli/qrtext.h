/* SPDX-License-Identifier: MIT */
/* qrtext - a QR code as characters: two modules each, one above the other; pure */
#ifndef DAEMON_CLI_QRTEXT_H
#define DAEMON_CLI_QRTEXT_H

#include "common/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QRTEXT_QUIET 4 /* modules around it that stay light (ISO/IEC 18004) */

/**
 * qrtext_size() - Bytes that a code takes as text, its NUL included
 * @width:	Modules on a side
 */
size_t qrtext_size(size_t width);

/**
 * qrtext_columns() - Columns of a terminal that a code takes
 * @width:	Modules on a side
 */
size_t qrtext_columns(size_t width);

/**
 * qrtext_put() - Write a code
 * @out:	Receives the text; has room for qrtext_size()
 * @modules:	@width * @width bytes, row by row; the lowest bit is set for a dark one
 * @width:	Modules on a side
 * @is_coloured: Say that light is white and dark is black, so that it can be read on a terminal of any
 *		colours; otherwise blocks are light, as on most terminals
 */
void qrtext_put(struct str_out *out, const uint8_t *modules, size_t width, bool is_coloured);

#endif /* DAEMON_CLI_QRTEXT_H */
