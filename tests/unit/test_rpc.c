/* SPDX-License-Identifier: MIT */
#include "daemon/rpc/rpc.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/vectors.h"

#include <errno.h>

#define SELF_KEY "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
#define RTT_US	 12345 /* of the vectors: 12 ms */
#define PEER_KEY "bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY="

/**
 * struct fixture - A node that is asked
 * @view:	What it knows
 * @src:	Itself
 * @levels:	What log.set asked for last
 * @n_reloads:	How often a reload was asked for
 * @refusal:	Why it does neither; NULL when it does
 */
struct fixture {
	struct view view;
	struct view_counters counters;
	struct view_source src;
	struct peer *peer;
	char levels[64];
	int n_reloads;
	const char *refusal;
};

static int set_log_levels(void *arg, const char *levels, struct err *e)
{
	struct fixture *f = arg;

	if (f->refusal)
		return err_set(e, -EINVAL, "%s", f->refusal);
	(void)snprintf(f->levels, sizeof(f->levels), "%s", levels);
	return 0;
}

static int reload(void *arg, struct err *e)
{
	struct fixture *f = arg;

	if (f->refusal)
		return err_set(e, -EINVAL, "%s", f->refusal);
	f->n_reloads++;
	return 0;
}

/* The node and the one peer of the vectors. */
static int make_node(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct prefix route = prefix_of("192.168.10.0/24");
	struct known_peer who = { .hostname = "node-2", .mesh_ip = ip_of("10.77.1.3") };
	struct sighting s = sighting_of(&who, METHOD_LAN, "203.0.113.9:51820");
	struct wg_key self;

	assert_non_null(f);
	assert_int_equal(wg_key_parse(&self, SELF_KEY), 0);
	assert_int_equal(wg_key_parse(&who.key, PEER_KEY), 0);
	f->view = (struct view) {
		.phase = VIEW_RUNNING,
		.now = at(0),
		.mesh_ip = ip_of("10.77.3.4"),
		.pubkey = SELF_KEY,
		.uptime_ms = 5000,
		.ifname = "wg0",
		.backend = "kernel",
		.identity = "loaded",
		.peers = peers_new(&self),
		.counters = &f->counters,
	};
	f->src = (struct view_source) { .arg = f,
					.set_log_levels = set_log_levels,
					.reload = reload };
	assert_non_null(f->view.peers);
	s.routes = &route;
	s.n_routes = 1;
	s.has_routes = true;
	(void)peers_sight(f->view.peers, &s, at(0), &f->peer);
	s.method = METHOD_EXCHANGE;
	(void)peers_sight(f->view.peers, &s, at(0), &f->peer);
	f->peer->rtt_us = RTT_US;
	*state = f;
	return 0;
}

static int free_node(void **state)
{
	struct fixture *f = *state;

	peers_free(f->view.peers);
	free(f);
	return 0;
}

/* The answer, parsed: exactly one line. */
static json_t *ask_bytes(const struct fixture *f, const char *request, size_t len)
{
	struct rpc_call *call = rpc_begin(request, len, &f->src);
	char *line = rpc_finish(call, &f->view);
	json_error_t why;
	json_t *answer;

	assert_non_null(line);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	answer = json_loads(line, 0, &why);
	if (!answer)
		fail_msg("%s: %s", line, why.text);
	free(line);
	return answer;
}

static json_t *ask(const struct fixture *f, const char *request)
{
	return ask_bytes(f, request, strlen(request));
}

/* NOLINTBEGIN(misc-no-recursion): the vectors are ours, and shallow */
static bool matches(const json_t *want, const json_t *got, const char **where);

/* Every member of @want; our own further members are welcome. */
static bool object_matches(json_t *want, const json_t *got, const char **where)
{
	const char *name;
	json_t *value;

	json_object_foreach (want, name, value) {
		*where = name;
		if (!matches(value, json_object_get(got, name), where))
			return false;
	}
	return json_is_object(got);
}

static bool array_matches(const json_t *want, const json_t *got, const char **where)
{
	bool same = json_array_size(want) == json_array_size(got);

	for (size_t i = 0; same && i < json_array_size(want); i++)
		same = matches(json_array_get(want, i), json_array_get(got, i), where);
	return same;
}

