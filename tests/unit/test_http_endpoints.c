/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/http/endpoints.h"
#include "tests/unit/viewfix.h"

#include <jansson.h>
#include <stdio.h>

/* The text that is answered; the caller need not free it. */
static const char *answer(const struct viewfix *f, enum http_endpoint id, const char *query,
			  int status)
{
	static char text[65536];
	const struct http_request req = { .query = query,
					  .view = &f->view,
					  .process = &f->process };
	struct http_answer a;

	assert_int_equal(http_answer_make(&a, id, &req), 0);
	assert_int_equal(a.status, status);
	assert_int_equal(a.len, strlen(a.body));
	assert_int_equal(str_copy(text, sizeof(text), a.body), 0);
	free(a.body);
	return text;
}

static json_t *json_answer(const struct viewfix *f, enum http_endpoint id, int status)
{
	const struct http_request req = { .view = &f->view, .process = &f->process };
	struct http_answer a;
	json_t *doc;

	assert_int_equal(http_answer_make(&a, id, &req), 0);
	assert_int_equal(a.status, status);
	assert_string_equal(a.type, "application/json");
	doc = json_loads(a.body, 0, NULL);
	assert_non_null(doc);
	free(a.body);
	return doc;
}

static const char *text_of(json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));

	assert_non_null(text);
	return text;
}

static void every_path_is_found_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < HTTP_ENDPOINT_COUNT; i++)
		assert_int_equal(http_endpoint_find(http_endpoints_table()[i].path), i);
	assert_int_equal(http_endpoint_find("/livez/"), HTTP_ENDPOINT_COUNT);
	assert_int_equal(http_endpoint_find("/"), HTTP_ENDPOINT_COUNT);
	assert_int_equal(http_endpoint_find(""), HTTP_ENDPOINT_COUNT);
	assert_int_equal(http_endpoint_find(NULL), HTTP_ENDPOINT_COUNT);
}

static void another_path_is_answered_with_those_that_there_are(void **state)
{
	const char *text = answer(*state, HTTP_ENDPOINT_COUNT, NULL, 404);

	for (size_t i = 0; i < HTTP_ENDPOINT_COUNT; i++)
		assert_non_null(strstr(text, http_endpoints_table()[i].path));
}

static void liveness_depends_on_nothing(void **state)
{
	const struct http_request req = { .view = NULL };
	struct http_answer a;

	(void)state;
	assert_int_equal(http_answer_make(&a, HTTP_LIVEZ, &req), 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "ok\n");
	free(a.body);
}

static void a_start_is_over_when_the_interface_was_up_once(void **state)
{
	struct viewfix *f = *state;

	assert_string_equal(answer(f, HTTP_STARTUPZ, NULL, 200), "ok\n");
	f->view.phase = VIEW_STOPPING;
	assert_string_equal(answer(f, HTTP_STARTUPZ, NULL, 200), "ok\n");
	f->view.pubkey[0] = '\0';
	assert_non_null(strstr(answer(f, HTTP_STARTUPZ, NULL, 503), "not up yet"));
	f->view.phase = VIEW_STARTING;
	assert_non_null(strstr(answer(f, HTTP_STARTUPZ, NULL, 503), "not up yet"));
}

static void readiness_names_what_fails(void **state)
{
	struct viewfix *f = *state;

	assert_string_equal(answer(f, HTTP_READYZ, NULL, 200), "ok\n");
	f->view.checks[1].mark = VIEW_WARN;
	assert_string_equal(answer(f, HTTP_READYZ, NULL, 200), "ok\n");
	f->view.checks[1] = (struct view_check) { .name = "state",
						  .mark = VIEW_FAIL,
						  .text = "full; make room" };
	assert_string_equal(answer(f, HTTP_READYZ, NULL, 503), "state: full; make room\n");
	f->view.phase = VIEW_STARTING;
	assert_non_null(strstr(answer(f, HTTP_READYZ, NULL, 503), "starting"));
	f->view.phase = VIEW_STOPPING;
	assert_non_null(strstr(answer(f, HTTP_READYZ, NULL, 503), "stopping"));
}

static void verbose_lists_every_check(void **state)
{
	struct viewfix *f = *state;

	assert_string_equal(answer(f, HTTP_READYZ, "verbose", 200),
			    "[+]phase ok\n[+]netadmin ok\n[+]state ok\nreadyz check passed\n");
	f->view.checks[0].mark = VIEW_WARN;
	f->view.checks[1] =
		(struct view_check) { .name = "state", .mark = VIEW_FAIL, .text = "full" };
	assert_string_equal(answer(f, HTTP_READYZ, "a=b&verbose=1", 503),
			    "[+]phase ok\n[+]netadmin ok, with a warning: answers\n"
			    "[-]state failed: full\nreadyz check failed\n");
	f->view.phase = VIEW_STOPPING;
	assert_non_null(strstr(answer(f, HTTP_READYZ, "verbose&x", 503), "[-]phase failed: stop"));
	assert_null(strstr(answer(f, HTTP_READYZ, "verbosely", 503), "[-]"));
	assert_null(strstr(answer(f, HTTP_READYZ, "x=verbose", 503), "[-]"));
}

