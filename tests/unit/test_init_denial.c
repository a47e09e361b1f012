/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/exits.h"
#include "init/state/denial.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct stat foreign = { .st_uid = 1000, .st_gid = 1001, .st_mode = S_IFDIR | 0750 };

static struct denial make(void)
{
	return (struct denial) { .what = "create a file",
				 .path = "/var/lib/wgmesh",
				 .st = &foreign,
				 .uid = 65532,
				 .gid = 65533 };
}

static void expect(const struct denial *d, const char *cause, const char *cure)
{
	struct err e = { 0 };

	assert_int_equal(denial_explain(d, -EACCES, &e), -EACCES);
	assert_int_equal(e.exit_code, EXITS_NO_PERMISSION);
	if (!strstr(e.msg, cause) || !strstr(e.msg, cure))
		fail_msg("\"%s\" and \"%s\" are not in: %s", cause, cure, e.msg);
	/* Nothing was cut off. */
	assert_true(strlen(e.msg) + 1 < sizeof(e.msg));
}

static void names_owner_mode_and_user(void **state)
{
	const struct denial d = make();

	(void)state;
	expect(&d,
	       "cannot create a file: /var/lib/wgmesh belongs to 1000:1001 with mode 0750, the ",
	       "the daemon is 65532:65533");
}

static void each_cause_has_its_cure(void **state)
{
	struct denial d = make();

	(void)state;
	expect(&d, "root_squash", "on the file server run chown -R 65532:65533");
	d.missing = "CHOWN";
	expect(&d, "root without CAP_CHOWN", "cap_add: [CHOWN]");
	expect(&d, "root without CAP_CHOWN", "capabilities.add: [CHOWN]");
	d.euid = 65532;
	expect(&d, "runs as uid 65532 without CAP_CHOWN", "fsGroup: 65533");
	expect(&d, "runs as uid 65532", "chown -R 65532:65533");
	d.is_unmapped = true;
	expect(&d, "(a user not mapped here)", "map this uid");
	d.is_above = true;
	expect(&d, "an ACL or a directory above it does not", "chmod o+x");
	d.is_immutable = true;
	expect(&d, "it is immutable", "chattr");
}

static void what_cannot_be_looked_at_has_no_owner(void **state)
{
	struct denial d = make();

	(void)state;
	d.st = NULL;
	expect(&d, "/var/lib/wgmesh cannot be looked at", "root_squash");
}

static void the_longest_sentence_is_not_cut_where_it_matters(void **state)
{
	char path[300];
	struct denial d = make();
	struct err e = { 0 };
	const struct stat st = { .st_uid = 4294967294, .st_gid = 4294967294, .st_mode = 07777 };

	(void)state;
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	d.path = path;
	d.st = &st;
	d.euid = 4294967293;
	d.uid = 4294967294;
	d.gid = 4294967294;
	(void)denial_explain(&d, -EPERM, &e);
	assert_non_null(strstr(e.msg, "fsGroup: 4294967294"));
	d.missing = "DAC_OVERRIDE";
	d.euid = 0;
	(void)denial_explain(&d, -EPERM, &e);
	assert_non_null(strstr(e.msg, "chown -R 4294967294:4294967294"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_owner_mode_and_user),
		cmocka_unit_test(each_cause_has_its_cure),
		cmocka_unit_test(what_cannot_be_looked_at_has_no_owner),
		cmocka_unit_test(the_longest_sentence_is_not_cut_where_it_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