static bool matches(const json_t *want, const json_t *got, const char **where)
{
	const char *text = json_string_value(want);

	if (json_is_object(want))
		return object_matches((json_t *)(uintptr_t)want, got, where);
	if (json_is_array(want))
		return array_matches(want, got, where);
	if (text && strcmp(text, "*") == 0)
		return json_is_string(got);
	if (text && strcmp(text, "VERSION") == 0)
		return json_is_string(got) && strcmp(json_string_value(got), WGMESH_VERSION) == 0;
	return json_equal(want, got);
}
/* NOLINTEND(misc-no-recursion) */

static void every_request_is_answered_as_existing_nodes_do(void **state)
{
	const json_t *item;
	size_t i;

	json_array_foreach (vectors_section("rpc"), i, item) {
		const char *request = vector_text(item, "request");
		json_t *want = json_object_get(item, "response");
		json_t *got = ask(*state, request);
		const char *where = "";

		if (!matches(want, got, &where))
			fail_msg("%s: %s differs: %s", request, where, json_dumps(got, 0));
		/* Beside the result there is no error, and no other way round. */
		assert_int_equal(json_object_size(got), 3);
		json_decref(got);
	}
}

/* A result that must be there; borrowed from *@answer, which the caller frees. */
static json_t *result_of(const struct fixture *f, const char *method, json_t **answer)
{
	char request[256];
	json_t *result;

	(void)snprintf(request, sizeof(request),
		       "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"pubkey\":\"" PEER_KEY
		       "\"},\"id\":1}",
		       method);
	*answer = ask(f, request);
	result = json_object_get(*answer, "result");
	assert_non_null(result);
	return result;
}

static void an_inactive_peer_is_counted_and_found_but_not_listed(void **state)
{
	struct fixture *f = *state;
	json_t *answer;
	json_t *result;

	f->view.now = at(PEER_ACTIVE_MS);
	result = result_of(f, "peers.count", &answer);
	assert_int_equal(vector_int(result, "active"), 0);
	assert_int_equal(vector_int(result, "total"), 1);
	assert_int_equal(vector_int(result, "dead"), 1);
	json_decref(answer);
	result = result_of(f, "peers.list", &answer);
	assert_true(json_is_array(json_object_get(result, "peers")));
	assert_int_equal(json_array_size(json_object_get(result, "peers")), 0);
	json_decref(answer);
	result = result_of(f, "peers.get", &answer);
	assert_string_equal(vector_text(result, "pubkey"), PEER_KEY);
	json_decref(answer);
	answer =
		ask(f, "{\"jsonrpc\":\"2.0\",\"method\":\"peers.list\",\"params\":{\"all\":true}}");
	result = json_object_get(json_object_get(answer, "result"), "peers");
	assert_int_equal(json_array_size(result), 1);
	json_decref(answer);
}

static void what_is_not_known_is_left_out(void **state)
{
	struct fixture *f = *state;
	json_t *answer;
	json_t *result;

	f->peer->info.hostname[0] = '\0';
	f->peer->n_routes = 0;
	result = result_of(f, "peers.get", &answer);
	assert_null(json_object_get(result, "hostname"));
	assert_null(json_object_get(result, "routable_networks"));
	assert_null(json_object_get(result, "mesh_ipv6"));
	assert_null(json_object_get(result, "last_handshake"));
	json_decref(answer);
	f->peer->info.mesh_ip6 = ip_of("fd00::9");
	f->peer->handshake_s = UNIX_START + 61;
	result = result_of(f, "peers.get", &answer);
	assert_string_equal(vector_text(result, "mesh_ipv6"), "fd00::9");
	assert_string_equal(vector_text(result, "last_handshake"), "2026-01-01T00:01:01Z");
	json_decref(answer);
}

static void the_status_tells_of_our_own_additions(void **state)
{
	struct fixture *f = *state;
	json_t *answer;
	json_t *result;

	f->view.mesh_ip6 = ip_of("fd00::4");
	result = result_of(f, "daemon.status", &answer);
	assert_string_equal(vector_text(result, "mesh_ipv6"), "fd00::4");
	assert_string_equal(vector_text(result, "backend"), "kernel");
	assert_string_equal(vector_text(result, "identity"), "loaded");
	json_decref(answer);
}

