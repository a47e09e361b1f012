/* SPDX-License-Identifier: MIT */
/* runtime_setup - what is made before the first start, and what is made or given up after it */
#include "common/log.h"
#include "init/process/mask.h"
#include "init/process/privileges.h"
#include "init/state/fsuser.h"
#include "init/status.h"
#include "init/supervise/notify_outer.h"
#include "init/supervise/runtime_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* --- before the first start ---------------------------------------------------------------- */

/* A mere wrapper leaves a socket that came from outside to its program, unless it is to listen. */
static bool is_notify_wanted(const struct runtime *rt)
{
	const struct settings *s = &rt->boot->config.settings;

	return !runtime_is_wrapper(rt) || rt->machine.policy.expects_ready ||
	       settings_is_given(s, SETTING_WATCHDOG);
}

static int offer_notify(struct runtime *rt, struct err *e)
{
	struct env *env = &rt->boot->config.env;
	uint64_t watchdog_us = rt->machine.policy.watchdog_ms * 1000;
	char name[NOTIFY_NAME_SIZE];
	char number[24];
	int r;

	if (!is_notify_wanted(rt))
		return 0;
	rt->daemon_uid = rt->boot->config.confine ? rt->boot->config.uid : geteuid();
	rt->outer_fd = notify_outer_open(env_get(env, "NOTIFY_SOCKET"));
	rt->notify_fd = notify_open(name, sizeof(name));
	if (rt->notify_fd < 0)
		log_event(EVENT_NOTIFY_UNAVAILABLE, NULL,
			  "no socket for notifications: readiness and watchdog "
			  "will not work");
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)watchdog_us);
	r = env_set(env, "NOTIFY_SOCKET", rt->notify_fd >= 0 ? name : NULL);
	if (r == 0)
		r = env_set(env, "WATCHDOG_USEC", watchdog_us ? number : NULL);
	if (r == 0)
		r = env_set(env, "WATCHDOG_PID", NULL);
	return r < 0 ? err_set(e, r, "make room for the environment") : 0;
}

/* A terminal is the program's own affair, and so are the streams of a mere wrapper's. */
static void open_relay(struct runtime *rt)
{
	const struct config *c = &rt->boot->config;
	bool is_wanted = settings_flag(&c->settings, SETTING_CAPTURE_STDERR) &&
			 !runtime_is_wrapper(rt) && !isatty(STDERR_FILENO);
	int r;

	if (!is_wanted)
		return;
	r = c->confine ? relay_open(&rt->relay, c->uid, c->gid)
		       : relay_open(&rt->relay, (uid_t)-1, (gid_t)-1);
	if (r < 0)
		log_event(
			EVENT_RELAY_UNAVAILABLE, NULL,
			"standard error is not passed through, so the daemon's last line will not "
			"be known: %s",
			strerror(-r));
}

static unsigned int past_failures(const struct runtime *rt)
{
	const struct config *c = &rt->boot->config;
	struct history history;

	if (rt->launch.state_fd < 0)
		return 0;
	fsuser_become(c->uid, c->gid);
	history_load(&history, rt->launch.state_fd);
	fsuser_revert();
	return history_failures(&history, rt->boot_s);
}

static void make_policy(const struct runtime *rt, struct supervise_policy *p)
{
	const struct config *c = &rt->boot->config;
	const struct settings *s = &c->settings;
	bool is_once = c->is_one_shot && !settings_is_given(s, SETTING_RESTART);

	p->restart =
		is_once ? RESTART_NEVER : (enum restart_policy)settings_number(s, SETTING_RESTART);
	p->hold = settings_number(s, SETTING_ON_LOOP) == 1;
	p->has_hook = c->is_join && c->wgmesh;
	p->is_stop_ok = c->is_join || settings_flag(s, SETTING_STOP_OK);
	p->expects_ready = c->is_join || settings_flag(s, SETTING_NOTIFY);
	p->stop_timeout_ms = settings_number(s, SETTING_STOP_TIMEOUT);
	p->start_timeout_ms = settings_number(s, SETTING_START_TIMEOUT);
	p->watchdog_ms = settings_number(s, SETTING_WATCHDOG);
	p->past_failures = past_failures(rt);
}

