/* SPDX-License-Identifier: MIT */
#include "init/volume/prove.h"
#include "common/defs.h"
#include "common/log.h"
#include "common/str.h"
#include "init/clock.h"
#include "init/process/child.h"
#include "init/state/fsuser.h"
#include "init/volume/markfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/**
 * struct job - What the child gets and gives back
 * @start:	The work
 * @config:	Whose user to be
 * @dir:	Directory to open first, when @start.dirfd is -1
 */
struct job {
	struct markfile_start start;
	const struct config *config;
	const char *dir;
};

/* As the daemon's user, whom files and directory belong to, and who may read where root may not. */
static void run(void *data)
{
	struct job *job = data;
	const struct config *c = job->config;

	if (c->may_change_user)
		fsuser_become(c->uid, c->gid);
	if (job->dir)
		job->start.dirfd = open(job->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job->start.dirfd < 0)
		job->start.facts.error = -errno;
	else
		markfile_start(&job->start);
}

/* Nothing but another one than other volumes have is asked for. */
static void make_id(uint8_t id[static MARKER_ID_BYTES])
{
	uint64_t now_us = clock_mono_us();
	int64_t now_s = clock_utc_s();

	if (getrandom(id, MARKER_ID_BYTES, GRND_NONBLOCK) == MARKER_ID_BYTES)
		return;
	memcpy(id, &now_us, sizeof(now_us));
	memcpy(id + sizeof(now_us), &now_s, sizeof(now_s));
}

static void prepare(const struct boot *b, struct job *job)
{
	const char *image = settings_text(&b->config.settings, SETTING_IMAGE_VERSION);
	struct proof_facts *f = &job->start.facts;

	memset(job, 0, sizeof(*job));
	job->config = &b->config;
	job->start.dirfd = b->state_fd;
	make_id(job->start.id);
	f->verdict = b->volume.verdict;
	f->self.at_s = clock_utc_s();
	if (image)
		str_cut(f->self.image, sizeof(f->self.image), image, strlen(image));
	(void)str_copy(f->ifname, sizeof(f->ifname), b->config.interface);
}

static int run_in_child(const struct boot *b, struct job *job)
{
	int r = child_run(run, job, sizeof(*job),
			  settings_number(&b->config.settings, SETTING_STORAGE_TIMEOUT));

	if (r < 0)
		job->start.facts.error = r;
	return r;
}

static void remember(struct boot *b, const struct markfile_start *start)
{
	struct proof *p = &b->proof;
	const char *recorded = marker_served(&start->facts.marker, b->config.interface);

	proof_judge(p, &start->facts);
	p->marker = start->is_look ? start->facts.marker : start->marker;
	p->is_marked = !start->is_look && start->error == 0;
	if (recorded)
		(void)str_copy(p->recorded, sizeof(p->recorded), recorded);
}

static void say(const struct boot *b, const struct markfile_start *start)
{
	const struct proof *p = &b->proof;
	bool is_alarm = proof_is_alarm(p->kind);

	log_event(is_alarm ? EVENT_PROOF_ALARM : EVENT_PROOF_JUDGED,
		  LOG_FIELDS({ "proof", proof_name(p->kind) },
			     { "volume_id", p->marker.volume[0] ? p->marker.volume : NULL }),
		  "%s", p->note);
	if (start->aside[0])
		log_event(EVENT_MARKER_SET_ASIDE, NULL, "the damaged marker is kept as %.200s/%s",
			  b->config.state_dir, start->aside);
	if (start->error < 0 && start->error != start->facts.error)
		log_event(EVENT_START_UNRECORDED, NULL,
			  "this start is not noted on the volume, so a later one will know less: "
			  "cannot write %.200s/%s: %s",
			  b->config.state_dir, MARKER_FILE, strerror(-start->error));
}

int prove_volume(struct boot *b)
{
	struct job job;
	int r;

	if (b->state_fd < 0)
		return 0;
	prepare(b, &job);
	job.start.is_look = b->config.is_dry;
	job.start.facts.is_look = b->config.is_dry;
	r = run_in_child(b, &job);
	if (r == -EINTR)
		return r;
	remember(b, &job.start);
	if (!b->is_report)
		say(b, &job.start);
	return 0;
}

bool prove_lasts(const struct boot *b)
{
	struct proof p = { .kind = PROOF_NONE };
	struct job job;

	prepare(b, &job);
	job.start.dirfd = -1;
	job.dir = b->config.state_dir;
	job.start.is_look = true;
	if (run_in_child(b, &job) < 0)
		return false;
	proof_judge(&p, &job.start.facts);
	return p.kind == PROOF_PROVEN || p.kind == PROOF_WRONG_VOLUME;
}
