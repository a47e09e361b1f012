/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/doctor/judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STORAGE "storage"
#define KEY	"key"

/* Less than this is as good as full; wgmesh-init has the same floor. */
#define FREE_KIB_MIN	1024
#define FREE_INODES_MIN 16
#define MOUNT_VOLUME                                                                                 \
	"mount a volume there: docker run -v wgmesh-state:%s; compose: volumes: [wgmesh-state:%s]; " \
	"Kubernetes: a PersistentVolumeClaim; `wgmesh-init check` says more"

static bool is_nowhere(const struct facts *f)
{
	return strcmp(f->wanted.state_dir, "none") == 0;
}

static void judge_full(struct report *r, const char *dir, const char *what)
{
	report_fail(r, EXITS_IO, STORAGE, "%s: the file system is full: %s", dir, what);
	report_cure(r, "make room on the volume or enlarge it (df -h, df -i); the key in place is "
		       "safe, but no change can be saved");
}

static void judge_denied(struct report *r, const struct facts *f)
{
	const struct storage_facts *s = &f->storage;

	report_fail(r, EXITS_NO_PERMISSION, STORAGE,
		    "uid %u may not work in %s, which belongs to %u:%u with mode %04o%s",
		    s->tested_uid, f->wanted.state_dir, s->uid, s->gid, s->mode & 07777,
		    s->tested_uid == 0 ? " (root without CAP_DAC_OVERRIDE)" : "");
	if (s->tested_uid == 0)
		report_cure(r, "let root become that user (cap_add: [SETUID, SETGID, CHOWN]), as "
			       "wgmesh-init does; or on the host: chown -R 0:0 on the volume");
	else
		report_cure(r,
			    "on the host: chown -R %u:%u on the volume; Kubernetes: fsGroup, or "
			    "`wgmesh-init fix-permissions` in an init container",
			    s->tested_uid, s->tested_uid);
}

static void judge_absent(struct report *r, const struct facts *f)
{
	const struct storage_facts *s = &f->storage;
	const char *dir = f->wanted.state_dir;

	if (s->code == -EACCES && s->mode != 0) {
		judge_denied(r, f);
	} else if (s->code != -ENOENT) {
		report_fail(r, s->code == -EACCES ? EXITS_NO_PERMISSION : EXITS_CANNOT_CREATE,
			    STORAGE, "%s cannot be opened by uid %u: %s", dir, s->tested_uid,
			    strerror(-s->code));
		report_cure(r, "make it a directory that the node's user owns (docker: an empty "
			       "named volume is; Kubernetes: fsGroup, or `wgmesh-init "
			       "fix-permissions` in an init container)");
	} else if (s->parent < 0) {
		report_fail(r, EXITS_CANNOT_CREATE, STORAGE,
			    "%s does not exist and cannot be made: %s", dir, strerror(-s->parent));
		report_cure(r, MOUNT_VOLUME, dir, dir);
	} else {
		report_say(r, REPORT_WARN, STORAGE,
			   "%s does not exist; `wgmesh join` makes it, but a container's own layer "
			   "goes with the container",
			   dir);
		report_cure(r, MOUNT_VOLUME, dir, dir);
	}
}

static void judge_unwritable(struct report *r, const struct facts *f)
{
	static const char *const steps[] = {
		[STORAGE_OPEN] = "be opened",	   [STORAGE_CREATE] = "take a new file",
		[STORAGE_WRITE] = "be written to", [STORAGE_SYNC] = "be synced",
		[STORAGE_DONE] = "be used",
	};
	const struct storage_facts *s = &f->storage;
	const char *dir = f->wanted.state_dir;

	switch (s->code) {
	case -ENOSPC:
		judge_full(r, dir,
			   s->free_kib >= FREE_KIB_MIN ? "no inodes are left" : "no space is left");
		break;
	case -EDQUOT:
		judge_full(r, dir, "the quota is used up");
		break;
	case -EROFS:
		report_fail(r, EXITS_CANNOT_CREATE, STORAGE, "%s is read-only", dir);
		report_cure(r, "mount it without :ro (read_only: true is fine for the container "
			       "itself, not for the volume); if it was not mounted so, the disk "
			       "reported errors: look at dmesg");
		break;
	case -EACCES:
	case -EPERM:
		judge_denied(r, f);
		break;
	default:
		report_fail(r, EXITS_IO, STORAGE, "%s cannot %s: %s", dir, steps[s->step],
			    strerror(-s->code));
		report_cure(r, "look at the disk or the file server (dmesg on the host)");
	}
}

