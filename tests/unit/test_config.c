/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/log.h"
#include "common/str.h"
#include "daemon/config.h"
#include "tests/unit/fixtures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET	     "wgmesh://v1/correct-horse-battery-staple"
#define KEY_MATERIAL "correct-horse-battery-staple"
#define ARGS_MAX     12

/**
 * struct fixture - A command line and an environment in memory of their own, and a directory
 * @dir:	Where secret files are written
 */
struct fixture {
	char dir[64];
	struct settings settings;
	struct config config;
	struct err e;
	char args[ARGS_MAX][4096];
	char *argv[ARGS_MAX + 1];
	int argc;
	char env[ARGS_MAX][4096];
	char *envp[ARGS_MAX + 1];
	int n_env;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)str_copy(f->dir, sizeof(f->dir), "/tmp/test-config-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)unsetenv("WGMESH_SECRET");
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/secret", f->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/wgmesh-secret", f->dir);
	(void)unlink(path);
	(void)rmdir(f->dir);
	config_wipe(&f->config);
	free(f);
	return 0;
}

__attribute__((format(printf, 2, 3))) static char *flag(struct fixture *f, const char *fmt, ...)
{
	char *arg = f->args[f->argc];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(arg, sizeof(f->args[0]), fmt, ap);
	va_end(ap);
	f->argv[f->argc++] = arg;
	return arg;
}

__attribute__((format(printf, 2, 3))) static char *variable(struct fixture *f, const char *fmt, ...)
{
	char *entry = f->env[f->n_env];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(entry, sizeof(f->env[0]), fmt, ap);
	va_end(ap);
	f->envp[f->n_env++] = entry;
	return entry;
}

static int load(struct fixture *f)
{
	settings_init(&f->settings);
	assert_int_equal(settings_read_env(&f->settings, SCOPE_JOIN, f->envp, &f->e), 0);
	assert_int_equal(settings_read_args(&f->settings, SCOPE_JOIN, f->argc, f->argv, &f->e),
			 f->argc);
	return config_load(&f->config, &f->settings, &f->e);
}

static void assert_loads(struct fixture *f)
{
	if (load(f) < 0)
		fail_msg("refused: %s", f->e.msg);
}

/* The whole command is refused with a message that has these words. */
static void assert_refused(struct fixture *f, const char *name, const char *word)
{
	assert_true(load(f) < 0);
	assert_int_equal(f->e.exit_code, EXITS_USAGE);
	if (!strstr(f->e.msg, name) || !strstr(f->e.msg, word))
		fail_msg("\"%s\" names neither or not both of \"%s\" and \"%s\"", f->e.msg, name,
			 word);
	assert_null(strstr(f->e.msg, "correct-horse"));
}

static const char *write_file(const struct fixture *f, const char *name, const char *text)
{
	static char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	return path;
}

/* --- what is accepted --------------------------------------------------------------------------- */

static void a_secret_alone_is_a_configuration(void **state)
{
	struct fixture *f = *state;
	struct config *c = &f->config;
	struct secret secret = { 0 };
	struct mesh_keys keys;

	(void)flag(f, "--secret=" SECRET);
	assert_loads(f);
	assert_string_equal(c->secret.text, KEY_MATERIAL);
	assert_string_equal(c->state_dir, "/var/lib/wgmesh");
	assert_string_equal(c->ifname, "wg0");
	assert_string_equal(c->socket_path, "/run/wgmesh/wg0.sock");
	assert_string_equal(c->wireguard_go, "wireguard-go");
	assert_int_equal(c->listen_port, 51820);
	assert_int_equal(c->backend, WG_BACKEND_AUTO);
	assert_int_equal(c->mtu, 0);
	assert_int_equal(c->routes.n, 0);
	assert_false(c->has_custom_subnet || c->no_lan || c->no_ipv6 || c->no_punching);
	assert_false(c->introducer || c->new_identity);
	assert_int_equal(secret_parse(&secret, KEY_MATERIAL, strlen(KEY_MATERIAL), NULL), 0);
	derive_keys(&keys, &secret);
	assert_memory_equal(&c->keys, &keys, sizeof(keys));
}

