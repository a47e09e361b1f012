/* SPDX-License-Identifier: MIT */
#include "init/state/journal.h"
#include "common/defs.h"
#include "common/io.h"
#include "init/state/names.h"
#include "init/state/plainfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE (NAME_MAX + 64)

void journal_load(struct journal *j, int dirfd)
{
	struct stat st;
	/* It is written anew with what is in it: that must not be a file of somebody else's. */
	auto_close int fd = plainfile_open(dirfd, NAMES_JOURNAL, &st, NULL);
	ssize_t n = fd < 0 ? fd : io_read_bounded(fd, j->text, sizeof(j->text) - 1);

	j->is_changed = false;
	j->len = n < 0 ? 0 : (size_t)n;
	j->text[j->len] = '\0';
}

static size_t make_line(char out[static LINE_SIZE], const char *name, const struct stat *st)
{
	int n = snprintf(out, LINE_SIZE, "%lld %lld.%09ld %s\n", (long long)st->st_size,
			 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, name);

	return n < 0 || n >= LINE_SIZE ? 0 : (size_t)n;
}

bool journal_has(const struct journal *j, const char *name, const struct stat *st)
{
	char line[LINE_SIZE];
	size_t len = make_line(line, name, st);

	for (const char *p = j->text; len > 0 && *p; p += strcspn(p, "\n") + 1) {
		if (strncmp(p, line, len) == 0)
			return true;
		if (!strchr(p, '\n'))
			break;
	}
	return false;
}

void journal_add(struct journal *j, const char *name, const struct stat *st)
{
	char line[LINE_SIZE];
	size_t len = make_line(line, name, st);

	if (len == 0 || journal_has(j, name, st) || j->len + len >= sizeof(j->text))
		return;
	memcpy(j->text + j->len, line, len + 1);
	j->len += len;
	j->is_changed = true;
}

/* It belongs to whoever the directory belongs to; where that may not be, it is as good as it is. */
static void adopt_owner(int fd, int dirfd)
{
	struct stat st;

	if (fstat(dirfd, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
		return;
}

int journal_store(const struct journal *j, int dirfd, const char *name)
{
	char tmp[NAME_MAX + 1];
	auto_close int fd = -1;
	int r;

	if (!j->is_changed)
		return 0;
	(void)snprintf(tmp, sizeof(tmp), "%s.new", name);
	fd = io_create_anew(dirfd, tmp, O_WRONLY, 0600);
	if (fd < 0)
		return fd;
	adopt_owner(fd, dirfd);
	r = io_write_full(fd, j->text, j->len);
	if (r == 0 && (fsync(fd) < 0 || renameat(dirfd, tmp, dirfd, name) < 0))
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, tmp, 0);
	else if (fsync(dirfd) < 0)
		r = -errno;
	return r;
}
