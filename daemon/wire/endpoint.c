/* SPDX-License-Identifier: MIT */
#include "daemon/wire/endpoint.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOST_MAX	253
#define PORT_MAX	10 /* characters kept of a port: sign, leading zeros */
#define WIREGUARD_PORT	"51820"
#define RANK_RENDEZVOUS 90
#define RANK_OTHER	30

/**
 * struct host_port - The two halves of an endpoint
 * @host:	Without brackets; may be empty
 * @port:	Text after the last colon; may be empty
 */
struct host_port {
	char host[HOST_MAX + 1];
	char port[PORT_MAX + 1];
};

/* Finds where host and port lie, by the rules of Go's net.SplitHostPort. */
static int locate(const char *text, const char **host, size_t *host_len, const char **port)
{
	const char *colon = strrchr(text, ':');
	const char *end = colon;

	if (!colon)
		return -EINVAL;
	*host = text;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || end + 1 != colon)
			return -EINVAL;
		(*host)++;
	} else if (strchr(text, ':') != colon) {
		return -EINVAL;
	}
	*host_len = (size_t)(end - *host);
	*port = colon + 1;
	if (memchr(*host, '[', *host_len) || memchr(*host, ']', *host_len))
		return -EINVAL;
	return strpbrk(*port, "[]") ? -EINVAL : 0;
}

static int split(struct host_port *out, const char *text)
{
	const char *host = NULL;
	const char *port = NULL;
	size_t host_len = 0;
	int r = locate(text, &host, &host_len, &port);

	if (r < 0)
		return r;
	if (host_len > HOST_MAX || strlen(port) > PORT_MAX)
		return -EINVAL;
	str_cut(out->host, sizeof(out->host), host, host_len);
	str_cut(out->port, sizeof(out->port), port, strlen(port));
	return 0;
}

static void join(char *out, const char *host, const char *port)
{
	bool is_v6 = strchr(host, ':');

	(void)snprintf(out, ENDPOINT_OUT_SIZE, "%s%.253s%s:%.10s", is_v6 ? "[" : "", host,
		       is_v6 ? "]" : "", port);
}

static void join_ip(char *out, const struct ip *ip, const char *port)
{
	char text[IP_TEXT_SIZE];
	struct ip plain = *ip;

	ip_unmap(&plain);
	join(out, ip_format(text, &plain), port);
}

static bool is_wildcard(const char *host)
{
	struct ip ip;

	if (ip_parse(&ip, host) < 0)
		return false;
	ip_unmap(&ip);
	return ip_is_wildcard(&ip);
}

bool endpoint_is_acceptable(const char *text)
{
	struct host_port hp;
	const char *digits;
	uint64_t port;

	if (text[0] == '\0')
		return true;
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	if (strlen(text) > ENDPOINT_TEXT_MAX || split(&hp, text) < 0)
		return false;
	digits = hp.port[0] == '+' ? hp.port + 1 : hp.port;
	return str_parse_u64(&port, digits, 1, UINT16_MAX) == 0;
}

/* On a LAN the sender's address is the one that works; only the port is taken from the text. */
void endpoint_from_lan(char *out, const char *advertised, const struct ip *sender)
{
	struct host_port hp;
	bool has_port = split(&hp, advertised) == 0 && hp.port[0] != '\0';

	if (sender)
		join_ip(out, sender, has_port ? hp.port : WIREGUARD_PORT);
	else if (has_port)
		(void)str_copy(out, ENDPOINT_OUT_SIZE, advertised);
	else
		out[0] = '\0';
}

void endpoint_from_exchange(char *out, const char *advertised, const struct ip *sender)
{
	struct host_port hp;
	bool is_valid = split(&hp, advertised) == 0;

	if (sender && !is_valid)
		join_ip(out, sender, WIREGUARD_PORT);
	else if (sender && (hp.host[0] == '\0' || is_wildcard(hp.host)))
		join_ip(out, sender, hp.port);
	else if (is_valid && hp.host[0] != '\0')
		(void)str_copy(out, ENDPOINT_OUT_SIZE, advertised);
	else
		out[0] = '\0';
}

/* Splits an endpoint that names a host of its own; nobody can say what a wildcard stands for. */
static int split_named(struct host_port *out, const char *text)
{
	int r = split(out, text);

	if (r < 0)
		return r;
	return out->host[0] == '\0' || is_wildcard(out->host) ? -EINVAL : 0;
}

void endpoint_from_known_peer(char *out, const char *advertised)
{
	struct host_port hp;

	out[0] = '\0';
	if (split_named(&hp, advertised) == 0)
		(void)str_copy(out, ENDPOINT_OUT_SIZE, advertised);
}

void endpoint_control(char *out, const char *endpoint, uint16_t gossip_port)
{
	struct host_port hp;
	char port[6];

	out[0] = '\0';
	if (split_named(&hp, endpoint) < 0)
		return;
	(void)snprintf(port, sizeof(port), "%u", (unsigned int)gossip_port);
	join(out, hp.host, port);
}

unsigned int endpoint_rank(const char *method)
{
	static const struct {
		const char *method;
		unsigned int rank;
	} ranks[] = {
		{ "lan", 100 },
		{ "dht", 70 },
		{ "gossip", 65 },
		{ "dht-transitive", 40 },
		{ "gossip-transitive", 35 },
		{ "cache", 20 },
		{ "", 0 },
	};

	if (strstr(method, "dht-rendezvous"))
		return RANK_RENDEZVOUS;
	for (size_t i = 0; i < ARRAY_LEN(ranks); i++) {
		if (strcmp(method, ranks[i].method) == 0)
			return ranks[i].rank;
	}
	return RANK_OTHER;
}

static bool is_ip6(const char *endpoint)
{
	struct host_port hp;

	return split(&hp, endpoint) == 0 && strchr(hp.host, ':');
}

bool endpoint_replaces(const char *old, const char *old_method, const char *new,
		       const char *new_method)
{
	unsigned int old_rank = endpoint_rank(old_method);
	unsigned int new_rank = endpoint_rank(new_method);

	if (new[0] == '\0' || old[0] == '\0')
		return new[0] != '\0';
	if (new_rank != old_rank)
		return new_rank > old_rank;
	return is_ip6(new) || !is_ip6(old);
}
