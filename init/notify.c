/* SPDX-License-Identifier: MIT */
#include "init/notify.h"
#include "common/defs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_TRIES 4

/* --- opening --------------------------------------------------------------------------------- */

/* 0 where there is no /proc: then the random part of the name has to tell containers apart. */
static unsigned long long namespace_number(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (unsigned long long)st.st_ino;
}

static int make_name(char *name, size_t size, int try)
{
	unsigned long long pidns = namespace_number("/proc/self/ns/pid");
	unsigned long long mntns = namespace_number("/proc/self/ns/mnt");
	char suffix[20] = "";
	uint64_t noise = 0;
	int n;

	/* Short of random bytes it stays at the plain name, which then is taken again. */
	if (try > 0 && getrandom(&noise, sizeof(noise), GRND_NONBLOCK) == (ssize_t)sizeof(noise))
		(void)snprintf(suffix, sizeof(suffix), "-%016llx", (unsigned long long)noise);
	n = snprintf(name, size, "@wgmesh-init/%llu/%llu/%d/notify%s", pidns, mntns, getpid(),
		     suffix);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* "@" stands for the NUL that makes a name abstract. */
static int bind_name(int fd, const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	if (len > sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, name, len);
	sa.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path);
	return bind(fd, (const struct sockaddr *)&sa, (socklen_t)len) < 0 ? -errno : 0;
}

int notify_open(char *name, size_t size)
{
	static const int on = 1;
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = -EADDRINUSE;

	if (fd < 0)
		return -errno;
	/* Before there is a name to send to: a datagram without credentials is worth nothing. */
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return -errno;
	for (int try = 0; try < NAME_TRIES && r == -EADDRINUSE; try++) {
		r = make_name(name, size, try);
		if (r == 0)
			r = bind_name(fd, name);
	}
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
	struct msghdr mh = { .msg_iov = &iov,
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
	out->sender_pid = sender.pid;
	out->sender_uid = sender.uid;
	return r < 0 ? r : 1;
}
