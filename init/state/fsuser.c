/* SPDX-License-Identifier: MIT */
#include "init/state/fsuser.h"

#include <sys/fsuid.h>
#include <unistd.h>

static bool is_another;

void fsuser_become(uid_t uid, gid_t gid)
{
	is_another = true;
	/* The group first: afterwards the right to change it may be gone. */
	(void)setfsgid(gid);
	(void)setfsuid(uid);
}

void fsuser_revert(void)
{
	if (!is_another)
		return;
	is_another = false;
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
}

bool fsuser_swap(uid_t uid, gid_t gid)
{
	if (is_another)
		fsuser_revert();
	else if (uid != geteuid())
		fsuser_become(uid, gid);
	else
		return false;
	return true;
}
