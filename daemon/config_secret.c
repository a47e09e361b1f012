/* SPDX-License-Identifier: MIT */
#include "daemon/config.h"

#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for white space around the longest secret and for its URI form. */
#define SECRET_FILE_MAX (SECRET_MAX + 256)

static void warn_if_guessable(const char *text)
{
	if (!secret_has_uri_form(text, strlen(text)))
		log_event(EVENT_SECRET_GUESSABLE, NULL,
			  "the secret is not one that `wgmesh init --secret` made; a "
			  "guessable one opens the mesh to everybody");
}

/* Parses the secret, and says in a refusal where it came from. */
static int parse(struct secret *out, const char *text, size_t len, const char *origin,
		 struct err *e)
{
	struct err why = { 0 };
	int r = secret_parse(out, text, len, &why);

	if (r < 0)
		return err_exit(e, why.exit_code, r, "%.120s: %s", origin, why.msg);
	warn_if_guessable(text);
	return 0;
}

/* The file itself, or the descriptor of it that wgmesh-init opened because only root may. */
static int open_secret(const char *path, const struct settings *s)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int saved = errno;

	if (fd >= 0 || saved != EACCES || !settings_is_given(s, SETTING_SECRET_FD))
		return fd < 0 ? -saved : fd;
	fd = fcntl((int)settings_number(s, SETTING_SECRET_FD), F_DUPFD_CLOEXEC, 0);
	/* Shared with PID 1 and with earlier runs: its offset is wherever they left it. */
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		if (fd >= 0)
			(void)close(fd);
		return -saved;
	}
	return fd;
}

static int refuse_file(int why, const char *path, struct err *e)
{
	if (why == -EISDIR)
		return err_exit(e, EXITS_USAGE, why,
				"secret file %s is a directory: engines make one where the file to "
				"mount is missing; remove it there and put the file in its place",
				path);
	return err_exit(e, EXITS_USAGE, why,
			"secret file %s cannot be read; mount it into the container, "
			"readable for uid %u",
			path, geteuid());
}

static int read_secret_file(struct secret *out, const char *path, const struct settings *s,
			    struct err *e)
{
	char buf[SECRET_FILE_MAX];
	auto_close int fd = open_secret(path, s);
	ssize_t n = fd < 0 ? fd : io_read_bounded(fd, buf, sizeof(buf) - 1);
	int r;

	if (n < 0)
		return refuse_file((int)n, path, e);
	buf[n] = '\0';
	r = parse(out, buf, (size_t)n, path, e);
	crypto_wipe(buf, sizeof(buf));
	return r;
}

/* That its directory is closed to us does not mean that there is none: wgmesh-init may have opened it. */
static bool find_credential(char path[static PATH_MAX])
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (!dir)
		return false;
	(void)snprintf(path, PATH_MAX, "%s/wgmesh-secret", dir);
	return access(path, F_OK) == 0 || errno == EACCES;
}

static int find_secret(struct secret *out, const struct settings *s, struct err *e)
{
	const struct setting_value *text = &s->v[SETTING_SECRET];
	const struct setting_value *file = &s->v[SETTING_SECRET_FILE];
	char path[PATH_MAX];

	if (text->text && file->text && text->source == file->source)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"the secret is given twice, as text and as a file; give only %s",
				settings_origin(s, SETTING_SECRET_FILE));
	if (text->text && (!file->text || text->source > file->source))
		return parse(out, text->text, strlen(text->text),
			     settings_origin(s, SETTING_SECRET), e);
	if (file->text)
		return read_secret_file(out, file->text, s, e);
	if (find_credential(path))
		return read_secret_file(out, path, s, e);
	return err_exit(e, EXITS_USAGE, -EINVAL,
			"no mesh secret: give --secret-file FILE or WGMESH_SECRET_FILE; "
			"`wgmesh init --secret` makes one");
}

static void wipe_text(const char *text)
{
	if (text)
		crypto_wipe((void *)(uintptr_t)text, strlen(text));
}

int config_secret(struct secret *out, const struct settings *s, struct err *e)
{
	int r = find_secret(out, s, e);

	/* The process list and /proc/PID/environ show these bytes to others: leave nothing there,
	 * not even of a secret that was not used. */
	wipe_text(settings_text(s, SETTING_SECRET));
	wipe_text(getenv(settings_table()[SETTING_SECRET].env));
	if (settings_is_given(s, SETTING_SECRET_FD))
		(void)close((int)settings_number(s, SETTING_SECRET_FD));
	return r;
}
