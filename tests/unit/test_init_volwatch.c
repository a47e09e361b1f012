/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/volume/volwatch.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#define INTERVAL_MS 300000
#define LIMIT_MS    10000
#define RETRY_MS    30000
#define START_MS    1000000

struct sim {
	struct volwatch w;
	uint64_t now_ms;
	struct volwatch_step last;
};

static struct sim begin(uint64_t interval_ms)
{
	struct sim s = { .now_ms = START_MS };

	volwatch_init(&s.w, interval_ms, LIMIT_MS, s.now_ms);
	return s;
}

static void feed(struct sim *s, enum volwatch_event_type type)
{
	const struct volwatch_event ev = { .type = type, .now_ms = s->now_ms };

	s->last = volwatch_step(&s->w, &ev);
}

/* Lets the timer fire when it is due. */
static void pass(struct sim *s)
{
	assert_true(s->w.due_ms > 0);
	s->now_ms = s->w.due_ms;
	feed(s, VOLWATCH_TIMER);
}

/* The look that runs ends after 5 ms. */
static void end(struct sim *s, int code, int sig)
{
	struct volwatch_event ev = { .type = VOLWATCH_ENDED, .code = code, .signal = sig };

	assert_true(s->w.is_looking);
	s->now_ms += 5;
	ev.now_ms = s->now_ms;
	s->last = volwatch_step(&s->w, &ev);
	assert_false(s->last.start);
}

static void look(struct sim *s, int code)
{
	pass(s);
	assert_true(s->last.start);
	end(s, code, 0);
}

static void good_storage_is_looked_at_every_interval(void **state)
{
	struct sim s = begin(INTERVAL_MS);

	(void)state;
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(s.w.due_ms - s.now_ms, INTERVAL_MS);
		look(&s, 0);
		assert_false(s.last.is_changed);
		assert_int_equal(s.w.state, VOLWATCH_OK);
	}
}

static void a_timer_that_fires_early_changes_nothing(void **state)
{
	struct sim s = begin(INTERVAL_MS);

	(void)state;
	s.now_ms = s.w.due_ms - 1;
	feed(&s, VOLWATCH_TIMER);
	assert_false(s.last.start);
	assert_false(s.w.is_looking);
}

static void without_an_interval_only_mounts_make_it_look(void **state)
{
	struct sim s = begin(0);

	(void)state;
	assert_int_equal(s.w.due_ms, 0);
	s.now_ms += 5000;
	feed(&s, VOLWATCH_MOUNTS);
	assert_true(s.last.start);
	end(&s, 0, 0);
	assert_int_equal(s.w.due_ms, 0);
}

static void after_something_bad_it_looks_again_soon_until_it_is_good(void **state)
{
	static const uint64_t intervals[] = { 0, INTERVAL_MS };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sim s = begin(intervals[i]);

		s.now_ms += 5000;
		feed(&s, VOLWATCH_MOUNTS);
		end(&s, VOLWATCH_CODE(VOLWATCH_READONLY), 0);
		assert_true(s.last.is_changed);
		assert_int_equal(s.w.due_ms - s.now_ms, RETRY_MS);
		look(&s, VOLWATCH_CODE(VOLWATCH_READONLY));
		assert_false(s.last.is_changed);
		look(&s, 0);
		assert_true(s.last.is_changed);
		assert_int_equal(s.w.state, VOLWATCH_OK);
		assert_int_equal(s.w.due_ms, intervals[i] ? s.now_ms + INTERVAL_MS : 0);
	}
}

static void a_short_interval_holds_for_bad_storage_too(void **state)
{
	struct sim s = begin(2000);

	(void)state;
	look(&s, VOLWATCH_CODE(VOLWATCH_FULL));
	assert_int_equal(s.w.due_ms - s.now_ms, 2000);
}

static void each_code_means_its_state(void **state)
{
	(void)state;
	for (int i = VOLWATCH_UNMOUNTED; i < VOLWATCH_STATE_COUNT; i++) {
		struct sim s = begin(INTERVAL_MS);

		look(&s, VOLWATCH_CODE(i));
		assert_int_equal(s.w.state, i);
		assert_int_equal(s.w.error, 0);
	}
}

