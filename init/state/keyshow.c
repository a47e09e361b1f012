/* SPDX-License-Identifier: MIT */
#include "init/state/keyshow.h"
#include "common/defs.h"
#include "common/str.h"
#include "init/process/child.h"
#include "init/process/spawn.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX  6
#define LIMIT_MS  5000
#define KEY_LEN	  (KEYSHOW_SIZE - 1)
#define TEXT_SIZE (2 * (PATH_MAX + KEYSHOW_SIZE))

static bool is_key(const char *s)
{
	for (size_t i = 0; i < KEY_LEN - 1; i++) {
		bool is_letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
		bool is_digit = s[i] >= '0' && s[i] <= '9';

		if (!is_letter && !is_digit && s[i] != '+' && s[i] != '/')
			return false;
	}
	return s[KEY_LEN - 1] == '=';
}

/* Takes the key at the end of one line. */
static const char *take_line(const char *text, char out[static KEYSHOW_SIZE])
{
	size_t len = strcspn(text, "\n");

	out[0] = '\0';
	if (len > KEY_LEN && text[len - KEY_LEN - 1] == ' ' && is_key(text + len - KEY_LEN))
		str_cut(out, KEYSHOW_SIZE, text + len - KEY_LEN, KEY_LEN);
	return text + len + (text[len] == '\n' ? 1 : 0);
}

bool keyshow_parse(const char *text, struct keypair *out)
{
	text = take_line(text, out->here);
	(void)take_line(text, out->there);
	return out->here[0] != '\0' && out->there[0] != '\0';
}

/* execve(2) promises not to change what argv points to, but its type does not say so. */
static void put_argument(char **argv, size_t i, const char *text)
{
	memcpy(&argv[i], &text, sizeof(text));
}

/* Its output fits into the pipe, so that it can be read after its end. */
static bool run(struct spawn_program *p, int read_fd, struct keypair *out)
{
	struct reaped end = { 0 };
	char text[TEXT_SIZE];
	pid_t pid = spawn_program(p);
	ssize_t n;

	if (pid < 0)
		return false;
	if (child_wait(&end, pid, LIMIT_MS) < 0) {
		child_abandon(pid);
		return false;
	}
	n = read(read_fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return keyshow_parse(text, out);
}

bool keyshow_ask(const struct keyshow *k, const char *name, int fd, struct keypair *out)
{
	char path[PATH_MAX];
	char other[16];
	char *argv[ARGS_MAX] = { NULL };
	struct spawn_program p = { .argv = argv,
				   .envp = k->envp,
				   .hand_over = fd,
				   .stderr_fd = -1,
				   .error_fd = -1,
				   .parent = getpid(),
				   .confine = true,
				   .uid = k->uid,
				   .gid = k->gid };
	int fds[2];
	bool is_known;

	memset(out, 0, sizeof(*out));
	(void)snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	(void)snprintf(other, sizeof(other), "fd:%d", fd);
	put_argument(argv, 0, k->wgmesh);
	put_argument(argv, 1, "state");
	put_argument(argv, 2, "show");
	put_argument(argv, 3, path);
	put_argument(argv, 4, other);
	if (!k->wgmesh || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	p.stdout_fd = fds[1];
	is_known = run(&p, fds[0], out);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return is_known;
}
