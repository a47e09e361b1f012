/* SPDX-License-Identifier: MIT */
/* identity_dir - a state directory of its own for a test, and what is asked of the key in it */
#ifndef TESTS_UNIT_IDENTITY_DIR_H
#define TESTS_UNIT_IDENTITY_DIR_H

#include "common/exits.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "daemon/state/identity.h"
#include "daemon/state/snapshot.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD                                                                        \
	"{\n  \"wg_pubkey\": \"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\",\n"   \
	"  \"wg_private_key\": \"4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw=\",\n" \
	"  \"mesh_ip\": \"10.77.3.4\",\n"                                           \
	"  \"mesh_ipv6\": \"fd12:3456:789a:bcde:2:3:4:5\"\n}"
#define OTHER                                                                     \
	"{\n  \"wg_pubkey\": \"o4udK4FiJwuKI2lrOwgd4OHJVl1h5If0CwlKiJJ16QE=\",\n" \
	"  \"wg_private_key\": \"ONniKxrphR8sIfb3Etz0wWEH+hvOW24PDb5sbQ96NUA=\"\n}"

#define FIRST_SNAPSHOT	".snapshots/wg0.json.00000000000000000001"
#define SECOND_SNAPSHOT ".snapshots/wg0.json.00000000000000000002"
#define DAMAGED		".snapshots/wg0.json.damaged-1"

static char dir[64];
static int dirfd_ = -1;

static inline int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/identity.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0 ? -1 : 0;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int remove_dir(void **state)
{
	(void)state;
	(void)close(dirfd_);
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void put(const char *name, const void *text, size_t len)
{
	int fd = openat(dirfd_, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, len), 0);
	(void)close(fd);
}

static inline void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static inline void assert_file(const char *name, const char *want)
{
	char text[IDENTITY_FILE_MAX + 1];

	assert_int_equal(statefile_read(dirfd_, name, text, sizeof(text), NULL), strlen(want));
	assert_string_equal(text, want);
}

static inline bool exists(const char *name)
{
	return faccessat(dirfd_, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void make_snapshot_dir(void)
{
	assert_int_equal(mkdirat(dirfd_, SNAPSHOT_DIR, 0700), 0);
}

#define PLACE(name) ((struct identity_place) { dirfd_, dir, (name) })

static inline int create(struct identity *out, struct err *e)
{
	identity_generate(out);
	return identity_create(out, &PLACE("wg0"), e);
}

static inline int load(bool repair, enum identity_origin *origin, struct err *e)
{
	struct identity id;
	return identity_load(&id, origin, &PLACE("wg0"), repair, e);
}

static inline void assert_loads(enum identity_origin want)
{
	enum identity_origin origin = IDENTITY_CREATED;
	struct err e = { 0 };

	if (load(true, &origin, &e) != 0)
		fail_msg("not loaded: %s", e.msg);
	assert_int_equal(origin, want);
}

static inline void assert_refused(bool repair, const char *part)
{
	enum identity_origin origin;
	struct err e = { 0 };

	assert_int_equal(load(repair, &origin, &e), -EBADMSG);
	assert_int_equal(e.exit_code, EXITS_STATE_DAMAGED);
	assert_non_null(strstr(e.msg, dir));
	if (!strstr(e.msg, part))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, part);
}

#endif /* TESTS_UNIT_IDENTITY_DIR_H */
