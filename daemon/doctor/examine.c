/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Two rounds. The secret and the node that may run here are asked first, since much of the rest
 * follows from them; the storage, which may hang for long, is started with them and waited for last.
 * Everything else starts together in the second round. A round has a limit, after which whoever has
 * not answered is killed, and the report says so. Only a node that --peer names is waited for as long
 * as --timeout says.
 */
#include "daemon/doctor/examine.h"
#include "common/defs.h"
#include "daemon/clock.h"
#include "daemon/doctor/inchild.h"
#include "daemon/doctor/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FIRST_LIMIT_MS 1500
#define LIMIT_MS       2700
#define SAY_AFTER_MS   2000
#define GRACE_MS       1000 /* for its goodbye */

/* The first member of each struct of facts is @probe. */
struct part {
	const char *what;
	inchild_fn *fn;
	size_t offset;
	size_t size;
};

/* clang-format off */
#define PART(name, member) \
	{ name, probe_##member, offsetof(struct facts, member), sizeof(((struct facts *)0)->member) }

static const struct part secret[] = {
	PART("the secret", secret),
};

static const struct part node[] = {
	PART("the node that runs here", node),
	PART("wgmesh-init", supervisor),
};

static const struct part storage[] = {
	PART("the storage", storage),
};

static const struct part asked[] = {
	PART("the node that --peer names", asked),
};

static const struct part rest[] = {
	PART("the capabilities", caps),
	PART("WireGuard", wireguard),
	PART("/dev/net/tun", tun),
	PART("the interfaces", links),
	PART("the ports", ports),
	PART("multicast", multicast),
	PART("forwarding", forward),
	PART("the clock", clock),
};
/* clang-format on */

/**
 * struct round - Children that run together
 * @f:		Where their findings go
 * @parts:	What they look at
 * @n:		Entries in @parts
 * @start_ms:	When the whole began
 * @is_seen:	Say what takes long
 * @children:	They
 */
struct round {
	struct facts *f;
	const struct part *parts;
	size_t n;
	int64_t start_ms;
	bool is_seen;
	struct inchild children[ARRAY_LEN(rest)];
};

/* clang-format off */
#define ROUND(name) \
	{ .f = f, .parts = (name), .n = ARRAY_LEN(name), .start_ms = now_ms, .is_seen = is_seen }
/* clang-format on */

static void start(struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		inchild_start(&round->children[i], round->parts[i].fn, round->f,
			      round->parts[i].size);
}

static void wait_for(struct round *round, size_t i, int64_t limit_ms)
{
	struct inchild *c = &round->children[i];
	int64_t say_ms = round->start_ms + SAY_AFTER_MS;

	if (say_ms < limit_ms && !inchild_wait(c, say_ms) && round->is_seen)
		(void)fprintf(stderr, "wgmesh: still waiting for %s\n", round->parts[i].what);
	(void)inchild_wait(c, limit_ms);
}

static void finish(struct round *round, int64_t limit_ms)
{
	for (size_t i = 0; i < round->n; i++) {
		void *out = (uint8_t *)round->f + round->parts[i].offset;
		int r;

		wait_for(round, i, limit_ms);
		r = inchild_take(&round->children[i], out);
		if (r < 0)
			memcpy(out, &r, sizeof(r));
	}
}

/* The process list and /proc/PID/environ show these bytes to others. */
static void wipe_given_secret(const struct settings *s)
{
	const char *texts[] = { settings_text(s, SETTING_SECRET),
				getenv(settings_table()[SETTING_SECRET].env) };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i])
			crypto_wipe((void *)(uintptr_t)texts[i], strlen(texts[i]));
}

static void read_version(struct version_facts *f)
{
	struct utsname name;

	if (uname(&name) < 0)
		return;
	(void)snprintf(f->kernel, sizeof(f->kernel), "%s", name.release);
	(void)snprintf(f->machine, sizeof(f->machine), "%s", name.machine);
}

void examine(struct facts *f, bool is_seen)
{
	int64_t now_ms = clock_now().mono_ms;
	struct round on_secret = ROUND(secret);
	struct round on_node = ROUND(node);
	struct round on_storage = ROUND(storage);
	struct round on_rest = ROUND(rest);
	struct round on_asked = ROUND(asked);

	read_version(&f->version);
	start(&on_secret);
	/* Only that child needs it, and everybody can see the arguments of the others. */
	wipe_given_secret(f->wanted.settings);
	start(&on_node);
	start(&on_storage);
	finish(&on_secret, now_ms + FIRST_LIMIT_MS);
	finish(&on_node, now_ms + FIRST_LIMIT_MS);
	if (facts_has_secret(f))
		derive_keys(&f->keys, &f->secret.secret);
	if (f->wanted.peer.port == 0)
		f->wanted.peer.port = f->keys.gossip_port;
	start(&on_rest);
	start(&on_asked);
	finish(&on_rest, now_ms + LIMIT_MS);
	finish(&on_storage, now_ms + LIMIT_MS);
	finish(&on_asked, clock_now().mono_ms + f->wanted.timeout_ms + GRACE_MS);
}

void examine_wipe(struct facts *f)
{
	secret_wipe(&f->secret.secret);
	derive_keys_wipe(&f->keys);
}
