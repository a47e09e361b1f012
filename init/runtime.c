/* SPDX-License-Identifier: MIT */
#include "init/runtime.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/mask.h"
#include "init/privileges.h"
#include "init/reap.h"
#include "init/signals.h"
#include "init/spawn.h"
#include "init/spawner.h"
#include "init/status.h"
#include "init/supervise.h"
#include "init/sweep.h"
#include "init/termlog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * DOC: Theory of operation
 *
 * Everything that happens arrives at one epoll descriptor, one event at a time, and becomes an
 * event of the pure state machine (supervise.h), whose actions are carried out here. Without events
 * nothing runs: there is no timer but the one the machine armed.
 */

#define COMPONENT "supervise"

static const cap_value_t daemon_caps[] = { CAP_NET_ADMIN };

struct runtime {
	struct boot *boot;
	struct supervise machine;
	struct spawner spawner;
	struct spawn_errors errors;
	pid_t daemon;
	pid_t hook;
	int epoll_fd;
	int signal_fd;
	int timer_fd;
	int listen_fd;
	bool is_done;
};

static uint32_t random_number(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		n = (uint32_t)clock_mono_us();
	return n;
}

static void arm_timer(const struct runtime *rt, uint64_t at_ms)
{
	/* Zero would disarm; one millisecond in the past fires at once. */
	uint64_t ms = at_ms > 0 ? at_ms : 1;
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(ms / 1000),
						 .tv_nsec = (long)(ms % 1000) * 1000000 } };

	(void)timerfd_settime(rt->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void disarm_timer(const struct runtime *rt)
{
	const struct itimerspec never = { 0 };

	(void)timerfd_settime(rt->timer_fd, 0, &never, NULL);
}

static void confine(const struct config *c, struct spawn_program *p)
{
	p->confine = c->confine;
	p->uid = c->uid;
	p->gid = c->gid;
	p->keep = daemon_caps;
	p->n_keep = ARRAY_LEN(daemon_caps);
}

/* A program that is run once, for its output: its start and end are no news. */
static bool is_wrapper(const struct runtime *rt)
{
	return rt->boot->config.is_plain && rt->machine.policy.restart == RESTART_NEVER;
}

enum job { JOB_DAEMON, JOB_HOOK };

static pid_t spawn_daemon(const struct runtime *rt)
{
	const struct config *c = &rt->boot->config;
	struct spawn_program p = { .argv = c->program,
				   .envp = c->child_env,
				   .hand_over = c->secret_fd,
				   .stderr_fd = -1,
				   .error_fd = rt->errors.write_fd,
				   .foreground = is_wrapper(rt) };

	confine(c, &p);
	return spawn_program(&p);
}

static pid_t spawn_hook(const struct runtime *rt)
{
	const struct config *c = &rt->boot->config;
	char interface[32];
	char down[] = "down";
	char *argv[] = { NULL, down, interface, NULL };
	struct spawn_program p = {
		.argv = argv, .envp = c->child_env, .stderr_fd = -1, .error_fd = rt->errors.write_fd
	};

	memcpy(&argv[0], &c->wgmesh, sizeof(c->wgmesh));
	(void)snprintf(interface, sizeof(interface), "--interface=%s", c->interface);
	confine(c, &p);
	return spawn_program(&p);
}

static pid_t start_job(void *arg, unsigned int job, const void *payload)
{
	const struct runtime *rt = arg;

	(void)payload;
	return job == JOB_DAEMON ? spawn_daemon(rt) : spawn_hook(rt);
}

/* Return: what became of it, to feed; SUPERVISE_START for a daemon that runs */
static struct supervise_event start_daemon(struct runtime *rt)
{
	const struct config *c = &rt->boot->config;
	struct err e = { 0 };
	char text[12];
	pid_t pid = spawner_start(&rt->spawner, JOB_DAEMON, NULL, 0, &e);

	if (pid == -EPIPE) {
		log_error(COMPONENT, "cannot start %s again: %s", config_program_name(c), e.msg);
		return (struct supervise_event) { .type = SUPERVISE_EXITED,
						  .code = rt->machine.last_code,
						  .is_final = true };
	}
	if (pid < 0) {
		log_error(COMPONENT, "cannot %s: %s; trying again", e.msg, strerror(-pid));
		return (struct supervise_event) { .type = SUPERVISE_SPAWN_FAILED };
	}
	rt->daemon = pid;
	(void)snprintf(text, sizeof(text), "%d", pid);
	log_event(is_wrapper(rt) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, COMPONENT,
		  LOG_FIELDS({ "pid", text }), "%s started", config_program_name(c));
	return (struct supervise_event) { .type = SUPERVISE_START };
}

static bool start_hook(struct runtime *rt)
{
	struct err e = { 0 };
	pid_t pid = spawner_start(&rt->spawner, JOB_HOOK, NULL, 0, &e);

	if (pid < 0) {
		log_warn(COMPONENT, "the network is not taken down: cannot %s", e.msg);
		return false;
	}
	rt->hook = pid;
	log_debug(COMPONENT, "taking %s down", rt->boot->config.interface);
	return true;
}

static void kill_hook(struct runtime *rt)
{
	if (rt->hook <= 0)
		return;
	log_warn(COMPONENT, "taking the network down took too long, killing it");
	(void)kill(rt->hook, SIGKILL);
}

static void forward(const struct runtime *rt, int sig)
{
	if (rt->daemon > 0)
		(void)kill(rt->daemon, sig);
}

/* A signal with a value, from sigqueue(3), is passed on with the value. */
static void forward_as_sent(const struct runtime *rt, const struct signalfd_siginfo *ssi)
{
	siginfo_t si = { 0 };

	if (rt->daemon <= 0)
		return;
	if (ssi->ssi_code != SI_QUEUE) {
		forward(rt, (int)ssi->ssi_signo);
		return;
	}
	si.si_signo = (int)ssi->ssi_signo;
	si.si_code = SI_QUEUE;
	si.si_pid = getpid();
	si.si_uid = getuid();
	memcpy(&si.si_value, &ssi->ssi_ptr, sizeof(si.si_value));
	if (syscall(SYS_rt_sigqueueinfo, rt->daemon, si.si_signo, &si) < 0)
		forward(rt, si.si_signo);
}

static void term_all(struct runtime *rt)
{
	/* Nothing is started any more. */
	spawner_close(&rt->spawner);
	sweep_signal(SIGTERM, 0);
	/* A stopped process would not see it. */
	sweep_signal(SIGCONT, 0);
}

/* The spawner is spared where the network is still to be taken down. */
static void kill_all(struct runtime *rt)
{
	bool is_last = rt->machine.state != SUPERVISE_KILLING || !rt->machine.policy.has_hook;

	if (is_last)
		spawner_close(&rt->spawner);
	sweep_signal(SIGKILL, is_last ? 0 : rt->spawner.pid);
}

/* What the step means to somebody who reads the log. */
static void log_step(const struct runtime *rt, const struct supervise_event *ev,
		     const struct supervise_step *step, bool was_forced)
{
	const struct supervise *m = &rt->machine;

	if (m->state == SUPERVISE_BACKOFF && (step->actions & SUPERVISE_DO_ARM))
		log_warn(COMPONENT, "next start in %llu.%03u s (failure %u of %d)",
			 (unsigned long long)(m->delay_ms / 1000),
			 (unsigned int)(m->delay_ms % 1000), m->failures, SUPERVISE_LOOP_FAILURES);
	if (m->state == SUPERVISE_HOLDING)
		log_error(COMPONENT,
			  "giving up after %u failures (last code %d); holding the "
			  "container for inspection until a stop signal",
			  m->failures, m->exit_code);
	if (step->actions & SUPERVISE_DO_FORWARD)
		log_info(COMPONENT, "signal %d (%s): stopping, for at most %llu s", ev->signal,
			 strsignal(ev->signal),
			 (unsigned long long)(m->policy.stop_timeout_ms / 1000));
	if ((step->actions & SUPERVISE_DO_KILL_ALL) && !was_forced)
		log_warn(COMPONENT, "killing what still runs");
}

/* Return: true when a failure is the next event, in @next */
static bool act(struct runtime *rt, const struct supervise_step *step, struct supervise_event *next)
{
	if (step->actions & SUPERVISE_DO_FORWARD)
		forward(rt, step->signal);
	if (step->actions & SUPERVISE_DO_KILL_HOOK)
		kill_hook(rt);
	if (step->actions & SUPERVISE_DO_TERM_ALL)
		term_all(rt);
	if (step->actions & SUPERVISE_DO_KILL_ALL)
		kill_all(rt);
	if (step->actions & SUPERVISE_DO_ARM)
		arm_timer(rt, step->timer_ms);
	if (step->actions & SUPERVISE_DO_DISARM)
		disarm_timer(rt);
	if (step->actions & SUPERVISE_DO_EXIT)
		rt->is_done = true;
	if (step->actions & SUPERVISE_DO_SPAWN) {
		*next = start_daemon(rt);
		return next->type != SUPERVISE_START;
	}
	if ((step->actions & SUPERVISE_DO_HOOK) && !start_hook(rt)) {
		*next = (struct supervise_event) { .type = SUPERVISE_HOOK_DONE };
		return true;
	}
	return false;
}

static void feed(struct runtime *rt, struct supervise_event ev)
{
	struct supervise_step step;
	bool was_forced;

	do {
		was_forced = rt->machine.is_forced;
		ev.now_ms = clock_mono_ms();
		ev.random = random_number();
		step = supervise_step(&rt->machine, &ev);
		log_step(rt, &ev, &step, was_forced);
	} while (act(rt, &step, &ev));
}

static void log_end(const struct runtime *rt, const struct reaped *end, const struct err *why)
{
	const struct config *c = &rt->boot->config;
	bool was_asked = rt->machine.stop_signal != 0 || end->code == 0;
	enum log_level level = was_asked ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;
	char code[12];

	if (is_wrapper(rt))
		level = LOG_LEVEL_DEBUG;
	(void)snprintf(code, sizeof(code), "%d", end->code);
	if (why->code < 0)
		log_event(LOG_LEVEL_ERROR, COMPONENT, LOG_FIELDS({ "exit_code", code }),
			  "cannot %s: %s", why->msg, strerror(-why->code));
	else if (end->signal)
		log_event(level, COMPONENT, LOG_FIELDS({ "exit_code", code }),
			  "%s was ended by signal %d (%s)", config_program_name(c), end->signal,
			  strsignal(end->signal));
	else
		log_event(level, COMPONENT, LOG_FIELDS({ "exit_code", code }),
			  "%s ended with code %d", config_program_name(c), end->code);
}

static bool is_exec_error(const struct err *why)
{
	return why->code < 0 &&
	       (why->exit_code == EXITS_NOT_FOUND || why->exit_code == EXITS_NOT_EXECUTABLE);
}

static void daemon_ended(struct runtime *rt, const struct reaped *end)
{
	struct err why = { 0 };

	(void)spawn_errors_take(&rt->errors, end->pid, &why);
	rt->daemon = 0;
	log_end(rt, end, &why);
	feed(rt, (struct supervise_event) { .type = SUPERVISE_EXITED,
					    .code = end->code,
					    .signal = end->signal,
					    .is_final = is_exec_error(&why) });
}

static void hook_ended(struct runtime *rt, const struct reaped *end)
{
	struct err why = { 0 };

	(void)spawn_errors_take(&rt->errors, end->pid, &why);
	rt->hook = 0;
	if (why.code < 0)
		log_warn(COMPONENT, "the network is not taken down: cannot %s", why.msg);
	else if (end->code != 0)
		log_warn(COMPONENT, "taking the network down ended with code %d", end->code);
	feed(rt, (struct supervise_event) { .type = SUPERVISE_HOOK_DONE });
}

static void spawner_ended(struct runtime *rt, const struct reaped *end)
{
	bool was_asked = rt->spawner.fd < 0;

	rt->spawner.pid = 0;
	spawner_close(&rt->spawner);
	if (!was_asked)
		log_error(
			COMPONENT,
			"the process that starts programs for wgmesh-init was ended (code %d): %s "
			"goes on, but cannot be started again",
			end->code, config_program_name(&rt->boot->config));
}

/* Decides by process number, never by signal: one SIGCHLD may stand for many deaths. */
static void reap(struct runtime *rt)
{
	struct reaped end;
	int r;

	while ((r = reap_any(&end)) == 1) {
		if (end.pid == rt->daemon)
			daemon_ended(rt, &end);
		else if (end.pid == rt->hook)
			hook_ended(rt, &end);
		else if (end.pid == rt->spawner.pid)
			spawner_ended(rt, &end);
	}
	if (r == -ECHILD)
		feed(rt, (struct supervise_event) { .type = SUPERVISE_CHILDLESS });
}

static void handle_signal(struct runtime *rt)
{
	struct signalfd_siginfo ssi;

	if (read(rt->signal_fd, &ssi, sizeof(ssi)) != (ssize_t)sizeof(ssi))
		return;
	switch (signals_classify((int)ssi.ssi_signo)) {
	case SIGNAL_STOP:
		feed(rt, (struct supervise_event) { .type = SUPERVISE_STOP,
						    .signal = (int)ssi.ssi_signo });
		break;
	case SIGNAL_RELOAD:
		log_info(COMPONENT, "signal %u passed on: reload", ssi.ssi_signo);
		forward_as_sent(rt, &ssi);
		break;
	case SIGNAL_FORWARD:
		forward_as_sent(rt, &ssi);
		break;
	case SIGNAL_IGNORE:
	case SIGNAL_CHILD:
		break;
	}
}

static void handle_timer(struct runtime *rt)
{
	uint64_t count;

	if (read(rt->timer_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		feed(rt, (struct supervise_event) { .type = SUPERVISE_TIMER });
}

/* Accept, one send that never waits, close: nobody can keep PID 1 busy with one connection. */
static void handle_client(const struct runtime *rt)
{
	auto_close int fd = accept4(rt->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char text[STATUS_SIZE];
	struct status_view view = { .boot = rt->boot,
				    .machine = &rt->machine,
				    .daemon = rt->daemon,
				    .now_us = clock_mono_us() };

	if (fd >= 0)
		(void)send(fd, text, status_format(&view, text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void dispatch(struct runtime *rt, int fd)
{
	if (fd == rt->signal_fd)
		handle_signal(rt);
	else if (fd == rt->timer_fd)
		handle_timer(rt);
	else if (fd == rt->listen_fd)
		handle_client(rt);
	/* After everything, because a sweep may have met no child at all. */
	reap(rt);
}

static int watch(const struct runtime *rt, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data = { .fd = fd } };

	return epoll_ctl(rt->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int set_up(struct runtime *rt, struct err *e)
{
	int r;

	rt->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	rt->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	rt->signal_fd = mask_open_all();
	if (rt->epoll_fd < 0 || rt->timer_fd < 0 || rt->signal_fd < 0)
		return err_set(e, -errno, "make the descriptors of the event loop");
	r = watch(rt, rt->signal_fd);
	if (r == 0)
		r = watch(rt, rt->timer_fd);
	if (r < 0)
		return err_set(e, r, "watch the descriptors of the event loop");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	rt->listen_fd = status_listen();
	if (rt->listen_fd < 0 || watch(rt, rt->listen_fd) < 0)
		log_warn(COMPONENT, "no status socket: healthcheck and status will not work");
	return 0;
}

static void make_policy(const struct boot *b, struct supervise_policy *p)
{
	const struct settings *s = &b->config.settings;
	bool is_once = b->config.is_one_shot && !settings_is_given(s, SETTING_RESTART);

	p->restart =
		is_once ? RESTART_NEVER : (enum restart_policy)settings_number(s, SETTING_RESTART);
	p->hold = settings_number(s, SETTING_ON_LOOP) == 1;
	p->has_hook = b->config.is_join && b->config.wgmesh;
	p->stop_timeout_ms = settings_number(s, SETTING_STOP_TIMEOUT);
}

static void say_end(struct boot *b, const struct supervise *m)
{
	const char *how = m->is_forced ? ", some of it killed" : "";

	if (m->stop_signal)
		boot_note(b, "stopped by signal %d (%s)%s; exit code %d", m->stop_signal,
			  strsignal(m->stop_signal), how, m->exit_code);
	else if (m->failures > 1)
		boot_note(b, "%s failed %u times in a row, last with code %d; exit code %d",
			  config_program_name(&b->config), m->failures, m->last_code, m->exit_code);
	else
		boot_note(b, "%s ended with code %d%s; exit code %d",
			  config_program_name(&b->config), m->last_code, how, m->exit_code);
	if (m->exit_code != 0)
		termlog_write(b->phases[PHASE_SUPERVISE].note);
}

static void give_up_rights(struct runtime *rt)
{
	struct err e = { 0 };
	int r;

	spawner_keep(&rt->spawner, rt->errors.write_fd);
	spawner_keep(&rt->spawner, rt->boot->config.secret_fd);
	r = spawner_detach(&rt->spawner, &e);
	if (r == 0)
		r = privileges_give_up(rt->boot, &e);
	if (r < 0)
		log_warn(COMPONENT, "wgmesh-init keeps rights that it need not have: cannot %s: %s",
			 e.msg, strerror(-r));
}

static void run(struct runtime *rt)
{
	struct epoll_event ev;

	feed(rt, (struct supervise_event) { .type = SUPERVISE_START });
	give_up_rights(rt);
	while (!rt->is_done) {
		int n = epoll_wait(rt->epoll_fd, &ev, 1, -1);

		if (n == 1)
			dispatch(rt, ev.data.fd);
	}
}

int runtime_supervise(struct boot *b, struct err *e)
{
	struct runtime rt = { .boot = b };
	struct supervise_policy policy = { 0 };
	int r;

	make_policy(b, &policy);
	supervise_init(&rt.machine, &policy);
	spawner_init(&rt.spawner, start_job, &rt);
	r = spawn_errors_open(&rt.errors, e);
	if (r == 0)
		r = set_up(&rt, e);
	if (r < 0)
		return r;
	/* What is asked for while it lasts; the end has its own words. */
	b->phases[PHASE_SUPERVISE].outcome = OUTCOME_OK;
	boot_note(b, "%s is looked after", config_program_name(&b->config));
	run(&rt);
	b->exit_code = rt.machine.exit_code;
	say_end(b, &rt.machine);
	return OUTCOME_OK;
}
