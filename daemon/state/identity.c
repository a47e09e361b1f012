/* SPDX-License-Identifier: MIT */
#include "daemon/state/identity.h"
#include "daemon/wire/json.h"

#include <errno.h>
#include <string.h>

#define KEY_TEXT_SIZE 45

void identity_wipe(struct identity *id)
{
	crypto_wipe(id, sizeof(*id));
}

static bool is_all_zero(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

/* jansson's own text quotes the input, and with it perhaps the key: only its code is told. */
static int explain_syntax(struct err *e, const json_error_t *error)
{
	switch ((int)json_error_code(error)) {
	case json_error_premature_end_of_input:
		return err_set(e, -EINVAL, "is cut short");
	case json_error_unknown:
		return err_set(e, -EINVAL, "is not JSON: it holds no object");
	default:
		return err_set(e, -EINVAL, "is not JSON: syntax error at line %d, column %d",
			       error->line, error->column);
	}
}

/*
 * Files of today have no such member. One that says more than 1, or anything but a number, was
 * written by a release that knows better than this one what its keys mean.
 */
static bool is_from_newer(json_t *root)
{
	static const char *const names[] = { "version", "schema", "schema_version" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *v = json_member(root, names[i]);

		if (v && !(json_is_integer(v) && json_integer_value(v) <= 1))
			return true;
	}
	return false;
}

/* The keys must be there, canonical, and belong together. */
static int read_keys(struct identity *out, json_t *root, struct err *e)
{
	struct json_text private_text;
	struct json_text public_text;
	char copy[KEY_TEXT_SIZE];
	struct wg_key expected;

	if (json_member_text(&private_text, root, "wg_private_key") < 0 ||
	    crypto_unbase64(out->private_key, sizeof(out->private_key), private_text.s,
			    private_text.len, false) != (long)sizeof(out->private_key) ||
	    is_all_zero(out->private_key, sizeof(out->private_key)))
		return err_set(e, -EINVAL, "holds no valid wg_private_key");
	if (json_member_text(&public_text, root, "wg_pubkey") < 0 ||
	    json_text_copy(copy, sizeof(copy), &public_text) < 0 ||
	    wg_key_parse(&out->public_key, copy) < 0)
		return err_set(e, -EINVAL, "holds no valid wg_pubkey");
	crypto_wg_public(expected.b, out->private_key);
	if (!crypto_equal(&expected, &out->public_key, sizeof(expected)))
		return err_set(e, -EINVAL,
			       "holds a wg_pubkey that its wg_private_key does not "
			       "belong to");
	return 0;
}

/* Absent or empty is fine, as in files of old releases; half an address is damage. */
static int read_address(struct ip *out, json_t *root, const char *name, struct err *e)
{
	char copy[IP_TEXT_SIZE];
	struct json_text text;

	if (json_member_text(&text, root, name) == 0) {
		if (text.len == 0)
			return 0;
		if (json_text_copy(copy, sizeof(copy), &text) == 0 && ip_parse(out, copy) == 0)
			return 0;
	}
	return err_set(e, -EINVAL, "holds a %s that is no address", name);
}

static int parse_text(struct identity *out, const char *text, size_t len, struct err *e)
{
	json_error_t error;
	json_t *root;
	int r;

	if (len == 0)
		return err_set(e, -EINVAL, "is empty");
	if (is_all_zero(text, len))
		return err_set(e, -EINVAL, "holds nothing but zero bytes, as after a power cut");
	root = json_parse(text, len, &error);
	if (!root)
		return explain_syntax(e, &error);
	r = is_from_newer(root)
		    ? err_set(e, -EPROTONOSUPPORT, "was written by a newer release of wgmesh")
		    : read_keys(out, root, e);
	if (r == 0)
		r = read_address(&out->mesh_ip, root, "mesh_ip", e);
	if (r == 0)
		r = read_address(&out->mesh_ip6, root, "mesh_ipv6", e);
	json_decref(root);
	return r;
}

int identity_parse(struct identity *out, const char *text, size_t len, struct err *e)
{
	bool wiped_before = json_wipe_memory(true);
	int r;

	*out = (struct identity) { 0 };
	r = parse_text(out, text, len, e);
	(void)json_wipe_memory(wiped_before);
	if (r < 0)
		identity_wipe(out);
	return r;
}

long identity_format(char *out, size_t size, const struct identity *id)
{
	struct json_writer w;
	char text[IP_TEXT_SIZE];
	char key[KEY_TEXT_SIZE];

	json_write_init(&w, out, size, true);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "wg_pubkey", wg_key_format(key, &id->public_key));
	crypto_base64(key, sizeof(key), id->private_key, sizeof(id->private_key));
	json_write_text(&w, "wg_private_key", key);
	crypto_wipe(key, sizeof(key));
	if (id->mesh_ip.family != 0)
		json_write_text(&w, "mesh_ip", ip_format(text, &id->mesh_ip));
	if (id->mesh_ip6.family != 0)
		json_write_text(&w, "mesh_ipv6", ip_format(text, &id->mesh_ip6));
	json_write_close(&w, '}');
	return json_write_end(&w);
}
