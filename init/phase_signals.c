/* SPDX-License-Identifier: MIT */
#include "init/phase_signals.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/*
 * Whoever started us may have ignored SIGCHLD; then the kernel reaps by itself and the daemon's end
 * would never be seen.
 */
static void restore_child_signal(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGCHLD, &dfl, NULL);
}

/* A closed standard descriptor would be taken by the next file that is opened. */
static int fill_standard_descriptors(void)
{
	for (;;) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return errno == ENOENT ? 0 : -errno;
		if (fd > STDERR_FILENO) {
			(void)close(fd);
			return 0;
		}
		(void)fcntl(fd, F_SETFD, 0);
	}
}

int phase_signals(struct boot *b, struct err *e)
{
	int r;

	restore_child_signal();
	r = fill_standard_descriptors();
	if (r < 0)
		return err_set(e, r, "open /dev/null in place of a closed standard descriptor");
	boot_note(b, "all signals are blocked and will be read from a descriptor");
	return OUTCOME_OK;
}
