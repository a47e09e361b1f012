/* SPDX-License-Identifier: MIT */
/* signals - what each signal means to wgmesh-init; pure */
#ifndef INIT_SIGNALS_H
#define INIT_SIGNALS_H

enum signal_class {
	SIGNAL_FORWARD, /* the daemon's business */
	SIGNAL_STOP,	/* ends the container: forwarded, then waited for */
	SIGNAL_RELOAD,	/* forwarded: the daemon reads its configuration again */
	SIGNAL_IGNORE,	/* job control of a terminal we do not read */
	SIGNAL_CHILD,	/* a child changed state: reap */
};

/**
 * signals_classify() - What to do about a signal
 * @sig:	Signal number, 1 to 64
 */
enum signal_class signals_classify(int sig);

#endif /* INIT_SIGNALS_H */
