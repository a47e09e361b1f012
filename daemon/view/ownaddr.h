/* SPDX-License-Identifier: MIT */
/*
 * ownaddr - where others see us, and what that tells of a NAT; pure
 *
 * Each REPLY says from which address our HELLO came. One member alone could lie, or be mistaken, so
 * nothing is believed that would not hold without any one of them, but that the address and port we
 * send from are ours. A member counts once, whatever it calls itself: by its key, and by its address,
 * of which everybody has 2^64 in IPv6.
 */
#ifndef DAEMON_VIEW_OWNADDR_H
#define DAEMON_VIEW_OWNADDR_H

#include "daemon/net/addr.h"
#include "daemon/view/view.h"
#include "daemon/wg/wg.h"

#include <stddef.h>
#include <stdint.h>

#define OWNADDR_OBSERVERS_MAX 16
#define OWNADDR_KEEP_MS	      (5 * 60 * 1000)

/**
 * struct ownaddr_observer - Who saw us
 * @key:	Its key
 * @ip:		Its address
 */
struct ownaddr_observer {
	struct wg_key key;
	struct ip ip;
};

/**
 * struct ownaddr - What others told; all zero before anybody did
 * @n:		Entries in use
 * @seen:	Who saw us where and when, newest first, one entry for each observer
 */
struct ownaddr {
	size_t n;
	struct {
		struct ownaddr_observer observer;
		struct endpoint us;
		int64_t at_ms;
	} seen[OWNADDR_OBSERVERS_MAX];
};

/**
 * struct ownaddr_local - What this machine knows of itself
 * @ip:		Addresses of its interfaces
 * @n:		Entries in @ip
 * @port:	Of the socket that the HELLOs were sent from
 */
struct ownaddr_local {
	const struct ip *ip;
	size_t n;
	uint16_t port;
};

/**
 * ownaddr_take() - An observer says where it sees us
 * @o:		What others told
 * @us:		Address and port; "none" is passed over
 * @observer:	Who it is
 * @now_ms:	Monotonic time
 */
void ownaddr_take(struct ownaddr *o, const struct endpoint *us,
		  const struct ownaddr_observer *observer, int64_t now_ms);

/**
 * ownaddr_list() - The addresses that are believed, newest first, each once
 * @o:		What others told
 * @local:	This machine
 * @now_ms:	Monotonic time; what is older than OWNADDR_KEEP_MS does not count
 * @out:	Receives the addresses
 *
 * Return: entries in @out
 */
size_t ownaddr_list(const struct ownaddr *o, const struct ownaddr_local *local, int64_t now_ms,
		    struct endpoint out[static VIEW_ENDPOINTS_MAX]);

/**
 * ownaddr_ip() - The address, whatever the port, that observers agree on
 * @o:		What others told
 * @family:	AF_INET or AF_INET6
 * @now_ms:	Monotonic time
 *
 * Return: the address that most of them see, which are two at least and more than see any other one;
 *         otherwise "none"
 */
struct ip ownaddr_ip(const struct ownaddr *o, uint8_t family, int64_t now_ms);

/**
 * ownaddr_nat() - What kind of NAT is in between
 * @o:		What others told
 * @local:	This machine
 * @now_ms:	Monotonic time
 *
 * Return: NAT_NONE when all see the very address and port we send from; NAT_CONE when observers
 *         see one and the same mapping, all but one at most; NAT_SYMMETRIC when at least three see
 *         one address, and more than one of them another port than the others; otherwise NAT_UNKNOWN
 */
enum view_nat ownaddr_nat(const struct ownaddr *o, const struct ownaddr_local *local,
			  int64_t now_ms);

#endif /* DAEMON_VIEW_OWNADDR_H */
