/* SPDX-License-Identifier: MIT */
#include "common/statusline.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *name;
	bool is_prose;
} keys[] = {
#define STATUS_KEY(id, name, is_prose, meaning) [STATUS_##id] = { name, is_prose },
#include "common/statusline.def"
#undef STATUS_KEY
};

const char *statusline_key(enum status_key key)
{
	return keys[key].name;
}

/*
 * Containers of a pod may share the namespaces of processes and of the network, never that of mounts;
 * and whatever an engine runs in a container is in all of them.
 */
static unsigned long long namespace_number(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (unsigned long long)st.st_ino : 0;
}

/* "@" stands for the leading NUL of an abstract name; the text must fit, and always does. */
int statusline_address(struct sockaddr_un *sa, socklen_t *len, pid_t pid)
{
	char suffix[16] = "";
	int n;

	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (pid != 0)
		(void)snprintf(suffix, sizeof(suffix), "/%d", pid);
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), STATUSLINE_NAME_HEAD "%llu/%llu%s",
		     namespace_number("/proc/self/ns/pid"), namespace_number("/proc/self/ns/mnt"),
		     suffix);
	if (n < 0 || (size_t)n >= sizeof(sa->sun_path))
		return -ENAMETOOLONG;
	sa->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
	return 0;
}

bool statusline_is_ours(int fd)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0;
}

bool statusline_value(const char *text, const char *key, char *out, size_t size)
{
	size_t len = strlen(key);

	out[0] = '\0';
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");

		if (n > len && strncmp(p, key, len) == 0 && p[len] == '=') {
			str_cut(out, size, p + len + 1, n - len - 1);
			return true;
		}
		p += n + (p[n] == '\n' ? 1 : 0);
	}
	return false;
}

bool statusline_next(const char **pos, char key[static STATUSLINE_KEY_SIZE],
		     char value[static STATUSLINE_VALUE_SIZE])
{
	while (**pos != '\0') {
		const char *line = *pos;
		size_t n = strcspn(line, "\n");
		size_t name = strcspn(line, "=\n");

		*pos += n + (line[n] == '\n' ? 1 : 0);
		if (name == n)
			continue;
		str_cut(key, STATUSLINE_KEY_SIZE, line, name);
		str_cut(value, STATUSLINE_VALUE_SIZE, line + name + 1, n - name - 1);
		return true;
	}
	return false;
}

static bool is_prose(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(key, keys[i].name) == 0)
			return keys[i].is_prose;
	return false;
}

bool statusline_is_bare(const char *key, const char *value)
{
	if (is_prose(key))
		return false;
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		return true;
	return *value != '\0' && strspn(value, "0123456789") == strlen(value) &&
	       (value[0] != '0' || !value[1]);
}
