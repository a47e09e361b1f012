/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A datagram passes, in this order: the token bucket of its source, the envelope (wrong secret and
 * noise end here), the check that the body has the shape its type claims (the type is not
 * authenticated), the validation of every field. Only then the node hears of it.
 *
 * An attempt is one HELLO on its way. It is resent after growing pauses: existing nodes drop more
 * than ten datagrams a second from one address, so their own rate of ten leaves no room for others.
 */
#include "daemon/discovery/exchange.h"
#include "common/exits.h"
#include "common/log.h"
#include "daemon/clock.h"
#include "daemon/discovery/ratelimit.h"
#include "daemon/net/udp.h"
#include "daemon/wire/derive.h"
#include "daemon/wire/envelope.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS_MAX 512
#define GOODBYE_MAX  512
#define BATCH_MAX    64 /* datagrams taken before other events get their turn */

/* Pauses after each send of a HELLO, in milliseconds; the last one is the wait for the REPLY. */
static const int pauses_ms[] = { 100, 200, 400, 800, 1000, 1500 };
#define PAUSES	      (sizeof(pauses_ms) / sizeof(pauses_ms[0]))
#define ONCE_PAUSE_MS 4000
#define REFRESH_SENDS 3 /* with the longest pauses */

struct attempt {
	struct exchange *x;
	struct endpoint to;
	unsigned int via;
	bool is_trial;
	struct event *timer;
	size_t n_sent;
	size_t n_sends;	  /* at most */
	uint64_t sent_us; /* when it was sent first */
	struct attempt *next;
	size_t len;
	char datagram[];
};

struct exchange {
	struct exchange_config cfg;
	struct event_base *base;
	struct udp udp;
	struct event *readable;
	struct ratelimit limit;
	struct attempt *attempts;
	size_t n_attempts;
	size_t n_trials;
	bool is_stopped;
	char datagram[ENVELOPE_DATAGRAM_MAX];
};

static void transmit(struct exchange *x, const char *datagram, long len, const struct endpoint *to,
		     const struct udp_local *local)
{
	char text[ENDPOINT_TEXT_SIZE];
	int r = len < 0 ? (int)len : udp_send(&x->udp, datagram, (size_t)len, to, local);

	/* What the node withholds is not lost. */
	if (r < 0 && len != -EADDRNOTAVAIL)
		log_event(EVENT_SEND_FAILED, LOG_FIELDS({ "endpoint", endpoint_format(text, to) }),
			  "cannot send to %s: %s", text, strerror(-r));
}

static void attempt_end(struct attempt *a)
{
	struct attempt **link = &a->x->attempts;

	while (*link != a)
		link = &(*link)->next;
	*link = a->next;
	a->x->n_attempts--;
	a->x->n_trials -= a->is_trial ? 1 : 0;
	event_free(a->timer);
	free(a);
}

static void attempt_send(struct attempt *a)
{
	/* A few sends are those with the long pauses. */
	int ms = a->x->cfg.once ? ONCE_PAUSE_MS : pauses_ms[PAUSES - a->n_sends + a->n_sent];
	struct timeval pause = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	transmit(a->x, a->datagram, (long)a->len, &a->to, NULL);
	a->x->cfg.handler->counters->hellos_sent++;
	if (a->n_sent == 0)
		a->sent_us = clock_monotonic_us();
	a->n_sent++;
	(void)event_add(a->timer, &pause);
}

static void on_attempt_timer(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *a = arg;
	char text[ENDPOINT_TEXT_SIZE];

	(void)fd;
	(void)what;
	if (a->n_sent < a->n_sends) {
		attempt_send(a);
		return;
	}
	log_event(EVENT_HELLO_UNANSWERED, LOG_FIELDS({ "endpoint", endpoint_format(text, &a->to) }),
		  "no answer from %s", text);
	attempt_end(a);
}

