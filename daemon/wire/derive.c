/* SPDX-License-Identifier: MIT */
#include "daemon/wire/derive.h"
#include "common/defs.h"
#include "common/exits.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define URI_SCHEME	"wgmesh://"
#define GENERATED_BYTES 128
#define GENERATED_CHARS 171 /* base64url of 128 bytes, no padding */
#define CUSTOM_BITS_MAX 30  /* at least two host addresses */

static_assert(sizeof(URI_SCHEME "v1/") + GENERATED_CHARS <= SECRET_URI_SIZE, "generated secret");

/* Bytes of the white space character that @p starts with, as Unicode defines it; 0 for none. */
static size_t space_at(const char *p, size_t len)
{
	static const char *const wide[] = {
		"\xc2\x85", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
		"\u2004",   "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
		"\u2028",   "\u2029", "\u202f", "\u205f", "\u3000",
	};

	if (len == 0)
		return 0;
	if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		size_t n = strlen(wide[i]);

		if (n <= len && memcmp(p, wide[i], n) == 0)
			return n;
	}
	return 0;
}

/* The same for the character that ends at @p + @len; no white space is longer than three bytes. */
static size_t space_before(const char *p, size_t len)
{
	for (size_t n = 1; n <= 3 && n <= len; n++) {
		if (space_at(p + len - n, n) == n)
			return n;
	}
	return 0;
}

static struct crypto_part trim(const char *text, size_t len)
{
	size_t n;

	while ((n = space_at(text, len)) > 0) {
		text += n;
		len -= n;
	}
	while ((n = space_before(text, len)) > 0)
		len -= n;
	return (struct crypto_part) { text, len };
}

static bool has_scheme(const struct crypto_part *text)
{
	return text->len >= strlen(URI_SCHEME) &&
	       memcmp(text->data, URI_SCHEME, strlen(URI_SCHEME)) == 0;
}

/* Cuts wgmesh://version/ and ?query off; without a '/' the query stays (protocol.md section 1). */
static struct crypto_part key_material(struct crypto_part text)
{
	const char *p = text.data;
	const char *end = p + text.len;
	const char *slash;
	const char *query;

	if (!has_scheme(&text))
		return text;
	p += strlen(URI_SCHEME);
	slash = memchr(p, '/', (size_t)(end - p));
	if (!slash)
		return (struct crypto_part) { p, (size_t)(end - p) };
	p = slash + 1;
	query = memchr(p, '?', (size_t)(end - p));
	return (struct crypto_part) { p, (size_t)((query ? query : end) - p) };
}

bool secret_has_uri_form(const char *input, size_t len)
{
	struct crypto_part text = trim(input, len);

	return has_scheme(&text);
}

int secret_parse(struct secret *out, const char *input, size_t len, struct err *e)
{
	struct crypto_part key = key_material(trim(input, len));

	secret_wipe(out);
	if (key.len < SECRET_MIN)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"secret must be at least %d characters, this one has %zu: make one "
				"with `wgmesh init --secret`, and give every node the same",
				SECRET_MIN, key.len);
	if (key.len > SECRET_MAX)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"secret must be at most %d characters, this one has %zu: is it the "
				"right file?",
				SECRET_MAX, key.len);
	if (memchr(key.data, '\0', key.len))
		return err_exit(
			e, EXITS_USAGE, -EINVAL,
			"secret contains a NUL byte: it must be text, is it the right file?");
	memcpy(out->text, key.data, key.len);
	out->text[key.len] = '\0';
	out->len = key.len;
	return 0;
}

void secret_generate(char uri[static SECRET_URI_SIZE])
{
	uint8_t bytes[GENERATED_BYTES];
	char text[GENERATED_CHARS + 1];

	crypto_random(bytes, sizeof(bytes));
	crypto_base64_url(text, sizeof(text), bytes, sizeof(bytes));
	(void)snprintf(uri, SECRET_URI_SIZE, URI_SCHEME "v1/%s", text);
	crypto_wipe(bytes, sizeof(bytes));
	crypto_wipe(text, sizeof(text));
}

