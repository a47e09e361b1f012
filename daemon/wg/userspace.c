/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A userspace implementation is a process of its own that owns a tun link and listens on
 * /var/run/wireguard/IFNAME.sock. Each call here is one connection to it: nothing is kept that could
 * go stale, and a dead implementation is noticed at once. It ends when its link is deleted; it is
 * never killed once it has answered, so that packets go on flowing while we are restarted.
 */
#include "common/caps.h"
#include "common/defs.h"
#include "common/exits.h"
#include "daemon/net/growbuf.h"
#include "daemon/net/nlcount.h"
#include "daemon/wg/backend.h"
#include "daemon/wg/spawn.h"
#include "daemon/wg/uapi.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TUN_DEVICE	"/dev/net/tun"
#define TUN_IN_PODS	"a hostPath of type CharDevice"
#define SOCKET_DIR	"/var/run/wireguard"
#define REPLY_TIMEOUT_S 5
#define START_LIMIT_MS	5000
#define VACATE_LIMIT_MS 2000
#define TICK_MS		10
#define RECV_ROOM	16384

struct wg_user {
	struct wg_impl impl; /* first: it is what wg.c holds */
	pid_t pid;	     /* 0 when another run of ours started it */
	char ifname[IFNAMSIZ];
};

static struct wg_user *user_of(struct wg_impl *impl)
{
	return (struct wg_user *)impl;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void wait_a_tick(void)
{
	(void)poll(NULL, 0, TICK_MS);
}

/* Return: connected descriptor owned by the caller, or a negative errno value */
static int connect_to(const char *ifname)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = REPLY_TIMEOUT_S };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), SOCKET_DIR "/%.15s.sock", ifname);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	while (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	return steal_fd(&fd);
}