static struct attempt *attempt_find(const struct exchange *x, const struct endpoint *to)
{
	for (struct attempt *a = x->attempts; a; a = a->next)
		if (endpoint_equal(&a->to, to))
			return a;
	return NULL;
}

/* Nobody may be there: whoever only has to answer is told of others when he has. */
static struct attempt *attempt_new(struct exchange *x, const struct endpoint *to, bool is_trial)
{
	const struct discovery_letter letter = { MESSAGE_HELLO, !is_trial, to };
	char datagram[DISCOVERY_DATAGRAM_MAX];
	long len = discovery_seal_self(datagram, &letter, x->cfg.handler, x->cfg.key);
	struct attempt *a = len < 0 ? NULL : calloc(1, sizeof(*a) + (size_t)len);

	if (!a)
		return NULL;
	a->timer = evtimer_new(x->base, on_attempt_timer, a);
	if (!a->timer) {
		free(a);
		return NULL;
	}
	a->x = x;
	a->to = *to;
	a->is_trial = is_trial;
	x->n_trials += is_trial ? 1 : 0;
	a->len = (size_t)len;
	memcpy(a->datagram, datagram, a->len);
	a->next = x->attempts;
	x->attempts = a;
	x->n_attempts++;
	return a;
}

static void attempt_begin(struct attempt *a, unsigned int via, size_t n_sends)
{
	a->via = via;
	a->n_sends = n_sends < PAUSES ? n_sends : PAUSES;
	if (a->x->cfg.once)
		a->n_sends = 1;
	attempt_send(a);
}

static bool can_begin(const struct exchange *x, const struct endpoint *to)
{
	return !x->is_stopped && to->ip.family != 0 && to->port != 0 &&
	       x->n_attempts < ATTEMPTS_MAX && !attempt_find(x, to);
}

static bool begin(struct exchange *x, const struct endpoint *to, unsigned int via, size_t n_sends)
{
	struct attempt *a = can_begin(x, to) ? attempt_new(x, to, false) : NULL;

	if (a)
		attempt_begin(a, via, n_sends);
	return a || x->n_attempts < ATTEMPTS_MAX || attempt_find(x, to);
}

bool exchange_hello(struct exchange *x, const struct endpoint *to, unsigned int via)
{
	return begin(x, to, via, PAUSES);
}

bool exchange_refresh(struct exchange *x, const struct endpoint *to)
{
	return begin(x, to, 0, REFRESH_SENDS);
}

size_t exchange_trials(const struct exchange *x)
{
	return x->n_trials;
}

void exchange_try(struct exchange *x, const struct endpoint *to, unsigned int via, size_t n_sends)
{
	bool has_room = x->n_trials < EXCHANGE_TRIALS_MAX;
	struct attempt *a = has_room && can_begin(x, to) ? attempt_new(x, to, true) : NULL;

	if (a)
		attempt_begin(a, via, n_sends);
}

void exchange_send(struct exchange *x, const struct endpoint *to, enum message_type type,
		   const char *plain, long len)
{
	char datagram[2 * EXCHANGE_PLAIN_MAX];
	uint8_t nonce[CRYPTO_NONCE_LEN];

	crypto_random(nonce, sizeof(nonce));
	if (len >= 0)
		len = envelope_seal(datagram, sizeof(datagram), type, plain, (size_t)len, nonce,
				    x->cfg.key);
	transmit(x, datagram, len, to, NULL);
}

void exchange_reseal(struct exchange *x)
{
	struct attempt *next;

	/* The new ones come before those that are still to be looked at. */
	for (struct attempt *a = x->attempts; a; a = next) {
		struct endpoint to = a->to;
		unsigned int via = a->via;
		size_t n_sends = a->n_sends;

		next = a->next;
		attempt_end(a);
		(void)exchange_try(x, &to, via, n_sends);
	}
}

