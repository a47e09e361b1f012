/* SPDX-License-Identifier: MIT */
#include "daemon/net/pace.h"
#include "daemon/clock.h"

#include <errno.h>
#include <event2/event.h>

#define BATCH_MAX 16
#define STARVE_MS 200

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct pace *p = arg;

	(void)fd;
	(void)what;
	p->n_batch = 0;
	p->listen(p->arg, true);
}

/* After 0 ms, those whose bytes are there by now are heard first all the same. */
static void pause_for(struct pace *p, int64_t ms)
{
	const struct timeval delay = { .tv_usec = (suseconds_t)(ms * 1000) };

	p->listen(p->arg, false);
	(void)event_add(p->resume, &delay);
}

int pace_open(struct pace *p, struct event_base *base, struct connset *set, pace_fn *listen,
	      void *arg)
{
	*p = (struct pace) { .set = set, .listen = listen, .arg = arg };
	p->resume = evtimer_new(base, on_resume, p);
	return p->resume ? 0 : -ENOMEM;
}

void pace_close(struct pace *p)
{
	if (p->resume)
		event_free(p->resume);
	p->resume = NULL;
}

void pace_let_in(struct pace *p)
{
	int64_t wait_ms = connset_wait(p->set, clock_now().mono_ms, PACE_GRACE_MS);

	if (wait_ms > 0 || ++p->n_batch >= BATCH_MAX)
		pause_for(p, wait_ms);
}

void pace_starve(struct pace *p)
{
	if (!connset_evict(p->set))
		pause_for(p, STARVE_MS);
}
