/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/defs.h"
#include "common/io.h"
#include "common/log.h"
#include "init/supervise/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEEP_AS_IS UINT32_MAX
#define LONG_LINE  (10 * 1024 * 1024)
#define TOO_LONG_S 60

struct fixture {
	struct relay relay;
	struct sink sink;
	int out;
	int program;
};

/* A relay into one end of a pipe or socket pair, and the other end to read from. */
static void set_up_ends(struct fixture *f, const int ends[2])
{
	sink_open(&f->sink, ends[1]);
	f->out = ends[0];
	assert_int_equal(fcntl(f->out, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(relay_open(&f->relay, KEEP_AS_IS, KEEP_AS_IS), 0);
	f->relay.sink = &f->sink;
	f->program = relay_start(&f->relay);
	assert_true(f->program >= 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int ends[2];

	/* Nothing here may wait; what does is ended. */
	(void)alarm(TOO_LONG_S);
	assert_non_null(f);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	set_up_ends(f, ends);
	(void)close(ends[1]);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	relay_close(&f->relay);
	if (f->sink.fd >= 0)
		(void)close(f->sink.fd);
	if (f->out >= 0)
		(void)close(f->out);
	free(f);
	(void)alarm(0);
	return 0;
}

static void say(const struct fixture *f, const char *text)
{
	assert_int_equal(io_write_full(f->program, text, strlen(text)), 0);
}

/* What has come out of the other end since the last time. */
static const char *heard(const struct fixture *f)
{
	static char buf[8192];
	ssize_t n = read(f->out, buf, sizeof(buf) - 1);

	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static const char *last_line(const struct fixture *f)
{
	static char out[LASTLINE_SIZE];

	relay_last_line(&f->relay, out);
	return out;
}

static void passes_lines_on_and_remembers_the_last(void **state)
{
	struct fixture *f = *state;

	say(f, "one\ntwo\n");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	assert_string_equal(heard(f), "one\ntwo\n");
	assert_string_equal(last_line(f), "two");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	assert_string_equal(heard(f), "");
}

static void a_prompt_without_a_line_break_appears_at_once(void **state)
{
	struct fixture *f = *state;

	say(f, "password: ");
	(void)relay_pump(&f->relay);
	assert_string_equal(heard(f), "password: ");
	assert_string_equal(last_line(f), "password:");
}

static void a_new_program_has_said_nothing_yet_and_may_wait(void **state)
{
	struct fixture *f = *state;

	say(f, "one\n");
	(void)relay_pump(&f->relay);
	assert_int_equal(fcntl(f->program, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(relay_start(&f->relay), f->program);
	assert_string_equal(last_line(f), "");
	assert_int_equal(fcntl(f->program, F_GETFL) & O_NONBLOCK, 0);
}

/* Fills the sink from outside, as a slow reader's is. */
static void fill_sink(const struct fixture *f)
{
	static const char block[SINK_WRITE_MAX];

	while (sink_write(&f->sink, block, sizeof(block)) > 0)
		continue;
}

static void empty_sink(const struct fixture *f)
{
	while (*heard(f) || read(f->out, (char[4096]) { 0 }, 4096) > 0)
		continue;
}

static bool has_input(const struct fixture *f)
{
	struct pollfd p = { .fd = f->relay.read_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void a_full_sink_stops_the_reading_until_it_is_writable(void **state)
{
	struct fixture *f = *state;

	fill_sink(f);
	say(f, "held\n");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_OUTPUT);
	say(f, "back\n");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_OUTPUT);
	assert_true(has_input(f));
	empty_sink(f);
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	assert_string_equal(heard(f), "held\nback\n");
}

static void at_a_programs_end_the_last_line_is_known_behind_a_full_sink(void **state)
{
	struct fixture *f = *state;
	char line[64];
	int n = 0;

	fill_sink(f);
	assert_int_equal(fcntl(f->program, F_SETFL, O_NONBLOCK), 0);
	do {
		(void)snprintf(line, sizeof(line), "line %040d\n", n++);
	} while (write(f->program, line, strlen(line)) == (ssize_t)strlen(line));
	assert_int_equal(relay_drain(&f->relay), RELAY_WANTS_OUTPUT);
	say(f, "the reason\n");
	assert_int_equal(relay_drain(&f->relay), RELAY_WANTS_OUTPUT);
	assert_string_equal(last_line(f), "the reason");
	assert_false(has_input(f));
	empty_sink(f);
	for (int i = 0; i < n - 1;) {
		static char got[64 * 1024];
		ssize_t len;

		(void)relay_pump(&f->relay);
		len = read(f->out, got, sizeof(got));
		assert_true(len > 0);
		for (const char *p = got; p < got + len && i < n - 1; p += strlen(line), i++) {
			(void)snprintf(line, sizeof(line), "line %040d\n", i);
			assert_memory_equal(p, line, strlen(line));
		}
	}
}

static void behind_a_full_sink_the_program_waits_as_it_would_without_us(void **state)
{
	struct fixture *f = *state;
	char block[4096] = "";
	size_t total = 0;

	fill_sink(f);
	assert_int_equal(fcntl(f->program, F_SETFL, O_NONBLOCK), 0);
	while (write(f->program, block, sizeof(block)) > 0) {
		assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_OUTPUT);
		total += sizeof(block);
		assert_true(total < 1024UL * 1024);
	}
	assert_int_equal(errno, EAGAIN);
}

static void a_closed_sink_swallows_and_the_last_line_is_still_known(void **state)
{
	struct fixture *f = *state;
	sigset_t set;
	sigset_t before;

	(void)sigfillset(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	(void)close(f->out);
	f->out = -1;
	say(f, "into the void\n");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	assert_string_equal(last_line(f), "into the void");
	assert_false(has_input(f));
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void a_bad_descriptor_swallows_too(void **state)
{
	struct fixture *f = *state;

	(void)close(f->sink.fd);
	f->sink.fd = -1;
	f->sink.kind = SINK_STRAIGHT;
	say(f, "nowhere\n");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	assert_string_equal(last_line(f), "nowhere");
}

static void a_muted_relay_reads_on(void **state)
{
	struct fixture *f = *state;

	fill_sink(f);
	say(f, "lost\n");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_OUTPUT);
	relay_mute(&f->relay);
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	say(f, "lost too\n");
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	assert_string_equal(last_line(f), "lost too");
}

static void a_socket_is_written_without_waiting(void **state)
{
	struct fixture f = { .out = -1 };
	int ends[2];

	(void)state;
	(void)alarm(TOO_LONG_S);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	set_up_ends(&f, ends);
	say(&f, "hello\n");
	assert_int_equal(relay_pump(&f.relay), RELAY_WANTS_INPUT);
	assert_string_equal(heard(&f), "hello\n");
	fill_sink(&f);
	say(&f, "held\n");
	assert_int_equal(relay_pump(&f.relay), RELAY_WANTS_OUTPUT);
	relay_close(&f.relay);
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)alarm(0);
}

/* A program that writes a whole buffer in pieces of an odd size and ends. */
static pid_t start_writer(const struct fixture *f, const char *buf, size_t len, size_t piece)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	for (size_t at = 0; at < len; at += piece)
		if (io_write_full(f->program, buf + at, len - at < piece ? len - at : piece) < 0)
			_exit(1);
	_exit(0);
}

/* Reads everything that comes, and compares. */
struct reader {
	int fd;
	const char *want;
	size_t len;
	bool is_equal;
};

static void *read_and_compare(void *arg)
{
	struct reader *r = arg;
	char buf[8192];
	size_t at = 0;
	ssize_t n;

	while (at < r->len && (n = read(r->fd, buf, sizeof(buf))) > 0) {
		if ((size_t)n > r->len - at || memcmp(buf, r->want + at, (size_t)n) != 0)
			return NULL;
		at += (size_t)n;
	}
	r->is_equal = at == r->len;
	return NULL;
}

/* The event loop of PID 1, until the writer has ended. */
static void run_loop(struct fixture *f, pid_t writer)
{
	enum relay_wants wants = RELAY_WANTS_INPUT;
	int status = 0;

	while (waitpid(writer, &status, WNOHANG) == 0) {
		struct pollfd p = { .fd = f->relay.read_fd, .events = POLLIN };

		if (wants == RELAY_WANTS_OUTPUT)
			p = (struct pollfd) { .fd = f->sink.fd, .events = POLLOUT };
		if (poll(&p, 1, 10) > 0)
			wants = relay_pump(&f->relay);
	}
	assert_int_equal(status, 0);
	relay_finish(&f->relay, TOO_LONG_S * 1000);
}

static void expect_unchanged(struct fixture *f, const char *buf, size_t len, size_t piece)
{
	struct reader reader = { .fd = f->out, .want = buf, .len = len };
	pthread_t thread;
	pid_t writer;

	assert_int_equal(fcntl(f->out, F_SETFL, 0), 0);
	writer = start_writer(f, buf, len, piece);
	assert_int_equal(pthread_create(&thread, NULL, read_and_compare, &reader), 0);
	run_loop(f, writer);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(reader.is_equal);
}

static void a_line_of_10_mb_passes_unchanged(void **state)
{
	struct fixture *f = *state;
	auto_free char *buf = malloc(LONG_LINE);

	assert_non_null(buf);
	for (size_t i = 0; i < LONG_LINE; i++)
		buf[i] = (char)('a' + i % 23);
	expect_unchanged(f, buf, LONG_LINE, 100003);
	assert_int_equal(strlen(last_line(f)), 300);
	assert_memory_equal(last_line(f), buf, 300);
}

static void binary_garbage_passes_unchanged(void **state)
{
	const size_t len = 3000001;
	struct fixture *f = *state;
	auto_free char *buf = malloc(len);
	uint32_t seed = 7;

	assert_non_null(buf);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		buf[i] = (char)(seed >> 24);
	}
	expect_unchanged(f, buf, len, 4099);
}

/* Every write to the sink but the last must end a line, whatever the relay's reads cut. */
static void lines_stay_whole_while_there_is_more(void **state)
{
	struct fixture *f = *state;
	size_t total = 0;
	char line[64];

	assert_true(fcntl(f->program, F_SETPIPE_SZ, 1024 * 1024) > 0);
	assert_true(fcntl(f->out, F_SETPIPE_SZ, 1024 * 1024) > 0);
	for (int i = 0; i < 4000; i++) {
		(void)snprintf(line, sizeof(line), "line %d of some length or other\n", i);
		say(f, line);
		total += strlen(line);
	}
	say(f, "and a rest");
	total += strlen("and a rest");
	for (size_t got = 0; got < total;) {
		static char buf[256 * 1024];
		ssize_t n;

		assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
		n = read(f->out, buf, sizeof(buf));
		assert_true(n > 0);
		got += (size_t)n;
		assert_true(got == total || buf[n - 1] == '\n');
	}
	assert_string_equal(last_line(f), "and a rest");
}

static void a_pump_is_bounded_and_a_drain_takes_all(void **state)
{
	struct fixture *f = *state;
	static char block[256 * 1024];

	memset(block, 'x', sizeof(block));
	assert_true(fcntl(f->program, F_SETPIPE_SZ, 1024 * 1024) > 0);
	assert_true(fcntl(f->out, F_SETPIPE_SZ, 1024 * 1024) > 0);
	assert_int_equal(io_write_full(f->program, block, sizeof(block)), 0);
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	assert_true(has_input(f));
	assert_int_equal(read(f->out, block, sizeof(block)), 4 * RELAY_READ);
	assert_int_equal(relay_drain(&f->relay), RELAY_WANTS_INPUT);
	assert_false(has_input(f));
	assert_int_equal(read(f->out, block, sizeof(block)),
			 sizeof(block) - 4 * (size_t)RELAY_READ);
}

static void the_end_does_not_wait_for_a_reader_that_never_comes(void **state)
{
	struct fixture *f = *state;

	fill_sink(f);
	say(f, "never read\n");
	relay_finish(&f->relay, 0);
	relay_finish(&f->relay, 30);
	assert_string_equal(last_line(f), "never read");
}

/* The log's sink becomes this relay's, for good: the last test. */
static void share_with_the_log(struct fixture *f)
{
	int saved = dup(STDERR_FILENO);

	assert_int_equal(dup2(f->sink.fd, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(log_init("test", LOG_FORMAT_TEXT, NULL), 0);
	f->relay.sink = log_sink();
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
}

/* A pipe that has room for a short line, but not for what the relay has to pass on. */
static void no_line_of_the_log_comes_between_two_halves(void **state)
{
	struct fixture *f = *state;
	char rest[SINK_WRITE_MAX + 5] = "";
	const char *text;

	share_with_the_log(f);
	fill_sink(f);
	assert_int_equal(read(f->out, rest, SINK_WRITE_MAX), SINK_WRITE_MAX);
	assert_int_equal(sink_write(&f->sink, "x", 1), 1);
	memset(rest, 'y', SINK_WRITE_MAX);
	memcpy(rest + SINK_WRITE_MAX, "end\n", 5);
	say(f, rest);
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_OUTPUT);
	log_event(EVENT_LAUNCH_FAILED, NULL, "in between");
	empty_sink(f);
	assert_int_equal(relay_pump(&f->relay), RELAY_WANTS_INPUT);
	text = heard(f);
	assert_memory_equal(text, rest, strlen(rest));
	assert_non_null(strstr(text, "in between\n"));
}

static void without_a_relay_nothing_is_wanted(void **state)
{
	struct relay r = { .read_fd = -1, .write_fd = -1 };

	(void)state;
	assert_int_equal(relay_pump(&r), RELAY_WANTS_NOTHING);
	assert_int_equal(relay_drain(&r), RELAY_WANTS_NOTHING);
	assert_int_equal(relay_start(&r), -1);
	relay_finish(&r, 1000);
	relay_close(&r);
}

static void the_programs_user_may_open_its_standard_error(void **state)
{
	struct relay r;
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(relay_open(&r, 65532, 65533), 0);
	assert_int_equal(fstat(r.write_fd, &st), 0);
	assert_int_equal(st.st_uid, 65532);
	assert_int_equal(st.st_gid, 65533);
	relay_close(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passes_lines_on_and_remembers_the_last),
		TEST(a_prompt_without_a_line_break_appears_at_once),
		TEST(a_new_program_has_said_nothing_yet_and_may_wait),
		TEST(a_full_sink_stops_the_reading_until_it_is_writable),
		TEST(at_a_programs_end_the_last_line_is_known_behind_a_full_sink),
		TEST(behind_a_full_sink_the_program_waits_as_it_would_without_us),
		TEST(a_closed_sink_swallows_and_the_last_line_is_still_known),
		TEST(a_bad_descriptor_swallows_too),
		TEST(a_muted_relay_reads_on),
		cmocka_unit_test(a_socket_is_written_without_waiting),
		TEST(a_line_of_10_mb_passes_unchanged),
		TEST(binary_garbage_passes_unchanged),
		TEST(lines_stay_whole_while_there_is_more),
		TEST(a_pump_is_bounded_and_a_drain_takes_all),
		TEST(the_end_does_not_wait_for_a_reader_that_never_comes),
		cmocka_unit_test(without_a_relay_nothing_is_wanted),
		cmocka_unit_test(the_programs_user_may_open_its_standard_error),
		TEST(no_line_of_the_log_comes_between_two_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