static int send_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int recv_answer(int fd, struct growbuf *answer)
{
	while (!uapi_is_complete(answer->data, answer->len)) {
		void *to = growbuf_reserve(answer, RECV_ROOM);
		ssize_t n;

		if (!to)
			return answer->error;
		n = recv(fd, to, RECV_ROOM, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -ECONNRESET;
		answer->len += (size_t)n;
	}
	return 0;
}

static int talk(const char *ifname, const void *request, size_t len, struct growbuf *answer)
{
	auto_close int fd = connect_to(ifname);
	int r = fd < 0 ? fd : send_all(fd, request, len);

	return r < 0 ? r : recv_answer(fd, answer);
}

/* Turns a failed talk() into a reason; a child of ours that has ended explains it. */
static int fail_talk(struct wg_user *u, int code, struct err *e)
{
	char why[32];

	if (spawn_has_ended(&u->pid, why, sizeof(why)))
		return err_set(e, code, "the userspace WireGuard of %s has ended (%s)", u->ifname,
			       why);
	return err_set(e, code, "ask the userspace WireGuard of %s (" SOCKET_DIR "/%s.sock)",
		       u->ifname, u->ifname);
}

/* Sends a request that changes something. */
static int apply(struct wg_user *u, const struct growbuf *request, enum nlcount_kind kind,
		 struct err *e)
{
	const char *what = kind == NLCOUNT_PEER ? "configure peers" : "set key and port";
	auto_growbuf struct growbuf answer = { 0 };
	struct uapi_device dev;
	int r = request->error;

	if (r < 0)
		return err_set(e, r, "%s of %s", what, u->ifname);
	nlcount_add(kind);
	r = talk(u->ifname, request->data, request->len, &answer);
	if (r < 0)
		return fail_talk(u, r, e);
	r = uapi_parse(&dev, NULL, NULL, (const char *)answer.data, answer.len);
	return r < 0 ? err_set(e, r, "%s of %s: the userspace WireGuard refuses", what, u->ifname)
		     : 0;
}

static int user_set_device(struct wg_impl *impl, const uint8_t *private_key, uint16_t listen_port,
			   struct err *e)
{
	auto_growbuf struct growbuf request = { 0 };

	uapi_set_device(&request, private_key, listen_port);
	return apply(user_of(impl), &request, NLCOUNT_LINK, e);
}

static int user_set_peers(struct wg_impl *impl, const struct wg_changes *changes, struct err *e)
{
	auto_growbuf struct growbuf request = { 0 };

	if (uapi_set_peers(&request, changes) == 0)
		return 0;
	return apply(user_of(impl), &request, NLCOUNT_PEER, e);
}

static int user_dump(struct wg_impl *impl, struct wg_device_state *dev, wg_peer_fn *fn, void *arg,
		     struct err *e)
{
	struct wg_user *u = user_of(impl);
	auto_growbuf struct growbuf answer = { 0 };
	struct uapi_device own;
	int r;

	nlcount_add(NLCOUNT_DUMP);
	r = talk(u->ifname, UAPI_GET, strlen(UAPI_GET), &answer);
	if (r < 0)
		return fail_talk(u, r, e);
	r = uapi_parse(&own, fn, arg, (const char *)answer.data, answer.len);
	*dev = (struct wg_device_state) { .listen_port = own.listen_port };
	if (own.has_private_key)
		crypto_wg_public(dev->public_key.b, own.private_key);
	explicit_bzero(&own, sizeof(own));
	if (r == -EBADMSG)
		return err_set(e, r, "the userspace WireGuard's answer about %s is malformed",
			       u->ifname);
	return r;
}

static void user_close(struct wg_impl *impl)
{
	char why[32];

	(void)spawn_has_ended(&user_of(impl)->pid, why, sizeof(why));
	free(impl);
}

static const struct wg_ops user_ops = {
	.backend = WG_BACKEND_USERSPACE,
	.set_device = user_set_device,
	.set_peers = user_set_peers,
	.dump = user_dump,
	.close = user_close,
};

static struct wg_user *user_new(const char *ifname)
{
	struct wg_user *u = calloc(1, sizeof(*u));

	if (u) {
		u->impl.ops = &user_ops;
		memcpy(u->ifname, ifname, strnlen(ifname, sizeof(u->ifname) - 1));
	}
	return u;
}

/* A whole round trip: a socket that accepts but does not answer is a hung implementation. */
static int probe(const char *ifname)
{
	auto_growbuf struct growbuf answer = { 0 };

	return talk(ifname, UAPI_GET, strlen(UAPI_GET), &answer);
}

int wg_user_attach(struct wg_impl **out, const char *ifname, struct err *e)
{
	struct wg_user *u;
	int r = probe(ifname);

	*out = NULL;
	if (r < 0)
		return err_set(e, r, "ask the userspace WireGuard of %s", ifname);
	u = user_new(ifname);
	if (!u)
		return err_set(e, -ENOMEM, "open %s", ifname);
	*out = &u->impl;
	return 0;
}

static int check_tun(struct err *e)
{
	auto_close int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (r == 0)
		return 0;
	if (r == -EACCES || r == -EPERM)
		return err_exit(e, EXITS_NO_WIREGUARD, -EOPNOTSUPP,
				"userspace WireGuard: user %u may not open " TUN_DEVICE
				" (%s); give the container --device " TUN_DEVICE
				" (Kubernetes: " TUN_IN_PODS
				"), readable and writable by that user",
				geteuid(), strerror(-r));
	return err_exit(e, EXITS_NO_WIREGUARD, -EOPNOTSUPP,
			"userspace WireGuard: there is no " TUN_DEVICE
			" (%s); give the container --device " TUN_DEVICE
			" (Kubernetes: " TUN_IN_PODS ")",
			strerror(-r));
}

static int find_program(char *path, size_t size, const char *program, struct err *e)
{
	const char *search = getenv("PATH");
	int r = spawn_find(path, size, program, search ? search : SPAWN_PATH);

	if (r == 0)
		return 0;
	return err_exit(e, EXITS_NO_WIREGUARD, -EOPNOTSUPP,
			"userspace WireGuard: the program %s cannot be run (%s); use an image "
			"that has it, the full one",
			program, strerror(-r));
}

static int check_socket_dir(struct err *e)
{
	(void)mkdir("/var/run", 0755);
	if (mkdir(SOCKET_DIR, 0700) < 0 && errno != EEXIST)
		return err_exit(e, EXITS_CANNOT_CREATE, -errno,
				"create " SOCKET_DIR " for the userspace WireGuard; give the "
				"container a writable /run (docker run --tmpfs /run)");
	if (access(SOCKET_DIR, W_OK | X_OK) < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, -errno,
				"user %u may not write to " SOCKET_DIR ", where the userspace "
				"WireGuard listens; give the directory to that user",
				geteuid());
	return 0;
}

static void remove_socket(const char *ifname)
{
	char path[64];

	(void)snprintf(path, sizeof(path), SOCKET_DIR "/%.15s.sock", ifname);
	(void)unlink(path);
}

/*
 * There is no link of that name here, so whoever listens is just ending, is hung, or serves another
 * network namespace that shares our /run. A left-over or hung socket is removed.
 */
static int vacate_socket(const char *ifname, struct err *e)
{
	int64_t deadline = now_ms() + VACATE_LIMIT_MS;

	while (probe(ifname) == 0) {
		if (now_ms() >= deadline)
			return err_set(
				e, -EBUSY,
				SOCKET_DIR
				"/%s.sock belongs to a WireGuard that runs in "
				"another network namespace; give the container a /run of its "
				"own (docker run --tmpfs /run)",
				ifname);
		wait_a_tick();
	}
	remove_socket(ifname);
	return 0;
}

/* Tags the program's link as soon as it is there. Return: 1 done, 0 not yet, or negative errno */
static int tag_link(struct rtnl *rtnl, const char *ifname, struct err *e)
{
	struct rtnl_link link;
	int r = rtnl_link_get(rtnl, ifname, &link, e);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	r = rtnl_link_set_alias(rtnl, link.index, WG_TAG, e);
	return r < 0 ? r : 1;
}

static int await_program(struct wg_user *u, struct rtnl *rtnl, struct err *e)
{
	int64_t deadline = now_ms() + START_LIMIT_MS;
	char why[32];
	int tagged = 0;

	while (now_ms() < deadline) {
		if (tagged == 0)
			tagged = tag_link(rtnl, u->ifname, e);
		if (tagged < 0)
			return tagged;
		if (tagged > 0 && probe(u->ifname) == 0)
			return 0;
		if (spawn_has_ended(&u->pid, why, sizeof(why)))
			return err_exit(
				e, EXITS_NO_WIREGUARD, -EOPNOTSUPP,
				"the userspace WireGuard program ended at once (%s); run it by "
				"hand with \"-f %s\" to see why",
				why, u->ifname);
		wait_a_tick();
	}
	return err_exit(e, EXITS_NO_WIREGUARD, -ETIMEDOUT,
			"the userspace WireGuard program did not answer on " SOCKET_DIR
			"/%s.sock within %d s",
			u->ifname, START_LIMIT_MS / 1000);
}

/* Nothing of our own environment is passed on: it may hold the mesh's secret. */
static int run_program(struct wg_user *u, char *path, struct err *e)
{
	char foreground[] = "-f";
	char *argv[] = { path, foreground, u->ifname, NULL };
	char search[] = "PATH=" SPAWN_PATH;
	char level[] = "LOG_LEVEL=error";
	/* boringtun's names for its log level, and for "do not try to become another user". */
	char other_level[] = "WG_LOG_LEVEL=error";
	char keep_user[] = "WG_SUDO=1";
	char *envp[] = { search, level, other_level, keep_user, NULL };

	return spawn_detached(&u->pid, path, argv, envp, e);
}

static int check_system(char *path, size_t size, const char *program, struct err *e)
{
	int r;

	if (!caps_has(CAP_NET_ADMIN))
		return err_exit(e, EXITS_NO_PERMISSION, -EPERM,
				"the capability CAP_NET_ADMIN is missing; give it to the container "
				"(docker run --cap-add NET_ADMIN, or in Kubernetes "
				"securityContext.capabilities.add: [NET_ADMIN])");
	/* The program first: who has an image without it gains nothing by a device. */
	r = find_program(path, size, program, e);
	if (r == 0)
		r = check_tun(e);
	return r == 0 ? check_socket_dir(e) : r;
}

int wg_user_start(struct wg_impl **out, struct rtnl *rtnl, const char *ifname, const char *program,
		  struct err *e)
{
	char path[PATH_MAX];
	struct wg_user *u;
	int r = check_system(path, sizeof(path), program, e);

	*out = NULL;
	if (r == 0)
		r = vacate_socket(ifname, e);
	if (r < 0)
		return r;
	u = user_new(ifname);
	if (!u)
		return err_set(e, -ENOMEM, "start %s", program);
	r = run_program(u, path, e);
	if (r == 0)
		r = await_program(u, rtnl, e);
	if (r < 0) {
		/* Its link is not persistent: it goes with it. */
		spawn_kill(&u->pid);
		remove_socket(ifname);
		free(u);
		return r;
	}
	*out = &u->impl;
	return 0;
}
