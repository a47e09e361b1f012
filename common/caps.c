/* SPDX-License-Identifier: MIT */
#include "common/caps.h"
#include "common/defs.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * Of what <sys/capability.h> declares, this uses capget(2) and capset(2), which are in the C library.
 * Any function of libcap's own would bring all of them into PID 1, with a constructor that makes
 * half a dozen system calls before main(), and with memory to allocate, which can fail.
 */
struct sets {
	struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3];
};

static int read_sets(struct sets *s)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return capget(&header, s->half) < 0 ? -errno : 0;
}

static int write_sets(struct sets *s)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return capset(&header, s->half) < 0 ? -errno : 0;
}

bool caps_has(cap_value_t cap)
{
	struct sets now = { 0 };

	return read_sets(&now) == 0 &&
	       (now.half[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap)) != 0;
}

bool caps_has_bound(cap_value_t cap)
{
	return prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
}

void caps_raise(void)
{
	struct sets now = { 0 };
	bool is_needed = false;

	if (read_sets(&now) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(now.half); i++) {
		is_needed = is_needed || now.half[i].effective != now.half[i].permitted;
		now.half[i].effective = now.half[i].permitted;
	}
	if (is_needed)
		(void)write_sets(&now);
}

/* What is permitted now, and only that, can be kept. */
static void add_held(struct sets *set, const struct sets *now, cap_value_t cap, bool inheritable)
{
	int i = CAP_TO_INDEX(cap);
	uint32_t held = now->half[i].permitted & CAP_TO_MASK(cap);

	set->half[i].permitted |= held;
	set->half[i].effective |= held;
	if (inheritable)
		set->half[i].inheritable |= held;
}

static int set_exactly(const cap_value_t *keep, size_t n, bool inheritable, struct err *e)
{
	struct sets now = { 0 };
	struct sets set = { 0 };
	int r = read_sets(&now);

	if (r < 0)
		return err_set(e, r, "read the capabilities of this process");
	for (size_t i = 0; i < n; i++)
		add_held(&set, &now, keep[i], inheritable);
	r = write_sets(&set);
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

/* The kernel may know more capabilities than its headers did: it refuses the first that is none. */
void caps_reduce_bound(const cap_value_t *keep, size_t n)
{
	int is_in_set;

	if (!caps_has(CAP_SETPCAP))
		return;
	for (cap_value_t cap = 0; (is_in_set = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) >= 0; cap++)
		if (is_in_set && !is_listed(keep, n, cap))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
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
