/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "daemon/net/rtnl.h"
#include "daemon/wg/backend.h"
#include "daemon/wg/spawn.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/crypto.h"
#include "tests/helper/wgpeers.h"
#include "tests/unit/netns.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PROGRAM	 "wireguard-go"
#define SOCKET	 "/run/wireguard/wg0.sock"
#define LIMIT_MS 5000

static struct rtnl *rtnl;

/* Waits for a condition, looking every few milliseconds; fails the test when the limit is over. */
#define await(condition)                                 \
	do {                                             \
		int left_ = LIMIT_MS;                    \
		while (!(condition) && (left_ -= 5) > 0) \
			(void)poll(NULL, 0, 5);          \
		assert_true(left_ > 0);                  \
	} while (0)

/* Return: the state letter of a thread (proc(5)), or 0 when there is no such thread */
static char state_of(pid_t pid, const char *thread)
{
	char text[128] = "";
	const char *end;
	char path[300];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, thread);
	file = fopen(path, "re");
	if (!file)
		return 0;
	(void)!fgets(text, sizeof(text), file);
	(void)fclose(file);
	end = strrchr(text, ')');
	if (!end || end[1] != ' ')
		return '\0';
	return end[2];
}

/* Zombies count as gone. */
static bool has_ended(pid_t pid)
{
	char thread[16];
	char state;

	(void)snprintf(thread, sizeof(thread), "%d", pid);
	state = state_of(pid, thread);
	return state == 0 || state == 'Z';
}

/* A process has stopped when all its threads have. */
static bool has_stopped(pid_t pid)
{
	bool stopped = true;
	struct dirent *d;
	char path[32];
	DIR *tasks;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	assert_non_null(tasks);
	while ((d = readdir(tasks)) != NULL)
		stopped = stopped && (d->d_name[0] == '.' || state_of(pid, d->d_name) == 'T');
	(void)closedir(tasks);
	return stopped;
}

/* Return: the process id of the wireguard-go of our namespace, 0 when there is none */
static pid_t look_for_program(void)
{
	struct dirent *d;
	DIR *proc = opendir("/proc");
	pid_t found = 0;

	assert_non_null(proc);
	while (found == 0 && (d = readdir(proc)) != NULL) {
		char path[300];
		char comm[32] = "";
		FILE *file;

		(void)snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) && strcmp(comm, PROGRAM "\n") == 0)
			found = (pid_t)strtol(d->d_name, NULL, 10);
		found = found > 0 && has_ended(found) ? 0 : found;
		(void)fclose(file);
	}
	(void)closedir(proc);
	return found;
}

static pid_t find_program(void)
{
	pid_t pid = look_for_program();

	/* Never 0: it goes to kill(2). */
	assert_true(pid > 0);
	return pid;
}

static bool link_exists(void)
{
	struct rtnl_link link;

	return rtnl_link_get(rtnl, "wg0", &link, NULL) == 0;
}

static int setup(void **state)
{
	(void)state;
	return rtnl_open(&rtnl, NULL);
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(rtnl_link_delete(rtnl, "wg0", NULL), 0);
	await(access(SOCKET, F_OK) < 0);
	rtnl_close(rtnl);
	return 0;
}

static struct wg *open_wg(void)
{
	struct err e = { 0 };
	struct wg *wg = NULL;

	if (wg_open(&wg, "wg0", WG_BACKEND_USERSPACE, PROGRAM, &e) < 0)
		fail_msg("wg_open: %s", e.msg);
	return wg;
}

static void assert_refused(enum wg_backend backend, const char *program, int code, int exit_code)
{
	struct err e = { 0 };
	struct wg *wg;

	assert_int_equal(wg_open(&wg, "wg0", backend, program, &e), code);
	assert_null(wg);
	assert_int_equal(e.code, code);
	assert_int_equal(e.exit_code, exit_code);
	assert_true(strlen(e.msg) > 20 && strlen(e.msg) < sizeof(e.msg) - 1);
}

