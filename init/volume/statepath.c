/* SPDX-License-Identifier: MIT */
#include "init/volume/statepath.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's own limit */

/**
 * struct walk - On the way to a directory
 * @fd:		Where we are; owned
 * @root:	Mount of "/"
 * @volume:	Mount that a link was found on
 * @has_link:	One was, on another mount than @root
 * @links:	Links followed
 * @rest:	Path that remains
 */
struct walk {
	int fd;
	uint64_t root;
	uint64_t volume;
	bool has_link;
	int links;
	char rest[PATH_MAX];
};

static int go_to(struct walk *w, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = fd;
	return 0;
}

/* A link that leads from one volume to another is as good as one that leads out. */
static int note_volume(struct walk *w)
{
	uint64_t here;
	int r = io_read_mount(w->fd, &here);

	if (r < 0 || here == w->root)
		return r;
	if (w->has_link && w->volume != here)
		return -EXDEV;
	w->has_link = true;
	w->volume = here;
	return 0;
}

/* Puts the link's target in front of the rest. By its name: not every kernel reads a link that is open. */
static int follow(struct walk *w, const char *name)
{
	char target[PATH_MAX];
	size_t rest = strlen(w->rest) + 1;
	ssize_t n = readlinkat(w->fd, name, target, sizeof(target));
	int r;

	if (n < 0)
		return -errno;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	r = note_volume(w);
	if (r < 0)
		return r;
	if (n == 0 || (size_t)n + 1 + rest > sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n + 1, w->rest, rest);
	memcpy(w->rest, target, (size_t)n);
	w->rest[n] = '/';
	return target[0] == '/' ? go_to(w, AT_FDCWD, "/") : 0;
}

static int enter(struct walk *w, const char *name)
{
	auto_close int next = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (next < 0 || fstat(next, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return follow(w, name);
	(void)close(w->fd);
	w->fd = steal_fd(&next);
	return 0;
}

/* Takes the next component of the rest. Return: 1, 0 when there is none, or -ENAMETOOLONG */
static int take(struct walk *w, char name[static NAME_MAX + 1])
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	str_cut(name, NAME_MAX + 1, p, len);
	memmove(w->rest, p + len, strlen(p + len) + 1);
	return len > 0 ? 1 : 0;
}

/* Return: 0 at the end, or why it goes no further */
static int walk(struct walk *w)
{
	char name[NAME_MAX + 1];
	int r = go_to(w, AT_FDCWD, "/");

	if (r == 0)
		r = io_read_mount(w->fd, &w->root);
	if (r < 0)
		return r;
	while ((r = take(w, name)) > 0) {
		r = enter(w, name);
		if (r < 0)
			return r;
	}
	return r;
}

static bool is_led_out(const struct walk *w)
{
	uint64_t here;

	return w->has_link && io_read_mount(w->fd, &here) == 0 && here != w->volume;
}

/* What is open already needs no right to be searched, which opening "." in it would. */
static int open_end(struct walk *w, int flags)
{
	struct stat st;
	int fd;

	if (flags & O_PATH) {
		if (fstat(w->fd, &st) < 0)
			return -errno;
		return S_ISDIR(st.st_mode) ? steal_fd(&w->fd) : -ENOTDIR;
	}
	fd = openat(w->fd, ".", flags | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int statepath_open(const char *dir, int flags)
{
	struct walk w = { .fd = -1 };
	int r = str_copy(w.rest, sizeof(w.rest), dir);

	if (r == 0)
		r = walk(&w);
	if (w.fd >= 0 && is_led_out(&w))
		r = -EXDEV;
	if (r == 0)
		r = open_end(&w, flags);
	if (w.fd >= 0)
		(void)close(w.fd);
	return r;
}
