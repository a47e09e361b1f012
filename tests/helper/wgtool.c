/* SPDX-License-Identifier: MIT */
/*
 * wgtool - drives daemon/wg and daemon/net by hand and from tests, where a kernel has WireGuard
 *
 *   wgtool up IF auto|kernel|userspace [PORT]   create or adopt, new key, port, link up
 *   wgtool dump IF        print the interface and its peers
 *   wgtool peers IF N     configure N made-up peers, compare the dump, remove every other one
 *   wgtool down IF        delete the interface
 *
 * Exit codes: 0; 1 when a dump differs from what was set; 64 usage; or those of common/exits.h.
 */
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"
#include "daemon/net/rtnl.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/crypto.h"
#include "tests/helper/wgpeers.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define PROGRAM	     "wireguard-go"
#define PEERS_MAX    20000
#define DEFAULT_PORT 51820

static int fail(const char *verb, const struct err *e)
{
	(void)fprintf(stderr, "wgtool %s: %s: %s\n", verb, e->msg, strerror(-e->code));
	return e->exit_code ? e->exit_code : EXITS_SYSTEM;
}

static int usage(void)
{
	(void)fputs("usage: wgtool up IF auto|kernel|userspace [PORT] | dump IF | peers IF N | "
		    "down IF\n",
		    stderr);
	return EXITS_USAGE;
}

static int set_up(struct wg *wg, const char *ifname, uint16_t port, struct err *e)
{
	uint8_t private_key[CRYPTO_KEY_LEN];
	uint8_t public_key[CRYPTO_KEY_LEN];
	struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r;

	crypto_wg_keypair(private_key, public_key);
	r = wg_set_device(wg, private_key, port, e);
	crypto_wipe(private_key, sizeof(private_key));
	if (r == 0)
		r = rtnl_open(&rtnl, e);
	if (r == 0)
		r = rtnl_link_get(rtnl, ifname, &link, e);
	if (r == 0)
		r = rtnl_link_set_up(rtnl, link.index, true, e);
	rtnl_close(rtnl);
	return r;
}

static int up(const char *ifname, const char *backend, uint16_t port)
{
	enum wg_backend wanted = WG_BACKEND_AUTO;
	struct err e = { 0 };
	struct wg *wg;
	int r;

	if (strcmp(backend, "kernel") == 0)
		wanted = WG_BACKEND_KERNEL;
	else if (strcmp(backend, "userspace") == 0)
		wanted = WG_BACKEND_USERSPACE;
	else if (strcmp(backend, "auto") != 0)
		return usage();
	if (wg_open(&wg, ifname, wanted, PROGRAM, &e) < 0)
		return fail("up", &e);
	r = set_up(wg, ifname, port, &e);
	(void)printf("%s %s\n", wg_backend(wg) == WG_BACKEND_KERNEL ? "kernel" : "userspace",
		     wg_was_adopted(wg) ? "adopted" : "created");
	wg_close(wg);
	return r < 0 ? fail("up", &e) : 0;
}

/* Opens what is there already; nothing is created by looking. */
static int open_existing(struct wg **wg, const char *ifname, struct err *e)
{
	struct rtnl_link link;
	struct rtnl *rtnl;
	int r = rtnl_open(&rtnl, e);

	if (r < 0)
		return r;
	r = rtnl_link_get(rtnl, ifname, &link, e);
	rtnl_close(rtnl);
	return r < 0 ? r : wg_open(wg, ifname, WG_BACKEND_AUTO, PROGRAM, e);
}

static int print_peer(const struct wg_peer_state *s, void *arg)
{
	char endpoint[ENDPOINT_TEXT_SIZE];
	char prefix[PREFIX_TEXT_SIZE];
	char key[45];

	(void)arg;
	(void)printf("peer %s endpoint %s keepalive %u handshake %" PRId64 " rx %" PRIu64
		     " tx %" PRIu64 " allowed",
		     wg_key_format(key, &s->key), endpoint_format(endpoint, &s->endpoint),
		     s->keepalive_s, s->handshake_s, s->rx_bytes, s->tx_bytes);
	for (size_t i = 0; i < s->n_allowed; i++)
		(void)printf("%c%s", i == 0 ? ' ' : ',', prefix_format(prefix, &s->allowed[i]));
	(void)putchar('\n');
	return 0;
}