static void a_new_interface_is_tagged_and_takes_key_and_port(void **state)
{
	uint8_t private_key[CRYPTO_KEY_LEN];
	uint8_t public_key[CRYPTO_KEY_LEN];
	struct wg_device_state dev;
	struct rtnl_link link;
	struct err e;
	struct wg *wg = open_wg();

	(void)state;
	assert_int_equal(wg_backend(wg), WG_BACKEND_USERSPACE);
	assert_false(wg_was_adopted(wg));
	assert_int_equal(rtnl_link_get(rtnl, "wg0", &link, NULL), 0);
	assert_string_equal(link.alias, "wgmesh");
	assert_string_equal(link.kind, "tun");
	assert_int_equal(wg_dump(wg, &dev, NULL, NULL, &e), 0);
	assert_memory_equal(dev.public_key.b, (uint8_t[WG_KEY_LEN]) { 0 }, WG_KEY_LEN);
	crypto_wg_keypair(private_key, public_key);
	assert_int_equal(wg_set_device(wg, private_key, 51820, &e), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.index, true, &e), 0);
	assert_int_equal(wg_dump(wg, &dev, NULL, NULL, &e), 0);
	assert_memory_equal(dev.public_key.b, public_key, WG_KEY_LEN);
	assert_int_equal(dev.listen_port, 51820);
	wg_close(wg);
}

static void a_thousand_peers_come_back_as_they_were_set(void **state)
{
	struct wg_peer_config *peers = wgpeers_make_all(1000);
	struct wgpeers_check check = { .peers = peers, .n = 1000 };
	struct wg *wg = open_wg();

	(void)state;
	assert_int_equal(wg_set_peers(wg, peers, 1000, NULL), 0);
	assert_int_equal(wg_dump(wg, NULL, wgpeers_check_one, &check, NULL), 0);
	assert_int_equal(check.seen, 1000);
	assert_int_equal(check.wrong, 0);
	/* A change to one leaves the others, and what is not flagged, alone. */
	peers[7].flags = WG_PEER_HAS_KEEPALIVE;
	peers[7].keepalive_s = 0;
	peers[8].flags = WG_PEER_REMOVE;
	assert_int_equal(wg_set_peers(wg, peers + 7, 2, NULL), 0);
	check = (struct wgpeers_check) { .peers = peers, .n = 1000 };
	peers[8].key.b[0] ^= 0xff;
	assert_int_equal(wg_dump(wg, NULL, wgpeers_check_one, &check, NULL), 0);
	assert_int_equal(check.seen, 999);
	assert_int_equal(check.wrong, 0);
	wg_close(wg);
	free(peers);
}

static void a_malformed_peer_is_refused_before_anything_is_sent(void **state)
{
	struct wg_peer_config peer;
	struct wg *wg = open_wg();
	struct err e;

	(void)state;
	wgpeers_make(&peer, 1);
	peer.psk = NULL;
	assert_int_equal(wg_set_peers(wg, &peer, 1, &e), -EINVAL);
	wgpeers_make(&peer, 1);
	peer.endpoint.ip.family = 0;
	assert_int_equal(wg_set_peers(wg, &peer, 1, &e), -EINVAL);
	wgpeers_make(&peer, 1);
	peer.allowed[0].bits = 33;
	assert_int_equal(wg_set_peers(wg, &peer, 1, &e), -EINVAL);
	peer.n_allowed = WG_ALLOWED_MAX + 1;
	assert_int_equal(wg_set_peers(wg, &peer, 1, &e), -EINVAL);
	wg_close(wg);
}

