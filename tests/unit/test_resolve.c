/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/net/resolve.h"
#include "daemon/wire/crypto.h"
#include "tests/unit/dnsserver.h"
#include "tests/unit/loop.h"

#include <errno.h>
#include <stdio.h>

/**
 * struct fixture - A server, a resolver that asks it, and what it answered
 */
struct fixture {
	struct event_base *base;
	struct dnsserver server;
	struct resolver *resolver;
	char dir[32];
	char conf[64];
	char hosts[64];
	size_t n_answers;
	size_t n;
	struct ip list[RESOLVE_MAX];
	bool has_error;
	struct fixture *ask_again;
	struct resolve *question;
	uint32_t ttl_s;
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void reopen(struct fixture *f, const char *conf, const char *hosts)
{
	struct err e = { 0 };

	resolver_close(f->resolver);
	if (conf)
		write_file(f->conf, conf);
	if (hosts)
		write_file(f->hosts, hosts);
	assert_int_equal(resolver_open_from(&f->resolver, f->base, f->conf, f->hosts, &e), 0);
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char conf[128];

	assert_non_null(f);
	f->base = event_base_new();
	dnsserver_open(&f->server, f->base);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_resolve.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->conf, sizeof(f->conf), "%s/resolv.conf", f->dir);
	(void)snprintf(f->hosts, sizeof(f->hosts), "%s/hosts", f->dir);
	(void)snprintf(conf, sizeof(conf),
		       "search ns.cluster.test cluster.test\nnameserver 127.0.0.1:%u\n"
		       "options ndots:2\n",
		       f->server.port);
	reopen(f, conf, "192.0.2.9 written.test\n");
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	resolver_close(f->resolver);
	dnsserver_close(&f->server);
	event_base_free(f->base);
	(void)unlink(f->conf);
	(void)unlink(f->hosts);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void take_answer(void *arg, const struct ip *list, size_t n, const char *error)
{
	struct fixture *f = arg;

	f->n_answers++;
	f->n = n;
	f->has_error = error != NULL;
	if (f->question)
		f->ttl_s = resolve_ttl_s(f->question);
	f->question = NULL;
	memcpy(f->list, list, n * sizeof(*list));
	if (f->ask_again) {
		f->ask_again = NULL;
		assert_non_null(resolver_ask(f->resolver, "written.test", false, take_answer, f));
	}
}

static bool is_answered(void *arg)
{
	const struct fixture *f = arg;

	return f->n_answers > 0;
}

static bool is_answered_twice(void *arg)
{
	const struct fixture *f = arg;

	return f->n_answers == 2;
}

static void ask(struct fixture *f, const char *name, bool no_ipv6)
{
	f->n_answers = 0;
	assert_non_null(resolver_ask(f->resolver, name, no_ipv6, take_answer, f));
	assert_int_equal(f->n_answers, 0);
	assert_true(loop_until(f->base, is_answered, f));
	assert_int_equal(f->n_answers, 1);
}

static bool has(const struct fixture *f, const char *text)
{
	struct ip want = ip_of(text);

	for (size_t i = 0; i < f->n; i++)
		if (ip_equal(&f->list[i], &want))
			return true;
	return false;
}

static void know(struct fixture *f, size_t slot, const char *name, const char *v4, const char *v6)
{
	struct dnsserver_name *known = &f->server.names[slot];

	known->name = name;
	known->n = 0;
	if (v4)
		known->ip[known->n++] = ip_of(v4);
	if (v6)
		known->ip[known->n++] = ip_of(v6);
}

static void a_name_gives_the_addresses_of_both_families(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "both.example.test", "192.0.2.1", "2001:db8::1");
	ask(f, "both.example.test", false);
	assert_false(f->has_error);
	assert_int_equal(f->n, 2);
	assert_true(has(f, "192.0.2.1") && has(f, "2001:db8::1"));
}

static void only_a_is_asked_where_ipv6_is_off(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "both.example.test", "192.0.2.1", "2001:db8::1");
	ask(f, "both.example.test", true);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->server.n_asked, 1);
}

static void one_family_without_an_address_does_not_spoil_the_other(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "six.example.test", NULL, "2001:db8::1");
	ask(f, "six.example.test", false);
	assert_false(f->has_error);
	assert_int_equal(f->n, 1);
}

static void a_short_name_is_searched_for_and_a_long_one_is_not(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "peers.cluster.test", "192.0.2.1", NULL);
	know(f, 1, "whole.peers.example", "192.0.2.2", NULL);
	ask(f, "peers", true);
	assert_true(f->n == 1 && has(f, "192.0.2.1"));
	f->server.n_asked = 0;
	ask(f, "whole.peers.example", true);
	assert_true(f->n == 1 && has(f, "192.0.2.2"));
	assert_int_equal(f->server.n_asked, 1);
	assert_string_equal(f->server.first, "whole.peers.example");
}

