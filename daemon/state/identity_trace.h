/* SPDX-License-Identifier: MIT */
/*
 * identity_trace - what shows that a node without a key once had one, and which key it served
 *
 * A first start and a lost key look the same in the key file's place. They do not elsewhere: a
 * snapshot, a key that a migration kept, half a write, the record in the volume marker, and the
 * caches that a running node leaves.
 */
#ifndef DAEMON_STATE_IDENTITY_TRACE_H
#define DAEMON_STATE_IDENTITY_TRACE_H

#include "common/err.h"
#include "common/marker.h"
#include "daemon/state/identity.h"

/**
 * struct identity_trace - One trace
 * @what:	".snapshots/wg0.json.damaged-1 shows that there was one"
 * @cure:	What to do about it, after the general cure; empty for nothing
 */
struct identity_trace {
	char what[200];
	char cure[128];
};

/**
 * identity_find_trace() - Is there anything that shows that this node had a key?
 * @out:	Receives the trace that says most
 * @at:		Where the key file would lie
 * @snapfd:	.snapshots/, or -1 when there is none; borrowed
 * @e:		Receives the reason on failure
 *
 * Return: 0 when there is a trace; -ENOENT when there is none; -EPROTONOSUPPORT when a later release
 *         wrote the marker, so that this one cannot tell; or another negative errno value
 */
int identity_find_trace(struct identity_trace *out, const struct identity_place *at, int snapfd,
			struct err *e);

/**
 * identity_served() - Which key does the volume marker say this interface was last served with?
 * @out:	Receives it in base64, empty for none
 * @at:		State directory and interface
 *
 * Return: 0, also when none is recorded or there is no marker; -EBADMSG when the marker is damaged;
 *         -EPROTONOSUPPORT when it is of a later release; or another negative errno value
 */
int identity_served(char out[static MARKER_KEY_SIZE], const struct identity_place *at);

#endif /* DAEMON_STATE_IDENTITY_TRACE_H */
