/* SPDX-License-Identifier: MIT */
/* prove - the edge of the proof module: what the marker proves at a start, said and remembered */
#ifndef INIT_VOLUME_PROVE_H
#define INIT_VOLUME_PROVE_H

#include "init/boot.h"

#include <stdbool.h>

/**
 * prove_volume() - Judge the volume's marker, and note this start in it
 * @b:		Boot; its state directory is open and locked
 *
 * Whatever is found, and whatever goes wrong, is no reason to refuse a start.
 *
 * Return: 0, or -EINTR when a stop signal came
 */
int prove_volume(struct boot *b);

/**
 * prove_lasts() - Does a marker prove that a directory outlasts its container? Changes nothing
 * @b:		Boot; the verdict is known, the state directory may not be open yet
 *
 * Return: true when another container has used it before; within --storage-timeout
 */
bool prove_lasts(const struct boot *b);

#endif /* INIT_VOLUME_PROVE_H */
