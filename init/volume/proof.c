/* SPDX-License-Identifier: MIT */
#include "init/volume/proof.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHORT_ID_LEN	 12
#define POD_SUFFIX_LEN	 5
#define POD_SUFFIX_CHARS "bcdfghjklmnpqrstvwxz2456789" /* what Kubernetes draws from */

static void conclude(struct proof *out, enum proof_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void conclude(struct proof *out, enum proof_kind kind, const char *fmt, ...)
{
	va_list ap;

	out->kind = kind;
	va_start(ap, fmt);
	(void)vsnprintf(out->note, sizeof(out->note), fmt, ap);
	va_end(ap);
}

static bool is_known(const char *word)
{
	return strcmp(word, MARKER_UNKNOWN_WORD) != 0;
}

/* --- names ----------------------------------------------------------------------------------- */

/* Docker and Podman name a container after its id, Kubernetes a pod by a random suffix. */
static bool is_generated(const char *host)
{
	const char *dash = strrchr(host, '-');
	size_t len = strlen(host);

	if (!is_known(host))
		return true;
	if (len == SHORT_ID_LEN && strspn(host, "0123456789abcdef") == len)
		return true;
	return dash && strlen(dash + 1) == POD_SUFFIX_LEN &&
	       strspn(dash + 1, POD_SUFFIX_CHARS) == POD_SUFFIX_LEN;
}

/* Two names that somebody chose, and they differ. */
static bool is_other_node(const struct marker_boot *a, const struct marker_boot *b)
{
	return !is_generated(a->host) && !is_generated(b->host) && strcmp(a->host, b->host) != 0;
}

/* "container 0123456789ab (host web-1) at 2026-01-01T00:00:00Z" */
static void describe(const struct marker_boot *b, char out[static 160])
{
	char utc[STR_UTC_SIZE];

	str_utc(utc, (uint64_t)(b->at_s < 0 ? 0 : b->at_s));
	if (is_known(b->container))
		(void)snprintf(out, 160, "container %.12s (host %s) at %sZ", b->container, b->host,
			       utc);
	else
		(void)snprintf(out, 160, "host %s at %sZ", b->host, utc);
}

static const struct marker_boot *find_other(const struct proof_facts *f)
{
	for (size_t i = 0; i < f->marker.n_boot; i++)
		if (!marker_is_same_container(&f->self, &f->marker.boot[i]))
			return &f->marker.boot[i];
	return NULL;
}

/* --- judgements ------------------------------------------------------------------------------ */

static bool was_machine_restarted(const struct proof_facts *f)
{
	const char *then = f->marker.boot[0].kernel;

	return is_known(then) && is_known(f->self.kernel) && strcmp(then, f->self.kernel) != 0;
}

/* What the mount table says and the marker contradicts. */
static const char *addition(const struct proof_facts *f)
{
	switch (f->verdict) {
	case VERDICT_UNKNOWN:
		return "; the mount table does not tell what it is, but it lasts";
	case VERDICT_MEMORY:
		return was_machine_restarted(f)
			       ? "; it is memory, so somebody copied it back after the machine's "
				 "restart"
			       : "; but it is memory, and will not survive a restart of the machine";
	case VERDICT_ANONYMOUS:
	case VERDICT_CONTAINER:
	case VERDICT_POD:
		return "; but storage of this kind is not kept by itself: somebody carried it "
		       "over, and may not do so the next time";
	case VERDICT_PERSISTENT:
	case VERDICT_LAYER:
	case VERDICT_READONLY:
	case VERDICT_WRONG_TYPE:
	case VERDICT_BROKEN:
	case VERDICT_SPLIT:
	case VERDICT_COUNT:
		break;
	}
	return "";
}

static void judge_loss(struct proof *out, const struct proof_facts *f)
{
	const char *key = f->error == 0 ? marker_served(&f->marker, f->ifname) : NULL;
	char who[160] = "";

	if (key) {
		describe(&f->marker.boot[0], who);
		conclude(out, PROOF_PARTIAL_LOSS,
			 "the key of %s is gone: this volume last served the public key %s, by %s, "
			 "and there is no %s.json any more; restore a snapshot or a backup",
			 f->ifname, key, who, f->ifname);
		return;
	}
	conclude(out, PROOF_PARTIAL_LOSS,
		 "the key of %s is gone: caches or snapshots of it are there, and no %s.json; "
		 "restore a snapshot or a backup",
		 f->ifname, f->ifname);
}

static void predict(struct proof *out)
{
	conclude(out, PROOF_PREDICTED,
		 "first start on this volume: that it lasts is a prediction until another "
		 "container finds what this one leaves");
}

static void judge_unmarked(struct proof *out, const struct proof_facts *f)
{
	if (f->has_key || f->has_others)
		conclude(out, PROOF_ADOPTED,
			 "a node's state is here, and no marker yet: that it lasts is proven once "
			 "another container finds it");
	else
		predict(out);
}

static void judge_unreadable(struct proof *out, const struct proof_facts *f)
{
	if (f->error == -EPROTONOSUPPORT)
		conclude(out, PROOF_UNREADABLE,
			 "the volume's marker %s is of a later release and is left as it is",
			 MARKER_FILE);
	else if (f->error == -EBADMSG)
		conclude(out, PROOF_UNREADABLE,
			 "the volume's marker %s is damaged; what it knew of earlier starts is "
			 "lost, and a new one begins",
			 MARKER_FILE);
	else
		conclude(out, PROOF_UNREADABLE, "the volume's marker %s cannot be read: %s",
			 MARKER_FILE, strerror(-f->error));
}

static void judge_proven(struct proof *out, const struct proof_facts *f)
{
	const struct marker_boot *other = find_other(f);
	char utc[STR_UTC_SIZE];
	char who[160];

	if (other) {
		describe(other, who);
	} else {
		str_utc(utc, (uint64_t)f->marker.proven_s);
		(void)snprintf(who, sizeof(who), "another container before %sZ", utc);
	}
	conclude(out, PROOF_PROVEN,
		 "it survives a re-creation of the container: used before by %s%s", who,
		 addition(f));
}

static void judge_marked(struct proof *out, const struct proof_facts *f)
{
	const struct marker_boot *last = &f->marker.boot[0];
	bool is_other = !marker_is_same_container(&f->self, last);
	char who[160];

	describe(last, who);
	if (is_other && f->verdict == VERDICT_LAYER)
		conclude(out, PROOF_CLONE,
			 "the state in this container's own layer is that of %s: it came with the "
			 "image, and every container made from it has the same key; build the "
			 "image without the state directory",
			 who);
	else if (is_other && is_other_node(&f->self, last))
		conclude(out, PROOF_WRONG_VOLUME,
			 "this volume was last used by %s, and this is host %s: unless this host "
			 "took that one's place, the volume belongs to another node",
			 who, f->self.host);
	else if (is_other || f->marker.has_proof)
		judge_proven(out, f);
	else if (f->is_look && f->marker.boots == 1)
		predict(out);
	else
		conclude(out, PROOF_RESTART,
			 "it survived a restart of this container%s, at start %llu; a re-creation "
			 "is not proven yet",
			 was_machine_restarted(f) ? " and of the machine" : "",
			 (unsigned long long)f->marker.boots + (f->is_look ? 0 : 1));
}

void proof_judge(struct proof *out, const struct proof_facts *f)
{
	bool is_marked = f->error == 0 && f->marker.n_boot > 0;
	bool had_key = is_marked && marker_served(&f->marker, f->ifname);

	if (!f->has_key && (f->has_traces || had_key))
		judge_loss(out, f);
	else if (is_marked)
		judge_marked(out, f);
	else if (f->error == -ENOENT || f->error == 0)
		judge_unmarked(out, f);
	else
		judge_unreadable(out, f);
}

bool proof_take_served(struct proof *p, const struct marker_key *key, bool is_expected)
{
	char before[MARKER_KEY_SIZE];

	memcpy(before, p->recorded, sizeof(before));
	memcpy(p->recorded, key->public_key, sizeof(p->recorded));
	if (before[0] == '\0' || strcmp(before, key->public_key) == 0 || is_expected)
		return true;
	conclude(p, PROOF_WRONG_VOLUME,
		 "%s is served with the public key %s, and this volume served %s before: the key "
		 "file was replaced, or it is another node's volume",
		 key->ifname, key->public_key, before);
	return false;
}

bool proof_is_alarm(enum proof_kind kind)
{
	return kind == PROOF_PARTIAL_LOSS || kind == PROOF_WRONG_VOLUME || kind == PROOF_CLONE ||
	       kind == PROOF_UNREADABLE;
}

const char *proof_name(enum proof_kind kind)
{
	static const char *const names[] = {
		[PROOF_NONE] = "none",
		[PROOF_PREDICTED] = "predicted",
		[PROOF_ADOPTED] = "adopted",
		[PROOF_RESTART] = "restart",
		[PROOF_PROVEN] = "proven",
		[PROOF_PARTIAL_LOSS] = "partial-loss",
		[PROOF_WRONG_VOLUME] = "wrong-volume",
		[PROOF_CLONE] = "clone",
		[PROOF_UNREADABLE] = "unreadable",
	};

	_Static_assert(ARRAY_LEN(names) == PROOF_COUNT, "a name for every kind");
	return names[kind];
}