static void every_setting_arrives(void **state)
{
	struct fixture *f = *state;
	struct config *c = &f->config;
	char text[PREFIX_TEXT_SIZE];

	(void)variable(f, "WGMESH_SECRET=" SECRET);
	(void)variable(f, "WGMESH_INTERFACE=mesh-1");
	(void)variable(f, "WGMESH_BACKEND=userspace");
	(void)variable(f, "WGMESH_MTU=1300");
	(void)flag(f, "--listen-port=7000");
	(void)flag(f, "--mesh-subnet=10.42.7.9/16");
	(void)flag(f, "--advertise-routes=192.168.10.7/24, 2001:db8::/32,,172.16.0.0/12 ");
	(void)flag(f, "--hostname=node-1");
	(void)flag(f, "--no-ipv6");
	(void)flag(f, "--introducer");
	assert_loads(f);
	assert_string_equal(c->ifname, "mesh-1");
	assert_string_equal(c->socket_path, "/run/wgmesh/mesh-1.sock");
	assert_int_equal(c->backend, WG_BACKEND_USERSPACE);
	assert_int_equal(c->mtu, 1300);
	assert_int_equal(c->listen_port, 7000);
	assert_true(c->has_custom_subnet && c->no_ipv6 && c->introducer);
	assert_string_equal(prefix_format(text, &c->custom_subnet), "10.42.0.0/16");
	assert_int_equal(c->routes.n, 3);
	assert_string_equal(prefix_format(text, &c->routes.net[0]), "192.168.10.0/24");
	assert_string_equal(prefix_format(text, &c->routes.net[1]), "2001:db8::/32");
	assert_string_equal(prefix_format(text, &c->routes.net[2]), "172.16.0.0/12");
	assert_string_equal(c->hostname, "node-1");
}

static void the_lan_is_left_alone_when_told_so(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--no-lan-discovery");
	assert_loads(f);
	assert_true(f->config.no_lan);
}

static void its_short_name_will_do(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--no-lan");
	assert_loads(f);
	assert_true(f->config.no_lan);
}

static void a_socket_path_of_our_own_is_taken_as_it_is(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--socket-path=/tmp/some.sock");
	assert_loads(f);
	assert_string_equal(f->config.socket_path, "/tmp/some.sock");
}

static void wiping_leaves_nothing_of_the_secret(void **state)
{
	static const struct secret none;
	static const struct mesh_keys no_keys;
	struct fixture *f = *state;

	(void)flag(f, "--secret=" SECRET);
	assert_loads(f);
	config_wipe(&f->config);
	assert_memory_equal(&f->config.secret, &none, sizeof(none));
	assert_memory_equal(&f->config.keys, &no_keys, sizeof(no_keys));
}

/* --- where the secret comes from ------------------------------------------------------------------ */

static void a_secret_file_is_read_and_trimmed(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret-file=%s", write_file(f, "secret", "  " SECRET "\r\n"));
	assert_loads(f);
	assert_string_equal(f->config.secret.text, KEY_MATERIAL);
}

static void a_systemd_credential_is_found_when_nothing_else_is_given(void **state)
{
	struct fixture *f = *state;

	(void)write_file(f, "wgmesh-secret", SECRET "\n");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->dir, 1), 0);
	assert_loads(f);
	assert_string_equal(f->config.secret.text, KEY_MATERIAL);
}

static void a_flag_beats_a_variable_of_the_other_kind(void **state)
{
	struct fixture *f = *state;

	(void)variable(f, "WGMESH_SECRET=wgmesh://v1/the-one-in-the-environment");
	(void)flag(f, "--secret-file=%s", write_file(f, "secret", SECRET));
	assert_loads(f);
	assert_string_equal(f->config.secret.text, KEY_MATERIAL);
}

static void a_flag_beats_a_variable_that_names_a_file(void **state)
{
	struct fixture *f = *state;

	(void)variable(f, "WGMESH_SECRET_FILE=/nonexistent");
	(void)flag(f, "--secret=" SECRET);
	assert_loads(f);
	assert_string_equal(f->config.secret.text, KEY_MATERIAL);
}

static void no_copy_of_the_secret_stays_in_the_arguments(void **state)
{
	struct fixture *f = *state;
	const char *arg = flag(f, "--secret=" SECRET);

	assert_loads(f);
	assert_string_equal(arg, "--secret=");
	for (size_t i = 0; i < strlen(SECRET); i++)
		assert_int_equal(arg[strlen("--secret=") + i], '\0');
}

static void no_copy_of_the_secret_stays_in_the_environment(void **state)
{
	struct fixture *f = *state;
	const char *entry = variable(f, "WGMESH_SECRET=" SECRET);

	assert_loads(f);
	assert_string_equal(entry, "WGMESH_SECRET=");
	for (size_t i = 0; i < strlen(SECRET); i++)
		assert_int_equal(entry[strlen("WGMESH_SECRET=") + i], '\0');
}

