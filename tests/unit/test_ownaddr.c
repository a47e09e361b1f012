/* SPDX-License-Identifier: MIT */
#include "daemon/view/ownaddr.h"
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

static void tell_as(struct fixture *f, unsigned int key, const char *observer, const char *us)
{
	struct ownaddr_observer who = { .key = key_of(key), .ip = ip_of(observer) };
	struct endpoint e = endpoint_of(us);

	ownaddr_take(&f->own, &e, &who, 0);
}

/* Everybody has an address, and a key, of their own. */
static void tell(struct fixture *f, const char *observer, const char *us, int64_t ms)
{
	struct ownaddr_observer who = { .ip = ip_of(observer) };
	struct endpoint e = endpoint_of(us);

	memcpy(who.key.b, who.ip.b, sizeof(who.ip.b));
	ownaddr_take(&f->own, &e, &who, ms);
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
	/* One of the two may lie. */
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_UNKNOWN);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 0);
	tell(&f, "192.0.2.3", "203.0.113.9:4002", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_SYMMETRIC);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 3);
	assert_endpoint(&f.list[0], "203.0.113.9:4002");
	/* A fourth one who agrees with one of them does not make it a cone. */
	tell(&f, "192.0.2.4", "203.0.113.9:4001", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_SYMMETRIC);
}

static void one_who_lies_hides_no_cone_and_has_no_port_believed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "192.0.2.1", "203.0.113.9:4000", 0);
	tell(&f, "192.0.2.2", "203.0.113.9:4000", 0);
	tell(&f, "192.0.2.66", "203.0.113.9:6666", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_CONE);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 1);
	assert_endpoint(&f.list[0], "203.0.113.9:4000");
}

static void one_who_lies_of_our_own_address_makes_no_nat(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "10.0.0.3", HERE, 0);
	tell(&f, "10.0.0.66", "10.0.0.2:6666", 0);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, 0), NAT_UNKNOWN);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 1);
	assert_endpoint(&f.list[0], HERE);
}

static void one_member_counts_once_whatever_keys_and_addresses_it_has(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell_as(&f, 1, "192.0.2.1", "203.0.113.9:4000");
	tell_as(&f, 1, "192.0.2.2", "203.0.113.9:4000");
	assert_int_equal(f.own.n, 1);
	tell_as(&f, 2, "192.0.2.2", "203.0.113.9:4000");
	assert_int_equal(f.own.n, 1);
	tell_as(&f, 3, "2001:db8::1", "[2001:db8:1::1]:4000");
	tell_as(&f, 4, "2001:db8::2:0:0:1", "[2001:db8:1::1]:4000");
	assert_int_equal(f.own.n, 2);
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 0);
	/* With the key of one and the address of another, it takes the place of both. */
	tell_as(&f, 2, "2001:db8::3", "203.0.113.9:4000");
	assert_int_equal(f.own.n, 1);
	tell_as(&f, 5, "2001:db8:0:1::1", "203.0.113.9:4000");
	assert_int_equal(ownaddr_list(&f.own, &f.local, 0, f.list), 1);
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
	tell(&f, "192.0.2.2", "203.0.113.9:4000", OWNADDR_KEEP_MS);
	assert_int_equal(ownaddr_nat(&f.own, &f.local, OWNADDR_KEEP_MS), NAT_CONE);
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

static void assert_agreed(const struct fixture *f, uint8_t family, const char *want)
{
	struct ip ip = ownaddr_ip(&f->own, family, 0);
	char text[IP_TEXT_SIZE];

	assert_string_equal(ip_format(text, &ip), want);
}

static void an_address_counts_when_two_see_it_at_whatever_port(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_agreed(&f, AF_INET, "");
	tell(&f, "192.0.2.1", "203.0.113.9:4000", 0);
	assert_agreed(&f, AF_INET, "");
	tell(&f, "192.0.2.2", "203.0.113.9:4001", 0);
	assert_agreed(&f, AF_INET, "203.0.113.9");
	assert_agreed(&f, AF_INET6, "");
}

static void one_who_lies_moves_no_address(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tell(&f, "192.0.2.66", "198.51.100.66:4000", 0);
	tell(&f, "192.0.2.1", "203.0.113.9:4000", 0);
	assert_agreed(&f, AF_INET, "");
	tell(&f, "192.0.2.2", "203.0.113.9:4000", 0);
	assert_agreed(&f, AF_INET, "203.0.113.9");
	/* With as many keys as it likes, it is one. */
	for (unsigned int key = 3; key < 20; key++)
		tell_as(&f, key, "192.0.2.66", "198.51.100.66:4000");
	assert_agreed(&f, AF_INET, "203.0.113.9");
	/* Two who lie and two who do not: nobody is believed. */
	tell(&f, "192.0.2.67", "198.51.100.66:4000", 0);
	assert_agreed(&f, AF_INET, "");
}

static void nonsense_is_passed_over(void **state)
{
	struct endpoint none = { .port = 0 };
	const struct ownaddr_observer who = { .ip = ip_of("192.0.2.1") };
	const struct ownaddr_observer nobody = { .ip = { .family = 0 } };
	struct endpoint no_port = { .ip = who.ip };
	struct fixture f;

	(void)state;
	begin(&f);
	ownaddr_take(&f.own, &none, &who, 0);
	ownaddr_take(&f.own, &no_port, &who, 0);
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
		cmocka_unit_test(one_who_lies_hides_no_cone_and_has_no_port_believed),
		cmocka_unit_test(one_who_lies_of_our_own_address_makes_no_nat),
		cmocka_unit_test(one_member_counts_once_whatever_keys_and_addresses_it_has),
		cmocka_unit_test(our_own_address_needs_no_second_observer_and_is_no_nat),
		cmocka_unit_test(neighbours_do_not_hide_the_nat_to_the_others),
		cmocka_unit_test(our_address_with_another_port_is_a_nat),
		cmocka_unit_test(what_is_old_does_not_count),
		cmocka_unit_test(the_newest_observers_are_kept),
		cmocka_unit_test(no_more_is_listed_than_there_is_room_for),
		cmocka_unit_test(an_address_counts_when_two_see_it_at_whatever_port),
		cmocka_unit_test(one_who_lies_moves_no_address),
		cmocka_unit_test(nonsense_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
