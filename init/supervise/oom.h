/* SPDX-License-Identifier: MIT */
/*
 * oom - did the kernel kill a process of this container for lack of memory?
 *
 * The memory cgroup counts such kills: "oom_kill N" in memory.events (version 2) or in
 * memory.oom_control (version 1). The files are opened once, at the start, and read again through
 * the kept descriptors: later PID 1 may open nothing.
 */
#ifndef INIT_SUPERVISE_OOM_H
#define INIT_SUPERVISE_OOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct oom - The counters of this container's memory cgroup
 * @fd:		memory.events or memory.oom_control; owned; -1: unknown
 * @limit_fd:	memory.max or memory.limit_in_bytes; owned; -1: unknown
 * @kills:	Kills so far
 * @hits:	Times that the limit could not be kept; version 2 only
 */
struct oom {
	int fd;
	int limit_fd;
	uint64_t kills;
	uint64_t hits;
};

/**
 * struct oom_counters - What a counter file says
 * @kills:	Processes killed, by this cgroup's limit or by any other shortage
 * @hits:	Times that this cgroup's own limit was the reason
 * @has_hits:	@hits is known
 */
struct oom_counters {
	uint64_t kills;
	uint64_t hits;
	bool has_hits;
};

/**
 * oom_open() - Find and open the counters, and read them once; a failure is "unknown"
 * @o:		State to fill
 */
void oom_open(struct oom *o);

/**
 * oom_open_below() - oom_open() with the places named; for tests
 * @o:		State to fill
 * @cgroups:	Contents of /proc/self/cgroup; may be empty
 * @root:	Where cgroup file systems are mounted, "/sys/fs/cgroup"
 */
void oom_open_below(struct oom *o, const char *cgroups, const char *root);

/**
 * oom_close() - Let go of the descriptors
 */
void oom_close(struct oom *o);

/**
 * oom_is_known() - Is there a counter, so that "no kills" means something?
 */
bool oom_is_known(const struct oom *o);

/**
 * oom_new_kills() - Processes killed for lack of memory since the last call, or since oom_open()
 * @o:		State
 * @by_limit:	Receives whether this container's own limit was the reason, and not a shortage of
 *		the pod or of the machine; may be NULL
 *
 * Return: kills; 0 also when nothing is known
 */
uint64_t oom_new_kills(struct oom *o, bool *by_limit);

/**
 * oom_limit() - Limit of the container's memory
 * @o:		State
 *
 * Return: bytes, 0 for none or unknown
 */
uint64_t oom_limit(const struct oom *o);

/**
 * oom_parse_cgroup() - Find the memory cgroup in the text of /proc/self/cgroup; pure
 * @text:	Lines "ID:CONTROLLERS:PATH"
 * @version:	1 for the hierarchy with the memory controller, 2 for the unified one
 * @out:	Receives the path, which begins with '/' and has no ".." in it
 * @size:	Room in @out
 *
 * Return: true when there is one
 */
bool oom_parse_cgroup(const char *text, int version, char *out, size_t size);

/**
 * oom_parse_counters() - Read a counter file; pure
 * @out:	Receives the counters
 * @text:	Contents of memory.events or memory.oom_control
 *
 * Return: true when it counts kills (version 1 does since Linux 4.13)
 */
bool oom_parse_counters(struct oom_counters *out, const char *text);

/**
 * oom_parse_limit() - Read a limit file; pure
 * @text:	Contents of memory.max or memory.limit_in_bytes
 *
 * Return: bytes, 0 for none ("max", or version 1's largest number) or nonsense
 */
uint64_t oom_parse_limit(const char *text);

#endif /* INIT_SUPERVISE_OOM_H */
