/* SPDX-License-Identifier: MIT */
#include "daemon/ownaddr.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <string.h>

#define PORT 52000
#define HERE "10.0.0.2:52000"

/**
 * struct fixture - A machine with one address, and what others told it
 */
struct fixture {
	struct ownaddr own;
	struct ip here;
	struct ownaddr_local local;
	struct endpoint list[VIEW_ENDPOINTS_MAX];
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->here = ip_of("10.0.0.2");
	f->local = (struct ownaddr_local) { .ip = &f->here, .n = 1, .port = PORT };
}

static void tell(struct fixture *f, const char *observer, const char *us, int64_t ms)
{
	struct endpoint e = endpoint_of(us);
	struct ip ip = ip_of(observer);

	ownaddr_take(&f->own, &e, &ip, ms);
}

static void one_observer_alone_is_not_believed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "192.0.2.1", "203.0.113.9:52000", 0);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_UNKNOWN);
	/* Saying it twice makes it no truer. */
	tell(&f, "192.0.2.1", "203.0.113.9:52000", 1);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 1, f.list), 0);
	assert_int_equal(f.own.n, 1);
}

static void two_observers_who_agree_are_believed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "192.0.2.1", "203.0.113.9:4000", 0);
	tell(&f, "192.0.2.2", "203.0.113.9:4000", 0);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 1);
	assert_endpoint(&f.list[0], "203.0.113.9:4000");
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_CONE);
}

static void different_ports_of_one_address_are_a_symmetric_nat(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "192.0.2.1", "203.0.113.9:4000", 0);
	tell(&f, "192.0.2.2", "203.0.113.9:4001", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_SYMMETRIC);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 2);
	assert_endpoint(&f.list[0], "203.0.113.9:4001");
	/* A third one who agrees with one of them does not make it a cone. */
	tell(&f, "192.0.2.3", "203.0.113.9:4001", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_SYMMETRIC);
}

static void our_own_address_needs_no_second_observer_and_is_no_nat(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "10.0.0.3", HERE, 0);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 1);
	assert_endpoint(&f.list[0], HERE);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_NONE);
}

static void neighbours_do_not_hide_the_nat_to_the_others(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "10.0.0.3", HERE, 0);
	tell(&f, "192.0.2.1", "203.0.113.9:4000", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_UNKNOWN);
	tell(&f, "192.0.2.2", "203.0.113.9:4000", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_CONE);
}

static void our_address_with_another_port_is_a_nat(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "10.0.0.3", "10.0.0.2:4000", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_UNKNOWN);
}

static void what_is_old_does_not_count(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "192.0.2.1", "203.0.113.9:4000", 0);
	tell(&f, "192.0.2.2", "203.0.113.9:4001", OWNADDR_KEEP_MS);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, OWNADDR_KEEP_MS), NAT_SYMMETRIC);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, OWNADDR_KEEP_MS + 1), NAT_UNKNOWN);
	assert_int_equal(ownaddr_list(&f.own, &f.local, OWNADDR_KEEP_MS + 1, f.list), 0);
}

static void the_newest_observers_are_kept(void **state)
{
	struct fixture f;
	char observer[32];
	char us[32];

	(void)state;
	begin(&f);
	for (int i = 0; i < OWNADDR_OBSERVERS_MAX + 5; i++) {
		(void)snprintf(observer, sizeof(observer), "192.0.2.%d", i + 1);
		(void)snprintf(us, sizeof(us), "203.0.113.%d:4000", i + 1);
		tell(&f, observer, us, i);
	}
	assert_int_equal(f.own.n, OWNADDR_OBSERVERS_MAX);
	assert_endpoint(&f.own.seen[0].us, us);
	assert_endpoint(&f.own.seen[OWNADDR_OBSERVERS_MAX - 1].us, "203.0.113.6:4000");
	/* One who speaks again comes first, and nobody has to go for it. */
	tell(&f, "192.0.2.6", "203.0.113.6:4000", 100);
	assert_int_equal(f.own.n, OWNADDR_OBSERVERS_MAX);
	assert_endpoint(&f.own.seen[0].us, "203.0.113.6:4000");
	assert_endpoint(&f.own.seen[OWNADDR_OBSERVERS_MAX - 1].us, "203.0.113.7:4000");
}

static void no_more_is_listed_than_there_is_room_for(void **state)
{
	struct fixture f;
	char observer[32];
	char us[32];

	(void)state;
	begin(&f);
	for (int i = 0; i < OWNADDR_OBSERVERS_MAX; i++) {
		(void)snprintf(observer, sizeof(observer), "192.0.2.%d", i + 1);
		(void)snprintf(us, sizeof(us), "203.0.113.1:%d", 4000 + i);
		tell(&f, observer, us, 0);
	}
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), VIEW_ENDPOINTS_MAX);
}

static void nonsense_is_passed_over(void **state)
{
	struct endpoint none = { .port = 0 };
	struct ip ip = ip_of("192.0.2.1");
	struct ip nobody = { .family = 0 };
	struct endpoint no_port = { .ip = ip };
	struct fixture f;

	(void)state;
	begin(&f);
	ownaddr_take(&f.own, &none, &ip, 0);
	ownaddr_take(&f.own, &no_port, &ip, 0);
	no_port.port = 1;
	ownaddr_take(&f.own, &no_port, &nobody, 0);
	assert_int_equal(f.own.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_observer_alone_is_not_believed),
		cmocka_unit_test(two_observers_who_agree_are_believed),
		cmocka_unit_test(different_ports_of_one_address_are_a_symmetric_nat),
		cmocka_unit_test(our_own_address_needs_no_second_observer_and_is_no_nat),
		cmocka_unit_test(neighbours_do_not_hide_the_nat_to_the_others),
		cmocka_unit_test(our_address_with_another_port_is_a_nat),
		cmocka_unit_test(what_is_old_does_not_count),
		cmocka_unit_test(the_newest_observers_are_kept),
		cmocka_unit_test(no_more_is_listed_than_there_is_room_for),
		cmocka_unit_test(nonsense_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
