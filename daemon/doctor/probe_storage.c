/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/io.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/inchild.h"
#include "daemon/doctor/probe.h"
#include "daemon/state/identity.h"
#include "daemon/state/snapshot_list.h"
#include "daemon/state/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TEST_BYTES 4096

/*
 * wgmesh-init gives the directory to the user whom the daemon runs as: what counts is what that one
 * may do. This process does nothing else, so it stays that user.
 */
static void become_owner(struct storage_facts *f)
{
	gid_t before = getegid();
	int r = 0;

	/* Without CAP_SETUID we stay who we are; the group alone makes no difference then. */
	if (geteuid() == 0 && f->uid != 0 && setegid(f->gid) == 0 && seteuid(f->uid) < 0)
		r = setegid(before);
	(void)r;
	inchild_die_with_parent();
	f->tested_uid = geteuid();
}

/* A directory that is missing: may it be made? Nothing is made to find out. */
static int check_parent(const char *dir)
{
	char parent[PATH_MAX];
	char *slash;

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	slash = strrchr(parent, '/');
	if (!slash)
		return access(".", W_OK | X_OK) < 0 ? -errno : 0;
	slash[slash == parent ? 1 : 0] = '\0';
	return faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static void look_at_mount(struct storage_facts *f, int dirfd)
{
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t here = 0;
	uint64_t there = 0;
	struct statvfs space;
	struct statfs fs;

	if (fstatfs(dirfd, &fs) == 0) {
		f->is_memory = fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
		f->is_layer = fs.f_type == OVERLAYFS_SUPER_MAGIC && root >= 0 &&
			      io_read_mount(dirfd, &here) == 0 &&
			      io_read_mount(root, &there) == 0 && here == there;
	}
	if (fstatvfs(dirfd, &space) < 0)
		return;
	f->free_kib = (uint64_t)space.f_bavail * space.f_frsize / 1024;
	/* Some file systems count no files, and say 0 of 0. */
	f->has_inodes = space.f_files > 0;
	f->free_inodes = space.f_favail;
}

static int write_test(struct storage_facts *f, int fd)
{
	char bytes[TEST_BYTES] = "";

	f->step = STORAGE_WRITE;
	if (io_write_full(fd, bytes, sizeof(bytes)) < 0)
		return -errno;
	f->step = STORAGE_SYNC;
	if (fsync(fd) < 0)
		return -errno;
	f->step = STORAGE_DONE;
	return 0;
}

/* A file without a name leaves nothing behind, whatever happens to us. */
static int try_writing(struct storage_facts *f, int dirfd)
{
	static const char name[] = ".wgmesh.doctor";
	auto_close int fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	f->step = STORAGE_CREATE;
	if (fd >= 0)
		return write_test(f, fd);
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
		return -errno;
	fd = io_create_anew(dirfd, name, O_WRONLY, 0600);
	if (fd < 0)
		return fd;
	/* First of all, since what follows may hang, and then we are killed. */
	(void)unlinkat(dirfd, name, 0);
	return write_test(f, fd);
}

static void note_time(struct storage_facts *f, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtim.tv_sec > f->newest_s)
		f->newest_s = st.st_mtim.tv_sec;
}

static void look_at_key(struct storage_facts *f, const struct identity_place *at)
{
	enum identity_origin origin = IDENTITY_LOADED;
	struct identity id = { 0 };
	struct err e = { 0 };
	char name[32];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%.15s.json", at->ifname);
	f->key_code = identity_load(&id, &origin, at, false, &e);
	f->key_exit = e.exit_code;
	(void)snprintf(f->key_text, sizeof(f->key_text), "%s", e.msg);
	if (fstatat(at->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		f->key_mode = st.st_mode;
	f->public_key = id.public_key;
	f->mesh_ip = id.mesh_ip;
	f->mesh_ip6 = id.mesh_ip6;
	identity_wipe(&id);
	note_time(f, at->dirfd, name);
	(void)snprintf(name, sizeof(name), "%.15s-peers.json", at->ifname);
	note_time(f, at->dirfd, name);
}

/* Addresses follow from the secret: those of before tell whether it was another one. */
static void look_at_snapshots(struct storage_facts *f, const struct identity_place *at)
{
	struct snapshot_entry *list = NULL;
	size_t n = 0;

	if (snapshot_list(&list, &n, at, NULL) < 0)
		n = 0;
	for (size_t i = 0; i < n && f->n_old < FACTS_OLD_MAX; i++)
		if (list[i].result == 0 && list[i].mesh_ip6.family != 0 &&
		    memcmp(&list[i].public_key, &f->public_key, sizeof(f->public_key)) == 0)
			f->old6[f->n_old++] = list[i].mesh_ip6;
	free(list);
}

static void look_inside(struct storage_facts *f, const struct wanted *w, int dirfd)
{
	const struct identity_place at = { .dirfd = dirfd,
					   .dir = w->state_dir,
					   .ifname = w->ifname };

	f->is_held = statedir_holder(f->holder, dirfd, STATEDIR_DAEMON_LOCK);
	look_at_key(f, &at);
	if (f->key_code == 0)
		look_at_snapshots(f, &at);
}

void probe_storage(void *out, const void *arg)
{
	const struct facts *known = arg;
	const char *dir = known->wanted.state_dir;
	struct storage_facts *f = out;
	auto_close int fd = -1;
	struct stat st;

	if (stat(dir, &st) < 0) {
		f->code = -errno;
		f->parent = check_parent(dir);
		return;
	}
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	f->mode = st.st_mode;
	become_owner(f);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		f->code = -errno;
		return;
	}
	look_at_mount(f, fd);
	f->code = try_writing(f, fd);
	look_inside(f, &known->wanted, fd);
}
