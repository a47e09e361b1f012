/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/log.h"
#include "daemon/node/notify.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SELF 42

static struct notify_env parse(const char *address, const char *usec, const char *pid)
{
	struct notify_env env;

	assert_int_equal(notify_env_parse(&env, address, usec, pid, SELF), 0);
	return env;
}

static void assert_text(const struct notify_say *s, const char *expected)
{
	char text[NOTIFY_TEXT_SIZE];

	assert_int_equal(notify_format(text, s), strlen(expected));
	assert_string_equal(text, expected);
}

/* --- the environment ------------------------------------------------------------------------- */

static void without_the_variables_nobody_supervises(void **state)
{
	(void)state;
	assert_string_equal(parse(NULL, NULL, NULL).address, "");
	assert_string_equal(parse("", NULL, NULL).address, "");
	assert_true(parse("@x", NULL, NULL).watchdog_us == 0);
}

static void an_address_is_a_path_or_an_abstract_name(void **state)
{
	static const char *const bad[] = { "@", "/", "relative", "vsock:2:1234", " /run/notify" };
	char longest[NOTIFY_ADDRESS_SIZE + 1];
	struct notify_env env;

	(void)state;
	assert_string_equal(parse("@a/b", NULL, NULL).address, "@a/b");
	assert_string_equal(parse("/run/notify", NULL, NULL).address, "/run/notify");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(notify_env_parse(&env, bad[i], NULL, NULL, SELF), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[0] = '@';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(notify_env_parse(&env, longest, NULL, NULL, SELF), -EINVAL);
	assert_string_equal(env.address, "");
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(notify_env_parse(&env, longest, NULL, NULL, SELF), 0);
}

static void the_watchdog_is_for_the_process_it_names(void **state)
{
	(void)state;
	assert_true(parse("@x", "2000000", NULL).watchdog_us == 2000000);
	assert_true(parse("@x", "2000000", "42").watchdog_us == 2000000);
	assert_true(parse("@x", "2000000", "43").watchdog_us == 0);
	assert_true(parse("@x", "2000000", "").watchdog_us == 0);
	assert_true(parse("@x", "2000000", "42x").watchdog_us == 0);
	assert_true(parse("@x", "2000000", "4294967338").watchdog_us == 0);
}

static void an_interval_that_is_none_is_no_watchdog(void **state)
{
	static const char *const bad[] = { "", "0", "-1", "1s", " 1", "18446744073709551616" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(parse("@x", bad[i], NULL).watchdog_us == 0);
}

/* --- messages -------------------------------------------------------------------------------- */

static void each_claim_becomes_an_assignment(void **state)
{
	(void)state;
	assert_text(&(struct notify_say) { 0 }, "");
	assert_text(&(struct notify_say) { .is_ready = true }, "READY=1");
	assert_text(&(struct notify_say) { .is_stopping = true }, "STOPPING=1");
	assert_text(&(struct notify_say) { .is_beat = true }, "WATCHDOG=1");
	assert_text(&(struct notify_say) { .extend_us = 5 }, "EXTEND_TIMEOUT_USEC=5");
	assert_text(&(struct notify_say) { .error_number = 13 }, "ERRNO=13");
	assert_text(&(struct notify_say) { .status = "up" }, "STATUS=up");
	assert_text(&(struct notify_say) { .is_reloading = true, .monotonic_us = 7 },
		    "RELOADING=1\nMONOTONIC_USEC=7");
	assert_text(&(struct notify_say) { .is_ready = true, .is_beat = true, .status = "up" },
		    "READY=1\nWATCHDOG=1\nSTATUS=up");
}

static void a_status_cannot_become_an_assignment(void **state)
{
	(void)state;
	assert_text(&(struct notify_say) { .status = "peer\nSTOPPING=1\r\tx" },
		    "STATUS=peer STOPPING=1  x");
}

static void everything_at_once_fits_with_the_longest_status(void **state)
{
	char status[2 * NOTIFY_STATUS_SIZE];
	char text[NOTIFY_TEXT_SIZE];
	const struct notify_say all = { .is_ready = true,
					.is_reloading = true,
					.is_stopping = true,
					.is_beat = true,
					.monotonic_us = UINT64_MAX,
					.extend_us = UINT64_MAX,
					.error_number = 4095,
					.serves = "a-long-name-015 "
						  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
					.status = status };

	(void)state;
	memset(status, 's', sizeof(status));
	status[sizeof(status) - 1] = '\0';
	assert_true(notify_format(text, &all) > NOTIFY_STATUS_SIZE);
	status[NOTIFY_STATUS_SIZE - 1] = '\0';
	assert_non_null(strstr(text, "\nSTATUS="));
	assert_string_equal(strstr(text, "\nSTATUS=") + strlen("\nSTATUS="), status);
	assert_non_null(strstr(text, "EXTEND_TIMEOUT_USEC=18446744073709551615\n"));
}

/* --- the socket ------------------------------------------------------------------------------ */

/* A supervisor's socket, with a name that the kernel makes up and no one else has. */
static int listen_at(char name[static NOTIFY_ADDRESS_SIZE])
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa.sun_family);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sa, len), 0);
	len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	(void)snprintf(name, NOTIFY_ADDRESS_SIZE, "@%.*s",
		       (int)(len - offsetof(struct sockaddr_un, sun_path) - 1), sa.sun_path + 1);
	return fd;
}

