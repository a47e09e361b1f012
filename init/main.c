/* SPDX-License-Identifier: MIT */
/*
 * wgmesh-init - PID 1 that never loses a WireGuard identity
 *
 * This file is the table of contents: the subcommands, and the nine phases of a start in order.
 */
#include "init/boot.h"
#include "init/cli.h"
#include "init/lock/lock.h"
#include "init/phase_signals.h"
#include "init/process/descriptors.h"
#include "init/process/privileges.h"
#include "init/state/migrate.h"
#include "init/state/ownership.h"
#include "init/state/verify.h"
#include "init/supervise/runtime.h"
#include "init/volume/storage.h"
#include "init/volume/writability.h"

int main(int argc, char **argv, char **envp)
{
	struct boot b;
	int exit_code = 0;

	(void)argc;
	if (cli_run(argv, envp, &exit_code))
		return exit_code;
	descriptors_close_inherited();

	boot_init(&b);
	(void)(boot_configure(&b, SCOPE_INIT, argv + 1, envp) &&
	       boot_phase(&b, PHASE_SIGNALS, phase_signals) &&
	       boot_phase(&b, PHASE_VOLUME, storage_classify) &&
	       boot_phase(&b, PHASE_WRITABILITY, writability_check) &&
	       boot_phase(&b, PHASE_LOCK, lock_acquire) &&
	       boot_phase(&b, PHASE_OWNERSHIP, ownership_settle) &&
	       boot_phase(&b, PHASE_MIGRATE, migrate_legacy) &&
	       boot_phase(&b, PHASE_VERIFY, verify_state) &&
	       boot_phase(&b, PHASE_PRIVILEGES, privileges_settle) &&
	       boot_phase(&b, PHASE_SUPERVISE, runtime_supervise));
	boot_fini(&b);
	return b.exit_code;
}
