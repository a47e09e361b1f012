/* SPDX-License-Identifier: MIT */
/* cause - who ended the program and why, in one sentence; pure */
#ifndef INIT_SUPERVISE_CAUSE_H
#define INIT_SUPERVISE_CAUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CAUSE_SIZE	400
#define CAUSE_WORD_SIZE 16

/* cause_word() of an ending that somebody asked for. */
#define CAUSE_WORD_STOPPED	"stopped"
#define CAUSE_WORD_STOP_TIMEOUT "stop-timeout"

/* cause_word() of an ending because another container took the state directory over. */
#define CAUSE_WORD_REVOKED "revoked"

/**
 * enum cause_ours - What PID 1 itself had to do with it
 * @CAUSE_NONE:		Nothing
 * @CAUSE_WATCHDOG:	Killed it: no watchdog beat in time
 * @CAUSE_START_TIMEOUT: Killed it: not ready in time
 * @CAUSE_TRIGGER:	Killed it: it reported a fault itself (WATCHDOG=trigger)
 * @CAUSE_STOP_TIMEOUT:	Killed it: did not end in time after a stop signal
 * @CAUSE_EXEC:		Could not start it
 * @CAUSE_REVOKED:	Stopped it: another container has its state directory
 */
enum cause_ours {
	CAUSE_NONE,
	CAUSE_WATCHDOG,
	CAUSE_START_TIMEOUT,
	CAUSE_TRIGGER,
	CAUSE_STOP_TIMEOUT,
	CAUSE_EXEC,
	CAUSE_REVOKED,
};

/**
 * struct cause_facts - All that is known about an ending; texts are borrowed
 * @program:	Name of the program
 * @is_wgmesh:	It is our daemon, whose exit codes we know
 * @code:	Exit code, 128+n for a signal
 * @signal:	Signal that ended it, or 0
 * @run_ms:	How long it ran
 * @oom_known:	There is a counter of kills for lack of memory: oom_is_known()
 * @oom_kills:	Such kills while it ran: oom_new_kills()
 * @oom_by_limit: The container's own limit was the reason
 * @oom_limit:	That limit in bytes, 0 for none or unknown: oom_limit()
 * @killed_by_us: What PID 1 had to do with it
 * @patience_ms: The time limit that ran out, with watchdog, start and stop timeouts; 0 leaves it out
 * @why:	Reason of CAUSE_EXEC ("run /x: No such file or directory") or CAUSE_REVOKED, or NULL
 * @stop_signal: Stop signal that PID 1 got before, or 0
 * @stop_pid:	Who sent it, 0 for a process outside the container
 * @stop_comm:	Name of that process (sender_comm()), empty or NULL when unknown
 * @is_terminal: The kernel sent it, for a key of the terminal or its hang-up
 * @last_line:	Last line the program wrote (relay_last_line()), empty or NULL for none
 * @status:	Last STATUS= text, empty or NULL for none
 */
struct cause_facts {
	const char *program;
	bool is_wgmesh;
	int code;
	int signal;
	uint64_t run_ms;
	bool oom_known;
	uint64_t oom_kills;
	bool oom_by_limit;
	uint64_t oom_limit;
	enum cause_ours killed_by_us;
	uint64_t patience_ms;
	const char *why;
	int stop_signal;
	pid_t stop_pid;
	const char *stop_comm;
	bool is_terminal;
	const char *last_line;
	const char *status;
};

/**
 * cause_sentence() - Say who ended the program and why
 * @f:		Facts
 * @out:	Receives one sentence without a full stop, on one line, valid UTF-8 if the facts are
 */
void cause_sentence(const struct cause_facts *f, char out[static CAUSE_SIZE]);

/**
 * cause_word() - The same in one word, for histories and metrics
 * @f:		Facts
 *
 * Return: "exit", "ok", "stopped", "killed", "signal", "crash", "oom", "seccomp", "watchdog",
 *         "start-timeout", "trigger", "stop-timeout", "exec" or "revoked"; constant, shorter than
 *         CAUSE_WORD_SIZE
 */
const char *cause_word(const struct cause_facts *f);

#endif /* INIT_SUPERVISE_CAUSE_H */
