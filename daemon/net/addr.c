/* SPDX-License-Identifier: MIT */
#include "daemon/net/addr.h"
#include "common/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define V4_LEN	  4
#define V6_LEN	  16
#define V6_GROUPS 8

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static size_t ip_len(const struct ip *ip)
{
	if (ip->family == AF_INET)
		return V4_LEN;
	return ip->family == AF_INET6 ? V6_LEN : 0;
}

static uint8_t ip_bits(const struct ip *ip)
{
	return (uint8_t)(ip_len(ip) * 8);
}

/* Both glibc's and musl's inet_pton() refuse leading zeros in a dotted quad, and zones. */
int ip_parse(struct ip *out, const char *text)
{
	*out = (struct ip) { 0 };
	if (inet_pton(AF_INET, text, out->b) == 1) {
		out->family = AF_INET;
		return 0;
	}
	if (inet_pton(AF_INET6, text, out->b) == 1) {
		out->family = AF_INET6;
		return 0;
	}
	*out = (struct ip) { 0 };
	return -EINVAL;
}

static bool is_v4_mapped(const struct ip *ip)
{
	return ip->family == AF_INET6 && memcmp(ip->b, v4_mapped, sizeof(v4_mapped)) == 0;
}

static unsigned int v6_group(const struct ip *ip, size_t i)
{
	return (unsigned int)ip->b[2 * i] << 8 | ip->b[2 * i + 1];
}

/* Finds the first longest run of two or more zero groups; *@len is 0 when there is none. */
static unsigned int v6_zero_run(const struct ip *ip, unsigned int *len)
{
	unsigned int best = 0;
	unsigned int run = 0;

	*len = 0;
	for (unsigned int i = 0; i < V6_GROUPS; i++) {
		run = v6_group(ip, i) == 0 ? run + 1 : 0;
		if (run >= 2 && run > *len) {
			*len = run;
			best = i + 1 - run;
		}
	}
	return best;
}

/*
 * Not inet_ntop(): C libraries differ in what they do with a single zero group and with
 * addresses below ::ffff:0:0, and mesh addresses are compared as text by other nodes.
 */
static void v6_format(char out[static IP_TEXT_SIZE], const struct ip *ip)
{
	unsigned int run_len;
	unsigned int run = v6_zero_run(ip, &run_len);
	size_t used = 0;

	for (unsigned int i = 0; i < V6_GROUPS; i++) {
		bool after_run = run_len > 0 && i == run + run_len;

		if (run_len > 0 && i == run) {
			used += (size_t)snprintf(out + used, IP_TEXT_SIZE - used, "::");
			i += run_len - 1;
			continue;
		}
		used += (size_t)snprintf(out + used, IP_TEXT_SIZE - used, "%s%x",
					 i == 0 || after_run ? "" : ":", v6_group(ip, i));
	}
}

char *ip_format(char out[static IP_TEXT_SIZE], const struct ip *ip)
{
	const uint8_t *b = ip->b;

	out[0] = '\0';
	if (ip->family == AF_INET)
		(void)snprintf(out, IP_TEXT_SIZE, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	else if (is_v4_mapped(ip))
		(void)snprintf(out, IP_TEXT_SIZE, "::ffff:%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
	else if (ip->family == AF_INET6)
		v6_format(out, ip);
	return out;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->b, b->b, ip_len(a)) == 0;
}

bool ip_is_wildcard(const struct ip *ip)
{
	static const uint8_t zero[V6_LEN];

	return ip->family != 0 && memcmp(ip->b, zero, ip_len(ip)) == 0;
}

static bool v4_is_global(const uint8_t b[static V4_LEN])
{
	static const uint8_t broadcast[V4_LEN] = { 255, 255, 255, 255 };
	bool is_private =
		b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168);
	bool is_link_local = b[0] == 169 && b[1] == 254;
	bool is_multicast = (b[0] & 0xf0) == 224;

	return b[0] != 0 && b[0] != 127 && !is_private && !is_link_local && !is_multicast &&
	       memcmp(b, broadcast, V4_LEN) != 0;
}

static bool v6_is_global(const struct ip *ip)
{
	static const uint8_t loopback[V6_LEN] = { [15] = 1 };
	bool is_ula = (ip->b[0] & 0xfe) == 0xfc;
	bool is_link_local = ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
	bool is_multicast = ip->b[0] == 0xff;

	return !ip_is_wildcard(ip) && memcmp(ip->b, loopback, V6_LEN) != 0 && !is_ula &&
	       !is_link_local && !is_multicast;
}

bool ip_is_global(const struct ip *ip)
{
	struct ip plain = *ip;

	ip_unmap(&plain);
	if (plain.family == AF_INET)
		return v4_is_global(plain.b);
	return plain.family == AF_INET6 && v6_is_global(&plain);
}

void ip_unmap(struct ip *ip)
{
	struct ip v4 = { .family = AF_INET };

	if (!is_v4_mapped(ip))
		return;
	memcpy(v4.b, ip->b + sizeof(v4_mapped), V4_LEN);
	*ip = v4;
}

/* A decimal number without a leading zero: "0", "7", "51820", but not "07". */
static int parse_plain(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
	if (text[0] == '0' && text[1] != '\0')
		return -EINVAL;
	return str_parse_u64(out, text, min, max) < 0 ? -EINVAL : 0;
}

/* Parses the address in the @len bytes at @text. */
static int parse_part(struct ip *out, const char *text, size_t len)
{
	char part[IP_TEXT_SIZE];

	*out = (struct ip) { 0 };
	if (len >= sizeof(part))
		return -EINVAL;
	memcpy(part, text, len);
	part[len] = '\0';
	return ip_parse(out, part);
}

