/* SPDX-License-Identifier: MIT */
#include "init/process/program.h"
#include "common/str.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME	     "wgmesh"
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Room for the name behind any directory, so that nothing can be cut. */
struct path {
	char dir[PATH_MAX - sizeof(NAME) - 1];
	char file[PATH_MAX];
};

static bool has_program(struct path *p, const char *name)
{
	int n = snprintf(p->file, sizeof(p->file), "%s/%s", p->dir, name);

	return n > 0 && (size_t)n < sizeof(p->file) && access(p->file, X_OK) == 0;
}

static bool is_beside_us(struct path *p)
{
	ssize_t n = readlink("/proc/self/exe", p->dir, sizeof(p->dir) - 1);
	char *slash;

	if (n < 0)
		return false;
	p->dir[n] = '\0';
	slash = strrchr(p->dir, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return has_program(p, NAME);
}

static const char *find_path(char *const *envp)
{
	for (; *envp; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return DEFAULT_PATH;
}

static bool is_in_path(struct path *p, const char *path, const char *name)
{
	while (*path) {
		size_t len = strcspn(path, ":");

		str_cut(p->dir, sizeof(p->dir), path, len);
		if (len > 0 && has_program(p, name))
			return true;
		path += len;
		path += *path == ':' ? 1 : 0;
	}
	return false;
}

const char *program_find_wgmesh(char *const *envp)
{
	static struct path beside;

	if (is_beside_us(&beside))
		return beside.file;
	return is_in_path(&beside, find_path(envp), NAME) ? NAME : NULL;
}

const char *program_find_path(const char *name, char *const *envp)
{
	static struct path found;

	if (strchr(name, '/'))
		return name;
	return is_in_path(&found, find_path(envp), name) ? found.file : NULL;
}
