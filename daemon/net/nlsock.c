/* SPDX-License-Identifier: MIT */
#include "daemon/net/nlsock.h"
#include "common/defs.h"
#include "daemon/net/nlcount.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel fills dump buffers up to this size, if the reader offers that much. */
#define RECV_SIZE	 32768
#define TIMEOUT_S	 10
#define DUMP_RETRIES_MAX 8

struct nlsock {
	struct mnl_socket *nl;
	int family;
	uint32_t seq;
	uint32_t portid;
	uint8_t *buf;
};

/* How one read of the socket moved the answer on. */
enum progress { MORE, DONE, INTERRUPTED };

struct answer {
	nlsock_fn *fn;
	void *arg;
	struct nlmsg_verdict *v;
	int fn_result;
	bool interrupted;
};

void nlsock_close(struct nlsock *s)
{
	if (!s)
		return;
	if (s->nl)
		(void)mnl_socket_close(s->nl);
	free(s->buf);
	free(s);
}

/* These three only improve answers; a kernel without them is served as well. */
static void set_options(const struct mnl_socket *nl)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int on = 1;

	(void)mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(nl, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

int nlsock_open(struct nlsock **out, int family, struct err *e)
{
	struct nlsock *s = calloc(1, sizeof(*s));
	int r;

	*out = NULL;
	if (!s)
		return err_set(e, -ENOMEM, "open a netlink socket");
	s->buf = malloc(RECV_SIZE);
	s->nl = s->buf ? mnl_socket_open2(family, SOCK_CLOEXEC) : NULL;
	if (!s->nl || mnl_socket_bind(s->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = s->buf ? -errno : -ENOMEM;
		nlsock_close(s);
		return err_set(e, r, "open a netlink socket of family %d", family);
	}
	set_options(s->nl);
	s->portid = mnl_socket_get_portid(s->nl);
	s->family = family;
	*out = s;
	return 0;
}

static void take_message(const struct nlmsghdr *nlh, struct answer *a)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	if (a->fn && a->fn_result == 0 && !a->interrupted)
		a->fn_result = a->fn(nlh, a->arg);
}

/* Takes the messages of one datagram; answers to earlier, abandoned requests are passed over. */
static enum progress take_datagram(const struct nlsock *s, size_t n, struct answer *a)
{
	const struct nlmsghdr *nlh = (const void *)s->buf;
	int left = (int)n;

	for (; nlmsg_is_whole(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != s->seq || nlh->nlmsg_pid != s->portid)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				a->interrupted = true;
			nlmsg_verdict(a->v, nlh);
			return a->interrupted ? INTERRUPTED : DONE;
		}
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			take_message(nlh, a);
	}
	return MORE;
}

static enum progress read_answer(const struct nlsock *s, struct answer *a)
{
	enum progress p = MORE;

	while (p == MORE) {
		ssize_t n = mnl_socket_recvfrom(s->nl, s->buf, RECV_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			a->v->code = errno == EAGAIN ? -ETIMEDOUT : -errno;
			return DONE;
		}
		p = take_datagram(s, (size_t)n, a);
	}
	return p;
}

static int send_request(struct nlsock *s, struct nlmsghdr *req)
{
	req->nlmsg_seq = ++s->seq;
	while (mnl_socket_sendto(s->nl, req, req->nlmsg_len) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	nlcount_add_message(req, s->family);
	return 0;
}

int nlsock_talk(struct nlsock *s, struct nlmsghdr *req, nlsock_fn *fn, void *arg,
		struct nlmsg_verdict *v)
{
	struct answer a = { .fn = fn, .arg = arg, .v = v };
	enum progress p = INTERRUPTED;

	for (int tries = 0; p == INTERRUPTED && tries < DUMP_RETRIES_MAX; tries++) {
		a.interrupted = false;
		a.fn_result = tries > 0 && fn ? fn(NULL, arg) : 0;
		*v = (struct nlmsg_verdict) { .code = send_request(s, req) };
		if (v->code < 0)
			return v->code;
		p = read_answer(s, &a);
	}
	explicit_bzero(s->buf, RECV_SIZE);
	if (p == INTERRUPTED && v->code == 0)
		v->code = -EAGAIN;
	if (v->code == 0)
		v->code = a.fn_result;
	return v->code;
}

/* Gives each a number of its own, and counts it. */
static void number_requests(struct nlsock *s, void *reqs, size_t len)
{
	struct nlmsghdr *nlh = reqs;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		nlh->nlmsg_seq = ++s->seq;
		nlcount_add_message(nlh, s->family);
	}
}

static int send_all(const struct nlsock *s, const void *reqs, size_t len)
{
	while (mnl_socket_sendto(s->nl, reqs, len) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Takes the acknowledgements of one datagram. Return: how many of ours there were */
static size_t take_acks(const struct nlsock *s, size_t len, struct nlmsg_verdict *v, size_t n)
{
	const struct nlmsghdr *nlh = (const void *)s->buf;
	uint32_t first = s->seq - (uint32_t)n + 1;
	int left = (int)len;
	size_t taken = 0;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		uint32_t i = nlh->nlmsg_seq - first;

		if (i >= n || nlh->nlmsg_pid != s->portid || nlh->nlmsg_type != NLMSG_ERROR)
			continue;
		nlmsg_verdict(&v[i], nlh);
		taken++;
	}
	return taken;
}

void nlsock_order(struct nlsock *s, void *reqs, size_t len, struct nlmsg_verdict *v, size_t n)
{
	size_t missing = n;
	int code = 0;

	number_requests(s, reqs, len);
	if (n > 0)
		code = send_all(s, reqs, len);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct nlmsg_verdict) { .code = code < 0 ? code : -ETIMEDOUT };
	while (code == 0 && missing > 0) {
		ssize_t got = mnl_socket_recvfrom(s->nl, s->buf, RECV_SIZE);
		size_t taken = got > 0 ? take_acks(s, (size_t)got, v, n) : 0;

		if (got < 0 && errno != EINTR)
			code = -errno;
		missing -= taken < missing ? taken : missing;
	}
}
