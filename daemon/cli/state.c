/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "daemon/cli/cli.h"
#include "daemon/config.h"
#include "daemon/identity.h"
#include "daemon/peercache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const struct cli_usage usage = {
	.name = "wgmesh state",
	.synopsis = "verify [--repair]",
	.about =
		"Checks the files of the state directory. With --repair, a damaged key file is restored\n"
		"from its newest good snapshot; the damaged one is kept. Exit code 65 means that the key\n"
		"is lost unless you have a backup: nothing will make a new one behind your back.\n\n"
		"  wgmesh state verify --state-dir /var/lib/wgmesh\n",
	.scope = SCOPE_STATE,
};

struct check {
	const struct settings *s;
	const char *dir;
	const char *ifname;
	int dirfd;
};

static int check_key(const struct check *c)
{
	enum identity_origin origin = IDENTITY_LOADED;
	struct identity id;
	struct err e = { 0 };
	char key[45];
	const struct identity_place at = { c->dirfd, c->dir, c->ifname };
	int r = identity_load(&id, &origin, &at, settings_flag(c->s, SETTING_REPAIR), &e);

	if (r == -ENOENT) {
		log_info("state", "%s/%s.json: none yet; the node's first start makes it", c->dir,
			 c->ifname);
		return EXITS_OK;
	}
	if (r < 0 && settings_flag(c->s, SETTING_NEW_IDENTITY)) {
		log_warn("state", "%s; a new key will be made, since --new-identity was given",
			 e.msg);
		return EXITS_OK;
	}
	if (r < 0) {
		log_error("state", "%s", e.msg);
		return e.exit_code ? e.exit_code : EXITS_IO;
	}
	(void)wg_key_format(key, &id.public_key);
	log_event(origin == IDENTITY_RESTORED ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "state",
		  LOG_FIELDS({ "public_key", key }), "%s/%s.json: %s%s", c->dir, c->ifname,
		  origin == IDENTITY_RESTORED ? "restored from a snapshot: " : "good",
		  origin == IDENTITY_RESTORED ? e.msg : "");
	identity_wipe(&id);
	return EXITS_OK;
}

/* A lost cache is an inconvenience, not damage: peers are found again. */
static void check_cache(const struct check *c)
{
	char name[NAME_MAX + 1];
	struct cached_peer *peers = NULL;
	size_t n = 0;
	ssize_t len;
	auto_close int fd = -1;
	auto_free char *buf = malloc(PEERCACHE_FILE_MAX);

	(void)snprintf(name, sizeof(name), "%s-peers.json", c->ifname);
	fd = openat(c->dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (!buf || fd < 0)
		return;
	len = io_read_bounded(fd, buf, PEERCACHE_FILE_MAX);
	if (len < 0 || peercache_parse(&peers, &n, buf, (size_t)len, 0, INT64_MAX) < 0)
		log_warn("state", "%s/%s: damaged; peers will be discovered anew", c->dir, name);
	else
		log_info("state", "%s/%s: good, %zu peers", c->dir, name, n);
	free(peers);
}

static int verify(const struct settings *s)
{
	struct check c = { .s = s, .dir = settings_text(s, SETTING_STATE_DIR) };
	struct err e = { 0 };
	auto_close int fd = -1;
	int code;

	if (config_interface(&c.ifname, s, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	fd = open(c.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		int r = err_exit(&e, errno == EACCES ? EXITS_NO_PERMISSION : EXITS_IO, -errno,
				 "state directory %s cannot be opened", c.dir);

		log_error("state", "%s: %s", e.msg, strerror(-r));
		return e.exit_code;
	}
	c.dirfd = fd;
	code = check_key(&c);
	check_cache(&c);
	return code;
}

int cli_state(int argc, char **argv)
{
	struct settings s;
	int code = EXITS_OK;
	int first;

	if (argc >= 1 && strcmp(argv[0], "show") == 0)
		return cli_state_show(argc - 1, argv + 1);
	if (argc < 1 || strcmp(argv[0], "verify") != 0) {
		first = cli_parse(&s, &usage, argc, argv, &code);
		return first < 0 ? code : cli_usage_error("say `wgmesh state verify`");
	}
	if (cli_parse(&s, &usage, argc - 1, argv + 1, &code) < 0)
		return code;
	cli_log_init(&s);
	return verify(&s);
}
