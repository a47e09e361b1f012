/* SPDX-License-Identifier: MIT */
#include "init/supervise/runtime.h"
#include "common/defs.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/process/signame.h"
#include "init/status.h"
#include "init/supervise/forward.h"
#include "init/supervise/notify_outer.h"
#include "init/supervise/runtime_impl.h"
#include "init/supervise/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * DOC: Theory of operation
 *
 * Everything that happens arrives at one epoll descriptor, one event at a time, and becomes an
 * event of the pure state machine (supervise.h), whose actions runtime_act.c carries out. Without
 * events nothing runs: there is no timer but the one the machine armed.
 *
 * Before the first start, runtime_prepare() makes what the daemon is given. What only later events
 * need is made after it, off its path, by runtime_settle(): the event loop itself, the status socket,
 * the spawner, and the end of PID 1's own rights. Signals are blocked, so none is lost meanwhile.
 */

#define NOTICES_MAX 64 /* read at once, lest a flood keep the dead waiting */
#define CLIENTS_MAX 64 /* more than can wait, see status_listen() */

/* --- what happened ------------------------------------------------------------------------- */

static void handle_stop(struct runtime *rt, const struct signalfd_siginfo *ssi)
{
	uint8_t to = rt->boot->config.signals.to[ssi->ssi_signo];

	runtime_note_stop(rt, ssi);
	runtime_feed(rt, (struct supervise_event) { .type = SUPERVISE_STOP, .signal = to });
}

static void handle_signal(struct runtime *rt, const struct signalfd_siginfo *ssi)
{
	const struct config *c = &rt->boot->config;
	int sig = (int)ssi->ssi_signo;
	char name[SIGNAME_SIZE];

	switch (signals_plan_classify(&c->signals, sig)) {
	case SIGNAL_STOP:
		handle_stop(rt, ssi);
		break;
	case SIGNAL_RELOAD:
		if (rt->daemon > 0)
			log_event(EVENT_RELOAD_FORWARDED, NULL, "%s passed on: reload",
				  signame_of(sig, name));
		__attribute__((fallthrough));
	case SIGNAL_FORWARD:
		forward_as_sent(rt->daemon, settings_flag(&c->settings, SETTING_SIGNAL_GROUP),
				c->signals.to[sig], ssi);
		break;
	case SIGNAL_IGNORE:
	case SIGNAL_CHILD:
		break;
	}
}

/* One send that never waits; @to is NULL for a connected socket. */
static void tell_status(const struct runtime *rt, int fd, const struct sockaddr_un *to,
			socklen_t len)
{
	char text[STATUS_SIZE];
	struct status_view view = { .boot = rt->boot,
				    .machine = &rt->machine,
				    .daemon = rt->daemon,
				    .says = rt->says,
				    .cause = rt->cause,
				    .storage = rt->storage.is_watched ? &rt->storage.watch : NULL,
				    .serves = &rt->storage.serves,
				    .is_cloned = rt->is_cloned,
				    .now_us = clock_mono_us() };

	(void)sendto(fd, text, status_format(&view, text), MSG_DONTWAIT | MSG_NOSIGNAL,
		     (const struct sockaddr *)to, len);
}

static unsigned int notice_of(const struct notify_message *msg)
{
	return (msg->is_ready ? SUPERVISE_SAYS_READY : 0U) |
	       (msg->is_reloading ? SUPERVISE_SAYS_RELOADING : 0U) |
	       (msg->is_stopping ? SUPERVISE_SAYS_STOPPING : 0U) |
	       (msg->is_beat ? SUPERVISE_SAYS_BEAT : 0U) |
	       (msg->is_trigger ? SUPERVISE_SAYS_TRIGGER : 0U) |
	       (msg->has_watchdog ? SUPERVISE_SAYS_WATCHDOG : 0U) |
	       (msg->has_extend ? SUPERVISE_SAYS_EXTEND : 0U);
}

static void take_notice(struct runtime *rt, struct notify_message *msg)
{
	if (msg->has_serves)
		runtime_storage_serves(rt, &msg->serves);
	if (msg->has_clone)
		rt->is_cloned = msg->is_cloned;
	if (msg->has_status)
		(void)memcpy(rt->says, msg->status, sizeof(rt->says));
	if (msg->is_asking && msg->from_len > offsetof(struct sockaddr_un, sun_path))
		tell_status(rt, rt->notify_fd, &msg->from, msg->from_len);
	if (msg->is_ready && !rt->machine.is_ready)
		log_event(EVENT_DAEMON_READY, NULL, "%s is ready",
			  config_program_name(&rt->boot->config));
	runtime_feed(rt, (struct supervise_event) { .type = SUPERVISE_NOTIFIED,
						    .notice = notice_of(msg),
						    .watchdog_ms = msg->watchdog_ms,
						    .extend_ms = msg->extend_ms });
	msg->is_stopping = msg->is_stopping && rt->machine.stop_signal != 0;
	notify_outer_send(rt->outer_fd, msg);
}

/* Whoever may send may send often; the log has a limit for that. */
static void warn_of_foreigner(const struct notify_message *msg)
{
	log_event(EVENT_NOTIFICATION_IGNORED, NULL,
		  "a notification of process %d (user %u) was ignored: it is not the daemon's",
		  msg->sender_pid, msg->sender_uid);
}

/* Return: false when there is nothing more to read */
static bool handle_notice(struct runtime *rt)
{
	const struct notify_access who = { .daemon = rt->daemon, .uid = rt->daemon_uid };
	struct notify_message msg;
	int r = notify_receive(rt->notify_fd, &who, &msg);

	if (r == 1)
		take_notice(rt, &msg);
	else if (r == -EPERM)
		warn_of_foreigner(&msg);
	return r == 1 || r == -EPERM || r == -EMSGSIZE || r == -EBADMSG;
}

