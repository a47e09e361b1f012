/* SPDX-License-Identifier: MIT */
/* descriptors - how many this process has open, for tests that look for a leak of them */
#ifndef TESTS_UNIT_DESCRIPTORS_H
#define TESTS_UNIT_DESCRIPTORS_H

#include "tests/unit/test.h"

#include <dirent.h>
#include <stddef.h>

/* More than are open by a constant: what readdir(3) and the directory itself add. */
static inline size_t descriptors_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

#endif /* TESTS_UNIT_DESCRIPTORS_H */
