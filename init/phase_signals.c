/* SPDX-License-Identifier: MIT */
#include "init/phase_signals.h"
#include "init/descriptors.h"

#include <signal.h>
#include <stddef.h>

/*
 * Whoever started us may have ignored SIGCHLD; then the kernel reaps by itself and the daemon's end
 * would never be seen.
 */
static void restore_child_signal(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGCHLD, &dfl, NULL);
}

int phase_signals(struct boot *b, struct err *e)
{
	int r;

	restore_child_signal();
	r = descriptors_fill_standard();
	if (r < 0)
		return err_set(e, r, "open /dev/null in place of a closed standard descriptor");
	boot_note(b, "all signals are blocked and will be read from a descriptor");
	return OUTCOME_OK;
}
