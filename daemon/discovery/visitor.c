/* SPDX-License-Identifier: MIT */
#include "daemon/discovery/visitor.h"
#include "common/str.h"
#include "daemon/clock.h"
#include "daemon/discovery/discovery.h"
#include "daemon/wire/envelope.h"

#include <net/if.h>
#include <string.h>

#define GOODBYE_MAX 512

/* The last address of the subnet: derived ones never end in 255, and nobody else may have it. */
static struct ip no_ones_address(const struct prefix *subnet)
{
	struct ip ip = subnet->ip;

	ip.b[2] = 255;
	ip.b[3] = 255;
	return ip;
}

/* A valid key: an invalid one would be stored by others all the same, and refused by some. */
static void make_self(struct visitor *v, const char *name)
{
	uint8_t private_key[CRYPTO_KEY_LEN];

	crypto_wg_keypair(private_key, v->self.key.b);
	crypto_wipe(private_key, sizeof(private_key));
	v->self.mesh_ip = no_ones_address(&v->keys->subnet);
	(void)str_copy(v->self.hostname, sizeof(v->self.hostname), name);
	/* The address it is seen at, and a port that discards. */
	(void)str_copy(v->self.endpoint, sizeof(v->self.endpoint), "0.0.0.0:9");
}

static void join_everywhere(const struct visitor *v)
{
	struct if_nameindex *all = if_nameindex();

	for (const struct if_nameindex *i = all; i && i->if_index != 0; i++)
		(void)udp_join(&v->group, &v->keys->group, (int)i->if_index);
	if (all)
		if_freenameindex(all);
}

int visitor_open(struct visitor *v, const struct mesh_keys *keys, const char *name, uint16_t port,
		 struct err *e)
{
	const struct endpoint group = { .ip = keys->group, .port = DERIVE_LAN_PORT };
	int r;

	*v = (struct visitor) { .keys = keys };
	make_self(v, name);
	if (udp_open_group(&v->group, &group, e) < 0)
		v->group.fd = -1;
	else
		join_everywhere(v);
	r = udp_open_any(&v->direct, port, false, e);
	if (r < 0)
		v->direct.fd = -1;
	return v->group.fd < 0 ? r : 0;
}

static void describe(void *arg, struct announcement *out, bool with_known,
		     const struct endpoint *to)
{
	const struct visitor *v = arg;

	(void)with_known;
	(void)to;
	out->self = v->self;
	out->is_visitor = true;
}

static int send_to_all(const struct visitor *v, const char *datagram, long len,
		       const struct endpoint *to, size_t n)
{
	int r = len < 0 ? (int)len : 0;

	for (size_t i = 0; len > 0 && i < n; i++) {
		int sent = udp_send(&v->direct, datagram, (size_t)len, &to[i], NULL);

		if (sent < 0)
			r = sent;
	}
	return r;
}

int visitor_hello(const struct visitor *v, const struct endpoint *to, size_t n)
{
	struct visitor copy = *v;
	const struct discovery_handler me = { .arg = &copy, .describe = describe };
	char datagram[DISCOVERY_DATAGRAM_MAX];
	const struct discovery_letter letter = { .type = MESSAGE_HELLO };
	long len = discovery_seal_self(datagram, &letter, &me, v->keys->gossip_key);

	return send_to_all(v, datagram, len, to, n);
}

static void say_goodbye(const struct visitor *v, const struct endpoint *to, size_t n)
{
	char plain[GOODBYE_MAX];
	char datagram[2 * GOODBYE_MAX];
	uint8_t nonce[CRYPTO_NONCE_LEN];
	int64_t their_now_s = clock_now().unix_s + v->skew_s;
	long len = goodbye_format(plain, sizeof(plain), &v->self.key, their_now_s);

	crypto_random(nonce, sizeof(nonce));
	if (len >= 0)
		len = envelope_seal(datagram, sizeof(datagram), MESSAGE_GOODBYE, plain, (size_t)len,
				    nonce, v->keys->gossip_key);
	(void)send_to_all(v, datagram, len, to, n);
}

void visitor_close(struct visitor *v, const struct endpoint *asked, size_t n)
{
	if (v->direct.fd >= 0)
		say_goodbye(v, asked, n);
	udp_close(&v->group);
	udp_close(&v->direct);
}
