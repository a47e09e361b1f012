/* SPDX-License-Identifier: MIT */
/*
 * runtime_storage - the volume while the daemon runs: whether it is still good, and what is noted on it
 *
 * PID 1 itself never touches the volume, which may hang. Looks and notes are the work of children that
 * the spawner starts, one of each kind at a time, and nothing waits for them: neither a restart of the
 * daemon, nor a signal, nor a stop.
 */
#include "common/defs.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/supervise/runtime_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * Whoever asks a spawner that is gone is the first to know. At the start of a daemon that is said with
 * what becomes of it; here, as it would be at the spawner's end.
 */
static pid_t start_job(struct runtime *rt, enum launch_job job, const void *payload, size_t size)
{
	bool had_spawner = rt->spawner.fd >= 0;
	pid_t pid = spawner_start(&rt->spawner, job, payload, size, NULL);

	if (pid == -EPIPE && had_spawner)
		runtime_say_spawner_lost(rt);
	return pid > 0 ? pid : 0;
}

/* --- looking at it --------------------------------------------------------------------------- */

static void arm(struct runtime_storage *s)
{
	uint64_t at_ms = s->watch.due_ms;
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at_ms / 1000),
						 .tv_nsec = (long)(at_ms % 1000) * 1000000 } };

	if (s->timer_fd >= 0 && at_ms != s->armed_ms)
		(void)timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	s->armed_ms = at_ms;
}

static void log_change(const struct runtime *rt)
{
	const struct volwatch *w = &rt->storage.watch;
	char text[VOLWATCH_TEXT_SIZE];

	volwatch_describe(w, rt->boot->config.state_dir, text);
	if (w->state == VOLWATCH_OK)
		log_event(EVENT_STORAGE_RECOVERED, NULL, "the storage at %.200s is good again",
			  rt->boot->config.state_dir);
	else
		log_event(EVENT_STORAGE_DEGRADED,
			  LOG_FIELDS({ "storage", volwatch_state_name(w->state) }), "%s", text);
}

static void start_look(struct runtime *rt)
{
	struct runtime_storage *s = &rt->storage;
	struct volwatch_event failed = { .type = VOLWATCH_START_FAILED, .now_ms = clock_mono_ms() };

	s->looker = start_job(rt, LAUNCH_CHECK, NULL, 0);
	if (s->looker == 0)
		(void)volwatch_step(&s->watch, &failed);
}

static void feed(struct runtime *rt, struct volwatch_event ev)
{
	struct runtime_storage *s = &rt->storage;
	struct volwatch_step step;

	ev.now_ms = clock_mono_ms();
	step = volwatch_step(&s->watch, &ev);
	if (step.is_changed)
		log_change(rt);
	if (step.kill && s->looker > 0)
		(void)kill(s->looker, SIGKILL);
	if (step.start)
		start_look(rt);
	arm(s);
}

void runtime_storage_open(struct runtime *rt)
{
	const struct settings *set = &rt->boot->config.settings;
	struct runtime_storage *s = &rt->storage;

	if (rt->launch.state_fd < 0)
		return;
	s->is_watched = true;
	volwatch_init(&s->watch, settings_number(set, SETTING_STORAGE_CHECK),
		      settings_number(set, SETTING_STORAGE_TIMEOUT), clock_mono_ms());
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->timer_fd < 0 || runtime_watch(rt, s->timer_fd, EPOLLIN) < 0)
		log_event(EVENT_STORAGE_TIMER_MISSING, NULL,
			  "no timer: the storage is only looked at when mounts change");
	s->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	/* It is always readable; a change is an error condition, proc_pid_mounts(5). */
	if (s->mounts_fd < 0 || runtime_watch(rt, s->mounts_fd, EPOLLPRI | EPOLLERR | EPOLLET) < 0)
		log_event(EVENT_STORAGE_UNWATCHED, NULL,
			  "changes of the mount table cannot be watched for");
	arm(s);
}

static bool is_leaving(const struct runtime *rt)
{
	return rt->machine.state >= SUPERVISE_STOPPING;
}

