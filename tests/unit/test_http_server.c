/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/log.h"
#include "daemon/clock.h"
#include "daemon/http/server.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/loop.h"
#include "tests/unit/tempdir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SIZE 32768
#define ASK(path)   "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define CLIENTS	    (3 * HTTP_CLIENTS_MAX)
#define CROWD	    120 /* less than the backlog */

/**
 * struct fixture - A server on a Unix socket and on loopback, and a node that it asks
 * @is_slow:	A fresh view takes until deliver()
 * @waiting:	Who waits for it
 * @n_cancelled: Who did, and was gone
 * @ready:	Mark of the only check
 * @peers:	Peers that it tells of; NULL for none
 * @n_fds:	Descriptors before the first client
 */
struct fixture {
	struct tempdir dir;
	struct event_base *base;
	struct http *server;
	struct http_addresses at;
	struct view_source source;
	bool is_slow;
	struct view_waiter *waiting[CLIENTS];
	size_t n_waiting;
	size_t n_cancelled;
	enum view_mark mark;
	struct peers *peers;
	size_t n_fds;
	struct http_config cfg;
};

/* A client, and how many bytes it has been told; @text has the first of them. */
struct client {
	int fd;
	bool is_over;
	size_t len;
	char text[ANSWER_SIZE];
};

static void fill(void *arg, struct view *out)
{
	const struct fixture *f = arg;

	*out = (struct view) { .phase = VIEW_RUNNING, .now = clock_now(), .hostname = "web" };
	out->ifname = "wg0";
	out->backend = "kernel";
	out->identity = "loaded";
	out->pubkey[0] = 'k';
	out->peers = f->peers;
	out->n_checks = 1;
	out->checks[0] = (struct view_check) { .name = "state", .mark = f->mark, .text = "why" };
}

static void fresh(void *arg, struct view_waiter *w)
{
	struct fixture *f = arg;
	struct view v;

	if (f->is_slow) {
		f->waiting[f->n_waiting++] = w;
		return;
	}
	fill(f, &v);
	w->done(&v, w->arg);
}

static void cancel(void *arg, struct view_waiter *w)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < f->n_waiting; i++)
		if (f->waiting[i] == w) {
			f->waiting[i] = NULL;
			f->n_cancelled++;
		}
}

static void deliver(struct fixture *f)
{
	struct view v;
	size_t n = f->n_waiting;

	fill(f, &v);
	for (size_t i = 0; i < n; i++) {
		struct view_waiter *w = f->waiting[i];

		f->waiting[i] = NULL;
		if (w)
			w->done(&v, w->arg);
	}
	f->n_waiting = 0;
}

/* A port that nobody has now. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = { 0 };

	assert_non_null(f);
	tempdir_make(&f->dir);
	f->base = event_base_new();
	f->source =
		(struct view_source) { .arg = f, .now = fill, .fresh = fresh, .cancel = cancel };
	(void)snprintf(f->at.list[0].path, sizeof(f->at.list[0].path), "%s/run/w", f->dir.path);
	f->at.list[1].at.ip = (struct ip) { .family = AF_INET, .b = { 127, 0, 0, 1 } };
	f->at.list[1].at.port = free_port();
	f->at.n = 2;
	f->cfg = (struct http_config) { .at = &f->at, .hostname = "web7", .from = &f->source };
	assert_int_equal(http_open(&f->server, f->base, &f->cfg, &e), 0);
	assert_non_null(f->server);
	f->n_fds = descriptors_count();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	http_close(f->server);
	peers_free(f->peers);
	event_base_free(f->base);
	tempdir_remove(&f->dir);
	free(f);
	return 0;
}

/* --- clients --------------------------------------------------------------------------------- */

static void dial_path(struct client *c, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	c->is_over = false;
	c->len = 0;
	c->text[0] = '\0';
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void dial(struct client *c, const struct fixture *f)
{
	dial_path(c, f->at.list[0].path);
}

static void dial_tcp(struct client *c, const struct fixture *f)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = endpoint_to_sockaddr(&ss, &f->at.list[1].at, false);

	c->is_over = false;
	c->len = 0;
	c->text[0] = '\0';
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&ss, len), 0);
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void send_text(const struct client *c, const char *text)
{
	(void)send(c->fd, text, strlen(text), MSG_NOSIGNAL);
}

