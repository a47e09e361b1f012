/* SPDX-License-Identifier: MIT */
#include "daemon/state/statename.h"
#include "common/defs.h"
#include "common/str.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TAG_LEN 16
#define TEMP	".new"

static bool ends_with(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && strcmp(name + len - n, suffix) == 0;
}

static bool is_hex_tag(const char *s)
{
	return strspn(s, "0123456789abcdef") == TAG_LEN && s[TAG_LEN] == '\0';
}

/* Takes the first @len bytes of @name as an interface, without the "-TAG" that may end them. */
static bool take_interface(char *ifname, const char *name, size_t len, bool may_have_tag)
{
	char text[NAME_MAX + 1];

	str_cut(text, sizeof(text), name, len);
	if (may_have_tag && len > TAG_LEN + 1 && text[len - TAG_LEN - 1] == '-' &&
	    is_hex_tag(text + len - TAG_LEN))
		text[len - TAG_LEN - 1] = '\0';
	if (!str_is_interface_name(text))
		return false;
	str_cut(ifname, STATENAME_IFACE_SIZE, text, strlen(text));
	return true;
}

static bool is_key_of(const char *name, const char *own)
{
	size_t len = strlen(own);

	return strncmp(name, own, len) == 0 && strcmp(name + len, ".json") == 0;
}

static bool is_service(const char *name)
{
	static const char *const fixed[] = { "mesh-state.json", "account.json", "services.json",
					     "referral.json" };

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (strcmp(name, fixed[i]) == 0)
			return true;
	return false;
}

/* Visible files: the longer suffix first, since "wg0-peers" may be an interface too. */
static enum state_kind visible_kind(char *ifname, const char *name, const char *own)
{
	static const struct {
		const char *suffix;
		enum state_kind kind;
	} forms[] = { { "-dht.nodes", STATE_NODES },
		      { "-peers.json", STATE_PEERS },
		      { ".reload", STATE_RELOAD },
		      { ".json", STATE_KEY } };
	size_t len = strlen(name);

	if (own && is_key_of(name, own)) {
		str_cut(ifname, STATENAME_IFACE_SIZE, own, strlen(own));
		return STATE_KEY;
	}
	if (is_service(name))
		return STATE_SERVICE;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (ends_with(name, len, forms[i].suffix) &&
		    take_interface(ifname, name, len - strlen(forms[i].suffix),
				   forms[i].kind == STATE_NODES))
			return forms[i].kind;
	return STATE_UNKNOWN;
}

static bool is_temporary(char *ifname, const char *name, const char *own)
{
	char inner[NAME_MAX + 1];
	size_t len = strlen(name);

	if (!ends_with(name, len, TEMP))
		return false;
	str_cut(inner, sizeof(inner), name + 1, len - 1 - strlen(TEMP));
	return visible_kind(ifname, inner, own) != STATE_UNKNOWN;
}

enum state_kind statename_kind(char *ifname, const char *name, const char *own)
{
	char unused[STATENAME_IFACE_SIZE];

	if (!ifname)
		ifname = unused;
	ifname[0] = '\0';
	if (name[0] != '.')
		return visible_kind(ifname, name, own);
	if (strcmp(name, ".snapshots") == 0)
		return STATE_SNAPSHOTS;
	if (strncmp(name, ".wgmesh", strlen(".wgmesh")) == 0 ||
	    strcmp(name, ".migrated-to-wgmesh") == 0)
		return STATE_OWN;
	return is_temporary(ifname, name, own) ? STATE_TEMPORARY : STATE_UNKNOWN;
}

const char *statename_text(enum state_kind kind)
{
	static const char *const texts[] = {
		[STATE_UNKNOWN] = "unknown",	 [STATE_KEY] = "key",
		[STATE_PEERS] = "peers",	 [STATE_NODES] = "dht-nodes",
		[STATE_RELOAD] = "reload",	 [STATE_SERVICE] = "service",
		[STATE_SNAPSHOTS] = "snapshots", [STATE_OWN] = "own",
		[STATE_TEMPORARY] = "temporary",
	};

	return texts[kind];
}
