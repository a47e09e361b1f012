/* SPDX-License-Identifier: MIT */
/*
 * exits - the exit codes that both programs promise, EXITS_OK to EXITS_NOT_FOUND (common/exits.def)
 *
 * A crash never ends in EXITS_OK. Codes for which exits_is_incurable() holds would come back after
 * any restart, so the supervisor does not retry them.
 */
#ifndef COMMON_EXITS_H
#define COMMON_EXITS_H

#include <stdbool.h>
#include <stddef.h>

enum exits {
#define EXIT(name, number, meaning, details) EXITS_##name = (number),
#include "common/exits.def"
#undef EXIT
};

/**
 * struct exits_row - One exit code
 * @code:	The code
 * @meaning:	A few words
 */
struct exits_row {
	int code;
	const char *meaning;
};

/**
 * exits_table() - All of them, by rising number
 * @n:		Receives how many there are
 */
const struct exits_row *exits_table(size_t *n);

/**
 * exits_meaning() - What a program of ours means by an exit code
 * @code:	Exit code
 *
 * Return: a few words, or NULL for one that is not ours
 */
const char *exits_meaning(int code);

/**
 * exits_is_incurable() - Would the same exit code come back after a restart?
 * @code:	Exit code of a program of ours
 */
static inline bool exits_is_incurable(int code)
{
	return code == EXITS_USAGE || code == EXITS_STATE_DAMAGED || code == EXITS_NO_WIREGUARD ||
	       code == EXITS_NO_PERMISSION || code == EXITS_POLICY;
}

#endif /* COMMON_EXITS_H */
