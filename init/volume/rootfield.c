/* SPDX-License-Identifier: MIT */
#include "init/volume/rootfield.h"
#include "common/defs.h"
#include "common/str.h"
#include "init/volume/mountinfo.h"

#include <stdio.h>
#include <string.h>

#define COMPONENTS_MAX 64
#define RULE_LEN_MAX   5
#define SHORT_ID_LEN   12

/* A path component, as a part of the root field. */
struct component {
	const char *text;
	size_t len;
};

struct components {
	size_t n;
	struct component c[COMPONENTS_MAX];
};

/* What a rule may ask for instead of a word: anything, a generated id, a Kubernetes claim's directory. */
#define ANY    "*"
#define HEX_ID "<id>"
#define CLAIM  "<claim>"

#define CLAIM_PREFIX "pvc-"
#define UUID_LEN     36

struct rule {
	const char *want
		[RULE_LEN_MAX]; /* consecutive components; a "*" at the end of a word: any ending */
	enum verdict verdict;
	unsigned int name; /* 1 + index of the component that names it, 0 for none */
	const char *what;  /* with one %s for the name, if it has one */
};

/* Where two rules end at the same component, the first one counts. */
/* clang-format off */
static const struct rule rules[] = {
	{ { "kubernetes.io~secret", ANY }, VERDICT_WRONG_TYPE, 0, "a Kubernetes secret" },
	{ { "kubernetes.io~projected", ANY }, VERDICT_WRONG_TYPE, 0, "a Kubernetes projected volume" },
	{ { "kubernetes.io~configmap", ANY }, VERDICT_WRONG_TYPE, 0, "a Kubernetes configMap" },
	{ { "kubernetes.io~downward-api", ANY }, VERDICT_WRONG_TYPE, 0, "a Kubernetes downwardAPI volume" },
	{ { "kubernetes.io~empty-dir", ANY }, VERDICT_POD, 2, "the Kubernetes emptyDir \"%s\"" },
	{ { "kubernetes.io~git-repo", ANY }, VERDICT_POD, 2, "the Kubernetes gitRepo volume \"%s\"" },
	/* A subPath is a bind mount, which shows its source. This name remains where that mount is missing. */
	{ { "volume-subpaths", ANY, ANY, ANY }, VERDICT_POD, 2, "a directory of the pod, for volume \"%s\"" },
	{ { "io.containerd.grpc.v1.cri", "containers", HEX_ID, "volumes", HEX_ID }, VERDICT_CONTAINER, 0,
		"an image volume that containerd makes anew for each container" },
	{ { "userdata", "mounts", HEX_ID }, VERDICT_CONTAINER, 0,
		"an image volume that CRI-O makes anew for each container" },
	{ { "volumes", HEX_ID, "_data" }, VERDICT_ANONYMOUS, 2, "the anonymous volume %s" },
	{ { "volumes", ANY, HEX_ID, "_data" }, VERDICT_ANONYMOUS, 3, "the anonymous volume %s" },
	{ { "volumes", ANY, "_data" }, VERDICT_PERSISTENT, 2, "the named volume \"%s\"" },
	{ { "volumes", ANY, ANY, "_data" }, VERDICT_PERSISTENT, 3, "the named volume \"%s\"" },
	{ { "kubernetes.io~csi", ANY }, VERDICT_PERSISTENT, 2, "the Kubernetes CSI volume \"%s\"" },
	{ { "kubernetes.io~*", ANY }, VERDICT_PERSISTENT, 2, "the Kubernetes volume \"%s\"" },
	{ { CLAIM }, VERDICT_PERSISTENT, 1, "the Kubernetes volume %s" },
};
/* clang-format on */

static void split_path(struct components *out, const char *path)
{
	out->n = 0;
	while (*path && out->n < COMPONENTS_MAX) {
		path += strspn(path, "/");
		out->c[out->n].text = path;
		out->c[out->n].len = strcspn(path, "/");
		path += out->c[out->n].len;
		out->n += out->c[out->n].len > 0 ? 1 : 0;
	}
}

static bool is_word(struct component c, const char *word)
{
	return c.len == strlen(word) && memcmp(c.text, word, c.len) == 0;
}

static bool is_uuid(const char *s)
{
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return false;
	}
	return true;
}