static void health_has_one_word_for_all_of_it(void **state)
{
	struct viewfix *f = *state;
	json_t *doc = json_answer(f, HTTP_HEALTH, 200);

	assert_string_equal(text_of(doc, "status"), "pass");
	assert_string_equal(text_of(doc, "phase"), "running");
	assert_int_equal(json_array_size(json_object_get(doc, "peers_detail")), 4);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(doc, "supervisor"), "boots")),
		5);
	json_decref(doc);
	f->view.n_alarms = 1;
	f->view.alarms[0] = (struct view_alarm) { .name = "clock" };
	doc = json_answer(f, HTTP_HEALTH, 200);
	assert_string_equal(text_of(doc, "status"), "warn");
	json_decref(doc);
	f->view.n_alarms = 0;
	f->view.checks[0].mark = VIEW_WARN;
	doc = json_answer(f, HTTP_HEALTH, 200);
	assert_string_equal(text_of(doc, "status"), "warn");
	json_decref(doc);
	f->view.checks[1].mark = VIEW_FAIL;
	doc = json_answer(f, HTTP_HEALTH, 503);
	assert_string_equal(text_of(doc, "status"), "fail");
	json_decref(doc);
}

static void health_can_be_told_before_there_are_peers(void **state)
{
	struct viewfix *f = *state;
	struct peers *kept = f->view.peers;
	json_t *doc;

	f->view = (struct view) { .phase = VIEW_STARTING, .now = at(0) };
	doc = json_answer(f, HTTP_HEALTH, 503);
	assert_string_equal(text_of(doc, "status"), "fail");
	assert_int_equal(json_array_size(json_object_get(doc, "peers_detail")), 0);
	json_decref(doc);
	f->view.peers = kept;
}

static void stats_are_counters_histograms_and_the_process(void **state)
{
	struct viewfix *f = *state;
	json_t *doc = json_answer(f, HTTP_STATS, 200);
	json_t *h = json_object_get(doc, "reconcile_duration_seconds");
	json_t *process = json_object_get(doc, "process");
	json_t *buckets = json_object_get(h, "buckets");

	assert_int_equal(json_integer_value(json_object_get(h, "count")), 3);
	assert_int_equal(json_array_size(buckets), 3);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(buckets, 2), "count")),
			 2);
	assert_int_equal(json_integer_value(json_object_get(process, "open_fds")), 12);
	assert_null(json_object_get(process, "virtual_bytes"));
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(json_object_get(doc, "counters"), "datagrams"), "stale")),
		3);
	json_decref(doc);
}

static void metrics_have_the_type_that_was_asked_for(void **state)
{
	const struct viewfix *f = *state;
	struct http_request req = { .view = &f->view, .process = &f->process };
	struct http_answer a;

	assert_int_equal(http_answer_make(&a, HTTP_METRICS, &req), 0);
	assert_non_null(strstr(a.type, "version=0.0.4"));
	assert_null(strstr(a.body, "# EOF"));
	free(a.body);
	req.accept = "application/openmetrics-text";
	assert_int_equal(http_answer_make(&a, HTTP_METRICS, &req), 0);
	assert_non_null(strstr(a.type, "openmetrics"));
	assert_non_null(strstr(a.body, "# EOF"));
	free(a.body);
}

static void a_request_by_loopback_names_us_or_nobody(void **state)
{
	static const char *const ours[] = { NULL,	   "",		"localhost", "LocalHost",
					    "a.localhost", "127.0.0.1", "127.9.9.9", "10.0.0.1",
					    "[::1]",	   "[fd00::1]", "Web7" };
	static const char *const others[] = { "evil.example",		"localhost.evil.example",
					      "evillocalhost",		".",
					      "127.0.0.1.evil.example", "web71",
					      "[evil.example]",		"[]",
					      "web7.evil.example" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		assert_true(http_host_is_local(ours[i], "web7"));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(http_host_is_local(others[i], "web7"));
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, viewfix_set_up, viewfix_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_is_found_and_nothing_else),
		VIEW_TEST(another_path_is_answered_with_those_that_there_are),
		cmocka_unit_test(liveness_depends_on_nothing),
		VIEW_TEST(a_start_is_over_when_the_interface_was_up_once),
		VIEW_TEST(readiness_names_what_fails),
		VIEW_TEST(verbose_lists_every_check),
		VIEW_TEST(health_has_one_word_for_all_of_it),
		VIEW_TEST(health_can_be_told_before_there_are_peers),
		VIEW_TEST(stats_are_counters_histograms_and_the_process),
		VIEW_TEST(metrics_have_the_type_that_was_asked_for),
		cmocka_unit_test(a_request_by_loopback_names_us_or_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
