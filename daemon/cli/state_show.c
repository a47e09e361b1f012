/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/str.h"
#include "daemon/cli/state.h"
#include "daemon/state/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct cli_usage usage = {
	.name = "wgmesh state show",
	.synopsis = "FILE...",
	.about =
		"Prints the public key of each key file, a line \"FILE KEY\", or \"FILE -\" for one that\n"
		"is none. A FILE \"fd:N\" is what is open as descriptor N.\n\n"
		"  wgmesh state show /var/lib/wgmesh/wg0.json /data/wg0.json\n",
	.scope = SCOPE_STATE_SHOW,
};

/* A descriptor that was inherited: what it leads to may be readable for others only. */
static int read_descriptor(struct identity *out, const char *number, struct err *e)
{
	char text[IDENTITY_FILE_MAX + 1];
	uint64_t fd = 0;
	ssize_t n;
	int r = str_parse_u64(&fd, number, 0, INT_MAX);

	if (r < 0)
		return err_set(e, r, "is no descriptor's number");
	n = io_read_bounded((int)fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_set(e, (int)n, "cannot be read: %s", strerror((int)-n));
	r = identity_parse(out, text, (size_t)n, e);
	crypto_wipe(text, sizeof(text));
	return r;
}

static int read_key(struct identity *out, const char *file, struct err *e)
{
	int r;

	if (strncmp(file, "fd:", 3) == 0)
		return read_descriptor(out, file + 3, e);
	r = identity_read_file(out, AT_FDCWD, file, e);
	return r == -ENOENT ? err_set(e, r, "does not exist") : r;
}

static int show(const char *file)
{
	char visible[PATH_MAX];
	char key[45] = "-";
	struct identity id = { 0 };
	struct err e = { 0 };
	int r = read_key(&id, file, &e);

	(void)str_visible(visible, sizeof(visible), file);
	if (r < 0)
		log_event(EVENT_STATE_FILE_UNREADABLE, NULL, "%s %s", visible, e.msg);
	else
		(void)wg_key_format(key, &id.public_key);
	(void)printf("%s %s\n", visible, key);
	identity_wipe(&id);
	return r < 0 ? EXITS_FAILURE : EXITS_OK;
}

int state_show(int argc, char **argv)
{
	struct settings s;
	int code = EXITS_OK;
	int first = cli_parse(&s, &usage, argc, argv, &code);

	if (first < 0)
		return code;
	if (first == argc)
		return cli_usage_error("say whose key: `wgmesh state show FILE...`");
	cli_log_init(&s);
	for (int i = first; i < argc; i++)
		if (show(argv[i]) != EXITS_OK)
			code = EXITS_FAILURE;
	return code;
}
