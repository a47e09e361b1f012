/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "init/supervise/notify.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 65532
#define FDS_MAX	   253 /* SCM_MAX_FD of the kernel */

/**
 * struct fixture - An open socket, and who has to end with the test
 * @children:	Processes to kill and reap
 */
struct fixture {
	int fd;
	char name[NOTIFY_NAME_SIZE];
	pid_t children[4];
	size_t n_children;
};

static int open_socket(void **state)
{
	static struct fixture f;

	f = (struct fixture) { .fd = -1 };
	f.fd = notify_open(f.name, sizeof(f.name));
	*state = &f;
	return f.fd < 0 ? -1 : 0;
}

static int close_socket(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->n_children; i++) {
		(void)kill(f->children[i], SIGKILL);
		(void)waitpid(f->children[i], NULL, 0);
	}
	(void)close(f->fd);
	return 0;
}

static void needs_root(void)
{
	if (geteuid() != 0)
		skip();
}

/* --- sending --------------------------------------------------------------------------------- */

static socklen_t address_of(struct sockaddr_un *sa, const char *name)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	memcpy(sa->sun_path, name, strlen(name));
	sa->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
}

static int connect_to(const char *name)
{
	struct sockaddr_un sa;
	socklen_t len = address_of(&sa, name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&sa, len) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int say(const char *name, const void *text, size_t len)
{
	auto_close int fd = connect_to(name);

	return fd >= 0 && send(fd, text, len, 0) == (ssize_t)len ? 0 : -1;
}

/* Sends with @n copies of a descriptor, or with credentials that are claimed. */
static int say_with(const char *name, int type, const void *data, size_t size)
{
	static const char text[] = "READY=1";
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { .buf = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)text, .iov_len = sizeof(text) - 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf };
	auto_close int fd = connect_to(name);
	struct cmsghdr *cm;

	mh.msg_controllen = CMSG_SPACE(size);
	cm = CMSG_FIRSTHDR(&mh);
	if (!cm)
		return -1;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = type;
	cm->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cm), data, size);
	return sendmsg(fd, &mh, 0) < 0 ? -1 : 0;
}

/* --- other processes ------------------------------------------------------------------------- */

/* Waits for the end of the test, which kills it. */
static _Noreturn void linger(void)
{
	for (;;)
		(void)pause();
}

static pid_t fork_child(struct fixture *f)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		return 0;
	}
	assert_true(pid > 0);
	assert_true(f->n_children < ARRAY_LEN(f->children));
	f->children[f->n_children++] = pid;
	return pid;
}

/* A process that leads a group and does nothing else. */
static pid_t start_leader(struct fixture *f)
{
	pid_t pid = fork_child(f);

	if (pid == 0)
		linger();
	assert_int_equal(setpgid(pid, pid), 0);
	return pid;
}

/* Says READY=1 as a member of a group (0: its own), as a user. It lives until the test ends. */
static pid_t start_sender(struct fixture *f, pid_t group, uid_t uid)
{
	pid_t pid = fork_child(f);

	if (pid == 0) {
		if (setpgid(0, group) < 0 || (uid != geteuid() && setuid(uid) < 0) ||
		    say(f->name, "READY=1", 7) < 0)
			_exit(1);
		linger();
	}
	return pid;
}

