/* SPDX-License-Identifier: MIT */
/* addr - IP addresses, prefixes and endpoints: parse, format, compare; pure, literals only */
#ifndef DAEMON_NET_ADDR_H
#define DAEMON_NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define IP_TEXT_SIZE	   46 /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_SIZE   50 /* address, '/', three digits */
#define ENDPOINT_TEXT_SIZE 54 /* '[', address, "]:", five digits */

/**
 * struct ip - An IPv4 or IPv6 address
 * @family:	AF_INET, AF_INET6, or 0 for "none" (a zeroed struct is none)
 * @b:		Network byte order; IPv4 uses the first four bytes, the rest is zero
 */
struct ip {
	uint8_t family;
	uint8_t b[16];
};

/**
 * struct prefix - A network
 * @ip:		Address; host bits may be set until prefix_mask() is called
 * @bits:	0..32 or 0..128
 */
struct prefix {
	struct ip ip;
	uint8_t bits;
};

/**
 * struct endpoint - Where UDP or TCP goes
 * @ip:		Address, family 0 for "none"
 * @port:	Host byte order
 */
struct endpoint {
	struct ip ip;
	uint16_t port;
};

/**
 * ip_parse() - Parse an address literal
 * @out:	Receives the address; "none" on failure
 * @text:	Dotted quad without leading zeros, or RFC 4291 text without a zone
 *
 * Return: 0 or -EINVAL
 */
int ip_parse(struct ip *out, const char *text);

/**
 * ip_format() - Write an address as text (RFC 5952; a single zero group is written "0")
 * @out:	Receives the text; empty for "none"
 * @ip:		Address
 *
 * Return: @out
 */
char *ip_format(char out[static IP_TEXT_SIZE], const struct ip *ip);

bool ip_equal(const struct ip *a, const struct ip *b);

/**
 * ip_is_wildcard() - Is it 0.0.0.0 or :: ?
 */
bool ip_is_wildcard(const struct ip *ip);

/**
 * ip_is_global() - Could a node elsewhere on the internet send to it?
 * @ip:		Address
 *
 * Return: false for loopback, RFC 1918, ULA, link-local, multicast and wildcard addresses
 *         (protocol.md section 9, observed_endpoint); 100.64.0.0/10 passes
 */
bool ip_is_global(const struct ip *ip);

/**
 * ip_unmap() - Turn ::ffff:a.b.c.d into a.b.c.d, leave every other address alone
 */
void ip_unmap(struct ip *ip);

/**
 * prefix_parse() - Parse "address/bits"
 * @out:	Receives the prefix as written, host bits included
 * @text:	Address literal, '/', decimal bits without a leading zero
 *
 * Return: 0 or -EINVAL
 */
int prefix_parse(struct prefix *out, const char *text);

char *prefix_format(char out[static PREFIX_TEXT_SIZE], const struct prefix *p);

/**
 * prefix_mask() - Clear the host bits
 */
void prefix_mask(struct prefix *p);

/**
 * prefix_host() - The prefix that holds one address: /32 or /128
 */
struct prefix prefix_host(const struct ip *ip);

bool prefix_equal(const struct prefix *a, const struct prefix *b);

/**
 * prefix_contains() - Does an address lie in a network?
 */
bool prefix_contains(const struct prefix *p, const struct ip *ip);

/**
 * prefix_overlaps() - Do two networks share an address?
 */
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

/**
 * endpoint_parse() - Parse "a.b.c.d:port" or "[v6]:port"
 * @out:	Receives the endpoint; "none" on failure
 * @text:	Literal address and a port 1..65535
 *
 * Return: 0 or -EINVAL
 */
int endpoint_parse(struct endpoint *out, const char *text);

char *endpoint_format(char out[static ENDPOINT_TEXT_SIZE], const struct endpoint *e);

/**
 * endpoint_is_usable() - Could another machine be reached there?
 *
 * Return: false for "none", port 0, the wildcard, loopback, link-local and multicast addresses
 */
bool endpoint_is_usable(const struct endpoint *e);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/**
 * endpoint_from_sockaddr() - Take what the kernel reports, IPv4-mapped addresses unmapped
 * @out:	Receives the endpoint; "none" for another family
 * @sa:		AF_INET or AF_INET6 address
 *
 * Return: 0 or -EAFNOSUPPORT
 */
int endpoint_from_sockaddr(struct endpoint *out, const struct sockaddr *sa);

/**
 * endpoint_to_sockaddr() - Make the address to send to
 * @ss:		Receives AF_INET or AF_INET6
 * @e:		Endpoint
 * @v6_socket:	true for a dual-stack AF_INET6 socket: IPv4 becomes ::ffff:a.b.c.d
 *
 * Return: length for sendto(2), 0 for "none"
 */
socklen_t endpoint_to_sockaddr(struct sockaddr_storage *ss, const struct endpoint *e,
			       bool v6_socket);

#endif /* DAEMON_NET_ADDR_H */
