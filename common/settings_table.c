/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/settings.h"

#define HOUR_MS	    UINT64_C(3600000)
#define INIT_PHASES (SCOPE_INIT | SCOPE_INIT_CHECK)
#define WITH_STATE  (INIT_PHASES | SCOPE_JOIN | SCOPE_STATE)
#define WITH_IFACE  (SCOPE_JOIN | SCOPE_STATUS | SCOPE_PEERS | SCOPE_STATE | SCOPE_DOWN)
#define WITH_SECRET (SCOPE_JOIN | SCOPE_STATUS | SCOPE_DECODE)
#define JOIN_NO_OP  (SCOPE_JOIN | SCOPE_NO_EFFECT)

/* clang-format off */
static const struct setting table[] = {
	[SETTING_STATE_DIR] = { "state-dir", "WGMESH_STATE_DIR", WITH_STATE, SETTING_TEXT, 0, 0, NULL,
		"/var/lib/wgmesh", "DIR", "directory of the node's key and caches; \"none\" makes wgmesh-init a plain supervisor" },
	[SETTING_LEGACY_DIR] = { "legacy-dir", "WGMESH_LEGACY_DIR", INIT_PHASES, SETTING_TEXT, 0, 0, NULL,
		"/data", "DIR", "directory of older deployments to migrate from; \"none\" migrates nothing" },
	[SETTING_PERSISTENCE] = { "persistence", "WGMESH_PERSISTENCE", INIT_PHASES, SETTING_CHOICE, 0, 0,
		"warn|require|ignore", "warn", "POLICY", "when the state directory will not last: warn and go on, require (exit 78), or ignore" },
	[SETTING_USER] = { "user", "WGMESH_USER", INIT_PHASES, SETTING_TEXT, 0, 0, NULL,
		"65532:65532", "UID[:GID]", "user and group that the daemon runs as, by number" },
	[SETTING_RESTART] = { "restart", "WGMESH_RESTART", SCOPE_INIT, SETTING_CHOICE, 0, 0,
		"on-failure|always|never", "on-failure", "POLICY", "when to start the daemon again after it ended" },
	[SETTING_ON_LOOP] = { "on-loop", "WGMESH_ON_LOOP", SCOPE_INIT, SETTING_CHOICE, 0, 0,
		"exit|hold", "exit", "POLICY", "in a restart loop: exit with the daemon's code, or hold the container for inspection" },
	[SETTING_STOP_TIMEOUT] = { "stop-timeout", "WGMESH_STOP_TIMEOUT", SCOPE_INIT, SETTING_DURATION, 0, HOUR_MS, NULL,
		"8s", "TIME", "after a stop signal, wait this long before killing what remains" },
	[SETTING_LOCK_TIMEOUT] = { "lock-timeout", "WGMESH_LOCK_TIMEOUT", SCOPE_INIT, SETTING_DURATION, 0, HOUR_MS, NULL,
		"30s", "TIME", "wait this long for another container to give up the state directory" },
	[SETTING_STORAGE_TIMEOUT] = { "storage-timeout", "WGMESH_STORAGE_TIMEOUT", INIT_PHASES, SETTING_DURATION, 0, HOUR_MS, NULL,
		"10s", "TIME", "storage that has not answered a test write by then counts as hung" },
	[SETTING_DRY_RUN] = { "dry-run", NULL, SCOPE_INIT_CHECK, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "say what would be done, change nothing" },
	[SETTING_LOG_LEVEL] = { "log-level", "WGMESH_LOG_LEVEL", INIT_PHASES | SCOPE_JOIN | SCOPE_STATE | SCOPE_DOWN, SETTING_TEXT, 0, 0, NULL,
		"info", "LEVELS", "error, warn, info or debug; per component as in \"info,exchange=debug\"" },
	[SETTING_LOG_FORMAT] = { "log-format", "WGMESH_LOG_FORMAT", INIT_PHASES | SCOPE_JOIN | SCOPE_STATE | SCOPE_DOWN, SETTING_CHOICE, 0, 0,
		"auto|text|json", "auto", "FORMAT", "text, json lines, or auto: text on a terminal and json otherwise" },
	[SETTING_SECRET] = { "secret", "WGMESH_SECRET", WITH_SECRET | SCOPE_CONFIDENTIAL, SETTING_TEXT, 0, 0, NULL,
		NULL, "SECRET", "the mesh secret; prefer --secret-file, since argv and environment can be read by others" },
	[SETTING_SECRET_FILE] = { "secret-file", "WGMESH_SECRET_FILE", WITH_SECRET, SETTING_TEXT, 0, 0, NULL,
		NULL, "FILE", "file that holds the mesh secret" },
	[SETTING_SECRET_FD] = { "secret-fd", "WGMESH_SECRET_FD", SCOPE_JOIN, SETTING_NUMBER, 3, 65535, NULL,
		NULL, "NUMBER", "descriptor of the secret file, which wgmesh-init hands over when only root may read it" },
	[SETTING_INTERFACE] = { "interface", "WGMESH_INTERFACE", WITH_IFACE, SETTING_TEXT, 0, 0, NULL,
		"wg0", "NAME", "name of the WireGuard interface" },
	[SETTING_LISTEN_PORT] = { "listen-port", "WGMESH_LISTEN_PORT", SCOPE_JOIN, SETTING_NUMBER, 1, 65535, NULL,
		"51820", "PORT", "UDP port of WireGuard" },
	[SETTING_BACKEND] = { "backend", "WGMESH_BACKEND", SCOPE_JOIN, SETTING_CHOICE, 0, 0,
		"auto|kernel|userspace", "auto", "BACKEND", "WireGuard implementation; auto takes the kernel's, or else wireguard-go" },
	[SETTING_WIREGUARD_GO] = { "wireguard-go", "WGMESH_WIREGUARD_GO", SCOPE_JOIN, SETTING_TEXT, 0, 0, NULL,
		"wireguard-go", "PROGRAM", "userspace WireGuard to run: a path, or a name looked up in PATH" },
	[SETTING_MTU] = { "mtu", "WGMESH_MTU", SCOPE_JOIN, SETTING_NUMBER, 576, 65455, NULL,
		NULL, "BYTES", "MTU of the interface; without it, the route's MTU less WireGuard's overhead" },
	[SETTING_MESH_SUBNET] = { "mesh-subnet", "WGMESH_MESH_SUBNET", SCOPE_JOIN | SCOPE_STATUS, SETTING_TEXT, 0, 0, NULL,
		NULL, "CIDR", "IPv4 subnet of the mesh instead of the one derived from the secret" },
	[SETTING_ADVERTISE_ROUTES] = { "advertise-routes", "WGMESH_ADVERTISE_ROUTES", SCOPE_JOIN, SETTING_TEXT, 0, 0, NULL,
		NULL, "CIDR,...", "networks behind this node that its peers may reach through it" },
	[SETTING_HOSTNAME] = { "hostname", "WGMESH_HOSTNAME", SCOPE_JOIN, SETTING_TEXT, 0, 0, NULL,
		NULL, "NAME", "name announced to peers; without it, the host name" },
	[SETTING_NO_LAN_DISCOVERY] = { "no-lan-discovery", "WGMESH_NO_LAN_DISCOVERY", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "do not announce this node by multicast, nor listen for others" },
	[SETTING_NO_IPV6] = { "no-ipv6", "WGMESH_NO_IPV6", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "no IPv6 mesh address and no IPv6 endpoints" },
	[SETTING_NEW_IDENTITY] = { "new-identity", "WGMESH_NEW_IDENTITY", SCOPE_JOIN | SCOPE_STATE | SCOPE_INIT, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accept that a lost key is gone: make a new one where only traces of the old one remain" },
	[SETTING_SOCKET_PATH] = { "socket-path", "WGMESH_SOCKET", SCOPE_JOIN | SCOPE_PEERS | SCOPE_STATUS, SETTING_TEXT, 0, 0, NULL,
		NULL, "PATH", "control socket; without it, /run/wgmesh/INTERFACE.sock" },
	[SETTING_INTRODUCER] = { "introducer", "WGMESH_INTRODUCER", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "announce this node as one that others can reach and be introduced by" },
	[SETTING_GOSSIP] = { "gossip", "WGMESH_GOSSIP", JOIN_NO_OP, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accepted, without effect: peers are passed on by the exchange" },
	[SETTING_PRIVACY] = { "privacy", "WGMESH_PRIVACY", JOIN_NO_OP, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accepted, without effect, as in existing nodes" },
	[SETTING_FORCE_RELAY] = { "force-relay", "WGMESH_FORCE_RELAY", JOIN_NO_OP, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "accepted, without effect: this node relays nothing yet" },
	[SETTING_NO_PUNCHING] = { "no-punching", "WGMESH_NO_PUNCHING", SCOPE_JOIN, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "one HELLO per exchange instead of a series that opens NATs" },
	[SETTING_METRICS] = { "metrics", "WGMESH_METRICS", JOIN_NO_OP, SETTING_TEXT, 0, 0, NULL,
		NULL, "ADDRESS", "accepted, without effect: this node serves no metrics yet" },
	[SETTING_PPROF] = { "pprof", "WGMESH_PPROF", JOIN_NO_OP, SETTING_TEXT, 0, 0, NULL,
		NULL, "ADDRESS", "accepted, without effect: a Go profiler's address" },
	[SETTING_ACCOUNT] = { "account", "WGMESH_ACCOUNT", JOIN_NO_OP | SCOPE_CONFIDENTIAL, SETTING_TEXT, 0, 0, NULL,
		NULL, "KEY", "accepted, without effect: an account of the hosted service" },
	[SETTING_REFERRAL] = { "referral", "WGMESH_REFERRAL", JOIN_NO_OP | SCOPE_NEW_SECRET, SETTING_TEXT, 0, 0, NULL,
		NULL, "CODE", "accepted, without effect: a referral code of the hosted service" },
	[SETTING_JSON] = { "json", NULL, SCOPE_STATUS | SCOPE_PEERS | SCOPE_STATE | SCOPE_INIT_STATUS | SCOPE_INIT_CHECK, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "print JSON" },
	[SETTING_NOW] = { "now", NULL, SCOPE_DECODE, SETTING_NUMBER, 0, UINT32_MAX, NULL,
		NULL, "SECONDS", "judge the datagram's age at this Unix time instead of now" },
	[SETTING_REPAIR] = { "repair", NULL, SCOPE_STATE, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "restore a damaged key file from its newest good snapshot" },
	[SETTING_GENERATE_SECRET] = { "secret", NULL, SCOPE_NEW_SECRET, SETTING_FLAG, 0, 1, NULL,
		"false", NULL, "print a new mesh secret" },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(table) == SETTING_COUNT, "a row for every setting");

const struct setting *settings_table(void)
{
	return table;
}
