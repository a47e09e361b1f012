/* SPDX-License-Identifier: MIT */
#include "common/str.h"
#include "daemon/rpc/rpc_server.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PING  "{\"jsonrpc\":\"2.0\",\"method\":\"daemon.ping\",\"id\":2}\n"
#define COUNT "{\"jsonrpc\":\"2.0\",\"method\":\"peers.count\"}\n"
#define LIST  "{\"jsonrpc\":\"2.0\",\"method\":\"peers.list\"}\n"

static time_t ahead_s;

/* Stands before the C library's, for libevent too: tests go ahead in time instead of waiting. */
__attribute__((visibility("default"))) int ahead_gettime(clockid_t id, struct timespec *ts) __asm__(
	"clock_gettime");

int ahead_gettime(clockid_t id, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	if (r == 0)
		ts->tv_sec += ahead_s;
	return r;
}

/**
 * struct fixture - A server in a directory of its own, and one client
 * @waiting:	The last one who asked for a view, with @is_slow
 * @is_slow:	The node answers only when told to
 * @n_asked:	Views that the server has asked for
 * @n_sent:	Requests that the client has sent
 * @n_lines:	Answers that the client has read
 * @answers:	The newest of them, as text
 * @is_over:	The server hung up
 */
struct fixture {
	struct event_base *base;
	struct rpc_server *server;
	struct peers *peers;
	struct view_waiter *waiting;
	bool is_slow;
	char dir[64];
	char path[100];
	int client;
	size_t n_asked;
	size_t n_sent;
	size_t n_lines;
	char answers[65536];
	bool is_over;
};

static void answer(struct fixture *f, struct view_waiter *w)
{
	struct view v = { .phase = VIEW_RUNNING, .now = clock_now(), .peers = f->peers };

	w->done(&v, w->arg);
}

static void fresh(void *arg, struct view_waiter *w)
{
	struct fixture *f = arg;

	f->n_asked++;
	if (f->is_slow)
		f->waiting = w;
	else
		answer(f, w);
}

static void cancel(void *arg, struct view_waiter *w)
{
	struct fixture *f = arg;

	if (f->waiting == w)
		f->waiting = NULL;
}

#define SOURCE ((struct view_source) { .arg = f, .fresh = fresh, .cancel = cancel })

static int open_server(struct fixture *f, struct err *e)
{
	int fd = rpc_server_listen(f->path, e);

	return fd < 0 ? fd : rpc_server_open(&f->server, f->base, fd, &SOURCE, e);
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct wg_key self = key_of(1);
	struct err e = { 0 };

	assert_non_null(f);
	(void)str_copy(f->dir, sizeof(f->dir), "/tmp/test-rpc-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/run/wg0.sock", f->dir);
	f->base = event_base_new();
	f->peers = peers_new(&self);
	assert_true(f->base && f->peers);
	assert_int_equal(open_server(f, &e), 0);
	f->client = -1;
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;
	char run[80];

	if (f->client >= 0)
		(void)close(f->client);
	rpc_server_close(f->server);
	peers_free(f->peers);
	event_base_free(f->base);
	(void)unlink(f->path);
	(void)snprintf(run, sizeof(run), "%s/run", f->dir);
	(void)rmdir(run);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		int saved = errno;

		(void)close(fd);
		return -saved;
	}
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void say(struct fixture *f, const char *text)
{
	if (f->client < 0)
		f->client = connect_to(f->path);
	assert_true(f->client >= 0);
	assert_int_equal(write(f->client, text, strlen(text)), strlen(text));
}

/* Reads what has come. */
static void take_answers(struct fixture *f)
{
	for (;;) {
		ssize_t n = read(f->client, f->answers, sizeof(f->answers) - 1);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			f->is_over = true;
		if (n <= 0)
			return;
		f->answers[n] = '\0';
		for (const char *p = f->answers; (p = strchr(p, '\n')) != NULL; p++)
			f->n_lines++;
	}
}

static bool one_answer_came(void *arg)
{
	take_answers(arg);
	return ((struct fixture *)arg)->n_lines >= 1;
}

static bool two_answers_came(void *arg)
{
	take_answers(arg);
	return ((struct fixture *)arg)->n_lines >= 2;
}

static bool server_hung_up(void *arg)
{
	struct fixture *f = arg;

	take_answers(f);
	return f->is_over;
}

static void each_line_is_answered_by_a_line(void **state)
{
	struct fixture *f = *state;

	say(f, PING);
	assert_true(loop_until(f->base, one_answer_came, f));
	assert_non_null(strstr(f->answers, "\"pong\":true"));
	say(f, PING);
	assert_true(loop_until(f->base, two_answers_came, f));
}

