/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/http/metrics.h"
#include "daemon/http/metrics_table.h"
#include "daemon/http/metrics_writer.h"
#include "tests/unit/viewfix.h"

#include <ctype.h>
#include <stdio.h>

static char *render(const struct viewfix *f, size_t n_peers, enum metrics_form form)
{
	const struct metrics_source from = { .view = &f->view,
					     .process = &f->process,
					     .n_peers = n_peers };
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	metrics_render(out, &from, form);
	assert_false(ferror(out));
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *prometheus(const struct viewfix *f)
{
	return render(f, 0, METRICS_PROMETHEUS);
}

static void assert_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; (p = strstr(p, line)); p += len)
		if ((p == text || p[-1] == '\n') && p[len] == '\n')
			return;
	fail_msg("no line \"%s\" in\n%s", line, text);
}

static void refute(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in\n%s", part, text);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
		n++;
	return n;
}

static void every_family_has_a_name_a_type_and_a_meaning(void **state)
{
	const struct metric_family *t = metrics_table();

	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		const char *total = strstr(t[i].name, "_total");
		const char *info = strstr(t[i].name, "_info");
		size_t len = strlen(t[i].help);

		assert_true(strncmp(t[i].name, "wgmesh_", 7) == 0 ||
			    strncmp(t[i].name, "process_", 8) == 0);
		assert_int_equal(total && total[6] == '\0', t[i].type == METRIC_COUNTER);
		assert_int_equal(info && info[5] == '\0', t[i].type == METRIC_INFO);
		if (t[i].unit[0])
			assert_non_null(strstr(t[i].name, t[i].unit));
		assert_true(len > 10 && t[i].help[len - 1] != '.');
		for (const char *c = t[i].help; *c; c++)
			assert_true(isprint((unsigned char)*c) && *c != '\\');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(t[i].name, t[k].name);
	}
}

static void the_table_lists_the_values_of_a_label(void **state)
{
	char value[METRIC_VALUE_SIZE];
	const char *pos = NULL;

	(void)state;
	assert_true(metric_next_value(METRIC_CHECK, "mark", &pos, value));
	assert_string_equal(value, "pass");
	assert_true(metric_next_value(METRIC_CHECK, "mark", &pos, value));
	assert_true(metric_next_value(METRIC_CHECK, "mark", &pos, value));
	assert_string_equal(value, "fail");
	assert_false(metric_next_value(METRIC_CHECK, "mark", &pos, value));
	assert_false(metric_next_value(METRIC_CHECK, "mark", &pos, value));
	pos = NULL;
	assert_false(metric_next_value(METRIC_CHECK, "name", &pos, value));
	pos = NULL;
	assert_true(metric_next_value(METRIC_NODE_INFO, "backend", &pos, value));
	assert_true(metric_next_value(METRIC_NODE_INFO, "backend", &pos, value));
	assert_string_equal(value, "userspace");
	assert_false(metric_next_value(METRIC_NODE_INFO, "backend", &pos, value));
	pos = NULL;
	assert_false(metric_next_value(METRIC_READY, "name", &pos, value));
}

static void no_label_is_missing_in_the_table(void **state)
{
	const char *text = render(*state, 5, METRICS_PROMETHEUS);
	const struct metric_family *t = metrics_table();

	for (int i = 0; i < METRIC_COUNT; i++)
		for (const char *p = text; (p = strstr(p, t[i].name)); p++) {
			const char *brace = p + strlen(t[i].name);
			char label[40];
			char value[100];

			if (p[-1] != '\n' ||
			    sscanf(brace, "{%39[a-z_]=\"%99[^\"]\"", label, value) != 2)
				continue;
			if (!strstr(t[i].labels, label))
				fail_msg("%s has no label %s in the table", t[i].name, label);
		}
}

