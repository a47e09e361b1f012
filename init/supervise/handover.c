/* SPDX-License-Identifier: MIT */
#include "init/supervise/handover.h"
#include "common/defs.h"
#include "common/log.h"
#include "common/settings.h"
#include "init/state/fsuser.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static int open_secret(const char *path)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO in its place must not stop PID 1. */
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

static bool can_daemon_open(const struct config *c)
{
	int fd;

	fsuser_become(c->uid, c->gid);
	fd = open_secret(c->secret_file);
	fsuser_revert();
	if (fd >= 0)
		(void)close(fd);
	return fd != -EACCES;
}

void handover_open(struct boot *b)
{
	struct config *c = &b->config;
	char number[12];
	int fd;

	if (!c->secret_file || !c->may_change_user || can_daemon_open(c))
		return;
	fd = open_secret(c->secret_file);
	if (fd < 0)
		return;
	(void)snprintf(number, sizeof(number), "%d", fd);
	if (env_set(&c->env, settings_table()[SETTING_SECRET_FD].env, number) < 0) {
		(void)close(fd);
		return;
	}
	c->secret_fd = fd;
	log_event(EVENT_SECRET_INHERITED, NULL,
		  "%s is not readable for user %u: the daemon inherits it opened", c->secret_file,
		  c->uid);
}
