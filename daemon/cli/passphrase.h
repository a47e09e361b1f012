/* SPDX-License-Identifier: MIT */
/* passphrase - take a passphrase from a file, a variable or the terminal, never from argv */
#ifndef DAEMON_CLI_PASSPHRASE_H
#define DAEMON_CLI_PASSPHRASE_H

#include "common/err.h"
#include "common/settings.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSPHRASE_SIZE 1025

/**
 * struct passphrase - A passphrase; wipe it with passphrase_wipe()
 * @text:	Text, terminated
 * @len:	Bytes in @text
 */
struct passphrase {
	char text[PASSPHRASE_SIZE];
	size_t len;
};

/**
 * passphrase_get() - Take the passphrase
 * @out:	Receives it; wiped on failure
 * @s:		Settings; what was in the environment is overwritten there
 * @is_new:	It is being chosen: too short a one is refused, and on a terminal it is asked twice
 * @e:		Receives the reason on failure
 *
 * A line break at the end of the file does not count.
 *
 * Return: 0, or a negative errno value with exit code 64
 */
int passphrase_get(struct passphrase *out, const struct settings *s, bool is_new, struct err *e);

void passphrase_wipe(struct passphrase *p);

#endif /* DAEMON_CLI_PASSPHRASE_H */
