/* SPDX-License-Identifier: MIT */
#include "init/storage.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "init/child.h"
#include "init/voltext.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOUNTS_MAX (1024 * 1024)

/* Filled in by a child, because looking at a hung network file system may never end. */
struct look {
	char dir[PATH_MAX];
	struct volume_facts facts;
};

char *storage_read_mounts(void)
{
	char *text = malloc(MOUNTS_MAX + 1);
	auto_close int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (!text)
		return NULL;
	n = fd < 0 ? 0 : io_read_bounded(fd, text, MOUNTS_MAX);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static bool read_mount_id(const char *path, uint64_t *id, bool *is_directory)
{
	struct statx sx = { 0 };

	if (syscall(SYS_statx, AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MNT_ID, &sx) <
	    0)
		return false;
	*is_directory = S_ISDIR(sx.stx_mode);
	*id = sx.stx_mnt_id;
	return (sx.stx_mask & STATX_MNT_ID) != 0;
}

/* Cuts @path to its nearest existing ancestor, without symbolic links, into @out. */
static bool resolve(char *path, char out[static PATH_MAX])
{
	bool exists = true;

	while (!realpath(path, out)) {
		char *slash = strrchr(path, '/');

		exists = false;
		if (!slash || slash == path) {
			out[0] = '/';
			out[1] = '\0';
			break;
		}
		*slash = '\0';
	}
	return exists;
}

static void look_at(void *data)
{
	struct look *l = data;
	struct volume_facts *f = &l->facts;
	bool is_directory = false;
	char link[PATH_MAX + 8];
	struct stat st;

	f->exists = resolve(l->dir, f->path);
	f->has_mount_id = read_mount_id("/", &f->root_mount_id, &is_directory) &&
			  read_mount_id(f->path, &f->mount_id, &f->is_directory);
	if (stat(f->path, &st) == 0)
		f->is_directory = S_ISDIR(st.st_mode);
	(void)snprintf(link, sizeof(link), "%s/..data", f->path);
	f->has_data_link = lstat(link, &st) == 0;
}

static void log_lines(const struct voltext *text)
{
	for (size_t i = 0; i < text->n; i++)
		log_error("volume", "%s", text->line[i]);
}

static int judge(struct boot *b, const char *other, struct err *e)
{
	const struct volume *v = &b->volume;
	const char *dir = b->config.state_dir;
	uint64_t policy = settings_number(&b->config.settings, SETTING_PERSISTENCE);
	bool is_usable = verdict_is_usable(v->verdict);
	struct voltext text;

	boot_note(b, "%s: %.150s is on %s", verdict_name(v->verdict), dir, v->what);
	if (v->verdict == VERDICT_PERSISTENT)
		return OUTCOME_OK;
	if (is_usable && policy == PERSISTENCE_IGNORE)
		return OUTCOME_OK;
	voltext_explain(v, dir, other, &text);
	log_lines(&text);
	if (policy == PERSISTENCE_REQUIRE)
		return err_exit(e, EXITS_POLICY, -EPERM,
				"refused by persistence=require: %s (verdict: %s)", text.line[0],
				verdict_name(v->verdict));
	if (!is_usable)
		return err_exit(e, EXITS_CANNOT_CREATE, -EROFS, "%s: %s", text.line[0],
				text.line[1]);
	return OUTCOME_WARNED;
}

int storage_classify(struct boot *b, struct err *e)
{
	struct look l = { 0 };
	auto_free char *mounts = storage_read_mounts();
	char other[512] = "";
	int r;

	if (!mounts)
		return err_set(e, -ENOMEM, "make room for the mount table");
	(void)snprintf(l.dir, sizeof(l.dir), "%s", b->config.state_dir);
	r = child_run(look_at, &l, sizeof(l),
		      settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT));
	if (r == -ETIMEDOUT)
		return err_exit(
			e, EXITS_IO, r,
			"the storage of %.200s does not answer: a network file system whose "
			"server is away? (limit: --storage-timeout)",
			b->config.state_dir);
	if (r < 0)
		return err_set(e, r, "look at the state directory %.200s", b->config.state_dir);
	volume_classify(mounts, &l.facts, &b->volume);
	if (b->volume.verdict != VERDICT_PERSISTENT)
		volume_find_other(mounts, &l.facts, b->config.legacy_dir, other, sizeof(other));
	return judge(b, other, e);
}
