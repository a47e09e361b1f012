/* SPDX-License-Identifier: MIT */
/*
 * crowd - as many members of a mesh as wanted, in all but WireGuard, from one process
 *
 *   crowd SECRET_FILE N FIRST_ADDRESS NODE_ADDRESS
 *
 * Each member has a key and an IPv4 address of its own, counted up from FIRST_ADDRESS; the caller has
 * given all of them to this machine ("ip route add local 10.92.0.0/16 dev lo"). Members greet the node,
 * answer its HELLOs, and do what lines on standard input say:
 *
 *   hello A B         members A to B - 1 greet the node
 *   move K PORT       member K greets the node, with WireGuard at another port
 *   route K NETWORK   member K greets the node, with a network behind it
 *   flood A B SECONDS members A to B - 1 greet the node, in turn, as fast as it goes
 *
 * Each is answered by one line: what was asked, the monotonic microseconds just before the first
 * datagram left, and how many answers have come so far. Ends at the end of its input.
 */
#include "common/defs.h"
#include "common/io.h"
#include "common/str.h"
#include "daemon/clock.h"
#include "daemon/net/udp.h"
#include "daemon/wire/announce.h"
#include "daemon/wire/crypto.h"
#include "daemon/wire/derive.h"
#include "daemon/wire/envelope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMBERS_MAX  20000
#define LISTEN_PORT  51820
#define DATAGRAM_MAX 4096
#define PLAIN_MAX    2048
#define SOCKET_ROOM  (8 << 20)
#define WORDS_MAX    4
#define LINE_MAX_LEN 128

/**
 * struct member - One of them
 * @self:	What it says of itself
 * @address:	Its address
 */
struct member {
	struct known_peer self;
	struct ip address;
};

/**
 * struct crowd - All of them
 * @secret:	Of the mesh
 * @keys:	Derived from it
 * @node:	Whom they talk to
 * @udp:	One socket for all, on every address
 * @n:		Entries in @member
 * @member:	They themselves
 * @n_replies:	Answers to their HELLOs that came
 */
struct crowd {
	struct secret secret;
	struct mesh_keys keys;
	struct endpoint node;
	struct udp udp;
	size_t n;
	struct member *member;
	uint64_t n_replies;
};

static int fail(const char *what)
{
	(void)fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	return 71;
}

/* Addresses are counted up as numbers. */
static struct ip address_after(const struct ip *first, size_t i)
{
	uint32_t number;
	struct ip ip = { .family = AF_INET };

	memcpy(&number, first->b, sizeof(number));
	number = htonl(ntohl(number) + (uint32_t)i);
	memcpy(ip.b, &number, sizeof(number));
	return ip;
}

/* The same keys each time: a restarted crowd is the same one. */
static void make_member(const struct crowd *c, struct member *m, const struct ip *first, size_t i)
{
	char number[40];
	char key[45];
	struct crypto_part part = { number, 0 };

	part.len = (size_t)snprintf(number, sizeof(number), "member %zu", i);
	crypto_sha256(m->self.key.b, &part, 1);
	(void)wg_key_format(key, &m->self.key);
	m->address = address_after(first, i);
	m->self.mesh_ip = derive_mesh_ip(&c->secret, &c->keys, NULL, key, 0);
	m->self.mesh_ip6 = derive_mesh_ip6(&c->secret, &c->keys, key);
	(void)snprintf(m->self.hostname, sizeof(m->self.hostname), "member-%zu", i);
	(void)snprintf(m->self.endpoint, sizeof(m->self.endpoint), "0.0.0.0:%d", LISTEN_PORT);
}

static long seal(const struct crowd *c, char *out, enum message_type type,
		 const struct announcement *a)
{
	uint8_t nonce[CRYPTO_NONCE_LEN];
	char plain[PLAIN_MAX];
	long len = announce_format(plain, sizeof(plain), a);

	crypto_random(nonce, sizeof(nonce));
	return len < 0 ? len
		       : envelope_seal(out, DATAGRAM_MAX, type, plain, (size_t)len, nonce,
				       c->keys.gossip_key);
}

/* A member says something to the node; @route may be NULL. */
static void say(const struct crowd *c, const struct member *m, enum message_type type,
		const struct prefix *route)
{
	struct announcement a = { .self = m->self, .timestamp = clock_now().unix_s };
	struct udp_local local = { .ip = m->address };
	char datagram[DATAGRAM_MAX];
	long len;

	/* What tells a node of our kind from others. */
	(void)snprintf(a.instance, sizeof(a.instance), "%016zx", (size_t)(m - c->member));
	if (route)
		a.routes[a.n_routes++] = *route;
	if (type == MESSAGE_REPLY)
		a.observed = c->node;
	len = seal(c, datagram, type, &a);
	if (len > 0)
		(void)udp_send(&c->udp, datagram, (size_t)len, &c->node, &local);
}

/* --- hearing --------------------------------------------------------------------------------- */

static struct member *member_at(const struct crowd *c, const struct ip *address)
{
	uint32_t first;
	uint32_t number;
	uint32_t i;

	memcpy(&first, c->member[0].address.b, sizeof(first));
	memcpy(&number, address->b, sizeof(number));
	i = ntohl(number) - ntohl(first);
	return i < c->n ? &c->member[i] : NULL;
}

static void hear(struct crowd *c)
{
	char datagram[DATAGRAM_MAX];
	struct udp_local local;
	struct endpoint from;
	ssize_t n;

	while ((n = udp_receive(&c->udp, datagram, sizeof(datagram) - 1, &from, &local)) > 0) {
		const struct member *m = member_at(c, &local.ip);

		datagram[n] = '\0';
		/* What it says is for us to answer, not to believe: the type will do. */
		if (m && strstr(datagram, "\"type\":\"HELLO\""))
			say(c, m, MESSAGE_REPLY, NULL);
		else if (m)
			c->n_replies++;
	}
}

