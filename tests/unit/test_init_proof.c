/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/volume/proof.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY_A "6HsZQcVYtUWQ6e7GyhPIMWPWSCqvdsSFfqUWIhYQ0wE="
#define KEY_B "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define ID_A  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define NOW   1767225600

static struct marker_boot boot_of(const char *container, const char *host, const char *kernel)
{
	struct marker_boot b = { .at_s = NOW, .image = "-" };

	(void)snprintf(b.container, sizeof(b.container), "%s", container);
	(void)snprintf(b.host, sizeof(b.host), "%s", host);
	(void)snprintf(b.kernel, sizeof(b.kernel), "%s", kernel);
	return b;
}

/* Nothing in the state directory, and no marker. */
static struct proof_facts empty_volume(void)
{
	return (struct proof_facts) { .error = -ENOENT,
				      .verdict = VERDICT_PERSISTENT,
				      .ifname = "wg0",
				      .self = boot_of(ID_B, "web-0", "k1") };
}

/* A volume that a container has used with a key, which is there. */
static struct proof_facts used_volume(const char *container, const char *host)
{
	static const uint8_t id[MARKER_ID_BYTES] = { 1 };
	struct proof_facts f = empty_volume();
	struct marker_boot b = boot_of(container, host, "k1");
	struct marker_key key = { .ifname = "wg0", .public_key = KEY_A };

	f.error = 0;
	f.has_key = true;
	marker_init(&f.marker, id, NOW);
	marker_add_boot(&f.marker, &b);
	assert_int_equal(marker_set_served(&f.marker, &key), 0);
	return f;
}

static enum proof_kind judge(const struct proof_facts *f)
{
	struct proof p = { .kind = PROOF_NONE };

	proof_judge(&p, f);
	assert_true(strlen(p.note) > 20);
	assert_true(strlen(p.note) < sizeof(p.note) - 1);
	return p.kind;
}

static void assert_note_has(const struct proof_facts *f, const char *text)
{
	struct proof p = { .kind = PROOF_NONE };

	proof_judge(&p, f);
	if (!strstr(p.note, text))
		fail_msg("\"%s\" is not in \"%s\"", text, p.note);
}

static void an_empty_volume_is_a_prediction(void **state)
{
	struct proof_facts f = empty_volume();

	(void)state;
	assert_int_equal(judge(&f), PROOF_PREDICTED);
}

static void state_without_a_marker_is_adopted(void **state)
{
	struct proof_facts f = empty_volume();

	(void)state;
	f.has_key = true;
	assert_int_equal(judge(&f), PROOF_ADOPTED);
	f.has_traces = true;
	assert_int_equal(judge(&f), PROOF_ADOPTED);
	f = empty_volume();
	f.has_others = true;
	assert_int_equal(judge(&f), PROOF_ADOPTED);
}

static void traces_without_a_key_are_a_loss_whatever_the_marker_is(void **state)
{
	static const int errors[] = { 0, -ENOENT, -EBADMSG, -EPROTONOSUPPORT, -EIO };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct proof_facts f = empty_volume();

		f.error = errors[i];
		f.has_traces = true;
		assert_int_equal(judge(&f), PROOF_PARTIAL_LOSS);
		f.has_key = true;
		assert_int_not_equal(judge(&f), PROOF_PARTIAL_LOSS);
	}
}

static void a_key_that_was_served_and_is_gone_is_a_loss_that_names_it(void **state)
{
	struct proof_facts f = used_volume(ID_A, "web-0");

	(void)state;
	f.has_key = false;
	assert_int_equal(judge(&f), PROOF_PARTIAL_LOSS);
	assert_note_has(&f, KEY_A);
	assert_note_has(&f, "aaaaaaaaaaaa (host web-0) at 2026-01-01T00:00:00Z");
	/* Another interface's key says nothing about this one. */
	(void)snprintf(f.ifname, sizeof(f.ifname), "wg1");
	assert_int_equal(judge(&f), PROOF_PROVEN);
}

static void another_container_proves_and_the_same_proves_a_restart(void **state)
{
	struct proof_facts other = used_volume(ID_A, "web-0");
	struct proof_facts same = used_volume(ID_B, "web-0");

	(void)state;
	assert_int_equal(judge(&other), PROOF_PROVEN);
	assert_note_has(&other, "container aaaaaaaaaaaa");
	assert_int_equal(judge(&same), PROOF_RESTART);
	assert_note_has(&same, "at start 2;");
	same.self = boot_of(ID_B, "web-0", "k2");
	assert_note_has(&same, "and of the machine");
}

