/* SPDX-License-Identifier: MIT */
/* state_live - may this identity be brought to life here, or does it live somewhere already? */
#ifndef DAEMON_CLI_STATE_LIVE_H
#define DAEMON_CLI_STATE_LIVE_H

#include "common/err.h"
#include "common/settings.h"
#include "daemon/state/archive.h"

/**
 * state_refuse_live() - Refuse an identity that is in use
 * @a:		What is to be imported
 * @s:		Settings: control socket, mesh secret, --offline
 * @e:		Names where it lives, with exit code 75
 *
 * Asks the node that runs here, over its control socket, then the mesh, if there is a secret to ask
 * it with. Says on standard error what could not be asked.
 *
 * Return: 0, -EAGAIN when it is live, or another negative errno value for wrong settings
 */
int state_refuse_live(const struct archive *a, const struct settings *s, struct err *e);

#endif /* DAEMON_CLI_STATE_LIVE_H */