int prefix_parse(struct prefix *out, const char *text)
{
	const char *slash = strchr(text, '/');
	uint64_t bits;
	struct ip ip;

	*out = (struct prefix) { 0 };
	if (!slash || parse_part(&ip, text, (size_t)(slash - text)) < 0)
		return -EINVAL;
	if (parse_plain(&bits, slash + 1, 0, ip_bits(&ip)) < 0)
		return -EINVAL;
	out->ip = ip;
	out->bits = (uint8_t)bits;
	return 0;
}

char *prefix_format(char out[static PREFIX_TEXT_SIZE], const struct prefix *p)
{
	char ip[IP_TEXT_SIZE];

	out[0] = '\0';
	if (p->ip.family != 0)
		(void)snprintf(out, PREFIX_TEXT_SIZE, "%s/%u", ip_format(ip, &p->ip), p->bits);
	return out;
}

/* The bits of byte @i that belong to a network of @bits bits. */
static uint8_t mask_byte(size_t i, unsigned int bits)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	if (bits <= 8 * i)
		return 0;
	return (uint8_t)(0xff << (8 * (i + 1) - bits));
}

void prefix_mask(struct prefix *p)
{
	for (size_t i = 0; i < sizeof(p->ip.b); i++)
		p->ip.b[i] &= mask_byte(i, p->bits);
}

struct prefix prefix_host(const struct ip *ip)
{
	return (struct prefix) { .ip = *ip, .bits = ip_bits(ip) };
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->bits == b->bits && ip_equal(&a->ip, &b->ip);
}

bool prefix_contains(const struct prefix *p, const struct ip *ip)
{
	if (p->ip.family == 0 || p->ip.family != ip->family)
		return false;
	for (size_t i = 0; i < ip_len(ip); i++) {
		if ((p->ip.b[i] ^ ip->b[i]) & mask_byte(i, p->bits))
			return false;
	}
	return true;
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->bits <= b->bits ? prefix_contains(a, &b->ip) : prefix_contains(b, &a->ip);
}

int endpoint_parse(struct endpoint *out, const char *text)
{
	bool bracketed = text[0] == '[';
	const char *host = bracketed ? text + 1 : text;
	const char *end = strchr(host, bracketed ? ']' : ':');
	uint64_t port;
	struct ip ip;

	*out = (struct endpoint) { 0 };
	if (!end || parse_part(&ip, host, (size_t)(end - host)) < 0)
		return -EINVAL;
	if ((ip.family == AF_INET6) != bracketed)
		return -EINVAL;
	end += bracketed ? 1 : 0;
	if (*end != ':' || parse_plain(&port, end + 1, 1, UINT16_MAX) < 0)
		return -EINVAL;
	out->ip = ip;
	out->port = (uint16_t)port;
	return 0;
}

char *endpoint_format(char out[static ENDPOINT_TEXT_SIZE], const struct endpoint *e)
{
	char ip[IP_TEXT_SIZE];

	out[0] = '\0';
	if (e->ip.family == AF_INET)
		(void)snprintf(out, ENDPOINT_TEXT_SIZE, "%s:%u", ip_format(ip, &e->ip), e->port);
	else if (e->ip.family == AF_INET6)
		(void)snprintf(out, ENDPOINT_TEXT_SIZE, "[%s]:%u", ip_format(ip, &e->ip), e->port);
	return out;
}

bool endpoint_is_usable(const struct endpoint *e)
{
	static const char *const never[] = { "0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16",
					     "224.0.0.0/3", "::/127",	   "fe80::/10",
					     "ff00::/8" };
	struct ip plain = e->ip;

	ip_unmap(&plain);
	if (plain.family == 0 || e->port == 0)
		return false;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct prefix bad;

		if (prefix_parse(&bad, never[i]) == 0 && prefix_contains(&bad, &plain))
			return false;
	}
	return true;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

int endpoint_from_sockaddr(struct endpoint *out, const struct sockaddr *sa)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	*out = (struct endpoint) { 0 };
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		out->ip.family = AF_INET;
		memcpy(out->ip.b, &v4.sin_addr, V4_LEN);
		out->port = ntohs(v4.sin_port);
		return 0;
	}
	if (sa->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(&v6, sa, sizeof(v6));
	out->ip.family = AF_INET6;
	memcpy(out->ip.b, &v6.sin6_addr, V6_LEN);
	out->port = ntohs(v6.sin6_port);
	ip_unmap(&out->ip);
	return 0;
}

socklen_t endpoint_to_sockaddr(struct sockaddr_storage *ss, const struct endpoint *e,
			       bool v6_socket)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(e->port) };

	*ss = (struct sockaddr_storage) { 0 };
	if (e->ip.family == 0)
		return 0;
	if (e->ip.family == AF_INET && !v6_socket) {
		memcpy(&v4.sin_addr, e->ip.b, V4_LEN);
		memcpy(ss, &v4, sizeof(v4));
		return sizeof(v4);
	}
	if (e->ip.family == AF_INET) {
		memcpy(v6.sin6_addr.s6_addr, v4_mapped, sizeof(v4_mapped));
		memcpy(v6.sin6_addr.s6_addr + sizeof(v4_mapped), e->ip.b, V4_LEN);
	} else {
		memcpy(&v6.sin6_addr, e->ip.b, V6_LEN);
	}
	memcpy(ss, &v6, sizeof(v6));
	return sizeof(v6);
}
