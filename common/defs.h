/* SPDX-License-Identifier: MIT */
/* defs - macros and inlines that every file may use; nothing here does I/O on its own */
#ifndef COMMON_DEFS_H
#define COMMON_DEFS_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void auto_close_(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void auto_free_(void *p)
{
	free(*(void **)p);
}

/* Hand a descriptor out of the scope whose auto_close would have closed it. */
static inline int steal_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define auto_close __attribute__((cleanup(auto_close_)))
#define auto_free  __attribute__((cleanup(auto_free_)))

#define fallthrough_ __attribute__((fallthrough))

#endif /* COMMON_DEFS_H */
