/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"
#include "daemon/cli/ask.h"
#include "daemon/cli/cli.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX  (4 * 1024 * 1024) /* a thousand peers with a hundred routes each */
#define PATIENCE_MS 5000

/* The sentence for a socket that nobody answers at. */
static int refuse_path(const char *path, int r, struct err *e)
{
	if (r == -EACCES || r == -EPERM)
		return err_set(e, r, "the node at %s answers only root and its own user", path);
	return err_exit(e, EXITS_FAILURE, r,
			"no node answers at %s (%s); is it running, and is this its container and "
			"its --interface? `wgmesh doctor` looks for the cause",
			path, strerror(-r));
}

static int connect_to(const char *path, int patience_ms, struct err *e)
{
	const struct timeval patience = { .tv_sec = patience_ms / 1000,
					  .tv_usec = patience_ms % 1000 * 1000 };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(e, -errno, "make a socket");
	if (str_copy(at.sun_path, sizeof(at.sun_path), path) < 0)
		return err_exit(e, EXITS_USAGE, -ENAMETOOLONG, "control socket %s", path);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return refuse_path(path, -errno, e);
	return steal_fd(&fd);
}

/* A node that has hung up already may have said why: that is for whoever reads. */
static int send_full(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int ask(int fd, const char *method, json_t *params, struct err *e)
{
	json_t *req = json_pack("{s:s, s:s, s:i}", "jsonrpc", "2.0", "method", method, "id", 2);
	auto_free char *text = NULL;
	int r;

	if (params)
		(void)json_object_set(req, "params", params);
	text = json_dumps(req, JSON_COMPACT);
	json_decref(req);
	if (!text)
		return err_exit(e, EXITS_USAGE, -EINVAL, "what is asked for is no text");
	r = send_full(fd, text, strlen(text));
	if (r == 0)
		r = send_full(fd, "\n", 1);
	return r < 0 ? err_set(e, r, "ask the node") : 0;
}

static int refuse_answer(ssize_t n, struct err *e)
{
	if (n < 0 && errno == EINTR)
		return err_set(e, -EINTR, "the question to the node");
	if (n < 0 && errno == EAGAIN)
		return err_exit(e, EXITS_FAILURE, -ETIMEDOUT,
				"the node takes questions, but does not answer; it hangs, or the "
				"machine is overloaded");
	return err_exit(e, EXITS_FAILURE, -EPROTO,
			"the node did not answer; only root and the node's own user are answered");
}

/* Reads up to the newline that ends the answer. */
static int read_answer(json_t **out, int fd, struct err *e)
{
	auto_free char *buf = malloc(ANSWER_MAX);
	ssize_t n = 0;
	size_t used = 0;

	if (!buf)
		return err_set(e, -ENOMEM, "read the answer of the node");
	while (used < ANSWER_MAX && (n = read(fd, buf + used, ANSWER_MAX - used)) > 0) {
		used += (size_t)n;
		if (buf[used - 1] != '\n')
			continue;
		*out = json_loadb(buf, used, 0, NULL);
		return *out ? 0
			    : err_exit(e, EXITS_FAILURE, -EBADMSG,
				       "the node answered with no JSON");
	}
	return refuse_answer(n, e);
}

static int exchange(json_t **out, int fd, const struct cli_question *q, struct err *e)
{
	json_t *answer = NULL;
	json_t *error;
	json_t *result;
	int r = ask(fd, q->method, q->params, e);

	if (r == 0)
		r = read_answer(&answer, fd, e);
	if (r < 0)
		return r;
	error = json_object_get(answer, "error");
	result = json_object_get(answer, "result");
	if (error) {
		const char *message = json_string_value(json_object_get(error, "message"));
		char shown[300];

		r = err_exit(e, EXITS_FAILURE, -ENOENT, "%s",
			     str_visible(shown, sizeof(shown), message ? message : "it refused"));
	} else if (json_is_object(result)) {
		*out = json_incref(result);
	} else {
		r = err_exit(e, EXITS_FAILURE, -EBADMSG,
			     "the node answered with something else than was asked");
	}
	json_decref(answer);
	return r;
}

int cli_ask(json_t **out, const struct cli_question *q, struct err *e)
{
	auto_close int fd = connect_to(q->path, q->patience_ms ? q->patience_ms : PATIENCE_MS, e);

	*out = NULL;
	return fd < 0 ? fd : exchange(out, fd, q, e);
}

int cli_call(void **out, const char *path, const char *method, const char *pubkey, struct err *e)
{
	json_t *params = pubkey ? json_pack("{s:s}", "pubkey", pubkey) : NULL;
	const struct cli_question q = { .path = path, .method = method, .params = params };
	json_t *answer = NULL;
	int r;

	if (pubkey && !params)
		return err_exit(e, EXITS_USAGE, -EINVAL, "the key is not text");
	r = cli_ask(&answer, &q, e);
	json_decref(params);
	if (r == 0)
		*out = answer;
	return r;
}
