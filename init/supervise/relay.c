/* SPDX-License-Identifier: MIT */
#include "init/supervise/relay.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/state/fsuser.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PUMP_READS  4  /* of a buffer each, so that signals are not starved */
#define DRAIN_READS 64 /* the largest pipe that the kernel gives an unprivileged program */

/* Of no use but to the one relay; its pages are not touched before they are needed. */
static char room[RELAY_ROOM];

/* A pipe belongs to whoever makes it, and opening /dev/stderr asks for its owner. */
static int make_pipe(int fds[2], uid_t uid, gid_t gid)
{
	int r;

	if (uid == (uid_t)-1)
		return pipe2(fds, O_CLOEXEC);
	fsuser_become(uid, gid);
	r = pipe2(fds, O_CLOEXEC);
	fsuser_revert();
	return r;
}

int relay_open(struct relay *r, uid_t uid, gid_t gid)
{
	int fds[2];

	memset(r, 0, sizeof(*r));
	r->read_fd = -1;
	r->write_fd = -1;
	r->buf = room;
	if (make_pipe(fds, uid, gid) < 0)
		return -errno;
	r->read_fd = fds[0];
	r->write_fd = fds[1];
	return 0;
}

void relay_close(struct relay *r)
{
	if (r->read_fd >= 0)
		(void)close(r->read_fd);
	if (r->write_fd >= 0)
		(void)close(r->write_fd);
	r->read_fd = -1;
	r->write_fd = -1;
}

int relay_start(struct relay *r)
{
	memset(&r->last, 0, sizeof(r->last));
	if (r->write_fd >= 0 && r->is_used)
		(void)fcntl(r->write_fd, F_SETFL, 0);
	r->is_used = true;
	return r->write_fd;
}

int relay_sink_fd(void)
{
	return log_sink()->fd;
}

/* The log's, which is opened anew with its first use, so not before the program is started. */
static const struct sink *sink_of(const struct relay *r)
{
	return r->sink ? r->sink : log_sink();
}

/* How much to write at once: whole lines, so that another writer's never come between. */
static size_t portion(const char *buf, size_t len)
{
	const char *end;

	if (len <= SINK_WRITE_MAX)
		return len;
	end = memrchr(buf, '\n', SINK_WRITE_MAX);
	return end ? (size_t)(end + 1 - buf) : SINK_WRITE_MAX;
}

/* Return: true when all that is ready went out */
static bool pass_on(struct relay *r)
{
	while (r->start < r->ready) {
		size_t n = portion(r->buf + r->start, r->ready - r->start);
		ssize_t done =
			r->is_mute ? (ssize_t)n : sink_write(sink_of(r), r->buf + r->start, n);

		if (done == -EAGAIN)
			return false;
		if (done == -EINTR)
			continue;
		/* A broken sink swallows: the program is not to suffer from it. */
		r->start += done < 0 ? n : (size_t)done;
		if (done > 0 && !r->is_mute)
			log_mid_line(r->buf[r->start - 1] != '\n');
	}
	return true;
}

/* Return: true when all that is ready went out, and after it what the log has to say */
static bool flush(struct relay *r)
{
	bool is_done = pass_on(r);

	log_hold(!is_done);
	return is_done && (r->is_mute || log_flush(0));
}

/* Makes room behind what is held back. */
static void move_held(struct relay *r)
{
	memmove(r->buf, r->buf + r->start, r->len - r->start);
	r->len -= r->start;
	r->start = 0;
	r->ready = 0;
}

static bool has_input(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/*
 * Reads once. An unfinished line is held back only while its rest is in the pipe already: a prompt
 * appears at once, and lines stay whole where they can.
 *
 * Return: true when there may be more to read
 */
static bool fill(struct relay *r)
{
	size_t free_len = RELAY_READ - r->len;
	ssize_t n = read(r->read_fd, r->buf + r->len, free_len);
	const char *end;
	bool has_more;

	if (n <= 0) {
		r->ready = r->len;
		return n < 0 && errno == EINTR;
	}
	lastline_feed(&r->last, r->buf + r->len, (size_t)n);
	r->len += (size_t)n;
	has_more = (size_t)n == free_len && has_input(r->read_fd);
	end = has_more ? memrchr(r->buf, '\n', r->len) : NULL;
	r->ready = end ? (size_t)(end + 1 - r->buf) : r->len;
	return has_more;
}

static enum relay_wants pump(struct relay *r, unsigned int reads)
{
	if (r->read_fd < 0)
		return RELAY_WANTS_NOTHING;
	/* Not before the first program is started: until then nobody reads. */
	if (!r->is_listening)
		r->is_listening = fcntl(r->read_fd, F_SETFL, O_NONBLOCK) == 0;
	for (unsigned int i = 0;; i++) {
		if (!flush(r))
			return RELAY_WANTS_OUTPUT;
		if (i == reads)
			return RELAY_WANTS_INPUT;
		move_held(r);
		if (!fill(r))
			reads = i + 1;
	}
}

enum relay_wants relay_pump(struct relay *r)
{
	return pump(r, PUMP_READS);
}

/* Takes what it can out of the pipe, although nothing can be passed on now. */
static void store(struct relay *r)
{
	ssize_t n;

	move_held(r);
	while (r->len < RELAY_ROOM &&
	       (n = read(r->read_fd, r->buf + r->len, RELAY_ROOM - r->len)) > 0) {
		lastline_feed(&r->last, r->buf + r->len, (size_t)n);
		r->len += (size_t)n;
	}
	r->ready = r->len;
}

enum relay_wants relay_drain(struct relay *r)
{
	enum relay_wants wants = pump(r, DRAIN_READS);

	if (wants == RELAY_WANTS_OUTPUT)
		store(r);
	return wants;
}

void relay_finish(struct relay *r, unsigned int patience_ms)
{
	uint64_t end = clock_mono_ms() + patience_ms;
	uint64_t now;

	while (relay_drain(r) == RELAY_WANTS_OUTPUT && (now = clock_mono_ms()) < end) {
		struct pollfd p = { .fd = sink_of(r)->fd, .events = POLLOUT };

		(void)poll(&p, 1, (int)(end - now));
	}
	log_hold(false);
	(void)log_flush(r->read_fd < 0 ? patience_ms : 0);
}

void relay_mute(struct relay *r)
{
	r->is_mute = true;
}

void relay_last_line(const struct relay *r, char out[static LASTLINE_SIZE])
{
	lastline_get(&r->last, out);
}
