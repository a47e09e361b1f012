/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/defs.h"
#include "init/lock/leasedir.h"
#include "init/state/names.h"

#include <errno.h>
#include <linux/magic.h>

#define LEASE_MS 30000
#define POLL_MS	 1000
#define SILENCE	 20000
#define BEAT	 5000

static struct lease_text make_text(enum lease_form form, char digit, uint64_t beat)
{
	struct lease_text t = { .form = form, .beat = beat, .lease_ms = LEASE_MS };

	memset(t.id, digit, sizeof(t.id) - 1);
	(void)snprintf(t.holder.host, sizeof(t.holder.host), "host-%c", digit);
	(void)snprintf(t.holder.container, sizeof(t.holder.container), "%064d", digit);
	(void)snprintf(t.holder.boot, sizeof(t.holder.boot), "boot-%c", digit);
	(void)snprintf(t.holder.pid, sizeof(t.holder.pid), "1");
	(void)snprintf(t.holder.since, sizeof(t.holder.since), "2026-01-01T00:00:00Z");
	return t;
}

/* --- text, names, times, file systems -------------------------------------------------------- */

static void what_is_written_is_read_back(void **state)
{
	static const enum lease_form forms[] = { LEASE_HELD, LEASE_FREE };
	char text[LEASE_TEXT_SIZE];
	struct lease_text back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct lease_text t = make_text(forms[i], 'a', 42);

		size_t len = lease_format(&t, text);

		assert_int_equal(len, strlen(text));
		lease_parse(text, &back);
		assert_memory_equal(&back, &t, sizeof(t));
	}
}

static void the_text_of_one_holder_always_has_the_same_length(void **state)
{
	struct lease_text t = make_text(LEASE_HELD, 'a', 0);
	char text[LEASE_TEXT_SIZE];
	size_t len = lease_format(&t, text);

	(void)state;
	t.beat = UINT64_MAX;
	assert_int_equal(lease_format(&t, text), len);
	t.form = LEASE_FREE;
	assert_int_equal(lease_format(&t, text), len);
}

static void the_longest_holder_fits(void **state)
{
	struct lease_text t = make_text(LEASE_HELD, 'f', UINT64_MAX - 1);
	struct lease_text back;
	char text[LEASE_TEXT_SIZE];

	(void)state;
	memset(t.holder.host, 'h', sizeof(t.holder.host) - 1);
	memset(t.holder.container, 'c', sizeof(t.holder.container) - 1);
	memset(t.holder.pid, '9', sizeof(t.holder.pid) - 1);
	memset(t.holder.since, 's', sizeof(t.holder.since) - 1);
	memset(t.holder.boot, 'b', sizeof(t.holder.boot) - 1);
	assert_in_range(lease_format(&t, text), 300, LEASE_TEXT_SIZE - 2);
	lease_parse(text, &back);
	assert_memory_equal(&back, &t, sizeof(t));
}

static void a_text_that_is_cut_is_never_free_nor_newer(void **state)
{
	struct lease_text t = make_text(LEASE_HELD, 'a', 42);
	struct lease_text back;
	char text[LEASE_TEXT_SIZE];
	size_t len = lease_format(&t, text);

	(void)state;
	for (size_t n = 0; n < len; n++) {
		char *cut = strndup(text, n);

		lease_parse(cut, &back);
		assert_true(back.form == LEASE_DAMAGED || back.form == LEASE_HELD);
		free(cut);
	}
}

static void a_text_with_any_bit_flipped_is_no_error_of_ours(void **state)
{
	struct lease_text t = make_text(LEASE_HELD, 'a', 42);
	struct lease_text back;
	char text[LEASE_TEXT_SIZE];
	size_t len = lease_format(&t, text);

	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		lease_parse(text, &back);
		for (const char *p = back.holder.host; *p; p++)
			assert_in_range(*p, 0x20, 0x7e);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
	}
}

