/* SPDX-License-Identifier: MIT */
/* rootfield - recognise volumes of engines by the root field of a mountinfo line; pure */
#ifndef INIT_VOLUME_ROOTFIELD_H
#define INIT_VOLUME_ROOTFIELD_H

#include "init/volume/volume.h"

#include <stdbool.h>

/**
 * struct rootfield - What a path inside a mounted file system tells
 * @verdict:	How long it lasts
 * @what:	What it is, for people: 'the named volume "wg"'
 */
struct rootfield {
	enum verdict verdict;
	char what[160];
};

/**
 * rootfield_recognise() - Find the trace that an engine leaves in the root field
 * @root:	Root field, unescaped
 * @out:	Receives what it tells
 *
 * Engines run inside of engines, so several traces may be in one path: the last one counts, since it
 * is that of the engine whose container this is. But what goes with a pod or a container takes
 * everything below it along.
 *
 * Return: false when there is no trace
 */
bool rootfield_recognise(const char *root, struct rootfield *out);

/**
 * rootfield_is_temporary() - Does the path begin in a directory that hosts empty at their start?
 * @root:	Root field, unescaped
 */
bool rootfield_is_temporary(const char *root);

#endif /* INIT_VOLUME_ROOTFIELD_H */