static int dump(const char *ifname)
{
	struct wg_device_state dev;
	struct err e = { 0 };
	struct wg *wg;
	char key[45];
	int r;

	if (open_existing(&wg, ifname, &e) < 0)
		return fail("dump", &e);
	r = wg_dump(wg, &dev, print_peer, NULL, &e);
	if (r == 0)
		(void)printf("interface %s %s port %u\n", ifname,
			     wg_key_format(key, &dev.public_key), dev.listen_port);
	wg_close(wg);
	return r < 0 ? fail("dump", &e) : 0;
}

static int compare(struct wg *wg, const struct wg_peer_config *peers, size_t n, struct err *e)
{
	struct wgpeers_check check = { .peers = peers, .n = n };
	int r = wg_dump(wg, NULL, wgpeers_check_one, &check, e);

	if (r < 0)
		return r;
	(void)printf("%zu peers wanted, %zu there, %zu of them wrong\n", n, check.seen,
		     check.wrong);
	return check.seen == n && check.wrong == 0 ? 0 : 1;
}

/* Leaves every other peer, in the first half of the array. */
static int remove_half(struct wg *wg, struct wg_peer_config *peers, size_t n, struct err *e)
{
	size_t kept = 0;
	int r;

	for (size_t i = 0; i < n; i += 2)
		peers[i].flags = WG_PEER_REMOVE;
	r = wg_set_peers(wg, peers, n, e);
	for (size_t i = 1; i < n; i += 2)
		peers[kept++] = peers[i];
	return r < 0 ? r : compare(wg, peers, kept, e);
}

static int64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int peers(const char *ifname, uint32_t n)
{
	auto_free struct wg_peer_config *all = wgpeers_make_all(n);
	struct err e = { 0 };
	struct wg *wg;
	int64_t t0;
	int r;

	if (!all || open_existing(&wg, ifname, &e) < 0)
		return fail("peers", &e);
	t0 = now_us();
	r = wg_set_peers(wg, all, n, &e);
	(void)printf("%" PRIu32 " peers set in %" PRId64 " us\n", n, now_us() - t0);
	if (r == 0)
		r = compare(wg, all, n, &e);
	if (r == 0)
		r = remove_half(wg, all, n, &e);
	wg_close(wg);
	return r < 0 ? fail("peers", &e) : r;
}

static int down(const char *ifname)
{
	struct err e = { 0 };
	struct rtnl *rtnl;
	int r = rtnl_open(&rtnl, &e);

	if (r == 0)
		r = rtnl_link_delete(rtnl, ifname, &e);
	rtnl_close(rtnl);
	return r < 0 ? fail("down", &e) : 0;
}

int main(int argc, char **argv)
{
	uint64_t n = DEFAULT_PORT;

	if (argc < 3 || !str_is_interface_name(argv[2]) || crypto_init() < 0)
		return usage();
	if (strcmp(argv[1], "up") == 0 && (argc == 4 || argc == 5)) {
		if (argc == 5 && str_parse_u64(&n, argv[4], 1, UINT16_MAX) < 0)
			return usage();
		return up(argv[2], argv[3], (uint16_t)n);
	}
	if (strcmp(argv[1], "dump") == 0 && argc == 3)
		return dump(argv[2]);
	if (strcmp(argv[1], "peers") == 0 && argc == 4) {
		if (str_parse_u64(&n, argv[3], 1, PEERS_MAX) < 0)
			return usage();
		return peers(argv[2], (uint32_t)n);
	}
	if (strcmp(argv[1], "down") == 0 && argc == 3)
		return down(argv[2]);
	return usage();
}
