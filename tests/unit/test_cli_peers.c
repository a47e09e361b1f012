/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOWHERE "/nonexistent/some.sock"

/* Runs `wgmesh peers ...`; @said receives what went to standard error. */
static int run(char said[static 1024], const char *a, const char *b, const char *c)
{
	char args[3][64] = { "" };
	char *argv[4] = { NULL };
	int fd = memfd_create("stderr", MFD_CLOEXEC);
	int saved = dup(STDERR_FILENO);
	const char *given[] = { a, b, c };
	int argc = 0;
	ssize_t n;
	int code;

	assert_true(fd >= 0 && saved >= 0);
	for (; argc < 3 && given[argc]; argc++)
		argv[argc] = strncpy(args[argc], given[argc], sizeof(args[0]) - 1);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	code = cli_peers(argc, argv);
	(void)dup2(saved, STDERR_FILENO);
	n = pread(fd, said, 1023, 0);
	assert_true(n >= 0);
	said[n] = '\0';
	(void)close(saved);
	(void)close(fd);
	return code;
}

static void a_flag_has_its_effect_before_the_verb_and_behind_it(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(run(said, "--socket-path=" NOWHERE, "list", NULL), EXITS_FAILURE);
	assert_non_null(strstr(said, NOWHERE));
	assert_int_equal(run(said, "list", "--socket-path=" NOWHERE, NULL), EXITS_FAILURE);
	assert_non_null(strstr(said, NOWHERE));
	assert_int_equal(run(said, "--socket-path=/wrong", "list", "--socket-path=" NOWHERE),
			 EXITS_FAILURE);
	assert_non_null(strstr(said, NOWHERE));
}

static void wrong_usage_is_refused(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(run(said, NULL, NULL, NULL), EXITS_USAGE);
	assert_int_equal(run(said, "nonsense", NULL, NULL), EXITS_USAGE);
	assert_int_equal(run(said, "get", NULL, NULL), EXITS_USAGE);
	assert_non_null(strstr(said, "KEY"));
	assert_int_equal(run(said, "list", "extra", NULL), EXITS_USAGE);
	assert_int_equal(run(said, "list", "--nonsense", NULL), EXITS_USAGE);
	assert_int_equal(run(said, "--interface=0", "list", NULL), EXITS_USAGE);
	assert_non_null(strstr(said, "--interface"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flag_has_its_effect_before_the_verb_and_behind_it),
		cmocka_unit_test(wrong_usage_is_refused),
	};

	(void)unsetenv("WGMESH_SOCKET");
	(void)unsetenv("WGMESH_INTERFACE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
