/* SPDX-License-Identifier: MIT */
#include "init/volume/storage.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/process/child.h"
#include "init/volume/look.h"
#include "init/volume/mounts.h"
#include "init/volume/prove.h"
#include "init/volume/voltext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For a look into other mounts, which only helps the text; all of them together. */
#define OTHERS_MS 1000

/* Filled in by a child, because looking at a hung network file system may never end. */
struct look {
	const char *dir;
	struct volume_facts facts;
};

struct look_other {
	const char *interface;
	struct othermount mount;
};

static void run_look(void *data)
{
	struct look *l = data;

	look_at_state(l->dir, &l->facts);
}

static int look(const struct boot *b, struct look *l, struct err *e)
{
	int r = child_run(run_look, l, sizeof(*l),
			  settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT));

	if (r == -ETIMEDOUT)
		return err_exit(
			e, EXITS_IO, r,
			"the storage of %.200s does not answer: a network file system whose "
			"server is away? (limit: --storage-timeout)",
			l->dir);
	return r < 0 ? err_set(e, r, "look at the state directory %.200s", l->dir) : 0;
}

static void run_look_other(void *data)
{
	struct look_other *l = data;

	look_inside(&l->mount, l->interface);
}

/* Looks into each mount, as far as the time allows; -EINTR for a stop signal. */
static int look_into_others(const struct boot *b, struct othermount *list, size_t n)
{
	uint64_t since_ms = clock_mono_ms();

	for (size_t i = 0; i < n; i++) {
		struct look_other l = { b->config.interface, list[i] };
		uint64_t passed_ms = clock_mono_ms() - since_ms;
		int r;

		if (passed_ms >= OTHERS_MS)
			break;
		r = child_run(run_look_other, &l, sizeof(l), OTHERS_MS - passed_ms);
		if (r == -EINTR)
			return r;
		if (r == 0)
			list[i] = l.mount;
	}
	return 0;
}

static void log_lines(const struct voltext *text)
{
	for (size_t i = 0; i < text->n; i++)
		log_event(EVENT_STORAGE_VERDICT, NULL, "%s", text->line[i]);
}

/* Kubernetes shows the last words of a container that did not start, and nothing of its log. */
static int refuse(const struct voltext *text, const struct volume *v, enum engine engine,
		  struct err *e)
{
	bool is_shown = engine == ENGINE_KUBERNETES;

	return err_exit(e, EXITS_POLICY, -EPERM,
			"refused by persistence=require: %.180s (verdict: %s)%s%s", text->line[0],
			verdict_name(v->verdict), is_shown ? "; " : "",
			is_shown ? text->line[text->n - 1] : "");
}

static int judge(struct boot *b, const struct voltext_about *about, struct err *e)
{
	uint64_t policy = settings_number(&b->config.settings, SETTING_PERSISTENCE);
	const struct volume *v = &b->volume;
	struct voltext text;

	voltext_explain(v, about, &text);
	log_lines(&text);
	if (policy == PERSISTENCE_REQUIRE)
		return refuse(&text, v, about->engine, e);
	if (!verdict_is_usable(v->verdict))
		return err_exit(e, EXITS_CANNOT_CREATE, -EROFS, "%.200s: %s", text.line[0],
				text.line[1]);
	boot_note(b,
		  "%s: %.150s is on %s (WGMESH_PERSISTENCE=require refuses such a start, ignore is "
		  "quiet)",
		  verdict_name(v->verdict), about->dir, v->what);
	return OUTCOME_WARNED;
}

static int judge_persistent(struct boot *b)
{
	const struct volume *v = &b->volume;

	boot_note(b, "%s: %.150s is on %s%s%s", verdict_name(v->verdict), b->config.state_dir,
		  v->what, v->caution[0] ? "; " : "", v->caution);
	return v->is_temporary ? OUTCOME_WARNED : OUTCOME_OK;
}

static int accept(struct boot *b, const char *why)
{
	boot_note(b, "%s: %.150s is on %s%s", verdict_name(b->volume.verdict), b->config.state_dir,
		  b->volume.what, why);
	return OUTCOME_OK;
}

/* Judges anything but persistent storage: what else is mounted, and whose words to use. */
static int judge_other(struct boot *b, const char *mounts, const struct volume_facts *f,
		       struct err *e)
{
	bool has_service = env_get(&b->config.env, "KUBERNETES_SERVICE_HOST") != NULL;
	struct othermount list[OTHERMOUNT_MAX];
	size_t n = othermount_list(mounts, f->path, b->config.legacy_dir, list);
	int r = look_into_others(b, list, n);
	struct voltext_about about = { .dir = b->config.state_dir };

	if (r < 0)
		return r;
	about.engine = look_for_engine(mounts, has_service);
	about.other = othermount_choose(list, n);
	return judge(b, &about, e);
}

int storage_classify(struct boot *b, struct err *e)
{
	struct look l = { .dir = b->config.state_dir };
	auto_free char *mounts = mounts_read();
	uint64_t policy = settings_number(&b->config.settings, SETTING_PERSISTENCE);
	int r;

	if (!mounts)
		return err_set(e, -ENOMEM, "make room for the mount table");
	r = look(b, &l, e);
	if (r < 0)
		return r;
	volume_classify(mounts, &l.facts, &b->volume);
	if (b->volume.verdict == VERDICT_PERSISTENT)
		return judge_persistent(b);
	if (policy == PERSISTENCE_IGNORE && verdict_is_usable(b->volume.verdict))
		return accept(b, "");
	/* What another container left there is worth more than what cannot be told. */
	if (b->volume.verdict == VERDICT_UNKNOWN && prove_lasts(b))
		return accept(b, "; another container has used it before, so it lasts");
	return judge_other(b, mounts, &l.facts, e);
}
