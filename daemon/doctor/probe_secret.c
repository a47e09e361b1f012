/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/io.h"
#include "daemon/config.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"
#include "daemon/doctor/strength.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#define RAW_MAX (SECRET_MAX + 256)

/* The same order as config_secret()'s. */
static void find_place(struct secret_facts *f, const struct settings *s)
{
	const struct setting_value *text = &s->v[SETTING_SECRET];
	const struct setting_value *file = &s->v[SETTING_SECRET_FILE];
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	f->is_twice = text->text && file->text && text->source == file->source;
	if (text->text && (!file->text || text->source >= file->source)) {
		f->place = SECRET_TEXT;
		(void)snprintf(f->origin, sizeof(f->origin), "%s",
			       settings_origin(s, SETTING_SECRET));
	} else if (file->text) {
		f->place = SECRET_FILE;
		(void)snprintf(f->origin, sizeof(f->origin), "%s",
			       settings_origin(s, SETTING_SECRET_FILE));
		(void)snprintf(f->path, sizeof(f->path), "%s", file->text);
	} else if (dir) {
		(void)snprintf(f->path, sizeof(f->path), "%s/wgmesh-secret", dir);
		if (access(f->path, F_OK) == 0)
			f->place = SECRET_CREDENTIAL;
		(void)snprintf(f->origin, sizeof(f->origin), "CREDENTIALS_DIRECTORY");
	}
}

/*
 * Engines mount secrets readable for all, since they do not know the user who needs them: in memory,
 * or read-only. There nobody but this container sees them.
 */
static bool is_from_engine(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC ||
					 ((unsigned long)fs.f_flags & ST_RDONLY) != 0);
}

/* What comes by a pipe, as from `--secret-file <(pass mesh)`, can be read only once: not here. */
static ssize_t read_file(struct secret_facts *f, char *raw)
{
	struct stat st;
	bool is_plain = stat(f->path, &st) == 0 && S_ISREG(st.st_mode);
	auto_close int fd = is_plain ? open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;

	if (fd < 0)
		return -1;
	f->mode = st.st_mode;
	f->is_exposed = (st.st_mode & S_IROTH) && !is_from_engine(fd);
	return io_read_bounded(fd, raw, RAW_MAX);
}

/* What hides in the text as it was given, before white space around it is taken off. */
static void look_at_text(struct secret_facts *f, const char *raw, size_t len)
{
	f->is_generated = secret_has_uri_form(raw, len);
	f->has_mark = len >= 3 && memcmp(raw, "\xef\xbb\xbf", 3) == 0;
	while (len > 0 && (raw[len - 1] == '\n' || raw[len - 1] == '\r' || raw[len - 1] == ' '))
		len--;
	while (len > 0 && (*raw == '\n' || *raw == '\r' || *raw == ' ')) {
		raw++;
		len--;
	}
	f->has_lines = memchr(raw, '\n', len) != NULL;
	f->has_quotes = len >= 2 && (raw[0] == '"' || raw[0] == '\'') && raw[len - 1] == raw[0];
}

void probe_secret(void *out, const void *arg)
{
	const struct facts *known = arg;
	const struct settings *s = known->wanted.settings;
	struct secret_facts *f = out;
	struct err e = { 0 };
	char raw[RAW_MAX];
	ssize_t len = -1;

	find_place(f, s);
	if (f->place == SECRET_TEXT) {
		len = (ssize_t)strlen(settings_text(s, SETTING_SECRET));
		look_at_text(f, settings_text(s, SETTING_SECRET), (size_t)len);
	} else if (f->place != SECRET_NOWHERE) {
		len = read_file(f, raw);
		if (len > 0)
			look_at_text(f, raw, (size_t)len);
	}
	crypto_wipe(raw, sizeof(raw));
	f->code = config_secret(&f->secret, s, &e);
	(void)snprintf(f->why, sizeof(f->why), "%.299s", e.msg);
	if (f->code == 0)
		f->bits = strength_bits(f->secret.text, f->secret.len);
}
