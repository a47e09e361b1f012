/* SPDX-License-Identifier: MIT */
#include "init/volume/writability.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "init/clock.h"
#include "init/process/child.h"
#include "init/state/fsuser.h"
#include "init/state/names.h"
#include "init/state/ownership.h"
#include "init/volume/statepath.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RENAMED	  NAMES_PROBE ".renamed"
#define TURNS_MAX 20
#define TURN_MS	  20

static const char contents[] = "wgmesh-init writes this to see whether it can\n";

static int failed(struct probe *p, const char *step)
{
	p->error = -errno;
	(void)snprintf(p->step, sizeof(p->step), "%s", step);
	return p->error;
}

/* The last directory is private; those above it are as readable as usual. */
static int make_dirs(struct probe *p)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", p->dir);
	for (char *s = path + 1; (s = strchr(s, '/')) != NULL; s++) {
		*s = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return failed(p, "create the directory above it");
		*s = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return failed(p, "create the directory");
	return 0;
}

static int fill_probe(struct probe *p, int fd)
{
	int r = io_write_full(fd, contents, sizeof(contents));

	if (r < 0) {
		errno = -r;
		return failed(p, "write a file");
	}
	if (fsync(fd) < 0)
		return failed(p, "sync a file to disk");
	p->was_written = true;
	return 0;
}

