/* SPDX-License-Identifier: MIT */
#include "init/voltext.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void add(struct voltext *t, const char *fmt, ...)
{
	va_list ap;

	if (t->n == VOLTEXT_LINES)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(t->line[t->n++], sizeof(t->line[0]), fmt, ap);
	va_end(ap);
}

static const char *when_lost(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_MEMORY:
	case VERDICT_CONTAINER:
		return "the next restart";
	case VERDICT_POD:
		return "the next re-create of the pod (an update, an eviction, a node drain)";
	case VERDICT_ANONYMOUS:
	case VERDICT_LAYER:
	case VERDICT_UNKNOWN:
	case VERDICT_PERSISTENT:
	case VERDICT_READONLY:
	case VERDICT_WRONG_TYPE:
	case VERDICT_BROKEN:
	case VERDICT_SPLIT:
	case VERDICT_COUNT:
		break;
	}
	return "the next re-create (an image update, docker compose up after a change)";
}

static void add_volume_cures(struct voltext *t, const char *dir)
{
	add(t, "docker run: add -v wgmesh-state:%s", dir);
	add(t,
	    "compose: give the service \"volumes: [wgmesh-state:%s]\", and the file a top-level "
	    "\"volumes: {wgmesh-state: {}}\"",
	    dir);
	add(t,
	    "Kubernetes: mount a PersistentVolumeClaim (StatefulSet volumeClaimTemplates) or, in a "
	    "DaemonSet, a hostPath at mountPath %s",
	    dir);
}

static void add_lost(struct voltext *t, const struct volume *v, const char *dir, const char *other)
{
	if (v->verdict == VERDICT_UNKNOWN)
		add(t, "it is not known whether this node's key survives %s",
		    when_lost(v->verdict));
	else
		add(t,
		    "%s gives this node a new key and a new address; every peer still trusts the "
		    "old one",
		    when_lost(v->verdict));
	if (other[0] != '\0')
		add(t,
		    "did you mean %.200s? A volume is mounted there: mount it at %s instead, or "
		    "start with --state-dir=%.200s",
		    other, dir, other);
	add_volume_cures(t, dir);
	add(t, "if this is wanted, set WGMESH_PERSISTENCE=ignore; to have such starts refused, set "
	       "WGMESH_PERSISTENCE=require");
}

static void add_unusable(struct voltext *t, const struct volume *v, const char *dir)
{
	add(t, "this node's key cannot be stored there");
	switch (v->verdict) {
	case VERDICT_READONLY:
		add(t, "if the volume has \":ro\" or \"readOnly: true\", remove that; if there is "
		       "no volume, add one:");
		add_volume_cures(t, dir);
		break;
	case VERDICT_WRONG_TYPE:
		add(t, "secrets and configMaps cannot be written: mount those elsewhere (the mesh "
		       "secret is read from --secret-file), and a volume here:");
		add_volume_cures(t, dir);
		break;
	case VERDICT_BROKEN:
		add(t, "create the directory on the host again, with its contents from a backup, "
		       "and re-create the container");
		break;
	case VERDICT_SPLIT:
		add(t,
		    "files are replaced by rename, which fails on a mount point: mount the whole "
		    "directory %s, not a file or a subPath in it",
		    dir);
		break;
	case VERDICT_UNKNOWN:
	case VERDICT_PERSISTENT:
	case VERDICT_ANONYMOUS:
	case VERDICT_CONTAINER:
	case VERDICT_POD:
	case VERDICT_MEMORY:
	case VERDICT_LAYER:
	case VERDICT_COUNT:
		break;
	}
}

void voltext_explain(const struct volume *v, const char *dir, const char *other,
		     struct voltext *out)
{
	out->n = 0;
	add(out, "the state directory %s is on %s", dir, v->what);
	if (verdict_is_usable(v->verdict))
		add_lost(out, v, dir, other);
	else
		add_unusable(out, v, dir);
}