void secret_wipe(struct secret *s)
{
	crypto_wipe(s, sizeof(*s));
}

/* SHA-256(secret | suffix), of which the identifiers take the first bytes. */
static void hash_secret(uint8_t *out, size_t len, const struct secret *secret, const char *suffix)
{
	const struct crypto_part parts[] = { { secret->text, secret->len },
					     { suffix, strlen(suffix) } };
	uint8_t hash[CRYPTO_SHA256_LEN];

	crypto_sha256(hash, parts, ARRAY_LEN(parts));
	memcpy(out, hash, len);
	crypto_wipe(hash, sizeof(hash));
}

static void hkdf(uint8_t *out, size_t len, const struct secret *secret, const char *label)
{
	crypto_hkdf(out, len, secret->text, secret->len, label);
}

static void derive_addresses(struct mesh_keys *out, const struct secret *secret)
{
	uint8_t id[4];

	hkdf(out->subnet_raw, sizeof(out->subnet_raw), secret, "wgmesh-subnet-v1");
	out->subnet = (struct prefix) { { AF_INET, { 10, out->subnet_raw[0] } }, 16 };

	out->prefix6 = (struct prefix) { { AF_INET6, { 0xfd } }, 64 };
	hkdf(out->prefix6.ip.b + 1, 7, secret, "wgmesh-ipv6-prefix-v1");

	hkdf(id, sizeof(id), secret, "wgmesh-mcast-v1");
	out->group = (struct ip) { AF_INET, { 239, 192, id[0], id[1] } };

	hkdf(id, 2, secret, "wgmesh-gossip-port-v1");
	out->gossip_port = (uint16_t)(51821 + (id[0] << 8 | id[1]) % 1000);
}

void derive_keys(struct mesh_keys *out, const struct secret *secret)
{
	*out = (struct mesh_keys) { 0 };
	hash_secret(out->network_id, sizeof(out->network_id), secret, "");
	hash_secret(out->rendezvous, sizeof(out->rendezvous), secret, "rv");
	hkdf(out->gossip_key, sizeof(out->gossip_key), secret, "wgmesh-gossip-v1");
	hkdf(out->psk, sizeof(out->psk), secret, "wgmesh-wg-psk-v1");
	hkdf(out->membership, sizeof(out->membership), secret, "wgmesh-membership-v1");
	hkdf(out->epoch_seed, sizeof(out->epoch_seed), secret, "wgmesh-epoch-v1");
	derive_addresses(out, secret);
}

void derive_keys_wipe(struct mesh_keys *keys)
{
	crypto_wipe(keys, sizeof(*keys));
}

void derive_mesh_id(char out[static MESH_ID_SIZE], const struct mesh_keys *keys)
{
	crypto_hex(out, MESH_ID_SIZE, keys->network_id, MESH_ID_SIZE / 2);
}

void derive_nodes_file(char out[static NODES_FILE_SIZE], const struct mesh_keys *keys,
		       const char *ifname, bool is_own)
{
	char tag[17];
	const size_t len = sizeof(tag) / 2;

	_Static_assert(NETWORK_ID_LEN >= 2 * (sizeof(tag) / 2), "two tags that differ");
	crypto_hex(tag, sizeof(tag), keys->network_id + (is_own ? len : 0), len);
	(void)snprintf(out, NODES_FILE_SIZE, "%.15s-%s-dht.nodes", ifname, tag);
}

void derive_hourly_id(uint8_t out[static NETWORK_ID_LEN], const struct secret *secret,
		      int64_t unix_s)
{
	/* Rounded down, so that every hour has its own number before 1970 too. */
	int64_t hour = (unix_s < 0 ? unix_s - 3599 : unix_s) / 3600;
	char suffix[24];

	(void)snprintf(suffix, sizeof(suffix), "||%" PRId64, hour);
	hash_secret(out, NETWORK_ID_LEN, secret, suffix);
}