static void a_port_in_use_is_told_and_the_old_one_kept(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(51900) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct wg *wg = open_wg();
	struct wg_device_state dev;

	(void)state;
	assert_int_equal(bind(fd, (const struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(wg_set_device(wg, NULL, 51901, NULL), 0);
	assert_int_equal(wg_set_device(wg, NULL, 51900, NULL), -EADDRINUSE);
	assert_int_equal(wg_dump(wg, &dev, NULL, NULL, NULL), 0);
	assert_int_equal(dev.listen_port, 51901);
	assert_int_equal(wg_set_device(wg, NULL, 51901, NULL), 0);
	assert_int_equal(close(fd), 0);
	wg_close(wg);
}

static void the_interface_is_adopted_with_its_peers(void **state)
{
	struct wg_peer_config *peers = wgpeers_make_all(3);
	struct wgpeers_check check = { .peers = peers, .n = 3 };
	struct wg *wg = open_wg();
	pid_t pid;

	(void)state;
	assert_int_equal(wg_set_peers(wg, peers, 3, NULL), 0);
	wg_close(wg);
	pid = find_program();
	wg = open_wg();
	assert_true(wg_was_adopted(wg));
	assert_int_equal(find_program(), pid);
	assert_int_equal(wg_dump(wg, NULL, wgpeers_check_one, &check, NULL), 0);
	assert_int_equal(check.seen, 3);
	assert_int_equal(check.wrong, 0);
	wg_close(wg);
	free(peers);
}

static int stop_at_once(const struct wg_peer_state *peer, void *arg)
{
	(void)peer;
	(*(int *)arg)++;
	return 5;
}

static void a_callback_stops_the_dump(void **state)
{
	int calls = 0;
	struct wg_peer_config *peers = wgpeers_make_all(3);
	struct wg *wg = open_wg();

	(void)state;
	assert_int_equal(wg_set_peers(wg, peers, 3, NULL), 0);
	assert_int_equal(wg_dump(wg, NULL, stop_at_once, &calls, NULL), 5);
	assert_int_equal(calls, 1);
	wg_close(wg);
	free(peers);
}

static void the_program_leads_a_session_and_inherits_nothing(void **state)
{
	int leaked = open("/dev/zero", O_RDONLY); /* on purpose without O_CLOEXEC */
	struct wg *wg;
	char path[64];
	char buf[4096];
	ssize_t n;
	pid_t pid;
	int fd;

	(void)state;
	assert_true(leaked >= 0);
	assert_int_equal(setenv("WGMESH_SECRET", "not for others", 1), 0);
	wg = open_wg();
	pid = find_program();
	assert_int_equal(getsid(pid), pid);
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, buf, sizeof(buf));
	assert_true(n > 0);
	assert_null(memmem(buf, (size_t)n, "WGMESH", 6));
	assert_int_equal(close(fd), 0);
	for (int i = 0; i < 64; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i);
		n = readlink(path, buf, sizeof(buf) - 1);
		buf[n > 0 ? n : 0] = '\0';
		assert_string_not_equal(buf, "/dev/zero");
		if (i <= STDERR_FILENO)
			assert_string_equal(buf, "/dev/null");
	}
	assert_int_equal(close(leaked), 0);
	wg_close(wg);
}

/* The threads of a process end one by one, and only after the last can its status be had. */
static bool dump_tells_of_the_end(struct wg *wg)
{
	struct err e = { 0 };

	return wg_dump(wg, NULL, NULL, NULL, &e) < 0 &&
	       strstr(e.msg, "has ended (exit status 0)") != NULL;
}

static void the_program_ends_with_its_link(void **state)
{
	struct wg *wg = open_wg();

	(void)state;
	(void)find_program();
	assert_int_equal(rtnl_link_delete(rtnl, "wg0", NULL), 0);
	await(dump_tells_of_the_end(wg));
	assert_int_equal(look_for_program(), 0);
	wg_close(wg);
}

static void a_foreign_interface_is_refused_and_left_alone(void **state)
{
	(void)state;
	NETNS_IP("link", "add", "wg0", "type", "bridge");
	assert_refused(WG_BACKEND_USERSPACE, PROGRAM, -EEXIST, EXITS_POLICY);
	assert_true(link_exists());
	NETNS_IP("link", "set", "wg0", "alias", "wgmesh2");
	assert_refused(WG_BACKEND_USERSPACE, PROGRAM, -EEXIST, EXITS_POLICY);
	/* Our tag on a link that WireGuard cannot have made does not make it ours. */
	NETNS_IP("link", "set", "wg0", "alias", "wgmesh");
	assert_refused(WG_BACKEND_USERSPACE, PROGRAM, -EEXIST, EXITS_POLICY);
	assert_true(link_exists());
}

static void a_foreign_tun_is_refused_even_if_it_answers(void **state)
{
	struct rtnl_link link;
	struct wg *wg = open_wg();
	pid_t pid = find_program();

	(void)state;
	wg_close(wg);
	assert_int_equal(rtnl_link_get(rtnl, "wg0", &link, NULL), 0);
	assert_int_equal(rtnl_link_set_alias(rtnl, link.index, "theirs", NULL), 0);
	assert_refused(WG_BACKEND_USERSPACE, PROGRAM, -EEXIST, EXITS_POLICY);
	assert_false(has_ended(pid));
}

static void set_alias(const char *alias)
{
	struct rtnl_link link;

	assert_int_equal(rtnl_link_get(rtnl, "wg0", &link, NULL), 0);
	assert_int_equal(rtnl_link_set_alias(rtnl, link.index, alias, NULL), 0);
}

static void what_an_interrupted_start_left_untagged_is_adopted_or_deleted(void **state)
{
	struct rtnl_link link;
	struct wg *wg = open_wg();

	(void)state;
	wg_close(wg);
	set_alias("");
	wg = open_wg();
	assert_true(wg_was_adopted(wg));
	wg_close(wg);
	assert_int_equal(rtnl_link_get(rtnl, "wg0", &link, NULL), 0);
	assert_string_equal(link.alias, "wgmesh");
	set_alias("");
	assert_int_equal(wg_delete("wg0", NULL), 0);
	assert_false(link_exists());
	assert_int_equal(wg_delete("wg0", NULL), 0);
}

static void an_untagged_interface_with_a_key_is_somebodys(void **state)
{
	uint8_t private_key[WG_KEY_LEN];
	uint8_t public_key[WG_KEY_LEN];
	struct wg *wg = open_wg();
	struct err e = { 0 };

	(void)state;
	crypto_wg_keypair(private_key, public_key);
	assert_int_equal(wg_set_device(wg, private_key, 0, NULL), 0);
	wg_close(wg);
	set_alias("");
	assert_refused(WG_BACKEND_USERSPACE, PROGRAM, -EEXIST, EXITS_POLICY);
	assert_int_equal(wg_delete("wg0", &e), -EPERM);
	assert_int_equal(e.exit_code, EXITS_POLICY);
	assert_true(link_exists());
}

static void a_persistent_tun_without_a_program_is_replaced(void **state)
{
	struct wg *wg;

	(void)state;
	NETNS_IP("tuntap", "add", "wg0", "mode", "tun");
	NETNS_IP("link", "set", "wg0", "alias", "wgmesh");
	wg = open_wg();
	assert_false(wg_was_adopted(wg));
	assert_int_equal(wg_dump(wg, NULL, NULL, NULL, NULL), 0);
	wg_close(wg);
}

static void a_socket_without_a_program_does_not_matter(void **state)
{
	struct wg *wg = open_wg();
	pid_t pid = find_program();

	(void)state;
	wg_close(wg);
	assert_int_equal(kill(pid, SIGKILL), 0);
	await(has_ended(pid) && !link_exists());
	assert_int_equal(access(SOCKET, F_OK), 0);
	wg = open_wg();
	assert_false(wg_was_adopted(wg));
	assert_true(find_program() != pid);
	wg_close(wg);
}

static void a_program_whose_socket_was_removed_is_replaced(void **state)
{
	struct wg *wg = open_wg();

	(void)state;
	wg_close(wg);
	/* As after a restart into a fresh /run: the link is there, and nobody answers for it. */
	assert_int_equal(mount("run", "/run", "tmpfs", 0, NULL), 0);
	wg = open_wg();
	assert_false(wg_was_adopted(wg));
	assert_int_equal(wg_dump(wg, NULL, NULL, NULL, NULL), 0);
	wg_close(wg);
	assert_int_equal(rtnl_link_delete(rtnl, "wg0", NULL), 0);
	await(access(SOCKET, F_OK) < 0);
	assert_int_equal(umount2("/run", MNT_DETACH), 0);
	(void)unlink(SOCKET);
}

static void a_hung_program_is_replaced(void **state)
{
	struct wg *wg = open_wg();
	pid_t pid = find_program();

	(void)state;
	wg_close(wg);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	await(has_stopped(pid));
	wg = open_wg();
	assert_false(wg_was_adopted(wg));
	assert_int_equal(wg_dump(wg, NULL, NULL, NULL, NULL), 0);
	wg_close(wg);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void a_socket_of_another_namespace_is_told(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buf[64];
	pid_t pid;

	(void)state;
	(void)mkdir("/run/wireguard", 0700);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			int c = accept(fd, NULL, NULL);

			(void)!read(c, buf, sizeof(buf));
			(void)!write(c, "errno=0\n\n", 9);
			(void)close(c);
		}
	}
	assert_refused(WG_BACKEND_USERSPACE, PROGRAM, -EBUSY, 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(SOCKET), 0);
}

