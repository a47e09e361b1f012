/* SPDX-License-Identifier: MIT */
#include "daemon/peers/routes.h"

#include <string.h>

static bool is_listed(const struct prefix *nets, size_t n, const struct prefix *net)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_equal(&nets[i], net))
			return true;
	return false;
}

bool routes_has(const struct routes *t, const struct prefix *net)
{
	for (size_t i = 0; i < t->n; i++)
		if (prefix_equal(&t->entry[i].net, net))
			return true;
	return false;
}

static bool is_owned_by(const struct routes *t, const struct prefix *net, uint16_t owner)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->entry[i].owner == owner && prefix_equal(&t->entry[i].net, net))
			return true;
	return false;
}

/* The order of what remains stays: the first entry of a network is its leader. */
static void drop_entry(struct routes *t, size_t i)
{
	t->n--;
	memmove(&t->entry[i], &t->entry[i + 1], (t->n - i) * sizeof(t->entry[0]));
}

static bool drop_missing(struct routes *t, uint16_t owner, const struct prefix *nets, size_t n,
			 const struct routes_handler *h)
{
	size_t before = t->n;
	size_t i = 0;

	while (i < t->n) {
		struct prefix net = t->entry[i].net;

		if (t->entry[i].owner != owner || is_listed(nets, n, &net)) {
			i++;
			continue;
		}
		drop_entry(t, i);
		if (!routes_has(t, &net))
			h->change(h->arg, &net, false);
	}
	return t->n < before;
}

bool routes_is_led_by_another(const struct routes *t, uint16_t owner, const struct prefix *net)
{
	for (size_t i = 0; i < t->n; i++)
		if (prefix_equal(&t->entry[i].net, net))
			return t->entry[i].owner != owner;
	return false;
}

void routes_repeat(const struct routes *t, const struct routes_handler *h)
{
	for (size_t i = 0; i < t->n; i++)
		if (!routes_is_led_by_another(t, t->entry[i].owner, &t->entry[i].net))
			h->change(h->arg, &t->entry[i].net, true);
}

bool routes_set(struct routes *t, uint16_t owner, const struct prefix *nets, size_t n,
		const struct routes_handler *h)
{
	bool gave_up = drop_missing(t, owner, nets, n, h);

	for (size_t i = 0; i < n && t->n < ROUTES_MAX; i++) {
		bool is_first = !routes_has(t, &nets[i]);

		if (is_owned_by(t, &nets[i], owner))
			continue;
		t->entry[t->n].net = nets[i];
		t->entry[t->n++].owner = owner;
		if (is_first)
			h->change(h->arg, &nets[i], true);
	}
	return gave_up;
}

bool routes_has_room(const struct routes *t, uint16_t owner, const struct prefix *net)
{
	return t->n < ROUTES_MAX || is_owned_by(t, net, owner);
}
