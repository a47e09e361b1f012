/* SPDX-License-Identifier: MIT */
/* strength - how hard is a secret to guess? An estimate for advice, not for a decision; pure */
#ifndef DAEMON_DOCTOR_STRENGTH_H
#define DAEMON_DOCTOR_STRENGTH_H

#include <stddef.h>

/* The secret is hashed once, not stretched: whoever has one datagram tries billions a second. */
#define STRENGTH_ENOUGH 80

/**
 * strength_bits() - Estimate the strength of a secret
 * @text:	Secret; borrowed, need not be terminated
 * @len:	Bytes in @text
 *
 * A text that repeats itself counts once, a word like one choice of two thousand, a character that
 * follows from the one before it for nothing, and any other by the alphabet it seems to be from.
 *
 * Return: bits, about
 */
unsigned int strength_bits(const char *text, size_t len);

#endif /* DAEMON_DOCTOR_STRENGTH_H */