int runtime_prepare(struct runtime *rt, struct err *e)
{
	struct supervise_policy policy = { 0 };
	int r = spawn_errors_open(&rt->errors, e);

	if (r < 0)
		return r;
	r = runtime_lease_check(rt, e);
	if (r < 0)
		return r;
	rt->launch.error_fd = rt->errors.write_fd;
	make_policy(rt, &policy);
	supervise_init(&rt->machine, &policy);
	r = offer_notify(rt, e);
	if (r < 0)
		return r;
	open_relay(rt);
	rt->launch.pid = getpid();
	if (rt->launch.pid != 1)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return 0;
}

/* --- after it ------------------------------------------------------------------------------ */

static int open_loop(struct runtime *rt, struct err *e)
{
	int r;

	rt->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	rt->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	rt->signal_fd = mask_open_all();
	if (rt->epoll_fd < 0 || rt->timer_fd < 0 || rt->signal_fd < 0)
		return err_set(e, -errno, "make the descriptors of the event loop");
	r = runtime_watch(rt, rt->signal_fd, EPOLLIN);
	if (r == 0)
		r = runtime_watch(rt, rt->timer_fd, EPOLLIN);
	if (r < 0)
		return err_set(e, r, "watch the descriptors of the event loop");
	return 0;
}

/* The first start may have asked for the timer, or the program have said something, already. */
static void catch_up(struct runtime *rt)
{
	if (rt->timer_at_ms > 0)
		runtime_arm_timer(rt, rt->timer_at_ms);
	if (rt->notify_fd >= 0 && runtime_watch(rt, rt->notify_fd, EPOLLIN) < 0)
		log_event(EVENT_NOTIFY_UNAVAILABLE, NULL, "notifications cannot be watched for");
	if (rt->relay.read_fd >= 0)
		runtime_watch_relay(rt, RELAY_WANTS_INPUT);
}

static void open_status(struct runtime *rt)
{
	rt->listen_fd = status_listen();
	/* By edges: a client that cannot be let in, for want of descriptors, would wake us for ever. */
	if (rt->listen_fd < 0 || runtime_watch(rt, rt->listen_fd, EPOLLIN | EPOLLET) < 0)
		log_event(EVENT_STATUS_UNAVAILABLE, NULL,
			  "no status socket: healthcheck and status will not work");
}

/* Who may have to start something again keeps the right to in another process. */
static bool hand_rights_over(struct runtime *rt)
{
	struct err e = { 0 };

	if (!supervise_may_start(&rt->machine) && rt->launch.state_fd < 0)
		return true;
	spawner_keep(&rt->spawner, rt->launch.state_fd);
	spawner_keep(&rt->spawner, rt->launch.error_fd);
	spawner_keep(&rt->spawner, rt->launch.stderr_fd);
	spawner_keep(&rt->spawner, rt->boot->config.secret_fd);
	if (spawner_detach(&rt->spawner, &e) == 0)
		return true;
	rt->is_settled = e.code == -ENOSYS;
	log_event(EVENT_RIGHTS_KEPT, NULL, "wgmesh-init keeps its rights%s: cannot %s: %s",
		  rt->is_settled ? "" : " for now", e.msg, strerror(-e.code));
	return false;
}

void runtime_give_up_rights(struct runtime *rt)
{
	struct err e = { 0 };

	if (rt->is_settled || !hand_rights_over(rt))
		return;
	rt->is_settled = true;
	/* Whoever starts the program again keeps its directory; we would only keep it busy. */
	if (chdir("/") < 0)
		log_event(EVENT_WORKDIR_KEPT, NULL, "cannot change to /: %s", strerror(errno));
	if (privileges_give_up(rt->boot, &e) < 0)
		log_event(EVENT_RIGHTS_KEPT, NULL,
			  "wgmesh-init keeps some of its rights: cannot %s: %s", e.msg,
			  strerror(-e.code));
}

int runtime_settle(struct runtime *rt, struct err *e)
{
	int r = open_loop(rt, e);

	if (r < 0)
		return r;
	catch_up(rt);
	log_open();
	open_status(rt);
	oom_open(&rt->oom);
	runtime_lease_watch(rt);
	rt->machine.policy.is_on_terminal = isatty(STDIN_FILENO) == 1;
	runtime_storage_open(rt);
	runtime_give_up_rights(rt);
	return 0;
}