static void a_name_with_a_last_dot_is_not_searched_for(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "peers.cluster.test", "192.0.2.1", NULL);
	ask(f, "peers.", true);
	assert_true(f->has_error);
	assert_int_equal(f->server.n_asked, 1);
	assert_string_equal(f->server.first, "peers");
	ask(f, "peers.cluster.test.", true);
	assert_int_equal(f->n, 1);
}

static void a_server_that_is_not_there_is_passed_over(void **state)
{
	struct fixture *f = *state;
	char conf[128];

	/* Nobody listens on the first one's port, and the second one has no route. */
	(void)snprintf(
		conf, sizeof(conf),
		"nameserver 127.0.0.1:1\nnameserver [::ffff:0:0:1]:9\nnameserver 127.0.0.1:%u\n",
		f->server.port);
	reopen(f, conf, NULL);
	know(f, 0, "both.example.test", "192.0.2.1", "2001:db8::1");
	ask(f, "both.example.test", false);
	assert_int_equal(f->n, 2);
}

static void a_silent_server_ends_in_an_error(void **state)
{
	struct fixture *f = *state;
	char conf[128];

	(void)snprintf(conf, sizeof(conf),
		       "nameserver 127.0.0.1:%u\noptions timeout:1 attempts:2\n", f->server.port);
	reopen(f, conf, NULL);
	f->server.is_silent = true;
	ask(f, "both.example.test", true);
	assert_true(f->has_error);
	assert_int_equal(f->server.n_asked, 2);
}

static void one_old_server_does_not_make_the_next_one_old(void **state)
{
	struct fixture *f = *state;
	struct dnsserver old = { .is_old = true };
	char conf[128];

	dnsserver_open(&old, f->base);
	(void)snprintf(conf, sizeof(conf), "nameserver 127.0.0.1:%u\nnameserver 127.0.0.1:%u\n",
		       old.port, f->server.port);
	reopen(f, conf, NULL);
	know(f, 0, "both.example.test", "192.0.2.1", NULL);
	ask(f, "both.example.test", true);
	assert_int_equal(f->n, 1);
	assert_int_equal(old.n_asked, 2);
	assert_int_equal(old.n_plain, 1);
	assert_int_equal(f->server.n_plain, 0);
	dnsserver_close(&old);
}

static void an_answer_says_how_long_it_holds(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "both.example.test", "192.0.2.1", "2001:db8::1");
	f->server.names[0].ttl_s = 77;
	f->n_answers = 0;
	f->question = resolver_ask(f->resolver, "both.example.test", false, take_answer, f);
	assert_true(loop_until(f->base, is_answered, f));
	assert_int_equal(f->ttl_s, 77);
}

static void a_name_that_does_not_exist_is_an_error_and_may_appear_later(void **state)
{
	struct fixture *f = *state;

	ask(f, "later.example.test", false);
	assert_true(f->has_error);
	assert_int_equal(f->n, 0);
	know(f, 0, "later.example.test", "192.0.2.1", NULL);
	ask(f, "later.example.test", false);
	assert_false(f->has_error);
	assert_int_equal(f->n, 1);
}

static void literals_and_the_hosts_file_need_no_server(void **state)
{
	struct fixture *f = *state;

	f->server.is_silent = true;
	ask(f, "192.0.2.5", false);
	assert_true(f->n == 1 && has(f, "192.0.2.5"));
	ask(f, "2001:db8::5", false);
	assert_true(f->n == 1 && has(f, "2001:db8::5"));
	ask(f, "written.test", false);
	assert_true(f->n == 1 && has(f, "192.0.2.9"));
	assert_int_equal(f->server.n_asked, 0);
}

static void what_is_written_into_the_files_later_counts(void **state)
{
	struct fixture *f = *state;
	char conf[64];

	know(f, 0, "peers.elsewhere.test", "192.0.2.1", NULL);
	ask(f, "peers", true);
	assert_true(f->has_error);
	(void)snprintf(conf, sizeof(conf), "search elsewhere.test\nnameserver 127.0.0.1:%u\n",
		       f->server.port);
	write_file(f->conf, conf);
	write_file(f->hosts, "192.0.2.10 written.test\n");
	ask(f, "peers", true);
	assert_true(f->n == 1 && has(f, "192.0.2.1"));
	ask(f, "written.test", true);
	assert_true(f->n == 1 && has(f, "192.0.2.10"));
	/* Somebody is about to write them. */
	write_file(f->conf, "");
	write_file(f->hosts, "");
	ask(f, "peers", true);
	assert_true(f->n == 1 && has(f, "192.0.2.1"));
	ask(f, "written.test", true);
	assert_true(f->n == 1 && has(f, "192.0.2.10"));
}

