/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "init/supervise/notify_outer.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Our own receiving side plays the engine's. */
struct fixture {
	int fd;
	char name[NOTIFY_NAME_SIZE];
};

static int open_socket(void **state)
{
	static struct fixture f;

	f.fd = notify_open(f.name, sizeof(f.name));
	*state = &f;
	return f.fd < 0 ? -1 : 0;
}

static int close_socket(void **state)
{
	const struct fixture *f = *state;

	(void)close(f->fd);
	return 0;
}

static int receive(const struct fixture *f, struct notify_message *m)
{
	const struct notify_access self = { .daemon = getpid(), .uid = geteuid() };

	return notify_receive(f->fd, &self, m);
}

static void what_the_program_says_is_passed_on(void **state)
{
	const struct fixture *f = *state;
	struct notify_message said = { .is_ready = true,
				       .is_beat = true,
				       .has_status = true,
				       .status = "fine",
				       .has_extend = true,
				       .extend_ms = 1500 };
	auto_close int fd = notify_outer_open(f->name);
	struct notify_message m;

	assert_true(fd >= 0);
	notify_outer_send(fd, &said);
	assert_int_equal(receive(f, &m), 1);
	assert_true(m.is_ready && m.is_beat && m.has_status && m.has_extend);
	assert_false(m.is_stopping || m.is_reloading || m.is_trigger || m.has_errno);
	assert_string_equal(m.status, "fine");
	assert_int_equal(m.extend_ms, 1500);
	said = (struct notify_message) { .is_stopping = true, .is_reloading = true };
	notify_outer_send(fd, &said);
	assert_int_equal(receive(f, &m), 1);
	assert_true(m.is_stopping && m.is_reloading && !m.is_ready && !m.has_status);
}

/* UINT64_MAX is "for ever" in microseconds, and was rounded up to milliseconds on its way in. */
static void for_ever_stays_for_ever(void **state)
{
	static const char forever[] = "EXTEND_TIMEOUT_USEC=18446744073709551615";
	const struct fixture *f = *state;
	auto_close int fd = notify_outer_open(f->name);
	struct notify_message said;
	struct notify_message m;

	assert_int_equal(notify_parse(&said, forever, sizeof(forever) - 1), 0);
	notify_outer_send(fd, &said);
	assert_int_equal(receive(f, &m), 1);
	assert_int_equal(m.extend_ms, said.extend_ms);
}

static void nothing_is_passed_on_when_there_is_nothing_to_say(void **state)
{
	const struct fixture *f = *state;
	struct notify_message said = { .has_errno = true };
	auto_close int fd = notify_outer_open(f->name);
	struct notify_message m;

	notify_outer_send(fd, &said);
	assert_int_equal(receive(f, &m), -EAGAIN);
	notify_outer_send(-1, &(struct notify_message) { .is_ready = true });
}

static void a_socket_outside_may_have_a_path(void **state)
{
	char dir[] = "/tmp/wgmesh-notify-XXXXXX";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	auto_close int out = -1;
	char text[16] = "";

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/n", dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	out = notify_outer_open(sa.sun_path);
	(void)unlink(sa.sun_path);
	(void)rmdir(dir);
	assert_true(out >= 0);
	notify_outer_send(out, &(struct notify_message) { .is_ready = true });
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 8);
	assert_string_equal(text, "READY=1\n");
}

static void a_socket_outside_that_is_none_is_refused(void **state)
{
	char longest[NOTIFY_NAME_SIZE + 10];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[0] = '@';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(notify_outer_open(NULL), -ENOENT);
	assert_int_equal(notify_outer_open(""), -ENOENT);
	assert_int_equal(notify_outer_open("relative/path"), -EINVAL);
	assert_int_equal(notify_outer_open("vsock:2:1234"), -EINVAL);
	assert_int_equal(notify_outer_open(longest), -EINVAL);
	assert_int_equal(notify_outer_open("/nonexistent/notify"), -ENOENT);
	assert_int_equal(notify_outer_open("@wgmesh-nobody-has-this-name"), -ECONNREFUSED);
}

#define T(test) cmocka_unit_test_setup_teardown(test, open_socket, close_socket)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_the_program_says_is_passed_on),
		T(for_ever_stays_for_ever),
		T(nothing_is_passed_on_when_there_is_nothing_to_say),
		T(a_socket_outside_may_have_a_path),
		T(a_socket_outside_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
