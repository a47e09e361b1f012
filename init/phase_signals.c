/* SPDX-License-Identifier: MIT */
#include "init/phase_signals.h"
#include "init/process/descriptors.h"
#include "init/process/dispositions.h"

int phase_signals(struct boot *b, struct err *e)
{
	int r;

	dispositions_reset();
	r = descriptors_fill_standard();
	if (r < 0)
		return err_set(e, r, "open /dev/null in place of a closed standard descriptor");
	boot_note(b, "all signals are blocked and will be read from a descriptor");
	return OUTCOME_OK;
}