/* Will it last? PID 1 knows best; without it, only the plain cases are told. */
static void judge_lasting(struct report *r, const struct facts *f)
{
	const struct storage_facts *s = &f->storage;
	const char *dir = f->wanted.state_dir;
	const struct supervisor_facts *init = &f->supervisor;
	bool is_told = facts_has_supervisor(f) && init->verdict[0] != '\0';

	if (is_told && init->storage[0] != '\0' && strcmp(init->storage, "ok") != 0) {
		report_say(r, REPORT_WARN, STORAGE, "wgmesh-init finds it %s: %s", init->storage,
			   init->storage_note);
		report_cure(r, "look at the volume; wgmesh-init looks again every few minutes");
	} else if (is_told && strcmp(init->verdict, "persistent") != 0) {
		report_say(r, REPORT_WARN, STORAGE,
			   "%s may not last: wgmesh-init calls it \"%s\" (%.200s)", dir,
			   init->verdict, init->volume);
		report_cure(r, MOUNT_VOLUME, dir, dir);
	} else if (!is_told && s->is_memory) {
		report_say(r, REPORT_WARN, STORAGE,
			   "%s lies in memory: the node loses its identity with every restart",
			   dir);
		report_cure(r, MOUNT_VOLUME, dir, dir);
	} else if (!is_told && s->is_layer) {
		report_say(
			r, REPORT_WARN, STORAGE,
			"no volume is mounted at %s: the node loses its identity when the container "
			"is made anew",
			dir);
		report_cure(r, MOUNT_VOLUME, dir, dir);
	} else {
		report_say(r, REPORT_PASS, STORAGE,
			   "%s can be written to by uid %u, %llu MiB free%s", dir, s->tested_uid,
			   (unsigned long long)(s->free_kib / 1024),
			   is_told ? "; wgmesh-init calls it persistent" : "");
	}
}

static void judge_held(struct report *r, const struct facts *f)
{
	if (!f->storage.is_held || facts_is_running(f))
		return;
	report_fail(r, EXITS_LOCKED, STORAGE, "a node uses %s, but does not answer here: %s",
		    f->wanted.state_dir, f->storage.holder);
	report_cure(r, "if it is this node, ask it in its own container, or look at its log; two "
		       "cannot share one identity: stop it, or give this one a volume of its own");
}

void judge_storage(struct report *r, const struct facts *f)
{
	const struct storage_facts *s = &f->storage;
	const char *dir = f->wanted.state_dir;

	if (is_nowhere(f)) {
		report_say(r, REPORT_SKIP, STORAGE, "there is no state directory, as asked for");
		return;
	}
	if (s->probe == -ETIMEDOUT) {
		report_fail(r, EXITS_IO, STORAGE, "%s does not answer: its storage hangs", dir);
		report_cure(r,
			    "look at the file server or the disk that is mounted there (dmesg on "
			    "the host)");
		return;
	}
	if (!judge_probe(r, STORAGE, s->probe))
		return;
	if (s->code == -EACCES && facts_is_shut_out(f)) {
		report_say(r, REPORT_SKIP, STORAGE, "only root and the node's own user see %s",
			   dir);
		return;
	}
	judge_held(r, f);
	if (s->code < 0 && s->step == STORAGE_OPEN)
		judge_absent(r, f);
	else if (s->code < 0)
		judge_unwritable(r, f);
	else if (s->free_kib < FREE_KIB_MIN)
		judge_full(r, dir, "less than 1 MiB is left");
	else if (s->has_inodes && s->free_inodes < FREE_INODES_MIN)
		judge_full(r, dir, "no inodes are left");
	else
		judge_lasting(r, f);
}

static void judge_bad_key(struct report *r, const struct storage_facts *s)
{
	bool is_explained = s->key_code == -EBADMSG || s->key_code == -EPROTONOSUPPORT;
	int code = s->key_exit != 0 ? s->key_exit : EXITS_IO;

	report_fail(r, code, KEY, "%s%s%s", s->key_text, is_explained ? "" : ": ",
		    is_explained ? "" : strerror(-s->key_code));
	if (s->key_code == -EBADMSG)
		report_cure(r,
			    "`wgmesh state list` and `wgmesh state restore` bring a good one back");
	else if (s->key_code == -EPROTONOSUPPORT)
		report_cure(r, "run the newer release of wgmesh that wrote it");
	else
		report_cure(r, "`wgmesh state verify` says more");
}

void judge_key(struct report *r, const struct facts *f)
{
	const struct storage_facts *s = &f->storage;
	char key[45];
	char ip[IP_TEXT_SIZE];

	bool is_absent = s->code < 0 && s->step == STORAGE_OPEN;

	if (is_nowhere(f) || s->probe != 0 || (is_absent && s->code != -ENOENT)) {
		report_say(r, REPORT_SKIP, KEY, "the state directory could not be looked into");
	} else if (is_absent || s->key_code == -ENOENT) {
		report_say(r, REPORT_PASS, KEY, "none yet: the first `wgmesh join` makes it");
	} else if (s->key_code < 0) {
		judge_bad_key(r, s);
	} else if (s->key_mode & 077) {
		report_say(r, REPORT_WARN, KEY,
			   "others may read the private key (%s.json, mode %03o)", f->wanted.ifname,
			   s->key_mode & 0777);
		report_cure(r, "chmod 600 it");
	} else {
		report_say(r, REPORT_PASS, KEY, "%s.json is good: public key %s%s%s",
			   f->wanted.ifname, wg_key_format(key, &s->public_key),
			   s->mesh_ip.family != 0 ? ", address " : "", ip_format(ip, &s->mesh_ip));
	}
}
