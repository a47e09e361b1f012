/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "init/supervise/notify.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MAX (NOTIFY_STATUS_SIZE - 1)

/* From memory of just that size, so that a sanitizer sees any read behind the end. */
static int parse_bytes(struct notify_message *out, const void *bytes, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);
	int r;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	memset(out, 0xa5, sizeof(*out));
	r = notify_parse(out, exact, len);
	free(exact);
	return r;
}

static struct notify_message parse(const char *text)
{
	struct notify_message m;

	assert_int_equal(parse_bytes(&m, text, strlen(text)), 0);
	return m;
}

static void assert_says_nothing(const char *text)
{
	static const struct notify_message nothing = { 0 };
	struct notify_message m = parse(text);

	assert_memory_equal(&m, &nothing, sizeof(m));
}

#define KEY "6HsZQcVYtUWQ6e7GyhPIMWPWSCqvdsSFfqUWIhYQ0wE="

/* --- assignments ----------------------------------------------------------------------------- */

static void each_assignment_is_understood(void **state)
{
	(void)state;
	assert_true(parse("READY=1").is_ready);
	assert_true(parse("RELOADING=1").is_reloading);
	assert_true(parse("STOPPING=1").is_stopping);
	assert_true(parse("WATCHDOG=1").is_beat);
	assert_false(parse("WATCHDOG=1").is_trigger);
	assert_true(parse("WATCHDOG=trigger").is_trigger);
	assert_false(parse("WATCHDOG=trigger").is_beat);
	assert_true(parse("WATCHDOG_USEC=2000000").has_watchdog);
	assert_int_equal(parse("WATCHDOG_USEC=2000000").watchdog_ms, 2000);
	assert_true(parse("EXTEND_TIMEOUT_USEC=3000000").has_extend);
	assert_int_equal(parse("EXTEND_TIMEOUT_USEC=3000000").extend_ms, 3000);
	assert_true(parse("ERRNO=13").has_errno);
	assert_int_equal(parse("ERRNO=13").error_number, 13);
	assert_true(parse("STATUS=as usual").has_status);
	assert_string_equal(parse("STATUS=as usual").status, "as usual");
	assert_string_equal(parse("STATUS=a=b").status, "a=b");
	assert_true(parse("STATUS=").has_status);
}

static void a_clone_is_told_by_one_and_its_end_by_zero(void **state)
{
	(void)state;
	assert_true(parse("X_WGMESH_CLONE=1").has_clone && parse("X_WGMESH_CLONE=1").is_cloned);
	assert_true(parse("X_WGMESH_CLONE=0").has_clone && !parse("X_WGMESH_CLONE=0").is_cloned);
	assert_says_nothing("X_WGMESH_CLONE=");
	assert_says_nothing("X_WGMESH_CLONE=2");
}

static void a_question_is_one(void **state)
{
	(void)state;
	assert_true(parse("X_WGMESH_ASK=1").is_asking);
	assert_false(parse("READY=1").is_asking);
	assert_says_nothing("X_WGMESH_ASK=2");
}

static void the_key_that_is_served_is_taken_whole_or_not_at_all(void **state)
{
	struct notify_message m = parse("READY=1\nX_WGMESH_SERVES=wg0 " KEY);

	(void)state;
	assert_true(m.is_ready && m.has_serves);
	assert_string_equal(m.serves.ifname, "wg0");
	assert_string_equal(m.serves.public_key, KEY);
	assert_says_nothing("X_WGMESH_SERVES=" KEY);
	assert_says_nothing("X_WGMESH_SERVES=wg0");
	assert_says_nothing("X_WGMESH_SERVES=wg0 ");
	assert_says_nothing("X_WGMESH_SERVES= " KEY);
	assert_says_nothing("X_WGMESH_SERVES=wg0  " KEY);
	assert_says_nothing("X_WGMESH_SERVES=wg0 " KEY " ");
	assert_says_nothing("X_WGMESH_SERVES=wg0 " KEY "=");
	assert_says_nothing("X_WGMESH_SERVES=../wg0 " KEY);
	assert_says_nothing("X_WGMESH_SERVES=0123456789abcdef " KEY);
	assert_says_nothing("X_WGMESH_SERVES=wg0 6HsZQcVYtUWQ6e7GyhPIMWPWSCqvdsSFfqUWIhYQ0wF=");
}

static void a_datagram_holds_many_of_them(void **state)
{
	struct notify_message m = parse("\nX_OWN=9\nREADY=1\n\nSTATUS=up\nWATCHDOG=1\nERRNO=2\n");

	(void)state;
	assert_true(m.is_ready && m.is_beat && m.has_errno && m.has_status);
	assert_string_equal(m.status, "up");
	assert_false(m.is_reloading || m.is_stopping || m.is_trigger);
	assert_false(m.has_watchdog || m.has_extend);
}

static void of_two_alike_the_last_counts(void **state)
{
	(void)state;
	assert_string_equal(parse("STATUS=a long first one\nSTATUS=two").status, "two");
	assert_int_equal(parse("WATCHDOG_USEC=9000\nWATCHDOG_USEC=5000").watchdog_ms, 5);
	assert_int_equal(parse("WATCHDOG_USEC=9000\nWATCHDOG_USEC=x").watchdog_ms, 9);
}

