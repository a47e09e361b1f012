/* SPDX-License-Identifier: MIT */
/*
 * signame - names of signals, both ways; pure
 *
 * The numbers are the kernel's. Real-time signals count from 34, as kill(1) has them, whatever the
 * C library keeps for itself (musl's SIGRTMIN is 35).
 */
#ifndef INIT_PROCESS_SIGNAME_H
#define INIT_PROCESS_SIGNAME_H

#define SIGNAME_SIZE  12
#define SIGNAME_RTMIN 34
#define SIGNAME_MAX   64

/**
 * signame_of() - Name of a signal
 * @sig:	Number
 * @buf:	Room for the names that have to be put together
 *
 * Return: "SIGTERM", "SIGRTMIN+3", "SIGRTMAX-1", "SIG32" for a number without a name, "SIG?" for one
 *         that is no signal's; constant, or in @buf
 */
const char *signame_of(int sig, char buf[static SIGNAME_SIZE]);

/**
 * signame_parse() - Number of a signal
 * @text:	"TERM", "SIGTERM", "15", "RTMIN+3", "RTMAX-1", in any case; "0"
 *
 * Return: 1 to 64, 0 for "0", or -EINVAL
 */
int signame_parse(const char *text);

#endif /* INIT_PROCESS_SIGNAME_H */
