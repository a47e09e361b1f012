/* SPDX-License-Identifier: MIT */
#include "tests/unit/fakeadmin.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <stdio.h>
#include <unistd.h>

/* More than any socket buffer holds. */
#define MANY 3000

static struct fakeadmin admin;

static void set_up(struct node *n)
{
	*n = (struct node) { .base = event_base_new() };
	assert_non_null(n->base);
	admin = (struct fakeadmin) { .fd = fakeadmin_open(n) };
}

static void tear_down(struct node *n)
{
	adminlink_close(n->admin);
	(void)close(admin.fd);
	event_base_free(n->base);
}

/* netadmin hangs: it takes nothing until the wire is full. */
static size_t fill_wire(struct node *n)
{
	struct netadmin_request req = { .op = NETADMIN_ECHO };
	size_t sent = 0;

	while (!adminlink_is_busy(n->admin)) {
		adminlink_send(n->admin, &req, -1);
		sent++;
	}
	return sent;
}

/* Takes all that comes, now that netadmin goes on; returns how many had that code. */
static size_t take_all(struct node *n, uint32_t op, struct fakeadmin_request *last)
{
	struct fakeadmin_request req;
	size_t found = 0;

	do {
		loop_drain(n->base);
		while (fakeadmin_next(&admin, &req)) {
			if (req.op != op)
				continue;
			*last = req;
			found++;
		}
	} while (adminlink_is_busy(n->admin));
	return found;
}

static void of_levels_set_while_netadmin_hangs_only_the_last_wait(void **state)
{
	static struct node n;
	struct netadmin_request req = { .op = NETADMIN_LOG };
	struct fakeadmin_request last;

	(void)state;
	set_up(&n);
	(void)fill_wire(&n);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(req.levels, sizeof(req.levels), "info,net=debug,%d", i);
		adminlink_send(n.admin, &req, -1);
	}
	assert_int_equal(take_all(&n, NETADMIN_LOG, &last), 1);
	assert_string_equal(last.req.levels, "info,net=debug,2999");
	tear_down(&n);
}

static void of_a_route_that_comes_and_goes_the_last_word_waits(void **state)
{
	static struct node n;
	struct netadmin_request req = { .route = prefix_of("192.168.1.0/24") };
	struct netadmin_request other = { .op = NETADMIN_ROUTE_ADD };
	struct fakeadmin_request last;

	(void)state;
	set_up(&n);
	(void)fill_wire(&n);
	other.route = prefix_of("192.168.2.0/24");
	adminlink_send(n.admin, &other, -1);
	for (int i = 0; i <= MANY; i++) {
		req.op = i % 2 == 0 ? NETADMIN_ROUTE_ADD : NETADMIN_ROUTE_DEL;
		adminlink_send(n.admin, &req, -1);
	}
	assert_int_equal(take_all(&n, NETADMIN_ROUTE_ADD, &last), 2);
	assert_true(prefix_equal(&last.req.route, &req.route));
	tear_down(&n);
}

static void batches_wait_in_their_order_and_arrive_whole(void **state)
{
	static struct netadmin_batch batch;
	static struct node n;
	struct fakeadmin_request req = { 0 };

	(void)state;
	set_up(&n);
	(void)fill_wire(&n);
	for (unsigned int i = 1; i <= 3; i++) {
		struct wg_peer_config change = { .key = key_of(i) };

		netadmin_batch_begin(&batch, NETADMIN_PEERS);
		assert_true(netadmin_batch_put_change(&batch, &change));
		adminlink_send_batch(n.admin, &batch);
	}
	for (unsigned int i = 1; i <= 3;) {
		struct wg_key key = key_of(i);

		loop_drain(n.base);
		assert_true(fakeadmin_next(&admin, &req));
		if (req.op != NETADMIN_PEERS)
			continue;
		assert_memory_equal(&req.peer.key, &key, sizeof(key));
		i++;
	}
	tear_down(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_levels_set_while_netadmin_hangs_only_the_last_wait),
		cmocka_unit_test(of_a_route_that_comes_and_goes_the_last_word_waits),
		cmocka_unit_test(batches_wait_in_their_order_and_arrive_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
