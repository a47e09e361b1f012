/* SPDX-License-Identifier: MIT */
#include "init/supervise/reap.h"

#include <errno.h>
#include <sys/wait.h>

static int take(struct reaped *out, idtype_t type, id_t id)
{
	siginfo_t si = { 0 };

	while (waitid(type, id, &si, WEXITED | WNOHANG) < 0)
		if (errno != EINTR)
			return -errno;
	if (si.si_pid == 0)
		return 0;
	out->pid = si.si_pid;
	out->signal = si.si_code == CLD_EXITED ? 0 : si.si_status;
	out->code = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	return 1;
}

int reap_any(struct reaped *out)
{
	return take(out, P_ALL, 0);
}

int reap_pid(struct reaped *out, pid_t pid)
{
	return take(out, P_PID, (id_t)pid);
}
