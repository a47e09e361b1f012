/* SPDX-License-Identifier: MIT */
#include "init/fsuser.h"

#include <sys/fsuid.h>
#include <unistd.h>

void fsuser_become(uid_t uid, gid_t gid)
{
	/* The group first: afterwards the right to change it may be gone. */
	(void)setfsgid(gid);
	(void)setfsuid(uid);
}

void fsuser_revert(void)
{
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
}
