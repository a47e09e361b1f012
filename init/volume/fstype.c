/* SPDX-License-Identifier: MIT */
#include "init/volume/fstype.h"
#include "common/defs.h"

#include <stddef.h>
#include <string.h>

#define MAGIC_TMPFS   UINT64_C(0x01021994)
#define MAGIC_RAMFS   UINT64_C(0x858458f6)
#define MAGIC_OVERLAY UINT64_C(0x794c7630)
#define MAGIC_AUFS    UINT64_C(0x61756673)
#define MAGIC_FUSE    UINT64_C(0x65735546)
#define MAGIC_CIFS    UINT64_C(0xff534d42)
#define MAGIC_SMB2    UINT64_C(0xfe534d42)
#define MAGICS_MAX    2

/* What statfs(2) answers for a type; what is not here has not been seen. */
static const struct {
	const char *type;
	uint64_t magic[MAGICS_MAX];
} known[] = {
	{ "tmpfs", { MAGIC_TMPFS } },
	{ "ramfs", { MAGIC_RAMFS } },
	{ "overlay", { MAGIC_OVERLAY } },
	{ "aufs", { MAGIC_AUFS } },
	{ "ext2", { 0xef53 } },
	{ "ext3", { 0xef53 } },
	{ "ext4", { 0xef53 } },
	{ "xfs", { 0x58465342 } },
	{ "btrfs", { 0x9123683e } },
	{ "zfs", { 0x2fc12fc1 } },
	{ "f2fs", { 0xf2f52010 } },
	{ "nfs", { 0x6969 } },
	{ "nfs4", { 0x6969 } },
	{ "ceph", { 0x00c36400 } },
	{ "virtiofs", { MAGIC_FUSE } },
	{ "cifs", { MAGIC_CIFS, MAGIC_SMB2 } },
	{ "smb3", { MAGIC_SMB2, MAGIC_CIFS } },
};

static bool is_any_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(s, *list) == 0)
			return true;
	return false;
}

bool fstype_is_memory(const char *type)
{
	return is_any_of(type, (const char *const[]) { "tmpfs", "ramfs", NULL });
}

bool fstype_is_layered(const char *type)
{
	return is_any_of(type, (const char *const[]) { "overlay", "aufs", "fuse.fuse-overlayfs",
						       "fuse-overlayfs", NULL });
}

bool fstype_is_host_share(const char *type)
{
	return is_any_of(type, (const char *const[]) { "fakeowner", "virtiofs", "9p", "drvfs",
						       "grpcfuse", "fuse.grpcfuse", "osxfs",
						       "fuse.osxfs", "prl_fs", "vboxsf", NULL });
}

enum fstype_kind fstype_of_magic(uint64_t magic)
{
	switch (magic) {
	case MAGIC_TMPFS:
	case MAGIC_RAMFS:
		return FSTYPE_MEMORY;
	case MAGIC_OVERLAY:
	case MAGIC_AUFS:
		return FSTYPE_LAYERED;
	default:
		return FSTYPE_OTHER;
	}
}

bool fstype_contradicts(const char *type, uint64_t magic)
{
	if (magic == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i].type, type) == 0)
			return known[i].magic[0] != magic && known[i].magic[1] != magic;
	/* 9p passes on the number of what lies behind it. */
	if (strcmp(type, "9p") == 0)
		return fstype_of_magic(magic) == FSTYPE_MEMORY;
	return fstype_of_magic(magic) != FSTYPE_OTHER;
}
