/* SPDX-License-Identifier: MIT */
#include "daemon/net/nft.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/netns.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

/* What nft(8) says to a command. */
static void nft(char *out, size_t size, const char *command)
{
	size_t len = 0;
	ssize_t n = 1;
	int status;
	int pair[2];
	pid_t pid;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(pair[1], STDOUT_FILENO);
		(void)dup2(pair[1], STDERR_FILENO);
		(void)execlp("nft", "nft", command, (char *)NULL);
		_exit(127);
	}
	(void)close(pair[1]);
	for (; n > 0 && len<size - 1; len += n> 0 ? (size_t)n : 0)
		n = read(pair[0], out + len, size - 1 - len);
	out[len] = '\0';
	(void)close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("nft %s: %s", command, out);
}

static void assert_says(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("\"%s\" is not in: %s", what, text);
}

static int teardown(void **state)
{
	char out[256];

	(void)state;
	nft(out, sizeof(out), "flush ruleset");
	return 0;
}

static void the_table_says_what_may_pass_and_drops_the_rest(void **state)
{
	struct prefix nets[] = { prefix_of("192.168.77.0/24"), prefix_of("fd77::/64") };
	struct nft_policy p = {
		.ifname = "wg9", .mesh = true, .nets = nets, .n_nets = 2, .drop4 = true
	};
	char out[4096];

	(void)state;
	assert_int_equal(nft_replace(&p, NULL), 0);
	nft(out, sizeof(out), "list table inet wgmesh-wg9");
	assert_says(out, "type filter hook forward priority filter; policy accept;");
	assert_says(out, "iifname \"wg9\" oifname \"wg9\" accept");
	assert_says(out, "iifname \"wg9\" ip daddr 192.168.77.0/24 accept");
	assert_says(out, "oifname \"wg9\" ip saddr 192.168.77.0/24 accept");
	assert_says(out, "iifname \"wg9\" ip6 daddr fd77::/64 accept");
	assert_says(out, "oifname \"wg9\" ip6 saddr fd77::/64 accept");
	assert_says(out, "iifname \"wg9\" meta nfproto ipv4 drop");
	assert_says(out, "oifname \"wg9\" meta nfproto ipv4 drop");
	assert_null(strstr(out, "ipv6 drop"));
}

static void making_it_again_replaces_it(void **state)
{
	struct nft_policy p = { .ifname = "wg9", .mesh = true };
	char before[4096];
	char after[4096];

	(void)state;
	assert_int_equal(nft_replace(&p, NULL), 0);
	nft(before, sizeof(before), "list ruleset");
	assert_int_equal(nft_replace(&p, NULL), 0);
	nft(after, sizeof(after), "list ruleset");
	assert_string_equal(before, after);
}

static void removing_it_leaves_others_and_none_is_success(void **state)
{
	struct nft_policy p = { .ifname = "wg9", .mesh = true };
	char out[4096];

	(void)state;
	nft(out, sizeof(out), "add table inet other");
	assert_int_equal(nft_replace(&p, NULL), 0);
	assert_int_equal(nft_remove("wg9", NULL), 0);
	nft(out, sizeof(out), "list tables");
	assert_string_equal(out, "table inet other\n");
	assert_int_equal(nft_remove("wg9", NULL), 0);
}

static void as_many_networks_fit_as_may_be_advertised(void **state)
{
	struct prefix nets[NFT_NETS_MAX];
	struct nft_policy p = { .ifname = "interface-name0",
				.mesh = true,
				.nets = nets,
				.n_nets = NFT_NETS_MAX,
				.drop4 = true,
				.drop6 = true };
	static char out[65536];
	char last[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < NFT_NETS_MAX; i++) {
		nets[i] = prefix_of("fd77:0:0:1::/64");
		nets[i].ip.b[5] = (uint8_t)i;
	}
	assert_int_equal(nft_replace(&p, NULL), 0);
	nft(out, sizeof(out), "list table inet wgmesh-interface-name0");
	assert_says(out, prefix_format(last, &nets[NFT_NETS_MAX - 1]));
}

static void a_chain_of_others_that_drops_is_found_until_its_owner_lets_us_pass(void **state)
{
	struct nft_chain c;
	bool has_docker = false;
	char out[256];

	(void)state;
	assert_false(nft_find_dropping(&c, "wg9", &has_docker));
	nft(out, sizeof(out), "add table ip filter");
	nft(out, sizeof(out),
	    "add chain ip filter INPUT { type filter hook input priority 0; policy drop; }");
	assert_false(nft_find_dropping(&c, "wg9", &has_docker));
	nft(out, sizeof(out),
	    "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }");
	assert_true(nft_find_dropping(&c, "wg9", &has_docker));
	assert_int_equal(c.family, NFPROTO_IPV4);
	assert_string_equal(c.table, "filter");
	assert_string_equal(c.name, "FORWARD");
	assert_false(has_docker);
	nft(out, sizeof(out), "add chain ip filter DOCKER-USER");
	nft(out, sizeof(out), "add rule ip filter FORWARD iifname wg99 accept");
	assert_true(nft_find_dropping(&c, "wg9", &has_docker));
	assert_true(has_docker);
	nft(out, sizeof(out), "add rule ip filter DOCKER-USER iifname wg9 accept");
	assert_false(nft_find_dropping(&c, "wg9", &has_docker));
}

#define T(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_table_says_what_may_pass_and_drops_the_rest),
		T(making_it_again_replaces_it),
		T(removing_it_leaves_others_and_none_is_success),
		T(as_many_networks_fit_as_may_be_advertised),
		T(a_chain_of_others_that_drops_is_found_until_its_owner_lets_us_pass),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
