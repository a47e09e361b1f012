/* SPDX-License-Identifier: MIT */
#include "init/supervise/notify.h"
#include "common/defs.h"
#include "common/statusline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NAME_TRIES 8

/* --- opening --------------------------------------------------------------------------------- */

/* "@" stands for the NUL that makes a name abstract; no directory and no /proc is needed for it. */
static int bind_name(int fd, const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(sa.sun_path, name, len);
	sa.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path);
	return bind(fd, (const struct sockaddr *)&sa, (socklen_t)len) < 0 ? -errno : 0;
}

/* Nothing but a free name is asked for: who may speak is decided by credentials. */
static int bind_somewhere(int fd, char *name, size_t size)
{
	struct timespec now = { 0 };
	int r = -EADDRINUSE;

	for (int try = 0; try < NAME_TRIES && r == -EADDRINUSE; try++) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (snprintf(name, size, STATUSLINE_NAME_HEAD "%llx%08lx",
			     (unsigned long long)now.tv_sec,
			     (unsigned long)now.tv_nsec) >= (int)size)
			return -ENAMETOOLONG;
		r = bind_name(fd, name);
	}
	return r;
}

int notify_open(char *name, size_t size)
{
	const int yes = 1;
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
		return -errno;
	r = bind_somewhere(fd, name, size);
	return r < 0 ? r : steal_fd(&fd);
}

/* --- receiving ------------------------------------------------------------------------------- */

/*
 * Room for credentials, which come first, and for nothing behind them: a descriptor that finds no
 * room is never installed, so PID 1 cannot run out of them. Nor is it closed by us, and a close(2)
 * of somebody else's file may hang (NFS, FUSE).
 */
union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(struct ucred))];
};

static struct ucred find_sender(struct msghdr *mh)
{
	const struct cmsghdr *cm = CMSG_FIRSTHDR(mh);
	struct ucred sender = { .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 };

	if (cm && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_CREDENTIALS &&
	    cm->cmsg_len == CMSG_LEN(sizeof(sender)))
		memcpy(&sender, CMSG_DATA(cm), sizeof(sender));
	return sender;
}

static bool is_believed(const struct notify_access *who, const struct ucred *sender)
{
	/* 0 is a sender outside our namespace; and getpgid(0) would be our own group. */
	if (sender->pid <= 0 || who->daemon <= 0)
		return false;
	if (sender->pid == who->daemon)
		return true;
	if (sender->uid != who->uid && sender->uid != 0)
		return false;
	return getpgid(sender->pid) == who->daemon || getsid(sender->pid) == who->daemon;
}

int notify_receive(int fd, const struct notify_access *who, struct notify_message *out)
{
	char text[NOTIFY_DATAGRAM_MAX];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	union control control = { .buf = { 0 } };
	struct sockaddr_un from = { .sun_family = AF_UNSPEC };
	struct msghdr mh = { .msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf) };
	struct ucred sender;
	ssize_t n;
	int r;

	do {
		n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	sender = find_sender(&mh);
	if (!is_believed(who, &sender))
		r = -EPERM;
	else if (mh.msg_flags & MSG_TRUNC)
		r = -EMSGSIZE;
	else
		r = notify_parse(out, text, (size_t)n);
	out->from = from;
	out->from_len = mh.msg_namelen;
	out->sender_pid = sender.pid;
	out->sender_uid = sender.uid;
	return r < 0 ? r : 1;
}
