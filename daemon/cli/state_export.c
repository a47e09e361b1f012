/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/cli/newfile.h"
#include "daemon/cli/passphrase.h"
#include "daemon/cli/state.h"
#include "daemon/clock.h"
#include "daemon/state/archive.h"
#include "daemon/state/sealed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cli_usage usage = {
	.name = "wgmesh state export",
	.synopsis = "FILE | -",
	.about =
		"Writes everything of this node into one file: key, peer cache, DHT nodes, and what\n"
		"other programs of the mesh keep here. The file is sealed with a passphrase (Argon2id,\n"
		"XChaCha20-Poly1305), readable by nobody else, and never overwrites another one. \"-\"\n"
		"is standard output. The node may run meanwhile; before its file is imported elsewhere\n"
		"it has to stop, since two nodes with one key take each other's traffic.\n\n"
		"  wgmesh state export node1.wgmesh\n"
		"  wgmesh state export --passphrase-file /run/secrets/backup node1.wgmesh\n"
		"  docker exec -i NODE wgmesh state export --passphrase-file /dev/stdin - \\\n"
		"      < passphrase > node1.wgmesh\n",
	.scope = SCOPE_EXPORT,
};

static bool belongs(const char *name, const struct state_dir *d)
{
	char owner[STATENAME_IFACE_SIZE];
	enum state_kind kind = statename_kind(owner, name, d->at.ifname);

	return statename_moves(kind) && (kind == STATE_SERVICE || strcmp(owner, d->at.ifname) == 0);
}

/* A backup without a file that is there would not be one, so what cannot be read ends it. */
static int add_file(struct archive *a, const struct state_dir *d, const char *name, struct err *e)
{
	char *data = malloc(ARCHIVE_FILE_MAX + 1);
	struct err why = { 0 };
	ssize_t n = data ? statefile_read(d->at.dirfd, name, data, ARCHIVE_FILE_MAX + 1, NULL)
			 : -ENOMEM;
	int r = (int)n;

	if (n < 0) {
		(void)err_exit(e, n == -EACCES ? EXITS_NO_PERMISSION : EXITS_IO, r,
			       "%.120s/%.60s cannot be exported", d->at.dir, name);
	} else {
		r = archive_add(a, name, data, (size_t)n, &why);
		crypto_wipe(data, (size_t)n);
		if (r < 0)
			(void)err_exit(e,
				       r == -EPROTONOSUPPORT ? EXITS_POLICY : EXITS_STATE_DAMAGED,
				       r, "%.120s %.250s", d->at.dir, why.msg);
	}
	free(data);
	return r;
}

static int add_files(struct archive *a, const struct state_dir *d, struct err *e)
{
	auto_close int fd = openat(d->at.dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_exit(e, EXITS_IO, -errno, "list %.200s", d->at.dir);
	(void)steal_fd(&fd);
	errno = 0;
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		if (belongs(entry->d_name, d))
			r = add_file(a, d, entry->d_name, e);
		errno = 0;
	}
	/* A list that was cut short may lack the key. */
	if (r == 0 && errno != 0)
		r = err_exit(e, EXITS_IO, -errno, "list %.200s", d->at.dir);
	(void)closedir(dir);
	return r;
}

/* The key has to be good: a damaged one would be found out where there is no snapshot of it. */
static int collect(struct archive *a, const struct state_dir *d, struct err *e)
{
	enum identity_origin origin;
	struct identity id = { 0 };
	int r = identity_load(&id, &origin, &d->at, false, e);

	identity_wipe(&id);
	*a = (struct archive) { .created_s = clock_now().unix_s };
	(void)snprintf(a->ifname, sizeof(a->ifname), "%s", d->at.ifname);
	if (r == -ENOENT)
		return err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
				"%.200s/%s.json does not exist: there is no node to export",
				d->at.dir, d->at.ifname);
	return r < 0 ? r : add_files(a, d, e);
}

