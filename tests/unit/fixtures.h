/* SPDX-License-Identifier: MIT */
/* fixtures - keys, addresses, moments and sightings for the tests of the daemon's decisions */
#ifndef TESTS_UNIT_FIXTURES_H
#define TESTS_UNIT_FIXTURES_H

#include "daemon/peers/peers.h"
#include "tests/unit/test.h"

#define UNIX_START 1767225600 /* 2026-01-01T00:00:00Z */

/* Keys whose texts sort like @n, which is at most 25: they begin with 'A', 'B', ... */
static inline struct wg_key key_of(unsigned int n)
{
	struct wg_key key = { .b = { (uint8_t)(4 * n), 0, (uint8_t)n, 7 } };

	assert_true(n <= 25);
	return key;
}

static inline struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(&ip, text), 0);
	return ip;
}

static inline struct endpoint endpoint_of(const char *text)
{
	struct endpoint e = { .port = 0 };

	if (text)
		assert_int_equal(endpoint_parse(&e, text), 0);
	return e;
}

static inline struct prefix prefix_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(&p, text), 0);
	return p;
}

/* A moment @ms after the start; the start itself is not zero, as on a machine that is up. */
static inline struct now at(int64_t ms)
{
	return (struct now) { .mono_ms = 1000000 + ms, .unix_s = UNIX_START + ms / 1000 };
}

/* What peer @n, with mesh address 10.77.0.@n, says of itself. */
static inline struct known_peer peer_of(unsigned int n)
{
	struct known_peer who = { .key = key_of(n) };

	who.mesh_ip = (struct ip) { .family = AF_INET, .b = { 10, 77, 0, (uint8_t)n } };
	return who;
}

static inline struct sighting sighting_of(const struct known_peer *who, enum peer_method method,
					  const char *endpoint)
{
	return (struct sighting) { .who = who,
				   .method = method,
				   .endpoint = endpoint_of(endpoint) };
}

/* Peer @n is seen by a method, at an endpoint that may be NULL. */
static inline struct peer *see(struct peers *t, unsigned int n, enum peer_method method,
			       const char *endpoint, int64_t ms)
{
	struct known_peer who = peer_of(n);
	struct sighting s = sighting_of(&who, method, endpoint);
	struct peer *p = NULL;

	(void)peers_sight(t, &s, at(ms), &p);
	return p;
}

static inline void assert_endpoint(const struct endpoint *e, const char *want)
{
	char text[ENDPOINT_TEXT_SIZE];

	assert_string_equal(endpoint_format(text, e), want);
}

#endif /* TESTS_UNIT_FIXTURES_H */
