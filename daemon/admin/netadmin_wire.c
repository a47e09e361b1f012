/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin_wire.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

static void attach_fd(struct msghdr *mh, union control *control, int fd)
{
	struct cmsghdr *cm;

	memset(control, 0, sizeof(*control));
	mh->msg_control = control->buf;
	mh->msg_controllen = sizeof(control->buf);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
}

int netadmin_wire_send(int sock, const void *msg, size_t len, int fd, int flags)
{
	/* sendmsg(2) does not write to the message; the type only lacks the const. */
	struct iovec iov = { .iov_base = (void *)(uintptr_t)msg, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (fd >= 0)
		attach_fd(&mh, &control, fd);
	do {
		n = sendmsg(sock, &mh, flags | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Alignment leaves room for more descriptors than one: whatever came is ours to close. */
static int detach_fds(struct msghdr *mh, int *fd)
{
	size_t total = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
		size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++, total++) {
			if (*fd >= 0)
				(void)close(*fd);
			memcpy(fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(*fd));
		}
	}
	return total > 1 || (mh->msg_flags & MSG_CTRUNC) ? -EPROTO : 0;
}

static int drop_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	return -EPROTO;
}

ssize_t netadmin_wire_take(int sock, void *msg, size_t size, int *fd, int flags)
{
	struct iovec iov = { .iov_base = msg, .iov_len = size };
	union control control = { .buf = { 0 } };
	struct msghdr mh = { .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf) };
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(sock, &mh, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	if (detach_fds(&mh, fd) == 0 && !(mh.msg_flags & MSG_TRUNC))
		return n;
	return drop_fd(fd);
}

int netadmin_wire_receive(int sock, void *msg, size_t len, int *fd, int flags)
{
	ssize_t n = netadmin_wire_take(sock, msg, len, fd, flags);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : drop_fd(fd);
}
