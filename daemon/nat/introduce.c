/* SPDX-License-Identifier: MIT */
#include "daemon/nat/introduce.h"
#include "daemon/wire/announce_json.h"

#include <errno.h>
#include <string.h>

#define MS_PER_S 1000
#define TIME_MAX INT64_C(0x7fffffffffff) /* far from where sums overflow */

/* Fills in literals that we would send to; everything else in the list is passed over. */
static int read_candidates(struct rendezvous_candidates *out, json_t *body, const char *name)
{
	const json_t *list;
	const json_t *item;
	size_t i;

	out->n = 0;
	if (json_member_list(&list, body, name) < 0 || json_array_size(list) > INTRODUCE_LIST_MAX)
		return -EINVAL;
	json_array_foreach (list, i, item) {
		char copy[ENDPOINT_TEXT_SIZE];
		struct json_text text;
		struct endpoint at;

		if (json_as_text(&text, item) < 0)
			return -EINVAL;
		if (json_text_copy(copy, sizeof(copy), &text) < 0 || endpoint_parse(&at, copy) < 0)
			continue;
		ip_unmap(&at.ip);
		if (rendezvous_is_candidate(&at))
			rendezvous_add(out, &at);
	}
	return 0;
}

/* One that stands alone; "none" when it is absent, no literal, or none that we would send to. */
static int read_endpoint(struct endpoint *out, json_t *body, const char *name)
{
	char copy[ENDPOINT_TEXT_SIZE];
	struct json_text text;

	*out = (struct endpoint) { 0 };
	if (json_member_text(&text, body, name) < 0)
		return -EINVAL;
	if (json_text_copy(copy, sizeof(copy), &text) < 0 || endpoint_parse(out, copy) < 0)
		return 0;
	ip_unmap(&out->ip);
	if (!rendezvous_is_candidate(out))
		*out = (struct endpoint) { 0 };
	return 0;
}

/* Empty when absent; no other text than an id of a pair. */
static int read_pair_id(char out[static RENDEZVOUS_PAIR_ID_SIZE], json_t *body)
{
	struct json_text text;

	if (json_member_text(&text, body, "pair_id") < 0 ||
	    json_text_copy(out, RENDEZVOUS_PAIR_ID_SIZE, &text) < 0)
		return -EINVAL;
	return 0;
}

int offer_parse(struct offer *out, const struct envelope *env)
{
	char id[RENDEZVOUS_PAIR_ID_SIZE];
	char want[RENDEZVOUS_PAIR_ID_SIZE];
	char from[RENDEZVOUS_KEY_SIZE];
	char target[RENDEZVOUS_KEY_SIZE];
	json_t *body = env->body;
	struct endpoint observed;

	*out = (struct offer) { 0 };
	if (announce_read_key_named(&out->from, body, "from_pubkey") < 0 ||
	    announce_read_key_named(&out->target, body, "target_pubkey") < 0 ||
	    memcmp(&out->from, &out->target, sizeof(out->from)) == 0 || read_pair_id(id, body) < 0)
		return -EINVAL;
	out->seed = rendezvous_pair_seed(wg_key_format(from, &out->from),
					 wg_key_format(target, &out->target));
	if (id[0] != '\0' && strcmp(id, rendezvous_pair_id(want, out->seed)) != 0)
		return -EINVAL;
	if (read_candidates(&out->candidates, body, "candidates") < 0 ||
	    read_endpoint(&observed, body, "observed_addr") < 0)
		return -EINVAL;
	if (observed.ip.family != 0)
		rendezvous_add(&out->candidates, &observed);
	return 0;
}

long offer_format(char *out, size_t size, const struct offer *offer, int64_t timestamp)
{
	char text[RENDEZVOUS_KEY_SIZE];
	char id[RENDEZVOUS_PAIR_ID_SIZE];
	struct json_writer w;

	json_write_init(&w, out, size, false);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "protocol", ENVELOPE_PROTOCOL);
	json_write_int(&w, "timestamp", timestamp);
	json_write_text(&w, "from_pubkey", wg_key_format(text, &offer->from));
	json_write_text(&w, "target_pubkey", wg_key_format(text, &offer->target));
	json_write_text(&w, "pair_id", rendezvous_pair_id(id, offer->seed));
	json_write_close(&w, '}');
	return json_write_end(&w);
}

