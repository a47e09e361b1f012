/* SPDX-License-Identifier: MIT */
#include "daemon/state/stateview.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/statefile.h"
#include "daemon/state/archive.h"
#include "daemon/state/snapshot_list.h"
#include "daemon/state/statedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void stateview_printable(char *out, size_t size, const char *name)
{
	size_t i;

	for (i = 0; i + 1 < size && name[i] != '\0'; i++) {
		out[i] = '?';
		if (name[i] > 0x20 && name[i] < 0x7f)
			out[i] = name[i];
	}
	out[i] = '\0';
}

void stateview_fini(struct stateview *v)
{
	free(v->rows);
	*v = (struct stateview) { 0 };
}

/* The next row, or NULL when there is no room. */
static struct state_row *add_row(struct stateview *v, const char *name, enum state_kind kind)
{
	struct state_row *row = &v->rows[v->n];

	if (v->n == STATEVIEW_MAX) {
		v->is_cut = true;
		return NULL;
	}
	v->n++;
	*row = (struct state_row) { .kind = kind };
	stateview_printable(row->name, sizeof(row->name), name);
	return row;
}

/* Says what is no plain file; true when it was one that needs no reading. */
static bool judge_type(struct state_row *row, const struct stat *st)
{
	const char *what = S_ISLNK(st->st_mode)	   ? "a symbolic link"
			   : S_ISDIR(st->st_mode)  ? "a directory"
			   : S_ISFIFO(st->st_mode) ? "a named pipe"
			   : S_ISSOCK(st->st_mode) ? "a socket"
						   : "a device";

	if (S_ISREG(st->st_mode) && row->kind != STATE_SNAPSHOTS)
		return false;
	if (S_ISDIR(st->st_mode) && row->kind == STATE_SNAPSHOTS) {
		(void)snprintf(row->note, sizeof(row->note), "copies of the key file");
		return true;
	}
	row->verdict = row->kind == STATE_UNKNOWN ? STATE_FOREIGN : STATE_UNSAFE;
	(void)snprintf(row->note, sizeof(row->note), "%s; never opened, left alone",
		       S_ISREG(st->st_mode) ? "a file where a directory belongs" : what);
	return true;
}

static void add_note(char note[static STATEJUDGE_NOTE_SIZE], const char *more)
{
	size_t used = strlen(note);

	(void)snprintf(note + used, STATEJUDGE_NOTE_SIZE - used, "; %s", more);
}

static void judge_rights(char note[static STATEJUDGE_NOTE_SIZE], const struct stat *st)
{
	char text[64];

	if (st->st_nlink > 1)
		add_note(note, "it has a second name elsewhere");
	if ((st->st_mode & 077) == 0)
		return;
	(void)snprintf(text, sizeof(text), "others may read it (mode %03o): chmod 600",
		       st->st_mode & 0777);
	add_note(note, text);
}

void stateview_key(char note[static STATEJUDGE_NOTE_SIZE], const struct identity_place *at)
{
	char key[STATENAME_IFACE_SIZE + 8];
	struct stat st;

	(void)snprintf(key, sizeof(key), "%.15s.json", at->ifname);
	if (fstatat(at->dirfd, key, &st, AT_SYMLINK_NOFOLLOW) == 0)
		judge_rights(note, &st);
}

static void judge_lock(struct state_row *row, int dirfd, const char *name)
{
	char holder[HOLDER_TEXT_SIZE];

	if (statedir_holder(holder, dirfd, name))
		(void)snprintf(row->note, sizeof(row->note), "held by %.180s", holder);
	else
		(void)snprintf(row->note, sizeof(row->note), "held by nobody");
}

static void judge_content(struct state_row *row, int dirfd, const char *name, int64_t now)
{
	struct state_content c = { .kind = row->kind, .name = name };
	char *data = malloc(ARCHIVE_FILE_MAX + 1);
	ssize_t n = data ? statefile_read(dirfd, name, data, ARCHIVE_FILE_MAX + 1, NULL) : -ENOMEM;

	if (n >= 0) {
		c.data = data;
		c.len = (size_t)n;
		row->verdict = statejudge(row->note, &c, now);
		crypto_wipe(data, (size_t)n);
	} else {
		row->verdict = STATE_DAMAGED;
		(void)snprintf(row->note, sizeof(row->note), "cannot be read: %s",
			       n == -EFBIG ? "it is larger than any node writes"
					   : strerror((int)-n));
	}
	free(data);
}

