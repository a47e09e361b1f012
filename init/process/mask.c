/* SPDX-License-Identifier: MIT */
#include "init/process/mask.h"
#include "init/supervise/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const uint64_t everything = UINT64_MAX;
static const uint64_t nothing = 0;

void mask_block_all(void)
{
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &everything, NULL, sizeof(everything));
}

void mask_unblock_all(void)
{
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, NULL, sizeof(nothing));
}

int mask_open_all(void)
{
	long fd = syscall(SYS_signalfd4, -1, &everything, sizeof(everything),
			  SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? -errno : (int)fd;
}

static void stop_set(sigset_t *set)
{
	(void)sigemptyset(set);
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (signals_classify(sig) == SIGNAL_STOP)
			(void)sigaddset(set, sig);
}

int mask_open_stop(void)
{
	sigset_t set;
	int fd;

	stop_set(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int mask_take_stop(void)
{
	const struct timespec at_once = { 0 };
	sigset_t set;
	int sig;

	stop_set(&set);
	sig = sigtimedwait(&set, NULL, &at_once);
	return sig > 0 ? sig : 0;
}
