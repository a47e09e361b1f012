/* SPDX-License-Identifier: MIT */
/* env - the environment of the daemon: the one that came in, with a few changes */
#ifndef INIT_ENV_H
#define INIT_ENV_H

#include <stddef.h>

/**
 * struct env - An environment
 * @list:	NAME=value strings, NULL at the end; the list that came in until something changes
 * @given:	The list that came in; borrowed
 * @room:	One mapping for a list of our own, and for new entries behind it; NULL before a change
 * @room_size:	Bytes in @room
 * @used:	Bytes of @room that are taken
 */
struct env {
	char **list;
	char **given;
	char *room;
	size_t room_size;
	size_t used;
};

/**
 * env_init() - Begin with an environment as it came in
 * @env:	Environment to fill
 * @given:	NAME=value strings, NULL at the end; borrowed
 */
void env_init(struct env *env, char **given);

/**
 * env_fini() - Free what was made
 */
void env_fini(struct env *env);

/**
 * env_get() - A variable as it came in
 * @env:	Environment
 * @name:	Variable
 *
 * Return: its value, or NULL
 */
const char *env_get(const struct env *env, const char *name);

/**
 * env_set() - Add, replace or take away a variable
 * @env:	Environment
 * @name:	Variable
 * @value:	Its value; NULL takes the variable away
 *
 * Return: 0, or -ENOMEM with the environment as it was
 */
int env_set(struct env *env, const char *name, const char *value);

#endif /* INIT_ENV_H */
