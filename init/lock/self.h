/* SPDX-License-Identifier: MIT */
/* self - who this container is, for those who find its lock or its lease */
#ifndef INIT_LOCK_SELF_H
#define INIT_LOCK_SELF_H

#include "common/holder.h"

/**
 * holder_self() - Describe this process
 * @me:		Receives the description; what cannot be found out stays empty
 *
 * Allocates memory for a moment: for the start-up phases only.
 */
void holder_self(struct holder *me);

#endif /* INIT_LOCK_SELF_H */