static void an_errno_value_is_a_failure_with_its_text(void **state)
{
	struct sim s = begin(INTERVAL_MS);
	char text[VOLWATCH_TEXT_SIZE];

	(void)state;
	look(&s, EIO);
	assert_int_equal(s.w.state, VOLWATCH_FAILING);
	volwatch_describe(&s.w, "/state", text);
	assert_string_equal(text, "the storage at /state fails: Input/output error");
	look(&s, EACCES);
	assert_true(s.last.is_changed);
	look(&s, EACCES);
	assert_false(s.last.is_changed);
	look(&s, 0);
	volwatch_describe(&s.w, "/state", text);
	assert_string_equal(text, "");
}

static void a_look_that_saw_nothing_changes_nothing(void **state)
{
	struct sim s = begin(INTERVAL_MS);

	(void)state;
	look(&s, VOLWATCH_CODE(VOLWATCH_FULL));
	look(&s, VOLWATCH_CODE_UNABLE);
	assert_int_equal(s.w.state, VOLWATCH_FULL);
	pass(&s);
	end(&s, 128 + SIGKILL, SIGKILL);
	assert_int_equal(s.w.state, VOLWATCH_FULL);
	look(&s, VOLWATCH_CODE(VOLWATCH_STATE_COUNT));
	assert_int_equal(s.w.state, VOLWATCH_FULL);
}

static void a_look_that_does_not_end_means_hung_and_is_killed_once(void **state)
{
	struct sim s = begin(INTERVAL_MS);

	(void)state;
	pass(&s);
	assert_int_equal(s.w.due_ms - s.now_ms, LIMIT_MS);
	pass(&s);
	assert_true(s.last.kill && s.last.is_changed);
	assert_int_equal(s.w.state, VOLWATCH_HUNG);
	assert_int_equal(s.w.due_ms, 0);
	s.now_ms += INTERVAL_MS;
	feed(&s, VOLWATCH_TIMER);
	assert_false(s.last.kill || s.last.start);
}

static void the_next_look_comes_only_once_the_hung_one_is_gone(void **state)
{
	struct sim s = begin(INTERVAL_MS);

	(void)state;
	pass(&s);
	pass(&s);
	s.now_ms += INTERVAL_MS;
	feed(&s, VOLWATCH_MOUNTS);
	assert_false(s.last.start);
	/* Even one that ended well in the end. */
	end(&s, 0, 0);
	assert_int_equal(s.w.state, VOLWATCH_HUNG);
	assert_int_equal(s.w.due_ms, s.now_ms);
	look(&s, 0);
	assert_true(s.last.is_changed);
	assert_int_equal(s.w.state, VOLWATCH_OK);
}

static void a_look_that_was_paused_with_its_container_gets_its_time(void **state)
{
	struct sim s = begin(INTERVAL_MS);

	(void)state;
	pass(&s);
	s.now_ms = s.w.due_ms + 3600000;
	feed(&s, VOLWATCH_TIMER);
	assert_false(s.last.kill || s.last.is_changed);
	assert_int_equal(s.w.due_ms - s.now_ms, LIMIT_MS);
	pass(&s);
	assert_true(s.last.kill);
}

static void mounts_that_change_during_a_look_cause_another(void **state)
{
	struct sim s = begin(INTERVAL_MS);

	(void)state;
	pass(&s);
	s.now_ms += 3000;
	feed(&s, VOLWATCH_MOUNTS);
	assert_false(s.last.start);
	end(&s, 0, 0);
	assert_int_equal(s.w.due_ms, s.now_ms);
	look(&s, 0);
	assert_int_equal(s.w.due_ms - s.now_ms, INTERVAL_MS);
}

