/* SPDX-License-Identifier: MIT */
#include "daemon/state/statejudge.h"
#include "daemon/wire/crypto.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#define NOW 1767225600
#define KEYS                                                               \
	"\"wg_pubkey\": \"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\"," \
	"\"wg_private_key\": \"4GbZrfQyvO3RRyhGMazdDhDijZ1O4Luu/1r354JJAmw=\""
#define PEER                                                                \
	"{\"wg_pubkey\": \"bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY=\"," \
	"\"mesh_ip\": \"10.77.1.3\", \"endpoint\": \"\", \"last_seen\": 1767222000}"

struct expected {
	enum state_verdict verdict;
	const char *part;
};

static void assert_judged(enum state_kind kind, const char *name, const char *data, size_t len,
			  struct expected want)
{
	struct state_content c = { .kind = kind, .name = name, .len = len };
	char note[STATEJUDGE_NOTE_SIZE] = "";
	char *copy = malloc(len + 1);
	enum state_verdict v;

	assert_non_null(copy);
	memcpy(copy, data, len);
	copy[len] = '\0';
	c.data = copy;
	v = statejudge(note, &c, NOW);
	if (v != want.verdict || !strstr(note, want.part))
		fail_msg("%s \"%.60s\" is %s: %s", name, data, statejudge_text(v), note);
	assert_null(strstr(note, "4GbZ"));
	free(copy);
}

#define JUDGE(kind, name, data, want, part) \
	assert_judged(kind, name, data, sizeof(data) - 1, (struct expected) { want, part })

static void keys_are_judged_by_their_pair(void **state)
{
	(void)state;
	JUDGE(STATE_KEY, "wg1.json", "{" KEYS "}", STATE_GOOD, "public key cV7L");
	JUDGE(STATE_KEY, "wg1.json", "{" KEYS, STATE_DAMAGED, "cut short");
	JUDGE(STATE_KEY, "wg1.json", "", STATE_DAMAGED, "empty");
	JUDGE(STATE_KEY, "wg1.json", "{\"version\": 1, " KEYS "}", STATE_GOOD, "cV7L");
	JUDGE(STATE_KEY, "wg1.json", "{\"version\": 2, " KEYS "}", STATE_FUTURE, "newer");
	JUDGE(STATE_KEY, "wg1.json", "{\"schema\": \"x\", " KEYS "}", STATE_FUTURE, "newer");
	JUDGE(STATE_KEY, "wg1.json", "{\"Schema_Version\": 7}", STATE_FUTURE, "newer");
}

static void caches_are_counted_and_their_damage_is_no_loss(void **state)
{
	(void)state;
	JUDGE(STATE_PEERS, "wg0-peers.json", "{\"peers\": [" PEER "]}", STATE_GOOD,
	      "1 peer, the last one heard 60 minutes ago");
	JUDGE(STATE_PEERS, "wg0-peers.json", "{\"peers\": null}", STATE_GOOD, "no peers");
	JUDGE(STATE_PEERS, "wg0-peers.json", "{\"peers\": 5}", STATE_DAMAGED, "nothing is lost");
	JUDGE(STATE_PEERS, "wg0-peers.json", "", STATE_DAMAGED, "nothing is lost");
	JUDGE(STATE_NODES, "wg0-dht.nodes", "", STATE_GOOD, "0 DHT nodes");
	JUDGE(STATE_NODES, "wg0-dht.nodes", "12345678901234567890123456789012345678", STATE_GOOD,
	      "1 DHT nodes");
	JUDGE(STATE_NODES, "wg0-dht.nodes", "1234567890123456789012345678901234567", STATE_DAMAGED,
	      "37 bytes");
}

static void other_files_are_judged_by_their_form(void **state)
{
	static const char base64[] =
		"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD\n";

	(void)state;
	JUDGE(STATE_RELOAD, "wg0.reload", "# x\n\nlog-level=info\n", STATE_GOOD,
	      "1 setting, read by `wgmesh reload`");
	JUDGE(STATE_RELOAD, "wg0.reload", "log-level", STATE_DAMAGED, "without \"=\"");
	JUDGE(STATE_RELOAD, "wg0.reload", "a=b\0c", STATE_DAMAGED, "no text");
	JUDGE(STATE_SERVICE, "account.json", "{}", STATE_GOOD, "as it is");
	JUDGE(STATE_SERVICE, "account.json", "{", STATE_DAMAGED, "not JSON");
	JUDGE(STATE_SERVICE, "account.json", "", STATE_DAMAGED, "not JSON");
	JUDGE(STATE_SERVICE, "mesh-state.json", base64, STATE_GOOD, "encrypted");
	JUDGE(STATE_SERVICE, "account.json", base64, STATE_DAMAGED, "not JSON");
	JUDGE(STATE_TEMPORARY, ".wg0.json.new", "{" KEYS "}", STATE_LEFTOVER, "whole: public key");
	JUDGE(STATE_TEMPORARY, ".wg0.json.new", "{", STATE_LEFTOVER, "interrupted");
	JUDGE(STATE_UNKNOWN, "x", "", STATE_FOREIGN, "none of ours");
}

#define MARKER                                                                               \
	"version=1\nvolume=0123456789abcdef0123456789abcdef\ncreated=2026-01-01T00:00:00Z\n" \
	"boots=1\nboot=2026-01-01T00:00:00Z - - - -\n"

static void our_own_files_are_explained(void **state)
{
	(void)state;
	JUDGE(STATE_OWN, ".wgmesh.volume", MARKER, STATE_GOOD, "used by 1 container;");
	JUDGE(STATE_OWN, ".wgmesh.volume", "version=2\n", STATE_FUTURE, "newer");
	JUDGE(STATE_OWN, ".wgmesh.volume", MARKER "\0", STATE_DAMAGED, "damaged");
	JUDGE(STATE_OWN, ".wgmesh.history", "", STATE_GOOD, "earlier runs");
	JUDGE(STATE_OWN, ".wgmesh.something", "", STATE_GOOD, "wgmesh-init");
}

/* Whatever a disk makes of a file: it is judged, and nothing is read behind it. */
static void nothing_that_a_file_may_hold_is_too_much(void **state)
{
	static const char *const names[] = { "x",
					     "wg0.json",
					     "wg0-peers.json",
					     "wg0-dht.nodes",
					     "wg0.reload",
					     "mesh-state.json",
					     ".snapshots",
					     ".wgmesh.volume",
					     ".wg0.json.new" };
	static const char good[] = "{\"peers\": [" PEER "], " KEYS "}\n" MARKER;
	char note[STATEJUDGE_NOTE_SIZE];
	unsigned int seed = 1;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		struct state_content c = { .kind = (enum state_kind)(i % 9), .name = names[i % 9] };
		size_t len = (size_t)rand_r(&seed) % sizeof(good);
		char *data = malloc(len + 1);

		assert_non_null(data);
		memcpy(data, good, len);
		data[len] = '\0';
		if (len > 0)
			data[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
		c.data = data;
		c.len = len;
		(void)statejudge(note, &c, NOW);
		assert_true(strlen(note) > 0);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_judged_by_their_pair),
		cmocka_unit_test(caches_are_counted_and_their_damage_is_no_loss),
		cmocka_unit_test(other_files_are_judged_by_their_form),
		cmocka_unit_test(our_own_files_are_explained),
		cmocka_unit_test(nothing_that_a_file_may_hold_is_too_much),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
