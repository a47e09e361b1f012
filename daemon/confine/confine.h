/* SPDX-License-Identifier: MIT */
/*
 * confine - the mesh process gives up everything that it will not need again
 *
 * The mesh process reads what strangers send. Should one of them take it over, this is what it finds.
 *
 * It may: receive and send on the sockets it has; make UDP and TCP sockets, and listen on the ports
 * of --http and of the probe's server; ask the kernel for links and addresses; ask netadmin for what
 * is in netadmin's closed table of requests; write its log; make anonymous memory files; use memory,
 * time and random numbers; end itself.
 *
 * It may not: open, make, change, list or execute any file, the key file first of all; start a
 * process or a thread; signal, trace or read another process, which netadmin is; reach a Unix
 * socket, so neither a userspace WireGuard's, which tells the private key, nor an engine's; use raw,
 * packet or any other sockets; connect by TCP (Landlock 4 and later); make namespaces or mounts, load
 * BPF or use io_uring; make memory executable; get a capability or another user.
 *
 * Three walls, each of which stands without the others: no capability and no_new_privs; Landlock
 * (daemon/confine/landlock.h), which sees what a path or a port names; and the filter of system calls
 * (daemon/confine/filter.h), which sees every call. Where the kernel lacks one, the node goes on and
 * says so: a mesh with two walls is better than none.
 */
#ifndef DAEMON_CONFINE_CONFINE_H
#define DAEMON_CONFINE_CONFINE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct confinement - What holds a process; all zero before confine()
 * @is_done:	confine() has succeeded
 * @landlock:	Version of Landlock, 0 where the kernel has none
 * @has_filter: System calls are filtered
 */
struct confinement {
	bool is_done;
	int landlock;
	bool has_filter;
};

/**
 * confine() - Give everything up, for good
 * @out:	Receives what holds this process now
 * @ports:	TCP ports that may still be bound
 * @n:		Entries in @ports
 * @e:		Receives the reason on failure
 *
 * What has to be opened is open by now; the process has one thread.
 *
 * Return: 0, also where the kernel lacks something, or a negative errno value
 */
int confine(struct confinement *out, const uint16_t *ports, size_t n, struct err *e);

/**
 * confine_describe() - What is missing, as a sentence; pure
 * @c:		Confinement
 *
 * Return: the sentence; NULL when nothing is missing, and before confine()
 */
const char *confine_describe(const struct confinement *c);

#endif /* DAEMON_CONFINE_CONFINE_H */
