/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/defs.h"
#include "daemon/admin/netadmin_nodes.h"
#include "daemon/dht/nodefile.h"

#include <errno.h>
#include <sys/mman.h>

static struct tempdir dir;
static struct mesh_keys keys;
static const struct netadmin_config cfg = { .ifname = "wg0", .keys = &keys };
static struct netadmin_node node = { .cfg = &cfg };

static int begin(void **state)
{
	(void)state;
	tempdir_make(&dir);
	node.dirfd = dir.fd;
	return 0;
}

static int end(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, bytes, len), 0);
	return fd;
}

static size_t two_records(uint8_t out[static 2 * NODEFILE_RECORD_LEN])
{
	struct krpc_node nodes[2] = { 0 };

	assert_int_equal(endpoint_parse(&nodes[0].at, "192.0.2.1:6881"), 0);
	assert_int_equal(endpoint_parse(&nodes[1].at, "[2001:db8::1]:6882"), 0);
	return nodefile_format(out, nodes, 2);
}

static int save(const void *bytes, size_t len)
{
	auto_close int fd = file_of(bytes, len);
	struct err e = { 0 };

	return netadmin_nodes_save(&node, fd, &e);
}

static void what_is_saved_is_handed_over_at_the_next_start(void **state)
{
	uint8_t records[2 * NODEFILE_RECORD_LEN];
	uint8_t back[sizeof(records) + 1];
	auto_close int fd = -1;

	(void)state;
	assert_int_equal(netadmin_nodes_read(&node), -1);
	assert_int_equal(save(records, two_records(records)), 0);
	fd = netadmin_nodes_read(&node);
	assert_true(fd >= 0);
	assert_int_equal(io_read_bounded(fd, back, sizeof(back)), sizeof(records));
	assert_memory_equal(back, records, sizeof(records));
}

static void nodes_of_the_public_dht_do_not_lead_out_of_ones_own(void **state)
{
	const struct mesh_keys some = { .network_id = { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
	struct netadmin_config own = { .ifname = "wg0", .keys = &some, .own_dht = true };
	struct netadmin_config public = { .ifname = "wg0", .keys = &some };
	uint8_t records[2 * NODEFILE_RECORD_LEN];
	size_t len = two_records(records);

	(void)state;
	node.cfg = &public;
	assert_int_equal(save(records, len), 0);
	assert_int_equal(faccessat(dir.fd, "wg0-0102030405060708-dht.nodes", F_OK, 0), 0);
	node.cfg = &own;
	assert_int_equal(netadmin_nodes_read(&node), -1);
	assert_int_equal(save(records, len), 0);
	assert_int_equal(faccessat(dir.fd, "wg0-0900000000000000-dht.nodes", F_OK, 0), 0);
	node.cfg = &cfg;
}

static void a_mesh_process_that_was_taken_over_can_write_nothing_but_nodes(void **state)
{
	static uint8_t large[NODEFILE_LEN_MAX + NODEFILE_RECORD_LEN];
	uint8_t records[2 * NODEFILE_RECORD_LEN];
	size_t len = two_records(records);

	(void)state;
	assert_int_equal(save("{\"wg_private_key\":\"\"}", 21), -EPROTO);
	assert_int_equal(save("", 0), -EPROTO);
	assert_int_equal(save(records, len - 1), -EPROTO);
	records[NODEFILE_RECORD_LEN - 1] = 0;
	records[NODEFILE_RECORD_LEN - 2] = 0;
	assert_int_equal(save(records, len), -EPROTO);
	for (size_t at = 0; at < sizeof(large); at += NODEFILE_RECORD_LEN) {
		(void)two_records(records);
		memcpy(large + at, records, NODEFILE_RECORD_LEN);
	}
	assert_true(save(large, sizeof(large)) < 0);
	assert_int_equal(netadmin_nodes_save(&node, -1, NULL), -EBADF);
	assert_int_equal(netadmin_nodes_read(&node), -1);
	assert_int_equal(save(large, NODEFILE_LEN_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_saved_is_handed_over_at_the_next_start,
						begin, end),
		cmocka_unit_test_setup_teardown(nodes_of_the_public_dht_do_not_lead_out_of_ones_own,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_mesh_process_that_was_taken_over_can_write_nothing_but_nodes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