static void a_missing_program_is_told(void **state)
{
	(void)state;
	assert_refused(WG_BACKEND_USERSPACE, "no-such-program", -EOPNOTSUPP, EXITS_NO_WIREGUARD);
	assert_refused(WG_BACKEND_USERSPACE, "/no/such/program", -EOPNOTSUPP, EXITS_NO_WIREGUARD);
}

static void a_missing_tun_device_is_told(void **state)
{
	struct err e;
	struct wg *wg;

	(void)state;
	assert_int_equal(mount("none", "/dev/net", "tmpfs", 0, NULL), 0);
	assert_true(wg_open(&wg, "wg0", WG_BACKEND_USERSPACE, PROGRAM, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_NO_WIREGUARD);
	assert_non_null(strstr(e.msg, "--device /dev/net/tun"));
	assert_non_null(strstr(e.msg, "Kubernetes: a hostPath of type CharDevice"));
	/* An image without the program lacks that first, whatever devices there are. */
	assert_true(wg_open(&wg, "wg0", WG_BACKEND_USERSPACE, "no-such-program", &e) < 0);
	assert_non_null(strstr(e.msg, "the full one"));
	assert_int_equal(umount("/dev/net"), 0);
}

static void skip_where_the_kernel_has_wireguard(void)
{
	if (rtnl_link_create(rtnl, "wgprobe", "wireguard", NULL) == 0) {
		assert_int_equal(rtnl_link_delete(rtnl, "wgprobe", NULL), 0);
		skip();
	}
}

static void a_kernel_without_wireguard_is_told(void **state)
{
	(void)state;
	skip_where_the_kernel_has_wireguard();
	assert_refused(WG_BACKEND_KERNEL, PROGRAM, -EOPNOTSUPP, EXITS_NO_WIREGUARD);
}

static void without_a_kernels_wireguard_auto_is_userspace(void **state)
{
	struct err e;
	struct wg *wg;

	(void)state;
	skip_where_the_kernel_has_wireguard();
	assert_true(wg_open(&wg, "wg0", WG_BACKEND_AUTO, "no-such-program", &e) < 0);
	assert_int_equal(e.exit_code, EXITS_NO_WIREGUARD);
	assert_non_null(strstr(e.msg, "kernel has no WireGuard"));
	assert_non_null(strstr(e.msg, "no-such-program"));
	assert_int_equal(wg_open(&wg, "wg0", WG_BACKEND_AUTO, PROGRAM, &e), 0);
	assert_int_equal(wg_backend(wg), WG_BACKEND_USERSPACE);
	wg_close(wg);
}

static void a_program_that_ends_at_once_is_told(void **state)
{
	struct err e;
	struct wg *wg;

	(void)state;
	assert_true(wg_open(&wg, "wg0", WG_BACKEND_USERSPACE, "false", &e) < 0);
	assert_int_equal(e.exit_code, EXITS_NO_WIREGUARD);
	assert_non_null(strstr(e.msg, "exit status 1"));
	assert_false(link_exists());
}

static void a_read_only_run_is_told(void **state)
{
	(void)state;
	assert_int_equal(mount("none", "/run", "tmpfs", MS_RDONLY, NULL), 0);
	assert_refused(WG_BACKEND_USERSPACE, PROGRAM, -EROFS, EXITS_CANNOT_CREATE);
	assert_int_equal(umount("/run"), 0);
}

static void names_that_no_interface_can_have_are_refused(void **state)
{
	struct wg *wg;

	(void)state;
	assert_int_equal(wg_open(&wg, "", WG_BACKEND_USERSPACE, PROGRAM, NULL), -EINVAL);
	assert_int_equal(wg_open(&wg, "../../etc/x", WG_BACKEND_USERSPACE, PROGRAM, NULL), -EINVAL);
	assert_int_equal(wg_open(&wg, "abcdefghijklmnop", WG_BACKEND_USERSPACE, PROGRAM, NULL),
			 -EINVAL);
}

static void what_becomes_of_a_link_follows_a_table(void **state)
{
	enum { AUTO = WG_BACKEND_AUTO, KERNEL = WG_BACKEND_KERNEL, USER = WG_BACKEND_USERSPACE };
	static const struct {
		struct wg_found found;
		enum wg_plan plan[3]; /* by backend asked for */
	} cases[] = {
		{ { false, false, "", false },
		  { [AUTO] = WG_PLAN_CREATE, [KERNEL] = WG_PLAN_CREATE, [USER] = WG_PLAN_CREATE } },
		{ { true, false, "wireguard", false },
		  { [AUTO] = WG_PLAN_REFUSE, [KERNEL] = WG_PLAN_REFUSE, [USER] = WG_PLAN_REFUSE } },
		{ { true, false, "tun", true },
		  { [AUTO] = WG_PLAN_REFUSE, [KERNEL] = WG_PLAN_REFUSE, [USER] = WG_PLAN_REFUSE } },
		{ { true, true, "wireguard", false },
		  { [AUTO] = WG_PLAN_ADOPT_KERNEL,
		    [KERNEL] = WG_PLAN_ADOPT_KERNEL,
		    [USER] = WG_PLAN_REPLACE } },
		{ { true, true, "tun", true },
		  { [AUTO] = WG_PLAN_ADOPT_USERSPACE,
		    [KERNEL] = WG_PLAN_REPLACE,
		    [USER] = WG_PLAN_ADOPT_USERSPACE } },
		{ { true, true, "tun", false },
		  { [AUTO] = WG_PLAN_REPLACE,
		    [KERNEL] = WG_PLAN_REPLACE,
		    [USER] = WG_PLAN_REPLACE } },
		{ { true, true, "dummy", false },
		  { [AUTO] = WG_PLAN_REFUSE, [KERNEL] = WG_PLAN_REFUSE, [USER] = WG_PLAN_REFUSE } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (int b = AUTO; b <= USER; b++)
			assert_int_equal(wg_plan(&cases[i].found, (enum wg_backend)b),
					 cases[i].plan[b]);
	}
}

static void programs_are_found_as_a_shell_would(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(spawn_find(path, sizeof(path), "sh", "/nonexistent:/bin:/usr/bin"), 0);
	assert_string_equal(path, "/bin/sh");
	assert_int_equal(spawn_find(path, sizeof(path), "/bin/sh", ""), 0);
	assert_int_equal(spawn_find(path, sizeof(path), "sh", ""), -ENOENT);
	assert_int_equal(spawn_find(path, sizeof(path), "sh", ":"), -ENOENT);
	assert_int_equal(spawn_find(path, 4, "/bin/sh", ""), -ENAMETOOLONG);
	assert_int_equal(spawn_find(path, sizeof(path), "/etc/passwd", ""), -EACCES);
	assert_int_equal(spawn_find(path, sizeof(path), "passwd", "/etc:/nonexistent"), -EACCES);
}

static void a_program_that_cannot_run_is_told(void **state)
{
	char name[] = "x";
	char *argv[] = { name, NULL };
	char *envp[] = { NULL };
	struct err e;
	pid_t pid;

	(void)state;
	assert_int_equal(spawn_detached(&pid, "/no/such/program", argv, envp, &e), -ENOENT);
	assert_int_equal(pid, 0);
	assert_int_equal(spawn_detached(&pid, "/etc/passwd", argv, envp, &e), -EACCES);
}

static void a_program_runs_with_signals_unblocked(void **state)
{
	char sh[] = "sh";
	char option[] = "-c";
	/* The shell can only be ended by the signal if that is neither blocked nor ignored. */
	char script[] = "kill -TERM $$; exit 3";
	char *argv[] = { sh, option, script, NULL };
	char *envp[] = { NULL };
	char why[32] = "";
	sigset_t all;
	sigset_t old;
	pid_t pid;

	(void)state;
	assert_int_equal(sigfillset(&all), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, &all, &old), 0);
	assert_true(signal(SIGTERM, SIG_IGN) != SIG_ERR);
	assert_int_equal(spawn_detached(&pid, "/bin/sh", argv, envp, NULL), 0);
	await(spawn_has_ended(&pid, why, sizeof(why)));
	assert_string_equal(why, "signal 15");
	assert_int_equal(pid, 0);
	assert_false(spawn_has_ended(&pid, why, sizeof(why)));
	assert_true(signal(SIGTERM, SIG_DFL) != SIG_ERR);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

#define with_rtnl(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_rtnl(a_new_interface_is_tagged_and_takes_key_and_port),
		with_rtnl(a_thousand_peers_come_back_as_they_were_set),
		with_rtnl(a_malformed_peer_is_refused_before_anything_is_sent),
		with_rtnl(a_port_in_use_is_told_and_the_old_one_kept),
		with_rtnl(the_interface_is_adopted_with_its_peers),
		with_rtnl(a_callback_stops_the_dump),
		with_rtnl(the_program_leads_a_session_and_inherits_nothing),
		with_rtnl(the_program_ends_with_its_link),
		with_rtnl(a_foreign_interface_is_refused_and_left_alone),
		with_rtnl(a_foreign_tun_is_refused_even_if_it_answers),
		with_rtnl(what_an_interrupted_start_left_untagged_is_adopted_or_deleted),
		with_rtnl(an_untagged_interface_with_a_key_is_somebodys),
		with_rtnl(a_persistent_tun_without_a_program_is_replaced),
		with_rtnl(a_socket_without_a_program_does_not_matter),
		with_rtnl(a_program_whose_socket_was_removed_is_replaced),
		with_rtnl(a_hung_program_is_replaced),
		with_rtnl(a_socket_of_another_namespace_is_told),
		with_rtnl(a_missing_program_is_told),
		with_rtnl(a_missing_tun_device_is_told),
		with_rtnl(a_kernel_without_wireguard_is_told),
		with_rtnl(without_a_kernels_wireguard_auto_is_userspace),
		with_rtnl(a_program_that_ends_at_once_is_told),
		with_rtnl(a_read_only_run_is_told),
		cmocka_unit_test(names_that_no_interface_can_have_are_refused),
		cmocka_unit_test(what_becomes_of_a_link_follows_a_table),
		cmocka_unit_test(programs_are_found_as_a_shell_would),
		cmocka_unit_test(a_program_that_cannot_run_is_told),
		cmocka_unit_test(a_program_runs_with_signals_unblocked),
	};

	netns_enter();
	if (crypto_init() < 0)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
