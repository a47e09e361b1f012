/* SPDX-License-Identifier: MIT */
#include "init/state/names.h"
#include "common/defs.h"
#include "common/str.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define TAG_LEN 16

static bool is_hex_tag(const char *s)
{
	for (size_t i = 0; i < TAG_LEN; i++)
		if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

/* Is @name an interface name of @len bytes, with "-" and a network tag after it or not? */
static bool is_interface_part(const char *name, size_t len, bool may_have_tag)
{
	char iface[NAME_MAX + 1];

	if (len > NAME_MAX)
		return false;
	str_cut(iface, sizeof(iface), name, len);
	if (str_is_interface_name(iface))
		return true;
	if (!may_have_tag || len <= TAG_LEN + 1 || !is_hex_tag(iface + len - TAG_LEN) ||
	    iface[len - TAG_LEN - 1] != '-')
		return false;
	iface[len - TAG_LEN - 1] = '\0';
	return str_is_interface_name(iface);
}

bool names_is_state(const char *name)
{
	static const char *const fixed[] = { "mesh-state.json", "account.json", "services.json",
					     "referral.json" };
	static const struct {
		const char *suffix;
		bool may_have_tag;
	} forms[] = { { "-dht.nodes", true },
		      { "-peers.json", false },
		      { ".reload", false },
		      { ".json", false } };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (strcmp(name, fixed[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t n = strlen(forms[i].suffix);

		if (len > n && strcmp(name + len - n, forms[i].suffix) == 0 &&
		    is_interface_part(name, len - n, forms[i].may_have_tag))
			return true;
	}
	return false;
}

/* ".NAME.new", through which NAME is replaced. */
static bool is_sibling(const char *name)
{
	static const char suffix[] = ".new";
	size_t len = strlen(name);
	size_t n = sizeof(suffix) - 1;
	char inner[NAME_MAX + 1];

	if (name[0] != '.' || len <= n + 1 || strcmp(name + len - n, suffix) != 0)
		return false;
	str_cut(inner, sizeof(inner), name + 1, len - n - 1);
	return names_is_state(inner);
}

bool names_is_ours(const char *name)
{
	return names_is_state(name) || is_sibling(name) || strcmp(name, NAMES_SNAPSHOTS) == 0 ||
	       strncmp(name, ".wgmesh", 7) == 0;
}