bool runtime_storage_event(struct runtime *rt, int fd)
{
	struct runtime_storage *s = &rt->storage;
	uint64_t count;

	if (!s->is_watched || (fd != s->timer_fd && fd != s->mounts_fd))
		return false;
	if (fd == s->timer_fd)
		(void)!read(fd, &count, sizeof(count));
	if (!is_leaving(rt))
		feed(rt, (struct volwatch_event) { .type = fd == s->timer_fd ? VOLWATCH_TIMER
									     : VOLWATCH_MOUNTS });
	return true;
}

/* Whoever waits for storage that hangs is not waited for. */
void runtime_storage_leave(struct runtime *rt)
{
	struct runtime_storage *s = &rt->storage;

	if (!s->is_watched || !is_leaving(rt))
		return;
	if (s->looker > 0)
		(void)kill(s->looker, SIGKILL);
	if (rt->recorder > 0 && s->watch.state == VOLWATCH_HUNG)
		(void)kill(rt->recorder, SIGKILL);
	s->watch.due_ms = 0;
	arm(s);
}

/* --- noting things on it --------------------------------------------------------------------- */

/* One note at a time: where storage hangs, its victims are not to pile up. */
static void write_next(struct runtime *rt)
{
	struct runtime_storage *s = &rt->storage;

	if (rt->recorder > 0 || (!s->has_end && !s->has_key))
		return;
	s->is_writing_end = s->has_end;
	if (s->has_end) {
		rt->recorder = start_job(rt, LAUNCH_RECORD, &s->end, sizeof(s->end));
		s->has_end = false;
	} else {
		rt->recorder = start_job(rt, LAUNCH_SERVED, &s->serves, sizeof(s->serves));
		s->has_key = false;
	}
}

void runtime_storage_note_end(struct runtime *rt, const struct history_entry *entry)
{
	struct runtime_storage *s = &rt->storage;

	if (rt->launch.state_fd < 0)
		return;
	if (s->has_end || s->watch.state == VOLWATCH_HUNG) {
		log_event(EVENT_END_UNRECORDED, NULL,
			  "this end is not written down: the volume does not answer");
		return;
	}
	s->end = *entry;
	s->has_end = true;
	write_next(rt);
}

void runtime_storage_serves(struct runtime *rt, const struct marker_key *key)
{
	struct runtime_storage *s = &rt->storage;
	const struct config *c = &rt->boot->config;
	struct proof *p = &rt->boot->proof;
	bool is_news = strcmp(s->serves.public_key, key->public_key) != 0;
	bool is_noted = p->is_marked && strcmp(p->recorded, key->public_key) == 0;

	if (rt->launch.state_fd < 0 || strcmp(key->ifname, c->interface) != 0 || !is_news)
		return;
	s->serves = *key;
	if (!proof_take_served(p, key, c->new_identity))
		log_event(EVENT_PROOF_ALARM, LOG_FIELDS({ "proof", proof_name(p->kind) }), "%s",
			  p->note);
	s->has_key = !is_noted && p->marker.volume[0] != '\0';
	write_next(rt);
}

static void recorder_ended(struct runtime *rt, const struct reaped *end)
{
	const struct runtime_storage *s = &rt->storage;

	rt->recorder = 0;
	if (end->code != 0 && s->is_writing_end)
		log_event(EVENT_END_UNRECORDED, NULL,
			  "the last end was not written down, so a restart loop may go unnoticed: "
			  "the volume cannot be written to (code %d)",
			  end->code);
	else if (end->code != 0)
		log_event(EVENT_KEY_UNRECORDED, NULL,
			  "the key that is served was not noted on the volume, so its loss may go "
			  "unnoticed: the volume cannot be written to (code %d)",
			  end->code);
	if (!is_leaving(rt) || s->has_end)
		write_next(rt);
}

/* --- both ------------------------------------------------------------------------------------ */

bool runtime_storage_ended(struct runtime *rt, const struct reaped *end)
{
	struct runtime_storage *s = &rt->storage;

	if (end->pid == rt->recorder) {
		recorder_ended(rt, end);
		return true;
	}
	if (end->pid != s->looker)
		return false;
	s->looker = 0;
	if (!is_leaving(rt))
		feed(rt, (struct volwatch_event) { .type = VOLWATCH_ENDED,
						   .code = end->code,
						   .signal = end->signal });
	return true;
}
