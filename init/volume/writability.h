/* SPDX-License-Identifier: MIT */
/* writability - prove that state can be stored: write, sync, rename and read back a probe file */
#ifndef INIT_VOLUME_WRITABILITY_H
#define INIT_VOLUME_WRITABILITY_H

#include "init/boot.h"

#include <limits.h>
#include <stdint.h>

/* Less than this is as good as full. */
#define WRITABILITY_MIN_BYTES  UINT64_C(1048576)
#define WRITABILITY_MIN_INODES UINT64_C(16)

/**
 * struct probe - A test of a directory and what came of it
 * @dir:	Directory
 * @create:	Make the directory where it is missing
 * @is_dry:	Leave no trace, not even for a moment: write a file without a name, or where there is no
 *		such thing, only look at access rights and free space
 * @was_written: Something was written and synced
 * @step:	What failed: a few words such as "create a file"; empty when nothing did
 * @error:	Negative errno value, 0 when all went well
 * @free_bytes:	Bytes that we may still write
 * @free_inodes: Files that we may still make; UINT64_MAX where the file system does not count
 * @fs_type:	f_type of statfs(2)
 */
struct probe {
	char dir[PATH_MAX];
	bool create;
	bool is_dry;
	bool was_written;
	char step[64];
	int error;
	uint64_t free_bytes;
	uint64_t free_inodes;
	uint64_t fs_type;
};

/**
 * writability_probe() - Test a directory; may hang when its storage hangs
 * @p:		Test; its results are filled in
 */
void writability_probe(struct probe *p);

/**
 * writability_judge() - What the result of a test means; pure
 * @p:		Finished test
 * @e:		Receives the reason, with the exit code
 *
 * Return: 0 or a negative errno value
 */
int writability_judge(const struct probe *p, struct err *e);

/**
 * writability_check() - Phase "writability": test the state directory, then open it
 */
int writability_check(struct boot *b, struct err *e);

#endif /* INIT_VOLUME_WRITABILITY_H */
