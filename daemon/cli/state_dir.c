/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/state.h"
#include "daemon/config.h"
#include "daemon/state/snapshot.h"
#include "daemon/state/statedir.h"
#include "daemon/state/statelease.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int state_arguments(struct settings *s, const struct cli_usage *u, int argc, char **argv,
		    const char **argument)
{
	int code = EXITS_OK;
	int first = cli_parse(s, u, argc, argv, &code);
	int rest;

	if (first < 0)
		return code + 1;
	if (argument && first < argc) {
		*argument = argv[first++];
		rest = cli_parse_more(s, u, argc - first, argv + first, &code);
		if (rest < 0)
			return code + 1;
		first += rest;
	} else if (argument) {
		return cli_usage_error("say `%s %s`; --help has examples", u->name, u->synopsis) +
		       1;
	}
	if (first < argc)
		return cli_usage_error("%s takes no argument \"%.40s\"; --help has examples",
				       u->name, argv[first]) +
		       1;
	cli_log_init(s);
	return 0;
}

int state_open(struct state_dir *d, const struct settings *s, bool create, struct err *e)
{
	int r;

	*d = (struct state_dir) { .at = { .dirfd = -1, .dir = settings_text(s, SETTING_STATE_DIR) },
				  .init_lock = -1,
				  .daemon_lock = -1 };
	r = config_interface(&d->at.ifname, s, e);
	if (r < 0)
		return r;
	r = statedir_open(d->at.dir, create, e);
	d->at.dirfd = r;
	return r < 0 ? r : 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void state_close(struct state_dir *d)
{
	close_one(&d->daemon_lock);
	close_one(&d->init_lock);
	close_one(&d->at.dirfd);
}

static int lock_one(int *fd, const struct state_dir *d, const char *file, struct err *e)
{
	char holder[HOLDER_TEXT_SIZE];
	struct err why = { 0 };
	int r = statedir_lock(fd, d->at.dirfd, file, 0, &why);

	if (r == -EAGAIN) {
		(void)statedir_holder(holder, d->at.dirfd, file);
		return err_exit(
			e, EXITS_LOCKED, r,
			"the state directory %.120s is in use by %.120s: stop that node, then do "
			"this in a container of its own with the same volume",
			d->at.dir, holder);
	}
	if (r < 0)
		state_say("%s: %s; make sure that no node uses %s now", why.msg, strerror(-r),
			  d->at.dir);
	return 0;
}

/* Where locks reach no further than one host, a node elsewhere shows itself by its lease. */
static int watch_lease(const struct state_dir *d, const struct settings *s, struct err *e)
{
	/* Of the lease time two thirds are patience with a silent holder, as for wgmesh-init. */
	uint64_t silence_ms = settings_number(s, SETTING_LEASE_TIME) / 3 * 2;
	char holder[HOLDER_TEXT_SIZE];
	int r = statelease_watch(holder, d->at.dirfd, silence_ms);

	if (r < 0)
		return err_exit(e, EXITS_IO, r, "read the lease in %.200s", d->at.dir);
	if (r == STATELEASE_LIVE)
		return err_exit(
			e, EXITS_LOCKED, -EAGAIN,
			"the state directory %.120s is in use on another host, by %.120s: stop that "
			"node first",
			d->at.dir, holder);
	if (r == STATELEASE_SILENT)
		state_say("%s has the lease on %s, but gave no sign of life for %llu s", holder,
			  d->at.dir, (unsigned long long)(silence_ms / 1000));
	return 0;
}

int state_lock(struct state_dir *d, const struct settings *s, struct err *e)
{
	int r = lock_one(&d->init_lock, d, STATEDIR_INIT_LOCK, e);

	if (r == 0)
		r = lock_one(&d->daemon_lock, d, STATEDIR_DAEMON_LOCK, e);
	return r == 0 ? watch_lease(d, s, e) : r;
}

/* Errors of our own say everything in their sentence; the system's name adds nothing. */
static bool speaks_for_itself(int code)
{
	return code == -EINVAL || code == -EAGAIN || code == -EBADMSG || code == -EEXIST ||
	       code == -EPROTONOSUPPORT || code == -EKEYREJECTED || code == -ECANCELED;
}

int state_fail(const struct err *e)
{
	if (speaks_for_itself(e->code))
		state_say("%s", e->msg);
	else
		state_say("%s: %s", e->msg, strerror(-e->code));
	return e->exit_code ? e->exit_code : EXITS_IO;
}

void state_say(const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fputs("wgmesh: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* Prints @dir/@file in single quotes; the file may be NULL. */
static void print_quoted(const char *dir, const char *file)
{
	const char *parts[] = { dir, file ? "/" : "", file ? file : "" };

	(void)putchar('\'');
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (const char *p = parts[i]; *p; p++) {
			if (*p == '\'')
				(void)fputs("'\\''", stdout);
			else
				(void)putchar(*p);
		}
	}
	(void)putchar('\'');
}

void state_undo_restore(const struct state_dir *d, const char *snapshot)
{
	(void)printf("undo: wgmesh state restore --interface %s --state-dir ", d->at.ifname);
	print_quoted(d->at.dir, NULL);
	(void)printf(" %s\n", snapshot);
}

void state_undo_move(const struct state_dir *d, const char *kept, const char *file)
{
	(void)fputs("undo: mv -- ", stdout);
	print_quoted(d->at.dir, kept);
	(void)putchar(' ');
	print_quoted(d->at.dir, file);
	(void)putchar('\n');
}

void state_undo_remove(const struct state_dir *d, const char *file)
{
	(void)fputs("undo: rm -- ", stdout);
	print_quoted(d->at.dir, file);
	(void)putchar('\n');
}

/* There was no key. A snapshot that was there before is perhaps all that is left of it. */
static void undo_first_key(const struct state_dir *d, const char *key, const char *added)
{
	char path[sizeof(SNAPSHOT_DIR) + SNAPSHOT_NAME_SIZE];

	state_undo_remove(d, key);
	(void)snprintf(path, sizeof(path), SNAPSHOT_DIR "/%s", added);
	if (added[0] != '\0')
		state_undo_remove(d, path);
}

void state_undo_key(const struct state_dir *d, const struct identity_kept *kept)
{
	char path[sizeof(SNAPSHOT_DIR) + SNAPSHOT_NAME_SIZE];
	char key[32];

	(void)snprintf(key, sizeof(key), "%.15s.json", d->at.ifname);
	(void)snprintf(path, sizeof(path), SNAPSHOT_DIR "/%s", kept->snapshot);
	if (kept->is_good)
		state_undo_restore(d, kept->snapshot);
	else if (kept->snapshot[0] != '\0')
		state_undo_move(d, path, key);
	else
		undo_first_key(d, key, kept->added);
}

void state_describe(char out[static 160], const struct identity *id)
{
	char ip[IP_TEXT_SIZE];
	char key[45];
	bool has_ip = id->mesh_ip.family != 0;

	(void)snprintf(out, 160, "public key %s%s%s", wg_key_format(key, &id->public_key),
		       has_ip ? ", mesh address " : "", has_ip ? ip_format(ip, &id->mesh_ip) : "");
}
