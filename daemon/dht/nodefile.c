/* SPDX-License-Identifier: MIT */
#include "daemon/dht/nodefile.h"

#include <string.h>

#define IP_LEN	   16
#define MAPPED_LEN 12

static const uint8_t mapped[MAPPED_LEN] = { [10] = 0xff, [11] = 0xff };

static bool take_record(struct krpc_node *out, const uint8_t *record)
{
	const uint8_t *port = record + NODEID_LEN + IP_LEN;

	*out = (struct krpc_node) { .at.ip.family = AF_INET6 };
	memcpy(out->id.b, record, NODEID_LEN);
	memcpy(out->at.ip.b, record + NODEID_LEN, IP_LEN);
	ip_unmap(&out->at.ip);
	out->at.port = (uint16_t)(port[0] << 8 | port[1]);
	return out->at.port != 0 && nodeid_scope(&out->at.ip) != SCOPE_NONE;
}

size_t nodefile_parse(struct krpc_node *out, size_t *n, const uint8_t *buf, size_t len)
{
	size_t used = 0;
	size_t total = 0;

	for (size_t at = 0; at + NODEFILE_RECORD_LEN <= len && total < NODEFILE_NODES_MAX;
	     at += NODEFILE_RECORD_LEN) {
		if (!take_record(&out[total], buf + at))
			continue;
		total++;
		used += NODEFILE_RECORD_LEN;
	}
	*n = total;
	return len - used;
}

size_t nodefile_format(uint8_t *out, const struct krpc_node *nodes, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && i < NODEFILE_NODES_MAX; i++) {
		const struct endpoint *at = &nodes[i].at;
		uint8_t *record = out + len;

		memcpy(record, nodes[i].id.b, NODEID_LEN);
		record += NODEID_LEN;
		if (at->ip.family == AF_INET) {
			memcpy(record, mapped, MAPPED_LEN);
			memcpy(record + MAPPED_LEN, at->ip.b, IP_LEN - MAPPED_LEN);
		} else {
			memcpy(record, at->ip.b, IP_LEN);
		}
		record += IP_LEN;
		record[0] = (uint8_t)(at->port >> 8);
		record[1] = (uint8_t)at->port;
		len += NODEFILE_RECORD_LEN;
	}
	return len;
}