void exchange_announce(struct exchange *x, const struct endpoint *to)
{
	const struct discovery_letter letter = { MESSAGE_ANNOUNCE, true, to };
	char datagram[DISCOVERY_DATAGRAM_MAX];
	long len = discovery_seal_self(datagram, &letter, x->cfg.handler, x->cfg.key);

	/* There may be nothing that may be said to who is inside the mesh. */
	if (len > 0 && !x->is_stopped)
		transmit(x, datagram, len, to, NULL);
}

void exchange_goodbye(struct exchange *x, const struct endpoint *to, const struct wg_key *self)
{
	char plain[GOODBYE_MAX];
	long len = goodbye_format(plain, sizeof(plain), self, clock_now().unix_s);

	exchange_send(x, to, MESSAGE_GOODBYE, plain, len);
}

static void answer_hello(struct exchange *x, const struct endpoint *from,
			 const struct udp_local *local)
{
	char datagram[DISCOVERY_DATAGRAM_MAX];
	const struct discovery_letter letter = { MESSAGE_REPLY, true, from };
	long len = discovery_seal_self(datagram, &letter, x->cfg.handler, x->cfg.key);

	transmit(x, datagram, len, from, local);
	x->cfg.handler->counters->replies_sent++;
}

/* A HELLO that was sent again may have been answered the first time: its round trip is not known. */
static int64_t round_trip_us(const struct attempt *a)
{
	return a && a->n_sent == 1 ? (int64_t)(clock_monotonic_us() - a->sent_us) : 0;
}

static enum discovery_source source_of(enum message_type type)
{
	if (type == MESSAGE_REPLY)
		return DISCOVERY_REPLY;
	return type == MESSAGE_ANNOUNCE ? DISCOVERY_GOSSIP : DISCOVERY_HELLO;
}

static enum view_fate take_announcement(struct exchange *x, const struct envelope *env,
					const struct endpoint *from, const struct udp_local *local)
{
	const struct discovery_handler *h = x->cfg.handler;
	struct attempt *a = env->type == MESSAGE_REPLY ? attempt_find(x, from) : NULL;
	struct discovery_origin origin = {
		.from = *from,
		.source = source_of(env->type),
		.rtt_us = round_trip_us(a),
		.via = a ? a->via : 0,
	};
	struct announcement in;
	enum announce_result r;
	char text[ENDPOINT_TEXT_SIZE];

	/* A REPLY that nobody asked for proves nothing (protocol.md B6). */
	if (env->type == MESSAGE_REPLY && !a)
		return FATE_INVALID;
	r = announce_parse(&in, env, false);
	if (r != ANNOUNCE_OK) {
		log_event(EVENT_ANNOUNCEMENT_REJECTED,
			  LOG_FIELDS({ "endpoint", endpoint_format(text, from) }),
			  "%s with a bad %s", message_type_name(env->type),
			  announce_result_name(r));
		return FATE_INVALID;
	}
	if (a)
		attempt_end(a);
	/* A visitor gets its answer, and leaves no trace. */
	if (!in.is_visitor)
		h->on_announcement(h->arg, &in, &origin);
	if (env->type == MESSAGE_HELLO)
		answer_hello(x, from, local);
	announce_free(&in);
	return FATE_ACCEPTED;
}

static enum view_fate take_goodbye(struct exchange *x, const struct envelope *env,
				   const struct endpoint *from)
{
	const struct discovery_handler *h = x->cfg.handler;
	struct wg_key key;

	if (goodbye_parse(&key, env) < 0)
		return FATE_INVALID;
	h->on_goodbye(h->arg, &key, env->timestamp, from);
	return FATE_ACCEPTED;
}

