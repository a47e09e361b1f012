/* SPDX-License-Identifier: MIT */
/* runtime_impl - what the parts of the supervisor's event loop share; for runtime*.c only */
#ifndef INIT_SUPERVISE_RUNTIME_IMPL_H
#define INIT_SUPERVISE_RUNTIME_IMPL_H

#include "common/log.h"
#include "init/boot.h"
#include "init/process/spawn.h"
#include "init/process/spawner.h"
#include "init/supervise/cause.h"
#include "init/supervise/history.h"
#include "init/supervise/launch.h"
#include "init/supervise/notify.h"
#include "init/supervise/oom.h"
#include "init/supervise/reap.h"
#include "init/supervise/relay.h"
#include "init/supervise/runtime_storage.h"
#include "init/supervise/sender.h"
#include "init/supervise/supervise.h"

#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/**
 * struct runtime - The supervisor
 * @boot:	The start it belongs to; borrowed
 * @machine:	What to do
 * @launch:	What is started
 * @spawner:	Who starts it
 * @errors:	Where children say why they could not become their program
 * @relay:	The daemon's standard error
 * @oom:	Counters of the memory cgroup
 * @boot_s:	When this container started, UTC seconds
 * @daemon:	Process number of the daemon, 0 when it does not run
 * @daemon_uid:	User it is started as
 * @group:	Process group of its last run
 * @hook:	Process number of the hook, 0 when it does not run
 * @recorder:	Process that writes history or marker, 0 when none does
 * @stop:	Stop signal as it came first; ssi_signo is 0 before
 * @stop_comm:	Name of its sender
 * @timer_at_ms: What the timer is for, 0 while it rests
 * @says:	What the daemon said of itself last
 * @cause:	Why its last run ended
 * @relay_wants: What the event loop watches for the relay
 * @is_settled:	Rights are given up, and what only later events need is open
 * @is_done:	PID 1 ends
 * @storage:	The volume
 * @is_network_down: The hook took it down, or there was none to run
 * @keeper_ms:	When the keeper was last started again, 0 for never
 * @is_cloned:	The daemon says that its key is live in a second place
 * @revoked:	Why the daemon may not run any more; empty while it may
 */
struct runtime {
	struct boot *boot;
	struct supervise machine;
	struct launch launch;
	struct spawner spawner;
	struct spawn_errors errors;
	struct relay relay;
	struct oom oom;
	int64_t boot_s;
	pid_t daemon;
	uid_t daemon_uid;
	pid_t group;
	pid_t hook;
	pid_t recorder;
	int epoll_fd;
	int signal_fd;
	int timer_fd;
	int listen_fd;
	int notify_fd;
	int outer_fd;
	uint64_t timer_at_ms;
	struct signalfd_siginfo stop;
	char stop_comm[SENDER_SIZE];
	char says[NOTIFY_STATUS_SIZE];
	char cause[CAUSE_SIZE];
	enum relay_wants relay_wants;
	bool is_settled;
	bool is_done;
	struct runtime_storage storage;
	bool is_network_down;
	uint64_t keeper_ms;
	bool is_cloned;
	char revoked[CAUSE_SIZE];
};

/**
 * runtime_is_wrapper() - Is the program run once, for its output? Its start and end are no news then
 */
bool runtime_is_wrapper(const struct runtime *rt);

/**
 * runtime_news() - How a line about the program's start, stop or end is logged
 */
struct log_as runtime_news(const struct runtime *rt);

/**
 * runtime_prepare() - Make what the first start needs
 * @rt:		Supervisor
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int runtime_prepare(struct runtime *rt, struct err *e);

/**
 * runtime_settle() - After the first start: make what events need, give up what is not needed
 * @rt:		Supervisor
 * @e:		Receives the reason on failure
 *
 * Return: 0, or a negative errno value when there is no event loop
 */
int runtime_settle(struct runtime *rt, struct err *e);

/**
 * runtime_give_up_rights() - Hand the rights to the spawner, unless that was done before
 * @rt:		Supervisor; where no spawner can be made now, it keeps them until a later call
 */
void runtime_give_up_rights(struct runtime *rt);

/**
 * runtime_watch() - Wait for a descriptor, too
 * @rt:		Supervisor
 * @fd:		Descriptor
 * @events:	EPOLL* bits
 *
 * Return: 0 or a negative errno value
 */
int runtime_watch(const struct runtime *rt, int fd, uint32_t events);

/**
 * runtime_feed() - Give the state machine an event, and carry out what it says
 * @rt:		Supervisor
 * @ev:		Event; time and random number are filled in
 */
void runtime_feed(struct runtime *rt, struct supervise_event ev);

/**
 * runtime_arm_timer() - Let the timer fire
 * @rt:		Supervisor; without a timer yet, it is remembered
 * @at_ms:	Monotonic time, 0 for never
 */
void runtime_arm_timer(struct runtime *rt, uint64_t at_ms);

/**
 * runtime_watch_relay() - Watch for what the relay waits for
 * @rt:		Supervisor
 * @wants:	As relay_pump() says
 */
void runtime_watch_relay(struct runtime *rt, enum relay_wants wants);

/**
 * runtime_note_stop() - Remember who sent the first stop signal
 * @rt:		Supervisor
 * @ssi:	The signal
 */
void runtime_note_stop(struct runtime *rt, const struct signalfd_siginfo *ssi);

/**
 * runtime_daemon_ended() - Say why the daemon ended, write it down, and go on from there
 * @rt:		Supervisor
 * @end:	How it ended
 */
void runtime_daemon_ended(struct runtime *rt, const struct reaped *end);

/**
 * runtime_hook_ended() - The network is down, or could not be taken down
 * @rt:		Supervisor
 * @end:	How the hook ended
 */
void runtime_hook_ended(struct runtime *rt, const struct reaped *end);

/**
 * runtime_say_spawner_lost() - Say, once, that nothing can be started any more
 * @rt:		Supervisor
 */
void runtime_say_spawner_lost(const struct runtime *rt);

/**
 * runtime_spawner_ended() - Nothing can be started any more
 * @rt:		Supervisor
 */
void runtime_spawner_ended(struct runtime *rt);

/**
 * runtime_lease_check() - Has the lease been lost before the daemon was started?
 * @rt:		Supervisor
 * @e:		Receives the reason
 *
 * Return: 0 or a negative errno value
 */
int runtime_lease_check(struct runtime *rt, struct err *e);

/**
 * runtime_lease_watch() - Listen to the keeper, and let the spawner start another one
 * @rt:		Supervisor; where no lease is needed, there is no keeper
 */
void runtime_lease_watch(struct runtime *rt);

/**
 * runtime_lease_hear() - The keeper has something to say
 * @rt:		Supervisor
 */
void runtime_lease_hear(struct runtime *rt);

/**
 * runtime_keeper_ended() - The keeper is gone; start another one, unless it was to end
 * @rt:		Supervisor
 * @end:	How it ended
 */
void runtime_keeper_ended(struct runtime *rt, const struct reaped *end);

/**
 * runtime_lease_release() - Give the lease up, for a successor that need not wait
 * @rt:		Supervisor, whose daemon is gone; if its network is not known to be down, the keeper
 *		just ends, and a successor waits for the lease time
 */
void runtime_lease_release(struct runtime *rt);

/**
 * runtime_say_end() - The last words of PID 1
 * @rt:		Supervisor
 */
void runtime_say_end(struct runtime *rt);

#endif /* INIT_SUPERVISE_RUNTIME_IMPL_H */