static void what_is_unknown_or_malformed_says_nothing(void **state)
{
	static const char *const all[] = {
		"MAINPID=1",
		"FDSTORE=1",
		"BARRIER=1",
		"MONOTONIC_USEC=5",
		"READY=0",
		"READY=11",
		"READY=",
		"READY",
		"=1",
		"=",
		"ready=1",
		"XREADY=1",
		"READYX=1",
		" READY=1",
		"READY =1",
		"READY=1 ",
		"READY=1\r",
		"WATCHDOG=2",
		"WATCHDOG=triggers",
		"WATCHDOG=",
		"RELOADING=0",
		"STOPPING=0",
		"\n\n\n",
		"STATUS",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_says_nothing(all[i]);
}

/* --- numbers --------------------------------------------------------------------------------- */

static void microseconds_are_rounded_up(void **state)
{
	(void)state;
	assert_true(parse("WATCHDOG_USEC=0").has_watchdog);
	assert_int_equal(parse("WATCHDOG_USEC=0").watchdog_ms, 0);
	assert_int_equal(parse("WATCHDOG_USEC=1").watchdog_ms, 1);
	assert_int_equal(parse("WATCHDOG_USEC=1000").watchdog_ms, 1);
	assert_int_equal(parse("WATCHDOG_USEC=1001").watchdog_ms, 2);
	assert_true(parse("EXTEND_TIMEOUT_USEC=18446744073709551615").extend_ms ==
		    UINT64_C(18446744073709552));
}

static void a_number_that_is_none_is_ignored(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "0x10",
					   "1s",
					   "1e3",
					   "infinity",
					   "18446744073709551616",
					   "99999999999999999999",
					   "000000000000000000001" };
	char text[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(text, sizeof(text), "WATCHDOG_USEC=%s", bad[i]);
		assert_says_nothing(text);
		(void)snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%s", bad[i]);
		assert_says_nothing(text);
		(void)snprintf(text, sizeof(text), "ERRNO=%s", bad[i]);
		assert_says_nothing(text);
	}
	assert_int_equal(parse("ERRNO=4095").error_number, 4095);
	assert_says_nothing("ERRNO=4096");
}

/* --- text ------------------------------------------------------------------------------------ */

static void assert_status(const char *sent, const char *kept)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "STATUS=%s", sent);
	assert_string_equal(parse(text).status, kept);
}

static void control_characters_in_a_status_are_replaced(void **state)
{
	(void)state;
	assert_status("a\tb\rc\x1b[31md\x7f", "a?b?c?[31md?");
	/* C1, which terminals take for the beginning of an escape sequence. */
	assert_status("a\xc2\x9b"
		      "31m\xc2\x80\xc2\xa0",
		      "a?31m?\xc2\xa0");
}

static void a_status_that_is_not_utf_8_is_made_so(void **state)
{
	static const char *const good[] = { "\xc3\xa9",		"\xe2\x82\xac",
					    "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
					    "\xee\x80\x80",	"\xf4\x8f\xbf\xbf",
					    "\xe0\xa0\x80",	"\xf0\x90\x80\x80",
					    "\xdf\xbf",		"\xef\xbf\xbd\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_status(good[i], good[i]);
	assert_status("\xff\xfe", "??");
	assert_status("\x80x", "?x");
	assert_status("\xc0\xaf", "??");		 /* overlong "/" */
	assert_status("\xe0\x9f\xbf", "???");		 /* overlong */
	assert_status("\xf0\x8f\xbf\xbf", "????");	 /* overlong */
	assert_status("\xed\xa0\x80", "???");		 /* a surrogate */
	assert_status("\xf4\x90\x80\x80", "????");	 /* above U+10FFFF */
	assert_status("\xf5\x80\x80\x80", "????");	 /* no such lead byte */
	assert_status("\xe2\x82x", "??x");		 /* ends early */
	assert_status("\xf0\x9f\x98\n", "???");		 /* ends with the line */
	assert_status("\xe2\x82", "??");		 /* ends with the datagram */
	assert_status("\xe2\x82\xc3\xa9", "??\xc3\xa9"); /* and the next one is whole */
}

static void a_long_status_is_cut_between_characters(void **state)
{
	char sent[STATUS_MAX + 8];
	char kept[STATUS_MAX + 8];

	(void)state;
	memset(sent, 'a', sizeof(sent));
	sent[sizeof(sent) - 1] = '\0';
	memset(kept, 'a', STATUS_MAX);
	kept[STATUS_MAX] = '\0';
	assert_status(sent, kept);
	/* Two bytes that still fit, then two of which only one would. */
	memcpy(sent + STATUS_MAX - 2, "\xc3\xa9xyz", 6);
	memcpy(kept + STATUS_MAX - 2, "\xc3\xa9", 3);
	assert_status(sent, kept);
	memcpy(sent + STATUS_MAX - 2, "a\xc3\xa9xyz", 7);
	memcpy(kept + STATUS_MAX - 2, "a", 2);
	assert_status(sent, kept);
}

/* --- datagrams ------------------------------------------------------------------------------- */

static void a_nul_is_forgiven_at_the_end_only(void **state)
{
	struct notify_message m;

	(void)state;
	assert_int_equal(parse_bytes(&m, "READY=1", 8), 0);
	assert_true(m.is_ready);
	assert_int_equal(parse_bytes(&m, "READY=1\0", 9), -EBADMSG);
	assert_false(m.is_ready);
	assert_int_equal(parse_bytes(&m, "STATUS=a\0READY=1", 16), -EBADMSG);
	assert_int_equal(parse_bytes(&m, "", 1), -EBADMSG);
	assert_int_equal(parse_bytes(&m, "", 0), -EBADMSG);
}

static void a_datagram_has_a_largest_size(void **state)
{
	char text[NOTIFY_DATAGRAM_MAX + 1];
	struct notify_message m;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 9, "\nREADY=1", 8);
	assert_int_equal(parse_bytes(&m, text, NOTIFY_DATAGRAM_MAX), 0);
	assert_true(m.is_ready);
	assert_int_equal(parse_bytes(&m, text, sizeof(text)), -EMSGSIZE);
	assert_false(m.is_ready);
}

