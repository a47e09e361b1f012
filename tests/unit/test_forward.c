/* SPDX-License-Identifier: MIT */
#include "daemon/admin/forward.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/netns.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_NAME ".wgmesh.forward-wg9"

/**
 * struct fixture - A machine with the mesh's interface wg9, a site behind site9, and nothing forwarded
 * @dir:	State directory
 */
struct fixture {
	struct rtnl *rtnl;
	struct forward f;
	char dir[32];
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static int value_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &c, 1), 1);
	(void)close(fd);
	return c - '0';
}

#define CONF4(name) "/proc/sys/net/ipv4/conf/" name "/forwarding"
#define ALL6	    "/proc/sys/net/ipv6/conf/all/forwarding"

static void begin(struct fixture *f, bool was_adopted)
{
	struct rtnl_link link;

	if (f->f.dirfd >= 0)
		(void)close(f->f.dirfd);
	assert_int_equal(rtnl_link_get(f->rtnl, "wg9", &link, NULL), 0);
	f->f = (struct forward) { .rtnl = f->rtnl,
				  .dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				  .ifname = "wg9",
				  .ifindex = link.index,
				  .has_ip6 = true };
	assert_true(f->f.dirfd >= 0);
	forward_begin(&f->f, was_adopted);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->f.dirfd = -1;
	(void)snprintf(f->dir, sizeof(f->dir), "/run/state-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	write_file("/proc/sys/net/ipv4/ip_forward", "0");
	write_file(ALL6, "0");
	NETNS_IP("link", "add", "wg9", "type", "bridge");
	NETNS_IP("link", "add", "site9", "type", "bridge");
	NETNS_IP("link", "set", "wg9", "up");
	NETNS_IP("link", "set", "site9", "up");
	NETNS_IP("address", "add", "192.168.77.1/24", "dev", "site9");
	NETNS_IP("address", "add", "fd77::1/64", "dev", "site9", "nodad");
	assert_int_equal(rtnl_open(&f->rtnl, NULL), 0);
	begin(f, false);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	forward_undo(&f->f);
	NETNS_IP("link", "delete", "wg9");
	NETNS_IP("link", "delete", "site9");
	rtnl_close(f->rtnl);
	(void)unlinkat(f->f.dirfd, FILE_NAME, 0);
	(void)close(f->f.dirfd);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static struct forward_found apply(struct fixture *f, const char *a, const char *b, bool mesh)
{
	struct forward_want want = { .mesh = mesh };
	struct forward_found found = { .n_notes = 0 };

	if (a)
		want.net[want.n++] = prefix_of(a);
	if (b)
		want.net[want.n++] = prefix_of(b);
	forward_apply(&f->f, &want, &found);
	return found;
}

static bool is_noted(const struct fixture *f)
{
	struct stat st;

	return fstatat(f->f.dirfd, FILE_NAME, &st, 0) == 0;
}

static void what_is_switched_on_is_switched_back(void **state)
{
	struct fixture *f = *state;
	struct forward_found found = apply(f, "192.168.77.0/24", "fd77::/64", false);

	assert_true(found.v4 && found.v6);
	assert_int_equal(found.n_notes, 0);
	assert_int_equal(value_of(CONF4("wg9")), 1);
	assert_int_equal(value_of(CONF4("site9")), 1);
	assert_int_equal(value_of(ALL6), 1);
	assert_true(is_noted(f));
	forward_undo(&f->f);
	assert_int_equal(value_of(CONF4("wg9")), 0);
	assert_int_equal(value_of(CONF4("site9")), 0);
	assert_int_equal(value_of(ALL6), 0);
	assert_false(is_noted(f));
}

static void what_was_on_before_stays_on(void **state)
{
	struct fixture *f = *state;

	write_file("/proc/sys/net/ipv4/ip_forward", "1");
	write_file(ALL6, "1");
	(void)apply(f, "192.168.77.0/24", "fd77::/64", true);
	forward_undo(&f->f);
	assert_int_equal(value_of(CONF4("wg9")), 1);
	assert_int_equal(value_of(CONF4("site9")), 1);
	assert_int_equal(value_of(ALL6), 1);
}

static void a_later_run_knows_what_a_crashed_one_has_switched(void **state)
{
	struct fixture *f = *state;

	(void)apply(f, "192.168.77.0/24", "fd77::/64", false);
	begin(f, true);
	(void)apply(f, "192.168.77.0/24", "fd77::/64", false);
	begin(f, true);
	forward_undo(&f->f);
	assert_int_equal(value_of(CONF4("wg9")), 0);
	assert_int_equal(value_of(CONF4("site9")), 0);
	assert_int_equal(value_of(ALL6), 0);
	assert_false(is_noted(f));
}

/* Without the note nobody would ever know again. */
static void what_could_not_be_undone_stays_noted_and_is_undone_later(void **state)
{
	struct fixture *f = *state;

	(void)apply(f, "192.168.77.0/24", "fd77::/64", false);
	assert_int_equal(mount("/dev/full", ALL6, NULL, MS_BIND, NULL), 0);
	forward_undo(&f->f);
	assert_int_equal(umount(ALL6), 0);
	assert_int_equal(value_of(CONF4("site9")), 0);
	assert_int_equal(value_of(ALL6), 1);
	assert_true(is_noted(f));
	begin(f, false);
	forward_undo(&f->f);
	assert_int_equal(value_of(ALL6), 0);
	assert_false(is_noted(f));
}

static void between_peers_only_our_own_interface_forwards(void **state)
{
	struct fixture *f = *state;
	struct forward_found found = apply(f, NULL, NULL, true);

	assert_true(found.v4 && found.v6);
	assert_int_equal(value_of(CONF4("wg9")), 1);
	assert_int_equal(value_of(CONF4("site9")), 0);
}

static void what_is_no_longer_wanted_is_switched_back_at_once(void **state)
{
	struct fixture *f = *state;

	(void)apply(f, "192.168.77.0/24", NULL, true);
	assert_int_equal(value_of(CONF4("site9")), 1);
	(void)apply(f, NULL, NULL, true);
	assert_int_equal(value_of(CONF4("site9")), 0);
	assert_int_equal(value_of(CONF4("wg9")), 1);
}

/* It would ignore the router from then on, and lose its way out when the route's time is over. */
static void a_machine_that_learns_its_routes_keeps_them(void **state)
{
	struct fixture *f = *state;
	struct forward_found found;

	NETNS_IP("-6", "route", "add", "default", "via", "fd77::2", "dev", "site9", "proto", "ra");
	found = apply(f, "192.168.77.0/24", "fd77::/64", false);
	assert_true(found.v4);
	assert_false(found.v6);
	assert_int_equal(value_of(ALL6), 0);
	assert_int_equal(found.n_notes, 1);
	assert_non_null(strstr(found.note[0], "accept_ra=2"));
}

static void without_a_place_for_the_note_only_our_own_interface_is_switched(void **state)
{
	struct fixture *f = *state;
	struct forward_found found;

	assert_int_equal(rmdir(f->dir), 0);
	found = apply(f, "192.168.77.0/24", NULL, true);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(value_of(CONF4("wg9")), 1);
	assert_int_equal(value_of(CONF4("site9")), 0);
	assert_false(found.v4);
	assert_true(found.n_notes > 0);
	assert_non_null(strstr(found.note[0], "state directory"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_switched_on_is_switched_back),
		T(what_was_on_before_stays_on),
		T(a_later_run_knows_what_a_crashed_one_has_switched),
		T(what_could_not_be_undone_stays_noted_and_is_undone_later),
		T(between_peers_only_our_own_interface_forwards),
		T(what_is_no_longer_wanted_is_switched_back_at_once),
		T(a_machine_that_learns_its_routes_keeps_them),
		T(without_a_place_for_the_note_only_our_own_interface_is_switched),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