static void without_container_ids_the_host_name_decides(void **state)
{
	struct proof_facts same = used_volume("-", "web-0");
	struct proof_facts other = used_volume("-", "0123456789ab");

	(void)state;
	same.self = boot_of("-", "web-0", "-");
	assert_int_equal(judge(&same), PROOF_RESTART);
	other.self = boot_of("-", "ba9876543210", "-");
	assert_int_equal(judge(&other), PROOF_PROVEN);
	assert_note_has(&other, "host 0123456789ab at 2026-");
}

static void once_proven_stays_proven_when_the_list_has_forgotten(void **state)
{
	struct proof_facts f = used_volume(ID_A, "web-0");

	(void)state;
	for (int i = 0; i < 2 * MARKER_BOOTS_MAX; i++)
		marker_add_boot(&f.marker, &f.self);
	assert_int_equal(judge(&f), PROOF_PROVEN);
	assert_note_has(&f, "another container before 2026-01-01T00:00:00Z");
}

static void two_chosen_names_mean_another_nodes_volume(void **state)
{
	struct proof_facts f = used_volume(ID_A, "web-1");

	(void)state;
	assert_int_equal(judge(&f), PROOF_WRONG_VOLUME);
	assert_note_has(&f, "host web-1");
	assert_note_has(&f, "host web-0");
	f.self = boot_of(ID_A, "web-0", "k1");
	assert_int_equal(judge(&f), PROOF_RESTART);
}

static void generated_names_mean_nothing(void **state)
{
	static const char *const generated[] = { "0123456789ab", "mesh-6d4b75cb6d-hh5zx", "-" };
	static const char *const chosen[] = { "0123456789a", "0123456789AB", "web-nodes",
					      "web-12345", "mesh-hh5zxx" };

	(void)state;
	for (size_t i = 0; i < sizeof(generated) / sizeof(generated[0]); i++) {
		struct proof_facts f = used_volume(ID_A, generated[i]);

		assert_int_equal(judge(&f), PROOF_PROVEN);
	}
	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
		struct proof_facts f = used_volume(ID_A, chosen[i]);

		assert_int_equal(judge(&f), PROOF_WRONG_VOLUME);
	}
}

static void another_containers_marker_in_the_own_layer_is_a_clone(void **state)
{
	struct proof_facts f = used_volume(ID_A, "web-0");

	(void)state;
	f.verdict = VERDICT_LAYER;
	assert_int_equal(judge(&f), PROOF_CLONE);
	f = used_volume(ID_B, "web-0");
	f.verdict = VERDICT_LAYER;
	assert_int_equal(judge(&f), PROOF_RESTART);
}

static void what_the_mount_table_says_is_contradicted_in_words(void **state)
{
	static const enum verdict lost[] = { VERDICT_ANONYMOUS, VERDICT_CONTAINER, VERDICT_POD };
	struct proof_facts f = used_volume(ID_A, "web-0");

	(void)state;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		f.verdict = lost[i];
		assert_int_equal(judge(&f), PROOF_PROVEN);
		assert_note_has(&f, "somebody carried it over");
	}
	f.verdict = VERDICT_UNKNOWN;
	assert_note_has(&f, "but it lasts");
	f.verdict = VERDICT_MEMORY;
	assert_note_has(&f, "will not survive a restart of the machine");
	f.self = boot_of(ID_B, "web-0", "k2");
	assert_note_has(&f, "somebody copied it back");
}

static void a_marker_that_cannot_be_read_says_so(void **state)
{
	struct proof_facts f = empty_volume();

	(void)state;
	f.has_key = true;
	f.error = -EBADMSG;
	assert_int_equal(judge(&f), PROOF_UNREADABLE);
	assert_note_has(&f, "is damaged");
	f.error = -EPROTONOSUPPORT;
	assert_int_equal(judge(&f), PROOF_UNREADABLE);
	assert_note_has(&f, "left as it is");
	f.error = -EIO;
	assert_int_equal(judge(&f), PROOF_UNREADABLE);
	assert_note_has(&f, "Input/output error");
}

static void whoever_looks_does_not_take_the_running_start_for_an_earlier_one(void **state)
{
	struct proof_facts f = used_volume(ID_B, "web-0");

	(void)state;
	f.is_look = true;
	assert_int_equal(judge(&f), PROOF_PREDICTED);
	marker_add_boot(&f.marker, &f.self);
	assert_int_equal(judge(&f), PROOF_RESTART);
	assert_note_has(&f, "at start 2;");
}

