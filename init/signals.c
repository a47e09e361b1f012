/* SPDX-License-Identifier: MIT */
#include "init/signals.h"

#include <signal.h>

enum signal_class signals_classify(int sig)
{
	switch (sig) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		return SIGNAL_STOP;
	case SIGHUP:
		return SIGNAL_RELOAD;
	case SIGTTIN:
	case SIGTTOU:
		return SIGNAL_IGNORE;
	case SIGCHLD:
		return SIGNAL_CHILD;
	default:
		return SIGNAL_FORWARD;
	}
}
