/* SPDX-License-Identifier: MIT */
/* derived - all that follows from a mesh secret, for people and scripts */
#ifndef DAEMON_CLI_DERIVED_H
#define DAEMON_CLI_DERIVED_H

#include "common/settings.h"

/**
 * derived_show() - Print what follows from the secret that the settings name
 * @s:		Settings: secret, --mesh-subnet, --json
 * @ifname:	Interface, which is printed too, as existing nodes do
 *
 * Return: exit code
 */
int derived_show(const struct settings *s, const char *ifname);

#endif /* DAEMON_CLI_DERIVED_H */
