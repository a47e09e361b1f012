/* SPDX-License-Identifier: MIT */
/* Files of the daemon, as another release, a person or a bad disk may have left them; the first byte chooses. */
#include "common/marker.h"
#include "daemon/dht/nodefile.h"
#include "daemon/node/reload.h"
#include "daemon/state/archive.h"
#include "daemon/state/peercache.h"
#include "daemon/state/sealed.h"
#include "daemon/wire/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/start.h"

#define NOW 1767225600

static void try_identity(const char *text, size_t len)
{
	struct identity id;
	struct identity again;
	struct err e = { 0 };
	char out[IDENTITY_FILE_MAX];
	long n;

	if (identity_parse(&id, text, len, &e) < 0) {
		FUZZ_CHECK(e.msg[0] != '\0');
		return;
	}
	n = identity_format(out, sizeof(out), &id);
	FUZZ_CHECK(n > 0 && identity_parse(&again, out, (size_t)n, &e) == 0);
	FUZZ_CHECK(memcmp(&id.private_key, &again.private_key, sizeof(id.private_key)) == 0);
	identity_wipe(&id);
	identity_wipe(&again);
}

static void try_peers(const char *text, size_t len)
{
	struct cached_peer *list = NULL;
	char *out = NULL;
	size_t n = 0;

	if (peercache_parse(&list, &n, text, len, NOW, PEERCACHE_AGE_S) < 0)
		return;
	FUZZ_CHECK(peercache_format(&out, list, n, NOW) > 0);
	free(out);
	free(list);
}

static void try_nodes(const char *bytes, size_t len)
{
	static struct krpc_node nodes[NODEFILE_NODES_MAX];
	static uint8_t again[NODEFILE_LEN_MAX];
	size_t n = 0;
	size_t left = nodefile_parse(nodes, &n, (const uint8_t *)bytes, len);

	FUZZ_CHECK(n <= NODEFILE_NODES_MAX && left + n * NODEFILE_RECORD_LEN == len);
	FUZZ_CHECK(nodefile_format(again, nodes, n) == n * NODEFILE_RECORD_LEN);
}

static void try_archive(const char *text, size_t len)
{
	static struct archive a;
	struct err e = { 0 };
	size_t plain_len;

	if (archive_parse(&a, text, len, &e) == 0)
		archive_fini(&a);
	(void)sealed_looks_so(text, len);
	(void)sealed_check(&plain_len, text, len, &e);
}

static void try_reload(const char *text, size_t len)
{
	static struct reload out;
	struct err e = { 0 };

	if (reload_parse(&out, text, len, "wg0.reload", &e) < 0)
		FUZZ_CHECK(e.msg[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *, size_t) = { try_identity, try_peers, try_nodes,
							       try_archive, try_reload };
	char *exact;

	if (size == 0)
		return -1;
	exact = malloc(size);
	FUZZ_CHECK(exact);
	memcpy(exact, data + 1, size - 1);
	/* Letters, so that a person can write an input: "a{...}" is a key file. */
	tries[(data[0] + 3U) % (sizeof(tries) / sizeof(tries[0]))](exact, size - 1);
	free(exact);
	return 0;
}
