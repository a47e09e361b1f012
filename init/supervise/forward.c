/* SPDX-License-Identifier: MIT */
#include "init/supervise/forward.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void forward_signal(pid_t pid, bool group, int sig)
{
	if (pid <= 0)
		return;
	/* A program that moved to another group has left an empty one behind. */
	if (!group || (kill(-pid, sig) < 0 && errno == ESRCH))
		(void)kill(pid, sig);
}

static bool carries_value(const struct signalfd_siginfo *ssi)
{
	return ssi->ssi_code < 0 && ssi->ssi_code != SI_TKILL;
}

void forward_as_sent(pid_t pid, bool group, int sig, const struct signalfd_siginfo *ssi)
{
	siginfo_t si = { 0 };

	if (pid <= 0)
		return;
	si.si_signo = sig;
	si.si_code = ssi->ssi_code;
	si.si_pid = (pid_t)ssi->ssi_pid;
	si.si_uid = ssi->ssi_uid;
	memcpy(&si.si_value, &ssi->ssi_ptr, sizeof(si.si_value));
	if (group || !carries_value(ssi) || syscall(SYS_rt_sigqueueinfo, pid, si.si_signo, &si) < 0)
		forward_signal(pid, group, sig);
}