static void a_node_is_told_as_prometheus_reads_it(void **state)
{
	const char *text = prometheus(*state);

	assert_line(text, "# TYPE wgmesh_build_info gauge");
	assert_line(text, "wgmesh_build_info{version=\"" WGMESH_VERSION "\"} 1");
	assert_line(text,
		    "wgmesh_node_info{interface=\"wg0\",hostname=\"web\",mesh_ip=\"10.77.0.25\","
		    "public_key=\"aGVsbG8=\",backend=\"kernel\",identity=\"loaded\","
		    "network_id=\"0011223344556677\"} 1");
	assert_line(text, "wgmesh_up{phase=\"running\"} 1");
	assert_line(text, "wgmesh_up{phase=\"starting\"} 0");
	assert_line(text, "wgmesh_ready 1");
	assert_line(text, "wgmesh_uptime_seconds 61.5");
	assert_line(text, "wgmesh_known_peers 4");
	assert_line(text, "wgmesh_nat_type{type=\"unknown\"} 1");
	assert_line(text, "wgmesh_nat_type{type=\"cone\"} 0");
	assert_line(text, "# TYPE wgmesh_datagrams_total counter");
	assert_line(text, "wgmesh_datagrams_total{fate=\"stale\"} 3");
	assert_line(text, "wgmesh_discovery_events_total{layer=\"lan\"} 4");
	assert_line(text, "process_cpu_seconds_total 1.25");
	assert_line(text, "process_start_time_seconds 1767225600.5");
	refute(text, "process_virtual_memory_bytes");
	refute(text, "# EOF");
	refute(text, "# UNIT");
}

static void openmetrics_names_families_and_ends(void **state)
{
	const char *text = render(*state, 0, METRICS_OPENMETRICS);

	assert_line(text, "# TYPE wgmesh_build info");
	assert_line(text, "wgmesh_build_info{version=\"" WGMESH_VERSION "\"} 1");
	assert_line(text, "# TYPE wgmesh_datagrams counter");
	assert_line(text, "wgmesh_datagrams_total{fate=\"stale\"} 3");
	assert_line(text, "# TYPE process_cpu_seconds counter");
	assert_line(text, "# UNIT process_cpu_seconds seconds");
	assert_line(text, "# UNIT wgmesh_peer_received_bytes bytes");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	assert_int_equal(count(text, "# EOF"), 1);
}

static void buckets_count_what_is_below_them_too(void **state)
{
	const char *text = prometheus(*state);

	assert_line(text, "# TYPE wgmesh_reconcile_duration_seconds histogram");
	assert_line(text, "wgmesh_reconcile_duration_seconds_bucket{le=\"0.005\"} 1");
	assert_line(text, "wgmesh_reconcile_duration_seconds_bucket{le=\"1.0\"} 2");
	assert_line(text, "wgmesh_reconcile_duration_seconds_bucket{le=\"10.0\"} 2");
	assert_line(text, "wgmesh_reconcile_duration_seconds_bucket{le=\"+Inf\"} 3");
	assert_line(text, "wgmesh_reconcile_duration_seconds_sum 60.501");
	assert_line(text, "wgmesh_reconcile_duration_seconds_count 3");
	assert_line(text, "wgmesh_probe_rtt_seconds_sum 0.0");
}

static void checks_and_alarms_are_there_before_they_fail(void **state)
{
	struct viewfix *f = *state;
	const char *text;

	f->view.checks[1].mark = VIEW_FAIL;
	f->view.n_alarms = 2;
	f->view.alarms[0] = (struct view_alarm) { .name = "clone" };
	f->view.alarms[1] = (struct view_alarm) { .name = "of-tomorrow" };
	text = prometheus(f);
	assert_line(text, "wgmesh_ready 0");
	assert_line(text, "wgmesh_check{name=\"state\",mark=\"fail\"} 1");
	assert_line(text, "wgmesh_check{name=\"state\",mark=\"pass\"} 0");
	assert_line(text, "wgmesh_check{name=\"netadmin\",mark=\"pass\"} 1");
	assert_line(text, "wgmesh_alarm{name=\"clone\"} 1");
	assert_line(text, "wgmesh_alarm{name=\"clock\"} 0");
	assert_line(text, "wgmesh_alarm{name=\"alone\"} 0");
	assert_line(text, "wgmesh_alarm{name=\"of-tomorrow\"} 1");
}