static long long error_code(const struct fixture *f, const char *request)
{
	json_t *answer = ask(f, request);
	json_t *error = json_object_get(answer, "error");
	long long code;

	if (!error)
		fail_msg("%s: no error", request);
	code = vector_int(error, "code");
	json_decref(answer);
	return code;
}

static void requests_of_a_wrong_shape_get_an_error(void **state)
{
	assert_int_equal(error_code(*state, ""), -32700);
	assert_int_equal(error_code(*state, "[]"), -32700);
	assert_int_equal(error_code(*state, "7"), -32700);
	assert_int_equal(error_code(*state, "{} {}"), -32700);
	assert_int_equal(error_code(*state, "{\"jsonrpc\":\"2.0\",\"params\":\"x\"}"), -32700);
	assert_int_equal(error_code(*state, "{}"), -32600);
	assert_int_equal(error_code(*state, "{\"jsonrpc\":2.0}"), -32600);
	assert_int_equal(error_code(*state, "{\"jsonrpc\":\"2.0\"}"), -32601);
	assert_int_equal(error_code(*state, "{\"jsonrpc\":\"2.0\",\"method\":[]}"), -32601);
	assert_int_equal(error_code(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"peers.get\","
					    "\"params\":{\"pubkey\":\"\"}}"),
			 -32602);
	assert_int_equal(error_code(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"peers.get\","
					    "\"params\":null}"),
			 -32602);
}

static void an_empty_key_is_a_missing_one(void **state)
{
	json_t *answer = ask(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"peers.get\","
				     "\"params\":{\"pubkey\":\"\"},\"id\":1}");

	assert_string_equal(vector_text(json_object_get(answer, "error"), "message"),
			    "missing or invalid 'pubkey' parameter");
	json_decref(answer);
}

static void null_parameters_are_no_parameters(void **state)
{
	json_t *answer = ask(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"daemon.ping\","
				     "\"params\":null,\"id\":[1]}");

	assert_true(json_is_true(json_object_get(json_object_get(answer, "result"), "pong")));
	assert_true(json_is_array(json_object_get(answer, "id")));
	json_decref(answer);
}

static void a_request_cut_anywhere_is_answered_with_an_error(void **state)
{
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"method\":\"peers.list\",\"id\":3}";

	for (size_t len = 0; len < strlen(request); len++) {
		json_t *answer = ask_bytes(*state, request, len);

		assert_non_null(json_object_get(answer, "error"));
		json_decref(answer);
	}
}

/* Where the message is cut must not matter: half a character is no JSON text. */
static void a_long_name_in_any_script_still_gets_an_error(void **state)
{
	char request[1024];

	for (int pad = 0; pad < 4; pad++) {
		size_t used = (size_t)snprintf(request, sizeof(request),
					       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%.*s",
					       pad, "abc");

		for (int i = 0; i < 150; i++)
			used += (size_t)snprintf(request + used, sizeof(request) - used, "€");
		(void)snprintf(request + used, sizeof(request) - used, "\"}");
		assert_int_equal(error_code(*state, request), -32601);
	}
}

static struct rpc_call *begin(const struct fixture *f, const char *request)
{
	struct rpc_call *call = rpc_begin(request, strlen(request), &f->src);

	assert_non_null(call);
	return call;
}

static void only_what_tells_of_this_moment_waits_for_a_view(void **state)
{
	static const struct {
		const char *request;
		bool needs_view;
	} cases[] = {
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"daemon.ping\"}", false },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"log.set\",\"params\":{\"levels\":\"info\"}}",
		  false },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}", false },
		{ "{", false },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"daemon.status\"}", true },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"daemon.reload\"}", true },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"peers.list\"}", true },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"peers.count\"}", true },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"peers.get\"}", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rpc_call *call = begin(*state, cases[i].request);

		if (rpc_needs_view(call) != cases[i].needs_view)
			fail_msg("%s", cases[i].request);
		rpc_drop(call);
	}
}

static void an_answer_that_needs_no_view_is_made_without_one(void **state)
{
	char *line =
		rpc_finish(begin(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"daemon.ping\"}"), NULL);

	assert_non_null(line);
	assert_non_null(strstr(line, "\"pong\":true"));
	free(line);
}