/* Takes the next datagram, which may not have been sent yet. */
static int receive(const struct fixture *f, pid_t daemon, uid_t uid, struct notify_message *m)
{
	const struct notify_access who = { .daemon = daemon, .uid = uid };
	struct pollfd p = { .fd = f->fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
	return notify_receive(f->fd, &who, m);
}

static int receive_own(const struct fixture *f, struct notify_message *m)
{
	return receive(f, getpid(), geteuid(), m);
}

/* --- opening --------------------------------------------------------------------------------- */

static void the_socket_is_abstract_and_our_own(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(f->name[0], '@');
	assert_true(strlen(f->name) < NOTIFY_NAME_SIZE);
	assert_true(fcntl(f->fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(f->fd, F_GETFL) & O_NONBLOCK);
}

static void a_second_socket_gets_another_name(void **state)
{
	const struct fixture *f = *state;
	char name[NOTIFY_NAME_SIZE];
	auto_close int fd = notify_open(name, sizeof(name));
	struct notify_message m;

	assert_true(fd >= 0);
	assert_string_not_equal(name, f->name);
	assert_int_equal(say(name, "STOPPING=1", 10), 0);
	assert_int_equal(say(f->name, "READY=1", 7), 0);
	assert_int_equal(receive_own(f, &m), 1);
	assert_true(m.is_ready && !m.is_stopping);
}

static void a_name_that_does_not_fit_is_an_error(void **state)
{
	char name[20];

	(void)state;
	assert_int_equal(notify_open(name, sizeof(name)), -ENAMETOOLONG);
}

/* Runs in a child: an empty root without /proc, where nothing can be written. */
static int open_in_an_empty_root(const char *root)
{
	char name[NOTIFY_NAME_SIZE];
	const struct notify_access self = { .daemon = getpid(), .uid = geteuid() };
	struct notify_message m;
	int fd;

	if (chroot(root) < 0 || chdir("/") < 0)
		return 1;
	fd = notify_open(name, sizeof(name));
	if (fd < 0)
		return 2;
	return say(name, "READY=1", 7) == 0 && notify_receive(fd, &self, &m) == 1 ? 0 : 3;
}

static void it_needs_neither_directory_nor_proc(void **state)
{
	char root[] = "/tmp/wgmesh-notify-XXXXXX";
	int status = -1;
	pid_t pid;

	(void)state;
	needs_root();
	assert_non_null(mkdtemp(root));
	pid = fork();
	if (pid == 0)
		_exit(open_in_an_empty_root(root));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(rmdir(root), 0);
	assert_int_equal(status, 0);
}

/* --- whom to believe ------------------------------------------------------------------------- */

static void the_program_itself_is_believed(void **state)
{
	struct fixture *f = *state;
	struct notify_message m;
	pid_t pid = start_sender(f, 0, geteuid());

	assert_int_equal(receive(f, pid, geteuid(), &m), 1);
	assert_true(m.is_ready);
	assert_int_equal(m.sender_pid, pid);
	assert_int_equal(m.sender_uid, geteuid());
}

static void the_program_itself_is_believed_as_whatever_user(void **state)
{
	struct fixture *f = *state;
	struct notify_message m;
	pid_t pid;

	needs_root();
	pid = start_sender(f, 0, OTHER_USER);
	assert_int_equal(receive(f, pid, 0, &m), 1);
	assert_int_equal(m.sender_uid, OTHER_USER);
}

static void a_member_of_its_group_is_believed(void **state)
{
	struct fixture *f = *state;
	struct notify_message m;
	pid_t leader = start_leader(f);
	pid_t pid = start_sender(f, leader, geteuid());

	assert_int_equal(receive(f, leader, geteuid(), &m), 1);
	assert_int_equal(m.sender_pid, pid);
}

static void a_member_is_believed_as_the_programs_user_or_root(void **state)
{
	struct fixture *f = *state;
	struct notify_message m;
	pid_t leader;

	needs_root();
	leader = start_leader(f);
	(void)start_sender(f, leader, OTHER_USER);
	assert_int_equal(receive(f, leader, OTHER_USER, &m), 1);
	(void)start_sender(f, leader, 0);
	assert_int_equal(receive(f, leader, OTHER_USER, &m), 1);
	(void)start_sender(f, leader, OTHER_USER);
	assert_int_equal(receive(f, leader, OTHER_USER + 1, &m), -EPERM);
	assert_int_equal(m.sender_uid, OTHER_USER);
}

/* Leads a session, in which another process leads a group of its own and says READY=1. */
static _Noreturn void lead_session(const char *name)
{
	if (setsid() < 0)
		_exit(1);
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setpgid(0, 0) < 0 || say(name, "READY=1", 7) < 0)
			_exit(1);
	}
	linger();
}

static void a_member_of_its_session_is_believed(void **state)
{
	struct fixture *f = *state;
	struct notify_message m;
	pid_t leader = fork_child(f);

	if (leader == 0)
		lead_session(f->name);
	assert_int_equal(receive(f, leader, geteuid(), &m), 1);
	assert_int_not_equal(m.sender_pid, leader);
	assert_int_not_equal(getpgid(m.sender_pid), leader);
}

static void a_process_of_another_group_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct notify_message m = { .is_ready = false };
	pid_t leader = start_leader(f);
	pid_t pid = start_sender(f, 0, geteuid());

	assert_int_equal(receive(f, leader, geteuid(), &m), -EPERM);
	assert_false(m.is_ready);
	assert_int_equal(m.sender_pid, pid);
	assert_int_equal(m.sender_uid, geteuid());
}

