/* SPDX-License-Identifier: MIT */
#include "daemon/dht/agenda.h"

int64_t agenda_vary(int64_t pause_ms, uint16_t random)
{
	return pause_ms * 3 / 4 + pause_ms / 2 * random / UINT16_MAX;
}

bool agenda_query(struct agenda *a, struct now now, unsigned int n_peers, uint16_t random)
{
	int64_t pause = n_peers >= AGENDA_CALM_PEERS ? AGENDA_CALM_MS : AGENDA_QUERY_MS;

	if (now.mono_ms < a->query_ms)
		return false;
	a->query_ms = now.mono_ms + agenda_vary(pause, random);
	return true;
}

bool agenda_must_announce(const struct agenda *a, struct now now)
{
	return a->announced_ms == 0 || now.mono_ms - a->announced_ms >= AGENDA_ANNOUNCE_MS ||
	       now.unix_s / AGENDA_HOUR_S != a->hour;
}

void agenda_announced(struct agenda *a, struct now now)
{
	a->announced_ms = now.mono_ms;
	a->hour = now.unix_s / AGENDA_HOUR_S;
}

bool agenda_join(struct agenda *a, struct now now, int64_t pause_max_ms, uint16_t random)
{
	if (now.mono_ms < a->join_ms)
		return false;
	a->join_pause_ms = a->join_pause_ms == 0 ? AGENDA_JOIN_MS : 2 * a->join_pause_ms;
	if (a->join_pause_ms > pause_max_ms)
		a->join_pause_ms = pause_max_ms;
	a->join_ms = now.mono_ms + agenda_vary(a->join_pause_ms, random);
	return true;
}

void agenda_joined(struct agenda *a)
{
	a->join_ms = 0;
	a->join_pause_ms = 0;
}
