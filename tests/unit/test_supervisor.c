/* SPDX-License-Identifier: MIT */
#include "daemon/view/supervisor.h"
#include "tests/unit/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * struct fixture - Somebody who asks, and the socket of a PID 1 that the test plays
 * @n_done:	How often the asker was told of an end
 */
struct fixture {
	struct event_base *base;
	struct supervisor s;
	struct sockaddr_un at;
	socklen_t len;
	int listener;
	int n_done;
};

static void done(void *arg)
{
	((struct fixture *)arg)->n_done++;
}

static bool is_done(void *arg)
{
	return ((struct fixture *)arg)->n_done > 0;
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int n;

	assert_non_null(f);
	f->base = event_base_new();
	supervisor_init(&f->s, f->base, done, f);
	f->at.sun_family = AF_UNIX;
	n = snprintf(f->at.sun_path, sizeof(f->at.sun_path), "@wgmesh-test/supervisor/%d",
		     getpid());
	f->at.sun_path[0] = '\0';
	f->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (const struct sockaddr *)&f->at, f->len), 0);
	assert_int_equal(listen(f->listener, 1), 0);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	supervisor_close(&f->s);
	supervisor_close(&f->s);
	event_base_free(f->base);
	(void)close(f->listener);
	free(f);
	return 0;
}

static void ask(struct fixture *f)
{
	assert_int_equal(supervisor_ask_at(&f->s, &f->at, f->len), 0);
	/* Whoever asks is not called before it has returned. */
	assert_int_equal(f->n_done, 0);
}

/* PID 1's end of the connection. */
static int answer(const struct fixture *f, const char *text)
{
	int fd = accept(f->listener, NULL, NULL);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void an_answer_is_complete_when_pid_1_hangs_up(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_null(supervisor_text(&f->s));
	ask(f);
	fd = answer(f, "healthy=true\n");
	loop_drain(f->base);
	assert_int_equal(f->n_done, 0);
	assert_null(supervisor_text(&f->s));
	assert_int_equal(write(fd, "restarts=2\n", 11), 11);
	(void)close(fd);
	assert_true(loop_until(f->base, is_done, f));
	assert_string_equal(supervisor_text(&f->s), "healthy=true\nrestarts=2\n");
}

static void where_there_is_none_that_is_known_at_once(void **state)
{
	struct fixture *f = *state;

	(void)close(f->listener);
	f->listener = -1;
	ask(f);
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(f->s.state, SUPERVISOR_NONE);
	assert_null(supervisor_text(&f->s));
}

static void one_that_hangs_up_without_a_word_is_silent(void **state)
{
	struct fixture *f = *state;

	ask(f);
	(void)close(answer(f, ""));
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(f->s.state, SUPERVISOR_SILENT);
	assert_null(supervisor_text(&f->s));
}

static void one_whose_backlog_is_full_is_silent(void **state)
{
	struct fixture *f = *state;
	int fds[8];
	size_t n = 0;

	for (; n < 8; n++) {
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(fds[n], (const struct sockaddr *)&f->at, f->len) < 0)
			break;
	}
	assert_in_range(n, 1, 7);
	ask(f);
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(f->s.state, SUPERVISOR_SILENT);
	for (size_t i = 0; i <= n; i++)
		(void)close(fds[i]);
}

static void a_second_question_gives_up_the_first(void **state)
{
	struct fixture *f = *state;
	int first;
	char byte;

	ask(f);
	first = answer(f, "first=1\n");
	ask(f);
	/* The end of the first connection, with what was not read of it. */
	assert_true(read(first, &byte, 1) <= 0);
	(void)close(first);
	(void)close(answer(f, "second=1\n"));
	assert_true(loop_until(f->base, is_done, f));
	assert_string_equal(supervisor_text(&f->s), "second=1\n");
	loop_drain(f->base);
	assert_int_equal(f->n_done, 1);
}

static void an_open_question_takes_nothing_back_until_it_is_late(void **state)
{
	struct fixture *f = *state;
	int fd;

	ask(f);
	(void)close(answer(f, "storage=full\n"));
	assert_true(loop_until(f->base, is_done, f));
	f->n_done = 0;
	ask(f);
	fd = answer(f, "storage=ok\n");
	loop_drain(f->base);
	assert_string_equal(supervisor_text(&f->s), "storage=full\n");
	supervisor_late(&f->s);
	assert_int_equal(f->s.state, SUPERVISOR_SILENT);
	assert_null(supervisor_text(&f->s));
	assert_string_equal(supervisor_last(&f->s), "storage=full\n");
	(void)close(fd);
	assert_true(loop_until(f->base, is_done, f));
	assert_string_equal(supervisor_text(&f->s), "storage=ok\n");
	/* There is no question open that could be late. */
	supervisor_late(&f->s);
	assert_int_equal(f->s.state, SUPERVISOR_ANSWERED);
}

static void of_a_pid_1_that_is_gone_nothing_holds_any_more(void **state)
{
	struct fixture *f = *state;

	ask(f);
	(void)close(answer(f, "storage=full\n"));
	assert_true(loop_until(f->base, is_done, f));
	f->n_done = 0;
	(void)close(f->listener);
	f->listener = -1;
	ask(f);
	assert_true(loop_until(f->base, is_done, f));
	assert_null(supervisor_last(&f->s));
}

static void an_answer_without_end_is_cut(void **state)
{
	struct fixture *f = *state;
	char *flood = malloc(2UL * STATUSLINE_TEXT_SIZE);
	int fd;

	assert_non_null(flood);
	memset(flood, 'x', 2UL * STATUSLINE_TEXT_SIZE);
	flood[2UL * STATUSLINE_TEXT_SIZE - 1] = '\0';
	ask(f);
	fd = answer(f, flood);
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(strlen(supervisor_text(&f->s)), STATUSLINE_TEXT_SIZE - 1);
	(void)close(fd);
	free(flood);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_answer_is_complete_when_pid_1_hangs_up),
		T(where_there_is_none_that_is_known_at_once),
		T(one_that_hangs_up_without_a_word_is_silent),
		T(one_whose_backlog_is_full_is_silent),
		T(a_second_question_gives_up_the_first),
		T(an_open_question_takes_nothing_back_until_it_is_late),
		T(of_a_pid_1_that_is_gone_nothing_holds_any_more),
		T(an_answer_without_end_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
