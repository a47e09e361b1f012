/* SPDX-License-Identifier: MIT */
/* look - the facts that storage verdicts are made of; what touches a volume may hang with it */
#ifndef INIT_VOLUME_LOOK_H
#define INIT_VOLUME_LOOK_H

#include "init/volume/othermount.h"
#include "init/volume/voltext.h"
#include "init/volume/volume.h"

#include <stdint.h>

/**
 * look_at_state() - Find out what there is to know of the state directory; may hang
 * @dir:	State directory, as configured
 * @f:		Receives the facts
 */
void look_at_state(const char *dir, struct volume_facts *f);

/**
 * look_inside() - Find out whether a mount holds files of ours, or nothing; may hang
 * @m:		Mount; its last three members are filled in
 * @interface:	WireGuard interface, which key files are named after
 */
void look_inside(struct othermount *m, const char *interface);

/**
 * look_for_engine() - Guess which engine runs this container, from files in its own root
 * @mounts:	Text of /proc/self/mountinfo
 * @has_service: The environment names a Kubernetes API server
 */
enum engine look_for_engine(const char *mounts, bool has_service);

/**
 * look_mount_id() - Find the mount that a path lies on, by statx(2)
 * @path:	Path
 * @id:		Receives its id
 *
 * Return: false where statx(2) does not tell (Linux before 5.8), or is forbidden
 */
bool look_mount_id(const char *path, uint64_t *id);

/**
 * look_mount_id_by_fdinfo() - The same, by /proc/self/fdinfo
 * @path:	Path
 * @id:		Receives its id
 *
 * Return: false where /proc is masked
 */
bool look_mount_id_by_fdinfo(const char *path, uint64_t *id);

#endif /* INIT_VOLUME_LOOK_H */
