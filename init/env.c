/* SPDX-License-Identifier: MIT */
#include "init/env.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define NEW_ENTRIES 16
#define NEW_BYTES   65536 /* pages that nobody touches cost nothing */

/* Index of a variable, or of the end. */
static size_t find(char **list, const char *name)
{
	size_t len = strlen(name);
	size_t i = 0;

	while (list[i] && (strncmp(list[i], name, len) != 0 || list[i][len] != '='))
		i++;
	return i;
}

static size_t count(char **list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

void env_init(struct env *env, char **given)
{
	*env = (struct env) { .list = given, .given = given };
}

void env_fini(struct env *env)
{
	if (env->room)
		(void)munmap(env->room, env->room_size);
	env_init(env, env->given);
}

const char *env_get(const struct env *env, const char *name)
{
	const char *entry = env->given[find(env->given, name)];

	return entry ? entry + strlen(name) + 1 : NULL;
}

/* Most starts change one or two variables: one mapping is cheaper than a heap. */
static int make_room(struct env *env)
{
	size_t n = count(env->given);
	size_t list_size = (n + NEW_ENTRIES + 1) * sizeof(char *);
	void *room;

	if (env->room)
		return 0;
	room = mmap(NULL, list_size + NEW_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return -ENOMEM;
	env->room = room;
	env->room_size = list_size + NEW_BYTES;
	env->used = list_size;
	env->list = room;
	memcpy(env->list, env->given, n * sizeof(char *));
	return 0;
}

static void take_away(struct env *env, size_t i)
{
	for (; env->list[i]; i++)
		env->list[i] = env->list[i + 1];
}

/* Return: true when one more entry has its place in the list */
static bool has_place(const struct env *env, size_t i)
{
	return env->list[i] || i < count(env->given) + NEW_ENTRIES;
}

int env_set(struct env *env, const char *name, const char *value)
{
	size_t left;
	size_t i;
	int n;

	if (!value && !env->list[find(env->list, name)])
		return 0;
	if (make_room(env) < 0)
		return -ENOMEM;
	i = find(env->list, name);
	if (!value) {
		take_away(env, i);
		return 0;
	}
	left = env->room_size - env->used;
	n = snprintf(env->room + env->used, left, "%s=%s", name, value);
	if (n < 0 || (size_t)n >= left || !has_place(env, i))
		return -ENOMEM;
	env->list[i] = env->room + env->used;
	env->used += (size_t)n + 1;
	return 0;
}
