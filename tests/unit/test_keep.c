/* SPDX-License-Identifier: MIT */
#include "daemon/http/keep.h"
#include "tests/unit/test.h"

#include <string.h>

static struct kept_body *wrapped(const char *text, struct http_answer *a)
{
	struct kept_body *b = keep_wrap(strdup(text));

	assert_non_null(b);
	*a = (struct http_answer) { .status = 200, .body = b->text, .len = strlen(text) };
	return b;
}

static void an_answer_holds_for_ten_times_as_long_as_it_took(void **state)
{
	struct keep k = { .body = NULL };
	struct http_answer a;
	struct http_answer got;
	struct kept_body *b = wrapped("long", &a);

	(void)state;
	assert_null(keep_get(&k, 0, &got));
	keep_put(&k, &a, b, 1000, 1500);
	keep_release(b);
	b = keep_get(&k, 1500, &got);
	assert_string_equal(b->text, "long");
	assert_ptr_equal(got.body, b->text);
	keep_release(b);
	b = keep_get(&k, 6499, &got);
	assert_non_null(b);
	keep_release(b);
	assert_null(keep_get(&k, 6500, &got));
	assert_null(keep_get(&k, 1500, &got));
	keep_close(&k);
}

/* A sanitizer sees what is freed too early, or never. */
static void who_still_sends_it_keeps_the_body_when_another_takes_its_place(void **state)
{
	struct keep k = { .body = NULL };
	struct http_answer a;
	struct kept_body *old = wrapped("old", &a);
	struct kept_body *new;

	(void)state;
	keep_put(&k, &a, old, 0, 10);
	new = wrapped("new", &a);
	keep_put(&k, &a, new, 10, 20);
	assert_string_equal(old->text, "old");
	keep_release(old);
	keep_close(&k);
	assert_string_equal(new->text, "new");
	keep_release(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_holds_for_ten_times_as_long_as_it_took),
		cmocka_unit_test(who_still_sends_it_keeps_the_body_when_another_takes_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
