/* SPDX-License-Identifier: MIT */
/* phase_signals - make a process that can lose no signal and hold nothing it was not given */
#ifndef INIT_PHASE_SIGNALS_H
#define INIT_PHASE_SIGNALS_H

#include "init/boot.h"

/**
 * phase_signals() - Phase "signals": dispositions, standard descriptors, working directory
 *
 * All signals are blocked already: that was the first thing main() did.
 */
int phase_signals(struct boot *b, struct err *e);

#endif /* INIT_PHASE_SIGNALS_H */