static void while_no_program_runs_nobody_is_believed(void **state)
{
	const struct fixture *f = *state;
	struct notify_message m;

	assert_int_equal(say(f->name, "READY=1", 7), 0);
	assert_int_equal(receive(f, 0, geteuid(), &m), -EPERM);
}

static void a_dead_member_is_believed_until_it_is_reaped(void **state)
{
	struct fixture *f = *state;
	struct notify_message m;
	pid_t leader = start_leader(f);

	for (int i = 0; i < 2; i++) {
		siginfo_t si;
		pid_t pid = fork();

		if (pid == 0)
			_exit(setpgid(0, leader) == 0 && say(f->name, "READY=1", 7) == 0 ? 0 : 1);
		assert_int_equal(waitid(P_PID, (id_t)pid, &si, WEXITED | (i == 0 ? WNOWAIT : 0)),
				 0);
		assert_int_equal(si.si_status, 0);
		assert_int_equal(receive(f, leader, geteuid(), &m), i == 0 ? 1 : -EPERM);
		if (i == 0)
			assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

/* The kernel lets only root claim to be another. */
static void credentials_cannot_be_forged_without_privilege(void **state)
{
	struct fixture *f = *state;
	pid_t leader = start_leader(f);
	struct ucred claim = { .pid = leader, .uid = OTHER_USER, .gid = OTHER_USER };
	struct notify_message m;
	int status = -1;
	pid_t pid;

	needs_root();
	pid = fork();
	if (pid == 0) {
		if (setgid(OTHER_USER) < 0 || setuid(OTHER_USER) < 0)
			_exit(2);
		_exit(say_with(f->name, SCM_CREDENTIALS, &claim, sizeof(claim)) < 0 &&
				      errno == EPERM
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(notify_receive(f->fd, &(struct notify_access) { leader, 0 }, &m), -EAGAIN);
}

static void a_claimed_user_does_not_make_a_member(void **state)
{
	struct fixture *f = *state;
	pid_t leader = start_leader(f);
	struct ucred claim = { .pid = getpid(), .uid = OTHER_USER, .gid = OTHER_USER };
	struct notify_message m;

	needs_root();
	assert_int_equal(say_with(f->name, SCM_CREDENTIALS, &claim, sizeof(claim)), 0);
	assert_int_equal(receive(f, leader, OTHER_USER, &m), -EPERM);
	assert_int_equal(m.sender_uid, OTHER_USER);
}

/* As PID 1 of a namespace, with a group of its own: a sender outside has the number 0 in here. */
static _Noreturn void receive_from_outside(int up, int down)
{
	const struct notify_access who = { .daemon = 1, .uid = 0 };
	char name[NOTIFY_NAME_SIZE];
	struct notify_message m;
	char byte;
	int fd = notify_open(name, sizeof(name));

	if (fd < 0 || setpgid(0, 0) < 0 || getpgid(0) != 1 ||
	    write(up, name, sizeof(name)) != (ssize_t)sizeof(name) || read(down, &byte, 1) != 1)
		_exit(1);
	_exit(notify_receive(fd, &who, &m) == -EPERM && m.sender_pid == 0 ? 0 : 2);
}

static void run_namespace(void)
{
	char name[NOTIFY_NAME_SIZE];
	int up[2];
	int down[2];
	int status = -1;
	pid_t pid;

	if (pipe(up) < 0 || pipe(down) < 0 || unshare(CLONE_NEWPID) < 0)
		_exit(10);
	pid = fork();
	if (pid == 0)
		receive_from_outside(up[1], down[0]);
	(void)close(up[1]);
	if (read(up[0], name, sizeof(name)) != (ssize_t)sizeof(name) ||
	    say(name, "READY=1", 7) < 0 || write(down[1], "x", 1) != 1)
		_exit(11);
	_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 12);
}

static void a_process_outside_the_namespace_is_not_believed(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	needs_root();
	pid = fork();
	if (pid == 0)
		run_namespace();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- datagrams ------------------------------------------------------------------------------- */

static void datagrams_come_one_by_one_until_there_is_none(void **state)
{
	const struct fixture *f = *state;
	struct notify_message m;

	assert_int_equal(say(f->name, "RELOADING=1\nSTATUS=one", 22), 0);
	assert_int_equal(say(f->name, "READY=1", 7), 0);
	assert_int_equal(receive_own(f, &m), 1);
	assert_true(m.is_reloading && m.has_status && !m.is_ready);
	assert_int_equal(receive_own(f, &m), 1);
	assert_true(m.is_ready && !m.is_reloading && !m.has_status);
	assert_int_equal(notify_receive(f->fd, &(struct notify_access) { getpid(), 0 }, &m),
			 -EAGAIN);
}

static void one_that_is_too_large_is_refused_and_the_next_is_not(void **state)
{
	const struct fixture *f = *state;
	char text[NOTIFY_DATAGRAM_MAX + 1];
	struct notify_message m;

	memset(text, 'x', sizeof(text));
	assert_int_equal(say(f->name, text, sizeof(text)), 0);
	assert_int_equal(say(f->name, text, sizeof(text) - 1), 0);
	assert_int_equal(receive_own(f, &m), -EMSGSIZE);
	assert_int_equal(receive_own(f, &m), 1);
}

static void garbage_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct notify_message m;

	assert_int_equal(say(f->name, "", 0), 0);
	assert_int_equal(receive_own(f, &m), -EBADMSG);
	assert_int_equal(say(f->name, "READY=1\0\xff\xfe", 10), 0);
	assert_int_equal(receive_own(f, &m), -EBADMSG);
	assert_false(m.is_ready);
	assert_int_equal(say(f->name, "\xff\xfe\x01", 3), 0);
	assert_int_equal(receive_own(f, &m), 1);
	assert_false(m.is_ready || m.has_status);
}

/* A sender sees that its descriptor is closed, and none stays here. */
static void descriptors_are_dropped_however_many_and_from_whomever(void **state)
{
	static const size_t counts[] = { 1, 2, 8, FDS_MAX };
	const struct fixture *f = *state;
	size_t before = descriptors_count();

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		int ends[2];
		int fds[FDS_MAX];
		struct notify_message m;
		struct pollfd p = { .events = POLLIN };

		assert_int_equal(pipe(ends), 0);
		for (size_t j = 0; j < counts[i]; j++)
			fds[j] = ends[1];
		assert_int_equal(say_with(f->name, SCM_RIGHTS, fds, counts[i] * sizeof(int)), 0);
		(void)close(ends[1]);
		p.fd = ends[0];
		assert_int_equal(poll(&p, 1, 0), 0);
		assert_int_equal(receive(f, i == 0 ? 0 : getpid(), geteuid(), &m),
				 i == 0 ? -EPERM : 1);
		assert_int_equal(poll(&p, 1, 0), 1);
		assert_true(p.revents & POLLHUP);
		(void)close(ends[0]);
		assert_int_equal(descriptors_count(), before);
	}
}

static void a_datagram_comes_in_when_no_descriptor_is_free(void **state)
{
	const struct fixture *f = *state;
	const struct notify_access self = { .daemon = getpid(), .uid = geteuid() };
	struct rlimit before;
	struct rlimit none;
	struct notify_message m;
	int r;

	assert_int_equal(say_with(f->name, SCM_RIGHTS, &f->fd, sizeof(f->fd)), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = notify_receive(f->fd, &self, &m);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, 1);
	assert_true(m.is_ready);
}

#define T(test) cmocka_unit_test_setup_teardown(test, open_socket, close_socket)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_socket_is_abstract_and_our_own),
		T(a_second_socket_gets_another_name),
		T(a_name_that_does_not_fit_is_an_error),
		T(it_needs_neither_directory_nor_proc),
		T(the_program_itself_is_believed),
		T(the_program_itself_is_believed_as_whatever_user),
		T(a_member_of_its_group_is_believed),
		T(a_member_is_believed_as_the_programs_user_or_root),
		T(a_member_of_its_session_is_believed),
		T(a_process_of_another_group_is_not_believed),
		T(while_no_program_runs_nobody_is_believed),
		T(a_dead_member_is_believed_until_it_is_reaped),
		T(credentials_cannot_be_forged_without_privilege),
		T(a_claimed_user_does_not_make_a_member),
		T(a_process_outside_the_namespace_is_not_believed),
		T(datagrams_come_one_by_one_until_there_is_none),
		T(one_that_is_too_large_is_refused_and_the_next_is_not),
		T(garbage_is_refused),
		T(descriptors_are_dropped_however_many_and_from_whomever),
		T(a_datagram_comes_in_when_no_descriptor_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