#define LOG_SET(params) "{\"jsonrpc\":\"2.0\",\"method\":\"log.set\",\"params\":" params "}"

static void log_levels_are_handed_on_and_told(void **state)
{
	struct fixture *f = *state;
	json_t *answer = ask(f, LOG_SET("{\"levels\":\"info,exchange=debug\"}"));

	assert_string_equal(vector_text(json_object_get(answer, "result"), "levels"),
			    "info,exchange=debug");
	assert_string_equal(f->levels, "info,exchange=debug");
	json_decref(answer);
}

static void log_levels_that_are_none_are_refused(void **state)
{
	struct fixture *f = *state;
	json_t *answer;

	assert_int_equal(error_code(f, LOG_SET("{}")), -32602);
	assert_int_equal(error_code(f, LOG_SET("{\"levels\":\"\"}")), -32602);
	assert_int_equal(error_code(f, LOG_SET("{\"levels\":7}")), -32602);
	f->refusal = "\"loud\" is no level";
	answer = ask(f, LOG_SET("{\"levels\":\"loud\"}"));
	assert_int_equal(vector_int(json_object_get(answer, "error"), "code"), -32602);
	assert_string_equal(vector_text(json_object_get(answer, "error"), "message"), f->refusal);
	json_decref(answer);
	assert_string_equal(f->levels, "");
}

#define RELOAD "{\"jsonrpc\":\"2.0\",\"method\":\"daemon.reload\",\"params\":{}}"

static void a_reload_is_done_once_and_confirmed(void **state)
{
	struct fixture *f = *state;
	json_t *answer = ask(f, RELOAD);

	assert_true(json_is_true(json_object_get(json_object_get(answer, "result"), "reloaded")));
	assert_int_equal(f->n_reloads, 1);
	json_decref(answer);
}

static void a_reload_that_changed_nothing_says_why(void **state)
{
	struct fixture *f = *state;
	json_t *answer;

	f->view.reload_note = "line 3 is no route";
	answer = ask(f, RELOAD);
	assert_int_equal(vector_int(json_object_get(answer, "error"), "code"), -32603);
	assert_string_equal(vector_text(json_object_get(answer, "error"), "message"),
			    "line 3 is no route");
	json_decref(answer);
	f->refusal = "it stops";
	assert_int_equal(error_code(f, RELOAD), -32603);
	assert_int_equal(f->n_reloads, 1);
}

static void a_node_that_starts_has_no_peers(void **state)
{
	struct fixture *f = *state;
	struct peers *peers = f->view.peers;
	json_t *answer;
	json_t *result;

	f->view.peers = NULL;
	result = result_of(f, "peers.count", &answer);
	assert_int_equal(vector_int(result, "total"), 0);
	json_decref(answer);
	result = result_of(f, "peers.list", &answer);
	assert_int_equal(json_array_size(json_object_get(result, "peers")), 0);
	json_decref(answer);
	assert_int_equal(error_code(f, "{\"jsonrpc\":\"2.0\",\"method\":\"peers.get\","
				       "\"params\":{\"pubkey\":\"" PEER_KEY "\"}}"),
			 -32602);
	f->view.peers = peers;
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_node, free_node)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_request_is_answered_as_existing_nodes_do),
		T(an_inactive_peer_is_counted_and_found_but_not_listed),
		T(what_is_not_known_is_left_out),
		T(the_status_tells_of_our_own_additions),
		T(requests_of_a_wrong_shape_get_an_error),
		T(an_empty_key_is_a_missing_one),
		T(null_parameters_are_no_parameters),
		T(a_request_cut_anywhere_is_answered_with_an_error),
		T(a_long_name_in_any_script_still_gets_an_error),
		T(only_what_tells_of_this_moment_waits_for_a_view),
		T(an_answer_that_needs_no_view_is_made_without_one),
		T(log_levels_are_handed_on_and_told),
		T(log_levels_that_are_none_are_refused),
		T(a_reload_is_done_once_and_confirmed),
		T(a_reload_that_changed_nothing_says_why),
		T(a_node_that_starts_has_no_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