static enum view_fate take_envelope(struct exchange *x, const struct envelope *env,
				    const struct endpoint *from, const struct udp_local *local)
{
	const struct discovery_handler *h = x->cfg.handler;

	switch (env->type) {
	case MESSAGE_HELLO:
	case MESSAGE_REPLY:
		return take_announcement(x, env, from, local);
	case MESSAGE_GOODBYE:
		return take_goodbye(x, env, from);
	case MESSAGE_ANNOUNCE:
		if (x->cfg.gossip)
			return take_announcement(x, env, from, local);
		break;
	case MESSAGE_RENDEZVOUS_OFFER:
	case MESSAGE_RENDEZVOUS_START:
		if (!h->on_rendezvous)
			break;
		h->on_rendezvous(h->arg, env, from);
		return FATE_ACCEPTED;
	case MESSAGE_UNKNOWN:
		log_event(EVENT_MESSAGE_UNSERVED, NULL, "%s is not served here",
			  message_type_name(env->type));
		break;
	}
	return FATE_ACCEPTED;
}

static void take_datagram(struct exchange *x, size_t len, const struct endpoint *from,
			  const struct udp_local *local)
{
	const struct discovery_handler *h = x->cfg.handler;
	struct now now = clock_now();
	struct envelope env;
	enum envelope_result r;
	char text[ENDPOINT_TEXT_SIZE];

	if (!ratelimit_allow(&x->limit, &from->ip, now.mono_ms)) {
		h->counters->datagrams[FATE_RATE_LIMITED]++;
		return;
	}
	r = envelope_open(&env, x->datagram, len, x->cfg.key, now.unix_s);
	if (r != ENVELOPE_OK) {
		discovery_refuse(h, r, env.timestamp, from);
		log_event(EVENT_DATAGRAM_REJECTED,
			  LOG_FIELDS({ "endpoint", endpoint_format(text, from) }),
			  "datagram from %s: %s", text, envelope_result_name(r));
		return;
	}
	h->counters->datagrams[take_envelope(x, &env, from, local)]++;
	envelope_free(&env);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct exchange *x = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < BATCH_MAX; i++) {
		struct udp_local local;
		struct endpoint from;
		ssize_t n = udp_receive(&x->udp, x->datagram, sizeof(x->datagram), &from, &local);

		if (n == -EAGAIN)
			return;
		/* Errors are answers to earlier sends (ICMP); the socket goes on. */
		if (n > 0)
			take_datagram(x, (size_t)n, &from, &local);
	}
}

/* The LAN listener of an existing node on this host has its port on every address. */
static int open_socket(struct exchange *x, uint16_t port, struct err *e)
{
	int r = udp_open_any(&x->udp, port, port == DERIVE_LAN_PORT, e);

	if (r != -EADDRINUSE)
		return r;
	return err_exit(
		e, EXITS_SYSTEM, r,
		"UDP port %u, which follows from the secret, is taken; stop the program that has "
		"it, or, if that is another node of this mesh, give each a network of its own",
		port);
}

int exchange_open(struct exchange **out, struct event_base *base, const struct exchange_config *cfg,
		  struct err *e)
{
	struct exchange *x = calloc(1, sizeof(*x));
	uint64_t seed = 0;
	int r;

	if (!x)
		return err_set(e, -ENOMEM, "open the exchange");
	x->cfg = *cfg;
	x->base = base;
	x->udp.fd = -1;
	crypto_random(&seed, sizeof(seed));
	ratelimit_init(&x->limit, seed);
	r = open_socket(x, cfg->port, e);
	if (r == 0) {
		x->readable = event_new(base, x->udp.fd, EV_READ | EV_PERSIST, on_readable, x);
		if (!x->readable || event_add(x->readable, NULL) < 0)
			r = err_set(e, -ENOMEM, "open the exchange");
	}
	if (r < 0) {
		exchange_close(x);
		return r;
	}
	*out = x;
	return 0;
}

void exchange_stop(struct exchange *x)
{
	x->is_stopped = true;
	while (x->attempts)
		attempt_end(x->attempts);
	(void)event_del(x->readable);
}

void exchange_close(struct exchange *x)
{
	if (!x)
		return;
	while (x->attempts)
		attempt_end(x->attempts);
	if (x->readable)
		event_free(x->readable);
	udp_close(&x->udp);
	free(x);
}
