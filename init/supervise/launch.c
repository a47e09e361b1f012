/* SPDX-License-Identifier: MIT */
#include "init/supervise/launch.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "init/lock/keeper.h"
#include "init/process/spawn.h"
#include "init/supervise/history.h"
#include "init/volume/markfile.h"
#include "init/volume/volcheck.h"
#include "init/volume/volwatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

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

static struct volcheck volume_of(const struct launch *l)
{
	return (struct volcheck) { .dir = l->config->state_dir,
				   .dirfd = l->state_fd,
				   .proof = l->proof };
}

/* A daemon that finds an empty directory in place of its volume would give itself a new key. */
static int is_state_there(const void *arg, struct err *e)
{
	const struct launch *l = arg;
	const struct volcheck c = volume_of(l);
	int r = volcheck_place(&c, e);

	/* Any other program may have no use for storage that hangs. */
	return r == 0 && l->config->is_join ? volcheck_contents(&c, l->config->interface, e) : r;
}

static pid_t start_daemon(const struct launch *l, const pid_t *last_group)
{
	struct spawn_program p = confined(l);

	p.argv = l->config->program;
	p.stderr_fd = l->stderr_fd;
	p.hand_over = l->config->secret_fd;
	p.foreground = true;
	/* The first start comes right after the phases, which have looked. */
	p.check = l->state_fd >= 0 && *last_group > 0 ? is_state_there : NULL;
	p.check_arg = l;
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

/**
 * struct volume_job - What a child does on the volume, which may hang
 * @launch:	Where the volume is
 * @entry:	The ending to write down
 * @key:	The key to note
 */
struct volume_job {
	const struct launch *launch;
	const struct history_entry *entry;
	const struct marker_key *key;
};

/* As the daemon's user, who can write where root may not (root-squash, no CAP_DAC_OVERRIDE). */
static bool become_user(const struct volume_job *job)
{
	const struct config *c = job->launch->config;

	/* For whoever looks at the list of processes: this is not the spawner. */
	(void)prctl(PR_SET_NAME, "wgmesh-volume", 0, 0, 0);
	return !c->confine || caps_become(c->uid, c->gid, NULL, 0, NULL) == 0;
}

static int write_record(void *arg)
{
	const struct volume_job *job = arg;
	const struct history_entry *entry = job->entry;
	struct history_record record = { .dirfd = job->launch->state_fd, .entry = *entry };
	int code;

	if (!become_user(job))
		return EXITS_NO_PERMISSION;
	code = history_record(&record);
	/* The marker is of interest to people only: a loop is counted without it. */
	(void)markfile_note_exit(record.dirfd, job->launch->proof, entry->ended_s, entry->code);
	return code;
}

static int write_served(void *arg)
{
	const struct volume_job *job = arg;

	if (!become_user(job))
		return EXITS_NO_PERMISSION;
	return markfile_note_served(job->launch->state_fd, job->launch->proof, job->key) < 0
		       ? EXITS_IO
		       : EXITS_OK;
}

static int look(void *arg)
{
	const struct volume_job *job = arg;
	const struct volcheck c = volume_of(job->launch);

	return become_user(job) ? volcheck_run(&c) : VOLWATCH_CODE_UNABLE;
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
		return spawn_function(write_record,
				      &(struct volume_job) { .launch = l, .entry = payload });
	case LAUNCH_SERVED:
		return spawn_function(write_served,
				      &(struct volume_job) { .launch = l, .key = payload });
	case LAUNCH_CHECK:
		return spawn_function(look, &(struct volume_job) { .launch = l });
	case LAUNCH_KEEPER:
		return keeper_spawn(payload, l->config, l->state_fd, l->pid);
	default:
		return -EINVAL;
	}
}
