/* SPDX-License-Identifier: MIT */
#include "init/state/verify.h"
#include "common/defs.h"
#include "common/exits.h"
#include "init/process/child.h"
#include "init/process/spawn.h"
#include "init/volume/prove.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX     10
#define LIMIT_FACTOR 6 /* times --storage-timeout, the limit of one test write */

struct arguments {
	char state_dir[PATH_MAX + 16];
	char interface[32];
	char *argv[ARGS_MAX];
};

static void add(struct arguments *a, const char *text)
{
	size_t n = 0;

	while (a->argv[n])
		n++;
	/* execve(2) promises not to change what argv points to, but its type does not say so. */
	memcpy(&a->argv[n], &text, sizeof(text));
}

static void make_arguments(const struct boot *b, struct arguments *a)
{
	const struct config *c = &b->config;

	(void)snprintf(a->state_dir, sizeof(a->state_dir), "--state-dir=%s", c->state_dir);
	(void)snprintf(a->interface, sizeof(a->interface), "--interface=%s", c->interface);
	add(a, c->wgmesh);
	add(a, "state");
	add(a, "verify");
	add(a, a->state_dir);
	add(a, a->interface);
	add(a, "--quiet");
	if (!c->is_dry)
		add(a, "--repair");
	if (c->new_identity)
		add(a, "--new-identity=true");
}

static int judge(struct boot *b, const struct reaped *end, struct err *e)
{
	switch (end->code) {
	case EXITS_OK:
		boot_note(b, "wgmesh state verify found nothing wrong with %s",
			  b->config.interface);
		return OUTCOME_OK;
	case EXITS_STATE_DAMAGED:
		return err_exit(
			e, end->code, -EBADMSG,
			"the key file %s/%s.json is damaged or lost and there is nothing to "
			"restore it from (the log says what is wrong with it); restore a backup, or start once with "
			"--new-identity to accept that this node gets a new key and address",
			b->config.state_dir, b->config.interface);
	case EXITS_CANNOT_CREATE:
	case EXITS_IO:
	case EXITS_NO_PERMISSION:
	case EXITS_POLICY:
		return err_exit(
			e, end->code, -EIO,
			"wgmesh state verify refused this start with code %d; the log says why",
			end->code);
	default:
		break;
	}
	if (end->signal)
		boot_note(b, "wgmesh state verify was killed by signal %d; going on unverified",
			  end->signal);
	else
		boot_note(b, "wgmesh state verify ended with code %d; going on unverified",
			  end->code);
	return OUTCOME_WARNED;
}

static int wait_and_judge(struct boot *b, struct spawn_errors *errors, pid_t pid, struct err *e)
{
	struct reaped end = { 0 };
	struct err why = { 0 };
	uint64_t limit_ms =
		LIMIT_FACTOR * settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT);
	int r = child_wait(&end, pid, limit_ms);

	if (r < 0) {
		/* It only reads, or replaces a file whole: it can be killed at any instruction. */
		child_abandon(pid);
		if (r == -ETIMEDOUT)
			return err_exit(e, EXITS_IO, r,
					"wgmesh state verify has not read %.200s within %llu s: a "
					"network file system whose server is away? (the limit is "
					"%d times --storage-timeout)",
					b->config.state_dir, (unsigned long long)(limit_ms / 1000),
					LIMIT_FACTOR);
		return r == -EINTR ? r : err_set(e, r, "wait for wgmesh state verify");
	}
	if (spawn_errors_take(errors, pid, &why) < 0) {
		boot_note(b, "cannot %.200s; going on unverified", why.msg);
		return OUTCOME_WARNED;
	}
	return judge(b, &end, e);
}

static int run(struct boot *b, struct spawn_program *p, struct err *e)
{
	struct spawn_errors errors;
	pid_t pid;
	int r = spawn_errors_open(&errors, e);

	if (r < 0)
		return r;
	p->error_fd = errors.write_fd;
	pid = spawn_program(p);
	if (pid < 0)
		r = err_set(e, (int)pid, "make a process for wgmesh state verify");
	else
		r = wait_and_judge(b, &errors, pid, e);
	spawn_errors_close(&errors);
	return r;
}

static int verify_key(struct boot *b, struct err *e)
{
	struct arguments a = { 0 };
	struct spawn_program p = { .argv = a.argv,
				   .envp = b->config.env.list,
				   .stderr_fd = -1,
				   .parent = getpid(),
				   .confine = true,
				   .uid = b->config.uid,
				   .gid = b->config.gid };

	if (!b->config.wgmesh) {
		boot_note(b, "there is no wgmesh program to look at the key file with");
		return OUTCOME_SKIPPED;
	}
	if (b->state_fd < 0)
		return boot_skip_stateless(b);
	make_arguments(b, &a);
	return run(b, &p, e);
}

int verify_state(struct boot *b, struct err *e)
{
	int r = prove_volume(b);

	return r < 0 ? r : verify_key(b, e);
}
