/* SPDX-License-Identifier: MIT */
/* tenure - the part of phase "lock" that is about the lease: take it, wait for it, report on it */
#ifndef INIT_LOCK_TENURE_H
#define INIT_LOCK_TENURE_H

#include "common/holder.h"
#include "init/boot.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * tenure_take() - Take the lease of the state directory, by a keeper that goes on to keep it
 * @b:		Boot; its keeper is started
 * @limit_ms:	How long to wait for a holder who lives
 * @is_locked:	We hold the lock as well, which at least on this host nobody else does
 * @e:		Receives the reason on failure
 *
 * A holder who gives no sign of life is watched for a whole lease time, even when that is longer.
 *
 * Return: OUTCOME_OK, -EINTR for a stop signal, or another negative errno value
 */
int tenure_take(struct boot *b, uint64_t limit_ms, bool is_locked, struct err *e);

/**
 * tenure_report() - Who uses the state directory? Takes nothing, changes nothing
 * @b:		Boot
 * @e:		Receives the reason when a start would be refused
 *
 * Return: enum phase_outcome, or a negative errno value
 */
int tenure_report(struct boot *b, struct err *e);

/**
 * tenure_say_waiting() - Say for whom we wait, and how long
 * @b:		Boot
 * @h:		Who
 * @limit_ms:	How long
 */
void tenure_say_waiting(const struct boot *b, const struct holder *h, uint64_t limit_ms);

#endif /* INIT_LOCK_TENURE_H */