static void a_refused_secret_does_not_stay_in_the_arguments_either(void **state)
{
	struct fixture *f = *state;
	const char *arg = flag(f, "--secret=too-short");

	assert_true(load(f) < 0);
	assert_string_equal(arg, "--secret=");
}

static void a_secret_that_lost_against_a_flag_goes_too(void **state)
{
	struct fixture *f = *state;
	const char *entry = variable(f, "WGMESH_SECRET=" SECRET);

	(void)flag(f, "--secret-file=%s", write_file(f, "secret", SECRET));
	assert_loads(f);
	assert_string_equal(entry, "WGMESH_SECRET=");
}

static void the_environments_own_copy_goes_when_a_flag_of_the_same_name_won(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("WGMESH_SECRET", SECRET, 1), 0);
	(void)flag(f, "--secret=" SECRET);
	assert_loads(f);
	assert_string_equal(getenv("WGMESH_SECRET"), "");
}

/* --- refusals ------------------------------------------------------------------------------------- */

static void without_a_secret_the_message_says_how_to_make_one(void **state)
{
	assert_refused(*state, "--secret-file", "wgmesh init --secret");
}

static void a_secret_given_twice_in_the_same_way_is_refused(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--secret-file=%s", write_file(f, "secret", SECRET));
	assert_refused(f, "--secret-file", "twice");
	f->argc = 0;
	(void)variable(f, "WGMESH_SECRET=" SECRET);
	(void)variable(f, "WGMESH_SECRET_FILE=%s/secret", f->dir);
	assert_refused(f, "WGMESH_SECRET_FILE", "twice");
}

static void a_short_secret_is_refused_by_the_name_it_was_given_under(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=correct-horse-x");
	assert_refused(f, "--secret: ", "at least 16");
	f->argc = 0;
	(void)variable(f, "WGMESH_SECRET=correct-horse-x");
	assert_refused(f, "WGMESH_SECRET: ", "at least 16");
	f->n_env = 0;
	f->envp[0] = NULL;
	(void)flag(f, "--secret-file=%s", write_file(f, "secret", "correct-horse-x\n"));
	assert_refused(f, f->dir, "at least 16");
	assert_int_equal(f->config.secret.len, 0);
}

static void sixteen_characters_are_enough(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=0123456789abcdef");
	assert_loads(f);
}

static void a_missing_secret_file_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret-file=%s/absent", f->dir);
	assert_refused(f, f->dir, "cannot be read");
	assert_int_equal(f->e.code, -ENOENT);
	f->argc = 0;
	/* What Docker leaves in the place of a file that was forgotten. */
	(void)flag(f, "--secret-file=%s", f->dir);
	assert_refused(f, f->dir, "is a directory: engines make one");
}

static void a_file_too_large_for_a_secret_is_refused(void **state)
{
	struct fixture *f = *state;
	char *big = calloc(1, 8192);

	assert_non_null(big);
	(void)memset(big, 'x', 8191);
	(void)flag(f, "--secret-file=%s", write_file(f, "secret", big));
	free(big);
	assert_refused(f, f->dir, "cannot be read");
	assert_int_equal(f->e.code, -EFBIG);
}

static void an_interface_name_that_linux_would_not_take_is_refused(void **state)
{
	static const char *const bad[] = { "0wg", "wg 0",     "wg/0", "sixteen-chars-xx",
					   "-wg", "w\xc3\xa4" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fixture *f = *state;

		f->argc = 0;
		(void)flag(f, "--secret=" SECRET);
		(void)flag(f, "--interface=%s", bad[i]);
		assert_refused(f, "--interface", bad[i]);
	}
}

static void a_subnet_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "10.42.0.0", "10.42.0.0/31", "fd00::/64", "x/8",
					   "10.42/16" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fixture *f = *state;

		f->argc = 0;
		(void)flag(f, "--secret=" SECRET);
		(void)flag(f, "--mesh-subnet=%s", bad[i]);
		assert_refused(f, "--mesh-subnet", bad[i]);
	}
}

static void a_route_that_is_none_is_refused_by_itself(void **state)
{
	static const char *const bad[] = { "192.168.10.0", "192.168.10.0/33", "nonsense",
					   "10.0.0/8" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fixture *f = *state;

		f->argc = 0;
		(void)flag(f, "--secret=" SECRET);
		(void)flag(f, "--advertise-routes=172.16.0.0/12,%s,10.0.0.0/8", bad[i]);
		assert_refused(f, "--advertise-routes", bad[i]);
	}
}