int derive_custom_subnet(struct prefix *out, const char *text)
{
	int r = prefix_parse(out, text);

	if (r < 0)
		return r;
	if (out->ip.family != AF_INET || out->bits > CUSTOM_BITS_MAX)
		return -EINVAL;
	prefix_mask(out);
	return 0;
}

static uint64_t be64(const uint8_t b[static 8])
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | b[i];
	return v;
}

/* The @n-th host address of an IPv4 subnet, the network and broadcast addresses left out. */
static struct ip host_in(const struct prefix *subnet, uint64_t n)
{
	uint64_t hosts = (UINT64_C(1) << (32 - subnet->bits)) - 2;
	uint32_t host = (uint32_t)(n % hosts + 1);
	struct ip ip = subnet->ip;

	for (size_t i = 0; i < 4; i++)
		ip.b[i] |= (uint8_t)(host >> (24 - 8 * i));
	return ip;
}

static void hash_key(uint8_t hash[static CRYPTO_SHA256_LEN], const struct secret *secret,
		     const char *pubkey, unsigned int nonce)
{
	char head[24];
	char middle[24];
	char tail[24];
	const struct crypto_part base[] = { { pubkey, strlen(pubkey) },
					    { secret->text, secret->len } };

	if (nonce == 0) {
		crypto_sha256(hash, base, ARRAY_LEN(base));
		return;
	}
	(void)snprintf(head, sizeof(head), "%zu:", strlen(pubkey));
	(void)snprintf(middle, sizeof(middle), "|%zu:", secret->len);
	(void)snprintf(tail, sizeof(tail), "|nonce=%u", nonce);
	crypto_sha256(hash,
		      (const struct crypto_part[]) { { head, strlen(head) },
						     base[0],
						     { middle, strlen(middle) },
						     base[1],
						     { tail, strlen(tail) } },
		      5);
}

struct ip derive_mesh_ip(const struct secret *secret, const struct mesh_keys *keys,
			 const struct prefix *custom, const char *pubkey, unsigned int nonce)
{
	uint8_t hash[CRYPTO_SHA256_LEN];
	struct ip ip = keys->subnet.ip;

	hash_key(hash, secret, pubkey, nonce);
	if (custom)
		return host_in(custom, be64(hash));

	/* The collision formula neither mixes the second subnet byte in nor keeps the last octet
	 * away from 0 and 255, except at the two ends of the subnet. */
	ip.b[2] = nonce == 0 ? hash[0] ^ keys->subnet_raw[1] : hash[0];
	ip.b[3] = hash[1];
	if (ip.b[3] == 0 && (nonce == 0 || ip.b[2] == 0))
		ip.b[3] = 1;
	if (ip.b[3] == 255 && (nonce == 0 || ip.b[2] == 255))
		ip.b[3] = 254;
	return ip;
}

struct ip derive_mesh_ip6(const struct secret *secret, const struct mesh_keys *keys,
			  const char *pubkey)
{
	const struct crypto_part parts[] = { { pubkey, strlen(pubkey) },
					     { "|", 1 },
					     { secret->text, secret->len },
					     { "|ipv6", 5 } };
	uint8_t hash[CRYPTO_SHA256_LEN];
	struct ip ip = keys->prefix6.ip;

	crypto_sha256(hash, parts, ARRAY_LEN(parts));
	/* Locally administered, not a group, as in an EUI-64; so it is never all zero either. */
	hash[0] = (uint8_t)((hash[0] | 0x02) & 0xfe);
	memcpy(ip.b + 8, hash, 8);
	return ip;
}

const char *derive_collision_winner(const char *a, const char *b)
{
	return strcmp(a, b) <= 0 ? a : b;
}