static void judge_file(struct stateview *v, const struct identity_place *at, const char *name,
		       int64_t now)
{
	enum state_kind kind = statename_kind(NULL, name, at->ifname);
	struct state_row *row = add_row(v, name, kind);
	struct stat st;

	if (!row)
		return;
	if (fstatat(at->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		v->n--;
		return;
	}
	if (judge_type(row, &st))
		return;
	if (strcmp(name, STATEDIR_INIT_LOCK) == 0 || strcmp(name, STATEDIR_DAEMON_LOCK) == 0) {
		judge_lock(row, at->dirfd, name);
		return;
	}
	if (kind == STATE_UNKNOWN) {
		row->verdict = STATE_FOREIGN;
		(void)snprintf(row->note, sizeof(row->note), "none of ours; left alone");
		return;
	}
	judge_content(row, at->dirfd, name, now);
	if (kind == STATE_KEY || kind == STATE_SERVICE || kind == STATE_TEMPORARY)
		judge_rights(row->note, &st);
}

static bool is_wanted(const char *name, const struct identity_place *at, bool brief)
{
	char owner[STATENAME_IFACE_SIZE];
	enum state_kind kind = statename_kind(owner, name, at->ifname);
	bool is_mine = strcmp(owner, at->ifname) == 0;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (kind == STATE_KEY && is_mine))
		return false;
	return !brief || ((kind == STATE_PEERS || kind == STATE_NODES) && is_mine);
}

static int read_dir(struct stateview *out, const struct identity_place *at, bool brief, int64_t now)
{
	auto_close int fd = openat(at->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r;

	if (!dir)
		return -errno;
	(void)steal_fd(&fd);
	errno = 0;
	while (!out->is_cut && (entry = readdir(dir)) != NULL) {
		if (is_wanted(entry->d_name, at, brief))
			judge_file(out, at, entry->d_name, now);
		errno = 0;
	}
	r = -errno;
	(void)closedir(dir);
	return r;
}

static void add_snapshot(struct stateview *v, const struct snapshot_entry *s)
{
	static const char *const kinds[] = {
		[SNAPSHOT_NUMBERED] = "a copy of the key file",
		[SNAPSHOT_OLD] = "a key that a migration found beside the one in place",
		[SNAPSHOT_DAMAGED] = "a file that was moved out of the way",
		[SNAPSHOT_OTHER] = "not this interface's",
	};
	char name[STATEVIEW_NAME_SIZE];
	char key[45];
	struct state_row *row;

	(void)snprintf(name, sizeof(name), SNAPSHOT_DIR "/%s", s->name);
	row = add_row(v, name, STATE_SNAPSHOTS);
	if (!row)
		return;
	(void)wg_key_format(key, &s->public_key);
	row->verdict = s->result == 0		       ? STATE_GOOD
		       : s->result == -EPROTONOSUPPORT ? STATE_FUTURE
		       : s->kind == SNAPSHOT_OTHER     ? STATE_FOREIGN
						       : STATE_DAMAGED;
	(void)snprintf(row->note, sizeof(row->note), "%s%s%s%s", kinds[s->kind],
		       s->result == 0 ? ": " : (s->why[0] ? " that " : ""),
		       s->result == 0 ? key : s->why, s->is_current ? ", the one in place" : "");
}

static void read_snapshots(struct stateview *out, const struct identity_place *at)
{
	struct snapshot_entry *list;
	size_t n;
	int r = snapshot_list(&list, &n, at, NULL);
	struct state_row *row = r < 0 ? add_row(out, SNAPSHOT_DIR "/", STATE_SNAPSHOTS) : NULL;

	if (row) {
		row->verdict = STATE_DAMAGED;
		(void)snprintf(row->note, sizeof(row->note), "cannot be read: %s", strerror(-r));
	}
	for (size_t i = 0; i < n; i++)
		add_snapshot(out, &list[i]);
	free(list);
}

/* What a daemon needs first, then what it left, then what is not its own. */
static int compare(const void *a, const void *b)
{
	static const int order[] = {
		[STATE_KEY] = 0,       [STATE_PEERS] = 1,     [STATE_NODES] = 2,
		[STATE_RELOAD] = 3,    [STATE_SERVICE] = 4,   [STATE_OWN] = 5,
		[STATE_TEMPORARY] = 6, [STATE_SNAPSHOTS] = 7, [STATE_UNKNOWN] = 8
	};
	const struct state_row *x = a;
	const struct state_row *y = b;

	if (x->kind != y->kind)
		return order[x->kind] - order[y->kind];
	return strcmp(x->name, y->name);
}

int stateview_read(struct stateview *out, const struct identity_place *at, bool brief, int64_t now,
		   struct err *e)
{
	int r;

	*out = (struct stateview) { .rows = calloc(STATEVIEW_MAX, sizeof(*out->rows)) };
	if (!out->rows)
		return err_set(e, -ENOMEM, "look at %.200s", at->dir);
	r = read_dir(out, at, brief, now);
	if (r < 0)
		return err_exit(e, EXITS_IO, r, "list %.200s", at->dir);
	qsort(out->rows, out->n, sizeof(*out->rows), compare);
	if (!brief)
		read_snapshots(out, at);
	return 0;
}
