/* SPDX-License-Identifier: MIT */
#include "tests/fault/calls.h"
#include "common/defs.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINK_SIZE 64

enum {
	FD = 1 << 0,	   /* the first argument is a descriptor */
	PATH = 1 << 1,	   /* the first argument is a path */
	PATH_AT = 1 << 2,  /* the second argument is a path */
	CHANGES = 1 << 3,  /* changes what is on the disk */
	OPENS = 1 << 4,	   /* changes it if opened for writing; flags come after the path */
	OPENS_HOW = 1 << 5 /* the same, with the flags in a struct open_how */
};

/**
 * struct kind - What is known of a system call
 * @nr:		Its number
 * @flags:	See above
 * @count:	Argument that says how many bytes to move, 0 for none
 */
struct kind {
	long nr;
	unsigned int flags;
	int count;
};

static const struct kind kinds[] = {
	{ SYS_read, FD, 2 },
	{ SYS_pread64, FD, 2 },
	{ SYS_write, FD | CHANGES, 2 },
	{ SYS_pwrite64, FD | CHANGES, 2 },
	{ SYS_writev, FD | CHANGES, 0 },
	{ SYS_copy_file_range, FD | CHANGES, 4 },
	{ SYS_sendfile, FD | CHANGES, 3 },
	{ SYS_openat, PATH_AT | OPENS, 0 },
	{ SYS_openat2, PATH_AT | OPENS_HOW, 0 },
	{ SYS_close, FD, 0 },
	{ SYS_fstat, FD, 0 },
	{ SYS_newfstatat, PATH_AT, 0 },
	{ SYS_statx, PATH_AT, 0 },
	{ SYS_fstatfs, FD, 0 },
	{ SYS_getdents64, FD, 0 },
	{ SYS_lseek, FD, 0 },
	{ SYS_fcntl, FD, 0 },
	{ SYS_flock, FD, 0 },
	{ SYS_ioctl, FD, 0 },
	{ SYS_faccessat, PATH_AT, 0 },
	{ SYS_faccessat2, PATH_AT, 0 },
	{ SYS_readlinkat, PATH_AT, 0 },
	{ SYS_fsync, FD | CHANGES, 0 },
	{ SYS_fdatasync, FD | CHANGES, 0 },
	{ SYS_syncfs, FD | CHANGES, 0 },
	{ SYS_ftruncate, FD | CHANGES, 0 },
	{ SYS_fallocate, FD | CHANGES, 0 },
	{ SYS_fchmod, FD | CHANGES, 0 },
	{ SYS_fchown, FD | CHANGES, 0 },
	{ SYS_fchmodat, PATH_AT | CHANGES, 0 },
	{ SYS_fchownat, PATH_AT | CHANGES, 0 },
	{ SYS_mkdirat, PATH_AT | CHANGES, 0 },
	{ SYS_renameat2, PATH_AT | CHANGES, 0 },
	{ SYS_linkat, PATH_AT | CHANGES, 0 },
	{ SYS_symlinkat, PATH | CHANGES, 0 },
	{ SYS_unlinkat, PATH_AT | CHANGES, 0 },
	{ SYS_utimensat, PATH_AT | CHANGES, 0 },
#ifdef SYS_renameat
	{ SYS_renameat, PATH_AT | CHANGES, 0 },
#endif
#ifdef SYS_open /* machines that are older than the calls with "at" */
	{ SYS_open, PATH | OPENS, 0 },
	{ SYS_stat, PATH, 0 },
	{ SYS_lstat, PATH, 0 },
	{ SYS_access, PATH, 0 },
	{ SYS_readlink, PATH, 0 },
	{ SYS_mkdir, PATH | CHANGES, 0 },
	{ SYS_rename, PATH | CHANGES, 0 },
	{ SYS_link, PATH | CHANGES, 0 },
	{ SYS_unlink, PATH | CHANGES, 0 },
	{ SYS_rmdir, PATH | CHANGES, 0 },
	{ SYS_chmod, PATH | CHANGES, 0 },
	{ SYS_chown, PATH | CHANGES, 0 },
#endif
};

static const struct kind *kind_of(const struct call *c)
{
	static const struct kind other = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if ((uint64_t)kinds[i].nr == c->nr)
			return &kinds[i];
	return &other;
}

/* A pointer of the tracee's is a number here. */
static ssize_t read_memory(const struct call *c, uint64_t from, void *out, size_t size)
{
	struct iovec local = { out, size };
	struct iovec remote = { .iov_len = size };

	memcpy(&remote.iov_base, &from, sizeof(remote.iov_base));
	return process_vm_readv(c->pid, &local, 1, &remote, 1, 0);
}

/* One byte at a time: what lies behind the end of a text may not be readable. */
static void read_text(const struct call *c, uint64_t from, char out[static CALL_TARGET_SIZE])
{
	size_t n = 0;

	while (n < CALL_TARGET_SIZE - 1 && read_memory(c, from + n, &out[n], 1) == 1 && out[n]) {
		if (!isgraph((unsigned char)out[n]))
			out[n] = '?';
		n++;
	}
	out[n] = '\0';
}

/* Where /proc shows what the call's descriptor is open on. */
static void descriptor_link(const struct call *c, char out[static LINK_SIZE])
{
	(void)snprintf(out, LINK_SIZE, "/proc/%d/fd/%d", c->pid, (int)c->args[0]);
}

static void read_descriptor(const struct call *c, char out[static CALL_TARGET_SIZE])
{
	char link[LINK_SIZE];
	ssize_t n;

	descriptor_link(c, link);
	n = readlink(link, out, CALL_TARGET_SIZE - 1);
	out[n < 0 ? 0 : n] = '\0';
}

/* Pipes, sockets, devices, and what only looks like files, are not. */
static bool is_on_disk(const struct call *c)
{
	char link[LINK_SIZE];
	struct statfs fs;
	struct stat st;

	descriptor_link(c, link);
	return stat(link, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
	       statfs(link, &fs) == 0 && fs.f_type != PROC_SUPER_MAGIC;
}

static uint64_t open_flags(const struct call *c, unsigned int flags)
{
	struct open_how how = { 0 };

	if (flags & OPENS)
		return flags & PATH ? c->args[1] : c->args[2];
	return read_memory(c, c->args[2], &how, sizeof(how)) < 0 ? 0 : how.flags;
}

bool call_changes_disk(const struct call *c)
{
	unsigned int flags = kind_of(c)->flags;
	char target[CALL_TARGET_SIZE];

	if (flags & CHANGES)
		return !(flags & FD) || is_on_disk(c);
	if (!(flags & (OPENS | OPENS_HOW)))
		return false;
	call_target(c, target);
	return (open_flags(c, flags) & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) != 0 &&
	       strncmp(target, "/proc/", 6) != 0;
}

int call_count_argument(const struct call *c)
{
	int which = kind_of(c)->count;

	return which > 0 && c->args[which] > 1 ? which : -1;
}

bool call_is_log(const struct call *c)
{
	const struct kind *kind = kind_of(c);

	return (kind->flags & FD) && (kind->flags & CHANGES) && !is_on_disk(c);
}

void call_target(const struct call *c, char out[static CALL_TARGET_SIZE])
{
	unsigned int flags = kind_of(c)->flags;

	out[0] = '\0';
	if (flags & PATH)
		read_text(c, c->args[0], out);
	else if (flags & PATH_AT)
		read_text(c, c->args[1], out);
	if ((flags & (FD | PATH_AT)) && out[0] == '\0')
		read_descriptor(c, out);
	if (out[0] == '\0')
		(void)snprintf(out, CALL_TARGET_SIZE, "-");
}
