/* SPDX-License-Identifier: MIT */
/* voltext - say what a storage verdict means and what to change, one sentence a line; pure */
#ifndef INIT_VOLUME_VOLTEXT_H
#define INIT_VOLUME_VOLTEXT_H

#include "init/volume/othermount.h"
#include "init/volume/volume.h"

#include <stddef.h>

#define VOLTEXT_LINES 3

/* The engine that probably runs this container. It picks the words, and never decides anything. */
enum engine { ENGINE_ANY, ENGINE_DOCKER, ENGINE_PODMAN, ENGINE_KUBERNETES };

/**
 * struct voltext_about - What else the text is about
 * @dir:	State directory, as configured
 * @engine:	Whose cure to name, or ENGINE_ANY for all of them
 * @other:	Mount that may have been meant; NULL for none
 */
struct voltext_about {
	const char *dir;
	enum engine engine;
	const struct othermount *other;
};

/**
 * struct voltext - Lines for an operator
 * @n:		Lines used
 * @line:	Each a sentence without a full stop: what it is, what happens; the last one, what to do
 */
struct voltext {
	size_t n;
	char line[VOLTEXT_LINES][600];
};

/**
 * voltext_explain() - Explain a verdict other than "persistent"
 * @v:		Verdict
 * @about:	What else the text is about
 * @out:	Receives the lines
 */
void voltext_explain(const struct volume *v, const struct voltext_about *about,
		     struct voltext *out);

#endif /* INIT_VOLUME_VOLTEXT_H */
