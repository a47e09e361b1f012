/* SPDX-License-Identifier: MIT */
#include "daemon/peers/routelist.h"
#include "common/exits.h"
#include "common/str.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX 2200

static int take_one(struct routelist *out, const char *text, size_t len, const char *origin,
		    struct err *e)
{
	char one[PREFIX_TEXT_SIZE];
	struct prefix *p = &out->net[out->n];

	if (out->n == ANNOUNCE_ROUTES_MAX)
		return err_exit(e, EXITS_USAGE, -E2BIG, "%s names more than %d networks", origin,
				ANNOUNCE_ROUTES_MAX);
	str_cut(one, sizeof(one), text, len);
	if (len >= sizeof(one) || prefix_parse(p, one) < 0)
		return err_exit(e, EXITS_USAGE, -EINVAL,
				"%s: \"%.40s\" is no network such as 192.168.10.0/24", origin, one);
	prefix_mask(p);
	if (p->bits == 0)
		return err_exit(
			e, EXITS_USAGE, -EINVAL,
			"%s: a default route (%s) would take all traffic of the peers; name "
			"the networks behind this node",
			origin, one);
	out->n++;
	return 0;
}

/* Existing nodes cut an announcement at 4096 bytes: what is longer would be heard by nobody. */
static int check_fit(const struct routelist *list, const char *origin, struct err *e)
{
	char text[PREFIX_TEXT_SIZE];
	size_t total = 0;

	for (size_t i = 0; i < list->n; i++)
		total += strlen(prefix_format(text, &list->net[i])) + strlen("\"\",");
	if (total <= TEXT_MAX)
		return 0;
	return err_exit(e, EXITS_USAGE, -EINVAL,
			"%s is longer than one announcement can tell (%zu of %d bytes); join "
			"neighbouring networks into larger ones",
			origin, total, TEXT_MAX);
}

int routelist_parse(struct routelist *out, const char *text, const char *origin, struct err *e)
{
	const char *p = text;

	out->n = 0;
	while (*p != '\0') {
		size_t len;
		int r;

		p += strspn(p, ", ");
		len = strcspn(p, ", ");
		r = len > 0 ? take_one(out, p, len, origin, e) : 0;
		if (r < 0)
			return r;
		p += len;
	}
	return check_fit(out, origin, e);
}

bool routelist_holds(const struct routelist *l, const struct prefix *net)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (l->net[i].bits <= net->bits && prefix_contains(&l->net[i], &net->ip))
			return true;
	return false;
}
