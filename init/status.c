/* SPDX-License-Identifier: MIT */
#include "init/status.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BACKLOG	 16
#define ANSWER_S 1

/* A value never contains a line break, or it would forge the next line. */
static const char *one_line(char *value)
{
	for (char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	return value;
}

__attribute__((format(printf, 3, 4))) static void put(struct str_out *t, enum status_key key,
						      const char *fmt, ...)
{
	char value[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	str_add(t, "%s=%s\n", statusline_key(key), one_line(value));
}

static void put_phases(struct str_out *t, const struct boot *b)
{
	for (size_t i = 0; i < PHASE_COUNT; i++) {
		const struct phase *p = &b->phases[i];
		char note[sizeof(p->note)];

		(void)str_copy(note, sizeof(note), p->note);
		str_add(t, "phase.%s=%s %llu.%03u %s\n", phase_name((enum phase_id)i),
			outcome_name(p->outcome), (unsigned long long)(p->duration_us / 1000),
			(unsigned int)(p->duration_us % 1000), one_line(note));
	}
}

static bool is_healthy(const struct status_view *v)
{
	return supervise_is_healthy(v->machine) && !v->is_cloned &&
	       (!v->storage || v->storage->state == VOLWATCH_OK);
}

/* What keeps others away: where locks may be local, the lease is what counts. */
static const char *lock_word(const struct boot *b)
{
	if (b->keeper.is_held)
		return "lease";
	return b->lock_fd >= 0 ? "held" : "none";
}

static void put_volume(struct str_out *t, const struct status_view *v)
{
	const struct boot *b = v->boot;
	const struct proof *p = &b->proof;
	const char *policy = settings_text(&b->config.settings, SETTING_PERSISTENCE);

	put(t, STATUS_STATE_DIR, "%s", b->config.state_dir);
	put(t, STATUS_INTERFACE, "%s", b->config.interface);
	put(t, STATUS_VERDICT, "%s", verdict_name(b->volume.verdict));
	put(t, STATUS_VOLUME, "%s", b->volume.what);
	put(t, STATUS_PERSISTENCE, "%s", policy ? policy : "");
	put(t, STATUS_LOCK, "%s", lock_word(b));
	put(t, STATUS_VOLUME_ID, "%s", p->marker.volume);
	put(t, STATUS_BOOTS, "%llu", (unsigned long long)p->marker.boots);
	put(t, STATUS_PROOF, "%s", proof_name(p->kind));
	put(t, STATUS_PROOF_NOTE, "%s", p->note);
	if (v->serves && v->serves->ifname[0])
		put(t, STATUS_SERVES, "%s %s", v->serves->ifname, v->serves->public_key);
	put(t, STATUS_CLONED, "%s", v->is_cloned ? "true" : "false");
}

static void put_storage(struct str_out *t, const struct status_view *v)
{
	char note[VOLWATCH_TEXT_SIZE];

	if (!v->storage)
		return;
	volwatch_describe(v->storage, v->boot->config.state_dir, note);
	put(t, STATUS_STORAGE, "%s", volwatch_state_name(v->storage->state));
	put(t, STATUS_STORAGE_NOTE, "%s", note);
}

size_t status_format(const struct status_view *v, char out[static STATUS_SIZE])
{
	struct str_out t = { .out = out, .size = STATUS_SIZE };
	const struct supervise *m = v->machine;
	const struct boot *b = v->boot;

	out[0] = '\0';
	put(&t, STATUS_HEALTHY, "%s", is_healthy(v) ? "true" : "false");
	put(&t, STATUS_STATE, "%s", supervise_state_name(m->state));
	put(&t, STATUS_VERSION, "%s", WGMESH_VERSION);
	put(&t, STATUS_UPTIME_S, "%llu",
	    (unsigned long long)((v->now_us - b->started_us) / 1000000));
	put(&t, STATUS_DAEMON_PID, "%d", v->daemon);
	put(&t, STATUS_READY, "%s", m->is_ready ? "true" : "false");
	put(&t, STATUS_RELOADING, "%s", m->is_reloading ? "true" : "false");
	put(&t, STATUS_DAEMON_STATUS, "%s", v->says);
	put(&t, STATUS_RESTARTS, "%u", m->restarts);
	put(&t, STATUS_FAILURES, "%u", m->failures);
	if (m->last_code >= 0) {
		put(&t, STATUS_LAST_EXIT, "%d", m->last_code);
		put(&t, STATUS_LAST_RUN_S, "%llu", (unsigned long long)(m->last_run_ms / 1000));
		put(&t, STATUS_CAUSE, "%s", v->cause);
	}
	if (!b->config.is_plain) {
		put_volume(&t, v);
		put_storage(&t, v);
	}
	put_phases(&t, b);
	return t.len;
}

static int bind_name(int fd, pid_t pid)
{
	struct sockaddr_un sa;
	socklen_t len = 0;
	int r = statusline_address(&sa, &len, pid);

	if (r < 0)
		return r;
	return bind(fd, (const struct sockaddr *)&sa, len) < 0 ? -errno : 0;
}

int status_listen(void)
{
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = bind_name(fd, 0);
	if (r == -EADDRINUSE)
		r = bind_name(fd, getpid());
	if (r < 0)
		return r;
	return listen(fd, BACKLOG) < 0 ? -errno : steal_fd(&fd);
}

static int read_answer(int fd, char out[static STATUS_SIZE])
{
	size_t used = 0;

	while (used < STATUS_SIZE - 1) {
		ssize_t n = read(fd, out + used, STATUS_SIZE - 1 - used);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	out[used] = '\0';
	return used == 0 ? -ENODATA : 0;
}

int status_fetch(char out[static STATUS_SIZE], struct err *e)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	struct sockaddr_un sa;
	socklen_t len = 0;
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = statusline_address(&sa, &len, 0);

	if (fd < 0 || r < 0)
		return err_set(e, fd < 0 ? -errno : r, "open a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&sa, len) < 0)
		return err_set(
			e, -errno,
			"no wgmesh-init supervises anything here: it is still starting, or it "
			"runs in another container");
	if (!statusline_is_ours(fd))
		return err_set(e, -EPERM, "the status socket belongs to another container");
	r = read_answer(fd, out);
	return r < 0 ? err_set(e, r, "wgmesh-init does not answer") : 0;
}