/* Who introduces: absent, empty or no key is "it does not say". */
static int read_introducer(struct start *out, json_t *body)
{
	struct json_text text;

	if (json_member_text(&text, body, "introducer_key") < 0)
		return -EINVAL;
	out->has_introducer =
		announce_read_key_named(&out->introducer, body, "introducer_key") == 0;
	return 0;
}

/* An entry that is not in order, or of somebody else, says nothing. */
static void read_who(struct start *out, json_t *body)
{
	json_t *entry = json_member(body, "peer");

	if (entry && announce_read_peer(&out->who, entry, "wg_endpoint") == ANNOUNCE_OK &&
	    memcmp(&out->who.key, &out->peer, sizeof(out->peer)) == 0)
		return;
	out->who = (struct known_peer) { .key = out->peer };
}

int start_parse(struct start *out, const struct envelope *env)
{
	json_t *body = env->body;

	*out = (struct start) { .timestamp = env->timestamp };
	if (announce_read_key_named(&out->peer, body, "peer_pubkey") < 0 ||
	    read_pair_id(out->pair_id, body) < 0 ||
	    read_candidates(&out->candidates, body, "peer_candidates") < 0 ||
	    json_member_int(&out->start_ms, body, "start_at_unix_ms") < 0 ||
	    read_introducer(out, body) < 0 ||
	    read_endpoint(&out->peer_endpoint, body, "peer_endpoint") < 0)
		return -EINVAL;
	read_who(out, body);
	if (json_member_bool(&out->is_ours, body, "peer_is_ours") < 0)
		out->is_ours = false;
	return out->start_ms < 0 || out->start_ms > TIME_MAX ? -EINVAL : 0;
}

static void write_candidates(struct json_writer *w, const struct rendezvous_candidates *list)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (list->n == 0)
		return;
	json_write_open(w, "peer_candidates", '[');
	for (size_t i = 0; i < list->n; i++)
		json_write_text(w, NULL, endpoint_format(text, &list->at[i]));
	json_write_close(w, ']');
}

long start_format(char *out, size_t size, const struct start *start)
{
	char key[RENDEZVOUS_KEY_SIZE];
	char text[ENDPOINT_TEXT_SIZE];
	struct json_writer w;

	json_write_init(&w, out, size, false);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "protocol", ENVELOPE_PROTOCOL);
	json_write_int(&w, "timestamp", start->timestamp);
	json_write_text(&w, "pair_id", start->pair_id);
	json_write_text(&w, "peer_pubkey", wg_key_format(key, &start->peer));
	write_candidates(&w, &start->candidates);
	json_write_int(&w, "start_at_unix_ms", start->start_ms);
	if (start->has_introducer)
		json_write_text(&w, "introducer_key", wg_key_format(key, &start->introducer));
	if (start->peer_endpoint.ip.family != 0)
		json_write_text(&w, "peer_endpoint", endpoint_format(text, &start->peer_endpoint));
	if (start->who.mesh_ip.family != 0) {
		json_write_open(&w, "peer", '{');
		announce_write_peer(&w, &start->who, "wg_endpoint");
		json_write_close(&w, '}');
	}
	if (start->is_ours)
		json_write_true(&w, "peer_is_ours");
	json_write_close(&w, '}');
	return json_write_end(&w);
}

int64_t start_delay_ms(const struct start *start, int64_t now_ms)
{
	int64_t delay = start->start_ms - now_ms;

	if (start->start_ms == 0)
		return START_DELAY_MIN_MS;
	if (delay < 0 || delay > START_DELAY_MAX_MS)
		delay = start->start_ms - start->timestamp * MS_PER_S;
	if (delay < START_DELAY_MIN_MS)
		return START_DELAY_MIN_MS;
	return delay > START_DELAY_MAX_MS ? START_DELAY_MAX_MS : delay;
}
