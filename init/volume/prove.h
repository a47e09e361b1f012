/* SPDX-License-Identifier: MIT */
/* prove - the edge of the proof module: what the marker proves at a start, said and remembered */
#ifndef INIT_VOLUME_PROVE_H
#define INIT_VOLUME_PROVE_H

#include "init/boot.h"

#include <stdbool.h>

/**
 * prove_and_verify() - Phase "verify": judge and write the volume's marker, then check the key
 *
 * The marker comes first: should the key be refused, it is what tells that there was one. It never
 * refuses a start itself.
 */
int prove_and_verify(struct boot *b, struct err *e);

/**
 * prove_lasts() - Does a marker prove that a directory outlasts its container? Changes nothing
 * @b:		Boot; the verdict is known, the state directory may not be open yet
 *
 * Return: true when another container has used it before; within --storage-timeout
 */
bool prove_lasts(const struct boot *b);

#endif /* INIT_VOLUME_PROVE_H */
