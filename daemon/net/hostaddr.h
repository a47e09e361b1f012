/* SPDX-License-Identifier: MIT */
/*
 * hostaddr - the addresses of this machine, and whether it has a way to another one
 *
 * Asked of the kernel, whose answers are immediate. No datagram leaves the machine for it.
 */
#ifndef DAEMON_NET_HOSTADDR_H
#define DAEMON_NET_HOSTADDR_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

#define HOSTADDRS_MAX 64

/**
 * struct hostaddr - An address of an interface that is up and connected
 * @net:	Address, and the length of its network
 * @ifindex:	Interface
 * @is_temporary: IPv6 privacy extensions: it changes daily
 * @is_deprecated: About to go: nothing new is to use it
 * @is_tentative: Not ours yet, or another machine has it too
 */
struct hostaddr {
	struct prefix net;
	int ifindex;
	bool is_temporary;
	bool is_deprecated;
	bool is_tentative;
};

/**
 * struct hostaddrs - All of them, as far as there is room
 * @n:		Entries in @at
 * @at:		In the kernel's order
 */
struct hostaddrs {
	size_t n;
	struct hostaddr at[HOSTADDRS_MAX];
};

/**
 * hostaddr_read() - Ask the kernel
 * @out:	Receives the addresses; those of loopback and of @own_ifindex are left out
 * @own_ifindex: Our WireGuard interface
 *
 * Return: 0 or a negative errno value; then @out is empty
 */
int hostaddr_read(struct hostaddrs *out, int own_ifindex);

/**
 * hostaddr_parse() - Take an RTM_NEWADDR message; pure
 *
 * Return: 0, or a negative errno value for what is no address of a use
 */
int hostaddr_parse(struct hostaddr *out, const struct nlmsghdr *nlh);

/**
 * hostaddrs_equal() - The same addresses of a family, in whatever order?
 *
 * Temporary ones do not count: they come and go while the lasting ones beside them stay. Nor do
 * tentative ones, which are not there yet.
 */
bool hostaddrs_equal(const struct hostaddrs *a, const struct hostaddrs *b, uint8_t family);

bool hostaddrs_have(const struct hostaddrs *list, const struct ip *ip);

/**
 * hostaddrs_reach() - Is this address in a network that the machine itself is in?
 */
bool hostaddrs_reach(const struct hostaddrs *list, const struct ip *ip);

/**
 * hostaddr_source() - The address that the kernel would send from
 * @out:	Receives it; "none" without a way there
 * @to:		Address and port; nothing is sent
 *
 * Return: true when there is a way
 */
bool hostaddr_source(struct ip *out, const struct endpoint *to);

#endif /* DAEMON_NET_HOSTADDR_H */
