/* SPDX-License-Identifier: MIT */
/*
 * metrics_table - every metric family in one table: name, type, unit, labels, meaning
 *
 * The renderer (metrics.h) and the reference are made from it. Names of existing nodes
 * (protocol.md section 15) are kept where their meaning is.
 */
#ifndef DAEMON_HTTP_METRICS_TABLE_H
#define DAEMON_HTTP_METRICS_TABLE_H

#include <stdbool.h>

#define METRIC_VALUE_SIZE 24

/* In the order in which they are written. */
enum metric_id {
	METRIC_BUILD_INFO,
	METRIC_NODE_INFO,
	METRIC_UP,
	METRIC_READY,
	METRIC_CHECK,
	METRIC_ALARM,
	METRIC_CLOCK_BEHIND,
	METRIC_UPTIME,
	METRIC_IDENTITY_SINCE,
	METRIC_ACTIVE_PEERS,
	METRIC_KNOWN_PEERS,
	METRIC_RELAYED_PEERS,
	METRIC_PEERS,
	METRIC_NAT_TYPE,
	METRIC_DISCOVERY_EVENTS,
	METRIC_DATAGRAMS,
	METRIC_DATAGRAMS_SENT,
	METRIC_PROSPECTS_TRIED,
	METRIC_DHT_NODES,
	METRIC_DHT_MESSAGES,
	METRIC_NAT_ATTEMPTS,
	METRIC_NAT_SUCCESSES,
	METRIC_PATH_CHANGES,
	METRIC_STUN_REQUESTS,
	METRIC_PROBE_RTT,
	METRIC_RECONCILE_DURATION,
	METRIC_RECONCILE_PASSES,
	METRIC_NETLINK_WRITES,
	METRIC_NETLINK_ERRORS,
	METRIC_NETLINK_MESSAGES,
	METRIC_LOG_LOST,
	METRIC_CLIENTS_EVICTED,
	METRIC_SUPERVISOR_UP,
	METRIC_SUPERVISOR_HEALTHY,
	METRIC_SUPERVISOR_UPTIME,
	METRIC_PERSISTENCE_VERDICT,
	METRIC_PERSISTENCE_PROOF,
	METRIC_STORAGE_STATE,
	METRIC_BOOTS,
	METRIC_RESTARTS,
	METRIC_FAILURES,
	METRIC_LAST_EXIT,
	METRIC_PEER_INFO,
	METRIC_PEER_HANDSHAKE_AGE,
	METRIC_PEER_RECEIVED,
	METRIC_PEER_SENT,
	METRIC_PEER_RTT,
	METRIC_PEER_PATH,
	METRIC_PROCESS_CPU,
	METRIC_PROCESS_RESIDENT,
	METRIC_PROCESS_VIRTUAL,
	METRIC_PROCESS_OPEN_FDS,
	METRIC_PROCESS_MAX_FDS,
	METRIC_PROCESS_START,
	METRIC_COUNT,
};

enum metric_type {
	METRIC_GAUGE,
	METRIC_COUNTER,	  /* its name ends in "_total" */
	METRIC_HISTOGRAM, /* NAME_bucket, NAME_sum, NAME_count */
	METRIC_INFO,	  /* its name ends in "_info"; always 1, the labels tell */
};

/* "gauge", "counter", "histogram", "info" */
const char *metric_type_name(enum metric_type type);

/**
 * struct metric_family - One row of the table
 * @name:	Name of its samples; of a histogram, what they begin with
 * @type:	Type
 * @unit:	"seconds", "bytes" or empty
 * @labels:	Label names with their values: "fate=accepted|stale|..."; empty for none
 * @help:	Meaning, one sentence without a full stop
 */
struct metric_family {
	const char *name;
	enum metric_type type;
	const char *unit;
	const char *labels;
	const char *help;
};

/**
 * metrics_table() - The table, indexed by enum metric_id, METRIC_COUNT rows
 */
const struct metric_family *metrics_table(void);

/**
 * metric_next_value() - Walk through the values that the table lists for a label
 * @id:		Family
 * @label:	Label
 * @pos:	Where to go on; points to NULL at first
 * @out:	Receives the next value
 *
 * Return: false after the last one
 */
bool metric_next_value(enum metric_id id, const char *label, const char **pos,
		       char out[static METRIC_VALUE_SIZE]);

#endif /* DAEMON_HTTP_METRICS_TABLE_H */