static void pid_1_is_quoted_and_missed(void **state)
{
	struct viewfix *f = *state;
	const char *text = prometheus(f);

	assert_line(text, "wgmesh_supervisor_up 1");
	assert_line(text, "wgmesh_supervisor_healthy 1");
	assert_line(text, "wgmesh_supervisor_uptime_seconds 77");
	assert_line(text, "wgmesh_persistence_verdict{verdict=\"persistent\"} 1");
	assert_line(text, "wgmesh_persistence_verdict{verdict=\"memory\"} 0");
	assert_line(text, "wgmesh_persistence_proof{proof=\"proven\"} 1");
	assert_line(text, "wgmesh_storage_state{state=\"ok\"} 1");
	assert_line(text, "wgmesh_boots_total 5");
	assert_line(text, "wgmesh_restarts_total 2");
	assert_line(text, "wgmesh_failures 0");
	assert_line(text, "wgmesh_last_exit_code 137");
	f->view.supervisor = "verdict=of-tomorrow\nboots=many\nhealthy=false\n";
	text = prometheus(f);
	assert_line(text, "wgmesh_persistence_verdict{verdict=\"of-tomorrow\"} 1");
	assert_line(text, "wgmesh_persistence_verdict{verdict=\"persistent\"} 0");
	assert_line(text, "wgmesh_supervisor_healthy 0");
	refute(text, "wgmesh_boots_total ");
	refute(text, "wgmesh_storage_state{");
	f->view.supervisor = NULL;
	text = prometheus(f);
	assert_line(text, "wgmesh_supervisor_up 0");
	refute(text, "wgmesh_persistence");
}

static void without_a_cap_no_peer_has_a_series_of_its_own(void **state)
{
	const char *text = prometheus(*state);

	assert_line(text, "wgmesh_peer_received_bytes_total{peer_key=\"other\"} 10000");
	assert_line(text, "wgmesh_peer_sent_bytes_total{peer_key=\"other\"} 100");
	assert_line(text, "wgmesh_peer_path{peer_key=\"other\",path=\"none\"} 4");
	assert_int_equal(count(text, "wgmesh_peer_received_bytes_total{"), 1);
	refute(text, "wgmesh_peer_info");
}

static void as_many_peers_as_allowed_have_series_of_their_own(void **state)
{
	struct viewfix *f = *state;
	struct wg_key first = key_of(1);
	struct peer *p = peers_find(f->view.peers, &first);
	char line[200];
	const char *text;

	p->handshake_s = f->view.now.unix_s - 9;
	p->rtt_us = 12500;
	text = render(f, 1, METRICS_PROMETHEUS);
	(void)snprintf(line, sizeof(line),
		       "wgmesh_peer_handshake_age_seconds{peer_key=\"%.8s\"} 9.0", p->key_text);
	assert_line(text, line);
	(void)snprintf(line, sizeof(line), "wgmesh_peer_rtt_seconds{peer_key=\"%.8s\"} 0.0125",
		       p->key_text);
	assert_line(text, line);
	(void)snprintf(line, sizeof(line),
		       "wgmesh_peer_received_bytes_total{peer_key=\"%.8s\"} 1000", p->key_text);
	assert_line(text, line);
	(void)snprintf(line, sizeof(line), "wgmesh_peer_path{peer_key=\"%.8s\",path=\"direct\"} 1",
		       p->key_text);
	assert_line(text, line);
	(void)snprintf(
		line, sizeof(line),
		"wgmesh_peer_info{peer_key=\"%.8s\",hostname=\"peer\",mesh_ip=\"10.77.0.1\"} 1",
		p->key_text);
	assert_line(text, line);
	assert_line(text, "wgmesh_peer_received_bytes_total{peer_key=\"other\"} 9000");
	assert_int_equal(count(text, "wgmesh_peer_received_bytes_total{"), 2);
	assert_int_equal(
		count(render(f, 1000, METRICS_PROMETHEUS), "wgmesh_peer_received_bytes_total{"), 5);
}

static void keys_that_begin_alike_are_told_apart(void **state)
{
	struct viewfix *f = *state;
	struct peer *all[3];
	struct known_peer who = peer_of(5);
	struct sighting s = { .who = &who, .method = METHOD_LAN };
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		who.key.b[8] = (uint8_t)(i << 6);
		assert_int_equal(peers_sight(f->view.peers, &s, at(0), &all[i]), PEER_NEW);
		assert_memory_equal(all[i]->key_text, all[0]->key_text, 10);
	}
	text = render(f, 1000, METRICS_PROMETHEUS);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		char line[200];

		(void)snprintf(line, sizeof(line),
			       "wgmesh_peer_sent_bytes_total{peer_key=\"%.11s\"} 0",
			       all[i]->key_text);
		assert_line(text, line);
		assert_int_equal(count(text, line), 1);
	}
}

