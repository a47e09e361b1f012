/* SPDX-License-Identifier: MIT */
/*
 * marktool - what wgmesh-init keeps in a state directory, one change a run
 *
 *   marktool history DIR     one more ending in the history of starts
 *   marktool boot DIR        one more start in the volume's marker
 *   marktool served DIR KEY  the public key that is served, in the marker
 *
 * Static, for the sweeps of tests/fault, as statetool is. Exit codes: those of common/exits.h.
 */
#include "common/defs.h"
#include "common/exits.h"
#include "common/log.h"
#include "common/str.h"
#include "init/supervise/history.h"
#include "init/volume/markfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IFNAME	 "wg0"
#define NOW_S	 1700000000
#define UPTIME_S 10

static int history(int dirfd, const char *arg)
{
	struct history_record record = {
		.entry = { .ended_s = NOW_S,
			   .boot_s = NOW_S - UPTIME_S,
			   .code = 1,
			   .run_ms = UPTIME_S * 1000,
			   .cause = "unknown" },
		.dirfd = dirfd,
	};

	(void)arg;
	return history_record(&record) == EXITS_OK ? 0 : -EIO;
}

static int boot(int dirfd, const char *arg)
{
	struct markfile_start start = {
		.dirfd = dirfd,
		.id = { 1 },
		.facts = { .verdict = VERDICT_PERSISTENT,
			   .ifname = IFNAME,
			   .self = { .at_s = NOW_S, .image = "1" } },
	};

	(void)arg;
	markfile_start(&start);
	return start.error;
}

static int served(int dirfd, const char *arg)
{
	struct marker_key key = { .ifname = IFNAME };
	struct proof proof = { .is_marked = true };
	int r = str_copy(key.public_key, sizeof(key.public_key), arg);

	if (r == 0)
		r = markfile_load(&proof.marker, dirfd);
	return r == 0 ? markfile_note_served(dirfd, &proof, &key) : r;
}

static const struct {
	const char *name;
	int (*run)(int dirfd, const char *arg);
	int args;
} verbs[] = { { "history", history, 0 }, { "boot", boot, 0 }, { "served", served, 1 } };

static int run(int (*verb)(int dirfd, const char *arg), char **argv)
{
	auto_close int fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : verb(fd, argv[3]);

	if (r == 0)
		return EXITS_OK;
	log_event(EVENT_NODE_FAILED, NULL, "%s of %.200s failed, and changed nothing: %s", argv[1],
		  argv[2], strerror(-r));
	return EXITS_IO;
}

int main(int argc, char **argv)
{
	(void)log_init("marktool", LOG_FORMAT_TEXT, NULL);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (argc == 3 + verbs[i].args && strcmp(argv[1], verbs[i].name) == 0)
			return run(verbs[i].run, argv);
	(void)fputs("usage: marktool history|boot DIR | served DIR KEY\n", stderr);
	return EXITS_USAGE;
}
