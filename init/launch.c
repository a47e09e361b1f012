/* SPDX-License-Identifier: MIT */
#include "init/launch.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "init/history.h"
#include "init/keeper.h"
#include "init/spawn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const cap_value_t daemon_caps[] = { CAP_NET_ADMIN };

static struct spawn_program confined(const struct launch *l)
{
	return (struct spawn_program) { .envp = l->config->env.list,
					.error_fd = l->error_fd,
					.stderr_fd = -1,
					.parent = l->pid,
					.confine = l->config->confine,
					.uid = l->config->uid,
					.gid = l->config->gid,
					.keep = daemon_caps,
					.n_keep = ARRAY_LEN(daemon_caps) };
}

static pid_t start_daemon(const struct launch *l, const pid_t *last_group)
{
	struct spawn_program p = confined(l);

	p.argv = l->config->program;
	p.stderr_fd = l->stderr_fd;
	p.hand_over = l->config->secret_fd;
	p.foreground = true;
	p.last_group = *last_group;
	return spawn_program(&p);
}

static pid_t start_hook(const struct launch *l)
{
	struct spawn_program p = confined(l);
	char flag[32];
	char down[] = "down";
	char *argv[] = { NULL, down, flag, NULL };

	/* execve(2) promises not to change what argv points to, but its type does not say so. */
	memcpy(&argv[0], &l->config->wgmesh, sizeof(argv[0]));
	(void)snprintf(flag, sizeof(flag), "--interface=%s", l->config->interface);
	p.argv = argv;
	return spawn_program(&p);
}

struct record {
	const struct config *config;
	struct history_record history;
};

/* As the daemon's user, who can write where root may not (root-squash, no CAP_DAC_OVERRIDE). */
static int write_record(void *arg)
{
	struct record *r = arg;
	const struct config *c = r->config;

	if (c->confine && caps_become(c->uid, c->gid, NULL, 0, NULL) < 0)
		return EXITS_NO_PERMISSION;
	return history_record(&r->history);
}

static pid_t start_record(const struct launch *l, const struct history_entry *entry)
{
	struct record r = { .config = l->config,
			    .history = { .dirfd = l->state_fd, .entry = *entry } };

	return spawn_function(write_record, &r);
}

pid_t launch_start(void *launch, unsigned int job, const void *payload)
{
	const struct launch *l = launch;

	switch (job) {
	case LAUNCH_DAEMON:
		return start_daemon(l, payload);
	case LAUNCH_HOOK:
		return start_hook(l);
	case LAUNCH_RECORD:
		return start_record(l, payload);
	case LAUNCH_KEEPER:
		return keeper_spawn(payload, l->config, l->state_fd, l->pid);
	default:
		return -EINVAL;
	}
}
