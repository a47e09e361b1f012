/* SPDX-License-Identifier: MIT */
/*
 * tundev - let the daemon open /dev/net/tun, where the device node is the container's own
 *
 * Engines give a container a device node of its own, with the mode that the host's has. Where that is
 * 0600, a daemon that is not root could not use it. Podman 4 with crun 1.8 makes it 0644 in user namespaces,
 * on a mount of its own. A node that is bind-mounted from the host, or a /dev that is the host's, is never
 * touched.
 */
#ifndef INIT_PROCESS_TUNDEV_H
#define INIT_PROCESS_TUNDEV_H

#include "init/boot.h"

/**
 * tundev_give() - Make the daemon's user the owner of /dev/net/tun, if it cannot open it otherwise
 * @b:		Boot
 *
 * What cannot be given is left for the daemon to complain about: the kernel's WireGuard needs none.
 */
void tundev_give(const struct boot *b);

#endif /* INIT_PROCESS_TUNDEV_H */
