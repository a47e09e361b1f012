/* SPDX-License-Identifier: MIT */
/*
 * spawner - a process that keeps the right to start programs, so that PID 1 can give it up
 *
 * The first start is made by PID 1 itself. Then spawner_detach() forks the spawner, PID 1 drops its
 * rights, and every later start is a request to it. What it starts are children of PID 1 all the
 * same: it makes siblings (CLONE_PARENT), so PID 1 alone waits, signals and decides.
 */
#ifndef INIT_PROCESS_SPAWNER_H
#define INIT_PROCESS_SPAWNER_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SPAWNER_PAYLOAD_MAX 512
#define SPAWNER_KEEP_MAX    8

/**
 * typedef spawner_function - Starts the program of a job, where the rights are
 * @arg:	As given to spawner_init(); after spawner_detach() a copy from that moment
 * @job:	Which program
 * @payload:	What the caller added, aligned for any type; NULL when there is nothing
 *
 * It must neither log nor open descriptors: the spawner has closed what it was not told to keep.
 *
 * Return: process number, or a negative errno value
 */
typedef pid_t spawner_function(void *arg, unsigned int job, const void *payload);

/**
 * struct spawner - Whoever starts programs: this process, or the one it was handed to
 * @start:	Starts them
 * @arg:	For @start
 * @fd:		Our end of the line to the spawner, -1 for none; owned
 * @pid:	The spawner, for whoever reaps; 0 when there is none
 * @is_detached: This process starts nothing itself any more
 * @keep:	Descriptors above 2 that @start needs
 * @n_keep:	Entries in @keep
 */
struct spawner {
	spawner_function *start;
	void *arg;
	int fd;
	pid_t pid;
	bool is_detached;
	int keep[SPAWNER_KEEP_MAX];
	size_t n_keep;
};

/**
 * spawner_init() - Begin, with this process as the starter
 * @s:		Spawner
 * @start:	Starts the program of a job
 * @arg:	For @start; borrowed
 */
void spawner_init(struct spawner *s, spawner_function *start, void *arg);

/**
 * spawner_keep() - Name a descriptor that programs are to get, or to report over
 * @s:		Spawner, before spawner_detach()
 * @fd:		Descriptor; borrowed; anything below 3 is kept anyway, and once is enough
 */
void spawner_keep(struct spawner *s, int fd);

/**
 * spawner_detach() - Fork the spawner; from now on it starts the programs
 * @s:		Spawner
 * @e:		Receives the reason on failure, may be NULL
 *
 * It sleeps until it is asked, blocks every signal, and ends with this process or at
 * spawner_close(). Its own end is to be reaped like any child's: compare with @s->pid.
 *
 * Return: 0, or a negative errno value with this process still the starter: -ENOSYS where it will
 *         never work (gVisor)
 */
int spawner_detach(struct spawner *s, struct err *e);

/**
 * spawner_start() - Start the program of a job
 * @s:		Spawner
 * @job:	Which program
 * @payload:	Passed to @s->start; copied
 * @size:	Bytes in @payload, at most SPAWNER_PAYLOAD_MAX
 * @e:		Receives the reason on failure, may be NULL
 *
 * Waits for the spawner's answer for at most 5 seconds; one that does not answer is killed.
 *
 * Return: process number, -EPIPE when the spawner is gone for good, -EMSGSIZE, or the negative errno
 *         value for which no process could be made
 */
pid_t spawner_start(struct spawner *s, unsigned int job, const void *payload, size_t size,
		    struct err *e);

/**
 * spawner_close() - Let the spawner end, because nothing more will be started
 * @s:		Spawner; @s->pid stays until it has been reaped
 *
 * Before everything is told to end: it blocks SIGTERM like any other signal.
 */
void spawner_close(struct spawner *s);

#endif /* INIT_PROCESS_SPAWNER_H */