/* What has been said already, before a death or a deadline is dealt with; not for ever. */
static void hear_out(struct runtime *rt)
{
	for (int i = 0; i < NOTICES_MAX && rt->notify_fd >= 0 && handle_notice(rt); i++)
		;
}

/* A child that is not the daemon; whatever else is reaped is an orphan. */
static void helper_ended(struct runtime *rt, const struct reaped *end)
{
	if (end->pid == rt->hook)
		runtime_hook_ended(rt, end);
	else if (end->pid == rt->boot->keeper.pid)
		runtime_keeper_ended(rt, end);
	else if (end->pid == rt->spawner.pid)
		runtime_spawner_ended(rt);
	else
		(void)runtime_storage_ended(rt, end);
}

/*
 * Decides by process number, never by signal: one SIGCHLD may stand for many deaths. The daemon's is
 * the last to be dealt with, so that what follows finds nobody who is dead already.
 */
static void reap(struct runtime *rt)
{
	struct reaped end;
	struct reaped last = { 0 };
	int r;

	/* What a process said before it died is taken while the kernel still knows who it was. */
	hear_out(rt);
	while ((r = reap_any(&end)) == 1) {
		if (end.pid == rt->daemon)
			last = end;
		else
			helper_ended(rt, &end);
	}
	if (last.pid > 0)
		runtime_daemon_ended(rt, &last);
	else if (r == -ECHILD)
		runtime_feed(rt, (struct supervise_event) { .type = SUPERVISE_CHILDLESS });
}

/* --- the event loop ------------------------------------------------------------------------ */

static void on_signal(struct runtime *rt)
{
	struct signalfd_siginfo ssi;

	if (read(rt->signal_fd, &ssi, sizeof(ssi)) != (ssize_t)sizeof(ssi))
		return;
	if (ssi.ssi_signo == SIGCHLD)
		reap(rt);
	else
		handle_signal(rt, &ssi);
}

static void on_timer(struct runtime *rt)
{
	uint64_t count;

	/* A beat that came in time arms the timer anew, and then there is nothing to read. */
	hear_out(rt);
	if (read(rt->timer_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		runtime_feed(rt, (struct supervise_event) { .type = SUPERVISE_TIMER });
	/* The machine may have had no process to spare for it before. */
	if (rt->daemon > 0)
		runtime_give_up_rights(rt);
}

/*
 * Accept, one send that never waits, close: nobody can keep PID 1 busy with one connection.
 *
 * Return: false when nobody waits, or nobody can be let in
 */
static bool serve_client(const struct runtime *rt)
{
	auto_close int fd = accept4(rt->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		tell_status(rt, fd, NULL, 0);
	return fd >= 0;
}

static void on_client(const struct runtime *rt)
{
	for (int i = 0; i < CLIENTS_MAX && serve_client(rt); i++)
		;
}

static void dispatch(struct runtime *rt, int fd)
{
	if (fd == rt->signal_fd)
		on_signal(rt);
	else if (fd == rt->timer_fd)
		on_timer(rt);
	else if (fd == rt->listen_fd)
		on_client(rt);
	else if (fd == rt->notify_fd)
		(void)handle_notice(rt);
	else if (fd == rt->boot->keeper.fd)
		runtime_lease_hear(rt);
	else if (!runtime_storage_event(rt, fd))
		runtime_watch_relay(rt, relay_pump(&rt->relay));
	runtime_storage_leave(rt);
	/* A sweep may have met no child at all, and then no SIGCHLD tells that nobody is left. */
	if (rt->machine.state >= SUPERVISE_HOOK)
		reap(rt);
}

static void run(struct runtime *rt)
{
	struct epoll_event ev;

	while (!rt->is_done)
		if (epoll_wait(rt->epoll_fd, &ev, 1, -1) == 1)
			dispatch(rt, ev.data.fd);
}

int runtime_supervise(struct boot *b, struct err *e)
{
	struct runtime rt = { .boot = b,
			      .boot_s = clock_utc_s(),
			      .epoll_fd = -1,
			      .timer_fd = -1,
			      .signal_fd = -1,
			      .listen_fd = -1,
			      .notify_fd = -1,
			      .outer_fd = -1,
			      .relay = { .read_fd = -1, .write_fd = -1 },
			      .oom = { .fd = -1, .limit_fd = -1 },
			      .launch = { .config = &b->config,
					  .state_fd = b->config.is_plain ? -1 : b->state_fd,
					  .proof = &b->proof,
					  .stderr_fd = -1 },
			      .storage = { .timer_fd = -1, .mounts_fd = -1 } };
	int r;

	spawner_init(&rt.spawner, launch_start, &rt.launch);
	r = runtime_prepare(&rt, e);
	if (r < 0)
		return r;
	/* What is asked for while it lasts; the end has its own words. */
	b->phases[PHASE_SUPERVISE].outcome = OUTCOME_OK;
	boot_note(b, "%s is looked after", config_program_name(&b->config));
	runtime_feed(&rt, (struct supervise_event) { .type = SUPERVISE_START });
	r = runtime_settle(&rt, e);
	if (r < 0)
		return r;
	run(&rt);
	runtime_say_end(&rt);
	return b->exit_code == 0 || rt.machine.stop_signal || runtime_is_wrapper(&rt)
		       ? OUTCOME_OK
		       : OUTCOME_WARNED;
}
