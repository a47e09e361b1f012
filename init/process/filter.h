/* SPDX-License-Identifier: MIT */
/*
 * filter - the system calls that PID 1 needs while it supervises; everything else fails with EPERM
 *
 * Installed when all descriptors are open and the spawner is there to start programs. Whatever is not
 * listed fails and never kills, because the end of PID 1 is the end of the container.
 */
#ifndef INIT_PROCESS_FILTER_H
#define INIT_PROCESS_FILTER_H

#include "common/err.h"

#include <linux/filter.h>
#include <stddef.h>

#define FILTER_ROOM 512

/**
 * filter_build() - Write the filter as a BPF program; pure
 * @out:	Receives the instructions
 *
 * Return: how many there are; 0 where the architecture has no list
 */
size_t filter_build(struct sock_filter out[static FILTER_ROOM]);

/**
 * filter_install() - Set no_new_privs, then submit this process to the filter for good
 * @e:		Receives the reason on failure, may be NULL
 *
 * Under a sanitizer, which needs more calls, only no_new_privs is set.
 *
 * Return: 0 or a negative errno value
 */
int filter_install(struct err *e);

#endif /* INIT_PROCESS_FILTER_H */
