/* SPDX-License-Identifier: MIT */
/*
 * filter - the system calls that the mesh process may still make: an allow list, by libseccomp
 *
 * Everything else does not exist for it: the kernel answers ENOSYS, as it would if it were older. No
 * call kills. A new release of libc that tries a new call first, and falls back when there is none,
 * does so here too, where EPERM would stop it; and a mesh must not end because a library looked for
 * a file that it can do without. Whoever has taken the process over gains nothing from the answer:
 * there is no exec, open, ptrace, clone, bpf, io_uring, user namespace or memory of another process
 * behind either. Each refusal goes to the kernel's audit log, where the kernel keeps one.
 *
 * Only a call by another machine's interface (int 0x80 or x32 on amd64) ends the process: nothing
 * that was built for this machine makes one.
 *
 * The table in filter.c says what each call is for. What a system call says by pointers (paths,
 * addresses) a filter cannot see; that is Landlock's part.
 */
#ifndef DAEMON_CONFINE_FILTER_H
#define DAEMON_CONFINE_FILTER_H

#include "common/err.h"

/**
 * filter_confine() - Allow this process what is listed, and nothing else, for good
 * @e:		Receives the reason on failure
 *
 * Needs no_new_privs.
 *
 * Return: 1, 0 where the kernel has no filters or does not let us make one, or a negative errno
 *         value when something else went wrong
 */
int filter_confine(struct err *e);

#endif /* DAEMON_CONFINE_FILTER_H */