static int write_probe(struct probe *p, int dirfd)
{
	auto_close int fd = openat(dirfd, NAMES_PROBE,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? failed(p, "create a file") : fill_probe(p, fd);
}

/* What open(2) says where the file system, or the kernel, does not know O_TMPFILE. */
static bool lacks_unnamed_files(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL || error == ENOSYS;
}

/* A file without a name is never in the directory, and gone with its descriptor. */
static int write_unnamed(struct probe *p, int dirfd)
{
	auto_close int fd = openat(dirfd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fill_probe(p, fd);
	if (!lacks_unnamed_files(errno))
		return failed(p, "create a file");
	if (faccessat(dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return failed(p, "create a file");
	return 0;
}

static int read_probe(struct probe *p, int dirfd)
{
	char back[sizeof(contents)] = { 0 };
	auto_close int fd = -1;

	if (renameat(dirfd, NAMES_PROBE, dirfd, RENAMED) < 0)
		return failed(p, "rename a file");
	fd = openat(dirfd, RENAMED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return failed(p, "open a file again");
	if (io_read_bounded(fd, back, sizeof(back)) != (ssize_t)sizeof(back) ||
	    memcmp(back, contents, sizeof(back)) != 0) {
		errno = ESTALE;
		return failed(p, "read back what was written");
	}
	return unlinkat(dirfd, RENAMED, 0) < 0 ? failed(p, "remove a file") : 0;
}

static int measure(struct probe *p, int dirfd)
{
	struct statvfs vfs;
	struct statfs fs;

	if (fstatvfs(dirfd, &vfs) < 0 || fstatfs(dirfd, &fs) < 0)
		return failed(p, "ask for free space");
	p->fs_type = (uint64_t)fs.f_type & UINT32_MAX;
	p->free_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	/* btrfs and others make inodes as needed, and report none at all. */
	p->free_inodes = vfs.f_files == 0 ? UINT64_MAX : vfs.f_favail;
	return 0;
}

static int try_writing(struct probe *p, int dirfd)
{
	p->error = 0;
	/* What a probe left that was killed half-way. */
	(void)unlinkat(dirfd, NAMES_PROBE, 0);
	(void)unlinkat(dirfd, RENAMED, 0);
	if (write_probe(p, dirfd) == 0 && read_probe(p, dirfd) == 0)
		return 0;
	(void)unlinkat(dirfd, NAMES_PROBE, 0);
	(void)unlinkat(dirfd, RENAMED, 0);
	return p->error;
}

/*
 * The lock is taken later. Whoever starts at the same moment uses the same names, and takes the file from
 * under us; pauses that differ from process to process let one after the other through.
 */
static void write_in_turn(struct probe *p, int dirfd)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		int r = try_writing(p, dirfd);

		if (r != -ENOENT && r != -EEXIST && r != -ESTALE)
			return;
		(void)poll(NULL, 0, 1 + (int)(clock_mono_us() % TURN_MS));
	}
}

/* By where the path has led to, after links and "..". A volume that is mounted there is nobody else's. */
static bool is_of_the_system(int dirfd)
{
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char link[40];
	char path[PATH_MAX];
	uint64_t here = 0;
	uint64_t there = 0;
	ssize_t n;

	if (root < 0 || io_read_mount(root, &there) < 0 || io_read_mount(dirfd, &here) < 0 ||
	    here != there)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	return n > 0 && config_is_system_dir(path);
}

void writability_probe(struct probe *p)
{
	auto_close int dirfd = -1;

	p->error = 0;
	p->was_written = false;
	p->step[0] = '\0';
	dirfd = statepath_open(p->dir, O_RDONLY);
	if (dirfd == -ENOENT && p->create) {
		if (make_dirs(p) < 0)
			return;
		dirfd = statepath_open(p->dir, O_RDONLY);
	}
	if (dirfd < 0) {
		errno = -dirfd;
		(void)failed(p, "open the directory");
		return;
	}
	if (is_of_the_system(dirfd)) {
		errno = EBUSY;
		(void)failed(p, "use the directory");
		return;
	}
	if (measure(p, dirfd) < 0)
		return;
	if (p->is_dry)
		(void)write_unnamed(p, dirfd);
	else
		write_in_turn(p, dirfd);
}

static bool is_access_error(int error)
{
	return error == -EACCES || error == -EPERM;
}

static int exit_code_of(int error)
{
	switch (-error) {
	case EIO:
	case ESTALE:
	case ENODEV:
	case ENXIO:
	case EUCLEAN:
	case ETIMEDOUT:
	case ENOSPC:
	case EDQUOT:
		return EXITS_IO;
	case EXDEV:
		return EXITS_POLICY;
	case EBUSY:
		return EXITS_USAGE;
	case EACCES:
	case EPERM:
		return EXITS_NO_PERMISSION;
	default:
		return EXITS_CANNOT_CREATE;
	}
}

static const char *cure_of(int error)
{
	switch (-error) {
	case ENOSPC:
		return "; free some space on the volume";
	case EDQUOT:
		return "; the quota is used up";
	case EROFS:
		return "; it is read-only: remove \":ro\" or \"readOnly: true\"";
	case EBUSY:
		return "; it is a directory of the system: give the state one of its own below it";
	case EXDEV:
		return "; a symbolic link on its volume leads out of that volume, and is not followed: "
		       "put a directory in its place";
	case EIO:
	case ESTALE:
		return "; the storage is failing or its server is away";
	default:
		return "";
	}
}

int writability_judge(const struct probe *p, struct err *e)
{
	if (p->error < 0)
		return err_exit(e, exit_code_of(p->error), p->error,
				"cannot %s in the state directory %.200s%s", p->step, p->dir,
				cure_of(p->error));
	if (p->free_bytes < WRITABILITY_MIN_BYTES)
		return err_exit(e, EXITS_IO, -ENOSPC,
				"the state directory %.200s has only %llu bytes free; free some "
				"space on the volume",
				p->dir, (unsigned long long)p->free_bytes);
	if (p->free_inodes < WRITABILITY_MIN_INODES)
		return err_exit(e, EXITS_IO, -ENOSPC,
				"the state directory %.200s has room for only %llu more files "
				"(inodes); remove some files on the volume",
				p->dir, (unsigned long long)p->free_inodes);
	return 0;
}

static void run_probe(void *data)
{
	writability_probe(data);
}

static int probe_in_child(const struct boot *b, struct probe *p, struct err *e)
{
	int r = child_run(run_probe, p, sizeof(*p),
			  settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT));

	if (r == -ETIMEDOUT)
		return err_exit(e, EXITS_IO, r,
				"the storage of %.200s took a test write and did not answer: a "
				"network file system whose server is away? (limit: "
				"--storage-timeout)",
				p->dir);
	return r < 0 ? err_set(e, r, "test the state directory %.200s", p->dir) : 0;
}

/*
 * Root is not almighty here: an export with root_squash, or "cap_drop: ALL", leave it less access
 * than the daemon's own user has. So the test is repeated as that user, and once more after an
 * attempt to put the directory's owner right; what works stays for the phases that follow.
 */
static int probe_with_fallbacks(const struct boot *b, struct probe *p, struct err *e)
{
	int r = probe_in_child(b, p, e);

	if (r < 0 || !is_access_error(p->error) || !b->config.may_change_user)
		return r;
	fsuser_become(b->config.uid, b->config.gid);
	r = probe_in_child(b, p, e);
	if (r < 0 || !is_access_error(p->error) || b->config.is_dry)
		return r;
	fsuser_revert();
	(void)ownership_repair_directory(b->config.state_dir, b->config.uid, b->config.gid);
	r = probe_in_child(b, p, e);
	if (r < 0 || !is_access_error(p->error))
		return r;
	fsuser_become(b->config.uid, b->config.gid);
	return probe_in_child(b, p, e);
}

static const char *what_was_done(const struct probe *p)
{
	if (!p->is_dry)
		return "a test file was written, synced, renamed, read back and removed";
	return p->was_written ? "a file without a name was written and synced"
			      : "nothing was written: the access rights allow it";
}

int writability_check(struct boot *b, struct err *e)
{
	struct probe p = { .create = !b->config.is_dry, .is_dry = b->config.is_dry };
	int r;

	(void)snprintf(p.dir, sizeof(p.dir), "%s", b->config.state_dir);
	r = probe_with_fallbacks(b, &p, e);
	if (r < 0)
		return r;
	if (p.error == -ENOENT && b->config.is_dry) {
		boot_note(b, "%.200s does not exist; a start creates it", p.dir);
		return OUTCOME_SKIPPED;
	}
	if (is_access_error(p.error))
		return ownership_refuse(&b->config, p.step, "", p.error, e);
	r = writability_judge(&p, e);
	if (r < 0)
		return r;
	b->fs_type = p.fs_type;
	b->state_fd = statepath_open(p.dir, O_RDONLY);
	if (b->state_fd < 0)
		return err_exit(e, EXITS_IO, b->state_fd, "open the state directory %.200s", p.dir);
	boot_note(b, "%s; %llu MiB free", what_was_done(&p),
		  (unsigned long long)(p.free_bytes >> 20));
	return OUTCOME_OK;
}
