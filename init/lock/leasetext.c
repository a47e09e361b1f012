/* SPDX-License-Identifier: MIT */
/* leasetext - names and contents of lease files, and where they are needed */
#include "common/defs.h"
#include "common/str.h"
#include "init/lock/lease.h"
#include "init/state/names.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

#define VERSION	    1
#define VERSION_MAX UINT64_C(1000000)
#define PREFIX	    NAMES_LEASE "."
#define POLL_MAX_MS 1000

/* Not in every version of linux/magic.h. */
#define MAGIC_AUFS     0x61756673
#define MAGIC_BCACHEFS 0xca451a4e
#define MAGIC_EXFAT    0x2011bab0
#define MAGIC_F2FS     0xf2f52010
#define MAGIC_JFFS2    0x72b6
#define MAGIC_JFS      0x3153464a
#define MAGIC_NTFS3    0x7366746e
#define MAGIC_UBIFS    0x24051905
#define MAGIC_XFS      0x58465342
#define MAGIC_ZFS      0x2fc12fc1

/*
 * Everything else may have several kernels write to it: NFS, SMB, 9p, FUSE with all that hides behind it
 * (virtiofs, sshfs, object stores), Ceph, Lustre, GFS2, and what is not known yet.
 */
bool lease_is_needed(uint64_t fs_type)
{
	static const uint64_t local[] = { EXT4_SUPER_MAGIC,
					  MAGIC_XFS,
					  BTRFS_SUPER_MAGIC,
					  MAGIC_F2FS,
					  MAGIC_ZFS,
					  MAGIC_BCACHEFS,
					  TMPFS_MAGIC,
					  RAMFS_MAGIC,
					  0x794c7630,
					  MAGIC_JFFS2,
					  MAGIC_UBIFS,
					  MAGIC_AUFS,
					  MSDOS_SUPER_MAGIC,
					  MAGIC_EXFAT,
					  MAGIC_NTFS3,
					  MAGIC_JFS,
					  REISERFS_SUPER_MAGIC,
					  NILFS_SUPER_MAGIC };

	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		if (fs_type == local[i])
			return false;
	return true;
}

void lease_divide(uint64_t lease_ms, struct lease_times *out)
{
	out->settle_ms = lease_ms / 3;
	out->silence_ms = lease_ms - out->settle_ms;
	out->beat_ms = lease_ms / 6;
	out->poll_ms = lease_ms / 12 < POLL_MAX_MS ? lease_ms / 12 : POLL_MAX_MS;
}

static bool is_id(const char *s)
{
	return strspn(s, "0123456789abcdef") == LEASE_ID_SIZE - 1 && s[LEASE_ID_SIZE - 1] == '\0';
}

/* The value of a key; empty when there is no such line, or no room for its value. */
static void find(const char *text, const char *key, char *out, size_t size)
{
	size_t len = strlen(key);

	out[0] = '\0';
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > len && strncmp(text, key, len) == 0 && text[len] == '=' && n - len <= size)
			str_cut(out, size, text + len + 1, n - len - 1);
		text += n + (text[n] == '\n' ? 1 : 0);
	}
}

void lease_parse(const char *text, struct lease_text *out)
{
	char word[24];
	uint64_t version = 0;

	memset(out, 0, sizeof(*out));
	out->form = LEASE_DAMAGED;
	holder_parse(text, &out->holder);
	find(text, "version", word, sizeof(word));
	if (str_parse_u64(&version, word, VERSION, VERSION_MAX) < 0)
		return;
	if (version > VERSION) {
		out->form = LEASE_NEWER;
		return;
	}
	find(text, "holder", out->id, sizeof(out->id));
	find(text, "beat", word, sizeof(word));
	if (!is_id(out->id) || str_parse_u64(&out->beat, word, 0, UINT64_MAX - 1) < 0)
		return;
	find(text, "lease_ms", word, sizeof(word));
	if (str_parse_u64(&out->lease_ms, word, 0, LEASE_MS_MAX) < 0)
		out->lease_ms = 0;
	find(text, "state", word, sizeof(word));
	if (strcmp(word, "held") == 0)
		out->form = LEASE_HELD;
	else if (strcmp(word, "free") == 0)
		out->form = LEASE_FREE;
}

size_t lease_format(const struct lease_text *t, char out[static LEASE_TEXT_SIZE])
{
	int n = snprintf(out, LEASE_TEXT_SIZE,
			 "version=%d\nstate=%s\nholder=%s\nbeat=%020llu\nlease_ms=%llu\n", VERSION,
			 t->form == LEASE_FREE ? "free" : "held", t->id,
			 (unsigned long long)t->beat, (unsigned long long)t->lease_ms);
	size_t used = n < 0 ? 0 : (size_t)n;

	return used + holder_format(&t->holder, out + used, LEASE_TEXT_SIZE - used);
}

void lease_name(uint64_t term, char out[static LEASE_NAME_SIZE])
{
	(void)snprintf(out, LEASE_NAME_SIZE, PREFIX "%llu", (unsigned long long)term);
}

uint64_t lease_term_of(const char *name)
{
	size_t len = sizeof(PREFIX) - 1;
	uint64_t term = 0;

	if (strncmp(name, PREFIX, len) != 0 || name[len] == '0' ||
	    str_parse_u64(&term, name + len, 1, LEASE_TERM_MAX) < 0)
		return 0;
	return term;
}
