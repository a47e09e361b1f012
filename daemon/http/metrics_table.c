/* SPDX-License-Identifier: MIT */
#include "daemon/http/metrics_table.h"
#include "common/defs.h"
#include "common/str.h"

#include <string.h>

/* clang-format off */
static const struct metric_family table[] = {
	[METRIC_BUILD_INFO] = { "wgmesh_build_info", METRIC_INFO, "", "version",
		"The program that answers" },
	[METRIC_NODE_INFO] = { "wgmesh_node_info", METRIC_INFO, "",
		"interface, hostname, mesh_ip, mesh_ipv6, public_key, backend=kernel|userspace, identity=created|loaded|restored, network_id",
		"Who this node is; what is not known yet is left out" },
	[METRIC_UP] = { "wgmesh_up", METRIC_GAUGE, "", "phase=starting|running|stopping",
		"1 for the phase that the node is in" },
	[METRIC_READY] = { "wgmesh_ready", METRIC_GAUGE, "", "",
		"1 when /readyz answers 200: running, and no check failed" },
	[METRIC_CHECK] = { "wgmesh_check", METRIC_GAUGE, "", "name, mark=pass|warn|fail",
		"1 for the mark that each check of readiness has" },
	[METRIC_ALARM] = { "wgmesh_alarm", METRIC_GAUGE, "", "name=clone|address|clock|storage|ephemeral|alone|supervisor|rewritten",
		"1 while something needs a person: /health has the sentence" },
	[METRIC_CLOCK_BEHIND] = { "wgmesh_clock_behind_seconds", METRIC_GAUGE, "seconds", "",
		"How far this host's clock is behind what it has shown before; 0 when it is right" },
	[METRIC_UPTIME] = { "wgmesh_uptime_seconds", METRIC_GAUGE, "seconds", "",
		"Since the start of this run" },
	[METRIC_IDENTITY_SINCE] = { "wgmesh_identity_since_timestamp_seconds", METRIC_GAUGE, "seconds", "",
		"When the key file was written, as Unix time: a change means a new identity" },
	[METRIC_ACTIVE_PEERS] = { "wgmesh_active_peers", METRIC_GAUGE, "", "",
		"Peers heard of within five minutes, or with a live tunnel" },
	[METRIC_KNOWN_PEERS] = { "wgmesh_known_peers", METRIC_GAUGE, "", "",
		"All peers in the table, those that are gone included" },
	[METRIC_RELAYED_PEERS] = { "wgmesh_relayed_peers", METRIC_GAUGE, "", "",
		"Peers reached through another node" },
	[METRIC_PEERS] = { "wgmesh_peers", METRIC_GAUGE, "", "path=direct|relayed|none",
		"Known peers by how packets get to them" },
	[METRIC_NAT_TYPE] = { "wgmesh_nat_type", METRIC_GAUGE, "", "type=unknown|none|cone|symmetric",
		"1 for the kind of address translation that this node is behind" },
	[METRIC_DISCOVERY_EVENTS] = { "wgmesh_discovery_events_total", METRIC_COUNTER, "",
		"layer=lan|dht|dht-transitive|cache",
		"Sightings of peers by who told: multicast, the peer itself, another peer, the last run" },
	[METRIC_DATAGRAMS] = { "wgmesh_datagrams_total", METRIC_COUNTER, "",
		"fate=accepted|rate_limited|not_ours|stale|invalid",
		"Datagrams received on the gossip port and by multicast, by what became of them" },
	[METRIC_DATAGRAMS_SENT] = { "wgmesh_datagrams_sent_total", METRIC_COUNTER, "", "kind=hello|reply",
		"Datagrams of the exchange that were sent, repeats included" },
	[METRIC_PROSPECTS_TRIED] = { "wgmesh_prospects_tried_total", METRIC_COUNTER, "",
		"via=static|dns|mainline|dht-transitive",
		"Addresses greeted where a member might be, by who named them: --peer, a DNS name, the DHT, another member" },
	[METRIC_DHT_NODES] = { "wgmesh_dht_nodes", METRIC_GAUGE, "", "family=ipv4|ipv6",
		"Nodes of the DHT in the routing table that answer; missing when the DHT is off" },
	[METRIC_DHT_MESSAGES] = { "wgmesh_dht_messages_total", METRIC_COUNTER, "",
		"direction=in|out, fate=query|response|error|unasked|invalid|rate_limited|unsent",
		"Messages of the DHT by what became of them; missing when the DHT is off" },
	[METRIC_NAT_ATTEMPTS] = { "wgmesh_nat_traversal_attempts_total", METRIC_COUNTER, "", "method=hello|rendezvous",
		"HELLO datagrams sent, repeats included: each opens our own address translation towards a peer; and introductions that were followed" },
	[METRIC_NAT_SUCCESSES] = { "wgmesh_nat_traversal_successes_total", METRIC_COUNTER, "", "method=hello|rendezvous",
		"HELLOs that were answered; and introductions after which a direct tunnel stood" },
	[METRIC_PATH_CHANGES] = { "wgmesh_path_changes_total", METRIC_COUNTER, "", "",
		"Times that a peer changed between the direct way and a relay, or between two relays" },
	[METRIC_STUN_REQUESTS] = { "wgmesh_stun_requests_total", METRIC_COUNTER, "",
		"result=answered|refused|silent|unsent",
		"Questions to STUN servers, repeats not counted, by what became of them" },
	[METRIC_PROBE_RTT] = { "wgmesh_probe_rtt_seconds", METRIC_HISTOGRAM, "seconds", "",
		"Round trips of HELLO and REPLY, over all peers" },
	[METRIC_RECONCILE_DURATION] = { "wgmesh_reconcile_duration_seconds", METRIC_HISTOGRAM, "seconds", "",
		"How long comparing WireGuard with the peer table took" },
	[METRIC_RECONCILE_PASSES] = { "wgmesh_reconcile_passes_total", METRIC_COUNTER, "", "result=changed|noop",
		"Comparisons by whether they found anything to write" },
	[METRIC_NETLINK_WRITES] = { "wgmesh_netlink_writes_total", METRIC_COUNTER, "", "kind=peer|route",
		"Changes of peers and routes that were written to the kernel or to the userspace WireGuard" },
	[METRIC_NETLINK_ERRORS] = { "wgmesh_netlink_write_errors_total", METRIC_COUNTER, "", "",
		"Changes that could not be written" },
	[METRIC_NETLINK_MESSAGES] = { "wgmesh_netlink_messages_total", METRIC_COUNTER, "",
		"kind=peer|route|address|link|dump",
		"Messages to the kernel or to the userspace WireGuard: one holds the changes of many peers; dump: questions" },
	[METRIC_LOG_LOST] = { "wgmesh_log_lines_lost_total", METRIC_COUNTER, "", "reason=no_room|rate_limit",
		"Log lines not written: standard error had no room, or they came too often" },
	[METRIC_CLIENTS_EVICTED] = { "wgmesh_clients_evicted_total", METRIC_COUNTER, "", "",
		"HTTP and control connections closed to make room, or for slowness" },
	[METRIC_SUPERVISOR_UP] = { "wgmesh_supervisor_up", METRIC_GAUGE, "", "",
		"1 when wgmesh-init answered; what follows from it is left out otherwise" },
	[METRIC_SUPERVISOR_HEALTHY] = { "wgmesh_supervisor_healthy", METRIC_GAUGE, "", "",
		"1 when `wgmesh-init healthcheck` ends with 0" },
	[METRIC_SUPERVISOR_UPTIME] = { "wgmesh_supervisor_uptime_seconds", METRIC_GAUGE, "seconds", "",
		"Since the start of the container" },
	[METRIC_PERSISTENCE_VERDICT] = { "wgmesh_persistence_verdict", METRIC_GAUGE, "",
		"verdict=persistent|anonymous|container|pod|memory|layer|readonly|wrong-type|broken|split|unknown",
		"1 for what holds the state directory" },
	[METRIC_PERSISTENCE_PROOF] = { "wgmesh_persistence_proof", METRIC_GAUGE, "",
		"proof=none|predicted|adopted|restart|proven|partial-loss|wrong-volume|clone|unreadable",
		"1 for what the marker on the volume has shown of that" },
	[METRIC_STORAGE_STATE] = { "wgmesh_storage_state", METRIC_GAUGE, "",
		"state=ok|unmounted|wrong-volume|shared|readonly|full|hung|failing",
		"1 for what the state directory is like now" },
	[METRIC_BOOTS] = { "wgmesh_boots_total", METRIC_COUNTER, "", "",
		"Starts of containers on this volume, since it was first used" },
	[METRIC_RESTARTS] = { "wgmesh_restarts_total", METRIC_COUNTER, "", "",
		"Times that wgmesh-init has started this daemon again in this container" },
	[METRIC_FAILURES] = { "wgmesh_failures", METRIC_GAUGE, "", "",
		"Failures in a row; 10 end the container or hold it (--on-loop)" },
	[METRIC_LAST_EXIT] = { "wgmesh_last_exit_code", METRIC_GAUGE, "", "",
		"Exit code of the run before this one, 128 and the number for a signal; missing in the first run" },
	[METRIC_PEER_INFO] = { "wgmesh_peer_info", METRIC_INFO, "", "peer_key, hostname, mesh_ip",
		"Who a peer is; only for as many as --metrics-peers says" },
	[METRIC_PEER_HANDSHAKE_AGE] = { "wgmesh_peer_handshake_age_seconds", METRIC_GAUGE, "seconds", "peer_key",
		"Since the last handshake; missing where there was none, and for \"other\"" },
	[METRIC_PEER_RECEIVED] = { "wgmesh_peer_received_bytes_total", METRIC_COUNTER, "bytes", "peer_key",
		"Received through the tunnel; \"other\" is the sum of the rest, and falls when one of them is forgotten" },
	[METRIC_PEER_SENT] = { "wgmesh_peer_sent_bytes_total", METRIC_COUNTER, "bytes", "peer_key",
		"Sent through the tunnel; \"other\" is the sum of the rest, and falls when one of them is forgotten" },
	[METRIC_PEER_RTT] = { "wgmesh_peer_rtt_seconds", METRIC_GAUGE, "seconds", "peer_key",
		"Round trip of the last HELLO and its REPLY; missing where it is not known, and for \"other\"" },
	[METRIC_PEER_PATH] = { "wgmesh_peer_path", METRIC_GAUGE, "", "peer_key, path=direct|relayed|none",
		"1 for how packets get to a peer; for \"other\", how many peers" },
	[METRIC_PROCESS_CPU] = { "process_cpu_seconds_total", METRIC_COUNTER, "seconds", "",
		"Processor time of the mesh process" },
	[METRIC_PROCESS_RESIDENT] = { "process_resident_memory_bytes", METRIC_GAUGE, "bytes", "",
		"Memory of the mesh process that is in use" },
	[METRIC_PROCESS_VIRTUAL] = { "process_virtual_memory_bytes", METRIC_GAUGE, "bytes", "",
		"Address space of the mesh process" },
	[METRIC_PROCESS_OPEN_FDS] = { "process_open_fds", METRIC_GAUGE, "", "",
		"Descriptors that the mesh process has open" },
	[METRIC_PROCESS_MAX_FDS] = { "process_max_fds", METRIC_GAUGE, "", "",
		"Descriptors that it may have open" },
	[METRIC_PROCESS_START] = { "process_start_time_seconds", METRIC_GAUGE, "seconds", "",
		"When the mesh process was started, as Unix time" },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(table) == METRIC_COUNT, "a row for every metric");

const char *metric_type_name(enum metric_type type)
{
	static const char *const names[] = {
		[METRIC_GAUGE] = "gauge",
		[METRIC_COUNTER] = "counter",
		[METRIC_HISTOGRAM] = "histogram",
		[METRIC_INFO] = "info",
	};

	return names[type];
}

const struct metric_family *metrics_table(void)
{
	return table;
}

bool metric_next_value(enum metric_id id, const char *label, const char **pos,
		       char out[static METRIC_VALUE_SIZE])
{
	size_t len = strlen(label);
	const char *p = *pos ? *pos : table[id].labels;

	/* Before the first value stands "LABEL=", at the beginning or after ", ". */
	while (!*pos && *p && (strncmp(p, label, len) != 0 || p[len] != '=')) {
		p += strcspn(p, ",");
		p += strspn(p, ", ");
	}
	if (*p == '\0' || *p == ',')
		return false;
	p += *pos ? 0 : len + 1;
	len = strcspn(p, "|,");
	str_cut(out, METRIC_VALUE_SIZE, p, len);
	*pos = p + len + (p[len] == '|' ? 1 : 0);
	return true;
}