static bool has_hung_up(void *arg)
{
	static char rest[ANSWER_SIZE];
	struct client *c = arg;

	while (!c->is_over) {
		size_t kept = c->len < ANSWER_SIZE - 1 ? c->len : ANSWER_SIZE - 1;
		bool fits = kept < ANSWER_SIZE - 1;
		ssize_t n = recv(c->fd, fits ? c->text + kept : rest,
				 fits ? ANSWER_SIZE - 1 - kept : sizeof(rest), 0);

		if (n < 0 && errno == EAGAIN)
			break;
		c->is_over = n <= 0;
		c->len += n > 0 ? (size_t)n : 0;
		if (fits)
			c->text[c->len] = '\0';
	}
	return c->is_over;
}

/* The whole answer to one request on a connection of its own. */
static const char *talk(struct fixture *f, struct client *c, const char *request)
{
	send_text(c, request);
	assert_true(loop_until(f->base, has_hung_up, c));
	(void)close(c->fd);
	return c->text;
}

static const char *ask(struct fixture *f, const char *request)
{
	static struct client c;

	dial(&c, f);
	return talk(f, &c, request);
}

static const char *ask_tcp(struct fixture *f, const char *request)
{
	static struct client c;

	dial_tcp(&c, f);
	return talk(f, &c, request);
}

