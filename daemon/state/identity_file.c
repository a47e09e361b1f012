/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/statefile.h"
#include "daemon/state/identity.h"

#include <errno.h>
#include <string.h>

/* What a failed read says about the file: damage, absence, or nothing at all. */
static int judge_read(int r, struct err *e)
{
	switch (-r) {
	case ENOENT:
		return r;
	case ELOOP:
		return err_set(e, -EBADMSG, "is a symbolic link");
	case EINVAL:
	case ENXIO:
	case ENODEV:
		return err_set(e, -EBADMSG, "is not a regular file");
	case EFBIG:
		return err_set(e, -EBADMSG, "is larger than %d bytes", IDENTITY_FILE_MAX);
	case EACCES:
	case EPERM:
	case EIO:
		return err_exit(e, EXITS_IO, -EBADMSG, "cannot be read: %s", strerror(-r));
	default:
		return err_set(e, r, "cannot be read");
	}
}

int identity_read_file(struct identity *out, int dirfd, const char *name, struct err *e)
{
	char text[IDENTITY_FILE_MAX + 1];
	ssize_t n = statefile_read(dirfd, name, text, sizeof(text), NULL);
	int r = n < 0 ? judge_read((int)n, e) : identity_parse(out, text, (size_t)n, e);

	crypto_wipe(text, sizeof(text));
	if (n < 0)
		identity_wipe(out);
	if (n < 0 || r == 0 || r == -EPROTONOSUPPORT)
		return r;
	if (e)
		e->code = -EBADMSG;
	return -EBADMSG;
}
