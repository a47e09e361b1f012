/* SPDX-License-Identifier: MIT */
#include "common/caps.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/xattr.h>
#include <unistd.h>

static void free_caps(const cap_t *caps)
{
	if (*caps)
		(void)cap_free(*caps);
}

#define auto_caps __attribute__((cleanup(free_caps)))

static bool has_in(cap_flag_t set, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;
	auto_caps cap_t caps = cap_get_proc();

	return caps && cap_get_flag(caps, cap, set, &value) == 0 && value == CAP_SET;
}

bool caps_has(cap_value_t cap)
{
	return has_in(CAP_EFFECTIVE, cap);
}

bool caps_may(cap_value_t cap)
{
	return has_in(CAP_PERMITTED, cap);
}

bool caps_has_bound(cap_value_t cap)
{
	return cap_get_bound(cap) == 1;
}

/*
 * struct vfs_cap_data of capabilities(7), all little-endian: a word of flags, then the low halves of
 * the permitted and the inheritable set.
 */
bool caps_has_file(const char *path, cap_value_t cap)
{
	uint8_t data[64];
	ssize_t n = getxattr(path, "security.capability", data, sizeof(data));

	if (n < 8)
		return false;
	return (data[4 + cap / 8] >> (cap % 8)) & 1;
}

bool caps_is_network_foreign(void)
{
	auto_close int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	auto_close int owner = net < 0 ? -1 : ioctl(net, NS_GET_USERNS);

	return net >= 0 && owner < 0 && errno == EPERM;
}

void caps_raise(void)
{
	auto_caps cap_t caps = cap_get_proc();

	if (caps && cap_fill(caps, CAP_EFFECTIVE, CAP_PERMITTED) == 0)
		(void)cap_set_proc(caps);
}

/* Is the capability permitted now, so that it can be kept? */
static bool is_permitted(cap_t now, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return cap_get_flag(now, cap, CAP_PERMITTED, &value) == 0 && value == CAP_SET;
}

static int add_held(cap_t set, cap_t now, const cap_value_t *keep, size_t n, bool inheritable)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_permitted(now, keep[i]))
			continue;
		if (cap_set_flag(set, CAP_PERMITTED, 1, &keep[i], CAP_SET) < 0 ||
		    cap_set_flag(set, CAP_EFFECTIVE, 1, &keep[i], CAP_SET) < 0)
			return -errno;
		if (inheritable && cap_set_flag(set, CAP_INHERITABLE, 1, &keep[i], CAP_SET) < 0)
			return -errno;
	}
	return 0;
}

static int set_exactly(const cap_value_t *keep, size_t n, bool inheritable, struct err *e)
{
	auto_caps cap_t now = cap_get_proc();
	auto_caps cap_t set = cap_init();
	int r;

	if (!now || !set)
		return err_set(e, -ENOMEM, "read the capabilities of this process");
	r = add_held(set, now, keep, n, inheritable);
	if (r == 0 && cap_set_proc(set) < 0)
		r = -errno;
	return r < 0 ? err_set(e, r, "reduce the capabilities of this process") : 0;
}

int caps_keep_only(const cap_value_t *keep, size_t n, struct err *e)
{
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set_exactly(keep, n, false, e);
}

static bool is_listed(const cap_value_t *keep, size_t n, cap_value_t cap)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == cap)
			return true;
	return false;
}

/* The kernel may know more capabilities than the library does: it refuses the first that is none. */
void caps_reduce_bound(const cap_value_t *keep, size_t n)
{
	if (!caps_has(CAP_SETPCAP))
		return;
	for (cap_value_t cap = 0; cap < 64; cap++)
		if (!is_listed(keep, n, cap) && cap_drop_bound(cap) < 0 && errno == EINVAL)
			return;
}

static int change_user(uid_t uid, gid_t gid, struct err *e)
{
	/* A user namespace may forbid it for good, which does no harm where there are none. */
	if (setgroups(0, NULL) < 0 && geteuid() != uid && getgroups(0, NULL) != 0)
		return err_set(e, -errno, "give up supplementary groups (needs CAP_SETGID)");
	if (getegid() != gid && setresgid(gid, gid, gid) < 0)
		return err_set(e, -errno, "become group %u (needs CAP_SETGID)", gid);
	if (geteuid() != uid && setresuid(uid, uid, uid) < 0)
		return err_set(e, -errno, "become user %u (needs CAP_SETUID)", uid);
	return 0;
}

int caps_become(uid_t uid, gid_t gid, const cap_value_t *keep, size_t n, struct err *e)
{
	int r;

	caps_reduce_bound(keep, n);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "keep capabilities across the change of user");
	r = change_user(uid, gid, e);
	if (r < 0)
		return r;
	r = set_exactly(keep, n, true, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (caps_has(keep[i]) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, keep[i], 0, 0) < 0)
			r = err_set(e, -errno, "make a capability ambient (PR_CAP_AMBIENT)");
	return r;
}