static void a_default_route_is_refused(void **state)
{
	static const char *const bad[] = { "0.0.0.0/0", "::/0", "10.0.0.0/0" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fixture *f = *state;

		f->argc = 0;
		f->n_env = 0;
		(void)flag(f, "--secret=" SECRET);
		(void)variable(f, "WGMESH_ADVERTISE_ROUTES=%s", bad[i]);
		assert_refused(f, "WGMESH_ADVERTISE_ROUTES", "default route");
	}
}

static void a_hundred_routes_are_taken_and_one_more_is_refused(void **state)
{
	struct fixture *f = *state;
	char *list;

	for (int extra = 0; extra < 2; extra++) {
		f->argc = 0;
		(void)flag(f, "--secret=" SECRET);
		list = flag(f, "--advertise-routes=10.8.0.0/24");
		for (int i = 1; i < ANNOUNCE_ROUTES_MAX + extra; i++)
			(void)snprintf(list + strlen(list), sizeof(f->args[0]) - strlen(list),
				       ",10.9.%d.0/24", i);
		if (extra)
			break;
		assert_loads(f);
		assert_int_equal(f->config.routes.n, ANNOUNCE_ROUTES_MAX);
	}
	assert_refused(f, "--advertise-routes", "100");
}

static void routes_that_no_announcement_can_tell_are_refused(void **state)
{
	struct fixture *f = *state;
	char *list;

	(void)flag(f, "--secret=" SECRET);
	list = flag(f, "--advertise-routes=2001:db8:1111:2222:3333:4444:5555:0/112");
	for (unsigned int i = 1; i < 60; i++)
		(void)snprintf(list + strlen(list), sizeof(f->args[0]) - strlen(list),
			       ",2001:db8:1111:2222:3333:4444:%x:0/112", 0x1000 + i);
	assert_refused(f, "--advertise-routes", "larger ones");
}

static void a_socket_path_that_does_not_fit_is_refused(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--socket-path=/%0106d", 0);
	assert_loads(f);
	f->argc = 0;
	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--socket-path=/%0107d", 0);
	assert_refused(f, "--socket-path", "107");
}

static void a_host_name_that_peers_would_drop_is_refused(void **state)
{
	struct fixture *f = *state;

	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--hostname=n\xc3\xb6"
		      "de");
	assert_refused(f, "--hostname", "ASCII");
	f->argc = 0;
	(void)flag(f, "--hostname=%0254d", 0);
	assert_refused(f, "--hostname", "253");
	f->argc = 0;
	(void)flag(f, "--secret=" SECRET);
	(void)flag(f, "--hostname=%0253d", 0);
	assert_loads(f);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_secret_alone_is_a_configuration),
		T(every_setting_arrives),
		T(the_lan_is_left_alone_when_told_so),
		T(its_short_name_will_do),
		T(a_socket_path_of_our_own_is_taken_as_it_is),
		T(wiping_leaves_nothing_of_the_secret),
		T(a_secret_file_is_read_and_trimmed),
		T(a_systemd_credential_is_found_when_nothing_else_is_given),
		T(a_flag_beats_a_variable_of_the_other_kind),
		T(a_flag_beats_a_variable_that_names_a_file),
		T(no_copy_of_the_secret_stays_in_the_arguments),
		T(no_copy_of_the_secret_stays_in_the_environment),
		T(a_refused_secret_does_not_stay_in_the_arguments_either),
		T(a_secret_that_lost_against_a_flag_goes_too),
		T(the_environments_own_copy_goes_when_a_flag_of_the_same_name_won),
		T(without_a_secret_the_message_says_how_to_make_one),
		T(a_secret_given_twice_in_the_same_way_is_refused),
		T(a_short_secret_is_refused_by_the_name_it_was_given_under),
		T(sixteen_characters_are_enough),
		T(a_missing_secret_file_is_refused_by_name),
		T(a_file_too_large_for_a_secret_is_refused),
		T(an_interface_name_that_linux_would_not_take_is_refused),
		T(a_subnet_that_is_none_is_refused),
		T(a_route_that_is_none_is_refused_by_itself),
		T(a_default_route_is_refused),
		T(a_hundred_routes_are_taken_and_one_more_is_refused),
		T(routes_that_no_announcement_can_tell_are_refused),
		T(a_socket_path_that_does_not_fit_is_refused),
		T(a_host_name_that_peers_would_drop_is_refused),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