static void a_request_may_come_in_pieces_and_two_at_once(void **state)
{
	struct fixture *f = *state;

	say(f, "{\"jsonrpc\":\"2.0\",");
	loop_drain(f->base);
	assert_int_equal(f->n_lines, 0);
	say(f, "\"method\":\"daemon.ping\",\"id\":2}\n" PING);
	assert_true(loop_until(f->base, two_answers_came, f));
}

static void a_client_that_sends_and_closes_its_side_still_gets_its_answer(void **state)
{
	struct fixture *f = *state;

	say(f, PING);
	assert_int_equal(shutdown(f->client, SHUT_WR), 0);
	assert_true(loop_until(f->base, server_hung_up, f));
	assert_int_equal(f->n_lines, 1);
}

static void a_line_without_an_end_is_cut_off(void **state)
{
	struct fixture *f = *state;
	char *junk = malloc(RPC_LINE_MAX + 1);

	assert_non_null(junk);
	(void)memset(junk, 'x', RPC_LINE_MAX);
	junk[RPC_LINE_MAX] = '\0';
	say(f, junk);
	free(junk);
	assert_true(loop_until(f->base, server_hung_up, f));
	assert_int_equal(f->answers[0], 0);
}

/* Fills the table, so that one answer is large. */
static void add_many_peers(struct fixture *f)
{
	for (unsigned int i = 0; i < 900; i++) {
		struct known_peer who = { .mesh_ip = ip_of("10.77.0.1") };
		struct sighting s = sighting_of(&who, METHOD_EXCHANGE, "192.0.2.1:51820");
		struct peer *p;

		who.key.b[0] = (uint8_t)i;
		who.key.b[1] = (uint8_t)(i >> 8);
		who.key.b[2] = 1;
		(void)memset(who.hostname, 'h', ANNOUNCE_HOSTNAME_MAX);
		(void)peers_sight(f->peers, &s, clock_now(), &p);
	}
}

static void a_large_answer_reaches_a_client_that_closed_its_side(void **state)
{
	struct fixture *f = *state;

	add_many_peers(f);
	say(f, LIST);
	assert_int_equal(shutdown(f->client, SHUT_WR), 0);
	loop_drain(f->base);
	assert_true(loop_until(f->base, server_hung_up, f));
	assert_int_equal(f->n_lines, 1);
}

static bool all_was_answered(void *arg)
{
	struct fixture *f = arg;

	take_answers(f);
	return f->n_lines == f->n_sent;
}

static void a_client_that_asks_and_does_not_read_waits_until_it_does(void **state)
{
	struct fixture *f = *state;

	add_many_peers(f);
	/* Each answer is a third of a megabyte. */
	for (; f->n_sent < 40; f->n_sent++) {
		say(f, LIST);
		loop_drain(f->base);
	}
	assert_in_range(f->n_asked, 1, 8);
	assert_true(loop_until(f->base, all_was_answered, f));
	assert_int_equal(f->n_asked, f->n_sent);
}

static void a_second_server_leaves_the_socket_of_a_live_one(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	assert_int_equal(rpc_server_listen(f->path, &e), -EADDRINUSE);
	assert_non_null(strstr(e.msg, f->path));
	say(f, PING);
	assert_true(loop_until(f->base, one_answer_came, f));
}

static void a_socket_that_a_dead_node_left_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct err e = { 0 };
	int dead;

	rpc_server_close(f->server);
	f->server = NULL;
	assert_int_equal(unlink(f->path), 0);
	dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", f->path);
	assert_int_equal(bind(dead, (struct sockaddr *)&at, sizeof(at)), 0);
	(void)close(dead);
	assert_int_equal(open_server(f, &e), 0);
	say(f, PING);
	assert_true(loop_until(f->base, one_answer_came, f));
}

