/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILL_MAX (64 * 1024 * 1024)

static bool is_nonblocking(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* Writes until the sink is full; the alarm ends a write that waits. */
static ssize_t fill(const struct sink *s)
{
	static const char block[SINK_WRITE_MAX];
	size_t total = 0;
	ssize_t n = 0;

	(void)alarm(20);
	while (total < FILL_MAX && (n = sink_write(s, block, sizeof(block))) > 0)
		total += (size_t)n;
	(void)alarm(0);
	assert_true(total > 0);
	return n;
}

static void a_full_pipe_says_so_and_its_description_is_left_blocking(void **state)
{
	struct sink s;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	sink_open(&s, fds[1]);
	assert_int_equal(s.kind, SINK_OWN);
	assert_int_not_equal(s.fd, fds[1]);
	assert_int_equal(fill(&s), -EAGAIN);
	assert_false(is_nonblocking(fds[1]));
	(void)close(s.fd);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_pipe_that_cannot_be_reopened_is_asked_before_every_write(void **state)
{
	struct sink s = { .kind = SINK_POLLED };
	char buf[SINK_WRITE_MAX];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	s.fd = fds[1];
	assert_int_equal(fill(&s), -EAGAIN);
	assert_int_equal(read(fds[0], buf, sizeof(buf)), sizeof(buf));
	assert_int_equal(fill(&s), -EAGAIN);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_full_socket_says_so_and_stays_blocking(void **state)
{
	struct sink s;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	sink_open(&s, fds[1]);
	assert_int_equal(s.kind, SINK_SOCKET);
	assert_int_equal(s.fd, fds[1]);
	assert_int_equal(fill(&s), -EAGAIN);
	assert_false(is_nonblocking(fds[1]));
	(void)close(fds[0]);
	assert_int_equal(sink_write(&s, "x", 1), -EPIPE);
	(void)close(fds[1]);
}

static void a_pipe_without_a_reader_fails_and_leaves_no_signal_behind(void **state)
{
	sigset_t pipe_only;
	sigset_t before;
	sigset_t pending;
	struct sink s;
	int fds[2];

	(void)state;
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)sigprocmask(SIG_BLOCK, &pipe_only, &before);
	assert_int_equal(pipe(fds), 0);
	sink_open(&s, fds[1]);
	(void)close(fds[0]);
	assert_int_equal(sink_write(&s, "x", 1), -EPIPE);
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
	(void)close(s.fd);
	(void)close(fds[1]);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void a_file_is_written_through_the_shared_offset(void **state)
{
	FILE *f = tmpfile();
	char buf[8] = "";
	struct sink s;

	(void)state;
	assert_non_null(f);
	sink_open(&s, fileno(f));
	assert_int_equal(s.kind, SINK_STRAIGHT);
	assert_int_equal(write(fileno(f), "a", 1), 1);
	assert_int_equal(sink_write(&s, "b", 1), 1);
	assert_int_equal(write(fileno(f), "c", 1), 1);
	assert_int_equal(pread(fileno(f), buf, sizeof(buf), 0), 3);
	assert_string_equal(buf, "abc");
	(void)fclose(f);
}

static void a_file_at_its_limit_fails_and_leaves_no_signal_behind(void **state)
{
	struct rlimit before;
	struct rlimit small;
	FILE *f = tmpfile();
	sigset_t blocked;
	sigset_t pending;
	sigset_t mask;
	struct sink s;

	(void)state;
	assert_non_null(f);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGXFSZ);
	(void)sigprocmask(SIG_BLOCK, &blocked, &mask);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit) { .rlim_cur = 1, .rlim_max = before.rlim_max };
	sink_open(&s, fileno(f));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(sink_write(&s, "x", 1), 1);
	assert_int_equal(sink_write(&s, "y", 1), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGXFSZ), 0);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)fclose(f);
}

static void a_closed_descriptor_and_a_full_disk_are_errors_not_ends(void **state)
{
	struct sink s;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int gone = dup(fd);

	(void)state;
	assert_true(fd >= 0 && gone >= 0);
	sink_open(&s, fd);
	assert_int_equal(sink_write(&s, "x", 1), -ENOSPC);
	(void)close(s.fd);
	(void)close(gone);
	sink_open(&s, gone);
	assert_int_equal(sink_write(&s, "x", 1), -EBADF);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe_says_so_and_its_description_is_left_blocking),
		cmocka_unit_test(a_pipe_that_cannot_be_reopened_is_asked_before_every_write),
		cmocka_unit_test(a_full_socket_says_so_and_stays_blocking),
		cmocka_unit_test(a_pipe_without_a_reader_fails_and_leaves_no_signal_behind),
		cmocka_unit_test(a_file_is_written_through_the_shared_offset),
		cmocka_unit_test(a_file_at_its_limit_fails_and_leaves_no_signal_behind),
		cmocka_unit_test(a_closed_descriptor_and_a_full_disk_are_errors_not_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
