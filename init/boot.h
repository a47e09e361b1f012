/* SPDX-License-Identifier: MIT */
/* boot - run the phases one after the other: time, log, remember, and end cleanly where one refuses */
#ifndef INIT_BOOT_H
#define INIT_BOOT_H

#include "common/err.h"
#include "init/config.h"
#include "init/lock/keeper.h"
#include "init/volume/proof.h"
#include "init/volume/volume.h"

#include <stdbool.h>
#include <stdint.h>

enum phase_id {
	PHASE_SIGNALS,
	PHASE_VOLUME,
	PHASE_WRITABILITY,
	PHASE_LOCK,
	PHASE_OWNERSHIP,
	PHASE_MIGRATE,
	PHASE_VERIFY,
	PHASE_PRIVILEGES,
	PHASE_SUPERVISE,
	PHASE_COUNT,
};

enum phase_outcome {
	OUTCOME_OK,
	OUTCOME_WARNED, /* goes on, but there is something to mend */
	OUTCOME_SKIPPED,
	OUTCOME_REFUSED,
	OUTCOME_STOPPED, /* a stop signal came */
	OUTCOME_PENDING,
	OUTCOME_RUNNING,
};

/**
 * struct phase - What came of a phase
 * @outcome:	Outcome
 * @duration_us: How long it took
 * @note:	One sentence
 */
struct phase {
	enum phase_outcome outcome;
	uint64_t duration_us;
	char note[400];
};

struct migrate_report;

/**
 * struct boot - The start of a container, passed through all phases
 * @config:	What was asked for
 * @phases:	What came of each phase
 * @volume:	What holds the state directory
 * @current:	Phase that is running
 * @state_fd:	State directory, -1 until the writability phase opened it; owned
 * @lock_fd:	The lock on it, held for life; owned
 * @is_report:	Go on after a refusal, print nothing but the report ("check")
 * @migrated:	Receives what the migration did; NULL when nobody asks; borrowed
 * @advice:	What somebody should do about CAP_NET_ADMIN, should the daemon miss it; empty for nothing
 * @exit_code:	What to end with
 * @started_us:	Monotonic time of the start
 * @proof:	What the volume's marker proves
 * @fs_type:	f_type of the state directory's file system (statfs(2)), 0 until it is known
 * @dir_lock_fd: The lock on the directory itself, -1 where a lease takes its place; owned
 * @keeper:	Keeps the lease on it, where there is one; owned
 */
struct boot {
	struct config config;
	struct phase phases[PHASE_COUNT];
	struct volume volume;
	enum phase_id current;
	int state_fd;
	int lock_fd;
	bool is_report;
	struct migrate_report *migrated;
	char advice[400];
	int exit_code;
	uint64_t started_us;
	struct proof proof;
	uint64_t fs_type;
	int dir_lock_fd;
	struct keeper keeper;
};

/* A phase: enum phase_outcome, -EINTR for a stop signal, or a negative errno value to refuse. */
typedef int phase_function(struct boot *b, struct err *e);

/**
 * boot_init() - Begin
 */
void boot_init(struct boot *b);

/**
 * boot_fini() - Let go of everything, the lock and the lease included
 */
void boot_fini(struct boot *b);

/**
 * boot_configure() - Read options and environment, and set up the log
 * @b:		Boot
 * @scope:	SCOPE_INIT or SCOPE_INIT_CHECK
 * @argv:	Arguments, the first option at index 0, NULL at the end; borrowed
 * @envp:	Environment; borrowed
 *
 * Return: false when this is the end, with @b->exit_code set and the reason said
 */
bool boot_configure(struct boot *b, unsigned int scope, char **argv, char **envp);

/**
 * boot_phase() - Run one phase
 * @b:		Boot
 * @id:		Phase
 * @run:	Its function
 *
 * Return: false when this is the end, with @b->exit_code set and the reason said
 */
bool boot_phase(struct boot *b, enum phase_id id, phase_function *run);

/**
 * boot_note() - Say in one sentence what the running phase found
 */
__attribute__((format(printf, 2, 3))) void boot_note(struct boot *b, const char *fmt, ...);

/**
 * boot_skip_stateless() - Skip the running phase, because there is no state directory to look at
 * @b:		Boot, whose writability phase is over
 *
 * Return: OUTCOME_SKIPPED, with the reason noted
 */
int boot_skip_stateless(struct boot *b);

/**
 * boot_warn() - Log a sentence of the running phase that somebody should act on
 */
__attribute__((format(printf, 2, 3))) void boot_warn(const struct boot *b, const char *fmt, ...);

/**
 * boot_is_stopped() - Has a stop signal come? For loops inside a phase
 *
 * Return: true when it has; the phase then returns -EINTR between two steps
 */
bool boot_is_stopped(void);

/**
 * phase_name() - A phase's word in logs and status
 */
const char *phase_name(enum phase_id id);

/**
 * outcome_name() - An outcome's word in logs and status
 */
const char *outcome_name(enum phase_outcome outcome);

#endif /* INIT_BOOT_H */
