/* SPDX-License-Identifier: MIT */
/*
 * forwardlog - what a run has switched on to forward, so that a later one can switch it off; pure
 *
 *	boot=6a2f...	the boot and
 *	netns=4026531840	the network namespace it was done in
 *	interface=eth1	forwards IPv4 since then, and did not before
 *	ipv6=1		likewise IPv6, all of it
 *	table=1		there is a table of firewall rules
 *
 * It is on disk before anything is switched, and goes when all of it is switched back: what a crashed
 * run has left is never taken for what its operator wanted.
 */
#ifndef DAEMON_ADMIN_FORWARDLOG_H
#define DAEMON_ADMIN_FORWARDLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORWARDLOG_INTERFACES_MAX 16
#define FORWARDLOG_FILE_MAX	  1024
#define FORWARDLOG_BOOT_SIZE	  37

/**
 * struct forwardlog - The file
 * @boot:	/proc/sys/kernel/random/boot_id
 * @netns:	Inode of /proc/self/ns/net
 * @n:		Entries in @ifname
 * @ifname:	Interfaces that forward IPv4 because of us
 * @ipv6:	IPv6 is forwarded because of us
 * @table:	There is a table of ours
 */
struct forwardlog {
	char boot[FORWARDLOG_BOOT_SIZE];
	uint64_t netns;
	size_t n;
	char ifname[FORWARDLOG_INTERFACES_MAX][16];
	bool ipv6;
	bool table;
};

/**
 * forwardlog_parse() - Read the file
 * @out:	Receives what it says; zeroed when nothing of it can be believed
 * @text:	Its bytes, without a NUL among them
 * @len:	Bytes in @text
 *
 * Return: 0 or -EBADMSG
 */
int forwardlog_parse(struct forwardlog *out, const char *text, size_t len);

/**
 * forwardlog_format() - Write the file
 *
 * Return: bytes in @out
 */
size_t forwardlog_format(char out[static FORWARDLOG_FILE_MAX], const struct forwardlog *log);

/**
 * forwardlog_is_here() - Was it written in this boot and this network namespace?
 */
bool forwardlog_is_here(const struct forwardlog *log, const struct forwardlog *here);

bool forwardlog_equal(const struct forwardlog *a, const struct forwardlog *b);

/**
 * forwardlog_has() - Does this interface forward because of us?
 */
bool forwardlog_has(const struct forwardlog *log, const char *ifname);

/**
 * forwardlog_add() - Note an interface
 *
 * Return: true when it is noted, false when there is no room
 */
bool forwardlog_add(struct forwardlog *log, const char *ifname);

/**
 * forwardlog_drop() - Forget an interface
 */
void forwardlog_drop(struct forwardlog *log, const char *ifname);

#endif /* DAEMON_ADMIN_FORWARDLOG_H */