static void assert_begins(const char *text, const char *with)
{
	if (strncmp(text, with, strlen(with)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", text, with);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not have \"%s\"", text, part);
}

static bool all_is_closed(void *arg)
{
	const struct fixture *f = arg;

	return descriptors_count() == f->n_fds;
}

/* --- answers --------------------------------------------------------------------------------- */

static void a_probe_is_answered_and_hung_up_on(void **state)
{
	const char *got = ask(*state, ASK("/livez"));

	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	assert_has(got, "\r\nContent-Length: 3\r\n");
	assert_has(got, "\r\nConnection: close\r\n");
	assert_has(got, "\r\nCache-Control: no-store\r\n");
	assert_has(got, "\r\nContent-Type: text/plain; charset=utf-8\r\n");
	assert_has(got, "\r\n\r\nok\n");
}

static void its_descriptor_is_closed_at_once(void **state)
{
	struct fixture *f = *state;
	int64_t before = clock_now().mono_ms;

	(void)ask(f, ASK("/livez"));
	(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
	(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_true(all_is_closed(f));
	assert_true(clock_now().mono_ms - before < 200);
}

static void head_is_the_same_without_a_body(void **state)
{
	const char *got = ask(*state, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");

	assert_begins(got, "HTTP/1.1 200 OK\r\n");
	assert_has(got, "\r\nContent-Length: 3\r\n");
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
}

static void every_path_is_there_by_each_kind_of_socket(void **state)
{
	struct fixture *f = *state;

	assert_begins(ask(f, ASK("/startupz")), "HTTP/1.1 200 ");
	assert_begins(ask(f, ASK("/readyz")), "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, ASK("/readyz?verbose")), "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, ASK("/health")), "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, ASK("/stats")), "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, ASK("/metrics")), "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, ASK("/nothing")), "HTTP/1.1 404 ");
	f->mark = VIEW_FAIL;
	assert_begins(ask(f, ASK("/readyz")), "HTTP/1.1 503 ");
	assert_begins(ask(f, ASK("/livez")), "HTTP/1.1 200 ");
}

static void the_query_and_the_accept_header_count(void **state)
{
	struct fixture *f = *state;

	assert_has(ask(f, ASK("/readyz?verbose")), "[+]state ok\n");
	assert_null(strstr(ask(f, ASK("/readyz")), "[+]state"));
	assert_has(ask(f, "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n"),
		   "# EOF\n");
	assert_null(strstr(ask(f, ASK("/metrics")), "# EOF"));
}

static void http_1_0_and_keep_alive_are_hung_up_on_too(void **state)
{
	struct fixture *f = *state;
	const char *got = ask(f, "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

	assert_begins(got, "HTTP/1.0 200 OK\r\n");
	assert_has(got, "Connection: close");
	assert_null(strstr(got, "keep-alive"));
	assert_has(got, "Content-Length: 3");
	assert_has(ask(f, "GET /livez HTTP/1.1\r\nConnection: keep-alive\r\n\r\n"), "\r\n\r\nok\n");
}

static void other_methods_are_refused(void **state)
{
	static const char *const methods[] = { "POST",	"PUT",	 "DELETE", "OPTIONS",
					       "PATCH", "TRACE", "BREW" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		char request[100];
		const char *got;

		(void)snprintf(request, sizeof(request), "%s /livez HTTP/1.1\r\nHost: x\r\n\r\n",
			       methods[i]);
		got = ask(f, request);
		assert_begins(got, "HTTP/1.1 405 ");
		assert_has(got, "\r\nAllow: GET, HEAD\r\n");
	}
}

static void this_is_no_proxy(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(ask(f, "CONNECT example:443 HTTP/1.1\r\nHost: example\r\n\r\n"), "");
	assert_true(loop_until(f->base, all_is_closed, f));
}

static void what_is_no_request_is_refused(void **state)
{
	struct fixture *f = *state;
	static char big[40000];

	memset(big, 'a', sizeof(big) - 1);
	assert_begins(ask(f, "\r\n\r\n\r\n"), "HTTP/1.1 400 ");
	assert_begins(ask(f, "GET /livez\r\n\r\n"), "HTTP/1.1 400 ");
	assert_begins(ask(f, "GET /livez HTTP/1.1\r\nno colon\r\n\r\n"), "HTTP/1.1 400 ");
	assert_begins(ask(f, big), "HTTP/1.1 400 ");
	memcpy(big, "GET /livez HTTP/1.1\r\nA: ", 24);
	assert_begins(ask(f, big), "HTTP/1.1 400 ");
	assert_begins(ask(f, "GET /livez HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), "HTTP/1.1 413 ");
	assert_begins(ask(f, "GET /livez HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"),
		      "HTTP/1.1 413 ");
	assert_begins(ask(f, "GET /livez HTTP/1.1\r\nContent-Length: x\r\n\r\n"), "HTTP/1.1 400 ");
}

static void a_page_of_somebody_else_cannot_ask_by_loopback(void **state)
{
	struct fixture *f = *state;

	assert_begins(ask_tcp(f, "GET /livez HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n"),
		      "HTTP/1.1 403 ");
	assert_begins(ask_tcp(f, "GET http://evil.example/livez HTTP/1.1\r\n\r\n"),
		      "HTTP/1.1 403 ");
	assert_begins(ask_tcp(f, "GET /livez HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n"),
		      "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, "GET /livez HTTP/1.1\r\nHost: WEB7:9464\r\n\r\n"),
		      "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, "GET /livez HTTP/1.0\r\n\r\n"), "HTTP/1.0 200 ");
	assert_begins(ask(f, "GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "HTTP/1.1 200 ");
}

/* --- slow views, slow clients ----------------------------------------------------------------- */

static bool somebody_waits(void *arg)
{
	return ((struct fixture *)arg)->n_waiting > 0;
}

static void an_answer_may_take_a_while_whatever_comes_meanwhile(void **state)
{
	struct fixture *f = *state;
	static struct client c;

	f->is_slow = true;
	dial(&c, f);
	send_text(&c, ASK("/readyz") ASK("/livez") "garbage");
	assert_true(loop_until(f->base, somebody_waits, f));
	send_text(&c, "more garbage");
	loop_drain(f->base);
	assert_begins(ask(f, ASK("/livez")), "HTTP/1.1 200 ");
	deliver(f);
	assert_begins(talk(f, &c, ""), "HTTP/1.1 200 ");
	assert_null(strstr(c.text + 1, "HTTP/1.1"));
}

static void a_client_that_left_before_its_answer_does_no_harm(void **state)
{
	struct fixture *f = *state;
	static struct client c;

	f->is_slow = true;
	dial(&c, f);
	send_text(&c, ASK("/readyz"));
	assert_true(loop_until(f->base, somebody_waits, f));
	(void)close(c.fd);
	loop_drain(f->base);
	deliver(f);
	assert_true(loop_until(f->base, all_is_closed, f));
}

static void closing_the_server_forgets_who_waits(void **state)
{
	struct fixture *f = *state;
	static struct client c;

	f->is_slow = true;
	dial(&c, f);
	send_text(&c, ASK("/health"));
	assert_true(loop_until(f->base, somebody_waits, f));
	http_close(f->server);
	f->server = NULL;
	assert_int_equal(f->n_cancelled, 1);
	(void)close(c.fd);
}

/* How many have been evicted, and how many shall have been. */
struct evictions {
	const struct http *server;
	uint64_t expected;
};

static bool is_evicted(void *arg)
{
	const struct evictions *e = arg;

	return http_evicted(e->server) >= e->expected;
}

/* Runs the loop until client number @i, counted from 0, was let in; none leaves by itself. */
static void let_in(struct fixture *f, size_t i)
{
	struct evictions e = { f->server, i < HTTP_CLIENTS_MAX ? 0 : i + 1 - HTTP_CLIENTS_MAX };

	assert_true(loop_until(f->base, is_evicted, &e));
	loop_drain(f->base);
}

static void a_crowd_that_comes_at_once_is_heard_to_the_last(void **state)
{
	struct fixture *f = *state;
	static struct client crowd[CROWD];

	for (size_t i = 0; i < CROWD; i++) {
		dial(&crowd[i], f);
		send_text(&crowd[i], ASK("/livez"));
	}
	for (size_t i = 0; i < CROWD; i++)
		assert_begins(talk(f, &crowd[i], ""), "HTTP/1.1 200 ");
	assert_int_equal(http_evicted(f->server), 0);
}

static void who_says_nothing_makes_room_for_who_asks(void **state)
{
	struct fixture *f = *state;
	static struct client silent[CLIENTS];
	size_t n_closed = 0;

	for (size_t i = 0; i < CLIENTS; i++) {
		dial(&silent[i], f);
		send_text(&silent[i], "GET /livez HT");
		let_in(f, i);
	}
	assert_int_equal(http_evicted(f->server), CLIENTS - HTTP_CLIENTS_MAX);
	assert_begins(ask(f, ASK("/livez")), "HTTP/1.1 200 ");
	assert_int_equal(http_evicted(f->server), CLIENTS - HTTP_CLIENTS_MAX + 1);
	for (size_t i = 0; i < CLIENTS; i++) {
		n_closed += has_hung_up(&silent[i]) ? 1 : 0;
		assert_int_equal(silent[i].len, 0);
		(void)close(silent[i].fd);
	}
	assert_int_equal(n_closed, CLIENTS - HTTP_CLIENTS_MAX + 1);
	assert_true(loop_until(f->base, all_is_closed, f));
}

static void who_waits_for_an_answer_stays_when_others_only_sit_there(void **state)
{
	struct fixture *f = *state;
	static struct client asks;
	static struct client silent[CLIENTS];

	f->is_slow = true;
	dial(&asks, f);
	send_text(&asks, ASK("/readyz"));
	assert_true(loop_until(f->base, somebody_waits, f));
	for (size_t i = 0; i < CLIENTS; i++) {
		dial(&silent[i], f);
		let_in(f, i + 1);
	}
	assert_int_equal(f->n_cancelled, 0);
	deliver(f);
	assert_begins(talk(f, &asks, ""), "HTTP/1.1 200 ");
	for (size_t i = 0; i < CLIENTS; i++)
		(void)close(silent[i].fd);
}

static void so_many_who_wait_for_answers_are_evicted_too(void **state)
{
	struct fixture *f = *state;
	static struct client asks[CLIENTS];

	f->is_slow = true;
	for (size_t i = 0; i < CLIENTS; i++) {
		dial(&asks[i], f);
		send_text(&asks[i], ASK("/readyz"));
		let_in(f, i);
	}
	assert_int_equal(f->n_waiting, CLIENTS);
	assert_int_equal(f->n_cancelled, CLIENTS - HTTP_CLIENTS_MAX);
	deliver(f);
	for (size_t i = 0; i < CLIENTS; i++) {
		(void)talk(f, &asks[i], "");
		assert_int_equal(asks[i].len > 0, i >= CLIENTS - HTTP_CLIENTS_MAX);
	}
	assert_true(loop_until(f->base, all_is_closed, f));
}

/* So much to tell that it does not fit into the socket. */
static void make_peers(struct fixture *f)
{
	struct wg_key self = { .b = { 1 } };

	f->peers = peers_new(&self);
	assert_non_null(f->peers);
	for (unsigned int i = 1; i <= PEERS_MAX; i++) {
		struct known_peer who = { .key = { .b = { 2, (uint8_t)(i >> 8), (uint8_t)i } } };
		struct sighting s = { .who = &who, .method = METHOD_LAN };
		struct peer *p;

		assert_int_equal(peers_sight(f->peers, &s, clock_now(), &p), PEER_NEW);
	}
}

static void who_talks_on_without_listening_is_not_read_without_end(void **state)
{
	struct fixture *f = *state;
	static struct client c;
	static char more[65536];
	size_t sent = 0;

	make_peers(f);
	dial(&c, f);
	send_text(&c, ASK("/health"));
	loop_drain(f->base);
	for (int i = 0; i < 200; i++) {
		ssize_t n = send(c.fd, more, sizeof(more), MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		loop_drain(f->base);
	}
	assert_in_range(sent, 1, 1 << 20);
	assert_begins(talk(f, &c, ""), "HTTP/1.1 200 ");
	assert_true(c.len > 300000);
}

static void nobody_stays_longer_than_the_limit(void **state)
{
	struct fixture *f = *state;
	static struct client silent;
	static struct client waits;
	int64_t before = clock_now().mono_ms;
	int64_t took;

	f->is_slow = true;
	dial(&waits, f);
	send_text(&waits, ASK("/readyz"));
	dial(&silent, f);
	send_text(&silent, "GET");
	assert_true(loop_until(f->base, has_hung_up, &silent));
	assert_true(loop_until(f->base, has_hung_up, &waits));
	took = clock_now().mono_ms - before;
	assert_in_range(took, HTTP_LIFETIME_MS, HTTP_LIFETIME_MS + 900);
	assert_int_equal(http_evicted(f->server), 2);
	assert_int_equal(f->n_cancelled, 1);
	(void)close(silent.fd);
	(void)close(waits.fd);
	assert_true(loop_until(f->base, all_is_closed, f));
}

static void an_idle_server_does_not_wake_up(void **state)
{
	struct fixture *f = *state;

	(void)ask(f, ASK("/livez"));
	loop_drain(f->base);
	assert_int_equal(event_base_get_num_events(f->base, EVENT_BASE_COUNT_ADDED),
			 f->at.n /* listeners */);
}

/* --- listening ------------------------------------------------------------------------------- */

static void without_a_descriptor_to_spare_the_loop_does_not_spin(void **state)
{
	struct fixture *f = *state;
	struct rlimit old;
	struct rlimit none;
	static struct client c;
	int rounds = 0;
	int64_t until;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	dial(&c, f);
	none = old;
	none.rlim_cur = (rlim_t)c.fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	send_text(&c, ASK("/livez"));
	until = clock_now().mono_ms + 500;
	for (; clock_now().mono_ms < until; rounds++)
		(void)event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_in_range(rounds, 1, 20);
	assert_begins(talk(f, &c, ""), "HTTP/1.1 200 ");
}

static void an_address_that_is_taken_is_left_alone_and_the_others_serve(void **state)
{
	struct fixture *f = *state;
	struct http *second = NULL;
	struct err e = { 0 };

	assert_null(http_trouble(NULL));
	assert_null(http_trouble(f->server));
	assert_int_equal(http_open(&second, f->base, &f->cfg, &e), 0);
	assert_non_null(strstr(http_trouble(second), "--http"));
	assert_non_null(strstr(http_trouble(second), "Address already in use"));
	http_close(second);
	assert_begins(ask(f, ASK("/livez")), "HTTP/1.1 200 ");
	assert_begins(ask_tcp(f, ASK("/livez")), "HTTP/1.1 200 ");
}

static void a_file_that_is_no_socket_is_never_removed(void **state)
{
	struct fixture *f = *state;
	struct http_addresses at = { .n = 1 };
	struct http_config cfg = f->cfg;
	struct http *second = NULL;
	struct err e = { 0 };

	(void)snprintf(at.list[0].path, sizeof(at.list[0].path), "%s/precious", f->dir.path);
	tempdir_write(&f->dir, "precious", "data");
	cfg.at = &at;
	assert_int_equal(http_open(&second, f->base, &cfg, &e), 0);
	http_close(second);
	assert_string_equal(tempdir_read(&f->dir, "precious"), "data");
}

static void a_socket_that_a_dead_node_left_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct http_addresses at = { .n = 1 };
	struct http_config cfg = f->cfg;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct http *second = NULL;
	static struct client c;
	struct err e = { 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.list[0].path, sizeof(at.list[0].path), "%s/left", f->dir.path);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/left", f->dir.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	(void)close(fd);
	cfg.at = &at;
	assert_int_equal(http_open(&second, f->base, &cfg, &e), 0);
	dial_path(&c, at.list[0].path);
	assert_begins(talk(f, &c, ASK("/livez")), "HTTP/1.1 200 ");
	http_close(second);
	assert_int_equal(unlink(at.list[0].path), 0);
}

static void without_an_address_there_is_no_server(void **state)
{
	struct fixture *f = *state;
	struct http_addresses at = { .n = 0 };
	struct http_config cfg = f->cfg;
	struct http *none = f->server;
	struct err e = { 0 };

	cfg.at = &at;
	assert_int_equal(http_open(&none, f->base, &cfg, &e), 0);
	assert_null(none);
	http_close(none);
	assert_int_equal(http_evicted(none), 0);
}

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(a_probe_is_answered_and_hung_up_on),
		SERVER_TEST(its_descriptor_is_closed_at_once),
		SERVER_TEST(head_is_the_same_without_a_body),
		SERVER_TEST(every_path_is_there_by_each_kind_of_socket),
		SERVER_TEST(the_query_and_the_accept_header_count),
		SERVER_TEST(http_1_0_and_keep_alive_are_hung_up_on_too),
		SERVER_TEST(other_methods_are_refused),
		SERVER_TEST(this_is_no_proxy),
		SERVER_TEST(what_is_no_request_is_refused),
		SERVER_TEST(a_page_of_somebody_else_cannot_ask_by_loopback),
		SERVER_TEST(an_answer_may_take_a_while_whatever_comes_meanwhile),
		SERVER_TEST(a_client_that_left_before_its_answer_does_no_harm),
		SERVER_TEST(closing_the_server_forgets_who_waits),
		SERVER_TEST(a_crowd_that_comes_at_once_is_heard_to_the_last),
		SERVER_TEST(who_says_nothing_makes_room_for_who_asks),
		SERVER_TEST(who_waits_for_an_answer_stays_when_others_only_sit_there),
		SERVER_TEST(so_many_who_wait_for_answers_are_evicted_too),
		SERVER_TEST(who_talks_on_without_listening_is_not_read_without_end),
		SERVER_TEST(nobody_stays_longer_than_the_limit),
		SERVER_TEST(an_idle_server_does_not_wake_up),
		SERVER_TEST(without_a_descriptor_to_spare_the_loop_does_not_spin),
		SERVER_TEST(an_address_that_is_taken_is_left_alone_and_the_others_serve),
		SERVER_TEST(a_file_that_is_no_socket_is_never_removed),
		SERVER_TEST(a_socket_that_a_dead_node_left_is_replaced),
		SERVER_TEST(without_an_address_there_is_no_server),
	};

	/* As the node does. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
