/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * IPv4 is forwarded when the interface says so that a packet came in through: ours, and those that
 * lead to the networks behind this node. IPv6 has one switch for all of a network namespace, which
 * also makes interfaces ignore router advertisements; so it is left alone where routes come from them.
 *
 * Whatever was off before is noted on disk first, then the firewall's table is made, and then it is
 * switched on. The table drops what nobody has asked for, but only where it was us who opened the way:
 * nothing that worked before stops working.
 */
#include "daemon/admin/forward.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/net/nft.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALL6 "/proc/sys/net/ipv6/conf/all/forwarding"

/* --- small files of the kernel ----------------------------------------------------------------- */

static ssize_t read_text(const char *path, char *out, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : io_read_bounded(fd, out, size - 1);

	out[n < 0 ? 0 : n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return n;
}

static bool forwards6(void)
{
	char text[16];

	return read_text(ALL6, text, sizeof(text)) > 0 && strcmp(text, "0") != 0;
}

static int try6(void)
{
	auto_close int fd = open(ALL6, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

static int switch6(bool on)
{
	auto_close int fd = open(ALL6, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, on ? "1\n" : "0\n", 2) != 2)
		return -errno;
	return 0;
}

/* --- the note on disk -------------------------------------------------------------------------- */

static void file_name(char out[static NAME_MAX + 1], const struct forward *f)
{
	(void)snprintf(out, NAME_MAX + 1, ".wgmesh.forward-%s", f->ifname);
}

static struct forwardlog here(void)
{
	struct forwardlog log = { .n = 0 };
	char boot[64];
	struct stat st;

	(void)read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	str_cut(log.boot, sizeof(log.boot), boot, strlen(boot));
	if (stat("/proc/self/ns/net", &st) == 0)
		log.netns = st.st_ino;
	return log;
}

static bool is_empty(const struct forwardlog *log)
{
	return log->n == 0 && !log->ipv6 && !log->table;
}

static int keep(const struct forward *f, struct err *e)
{
	char text[FORWARDLOG_FILE_MAX];
	char name[NAME_MAX + 1];
	size_t len;

	file_name(name, f);
	if (is_empty(&f->log)) {
		(void)unlinkat(f->dirfd, name, 0);
		return 0;
	}
	len = forwardlog_format(text, &f->log);
	return statefile_replace(f->dirfd, name, text, len, e);
}

void forward_begin(struct forward *f, bool was_adopted)
{
	const struct forwardlog now = here();
	char text[FORWARDLOG_FILE_MAX];
	char name[NAME_MAX + 1];
	ssize_t len;

	file_name(name, f);
	len = statefile_read(f->dirfd, name, text, sizeof(text), NULL);
	if (len < 0 || forwardlog_parse(&f->log, text, (size_t)len) < 0 ||
	    !forwardlog_is_here(&f->log, &now))
		f->log = now;
	/* What was noted of our interface went with it. */
	if (!was_adopted)
		forwardlog_drop(&f->log, f->ifname);
	if (len >= 0)
		(void)keep(f, NULL);
}

/* --- what is to be switched -------------------------------------------------------------------- */

/* Interfaces through which packets that are to be forwarded come in. */
struct ways {
	size_t n;
	struct {
		int ifindex;
		char ifname[IFNAMSIZ];
		bool was_on;
	} at[FORWARDLOG_INTERFACES_MAX];
};

static void add_way(struct ways *w, struct rtnl *rtnl, int ifindex)
{
	if (ifindex <= 0 || w->n == FORWARDLOG_INTERFACES_MAX)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (w->at[i].ifindex == ifindex)
			return;
	if (rtnl_forwarding_get(rtnl, ifindex, &w->at[w->n].was_on, w->at[w->n].ifname, NULL) < 0)
		return;
	w->at[w->n++].ifindex = ifindex;
}

static struct ways find_ways(const struct forward *f, const struct forward_want *want)
{
	struct ways w = { .n = 0 };

	add_way(&w, f->rtnl, f->ifindex);
	/* The network's own address: any other one may be this machine's. */
	for (uint32_t i = 0; i < want->n; i++)
		if (want->net[i].ip.family == AF_INET)
			add_way(&w, f->rtnl, rtnl_route_oif(f->rtnl, &want->net[i].ip));
	return w;
}

static bool needs6(const struct forward *f, const struct forward_want *want)
{
	bool needs = want->mesh && f->has_ip6;

	for (uint32_t i = 0; i < want->n; i++)
		needs |= want->net[i].ip.family == AF_INET6;
	return needs;
}

__attribute__((format(printf, 2, 3))) static void note(struct forward_found *out, const char *fmt,
						       ...)
{
	va_list ap;

	if (out->n_notes == FORWARD_NOTES_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(out->note[out->n_notes++], FORWARD_NOTE_SIZE, fmt, ap);
	va_end(ap);
}

static void note_6_is_off(struct forward_found *out, const char *why)
{
	note(out,
	     "IPv6 is not forwarded: %s; set net.ipv6.conf.all.forwarding=1 yourself (docker run "
	     "--sysctl, compose: sysctls:, Kubernetes: securityContext.sysctls)",
	     why);
}

static bool is_wanted(const struct ways *w, const char *ifname)
{
	for (size_t i = 0; w && i < w->n; i++)
		if (strcmp(w->at[i].ifname, ifname) == 0)
			return true;
	return false;
}

/* An interface that is gone has taken it along. */
static int switch_back(const struct forward *f, const char *ifname, struct err *e)
{
	unsigned int ifindex = if_nametoindex(ifname);

	return ifindex > 0 ? rtnl_forwarding_set(f->rtnl, (int)ifindex, false, e) : 0;
}

static void tell_left(const char *what, const char *why, int code)
{
	log_event(EVENT_FORWARDING_LEFT, NULL,
		  "%s: %s: %s; it is tried again at the next start and stop", what, why,
		  strerror(-code));
}

/* Drops interfaces from the note that are no longer wanted, once they are switched back. */
static void release(struct forward *f, const struct ways *w)
{
	size_t before = f->log.n;

	for (size_t i = f->log.n; i-- > 0;) {
		char ifname[IFNAMSIZ];
		struct err e = { 0 };

		memcpy(ifname, f->log.ifname[i], sizeof(ifname));
		if (is_wanted(w, ifname))
			continue;
		if (switch_back(f, ifname, &e) == 0)
			forwardlog_drop(&f->log, ifname);
		else
			tell_left("IPv4 stays forwarded", e.msg, e.code);
	}
	if (f->log.n != before)
		(void)keep(f, NULL);
}

/* --- switching --------------------------------------------------------------------------------- */

/* Notes what will be switched on. Without a note only our own interface may be, which goes anyway. */
static bool plan(struct forward *f, const struct ways *w, bool with6, struct forward_found *out)
{
	struct forwardlog before = f->log;
	struct err e = { 0 };

	f->log.table = true;
	for (size_t i = 0; i < w->n; i++)
		if (!w->at[i].was_on)
			(void)forwardlog_add(&f->log, w->at[i].ifname);
	f->log.ipv6 |= with6;
	if (forwardlog_equal(&before, &f->log) || keep(f, &e) == 0)
		return true;
	note(out,
	     "what is forwarded could not be noted in the state directory (%s: %s), so only "
	     "what ends with the interface is switched on",
	     e.msg, strerror(-e.code));
	f->log = before;
	(void)forwardlog_add(&f->log, f->ifname);
	f->log.table = true;
	return false;
}

static void make_table(struct forward *f, const struct forward_want *want,
		       struct forward_found *out)
{
	const struct nft_policy policy = {
		.ifname = f->ifname,
		.mesh = want->mesh,
		.nets = want->net,
		.n_nets = want->n,
		.drop4 = forwardlog_has(&f->log, f->ifname),
		.drop6 = f->log.ipv6,
	};
	struct err e = { 0 };

	f->log.table = nft_replace(&policy, &e) == 0;
	if (!f->log.table)
		note(out,
		     "there are no firewall rules (%s: %s): peers may reach whatever this machine "
		     "can reach through the mesh",
		     e.msg, strerror(-e.code));
}

/* A rule that accepts in one table does not keep another one from dropping. */
static void look_for_drops(const struct forward *f, struct forward_found *out)
{
	struct nft_chain c;
	bool has_docker = false;

	if (!nft_find_dropping(&c, f->ifname, &has_docker))
		return;
	if (strcmp(c.table, "filter") == 0 && c.family != NFPROTO_INET) {
		const char *chain = has_docker && c.family == NFPROTO_IPV4 ? "DOCKER-USER" : c.name;
		const char *program = c.family == NFPROTO_IPV4 ? "iptables" : "ip6tables";

		note(out,
		     "the firewall of this machine drops what it forwards (policy of %s): "
		     "`%s -I %s -i %s -j ACCEPT && %s -I %s -o %s -j ACCEPT` lets the mesh pass",
		     c.name, program, chain, f->ifname, program, chain, f->ifname);
		return;
	}
	note(out,
	     "the firewall of this machine drops what it forwards (policy of chain %s in table %s): "
	     "give it a rule that accepts what comes in and goes out through %s",
	     c.name, c.table, f->ifname);
}

/* Does IPv6 have to be switched on, and may it be? */
static bool has_to_switch6(const struct forward *f, const struct forward_want *want,
			   struct forward_found *out)
{
	int r;

	if (!needs6(f, want) || forwards6())
		return false;
	if (rtnl_learns_routes(f->rtnl)) {
		note_6_is_off(
			out, "this machine has its IPv6 routes from a router's advertisements, "
			     "which it would ignore then; with net.ipv6.conf.INTERFACE.accept_ra=2 "
			     "it would not");
		return false;
	}
	r = try6();
	if (r < 0)
		note_6_is_off(out, r == -ENOENT ? "this machine has no IPv6"
						: "/proc/sys cannot be written here");
	return r == 0;
}

static void switch4(const struct forward *f, const struct ways *w, bool is_noted,
		    struct forward_found *out)
{
	struct err e = { 0 };

	out->v4 = w->n > 0;
	for (size_t i = 0; i < w->n; i++) {
		bool may_switch = is_noted || w->at[i].ifindex == f->ifindex;

		if (!w->at[i].was_on &&
		    (!may_switch || rtnl_forwarding_set(f->rtnl, w->at[i].ifindex, true, &e) < 0))
			out->v4 = false;
	}
	if (e.code < 0)
		note(out, "IPv4 is not forwarded: %s: %s; set net.ipv4.ip_forward=1 yourself",
		     e.msg, strerror(-e.code));
}

void forward_apply(struct forward *f, const struct forward_want *want, struct forward_found *out)
{
	struct ways w = find_ways(f, want);
	bool with6 = has_to_switch6(f, want, out);
	bool is_noted = plan(f, &w, with6, out);

	make_table(f, want, out);
	switch4(f, &w, is_noted, out);
	if (with6 && is_noted)
		(void)switch6(true);
	out->v6 = forwards6();
	release(f, &w);
	look_for_drops(f, out);
}

void forward_undo(struct forward *f)
{
	struct err e = { 0 };
	int r;

	if (is_empty(&f->log))
		return;
	release(f, NULL);
	r = f->log.ipv6 ? switch6(false) : 0;
	if (r < 0)
		tell_left("IPv6 stays forwarded", ALL6, r);
	f->log.ipv6 = r < 0;
	r = f->log.table ? nft_remove(f->ifname, &e) : 0;
	if (r < 0)
		tell_left("firewall rules stay", e.msg, r);
	f->log.table = r < 0;
	(void)keep(f, NULL);
}
