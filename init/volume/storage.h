/* SPDX-License-Identifier: MIT */
/* storage - phase "volume": look at the state directory, judge it, and say what to change */
#ifndef INIT_VOLUME_STORAGE_H
#define INIT_VOLUME_STORAGE_H

#include "init/boot.h"

/**
 * storage_classify() - Phase "volume": what holds the state directory, and does policy allow it?
 */
int storage_classify(struct boot *b, struct err *e);

#endif /* INIT_VOLUME_STORAGE_H */