/* Takes what comes for a while; 0 takes what is there. */
static void hear_for(struct crowd *c, int ms)
{
	struct pollfd p = { .fd = c->udp.fd, .events = POLLIN };

	if (poll(&p, 1, ms) > 0)
		hear(c);
}

/* --- doing ----------------------------------------------------------------------------------- */

static void greet(struct crowd *c, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < c->n; i++) {
		say(c, &c->member[i], MESSAGE_HELLO, NULL);
		/* The node's socket has room for some hundred. */
		if (i % 32 == 31)
			hear_for(c, 2);
	}
}

static void flood(struct crowd *c, size_t from, size_t to, unsigned int seconds)
{
	uint64_t end_us = clock_monotonic_us() + seconds * UINT64_C(1000000);

	while (to > from && clock_monotonic_us() < end_us) {
		for (size_t i = from; i < to && i < c->n; i++) {
			say(c, &c->member[i], MESSAGE_HELLO, NULL);
			if (i % 8 == 7)
				hear(c);
		}
	}
}

/* Cuts a line into words. Return: how many there are */
static size_t split(char *line, char *word[static WORDS_MAX])
{
	size_t n = 0;

	for (char *p = line + strspn(line, " "); *p != '\0' && n < WORDS_MAX; p += strspn(p, " ")) {
		word[n++] = p;
		p += strcspn(p, " ");
		if (*p != '\0')
			*p++ = '\0';
	}
	return n;
}

static size_t number(const char *word)
{
	uint64_t n = 0;

	(void)str_parse_u64(&n, word, 0, UINT32_MAX);
	return (size_t)n;
}

/* Return: when the first datagram left */
static uint64_t act(struct crowd *c, char *const *word, size_t n)
{
	size_t first = n > 1 ? number(word[1]) : 0;
	uint64_t began_us = clock_monotonic_us();
	struct prefix net;

	if (n == 3 && strcmp(word[0], "hello") == 0) {
		greet(c, first, number(word[2]));
	} else if (n == 3 && strcmp(word[0], "move") == 0 && first < c->n) {
		(void)snprintf(c->member[first].self.endpoint,
			       sizeof(c->member[first].self.endpoint), "0.0.0.0:%zu",
			       number(word[2]));
		began_us = clock_monotonic_us();
		say(c, &c->member[first], MESSAGE_HELLO, NULL);
	} else if (n == 3 && strcmp(word[0], "route") == 0 && first < c->n &&
		   prefix_parse(&net, word[2]) == 0) {
		say(c, &c->member[first], MESSAGE_HELLO, &net);
	} else if (n == 4 && strcmp(word[0], "flood") == 0) {
		flood(c, first, number(word[2]), (unsigned int)number(word[3]));
	}
	return began_us;
}

static void obey(struct crowd *c, char *line)
{
	char *word[WORDS_MAX];
	char said[LINE_MAX_LEN];
	uint64_t began_us;

	line[strcspn(line, "\n")] = '\0';
	(void)str_copy(said, sizeof(said), line);
	began_us = act(c, word, split(line, word));
	(void)printf("%s\t%" PRIu64 "\t%" PRIu64 "\n", said, began_us, c->n_replies);
	(void)fflush(stdout);
}

/* --- all of it ------------------------------------------------------------------------------- */

static int load_secret(struct crowd *c, const char *path)
{
	char text[512];
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read_bounded(fd, text, sizeof(text));
	struct err e = { 0 };

	if (n < 0 || secret_parse(&c->secret, text, (size_t)n, &e) < 0)
		return -EINVAL;
	derive_keys(&c->keys, &c->secret);
	return 0;
}

static int make_crowd(struct crowd *c, const char *first_text, const char *node_text)
{
	struct ip first;
	struct err e = { 0 };
	int room = SOCKET_ROOM;

	if (ip_parse(&first, first_text) < 0 || ip_parse(&c->node.ip, node_text) < 0)
		return -EINVAL;
	c->node.port = c->keys.gossip_port;
	c->member = calloc(c->n, sizeof(*c->member));
	if (!c->member || udp_open_any(&c->udp, c->keys.gossip_port, false, &e) < 0)
		return -ENOMEM;
	(void)setsockopt(c->udp.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	for (size_t i = 0; i < c->n; i++)
		make_member(c, &c->member[i], &first, i);
	return 0;
}

/* Lines are short, and whoever writes them waits for the answer. */
static void run(struct crowd *c)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
			      { .fd = c->udp.fd, .events = POLLIN } };
	char line[LINE_MAX_LEN];

	(void)printf("ready\t%u\n", c->keys.gossip_port);
	(void)fflush(stdout);
	while (poll(p, ARRAY_LEN(p), -1) > 0) {
		if (p[1].revents)
			hear(c);
		if (!p[0].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return;
		obey(c, line);
	}
}

int main(int argc, char **argv)
{
	static struct crowd c;
	uint64_t n = 0;

	if (argc != 5 || str_parse_u64(&n, argv[2], 1, MEMBERS_MAX) < 0) {
		(void)fputs("usage: crowd SECRET_FILE N FIRST_ADDRESS NODE_ADDRESS\n", stderr);
		return 64;
	}
	c.n = (size_t)n;
	/* One line at a time: what stdio reads ahead, poll() would not tell of. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	if (crypto_init() < 0 || load_secret(&c, argv[1]) < 0)
		return fail(argv[1]);
	if (make_crowd(&c, argv[3], argv[4]) < 0)
		return fail("make members");
	run(&c);
	udp_close(&c.udp);
	free(c.member);
	secret_wipe(&c.secret);
	derive_keys_wipe(&c.keys);
	return 0;
}