static void servers_that_vanish_from_the_file_end_a_question_that_is_under_way(void **state)
{
	struct fixture *f = *state;
	char conf[160];

	f->server.is_silent = true;
	(void)snprintf(conf, sizeof(conf),
		       "nameserver 127.0.0.1:%u\nnameserver 127.0.0.1:%u\n"
		       "options timeout:1 attempts:5\n",
		       f->server.port, f->server.port);
	write_file(f->conf, conf);
	assert_non_null(resolver_ask(f->resolver, "a.example.test", true, take_answer, f));
	while (f->server.n_asked < 2)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	(void)snprintf(conf, sizeof(conf),
		       "nameserver 127.0.0.1:%u\noptions timeout:1 attempts:1\n", f->server.port);
	write_file(f->conf, conf);
	assert_non_null(resolver_ask(f->resolver, "192.0.2.5", true, take_answer, f));
	assert_true(loop_until(f->base, is_answered_twice, f));
	assert_int_equal(f->server.n_asked, 2);
}

static void a_hosts_file_that_is_too_long_counts_as_far_as_it_is_read(void **state)
{
	struct fixture *f = *state;
	static char text[80000];

	memset(text, '\n', sizeof(text) - 1);
	memcpy(text, "192.0.2.11 first.test", 21);
	reopen(f, NULL, text);
	ask(f, "first.test", true);
	assert_true(f->n == 1 && has(f, "192.0.2.11"));
}

static void who_is_answered_may_ask_again(void **state)
{
	struct fixture *f = *state;

	f->ask_again = f;
	assert_non_null(resolver_ask(f->resolver, "written.test", false, take_answer, f));
	assert_true(loop_until(f->base, is_answered_twice, f));
	assert_int_equal(f->n, 1);
}

static void a_cancelled_question_is_never_answered(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "both.example.test", "192.0.2.1", "2001:db8::1");
	resolve_cancel(resolver_ask(f->resolver, "both.example.test", false, take_answer, f));
	resolve_cancel(resolver_ask(f->resolver, "written.test", false, take_answer, f));
	resolve_cancel(NULL);
	ask(f, "both.example.test", false);
	loop_drain(f->base);
	assert_int_equal(f->n_answers, 1);
}

static void a_closed_resolver_answers_nothing_any_more(void **state)
{
	struct fixture *f = *state;

	f->server.is_silent = true;
	assert_non_null(resolver_ask(f->resolver, "both.example.test", false, take_answer, f));
	assert_non_null(resolver_ask(f->resolver, "written.test", false, take_answer, f));
	resolver_close(f->resolver);
	f->resolver = NULL;
	loop_drain(f->base);
	assert_int_equal(f->n_answers, 0);
}

static void a_machine_without_any_files_has_a_resolver(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->conf);
	(void)unlink(f->hosts);
	reopen(f, NULL, NULL);
	ask(f, "192.0.2.5", false);
	assert_int_equal(f->n, 1);
}

static void the_answer_is_as_long_as_there_is_room_and_names_nobody_twice(void **state)
{
	struct fixture *f = *state;

	know(f, 0, "many.example.test", "192.0.2.1", NULL);
	for (size_t i = 1; i < 20; i++)
		f->server.names[0].ip[f->server.names[0].n++] =
			(struct ip) { .family = AF_INET, .b = { 192, 0, 2, (uint8_t)(i / 2) } };
	ask(f, "many.example.test", true);
	assert_int_equal(f->n, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)
		TEST(a_name_gives_the_addresses_of_both_families),
		TEST(only_a_is_asked_where_ipv6_is_off),
		TEST(one_family_without_an_address_does_not_spoil_the_other),
		TEST(a_short_name_is_searched_for_and_a_long_one_is_not),
		TEST(a_name_with_a_last_dot_is_not_searched_for),
		TEST(a_server_that_is_not_there_is_passed_over),
		TEST(a_silent_server_ends_in_an_error),
		TEST(one_old_server_does_not_make_the_next_one_old),
		TEST(an_answer_says_how_long_it_holds),
		TEST(a_name_that_does_not_exist_is_an_error_and_may_appear_later),
		TEST(literals_and_the_hosts_file_need_no_server),
		TEST(what_is_written_into_the_files_later_counts),
		TEST(servers_that_vanish_from_the_file_end_a_question_that_is_under_way),
		TEST(a_hosts_file_that_is_too_long_counts_as_far_as_it_is_read),
		TEST(who_is_answered_may_ask_again),
		TEST(a_cancelled_question_is_never_answered),
		TEST(a_closed_resolver_answers_nothing_any_more),
		TEST(a_machine_without_any_files_has_a_resolver),
		TEST(the_answer_is_as_long_as_there_is_room_and_names_nobody_twice),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
