/* SPDX-License-Identifier: MIT */
/*
 * exits - the exit codes that both programs promise (sysexits.h numbers; docs/reference.md)
 *
 * A crash never ends in EXITS_OK. Codes for which exits_is_incurable() holds would come back after
 * any restart, so the supervisor does not retry them.
 */
#ifndef COMMON_EXITS_H
#define COMMON_EXITS_H

#include <stdbool.h>

enum exits {
	EXITS_OK = 0,
	EXITS_FAILURE = 1,	    /* a negative answer: unhealthy, no such peer */
	EXITS_USAGE = 64,	    /* wrong command line or environment */
	EXITS_STATE_DAMAGED = 65,   /* key file damaged and nothing to restore it from */
	EXITS_NO_WIREGUARD = 69,    /* neither kernel nor userspace WireGuard */
	EXITS_INTERNAL = 70,	    /* a broken invariant of our own */
	EXITS_SYSTEM = 71,	    /* the system refused something it normally grants */
	EXITS_CANNOT_CREATE = 73,   /* state cannot be created */
	EXITS_IO = 74,		    /* read or write error */
	EXITS_LOCKED = 75,	    /* another node holds the state directory */
	EXITS_NO_PERMISSION = 77,   /* a capability or an access right is missing */
	EXITS_POLICY = 78,	    /* refused by policy (ephemeral storage) or configuration */
	EXITS_NOT_EXECUTABLE = 126, /* program exists but cannot be executed */
	EXITS_NOT_FOUND = 127,	    /* program does not exist */
};

/**
 * exits_is_incurable() - Would the same exit code come back after a restart?
 * @code:	Exit code of a program of ours
 */
static inline bool exits_is_incurable(int code)
{
	return code == EXITS_USAGE || code == EXITS_STATE_DAMAGED || code == EXITS_NO_WIREGUARD ||
	       code == EXITS_NO_PERMISSION || code == EXITS_POLICY;
}

#endif /* COMMON_EXITS_H */