static void a_datagram_may_end_anywhere(void **state)
{
	static const char text[] = "READY=1\nSTATUS=\xe2\x82\xac\nWATCHDOG_USEC=1000\nERRNO=1\n"
				   "EXTEND_TIMEOUT_USEC=5\nWATCHDOG=trigger";
	struct notify_message m;

	(void)state;
	for (size_t len = 1; len < sizeof(text); len++) {
		assert_int_equal(parse_bytes(&m, text, len), 0);
		assert_int_equal(m.is_ready, len >= 7);
		assert_int_equal(m.is_trigger, len == sizeof(text) - 1);
	}
}

static uint32_t noise(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static size_t make_garbage(uint32_t *seed, char *out, size_t size)
{
	static const char *const words[] = {
		"READY=1", "STATUS=",  "WATCHDOG", "_USEC=",   "\n",   "=",	  "ERRNO=",
		"1844674", "\xe2\x82", "\xc2",	   "\xf4\x90", "\x1b", "trigger", "EXTEND_TIMEOUT"
	};
	size_t used = 0;

	while (used + 16 < size && noise(seed) % 40 != 0) {
		const char *word = words[noise(seed) % ARRAY_LEN(words)];

		if (noise(seed) % 3 == 0) {
			/* Any byte but NUL, which would end the matter at once. */
			out[used++] = (char)(noise(seed) % 255 + 1);
			continue;
		}
		memcpy(out + used, word, strlen(word));
		used += strlen(word);
	}
	return used;
}

static void assert_is_harmless(const struct notify_message *m)
{
	struct notify_message again;
	char text[NOTIFY_STATUS_SIZE + 8];
	int n = snprintf(text, sizeof(text), "STATUS=%s", m->status);

	assert_true(strlen(m->status) <= STATUS_MAX);
	for (const char *p = m->status; *p; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	/* What is clean is not changed by cleaning it. */
	assert_int_equal(parse_bytes(&again, text, (size_t)n), 0);
	assert_string_equal(again.status, m->status);
	assert_true(m->error_number >= 0 && m->error_number <= 4095);
	assert_true(m->has_errno || m->error_number == 0);
	assert_true(m->has_watchdog || m->watchdog_ms == 0);
	assert_true(m->has_extend || m->extend_ms == 0);
}

static void garbage_does_no_harm(void **state)
{
	char text[600];
	uint32_t seed = 20;
	size_t n_status = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct notify_message m;
		size_t len = make_garbage(&seed, text, sizeof(text));

		assert_int_equal(parse_bytes(&m, text, len), len > 0 ? 0 : -EBADMSG);
		assert_is_harmless(&m);
		n_status += m.has_status ? 1 : 0;
	}
	assert_true(n_status > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_assignment_is_understood),
		cmocka_unit_test(a_clone_is_told_by_one_and_its_end_by_zero),
		cmocka_unit_test(a_question_is_one),
		cmocka_unit_test(the_key_that_is_served_is_taken_whole_or_not_at_all),
		cmocka_unit_test(a_datagram_holds_many_of_them),
		cmocka_unit_test(of_two_alike_the_last_counts),
		cmocka_unit_test(what_is_unknown_or_malformed_says_nothing),
		cmocka_unit_test(microseconds_are_rounded_up),
		cmocka_unit_test(a_number_that_is_none_is_ignored),
		cmocka_unit_test(control_characters_in_a_status_are_replaced),
		cmocka_unit_test(a_status_that_is_not_utf_8_is_made_so),
		cmocka_unit_test(a_long_status_is_cut_between_characters),
		cmocka_unit_test(a_nul_is_forgiven_at_the_end_only),
		cmocka_unit_test(a_datagram_has_a_largest_size),
		cmocka_unit_test(a_datagram_may_end_anywhere),
		cmocka_unit_test(garbage_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
