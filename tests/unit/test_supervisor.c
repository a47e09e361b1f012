/* SPDX-License-Identifier: MIT */
#include "daemon/view/supervisor.h"
#include "tests/unit/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/**
 * struct fixture - Somebody who asks, and the socket of a PID 1 that the test plays
 * @n_done:	How often the asker was told of an end
 */
struct fixture {
	struct event_base *base;
	struct supervisor s;
	int fd;
	int pid1;
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
	const struct supervisor_handler h = { .arg = f, .done = done };
	int pair[2];

	assert_non_null(f);
	f->base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	f->fd = pair[0];
	f->pid1 = pair[1];
	assert_int_equal(supervisor_init(&f->s, f->base, f->fd, &h), 0);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	supervisor_close(&f->s);
	supervisor_close(&f->s);
	event_base_free(f->base);
	(void)close(f->fd);
	if (f->pid1 >= 0)
		(void)close(f->pid1);
	free(f);
	return 0;
}

static void ask(struct fixture *f)
{
	supervisor_ask(&f->s);
	/* Whoever asks is not called before it has returned. */
	assert_int_equal(f->n_done, 0);
}

/* What PID 1 is asked; "" for nothing. */
static const char *question(const struct fixture *f)
{
	static char text[64];
	ssize_t n = recv(f->pid1, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void answer(const struct fixture *f, const char *text)
{
	assert_int_equal(send(f->pid1, text, strlen(text), 0), strlen(text));
}

static void a_question_is_a_notification_and_a_datagram_its_answer(void **state)
{
	struct fixture *f = *state;

	assert_null(supervisor_text(&f->s));
	ask(f);
	assert_string_equal(question(f), "X_WGMESH_ASK=1");
	loop_drain(f->base);
	assert_int_equal(f->n_done, 0);
	assert_null(supervisor_text(&f->s));
	answer(f, "healthy=true\nrestarts=2\n");
	assert_true(loop_until(f->base, is_done, f));
	assert_string_equal(supervisor_text(&f->s), "healthy=true\nrestarts=2\n");
	assert_int_equal(f->n_done, 1);
}

static void where_there_is_none_that_is_known_at_once(void **state)
{
	struct fixture *f = *state;
	const struct supervisor_handler h = { .arg = f, .done = done };

	supervisor_close(&f->s);
	assert_int_equal(supervisor_init(&f->s, f->base, -1, &h), 0);
	ask(f);
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(f->s.state, SUPERVISOR_NONE);
	assert_null(supervisor_text(&f->s));
}

static void an_empty_answer_is_silence(void **state)
{
	struct fixture *f = *state;

	ask(f);
	answer(f, "");
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(f->s.state, SUPERVISOR_SILENT);
	assert_null(supervisor_text(&f->s));
}

static void one_whose_queue_is_full_is_silent(void **state)
{
	struct fixture *f = *state;

	while (send(f->fd, "WATCHDOG=1", 10, MSG_DONTWAIT) > 0)
		;
	ask(f);
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(f->s.state, SUPERVISOR_SILENT);
}

/* Heartbeats share the queue, and one that is lost looks like a node that hangs. */
static void one_question_at_a_time_is_sent(void **state)
{
	struct fixture *f = *state;

	ask(f);
	ask(f);
	assert_string_equal(question(f), "X_WGMESH_ASK=1");
	assert_string_equal(question(f), "");
	answer(f, "first=1\n");
	assert_true(loop_until(f->base, is_done, f));
	loop_drain(f->base);
	assert_int_equal(f->n_done, 1);
	f->n_done = 0;
	ask(f);
	assert_string_equal(question(f), "X_WGMESH_ASK=1");
	/* One that was never answered does not keep the node from asking for good. */
	f->s.sent_ms -= SUPERVISOR_AGAIN_MS;
	ask(f);
	assert_string_equal(question(f), "X_WGMESH_ASK=1");
}

static void an_open_question_takes_nothing_back_until_it_is_late(void **state)
{
	struct fixture *f = *state;

	ask(f);
	answer(f, "storage=full\n");
	assert_true(loop_until(f->base, is_done, f));
	f->n_done = 0;
	ask(f);
	loop_drain(f->base);
	assert_string_equal(supervisor_text(&f->s), "storage=full\n");
	supervisor_late(&f->s);
	assert_int_equal(f->s.state, SUPERVISOR_SILENT);
	assert_null(supervisor_text(&f->s));
	assert_string_equal(supervisor_last(&f->s), "storage=full\n");
	answer(f, "storage=ok\n");
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
	answer(f, "storage=full\n");
	assert_true(loop_until(f->base, is_done, f));
	f->n_done = 0;
	(void)close(f->pid1);
	f->pid1 = -1;
	ask(f);
	assert_true(loop_until(f->base, is_done, f));
	assert_null(supervisor_last(&f->s));
}

static void an_answer_that_is_too_long_is_cut(void **state)
{
	struct fixture *f = *state;
	char *flood = malloc(2UL * STATUSLINE_TEXT_SIZE);

	assert_non_null(flood);
	memset(flood, 'x', 2UL * STATUSLINE_TEXT_SIZE);
	flood[2UL * STATUSLINE_TEXT_SIZE - 1] = '\0';
	ask(f);
	answer(f, flood);
	assert_true(loop_until(f->base, is_done, f));
	assert_int_equal(strlen(supervisor_text(&f->s)), STATUSLINE_TEXT_SIZE - 1);
	free(flood);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_question_is_a_notification_and_a_datagram_its_answer),
		T(where_there_is_none_that_is_known_at_once),
		T(an_empty_answer_is_silence),
		T(one_whose_queue_is_full_is_silent),
		T(one_question_at_a_time_is_sent),
		T(an_open_question_takes_nothing_back_until_it_is_late),
		T(of_a_pid_1_that_is_gone_nothing_holds_any_more),
		T(an_answer_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
