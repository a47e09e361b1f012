/* SPDX-License-Identifier: MIT */
/* resolv.conf and hosts, as whoever made the container left them. */
#include "daemon/net/dnsconf.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <sys/socket.h>

#define HOSTS_MAX 8
#define TEXT_SIZE 4096

static void check_conf(const struct dnsconf *c)
{
	FUZZ_CHECK(c->n_servers >= 1 && c->n_servers <= DNSCONF_SERVERS_MAX);
	for (size_t i = 0; i < c->n_servers; i++)
		FUZZ_CHECK(c->server[i].port != 0 && c->server[i].ip.family != 0);
	FUZZ_CHECK(c->n_search <= DNSCONF_SEARCH_MAX);
	for (size_t i = 0; i < c->n_search; i++) {
		FUZZ_CHECK(fuzz_is_text(c->search[i], sizeof(c->search[i])));
		FUZZ_CHECK(c->search[i][0] != '\0');
	}
	FUZZ_CHECK(c->ndots <= 15);
	FUZZ_CHECK(c->timeout_s >= 1 && c->timeout_s <= 10);
	FUZZ_CHECK(c->attempts >= 1 && c->attempts <= 5);
}

/* As a person would write it down. */
static void format_conf(char out[static TEXT_SIZE], const struct dnsconf *c)
{
	char at[ENDPOINT_TEXT_SIZE];
	size_t len = (size_t)snprintf(out, TEXT_SIZE, "options ndots:%u timeout:%u attempts:%u\n",
				      c->ndots, c->timeout_s, c->attempts);

	for (size_t i = 0; i < c->n_servers; i++)
		len += (size_t)snprintf(out + len, TEXT_SIZE - len, "nameserver %s\n",
					endpoint_format(at, &c->server[i]));
	len += (size_t)snprintf(out + len, TEXT_SIZE - len, "search");
	/* One dot at the end is for whoever wrote it. */
	for (size_t i = 0; i < c->n_search; i++)
		len += (size_t)snprintf(out + len, TEXT_SIZE - len, " %s.", c->search[i]);
	FUZZ_CHECK(len < TEXT_SIZE);
}

/* What was understood can be said again, and is understood in the same way. */
static void try_conf(const char *text)
{
	static char again[TEXT_SIZE];
	struct dnsconf first;
	struct dnsconf second;

	memset(&first, 0xa5, sizeof(first));
	dnsconf_parse(&first, text);
	check_conf(&first);
	format_conf(again, &first);
	dnsconf_parse(&second, again);
	FUZZ_CHECK(second.n_servers == first.n_servers && second.n_search == first.n_search);
	for (size_t i = 0; i < first.n_servers; i++)
		FUZZ_CHECK(endpoint_equal(&second.server[i], &first.server[i]));
	for (size_t i = 0; i < first.n_search; i++)
		FUZZ_CHECK(strcmp(second.search[i], first.search[i]) == 0);
	FUZZ_CHECK(second.ndots == first.ndots && second.attempts == first.attempts);
	FUZZ_CHECK(second.timeout_s == first.timeout_s);
}

/* However much room there is, the first addresses are the same. */
static void try_hosts(const char *text, const char *name)
{
	struct ip all[HOSTS_MAX];
	struct ip one[1];
	size_t n = dnsconf_hosts(text, name, all, HOSTS_MAX);

	FUZZ_CHECK(n <= HOSTS_MAX);
	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK(all[i].family == AF_INET || all[i].family == AF_INET6);
	FUZZ_CHECK(dnsconf_hosts(text, name, one, 1) == (n > 0));
	FUZZ_CHECK(n == 0 || ip_equal(&all[0], &one[0]));
	FUZZ_CHECK(dnsconf_hosts(text, name, one, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_conf(text);
	try_hosts(text, "localhost");
	try_hosts(text, "Peer-1.Example");
	FUZZ_CHECK(dnsconf_hosts(text, "", &(struct ip) { 0 }, 1) == 0);
	free(text);
	return 0;
}
