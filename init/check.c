/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "init/boot.h"
#include "init/commands.h"
#include "init/json.h"
#include "init/lock/lock.h"
#include "init/process/dispositions.h"
#include "init/process/privileges.h"
#include "init/state/migrate.h"
#include "init/state/ownership.h"
#include "init/state/verify.h"
#include "init/volume/storage.h"
#include "init/volume/writability.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Phases that a report has a line for. */
static const enum phase_id reported[] = { PHASE_VOLUME,	   PHASE_WRITABILITY, PHASE_LOCK,
					  PHASE_OWNERSHIP, PHASE_MIGRATE,     PHASE_VERIFY,
					  PHASE_PRIVILEGES };

static void print_text(const struct boot *b)
{
	for (size_t i = 0; i < ARRAY_LEN(reported); i++) {
		const struct phase *p = &b->phases[reported[i]];

		(void)printf("%-12s %-8s %s\n", phase_name(reported[i]), outcome_name(p->outcome),
			     p->note);
	}
	if (b->proof.kind != PROOF_NONE)
		(void)printf(
			"%-12s %-8s %s: %s\n", "proof",
			outcome_name(proof_is_alarm(b->proof.kind) ? OUTCOME_WARNED : OUTCOME_OK),
			proof_name(b->proof.kind), b->proof.note);
	(void)printf("%s\n", b->exit_code ? "a start would be refused" : "a start would go ahead");
}

static void print_json(const struct boot *b)
{
	(void)printf("{\"exit_code\":%d,\"verdict\":\"%s\",\"proof\":\"%s\",\"proof_note\":",
		     b->exit_code, verdict_name(b->volume.verdict), proof_name(b->proof.kind));
	json_put_string(stdout, b->proof.note);
	(void)printf(",\"checks\":{");
	for (size_t i = 0; i < ARRAY_LEN(reported); i++) {
		const struct phase *p = &b->phases[reported[i]];

		(void)printf("%s\"%s\":{\"outcome\":\"%s\",\"duration_ms\":%llu.%03u,\"note\":",
			     i ? "," : "", phase_name(reported[i]), outcome_name(p->outcome),
			     (unsigned long long)(p->duration_us / 1000),
			     (unsigned int)(p->duration_us % 1000));
		json_put_string(stdout, p->note);
		(void)putchar('}');
	}
	(void)puts("}}");
}

static bool run_checks(struct boot *b)
{
	return boot_phase(b, PHASE_VOLUME, storage_classify) &&
	       boot_phase(b, PHASE_WRITABILITY, writability_check) &&
	       boot_phase(b, PHASE_LOCK, lock_acquire) &&
	       boot_phase(b, PHASE_OWNERSHIP, ownership_settle) &&
	       boot_phase(b, PHASE_MIGRATE, migrate_legacy) &&
	       boot_phase(b, PHASE_VERIFY, verify_state) &&
	       boot_phase(b, PHASE_PRIVILEGES, privileges_settle);
}

static void report(struct boot *b)
{
	b->is_report = true;
	b->config.is_dry = true;
	if (!run_checks(b))
		return;
	if (settings_flag(&b->config.settings, SETTING_JSON))
		print_json(b);
	else
		print_text(b);
}

static int run_command(char **argv, char **envp, void (*run)(struct boot *b))
{
	struct boot b;

	/* The phases wait for children, which an ignored SIGCHLD would make vanish. */
	dispositions_reset();
	boot_init(&b);
	if (boot_configure(&b, SCOPE_INIT_CHECK, argv, envp))
		run(&b);
	boot_fini(&b);
	return b.exit_code;
}

int commands_check(char **argv, char **envp)
{
	return run_command(argv, envp, report);
}

/* What the phases that a subcommand ran on its own came to. */
static void conclude(const struct boot *b, bool is_good, enum phase_id last)
{
	if (is_good)
		(void)printf("%s: %s\n", phase_name(last), b->phases[last].note);
}

static void put_end_json(const struct boot *b)
{
	const struct phase *p = &b->phases[b->current];

	(void)printf(
		"\"dry_run\":%s,\"exit_code\":%d,\"phase\":\"%s\",\"outcome\":\"%s\",\"note\":",
		b->config.is_dry ? "true" : "false", b->exit_code, phase_name(b->current),
		outcome_name(p->outcome));
	json_put_string(stdout, p->note);
}

static void put_migration_json(const struct boot *b, const struct migrate_report *report)
{
	(void)fputs("{\"from\":", stdout);
	if (b->config.legacy_dir)
		json_put_string(stdout, b->config.legacy_dir);
	else
		(void)fputs("null", stdout);
	(void)fputs(",\"to\":", stdout);
	json_put_string(stdout, b->config.state_dir);
	(void)putchar(',');
	put_end_json(b);
	(void)putchar(',');
	migrate_put_json(stdout, report);
	(void)puts("}");
}

static void migrate(struct boot *b)
{
	auto_free struct migrate_report *report = calloc(1, sizeof(*report));
	bool is_good;

	if (!report) {
		b->exit_code = EXITS_SYSTEM;
		return;
	}
	b->migrated = report;
	is_good = boot_phase(b, PHASE_WRITABILITY, writability_check) &&
		  boot_phase(b, PHASE_LOCK, lock_acquire) &&
		  boot_phase(b, PHASE_MIGRATE, migrate_legacy);
	b->migrated = NULL;
	if (settings_flag(&b->config.settings, SETTING_JSON)) {
		put_migration_json(b, report);
		return;
	}
	migrate_put_text(stdout, report);
	conclude(b, is_good, PHASE_MIGRATE);
}

static void fix_permissions(struct boot *b)
{
	bool is_good = boot_phase(b, PHASE_WRITABILITY, writability_check) &&
		       boot_phase(b, PHASE_OWNERSHIP, ownership_settle);

	if (!settings_flag(&b->config.settings, SETTING_JSON)) {
		conclude(b, is_good, PHASE_OWNERSHIP);
		return;
	}
	(void)fputs("{\"directory\":", stdout);
	json_put_string(stdout, b->config.state_dir);
	(void)putchar(',');
	put_end_json(b);
	(void)puts("}");
}

int commands_migrate(char **argv, char **envp)
{
	return run_command(argv, envp, migrate);
}

int commands_fix_permissions(char **argv, char **envp)
{
	return run_command(argv, envp, fix_permissions);
}
