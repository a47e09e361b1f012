/* SPDX-License-Identifier: MIT */
#include "init/volume/voltext.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CURE_SIZE 480

__attribute__((format(printf, 2, 3))) static void add(struct voltext *t, const char *fmt, ...)
{
	va_list ap;

	if (t->n == VOLTEXT_LINES)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(t->line[t->n++], sizeof(t->line[0]), fmt, ap);
	va_end(ap);
}

/* Joins the words for Docker and Podman and those for Kubernetes, as far as they are wanted. */
__attribute__((format(printf, 4, 5))) static void join(char out[static CURE_SIZE],
						       enum engine engine, const char *kubernetes,
						       const char *fmt, ...)
{
	bool is_kubernetes = engine == ENGINE_KUBERNETES;
	bool is_other = engine == ENGINE_DOCKER || engine == ENGINE_PODMAN;
	va_list ap;
	size_t n;

	out[0] = '\0';
	va_start(ap, fmt);
	if (!is_kubernetes)
		(void)vsnprintf(out, CURE_SIZE, fmt, ap);
	va_end(ap);
	n = strlen(out);
	if (!is_other)
		(void)snprintf(out + n, CURE_SIZE - n, "%sKubernetes: %s", n ? "; " : "",
			       kubernetes);
}

/* "mount a volume that lasts", in the words of the engine */
static void cure_volume(char out[static CURE_SIZE], const struct voltext_about *about)
{
	char kubernetes[240];

	(void)snprintf(
		kubernetes, sizeof(kubernetes),
		"mount a PersistentVolumeClaim at %.100s (StatefulSet: volumeClaimTemplates; "
		"DaemonSet: a hostPath)",
		about->dir);
	join(out, about->engine, kubernetes,
	     "%s run: add -v wgmesh-state:%.100s; compose: \"volumes: [wgmesh-state:%.100s]\" in "
	     "the service, \"volumes: {wgmesh-state: {}}\" in the file",
	     about->engine == ENGINE_PODMAN ? "podman" : "docker", about->dir, about->dir);
}

static const char *what_comes(const struct volume *v, enum engine engine)
{
	switch (v->verdict) {
	case VERDICT_MEMORY:
		return strcmp(v->root, "/") == 0 || v->root[0] == '\0'
			       ? "the next restart"
			       : "the host's next reboot, if not an earlier restart,";
	case VERDICT_CONTAINER:
		return "the next restart";
	case VERDICT_POD:
		return "the next re-create of the pod (an update, an eviction, a node drain)";
	case VERDICT_LAYER:
		if (engine == ENGINE_KUBERNETES)
			return "the next restart (Kubernetes makes a new container each time)";
		break;
	case VERDICT_ANONYMOUS:
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

static const char *why_meant(const struct othermount *m)
{
	if (m->was_seen && m->has_files)
		return m->verdict == VERDICT_ANONYMOUS
			       ? "The anonymous volume there holds files of this node"
			       : "The volume there holds files of this node";
	if (m->is_legacy)
		return "A volume is mounted there, where older deployments kept the key";
	return "The volume there is empty";
}

/* True when a mount elsewhere was probably meant, and the line says what to do about it. */
static bool add_meant(struct voltext *t, const struct voltext_about *about)
{
	const struct othermount *m = about->other;

	if (!m)
		return false;
	if (m->verdict == VERDICT_ANONYMOUS)
		add(t,
		    "did you mean %s? %s; remove nothing before they are copied to a volume "
		    "at %.100s that has a name",
		    m->dir, why_meant(m), about->dir);
	else
		add(t,
		    "did you mean %s? %s; mount it at %.100s instead%s, or set "
		    "WGMESH_STATE_DIR=%s",
		    m->dir, why_meant(m), about->dir, m->is_read_only ? ", writable" : "", m->dir);
	return true;
}

static void add_lost(struct voltext *t, const struct volume *v, const struct voltext_about *about)
{
	char cure[CURE_SIZE];

	if (v->verdict == VERDICT_UNKNOWN)
		add(t, "nobody can tell from here whether this node's key survives %s",
		    what_comes(v, about->engine));
	else
		add(t,
		    "%s gives this node a new key and a new address; every peer still trusts the "
		    "old one",
		    what_comes(v, about->engine));
	if (add_meant(t, about))
		return;
	cure_volume(cure, about);
	if (v->verdict == VERDICT_ANONYMOUS)
		add(t, "give the volume a name: %s", cure);
	else if (v->verdict == VERDICT_UNKNOWN)
		add(t, "if it does not: %s; if it does: WGMESH_PERSISTENCE=ignore", cure);
	else
		add(t, "%s", cure);
}

static void add_writable(struct voltext *t, const struct volume *v,
			 const struct voltext_about *about)
{
	char cure[CURE_SIZE];

	if (add_meant(t, about))
		return;
	if (strcmp(v->point, "/") == 0) {
		cure_volume(cure, about);
		add(t, "%s", cure);
		return;
	}
	join(cure, about->engine, "remove \"readOnly: true\" from the volumeMount at it",
	     "docker, podman, compose: remove \":ro\" from the volume at %.100s", about->dir);
	add(t, "%s", cure);
}

static void add_unusable(struct voltext *t, const struct volume *v,
			 const struct voltext_about *about)
{
	char cure[CURE_SIZE];

	add(t, "this node's key cannot be stored there");
	cure_volume(cure, about);
	if (v->verdict == VERDICT_READONLY)
		add_writable(t, v, about);
	else if (v->verdict == VERDICT_WRONG_TYPE && !add_meant(t, about))
		add(t,
		    "mount it elsewhere (--secret-file names the mesh secret), and a volume here: %s",
		    cure);
	else if (v->verdict == VERDICT_BROKEN)
		add(t,
		    "make the directory on the host again, with its contents from a backup, and "
		    "re-create the %s",
		    about->engine == ENGINE_KUBERNETES ? "pod" : "container");
	else if (v->verdict == VERDICT_SPLIT)
		add(t,
		    "files are replaced by rename, which fails on a mount: mount the whole "
		    "directory %.100s, not a file of it (Kubernetes: no subPath to a file)",
		    about->dir);
}

void voltext_explain(const struct volume *v, const struct voltext_about *about, struct voltext *out)
{
	out->n = 0;
	add(out, "the state directory %s is on %s", about->dir, v->what);
	if (verdict_is_usable(v->verdict))
		add_lost(out, v, about);
	else
		add_unusable(out, v, about);
}
