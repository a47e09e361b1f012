/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/caps.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Capabilities only go down, so each test gives its own up in a child. */
static void in_child(int (*run)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CHECK(n, claim)           \
	do {                      \
		if (!(claim))     \
			return n; \
	} while (0)

static bool is_ambient(cap_value_t cap)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1;
}

static int keep_one(void)
{
	const cap_value_t keep[] = { CAP_KILL };

	CHECK(1, caps_has(CAP_KILL) && caps_has(CAP_CHOWN));
	CHECK(2, caps_keep_only(keep, 1, NULL) == 0);
	CHECK(3, caps_has(CAP_KILL) && !caps_has(CAP_CHOWN));
	CHECK(4, caps_has_bound(CAP_CHOWN));
	CHECK(5, caps_keep_only(NULL, 0, NULL) == 0);
	CHECK(6, !caps_has(CAP_KILL));
	return 0;
}

static int become_another(void)
{
	const cap_value_t keep[] = { CAP_NET_ADMIN };

	CHECK(1, caps_become(65532, 65531, keep, 1, NULL) == 0);
	CHECK(2, geteuid() == 65532 && getuid() == 65532 && getegid() == 65531);
	CHECK(3, getgroups(0, NULL) == 0);
	CHECK(4, caps_has(CAP_NET_ADMIN) && is_ambient(CAP_NET_ADMIN));
	CHECK(5, !caps_has(CAP_SETUID) && !caps_has_bound(CAP_SETUID));
	CHECK(6, setuid(0) < 0);
	return 0;
}

static int become_with_what_is_not_held(void)
{
	const cap_value_t keep[] = { CAP_NET_ADMIN };
	const cap_value_t need[] = { CAP_SETUID, CAP_SETGID };

	CHECK(1, caps_keep_only(need, 2, NULL) == 0);
	CHECK(2, caps_become(65532, 65532, keep, 1, NULL) == 0);
	CHECK(3, !caps_has(CAP_NET_ADMIN) && !is_ambient(CAP_NET_ADMIN));
	return 0;
}

static bool is_permitted_only(cap_value_t cap)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;
	bool is_good = cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_CLEAR) == 0 &&
		       cap_set_proc(caps) == 0 &&
		       cap_get_flag(caps, cap, CAP_PERMITTED, &value) == 0;

	(void)cap_free(caps);
	return is_good && value == CAP_SET && !caps_has(cap);
}

static int raise_permitted(void)
{
	const cap_value_t keep[] = { CAP_NET_ADMIN, CAP_KILL };

	CHECK(1, caps_keep_only(keep, 2, NULL) == 0);
	CHECK(2, is_permitted_only(CAP_NET_ADMIN));
	caps_raise();
	CHECK(3, caps_has(CAP_NET_ADMIN) && caps_has(CAP_KILL) && !caps_has(CAP_CHOWN));
	return 0;
}

static int empty_bounding_set(void)
{
	const cap_value_t keep[] = { CAP_KILL };

	caps_reduce_bound(keep, 1);
	CHECK(1, caps_has_bound(CAP_KILL) && !caps_has_bound(CAP_CHOWN));
	CHECK(2, caps_has(CAP_CHOWN));
	caps_reduce_bound(NULL, 0);
	CHECK(3, !caps_has_bound(CAP_KILL) && caps_has(CAP_KILL));
	return 0;
}

static int leave_bounding_set(void)
{
	const cap_value_t keep[] = { CAP_KILL };

	CHECK(1, caps_keep_only(keep, 1, NULL) == 0);
	caps_reduce_bound(NULL, 0);
	CHECK(2, caps_has_bound(CAP_KILL) && caps_has_bound(CAP_CHOWN));
	return 0;
}

static int become_without_the_right(void)
{
	struct err e = { 0 };

	CHECK(1, caps_keep_only(NULL, 0, NULL) == 0);
	CHECK(2, caps_become(65532, 65532, NULL, 0, &e) < 0);
	CHECK(3, e.msg[0] != '\0');
	return 0;
}

static void needs_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void keeps_only_what_is_listed(void **state)
{
	(void)state;
	needs_root();
	in_child(keep_one);
}

static void becomes_another_user_with_one_ambient_capability(void **state)
{
	(void)state;
	needs_root();
	in_child(become_another);
}

static void leaves_out_what_is_not_held(void **state)
{
	(void)state;
	needs_root();
	in_child(become_with_what_is_not_held);
}

static void puts_into_effect_what_is_permitted(void **state)
{
	(void)state;
	needs_root();
	in_child(raise_permitted);
}

static void takes_from_the_bounding_set_without_touching_what_is_held(void **state)
{
	(void)state;
	needs_root();
	in_child(empty_bounding_set);
	in_child(leave_bounding_set);
}

static void says_when_it_may_not(void **state)
{
	(void)state;
	needs_root();
	in_child(become_without_the_right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_only_what_is_listed),
		cmocka_unit_test(becomes_another_user_with_one_ambient_capability),
		cmocka_unit_test(leaves_out_what_is_not_held),
		cmocka_unit_test(puts_into_effect_what_is_permitted),
		cmocka_unit_test(takes_from_the_bounding_set_without_touching_what_is_held),
		cmocka_unit_test(says_when_it_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