static void a_storm_of_mounts_is_one_look_a_second(void **state)
{
	struct sim s = begin(INTERVAL_MS);
	unsigned int looks = 0;

	(void)state;
	for (uint64_t end_ms = s.now_ms + 10000; s.now_ms < end_ms; s.now_ms += 10) {
		feed(&s,
		     s.w.due_ms > 0 && s.w.due_ms <= s.now_ms ? VOLWATCH_TIMER : VOLWATCH_MOUNTS);
		if (!s.last.start)
			continue;
		looks++;
		end(&s, 0, 0);
	}
	assert_in_range(looks, 5, 11);
}

static void a_look_that_cannot_be_started_is_tried_again(void **state)
{
	struct sim s = begin(0);

	(void)state;
	s.now_ms += 5000;
	feed(&s, VOLWATCH_MOUNTS);
	feed(&s, VOLWATCH_START_FAILED);
	assert_false(s.w.is_looking);
	assert_int_equal(s.w.due_ms - s.now_ms, RETRY_MS);
	look(&s, 0);
}

static void an_interval_is_never_shorter_than_a_second(void **state)
{
	struct sim s = begin(1);

	(void)state;
	assert_int_equal(s.w.due_ms - s.now_ms, 1000);
	look(&s, 0);
	assert_int_equal(s.w.due_ms - s.now_ms, 1000);
}

static void an_error_becomes_a_code_that_comes_back_as_what_it_means(void **state)
{
	(void)state;
	assert_int_equal(volwatch_code(0), 0);
	assert_int_equal(volwatch_code(-ENOSPC), VOLWATCH_CODE(VOLWATCH_FULL));
	assert_int_equal(volwatch_code(-EDQUOT), VOLWATCH_CODE(VOLWATCH_FULL));
	assert_int_equal(volwatch_code(-EROFS), VOLWATCH_CODE(VOLWATCH_READONLY));
	assert_int_equal(volwatch_code(-ENOENT), VOLWATCH_CODE(VOLWATCH_UNMOUNTED));
	assert_int_equal(volwatch_code(-EIO), EIO);
	assert_int_equal(volwatch_code(-ENOTCONN), ENOTCONN);
	assert_int_equal(volwatch_code(-4095), EIO);
	assert_int_equal(volwatch_code(INT_MIN + 1), EIO);
}

static void every_state_has_a_word_and_every_bad_one_a_sentence_that_fits(void **state)
{
	char dir[PATH_MAX];
	char text[VOLWATCH_TEXT_SIZE];

	(void)state;
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	for (int i = 0; i < VOLWATCH_STATE_COUNT; i++) {
		struct volwatch w = { .state = (enum volwatch_state)i };

		assert_true(volwatch_state_name(w.state)[0] != '\0');
		volwatch_describe(&w, dir, text);
		assert_int_equal(text[0] == '\0', i == VOLWATCH_OK);
		assert_true(strlen(text) < sizeof(text) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_storage_is_looked_at_every_interval),
		cmocka_unit_test(a_timer_that_fires_early_changes_nothing),
		cmocka_unit_test(without_an_interval_only_mounts_make_it_look),
		cmocka_unit_test(after_something_bad_it_looks_again_soon_until_it_is_good),
		cmocka_unit_test(a_short_interval_holds_for_bad_storage_too),
		cmocka_unit_test(each_code_means_its_state),
		cmocka_unit_test(an_errno_value_is_a_failure_with_its_text),
		cmocka_unit_test(a_look_that_saw_nothing_changes_nothing),
		cmocka_unit_test(a_look_that_does_not_end_means_hung_and_is_killed_once),
		cmocka_unit_test(the_next_look_comes_only_once_the_hung_one_is_gone),
		cmocka_unit_test(a_look_that_was_paused_with_its_container_gets_its_time),
		cmocka_unit_test(mounts_that_change_during_a_look_cause_another),
		cmocka_unit_test(a_storm_of_mounts_is_one_look_a_second),
		cmocka_unit_test(a_look_that_cannot_be_started_is_tried_again),
		cmocka_unit_test(an_interval_is_never_shorter_than_a_second),
		cmocka_unit_test(an_error_becomes_a_code_that_comes_back_as_what_it_means),
		cmocka_unit_test(every_state_has_a_word_and_every_bad_one_a_sentence_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
