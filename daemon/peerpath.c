/* SPDX-License-Identifier: MIT */
#include "daemon/peerpath.h"

#include <stdio.h>

const char *peerpath_name(enum peerpath path)
{
	static const char *const names[] = {
		[PATH_DIRECT] = "direct", [PATH_RELAYED] = "relayed", [PATH_NONE] = "none"
	};

	return names[path];
}

enum peerpath peerpath_judge(const struct peer *p, struct now now,
			     char why[static PEERPATH_WHY_SIZE])
{
	why[0] = '\0';
	if (peer_has_tunnel(p, now))
		return PATH_DIRECT;
	(void)snprintf(why, PEERPATH_WHY_SIZE, "no handshake yet");
	return PATH_NONE;
}
