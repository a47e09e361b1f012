/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin_wire.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct message {
	uint32_t op;
	char text[60];
};

struct wire {
	int a;
	int b;
};

static struct wire wire;

static int open_wire(void **state)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	wire = (struct wire) { pair[0], pair[1] };
	*state = &wire;
	return 0;
}

static int close_wire(void **state)
{
	struct wire *w = *state;

	if (w->a >= 0)
		(void)close(w->a);
	(void)close(w->b);
	return 0;
}

static int receive(const struct wire *w, struct message *out, int *fd)
{
	return netadmin_wire_receive(w->b, out, sizeof(*out), fd, MSG_DONTWAIT);
}

static void a_message_arrives_as_it_was_sent(void **state)
{
	const struct wire *w = *state;
	struct message in = { .op = 7, .text = "hello" };
	struct message out;
	int fd = 99;

	assert_int_equal(netadmin_wire_send(w->a, &in, sizeof(in), -1, 0), 0);
	assert_int_equal(receive(w, &out, &fd), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(fd, -1);
}

static void messages_keep_their_order_and_their_bounds(void **state)
{
	const struct wire *w = *state;
	struct message m = { .op = 0 };
	int fd;

	for (m.op = 1; m.op <= 3; m.op++)
		assert_int_equal(netadmin_wire_send(w->a, &m, sizeof(m), -1, 0), 0);
	for (uint32_t op = 1; op <= 3; op++) {
		assert_int_equal(receive(w, &m, &fd), 0);
		assert_int_equal(m.op, op);
	}
	assert_int_equal(receive(w, &m, &fd), -EAGAIN);
}

static void a_descriptor_travels_and_the_senders_stays_open(void **state)
{
	const struct wire *w = *state;
	struct message m = { .op = 1 };
	int pipe_fds[2];
	char byte = 'x';
	int fd = -1;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(netadmin_wire_send(w->a, &m, sizeof(m), pipe_fds[1], 0), 0);
	assert_int_equal(receive(w, &m, &fd), 0);
	assert_true(fd >= 0);
	assert_int_not_equal(fd, pipe_fds[1]);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(fd, &byte, 1), 1);
	byte = 0;
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	assert_true(fcntl(pipe_fds[1], F_GETFD) >= 0);
	(void)close(fd);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void a_full_socket_is_no_failure(void **state)
{
	const struct wire *w = *state;
	struct message m = { .op = 1 };
	int sent = 0;
	int fd;
	int r;

	while ((r = netadmin_wire_send(w->a, &m, sizeof(m), -1, MSG_DONTWAIT)) == 0)
		sent++;
	assert_int_equal(r, -EAGAIN);
	for (; sent > 0; sent--)
		assert_int_equal(receive(w, &m, &fd), 0);
	assert_int_equal(netadmin_wire_send(w->a, &m, sizeof(m), -1, MSG_DONTWAIT), 0);
}

static void a_closed_other_end_is_told_apart_and_kills_nobody(void **state)
{
	struct wire *w = *state;
	struct message m = { .op = 1 };
	int fd;

	(void)close(w->a);
	w->a = -1;
	assert_int_equal(receive(w, &m, &fd), -EPIPE);
	assert_int_equal(netadmin_wire_send(w->b, &m, sizeof(m), -1, 0), -EPIPE);
}

static void what_was_sent_before_the_end_still_arrives(void **state)
{
	struct wire *w = *state;
	struct message m = { .op = 5 };
	int fd;

	assert_int_equal(netadmin_wire_send(w->a, &m, sizeof(m), -1, 0), 0);
	(void)close(w->a);
	w->a = -1;
	m.op = 0;
	assert_int_equal(receive(w, &m, &fd), 0);
	assert_int_equal(m.op, 5);
	assert_int_equal(receive(w, &m, &fd), -EPIPE);
}

static void a_message_of_another_size_is_refused_and_its_descriptor_closed(void **state)
{
	const struct wire *w = *state;
	char longer[sizeof(struct message) + 1] = { 0 };
	struct message m;
	size_t before = descriptors_count();
	int fd = 99;

	assert_int_equal(netadmin_wire_send(w->a, longer, sizeof(longer), w->a, 0), 0);
	assert_int_equal(receive(w, &m, &fd), -EPROTO);
	assert_int_equal(fd, -1);
	assert_int_equal(netadmin_wire_send(w->a, longer, sizeof(m) - 1, w->a, 0), 0);
	assert_int_equal(receive(w, &m, &fd), -EPROTO);
	assert_int_equal(fd, -1);
	assert_int_equal(descriptors_count(), before);
}

/* A peer that breaks the protocol must not be able to use up our descriptors. */
static void more_descriptors_than_one_are_refused_and_closed(void **state)
{
	const struct wire *w = *state;
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(8 * sizeof(int))];
	} control;
	size_t before = descriptors_count();

	for (size_t n = 2; n <= 8; n++) {
		struct message m = { .op = 1 };
		struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
		struct cmsghdr *cm;
		int fd = 99;

		memset(&control, 0, sizeof(control));
		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		assert_non_null(cm);
		if (!cm)
			return;
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &w->a, sizeof(int));
		assert_int_equal(sendmsg(w->a, &mh, 0), sizeof(m));
		assert_int_equal(receive(w, &m, &fd), -EPROTO);
		assert_int_equal(fd, -1);
		assert_int_equal(descriptors_count(), before);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, open_wire, close_wire)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_message_arrives_as_it_was_sent),
		T(messages_keep_their_order_and_their_bounds),
		T(a_descriptor_travels_and_the_senders_stays_open),
		T(a_full_socket_is_no_failure),
		T(a_closed_other_end_is_told_apart_and_kills_nobody),
		T(what_was_sent_before_the_end_still_arrives),
		T(a_message_of_another_size_is_refused_and_its_descriptor_closed),
		T(more_descriptors_than_one_are_refused_and_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