static int seal(uint8_t **out, size_t *len, const struct crypto_part *plain,
		const struct settings *s, struct err *e)
{
	struct sealed_how how = { .effort = { SEALED_PASSES, SEALED_MEMORY } };
	struct passphrase p;
	struct crypto_part part;
	int r = passphrase_get(&p, s, true, e);

	if (r < 0)
		return r;
	crypto_random(how.salt, sizeof(how.salt));
	crypto_random(how.nonce, sizeof(how.nonce));
	if (isatty(STDERR_FILENO))
		state_say("making a key of the passphrase; that takes a moment");
	*len = sealed_size(plain->len);
	*out = malloc(*len);
	part = (struct crypto_part) { p.text, p.len };
	r = *out ? sealed_seal(*out, plain, &part, &how, e)
		 : err_set(e, -ENOMEM, "seal %zu bytes", plain->len);
	passphrase_wipe(&p);
	return r;
}

static int put(const char *file, const void *buf, size_t len, struct err *e)
{
	int r;

	if (strcmp(file, "-") != 0)
		return newfile_write(file, buf, len, e);
	r = io_write_full(STDOUT_FILENO, buf, len);
	return r < 0 ? err_exit(e, EXITS_IO, r, "write the export to standard output") : 0;
}

static int write_out(const struct archive *a, const char *file, const struct settings *s,
		     struct err *e)
{
	bool is_plain = settings_flag(s, SETTING_PLAIN);
	char *text = NULL;
	uint8_t *sealed = NULL;
	size_t sealed_len = 0;
	struct crypto_part plain;
	long len = archive_format(&text, a);
	int r = len < 0 ? err_set(e, (int)len, "write the export") : 0;

	plain = (struct crypto_part) { text, r == 0 ? (size_t)len : 0 };
	if (r == 0 && !is_plain)
		r = seal(&sealed, &sealed_len, &plain, s, e);
	if (r == 0)
		r = put(file, is_plain ? plain.data : sealed, is_plain ? plain.len : sealed_len, e);
	if (text)
		crypto_wipe(text, plain.len);
	free(text);
	free(sealed);
	return r;
}

/* A copy on the same volume dies with it. */
static bool lies_in_state_dir(const char *file, const struct state_dir *d)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(file, '/');
	struct stat target;
	struct stat state;

	str_cut(dir, sizeof(dir), slash ? file : ".", slash ? (size_t)(slash - file) + 1 : 1);
	return strcmp(file, "-") != 0 && stat(dir, &target) == 0 &&
	       fstat(d->at.dirfd, &state) == 0 && target.st_dev == state.st_dev &&
	       target.st_ino == state.st_ino;
}

static void report(const struct archive *a, const char *file, const struct state_dir *d,
		   const struct settings *s)
{
	char text[160];

	state_describe(text, &a->id);
	state_say("%zu file%s of %s exported to %s: %s", a->n, a->n == 1 ? "" : "s", d->at.ifname,
		  strcmp(file, "-") == 0 ? "standard output" : file, text);
	if (settings_flag(s, SETTING_PLAIN))
		state_say("it is not sealed: whoever reads it has this node's private key");
	if (lies_in_state_dir(file, d))
		state_say("it lies on the volume that it is a copy of: keep it somewhere else");
}

static int export_node(struct state_dir *d, const char *file, const struct settings *s,
		       struct err *e)
{
	struct archive a;
	int r = collect(&a, d, e);

	if (r == 0)
		r = write_out(&a, file, s, e);
	if (r == 0)
		report(&a, file, d, s);
	archive_fini(&a);
	return r < 0 ? state_fail(e) : EXITS_OK;
}

int state_export(int argc, char **argv)
{
	const char *file = NULL;
	struct state_dir d;
	struct settings s;
	struct err e = { 0 };
	int code = state_arguments(&s, &usage, argc, argv, &file);

	if (code != 0)
		return code - 1;
	if (strcmp(file, "-") == 0 && isatty(STDOUT_FILENO))
		return cli_usage_error("the export is not for a terminal; say `wgmesh state export "
				       "- > FILE`, or name a file");
	code = state_open(&d, &s, false, &e) < 0 ? state_fail(&e) : export_node(&d, file, &s, &e);
	state_close(&d);
	return code;
}
