/* SPDX-License-Identifier: MIT */
#include "init/process/privileges.h"
#include "common/caps.h"
#include "common/defs.h"
#include "init/process/filter.h"
#include "init/process/netright.h"
#include "init/process/program.h"
#include "init/process/tundev.h"
#include "init/process/user.h"
#include "init/state/fsuser.h"
#include "init/state/ownership.h"
#include "init/supervise/handover.h"
#include "init/termlog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What it takes to start the daemon, to signal it, and to run "wgmesh down" at the end: the daemon's
 * own capability has to be held in order to be handed on. The spawner goes on with these.
 */
static const cap_value_t kept[] = { CAP_KILL, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_NET_ADMIN };

/* Root without CAP_FOWNER may not change what is another's; the daemon's user may, where it is his. */
static int change_mode(int fd, mode_t mode, const struct ownership_user *user)
{
	int r = fchmod(fd, mode);

	if (r == 0 || errno != EPERM)
		return r;
	fsuser_become(user->uid, user->gid);
	r = fchmod(fd, mode);
	fsuser_revert();
	return r;
}

/* The owner first: without him, a stricter mode would only lock the daemon out. */
static bool give_runtime_dir(const struct boot *b, int fd, const char *path, mode_t mode)
{
	const struct ownership_user user = { .uid = b->config.uid, .gid = b->config.gid };
	struct stat st;
	bool is_his = fchown(fd, user.uid, user.gid) == 0 ||
		      (fstat(fd, &st) == 0 && st.st_uid == user.uid);

	if (is_his && change_mode(fd, mode, &user) == 0)
		return true;
	if (fstat(fd, &st) == 0 && ownership_can_use(&st, &user))
		return true;
	boot_warn(b,
		  "cannot give %s to user %u:%u, so its control sockets will not work: add the "
		  "capability CHOWN, or mount a tmpfs there (--tmpfs %s:mode=0700,uid=%u,gid=%u)",
		  path, user.uid, user.gid, path, user.uid, user.gid);
	return false;
}

/* As whoever may: root without CAP_DAC_OVERRIDE does not get into a directory of the daemon's user. */
static int open_runtime_dir(const struct boot *b, const char *path)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, O_RDONLY | flags);

	if (fd < 0 && errno == EACCES) {
		fsuser_become(b->config.uid, b->config.gid);
		fd = open(path, O_RDONLY | flags);
		fsuser_revert();
	}
	if (fd < 0 && errno == EACCES)
		fd = open(path, O_PATH | flags);
	return fd;
}

static bool make_runtime_dir(const struct boot *b, const char *path, mode_t mode)
{
	auto_close int fd = -1;

	if (mkdir(path, mode) < 0 && errno != EEXIST) {
		boot_warn(b,
			  "cannot create %s (%s), so control sockets will not work: mount a tmpfs "
			  "there (--tmpfs %s:mode=0700,uid=%u,gid=%u)",
			  path, strerror(errno), path, b->config.uid, b->config.gid);
		return false;
	}
	fd = open_runtime_dir(b, path);
	if (fd < 0) {
		boot_warn(b, "cannot open %s: %s", path, strerror(errno));
		return false;
	}
	return give_runtime_dir(b, fd, path, mode);
}

static bool explain_net_admin(struct boot *b)
{
	const struct config *c = &b->config;
	struct netright right;

	netright_read(&right, c->wgmesh ? program_find_path(c->wgmesh, c->env.given) : NULL);
	if (netright_explain(&right, b->advice, sizeof(b->advice)))
		return true;
	boot_warn(b, "%s", b->advice);
	return false;
}

/* Return: true when there is nothing to say about the user that the daemon gets */
static bool explain_user(const struct boot *b)
{
	const struct config *c = &b->config;
	char why[200];

	if (c->is_user_unmapped) {
		user_explain_unmapped(c->wanted_uid, c->wanted_gid, why, sizeof(why));
		boot_warn(b, "the daemon runs as user %u:%u: %s", c->uid, c->gid, why);
		return false;
	}
	if (c->uid != 0)
		return true;
	boot_warn(b, "the daemon runs as root, for want of CAP_SETUID and CAP_SETGID or because "
		     "--user asks for it");
	return false;
}

/*
 * Without CAP_KILL, root may not signal the daemon, but whoever shares a user with it may: the real
 * user of PID 1 becomes the daemon's, and the effective one stays (kill(2), capabilities(7)).
 */
static int keep_right_to_signal(const struct boot *b, struct err *e)
{
	if (caps_has(CAP_KILL) || !b->config.may_change_user)
		return 0;
	if (setresuid(b->config.uid, (uid_t)-1, (uid_t)-1) < 0)
		return err_set(e, -errno, "share the daemon's user, to be able to signal it");
	return 0;
}

static int keep_little(const struct boot *b, struct err *e)
{
	int r = keep_right_to_signal(b, e);

	if (r == 0)
		r = caps_keep_only(kept, ARRAY_LEN(kept), e);
	if (r < 0)
		return r;
	/* Nobody is to read memory or descriptors of PID 1, not even the daemon's user. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "make this process not dumpable");
	return 0;
}

int privileges_settle(struct boot *b, struct err *e)
{
	bool is_good;
	int r;

	fsuser_revert();
	if (!b->config.confine) {
		boot_note(b, "the program keeps the user and the capabilities of wgmesh-init");
		return OUTCOME_SKIPPED;
	}
	caps_raise();
	is_good = explain_net_admin(b);
	is_good &= explain_user(b);
	if (b->config.is_dry) {
		boot_note(b, "the daemon would be user %u:%u %s CAP_NET_ADMIN", b->config.uid,
			  b->config.gid, caps_has(CAP_NET_ADMIN) ? "with" : "without");
		return is_good ? OUTCOME_OK : OUTCOME_WARNED;
	}
	/* The control socket asks for credentials; WireGuard's relies on its directory alone. */
	is_good &= make_runtime_dir(b, "/run/wgmesh", 0755);
	is_good &= make_runtime_dir(b, "/run/wireguard", 0700);
	handover_open(b);
	tundev_give(b);
	r = keep_little(b, e);
	if (r < 0)
		return r;
	boot_note(b, "the daemon gets user %u:%u and %s", b->config.uid, b->config.gid,
		  caps_has(CAP_NET_ADMIN) ? "CAP_NET_ADMIN, nothing else" : "no capability at all");
	return is_good ? OUTCOME_OK : OUTCOME_WARNED;
}

/* With the daemon's user, or one that it cannot leave, no capability is needed to signal it. */
static bool needs_kill(const struct config *c)
{
	return !c->confine || c->may_change_user;
}

int privileges_give_up(const struct boot *b, struct err *e)
{
	const cap_value_t keep[] = { CAP_KILL };
	struct err why = { 0 };
	int r;

	termlog_open();
	caps_reduce_bound(NULL, 0);
	r = caps_keep_only(keep, needs_kill(&b->config) ? ARRAY_LEN(keep) : 0, e);
	if (r < 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "make this process not dumpable");
	r = filter_install(&why);
	if (r < 0)
		boot_warn(b, "wgmesh-init runs without a filter of system calls: cannot %s (%s)",
			  why.msg, strerror(-r));
	return 0;
}