static struct proof proof_with(const char *recorded)
{
	struct proof p = { .kind = PROOF_PROVEN, .note = "before" };

	(void)snprintf(p.recorded, sizeof(p.recorded), "%s", recorded);
	return p;
}

static void the_key_that_is_served_must_be_the_one_recorded(void **state)
{
	struct marker_key key = { .ifname = "wg0", .public_key = KEY_A };
	struct proof p = proof_with("");

	(void)state;
	assert_true(proof_take_served(&p, &key, false));
	assert_string_equal(p.recorded, KEY_A);
	assert_true(proof_take_served(&p, &key, false));
	assert_int_equal(p.kind, PROOF_PROVEN);
	p = proof_with(KEY_B);
	assert_false(proof_take_served(&p, &key, false));
	assert_int_equal(p.kind, PROOF_WRONG_VOLUME);
	assert_non_null(strstr(p.note, KEY_A));
	assert_non_null(strstr(p.note, KEY_B));
	/* It is said once. */
	assert_true(proof_take_served(&p, &key, false));
}

static void a_new_key_that_was_asked_for_is_no_alarm(void **state)
{
	struct marker_key key = { .ifname = "wg0", .public_key = KEY_A };
	struct proof p = proof_with(KEY_B);

	(void)state;
	assert_true(proof_take_served(&p, &key, true));
	assert_int_equal(p.kind, PROOF_PROVEN);
	assert_string_equal(p.recorded, KEY_A);
}

static void the_longest_sentences_fit(void **state)
{
	char host[MARKER_WORD_SIZE];
	struct proof_facts f;

	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	f = used_volume(ID_A, host);
	(void)snprintf(f.ifname, sizeof(f.ifname), "interface-01234");
	assert_int_equal(judge(&f), PROOF_WRONG_VOLUME);
	f.verdict = VERDICT_LAYER;
	assert_int_equal(judge(&f), PROOF_CLONE);
	f.verdict = VERDICT_POD;
	f.self = boot_of(ID_B, host, "k2");
	assert_int_equal(judge(&f), PROOF_PROVEN);
	(void)snprintf(f.ifname, sizeof(f.ifname), "wg0");
	f.has_key = false;
	assert_int_equal(judge(&f), PROOF_PARTIAL_LOSS);
}

static void every_kind_has_a_word_and_alarms_are_those_to_act_on(void **state)
{
	static const bool alarms[PROOF_COUNT] = { [PROOF_PARTIAL_LOSS] = true,
						  [PROOF_WRONG_VOLUME] = true,
						  [PROOF_CLONE] = true,
						  [PROOF_UNREADABLE] = true };

	(void)state;
	for (int i = 0; i < PROOF_COUNT; i++) {
		assert_true(proof_name((enum proof_kind)i)[0] != '\0');
		assert_int_equal(proof_is_alarm((enum proof_kind)i), alarms[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_volume_is_a_prediction),
		cmocka_unit_test(state_without_a_marker_is_adopted),
		cmocka_unit_test(traces_without_a_key_are_a_loss_whatever_the_marker_is),
		cmocka_unit_test(a_key_that_was_served_and_is_gone_is_a_loss_that_names_it),
		cmocka_unit_test(another_container_proves_and_the_same_proves_a_restart),
		cmocka_unit_test(without_container_ids_the_host_name_decides),
		cmocka_unit_test(once_proven_stays_proven_when_the_list_has_forgotten),
		cmocka_unit_test(two_chosen_names_mean_another_nodes_volume),
		cmocka_unit_test(generated_names_mean_nothing),
		cmocka_unit_test(another_containers_marker_in_the_own_layer_is_a_clone),
		cmocka_unit_test(what_the_mount_table_says_is_contradicted_in_words),
		cmocka_unit_test(a_marker_that_cannot_be_read_says_so),
		cmocka_unit_test(whoever_looks_does_not_take_the_running_start_for_an_earlier_one),
		cmocka_unit_test(the_key_that_is_served_must_be_the_one_recorded),
		cmocka_unit_test(a_new_key_that_was_asked_for_is_no_alarm),
		cmocka_unit_test(the_longest_sentences_fit),
		cmocka_unit_test(every_kind_has_a_word_and_alarms_are_those_to_act_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