static void forms_are_told_apart(void **state)
{
	static const char id[] = "holder=00000000000000000000000000000001\n";
	static const struct {
		const char *head;
		bool has_id;
		enum lease_form form;
	} rows[] = {
		{ "", false, LEASE_DAMAGED },
		{ "version=1\nstate=held\nbeat=1\n", true, LEASE_HELD },
		{ "version=1\nstate=free\nbeat=1\n", true, LEASE_FREE },
		{ "version=1\nstate=free\nbeat=1\n", false, LEASE_DAMAGED },
		{ "version=1\nstate=frei\nbeat=1\n", true, LEASE_DAMAGED },
		{ "version=1\nstate=free\n", true, LEASE_DAMAGED },
		{ "version=1\nstate=free\nbeat=-1\n", true, LEASE_DAMAGED },
		{ "version=0\nstate=free\nbeat=1\n", true, LEASE_DAMAGED },
		{ "version=2\n", false, LEASE_NEWER },
		{ "version=2\nstate=free\nbeat=1\n", true, LEASE_NEWER },
		{ "xversion=2\n", false, LEASE_DAMAGED },
		{ "version=99999999999999999999999\n", false, LEASE_DAMAGED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lease_text t;
		char text[200];

		(void)snprintf(text, sizeof(text), "%s%s", rows[i].head, rows[i].has_id ? id : "");
		lease_parse(text, &t);
		assert_int_equal(t.form, rows[i].form);
	}
}

static void names_have_a_term_and_terms_a_name(void **state)
{
	static const char *const foreign[] = { "",
					       ".wgmesh.lease",
					       ".wgmesh.lease.",
					       ".wgmesh.lease.0",
					       ".wgmesh.lease.01",
					       ".wgmesh.lease.-1",
					       ".wgmesh.lease.1x",
					       ".wgmesh.lease.1.new",
					       ".wgmesh.lease.9999999999999999999",
					       ".wgmesh.leases.1" };
	char name[LEASE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		assert_int_equal(lease_term_of(foreign[i]), 0);
	lease_name(LEASE_TERM_MAX, name);
	assert_int_equal(lease_term_of(name), LEASE_TERM_MAX);
	lease_name(7, name);
	assert_string_equal(name, ".wgmesh.lease.7");
	assert_int_equal(lease_term_of(name), 7);
	assert_true(names_is_ours(name));
}

static void the_lease_time_is_all_there_is_and_a_holder_can_notice_in_time(void **state)
{
	static const uint64_t times[] = { 1000, 30000, 3600000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct lease_times t;

		lease_divide(times[i], &t);
		assert_int_equal(t.silence_ms + t.settle_ms, times[i]);
		assert_in_range(t.beat_ms, 1, t.settle_ms / 2);
		assert_in_range(t.beat_ms, 1, t.silence_ms / 4);
		assert_in_range(t.poll_ms, 1, POLL_MS);
	}
}

static void only_what_is_known_to_be_local_goes_without_a_lease(void **state)
{
	static const uint64_t local[] = { EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
					  TMPFS_MAGIC,	    OVERLAYFS_SUPER_MAGIC,
					  RAMFS_MAGIC,	    0x58465342,
					  0xf2f52010,	    0x2fc12fc1 };
	/* NFS, SMB 1 and 2, FUSE (virtiofs), 9p, Ceph, GFS2, OCFS2, Lustre, and nothing at all */
	static const uint64_t remote[] = { 0x6969,     0xff534d42, 0xfe534d42, 0x65735546,
					   0x01021997, 0x00c36400, 0x01161970, 0x7461636f,
					   0x0bd00bd0, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		assert_false(lease_is_needed(local[i]));
	for (size_t i = 0; i < ARRAY_LEN(remote); i++)
		assert_true(lease_is_needed(remote[i]));
}

/* --- one state machine, told by hand what it finds ------------------------------------------- */

struct play {
	struct lease l;
	struct lease_op op;
	uint64_t now_ms;
};

static void begin(struct play *p, uint64_t limit_ms)
{
	const struct lease_text me = make_text(LEASE_HELD, 'a', 0);

	memset(p, 0, sizeof(*p));
	lease_init(&p->l, &me, LEASE_MS);
	p->l.limit_ms = limit_ms;
	p->now_ms = 1000;
}

static enum lease_news answer(struct play *p, const struct lease_answer *a)
{
	return lease_next(&p->l, a, p->now_ms, &p->op);
}

static enum lease_news done(struct play *p, int error)
{
	const struct lease_answer a = { .error = error };

	return answer(p, &a);
}

static enum lease_news listed(struct play *p, uint64_t highest)
{
	const struct lease_answer a = { .highest = highest, .lowest = highest };

	assert_int_equal(p->op.what, LEASE_DO_LIST);
	return answer(p, &a);
}

static enum lease_news has_read(struct play *p, const struct lease_text *t)
{
	struct lease_answer a = { 0 };

	assert_int_equal(p->op.what, LEASE_DO_READ);
	(void)lease_format(t, a.text);
	return answer(p, &a);
}

/* Sleeps as long as it wants to. */
static enum lease_news slept(struct play *p)
{
	assert_int_equal(p->op.what, LEASE_DO_PAUSE);
	p->now_ms = p->op.until_ms;
	return done(p, 0);
}

/* One look at a lease; from the beginning or from a pause to the next one. */
static enum lease_news look(struct play *p, uint64_t term, const struct lease_text *t)
{
	if (p->l.state == LEASE_NEW)
		(void)done(p, 0);
	else
		(void)slept(p);
	(void)listed(p, term);
	return has_read(p, t);
}

static void confirm(struct play *p, uint64_t term)
{
	assert_int_equal(p->op.what, LEASE_DO_WRITE);
	(void)done(p, 0);
	while (p->op.what == LEASE_DO_PAUSE)
		assert_in_range(slept(p), LEASE_NO_NEWS, LEASE_NEWS_WAITS);
	(void)listed(p, term);
	assert_int_equal(has_read(p, &p->l.me), LEASE_NEWS_HELD);
}

static void take_free(struct play *p)
{
	begin(p, 0);
	(void)done(p, 0);
	(void)listed(p, 0);
	assert_int_equal(p->op.what, LEASE_DO_CREATE);
	assert_int_equal(p->op.term, 1);
	(void)done(p, 0);
	confirm(p, 1);
}

static void a_first_start_waits_for_nothing(void **state)
{
	struct play p;

	(void)state;
	take_free(&p);
	assert_int_equal(p.now_ms, 1000);
}

static void a_lease_that_was_given_up_is_followed_at_once(void **state)
{
	const struct lease_text other = make_text(LEASE_FREE, 'b', 9);
	struct play p;

	(void)state;
	begin(&p, 0);
	(void)look(&p, 4, &other);
	assert_int_equal(p.op.what, LEASE_DO_CREATE);
	assert_int_equal(p.op.term, 5);
	(void)done(&p, 0);
	confirm(&p, 5);
	assert_int_equal(p.now_ms, 1000);
}

static void a_silent_lease_is_followed_after_the_whole_lease_time(void **state)
{
	const struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	begin(&p, 0);
	while (look(&p, 4, &other) == LEASE_NEWS_WAITS)
		assert_in_range(p.now_ms, 1000, 1000 + SILENCE);
	assert_in_range(p.now_ms, 1000 + SILENCE, 1000 + SILENCE + POLL_MS);
	assert_int_equal(p.op.what, LEASE_DO_CREATE);
	(void)done(&p, 0);
	confirm(&p, 5);
	assert_in_range(p.now_ms, 1000 + LEASE_MS, 1000 + LEASE_MS + POLL_MS);
	assert_true(p.l.must_settle);
}

static void with_a_holder_who_is_slower_one_is_more_patient(void **state)
{
	struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	other.lease_ms = 3 * LEASE_MS;
	begin(&p, 0);
	while (look(&p, 4, &other) == LEASE_NEWS_WAITS)
		;
	assert_in_range(p.now_ms, 1000 + 3 * SILENCE, 1000 + 3 * SILENCE + POLL_MS);
	(void)done(&p, 0);
	confirm(&p, 5);
	assert_in_range(p.now_ms, 1000 + 3 * LEASE_MS, 1000 + 3 * LEASE_MS + POLL_MS);
}

static void a_lease_that_is_renewed_is_refused_when_patience_is_over(void **state)
{
	struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	enum lease_news news = LEASE_NEWS_WAITS;
	struct play p;

	(void)state;
	begin(&p, 60000);
	while (news == LEASE_NEWS_WAITS) {
		other.beat += p.now_ms % 3 == 0 ? 1 : 0;
		news = look(&p, 4, &other);
	}
	assert_int_equal(news, LEASE_NEWS_REFUSED);
	assert_int_equal(p.op.what, LEASE_DO_END);
	assert_in_range(p.now_ms, 61000, 61000 + POLL_MS);
	assert_string_equal(p.l.other.holder.host, "host-b");
}

static void without_patience_a_first_sign_of_life_is_waited_for(void **state)
{
	struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	begin(&p, 0);
	assert_int_equal(look(&p, 4, &other), LEASE_NEWS_WAITS);
	assert_int_equal(look(&p, 4, &other), LEASE_NEWS_WAITS);
	other.beat++;
	assert_int_equal(look(&p, 4, &other), LEASE_NEWS_REFUSED);
}

static void an_earlier_run_in_the_same_container_is_followed_at_once_but_only_if_it_is_dead(
	void **state)
{
	struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(&p, 0);
		other.holder = p.l.me.holder;
		p.l.trusts_place = i < 2;
		if (i == 1)
			other.holder.boot[0] = 'x';
		(void)look(&p, 4, &other);
		assert_int_equal(p.op.what, i == 0 ? LEASE_DO_CREATE : LEASE_DO_PAUSE);
	}
}

static void time_in_which_we_could_not_look_says_nothing(void **state)
{
	const struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	begin(&p, LEASE_MS);
	(void)look(&p, 4, &other);
	p.op.until_ms += 10 * LEASE_MS;
	p.l.limit_ms += 100 * LEASE_MS;
	assert_int_equal(look(&p, 4, &other), LEASE_NEWS_WAITS);
	assert_in_range(p.l.silent_ms, 1, 2 * POLL_MS);
	for (int i = 0; i < 2 * SILENCE / POLL_MS; i++) {
		(void)slept(&p);
		assert_int_equal(done(&p, -EIO), LEASE_NEWS_WAITS);
	}
	assert_in_range(p.l.silent_ms, 1, 2 * POLL_MS);
}

static void what_cannot_be_read_for_lack_of_rights_is_not_taken(void **state)
{
	struct play p;

	(void)state;
	begin(&p, LEASE_MS);
	(void)done(&p, 0);
	(void)listed(&p, 3);
	assert_int_equal(done(&p, -EACCES), LEASE_NEWS_FAILED);
	assert_int_equal(p.l.error, -EACCES);
}

static void who_comes_second_waits_on(void **state)
{
	const struct lease_text other = make_text(LEASE_FREE, 'b', 9);
	struct play p;

	(void)state;
	begin(&p, LEASE_MS);
	(void)look(&p, 4, &other);
	assert_int_equal(done(&p, -EEXIST), LEASE_NEWS_WAITS);
	assert_int_equal(p.l.term, 0);
}

static void a_claim_that_was_overtaken_while_it_settled_is_none(void **state)
{
	const struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	begin(&p, LEASE_MS);
	while (look(&p, 4, &other) == LEASE_NEWS_WAITS)
		;
	(void)done(&p, 0);
	(void)done(&p, 0);
	while (p.op.what == LEASE_DO_PAUSE)
		(void)slept(&p);
	assert_int_equal(listed(&p, 6), LEASE_NEWS_WAITS);
	assert_int_equal(p.l.term, 0);
}

static void a_holder_reads_writes_and_looks_last(void **state)
{
	struct play p;

	(void)state;
	take_free(&p);
	for (int i = 0; i < 3; i++) {
		(void)slept(&p);
		assert_int_equal(p.op.what, LEASE_DO_READ);
		(void)has_read(&p, &p.l.me);
		assert_int_equal(p.op.what, LEASE_DO_WRITE);
		assert_int_equal(p.l.me.beat, (uint64_t)i + 1);
		assert_int_equal(done(&p, 0), LEASE_NO_NEWS);
		assert_int_equal(listed(&p, 1), LEASE_NO_NEWS);
	}
	assert_int_equal(p.op.until_ms, 1000 + 3 * BEAT);
}

static void a_higher_term_is_the_end_and_is_named(void **state)
{
	const struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	take_free(&p);
	(void)slept(&p);
	(void)has_read(&p, &p.l.me);
	(void)done(&p, 0);
	assert_int_equal(listed(&p, 2), LEASE_NO_NEWS);
	assert_int_equal(has_read(&p, &other), LEASE_NEWS_LOST);
	assert_string_equal(p.l.other.holder.host, "host-b");
	assert_int_equal(p.op.what, LEASE_DO_END);
}

static void a_term_that_got_a_second_holder_is_the_end_for_whoever_reads_it(void **state)
{
	const struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct play p;

	(void)state;
	take_free(&p);
	(void)slept(&p);
	assert_int_equal(has_read(&p, &other), LEASE_NEWS_LOST);
}

static void storage_that_fails_is_told_of_once_and_again_when_it_works(void **state)
{
	static const enum lease_news news[] = { LEASE_NEWS_FAILING, LEASE_NO_NEWS,
						LEASE_NEWS_BEATING, LEASE_NO_NEWS };
	struct play p;

	(void)state;
	take_free(&p);
	for (size_t i = 0; i < ARRAY_LEN(news); i++) {
		(void)slept(&p);
		(void)has_read(&p, &p.l.me);
		(void)done(&p, i < 2 ? -ENOSPC : 0);
		assert_int_equal(listed(&p, 1), news[i]);
	}
}

static void after_a_hold_up_the_next_look_is_due_at_once(void **state)
{
	struct play p;

	(void)state;
	take_free(&p);
	(void)slept(&p);
	(void)has_read(&p, &p.l.me);
	(void)done(&p, 0);
	p.now_ms += 5 * LEASE_MS;
	(void)listed(&p, 1);
	assert_int_equal(p.op.what, LEASE_DO_PAUSE);
	assert_in_range(p.op.until_ms, 0, p.now_ms);
}

static void leaving_gives_up_what_was_claimed_and_nothing_else(void **state)
{
	const struct lease_text other = make_text(LEASE_HELD, 'b', 9);
	struct lease_text written;
	struct play p;

	(void)state;
	take_free(&p);
	lease_leave(&p.l);
	(void)done(&p, 0);
	assert_int_equal(p.op.what, LEASE_DO_WRITE);
	lease_parse(p.op.text, &written);
	assert_int_equal(written.form, LEASE_FREE);
	assert_int_equal(done(&p, 0), LEASE_NEWS_RELEASED);
	begin(&p, LEASE_MS);
	(void)look(&p, 4, &other);
	lease_leave(&p.l);
	assert_int_equal(done(&p, 0), LEASE_NEWS_RELEASED);
	assert_int_equal(p.op.what, LEASE_DO_END);
}

static void who_goes_on_for_a_keeper_that_died_begins_with_a_look(void **state)
{
	const struct lease_text me = make_text(LEASE_HELD, 'a', 0);
	struct lease_text found = make_text(LEASE_HELD, 'a', 77);
	struct play p;

	(void)state;
	begin(&p, 0);
	lease_init(&p.l, &me, LEASE_MS);
	lease_resume(&p.l, 6, p.now_ms);
	(void)done(&p, 0);
	assert_int_equal(p.op.term, 6);
	(void)has_read(&p, &found);
	assert_int_equal(p.op.what, LEASE_DO_WRITE);
	assert_int_equal(p.l.me.beat, 78);
}

/* --- the directory --------------------------------------------------------------------------- */

static struct lease_answer run(const struct tempdir *d, enum lease_do what, uint64_t term,
			       const char *text)
{
	struct lease_op op = { .what = what, .term = term };
	struct lease_answer a;

	(void)snprintf(op.text, sizeof(op.text), "%s", text);
	leasedir_run(d->fd, &op, &a);
	return a;
}

static void operations_do_what_they_say(void **state)
{
	struct tempdir *d = *state;
	struct lease_answer a = run(d, LEASE_DO_LIST, 0, "");

	assert_int_equal(a.error, 0);
	assert_int_equal(a.highest, 0);
	assert_int_equal(run(d, LEASE_DO_READ, 3, "").error, -ENOENT);
	assert_int_equal(run(d, LEASE_DO_WRITE, 3, "x").error, -ENOENT);
	assert_int_equal(run(d, LEASE_DO_CREATE, 3, "").error, 0);
	assert_int_equal(run(d, LEASE_DO_CREATE, 3, "").error, -EEXIST);
	assert_int_equal(run(d, LEASE_DO_CREATE, 12, "").error, 0);
	assert_int_equal(run(d, LEASE_DO_WRITE, 12, "long text").error, 0);
	assert_int_equal(run(d, LEASE_DO_WRITE, 12, "short").error, 0);
	assert_string_equal(run(d, LEASE_DO_READ, 12, "").text, "short");
	a = run(d, LEASE_DO_LIST, 0, "");
	assert_int_equal(a.highest, 12);
	assert_int_equal(a.lowest, 3);
	assert_int_equal(run(d, LEASE_DO_REMOVE, 3, "").error, 0);
	leasedir_read_current(d->fd, &a);
	assert_int_equal(a.error, 0);
	assert_int_equal(a.highest, 12);
	assert_string_equal(a.text, "short");
}

static void what_is_no_file_of_ours_is_not_followed_nor_waited_for(void **state)
{
	struct tempdir *d = *state;

	assert_int_equal(symlinkat("victim", d->fd, ".wgmesh.lease.1"), 0);
	assert_int_equal(mkfifoat(d->fd, ".wgmesh.lease.2", 0600), 0);
	assert_int_equal(mkdirat(d->fd, ".wgmesh.lease.3", 0700), 0);
	for (uint64_t term = 1; term <= 3; term++) {
		assert_true(run(d, LEASE_DO_READ, term, "").error < 0);
		assert_true(run(d, LEASE_DO_WRITE, term, "x").error < 0);
		assert_int_equal(run(d, LEASE_DO_CREATE, term, "").error, -EEXIST);
	}
	assert_false(tempdir_has(d, "victim"));
}

static void a_file_that_is_too_long_is_cut(void **state)
{
	struct tempdir *d = *state;
	char text[2 * LEASE_TEXT_SIZE];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	tempdir_write(d, ".wgmesh.lease.1", text);
	assert_int_equal(strlen(run(d, LEASE_DO_READ, 1, "").text), LEASE_TEXT_SIZE - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(the_text_of_one_holder_always_has_the_same_length),
		cmocka_unit_test(the_longest_holder_fits),
		cmocka_unit_test(a_text_that_is_cut_is_never_free_nor_newer),
		cmocka_unit_test(a_text_with_any_bit_flipped_is_no_error_of_ours),
		cmocka_unit_test(forms_are_told_apart),
		cmocka_unit_test(names_have_a_term_and_terms_a_name),
		cmocka_unit_test(the_lease_time_is_all_there_is_and_a_holder_can_notice_in_time),
		cmocka_unit_test(only_what_is_known_to_be_local_goes_without_a_lease),
		cmocka_unit_test(a_first_start_waits_for_nothing),
		cmocka_unit_test(a_lease_that_was_given_up_is_followed_at_once),
		cmocka_unit_test(a_silent_lease_is_followed_after_the_whole_lease_time),
		cmocka_unit_test(with_a_holder_who_is_slower_one_is_more_patient),
		cmocka_unit_test(a_lease_that_is_renewed_is_refused_when_patience_is_over),
		cmocka_unit_test(without_patience_a_first_sign_of_life_is_waited_for),
		cmocka_unit_test(
			an_earlier_run_in_the_same_container_is_followed_at_once_but_only_if_it_is_dead),
		cmocka_unit_test(time_in_which_we_could_not_look_says_nothing),
		cmocka_unit_test(what_cannot_be_read_for_lack_of_rights_is_not_taken),
		cmocka_unit_test(who_comes_second_waits_on),
		cmocka_unit_test(a_claim_that_was_overtaken_while_it_settled_is_none),
		cmocka_unit_test(a_holder_reads_writes_and_looks_last),
		cmocka_unit_test(a_higher_term_is_the_end_and_is_named),
		cmocka_unit_test(a_term_that_got_a_second_holder_is_the_end_for_whoever_reads_it),
		cmocka_unit_test(storage_that_fails_is_told_of_once_and_again_when_it_works),
		cmocka_unit_test(after_a_hold_up_the_next_look_is_due_at_once),
		cmocka_unit_test(leaving_gives_up_what_was_claimed_and_nothing_else),
		cmocka_unit_test(who_goes_on_for_a_keeper_that_died_begins_with_a_look),
		TEST(operations_do_what_they_say),
		TEST(what_is_no_file_of_ours_is_not_followed_nor_waited_for),
		TEST(a_file_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
