/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/doctor/judge.h"
#include "daemon/doctor/strength.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME	   "secret"
#define ID_SHOWN   8
#define ORIGIN_MAX 340

static void describe(char out[static ORIGIN_MAX], const struct secret_facts *s)
{
	bool has_path = s->path[0] != '\0';

	(void)snprintf(out, ORIGIN_MAX, "%s%s%s%s", s->origin, has_path ? " (" : "", s->path,
		       has_path ? ")" : "");
}

static void judge_missing(struct report *r, const struct facts *f)
{
	if (facts_has_node(f)) {
		report_say(r, REPORT_SKIP, NAME,
			   "none was given here; the node that runs has one, of network %s",
			   f->node.network_id[0] ? f->node.network_id : "(not told)");
		return;
	}
	report_fail(r, EXITS_USAGE, NAME, "there is no mesh secret");
	report_cure(r, "make one for all nodes with `wgmesh init --secret`, and hand it over as a "
		       "file: WGMESH_SECRET_FILE or --secret-file");
}

static void judge_refused(struct report *r, const struct secret_facts *s)
{
	char origin[ORIGIN_MAX];

	describe(origin, s);
	if (s->is_twice) {
		report_fail(r, EXITS_USAGE, NAME, "it is given twice, as text and as a file");
		report_cure(r, "give only the file (WGMESH_SECRET_FILE or --secret-file)");
	} else if (s->code != -EINVAL && s->path[0] != '\0') {
		report_fail(r, EXITS_USAGE, NAME, "%s cannot be read: %s", origin,
			    strerror(-s->code));
		report_cure(r, "mount the file into the container, readable for its user");
	} else {
		report_fail(r, EXITS_USAGE, NAME, "%s", s->why);
		report_cure(r, "`wgmesh init --secret` makes a good one; give every node the same");
	}
}

/* What was taken, although it is probably not what somebody meant. */
static void judge_oddities(struct report *r, const struct secret_facts *s)
{
	if (s->has_quotes) {
		report_say(r, REPORT_WARN, NAME,
			   "it begins and ends with a quotation mark, which is part of it");
		report_cure(r,
			    "take them off, unless all nodes have them: env files of Docker keep "
			    "quotation marks");
	}
	if (s->has_mark) {
		report_say(r, REPORT_WARN, NAME,
			   "its file begins with a byte order mark, which is part of it");
		report_cure(r, "save the file as plain UTF-8, without a mark");
	}
	if (s->has_lines) {
		report_say(r, REPORT_WARN, NAME,
			   "it has several lines, all of which are part of it");
		report_cure(r, "put nothing but the secret into the file, on one line");
	}
	if (s->is_exposed) {
		report_say(r, REPORT_WARN, NAME, "everybody on this host may read %s (mode %03o)",
			   s->path, s->mode & 0777);
		report_cure(r, "chmod 600 the file, and give it to the user who needs it; "
			       "wgmesh-init reads it as root and hands it over");
	}
	if (!s->is_generated && s->bits < STRENGTH_ENOUGH) {
		report_say(
			r, REPORT_WARN, NAME,
			"it looks guessable: worth about %u bits, where %d are needed; who guesses "
			"it is in the mesh",
			s->bits, STRENGTH_ENOUGH);
		report_cure(r, "replace it on all nodes by one that `wgmesh init --secret` made");
	}
}

static bool is_foreign6(const struct facts *f, const struct ip *ip6)
{
	return ip6->family != 0 && !prefix_contains(&f->keys.prefix6, ip6);
}

/* Addresses follow from the secret, so those beside the key tell which one it was made with. */
static void judge_other(struct report *r, const struct facts *f)
{
	const struct storage_facts *st = &f->storage;
	const struct prefix *subnet =
		f->wanted.has_custom_subnet ? &f->wanted.custom_subnet : &f->keys.subnet;
	char ip[IP_TEXT_SIZE];
	bool is_foreign4 = st->mesh_ip.family != 0 && !prefix_contains(subnet, &st->mesh_ip);

	if (st->probe != 0 || st->key_code != 0)
		return;
	if (is_foreign6(f, &st->mesh_ip6)) {
		report_fail(
			r, EXITS_FAILURE, NAME,
			"this is not the secret that this node had: its address was %s, which "
			"follows from another one; with this secret it would be alone, in another "
			"mesh",
			ip_format(ip, is_foreign4 ? &st->mesh_ip : &st->mesh_ip6));
		report_cure(r, "compare the network id with that of a node that works (`wgmesh "
			       "status`), and put the right secret back; if it was changed on "
			       "purpose, there is nothing to do");
		return;
	}
	if (is_foreign4) {
		report_say(r, REPORT_WARN, NAME,
			   "this node's address was %s, outside the subnet it would have now: "
			   "--mesh-subnet is another one than before, or the secret is",
			   ip_format(ip, &st->mesh_ip));
		report_cure(r, "give all nodes the same --mesh-subnet (WGMESH_MESH_SUBNET)");
		return;
	}
	for (size_t i = 0; i < st->n_old; i++) {
		if (!is_foreign6(f, &st->old6[i]))
			continue;
		report_say(r, REPORT_WARN, NAME,
			   "this node once had another secret: its address was %s then",
			   ip_format(ip, &st->old6[i]));
		report_cure(r, "if that was not on purpose, compare the network id with that of a "
			       "node that works (`wgmesh status`)");
		return;
	}
}

static void network_id(char out[static 2 * ID_SHOWN + 1], const struct facts *f)
{
	crypto_hex(out, 2 * ID_SHOWN + 1, f->keys.network_id, ID_SHOWN);
}

static void judge_running(struct report *r, const struct facts *f, const char *id)
{
	if (!facts_has_node(f) || f->node.network_id[0] == '\0' ||
	    strcmp(f->node.network_id, id) == 0)
		return;
	report_say(r, REPORT_WARN, NAME,
		   "the node that runs has another secret: its network id is %s, not %s",
		   f->node.network_id, id);
	report_cure(r,
		    "restart the node if the secret was changed, or ask it in its own container");
}

void judge_secret(struct report *r, const struct facts *f)
{
	const struct secret_facts *s = &f->secret;
	char id[2 * ID_SHOWN + 1];
	char origin[ORIGIN_MAX];
	size_t before;

	if (s->probe == -ETIMEDOUT) {
		report_fail(r, EXITS_USAGE, NAME,
			    "the secret's file does not answer: its storage "
			    "hangs, or it is a pipe that nobody writes to");
		report_cure(r, "mount a plain file");
		return;
	}
	if (!judge_probe(r, NAME, s->probe))
		return;
	if (s->place == SECRET_NOWHERE) {
		judge_missing(r, f);
		return;
	}
	if (s->code == -EACCES && facts_is_shut_out(f)) {
		report_say(r, REPORT_SKIP, NAME, "only root and the node's own user may read %s",
			   s->path);
		return;
	}
	if (s->code < 0) {
		judge_refused(r, s);
		return;
	}
	network_id(id, f);
	describe(origin, s);
	before = r->n;
	judge_other(r, f);
	judge_running(r, f, id);
	judge_oddities(r, s);
	report_say(r, REPORT_PASS, NAME,
		   "%s by %s; network id %s, which `wgmesh status` shows on every node of its mesh",
		   r->n == before ? "found" : "it was found", origin, id);
}