static void open_as(struct notify *n, const char *address, const char *usec)
{
	assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", usec, 1), 0);
	assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
	notify_open(n);
}

static void what_is_said_arrives(void **state)
{
	char name[NOTIFY_ADDRESS_SIZE];
	char text[NOTIFY_TEXT_SIZE] = "";
	auto_close int fd = listen_at(name);
	struct notify n;

	(void)state;
	open_as(&n, name, "3000000");
	assert_true(n.fd >= 0);
	assert_true(n.watchdog_us == 3000000);
	notify_send(&n, &(struct notify_say) { .is_ready = true, .status = "up" });
	assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 17);
	assert_string_equal(text, "READY=1\nSTATUS=up");
	notify_send(&n, &(struct notify_say) { 0 });
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	assert_int_equal(errno, EAGAIN);
	notify_close(&n);
	assert_int_equal(n.fd, -1);
}

static void wgmesh_init_is_told_from_others_and_can_answer(void **state)
{
	char name[NOTIFY_ADDRESS_SIZE];
	struct sockaddr_un from = { .sun_family = AF_UNSPEC };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(from);
	auto_close int other = listen_at(name);
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct notify n;
	char text[32];
	int size;

	(void)state;
	open_as(&n, name, "0");
	assert_false(n.is_init);
	notify_close(&n);
	size = snprintf(name, sizeof(name), "@wgmesh-init/test%d", getpid());
	memcpy(at.sun_path + 1, name + 1, (size_t)size - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)size)),
			 0);
	open_as(&n, name, "0");
	assert_true(n.is_init);
	notify_send(&n, &(struct notify_say) { .is_ready = true });
	assert_int_equal(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len), 7);
	assert_int_equal(sendto(fd, "ready=true", 10, 0, (struct sockaddr *)&from, len), 10);
	assert_int_equal(recv(n.fd, text, sizeof(text), 0), 10);
	/* Nobody else can: the kernel takes datagrams from the other end only. */
	assert_int_equal(sendto(other, "x", 1, 0, (struct sockaddr *)&from, len), -1);
	assert_int_equal(errno, EPERM);
	notify_close(&n);
}

static void what_we_start_inherits_nothing_of_it(void **state)
{
	struct notify n;

	(void)state;
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "1", 1), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", "nonsense", 1), 0);
	notify_open(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	assert_int_equal(n.fd, -1);
}

static void a_supervisor_that_is_not_there_disturbs_nobody(void **state)
{
	char name[NOTIFY_ADDRESS_SIZE];
	int fd = listen_at(name);
	struct notify n;

	(void)state;
	open_as(&n, "@wgmesh-nobody-has-this-name", "3000000");
	assert_int_equal(n.fd, -1);
	assert_true(n.watchdog_us == 0);
	notify_send(&n, &(struct notify_say) { .is_ready = true });
	notify_close(&n);
	open_as(&n, name, "3000000");
	(void)close(fd);
	notify_send(&n, &(struct notify_say) { .is_ready = true });
	notify_send(&n, &(struct notify_say) { .is_ready = true });
	assert_int_equal(n.failures, 2);
	notify_close(&n);
}

static void a_supervisor_that_does_not_read_blocks_nobody(void **state)
{
	char name[NOTIFY_ADDRESS_SIZE];
	char text[NOTIFY_TEXT_SIZE];
	auto_close int fd = listen_at(name);
	struct notify n;

	(void)state;
	open_as(&n, name, "3000000");
	for (int i = 0; i < 100000 && n.failures == 0; i++)
		notify_send(&n, &(struct notify_say) { .is_beat = true });
	assert_int_equal(n.failures, 1);
	while (recv(fd, text, sizeof(text), 0) > 0)
		continue;
	notify_send(&n, &(struct notify_say) { .is_beat = true });
	assert_int_equal(n.failures, 0);
	notify_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_variables_nobody_supervises),
		cmocka_unit_test(an_address_is_a_path_or_an_abstract_name),
		cmocka_unit_test(the_watchdog_is_for_the_process_it_names),
		cmocka_unit_test(an_interval_that_is_none_is_no_watchdog),
		cmocka_unit_test(each_claim_becomes_an_assignment),
		cmocka_unit_test(a_status_cannot_become_an_assignment),
		cmocka_unit_test(everything_at_once_fits_with_the_longest_status),
		cmocka_unit_test(what_is_said_arrives),
		cmocka_unit_test(wgmesh_init_is_told_from_others_and_can_answer),
		cmocka_unit_test(what_we_start_inherits_nothing_of_it),
		cmocka_unit_test(a_supervisor_that_is_not_there_disturbs_nobody),
		cmocka_unit_test(a_supervisor_that_does_not_read_blocks_nobody),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
