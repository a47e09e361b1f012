/* SPDX-License-Identifier: MIT */
#include "init/process/user.h"
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/str.h"
#include "init/state/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UID_MAP "/proc/self/uid_map"
#define GID_MAP "/proc/self/gid_map"

static int parse_id(uint32_t *out, const char *text)
{
	uint64_t n = 0;
	/* The last number means "leave it" to chown(2) and setresuid(2). */
	int r = str_parse_u64(&n, text, 0, UINT32_MAX - 1);

	*out = (uint32_t)n;
	return r;
}

/* UID or UID:GID; without a group, the group of the same number. */
static int parse_user(struct config *c, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	char uid[16];

	str_cut(uid, sizeof(uid), text, colon ? (size_t)(colon - text) : strlen(text));
	if (parse_id(&c->wanted_uid, uid) < 0 ||
	    parse_id(&c->wanted_gid, colon ? colon + 1 : uid) < 0)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s=\"%.60s\" must be numbers such as 65532:65532; names are not "
				"looked up",
				settings_origin(&c->settings, SETTING_USER), text);
	return 0;
}

/* Return: false where there is no map to be read, which says nothing */
static bool read_map(const char *path, char out[static IDMAP_SIZE])
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read_bounded(fd, out, IDMAP_SIZE - 1);

	out[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

static bool is_mapped(const char *path, uint32_t id)
{
	char map[IDMAP_SIZE];

	return !read_map(path, map) || idmap_has(map, id);
}

bool user_is_mapped(uid_t uid)
{
	return is_mapped(UID_MAP, uid);
}

bool user_has_all(void)
{
	return is_mapped(UID_MAP, 0) && is_mapped(UID_MAP, UINT32_MAX - 1);
}

void user_explain_unmapped(uid_t uid, gid_t gid, char *out, size_t size)
{
	bool is_uid = !is_mapped(UID_MAP, uid);
	const char *path = is_uid ? UID_MAP : GID_MAP;
	char map[IDMAP_SIZE];
	char has[80];

	(void)read_map(path, map);
	idmap_describe(map, has, sizeof(has));
	(void)snprintf(out, size, "%s %u does not exist in this user namespace (%s has only: %s)",
		       is_uid ? "uid" : "gid", is_uid ? uid : gid, path, has);
}

static int refuse(const struct config *c, struct err *e)
{
	const char *origin = settings_origin(&c->settings, SETTING_USER);
	char why[200];

	if (!c->is_user_unmapped)
		return err_exit(
			e, EXITS_NO_PERMISSION, -EPERM,
			"%s asks for user %u:%u, but this process is %u:%u and has not both "
			"CAP_SETUID and CAP_SETGID; add them (cap_add: [SETUID, SETGID]) or "
			"start the container as that user",
			origin, c->wanted_uid, c->wanted_gid, geteuid(), getegid());
	user_explain_unmapped(c->wanted_uid, c->wanted_gid, why, sizeof(why));
	return err_exit(e, EXITS_NO_PERMISSION, -EINVAL,
			"%s asks for user %u:%u, but %s; ask for a user that is there, or have "
			"more mapped (/etc/subuid and /etc/subgid of whoever runs the engine)",
			origin, c->wanted_uid, c->wanted_gid, why);
}

int user_choose(struct config *c, struct err *e)
{
	bool is_given = settings_is_given(&c->settings, SETTING_USER);
	int r = parse_user(c, settings_text(&c->settings, SETTING_USER), e);

	if (r < 0)
		return r;
	c->uid = c->wanted_uid;
	c->gid = c->wanted_gid;
	if (c->is_plain && !is_given)
		return 0;
	c->confine = true;
	if (c->uid == geteuid() && c->gid == getegid())
		return 0;
	c->is_user_unmapped = !is_mapped(UID_MAP, c->uid) || !is_mapped(GID_MAP, c->gid);
	c->may_change_user = !c->is_user_unmapped && caps_has(CAP_SETUID) && caps_has(CAP_SETGID);
	if (c->may_change_user)
		return 0;
	if (is_given)
		return refuse(c, e);
	c->uid = geteuid();
	c->gid = getegid();
	return 0;
}