static void a_file_at_the_path_is_not_removed(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	struct stat st;
	int fd;

	rpc_server_close(f->server);
	f->server = NULL;
	assert_int_equal(unlink(f->path), 0);
	fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(rpc_server_listen(f->path, &e), -EEXIST);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void closing_hangs_up_and_leaves_a_socket_that_refuses(void **state)
{
	struct fixture *f = *state;

	say(f, PING);
	assert_true(loop_until(f->base, one_answer_came, f));
	rpc_server_close(f->server);
	f->server = NULL;
	loop_drain(f->base);
	take_answers(f);
	assert_true(f->is_over);
	assert_int_equal(connect_to(f->path), -ECONNREFUSED);
}

static bool somebody_waits(void *arg)
{
	return ((struct fixture *)arg)->waiting != NULL;
}

static void what_comes_behind_a_slow_answer_is_answered_behind_it(void **state)
{
	struct fixture *f = *state;

	f->is_slow = true;
	say(f, COUNT PING);
	assert_true(loop_until(f->base, somebody_waits, f));
	loop_drain(f->base);
	take_answers(f);
	assert_int_equal(f->n_lines, 0);
	answer(f, f->waiting);
	assert_true(loop_until(f->base, two_answers_came, f));
	assert_true(strstr(f->answers, "\"active\"") < strstr(f->answers, "\"pong\""));
}

static bool nobody_waits(void *arg)
{
	return ((struct fixture *)arg)->waiting == NULL;
}

static void a_client_that_leaves_while_it_waits_is_forgotten(void **state)
{
	static const struct linger reset = { .l_onoff = 1 };
	struct fixture *f = *state;

	f->is_slow = true;
	say(f, COUNT);
	assert_true(loop_until(f->base, somebody_waits, f));
	(void)setsockopt(f->client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(f->client);
	f->client = -1;
	loop_drain(f->base);
	/* It may still read, as far as the server knows: it goes when the answer finds nobody. */
	if (f->waiting)
		answer(f, f->waiting);
	f->is_slow = false;
	f->waiting = NULL;
	loop_drain(f->base);
	say(f, PING);
	assert_true(loop_until(f->base, one_answer_came, f));
}

static void closing_forgets_who_waits(void **state)
{
	struct fixture *f = *state;

	f->is_slow = true;
	say(f, COUNT);
	assert_true(loop_until(f->base, somebody_waits, f));
	rpc_server_close(f->server);
	f->server = NULL;
	assert_true(nobody_waits(f));
}

static int connected_again(struct fixture *f, int client)
{
	f->client = client;
	f->n_lines = 0;
	say(f, PING);
	assert_true(loop_until(f->base, one_answer_came, f));
	return f->client;
}

/* A connection that has had an answer, so that the server is known to have taken it. */
static int connected(struct fixture *f)
{
	return connected_again(f, -1);
}

static void the_oldest_idle_client_makes_room_for_a_new_one(void **state)
{
	struct fixture *f = *state;
	int fds[RPC_SERVER_CLIENTS_MAX + 1];

	/* The very first one is busy, and stays. */
	f->is_slow = true;
	say(f, COUNT);
	assert_true(loop_until(f->base, somebody_waits, f));
	fds[0] = f->client;
	for (size_t i = 1; i <= RPC_SERVER_CLIENTS_MAX; i++)
		fds[i] = connected(f);
	assert_int_equal(rpc_server_evicted(f->server), 1);
	f->client = fds[1];
	assert_true(loop_until(f->base, server_hung_up, f));
	f->client = fds[0];
	f->is_over = false;
	f->n_lines = 0;
	answer(f, f->waiting);
	assert_true(loop_until(f->base, one_answer_came, f));
	assert_false(f->is_over);
	for (size_t i = 0; i <= RPC_SERVER_CLIENTS_MAX; i++)
		(void)close(fds[i]);
	f->client = -1;
}

static void who_completes_no_request_in_half_a_minute_goes(void **state)
{
	struct fixture *f = *state;
	int silent = connected(f);
	int dripping = connected(f);
	int busy = connected(f);

	ahead_s += RPC_SERVER_SILENCE_S - 2;
	assert_int_equal(write(dripping, " ", 1), 1);
	assert_int_equal(connected_again(f, busy), busy);
	assert_int_equal(rpc_server_evicted(f->server), 0);
	ahead_s += 3;
	loop_drain(f->base);
	assert_int_equal(rpc_server_evicted(f->server), 2);
	f->client = silent;
	assert_true(loop_until(f->base, server_hung_up, f));
	f->is_over = false;
	f->client = dripping;
	assert_true(loop_until(f->base, server_hung_up, f));
	f->is_over = false;
	(void)connected_again(f, busy);
	assert_false(f->is_over);
	(void)close(silent);
	(void)close(dripping);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_line_is_answered_by_a_line),
		T(a_request_may_come_in_pieces_and_two_at_once),
		T(a_client_that_sends_and_closes_its_side_still_gets_its_answer),
		T(a_line_without_an_end_is_cut_off),
		T(a_large_answer_reaches_a_client_that_closed_its_side),
		T(a_client_that_asks_and_does_not_read_waits_until_it_does),
		T(a_second_server_leaves_the_socket_of_a_live_one),
		T(a_socket_that_a_dead_node_left_is_replaced),
		T(a_file_at_the_path_is_not_removed),
		T(closing_hangs_up_and_leaves_a_socket_that_refuses),
		T(what_comes_behind_a_slow_answer_is_answered_behind_it),
		T(a_client_that_leaves_while_it_waits_is_forgotten),
		T(closing_forgets_who_waits),
		T(the_oldest_idle_client_makes_room_for_a_new_one),
		T(who_completes_no_request_in_half_a_minute_goes),
	};

	/* As in the node: a client that is gone is an error of its connection. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
