/* SPDX-License-Identifier: MIT */
/*
 * statetool - one operation on a state directory, by the modules of the programs themselves
 *
 *   statetool serve DIR      what a start does: load, restore or make the key; print the public key
 *   statetool save DIR       a changed mesh address
 *   statetool snapshot DIR   a snapshot of the key in place
 *   statetool cache DIR FILE the peer cache, from the contents of FILE
 *   statetool state ARG...   `wgmesh state ARG...`
 *   statetool in-place DIR, statetool unsynced DIR
 *                            make a key as it must not be made, to prove that somebody notices
 *
 * It is linked statically, so that the first system call that touches a file is one of ours: the
 * sweeps of tests/fault fail each call in turn. Exit codes: those of common/exits.h.
 */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "daemon/cli/cli.h"
#include "daemon/state/identity.h"
#include "daemon/state/peercache.h"
#include "daemon/state/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IFNAME "wg0"
#define KEY    IFNAME ".json"
#define CACHE  IFNAME "-peers.json"

typedef int verb_fn(const struct identity_place *at, const char *arg, struct err *e);

static int print_key(const struct identity *id)
{
	char key[45];

	return puts(wg_key_format(key, &id->public_key)) < 0 || fflush(stdout) != 0 ? -errno : 0;
}

static void set_address(struct identity *id, uint8_t last)
{
	id->mesh_ip = (struct ip) { .family = AF_INET, .b = { 10, 99, 0, last } };
}

/* As the daemon does at its start (netadmin_setup.c), short of the interface. */
static int serve(const struct identity_place *at, const char *arg, struct err *e)
{
	enum identity_origin origin;
	struct identity id;
	int r = identity_load(&id, &origin, at, true, e);

	(void)arg;
	if (r == -ENOENT) {
		identity_generate(&id);
		set_address(&id, 1);
		r = identity_create(&id, at, e);
		if (r < 0 && e->exit_code == 0)
			e->exit_code = EXITS_CANNOT_CREATE;
	}
	if (r == 0)
		(void)print_key(&id);
	identity_wipe(&id);
	return r;
}

static int save(const struct identity_place *at, const char *arg, struct err *e)
{
	struct identity id;
	int r = identity_read_file(&id, at->dirfd, KEY, e);

	(void)arg;
	if (r == 0) {
		set_address(&id, 2);
		r = identity_save(&id, at, e);
	}
	identity_wipe(&id);
	return r;
}

static int snapshot(const struct identity_place *at, const char *arg, struct err *e)
{
	struct identity id;
	int r = identity_read_file(&id, at->dirfd, KEY, e);

	(void)arg;
	if (r == 0)
		r = snapshot_take(NULL, &id, at->dirfd, at->ifname, e);
	identity_wipe(&id);
	return r;
}

/* As netadmin does with what the mesh process hands over. */
static int cache(const struct identity_place *at, const char *arg, struct err *e)
{
	auto_close int fd = open(arg, O_RDONLY | O_CLOEXEC);
	auto_free char *buf = malloc(PEERCACHE_FILE_MAX);
	struct cached_peer *peers = NULL;
	size_t n = 0;
	ssize_t len;
	int r;

	if (fd < 0 || !buf)
		return err_set(e, -errno, "open %.200s", arg);
	len = io_read_bounded(fd, buf, PEERCACHE_FILE_MAX);
	if (len < 0)
		return err_set(e, (int)len, "read %.200s", arg);
	r = peercache_parse(&peers, &n, buf, (size_t)len, 0, INT64_MAX);
	free(peers);
	if (r < 0)
		return err_set(e, r, "%.200s is no peer cache", arg);
	return statefile_replace(at->dirfd, CACHE, buf, (size_t)len, e);
}

/* A new key's text; the caller wipes nothing, since nobody will ever use it. */
static long make_text(char *text, size_t size)
{
	struct identity id;
	long len;

	identity_generate(&id);
	len = identity_format(text, size, &id);
	(void)print_key(&id);
	identity_wipe(&id);
	return len;
}

static int write_badly(const struct identity_place *at, const char *name, struct err *e)
{
	char text[IDENTITY_FILE_MAX];
	long len = make_text(text, sizeof(text));
	auto_close int fd = openat(at->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (len < 0 || fd < 0 || write(fd, text, (size_t)len) < 0)
		return err_set(e, -errno, "write %s", name);
	return 0;
}

static int in_place(const struct identity_place *at, const char *arg, struct err *e)
{
	(void)arg;
	return write_badly(at, KEY, e);
}

static int unsynced(const struct identity_place *at, const char *arg, struct err *e)
{
	int r = write_badly(at, "." KEY ".new", e);

	(void)arg;
	if (r == 0 && renameat(at->dirfd, "." KEY ".new", at->dirfd, KEY) < 0)
		r = err_set(e, -errno, "rename " KEY);
	return r;
}

static const struct {
	const char *name;
	verb_fn *run;
	int args;
} verbs[] = {
	{ "serve", serve, 0 }, { "save", save, 0 },	    { "snapshot", snapshot, 0 },
	{ "cache", cache, 1 }, { "in-place", in_place, 0 }, { "unsynced", unsynced, 0 },
};

static int fail(const char *verb, const char *dir, const struct err *e)
{
	log_event(EVENT_NODE_FAILED, NULL, "%s of %.100s failed: %s: %s", verb, dir, e->msg,
		  strerror(-e->code));
	return e->exit_code ? e->exit_code : EXITS_IO;
}

static int run(verb_fn *verb, char **argv)
{
	struct identity_place at = { .dir = argv[2], .ifname = IFNAME };
	struct err e = { 0 };
	auto_close int fd = -1;
	int r;

	/* As the daemon does with a directory that is not there yet. */
	if (mkdir(argv[2], 0700) < 0 && errno != EEXIST)
		r = err_exit(&e, EXITS_CANNOT_CREATE, -errno, "make the directory");
	else if ((fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		r = err_exit(&e, EXITS_CANNOT_CREATE, -errno, "open the directory");
	else
		r = 0;
	at.dirfd = fd;
	if (r == 0)
		r = verb(&at, argv[3], &e);
	return r < 0 ? fail(argv[1], argv[2], &e) : EXITS_OK;
}

int main(int argc, char **argv)
{
	(void)log_init("statetool", LOG_FORMAT_TEXT, NULL);
	if (argc > 1 && strcmp(argv[1], "state") == 0)
		return cli_state(argc - 2, argv + 2);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (argc == 3 + verbs[i].args && strcmp(argv[1], verbs[i].name) == 0)
			return run(verbs[i].run, argv);
	(void)fputs("usage: statetool serve|save|snapshot|in-place|unsynced DIR | "
		    "cache DIR FILE | state ARG...\n",
		    stderr);
	return EXITS_USAGE;
}
