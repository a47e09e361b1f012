/* SPDX-License-Identifier: MIT */
#include "daemon/net/dnsconf.h"
#include "common/str.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DNS_PORT     53
#define BLANK	     " \t\r"
#define WORD_SIZE    256
#define TIMEOUT_S    3 /* resolv.conf(5) says five; three servers and two attempts are long enough */
#define TIMEOUT_MAX  10
#define ATTEMPTS     2
#define ATTEMPTS_MAX 5
#define NDOTS_MAX    15

/* The next word of a line, cut when it is long; false at its end. */
static bool next_word(char out[static WORD_SIZE], const char **line)
{
	const char *s = *line + strspn(*line, BLANK);
	size_t len = strcspn(s, BLANK "\n");

	if (len == 0 || *s == '#' || *s == ';')
		return false;
	str_cut(out, WORD_SIZE, s, len);
	*line = s + len;
	return true;
}

static const char *next_line(const char *s)
{
	const char *end = strchr(s, '\n');

	return end ? end + 1 : s + strlen(s);
}

static void take_server(struct dnsconf *out, const char *word)
{
	struct endpoint at = { .port = DNS_PORT };

	if (out->n_servers == DNSCONF_SERVERS_MAX ||
	    (ip_parse(&at.ip, word) < 0 && endpoint_parse(&at, word) < 0))
		return;
	out->server[out->n_servers++] = at;
}

static void take_search(struct dnsconf *out, const char *line)
{
	char word[WORD_SIZE];

	out->n_search = 0;
	while (out->n_search < DNSCONF_SEARCH_MAX && next_word(word, &line)) {
		size_t len = strlen(word);

		if (len > 0 && word[len - 1] == '.')
			word[--len] = '\0';
		if (len > 0 && len < DNSCONF_DOMAIN_SIZE)
			(void)str_copy(out->search[out->n_search++], DNSCONF_DOMAIN_SIZE, word);
	}
}

static unsigned int number(const char *text, unsigned int least, unsigned int most)
{
	unsigned long value = strtoul(text, NULL, 10);

	if (value < least)
		return least;
	return value > most ? most : (unsigned int)value;
}

static void take_options(struct dnsconf *out, const char *line)
{
	char word[WORD_SIZE];

	while (next_word(word, &line)) {
		if (strncmp(word, "ndots:", 6) == 0)
			out->ndots = number(word + 6, 0, NDOTS_MAX);
		else if (strncmp(word, "timeout:", 8) == 0)
			out->timeout_s = number(word + 8, 1, TIMEOUT_MAX);
		else if (strncmp(word, "attempts:", 9) == 0)
			out->attempts = number(word + 9, 1, ATTEMPTS_MAX);
	}
}

static void take_line(struct dnsconf *out, const char *line)
{
	char word[WORD_SIZE];

	if (!next_word(word, &line))
		return;
	if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0)
		take_search(out, line);
	else if (strcmp(word, "options") == 0)
		take_options(out, line);
	else if (strcmp(word, "nameserver") == 0 && next_word(word, &line))
		take_server(out, word);
}

void dnsconf_parse(struct dnsconf *out, const char *text)
{
	*out = (struct dnsconf) { .ndots = 1, .timeout_s = TIMEOUT_S, .attempts = ATTEMPTS };
	for (const char *line = text; *line; line = next_line(line))
		take_line(out, line);
	if (out->n_servers == 0)
		take_server(out, "127.0.0.1");
}

static bool names(const char *line, const char *name)
{
	char word[WORD_SIZE];

	while (next_word(word, &line))
		if (strcasecmp(word, name) == 0)
			return true;
	return false;
}

size_t dnsconf_hosts(const char *text, const char *name, struct ip *list, size_t max)
{
	size_t n = 0;

	for (const char *line = text; *line && n < max; line = next_line(line)) {
		const char *rest = line;
		char word[WORD_SIZE];

		if (next_word(word, &rest) && ip_parse(&list[n], word) == 0 && names(rest, name))
			n++;
	}
	return n;
}