static void what_others_call_themselves_breaks_no_line(void **state)
{
	struct viewfix *f = *state;

	f->view.hostname = "a\"b\\c\nd\xff\x01";
	f->view.n_alarms = 1;
	f->view.alarms[0] = (struct view_alarm) { .name = "} 1\nwgmesh_ready 7" };
	assert_non_null(strstr(prometheus(f), "hostname=\"a\\\"b\\\\c\\nd??\""));
	refute(prometheus(f), "\nwgmesh_ready 7");
}

static void a_node_that_starts_has_less_to_tell(void **state)
{
	struct viewfix *f = *state;
	struct peers *kept = f->view.peers;
	const char *text;

	f->view = (struct view) { .phase = VIEW_STARTING, .now = at(0) };
	text = prometheus(f);
	assert_line(text, "wgmesh_up{phase=\"starting\"} 1");
	assert_line(text, "wgmesh_ready 0");
	assert_line(text, "wgmesh_node_info 1");
	assert_line(text, "wgmesh_known_peers 0");
	refute(text, "wgmesh_peer_");
	refute(text, "wgmesh_datagrams");
	refute(text, "wgmesh_identity_since");
	f->view.peers = kept;
}

static void families_are_written_in_one_piece_each(void **state)
{
	const char *text = render(*state, 2, METRICS_PROMETHEUS);
	const struct metric_family *t = metrics_table();

	for (int i = 0; i < METRIC_COUNT; i++) {
		char head[100];

		(void)snprintf(head, sizeof(head), "# TYPE %s ", t[i].name);
		assert_true(count(text, head) <= 1);
	}
}

static void the_form_is_what_the_client_asks_for(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_form form;
	} cases[] = {
		{ NULL, METRICS_PROMETHEUS },
		{ "", METRICS_PROMETHEUS },
		{ "*/*", METRICS_PROMETHEUS },
		{ "text/plain;version=0.0.4", METRICS_PROMETHEUS },
		{ "application/openmetrics-text", METRICS_OPENMETRICS },
		{ "Application/OpenMetrics-Text; version=1.0.0", METRICS_OPENMETRICS },
		{ "application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1",
		  METRICS_OPENMETRICS },
		{ "text/plain;q=0,application/openmetrics-text;q=0.9", METRICS_OPENMETRICS },
		{ "application/openmetrics-text;q=0,text/plain", METRICS_PROMETHEUS },
		{ "application/openmetrics-text;q=0.000", METRICS_PROMETHEUS },
		{ "application/openmetrics-text, text/plain;q=0", METRICS_OPENMETRICS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(metrics_choose_form(cases[i].accept), cases[i].form);
	assert_string_equal(metrics_content_type(METRICS_PROMETHEUS),
			    "text/plain; version=0.0.4; charset=utf-8");
	assert_string_equal(metrics_content_type(METRICS_OPENMETRICS),
			    "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, viewfix_set_up, viewfix_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_family_has_a_name_a_type_and_a_meaning),
		cmocka_unit_test(the_table_lists_the_values_of_a_label),
		VIEW_TEST(no_label_is_missing_in_the_table),
		VIEW_TEST(a_node_is_told_as_prometheus_reads_it),
		VIEW_TEST(openmetrics_names_families_and_ends),
		VIEW_TEST(buckets_count_what_is_below_them_too),
		VIEW_TEST(checks_and_alarms_are_there_before_they_fail),
		VIEW_TEST(pid_1_is_quoted_and_missed),
		VIEW_TEST(without_a_cap_no_peer_has_a_series_of_its_own),
		VIEW_TEST(as_many_peers_as_allowed_have_series_of_their_own),
		VIEW_TEST(keys_that_begin_alike_are_told_apart),
		VIEW_TEST(what_others_call_themselves_breaks_no_line),
		VIEW_TEST(a_node_that_starts_has_less_to_tell),
		VIEW_TEST(families_are_written_in_one_piece_each),
		cmocka_unit_test(the_form_is_what_the_client_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