/* "pvc-UUID", or with "_NAMESPACE_CLAIM" after it, as the local-path provisioner makes them. */
static bool is_claim(struct component c)
{
	size_t head = sizeof(CLAIM_PREFIX) - 1 + UUID_LEN;

	return c.len >= head && memcmp(c.text, CLAIM_PREFIX, sizeof(CLAIM_PREFIX) - 1) == 0 &&
	       is_uuid(c.text + sizeof(CLAIM_PREFIX) - 1) && (c.len == head || c.text[head] == '_');
}

static bool matches(struct component c, const char *want)
{
	size_t len = strlen(want);

	if (strcmp(want, ANY) == 0)
		return true;
	if (strcmp(want, HEX_ID) == 0)
		return mountinfo_is_hex_id(c.text, c.len);
	if (strcmp(want, CLAIM) == 0)
		return is_claim(c);
	if (want[len - 1] == '*')
		return c.len >= len - 1 && memcmp(c.text, want, len - 1) == 0;
	return is_word(c, want);
}

/* Index after the last place where @rule holds, 0 for nowhere; @at receives that of its first component. */
static size_t find_last(const struct components *path, const struct rule *rule, size_t *at)
{
	size_t end = 0;

	for (size_t start = 0; start < path->n; start++) {
		size_t i = 0;

		while (i < RULE_LEN_MAX && rule->want[i] && start + i < path->n &&
		       matches(path->c[start + i], rule->want[i]))
			i++;
		if (i == RULE_LEN_MAX || !rule->want[i]) {
			*at = start;
			end = start + i;
		}
	}
	return end;
}

/* Names of Kubernetes have no "_" in them, so that it parts them. */
static bool split_claim(struct component c, struct component *space, struct component *claim)
{
	const char *p = memchr(c.text, '_', c.len);
	const char *end = c.text + c.len;
	const char *q = p ? memchr(p + 1, '_', (size_t)(end - p - 1)) : NULL;

	if (!q)
		return false;
	*space = (struct component) { p + 1, (size_t)(q - p - 1) };
	*claim = (struct component) { q + 1, (size_t)(end - q - 1) };
	return true;
}

/* The name as people know it: a claim's own, the beginning of a generated id, or all of it. */
static void name_of(char out[static 100], struct component c)
{
	struct component space;
	struct component claim;

	if (mountinfo_is_hex_id(c.text, c.len)) {
		str_cut(out, 100, c.text, SHORT_ID_LEN);
	} else if (is_claim(c) && split_claim(c, &space, &claim)) {
		(void)snprintf(out, 100, "of the claim \"%.*s\" (namespace %.*s)",
			       (int)(claim.len < 50 ? claim.len : 50), claim.text,
			       (int)(space.len < 20 ? space.len : 20), space.text);
	} else {
		str_cut(out, 100, c.text, c.len < 64 ? c.len : 64);
	}
}

static void tell(struct rootfield *out, const struct rule *rule, struct component name)
{
	const char *mark = strstr(rule->what, "%s");
	char head[52];
	char text[100];

	out->verdict = rule->verdict;
	if (!mark) {
		str_cut(out->what, sizeof(out->what), rule->what, strlen(rule->what));
		return;
	}
	str_cut(head, sizeof(head), rule->what, (size_t)(mark - rule->what));
	name_of(text, name);
	(void)snprintf(out->what, sizeof(out->what), "%s%s%.1s", head, text, mark + 2);
}

static bool takes_all_along(enum verdict verdict)
{
	return verdict == VERDICT_POD || verdict == VERDICT_CONTAINER;
}

bool rootfield_recognise(const char *root, struct rootfield *out)
{
	const struct rule *best = NULL;
	struct component name = { 0 };
	struct components path;
	size_t best_end = 0;

	split_path(&path, root);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		size_t at = 0;
		size_t end = find_last(&path, &rules[i], &at);
		bool is_doomed = best && takes_all_along(best->verdict);

		if (end == 0 ||
		    (best && !takes_all_along(rules[i].verdict) && (is_doomed || end <= best_end)))
			continue;
		best = &rules[i];
		best_end = end;
		if (best->name)
			name = path.c[at + best->name - 1];
	}
	if (best)
		tell(out, best, name);
	return best != NULL;
}

bool rootfield_is_temporary(const char *root)
{
	struct components path;
	const struct component *c = path.c;

	split_path(&path, root);
	/* The usual name of a btrfs subvolume that is the host's root. */
	if (path.n > 0 && is_word(c[0], "@")) {
		c++;
		path.n--;
	}
	if (path.n > 1 && is_word(c[0], "var"))
		return is_word(c[1], "run") || is_word(c[1], "tmp");
	return path.n > 0 && (is_word(c[0], "tmp") || is_word(c[0], "run"));
}
