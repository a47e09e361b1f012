/* SPDX-License-Identifier: MIT */
#include "init/state/denial.h"
#include "common/exits.h"

#include <stdio.h>

#define PERMISSIONS 07777
#define OWNER_SIZE  96
#define PART_SIZE   240

static void describe_owner(const struct denial *d, char out[static OWNER_SIZE])
{
	if (!d->st)
		(void)snprintf(out, OWNER_SIZE, "cannot be looked at");
	else
		(void)snprintf(out, OWNER_SIZE, "belongs to %u:%u%s with mode %04o", d->st->st_uid,
			       d->st->st_gid, d->is_unmapped ? " (a user not mapped here)" : "",
			       d->st->st_mode & PERMISSIONS);
}

/* The first that fits is the one that would go on to be in the way, were the others put right. */
static void explain_cause(const struct denial *d, char why[static PART_SIZE],
			  char cure[static PART_SIZE])
{
	if (d->is_immutable) {
		(void)snprintf(why, PART_SIZE, "it is immutable");
		(void)snprintf(cure, PART_SIZE, "on the host run chattr -R -i -a on the volume");
	} else if (d->is_above) {
		(void)snprintf(why, PART_SIZE,
			       "its mode lets %u in, but an ACL or a directory above it does not "
			       "(or SELinux)",
			       d->uid);
		(void)snprintf(cure, PART_SIZE,
			       "run namei -l and getfacl on it, and chmod o+x above it; with "
			       "SELinux mount it with :Z");
	} else if (d->is_unmapped) {
		(void)snprintf(why, PART_SIZE, "nobody in here is its owner");
		(void)snprintf(
			cure, PART_SIZE,
			"map this uid into the container (--uidmap, userns-remap), or on the "
			"host give the volume to the uid that %u has there",
			d->uid);
	} else if (d->euid != 0) {
		(void)snprintf(why, PART_SIZE, "wgmesh-init runs as uid %u without CAP_CHOWN",
			       d->euid);
		(void)snprintf(
			cure, PART_SIZE,
			"on the host run chown -R %u:%u on the volume; Kubernetes: fsGroup: "
			"%u, or \"wgmesh-init fix-permissions\" as root in an init container",
			d->uid, d->gid, d->gid);
	} else if (d->missing) {
		(void)snprintf(why, PART_SIZE, "wgmesh-init is root without CAP_%s", d->missing);
		(void)snprintf(cure, PART_SIZE,
			       "add the capability (cap_add: [%s]), or on the host run chown -R "
			       "%u:%u on the volume; Kubernetes: capabilities.add: [%s]",
			       d->missing, d->uid, d->gid, d->missing);
	} else {
		(void)snprintf(why, PART_SIZE,
			       "even root is refused that here (root_squash, or SELinux)");
		(void)snprintf(cure, PART_SIZE,
			       "on the file server run chown -R %u:%u on the volume; with SELinux "
			       "mount it with :Z",
			       d->uid, d->gid);
	}
}

int denial_explain(const struct denial *d, int error, struct err *e)
{
	char owner[OWNER_SIZE];
	char why[PART_SIZE];
	char cure[PART_SIZE];

	describe_owner(d, owner);
	explain_cause(d, why, cure);
	return err_exit(e, EXITS_NO_PERMISSION, error,
			"cannot %.50s: %.70s %s, the daemon is %u:%u, and %s; %s", d->what, d->path,
			owner, d->uid, d->gid, why, cure);
}
