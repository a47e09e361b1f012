/* SPDX-License-Identifier: MIT */
/*
 * nodefile - the file of DHT nodes, as existing nodes write and read it (protocol.md section 4); pure
 *
 * Records of 38 bytes without a header: node id, address (IPv4 as ::ffff:a.b.c.d), port. Existing
 * nodes refuse a file with part of a record at its end, as a full disk leaves one; here the rest of
 * it counts.
 */
#ifndef DAEMON_DHT_NODEFILE_H
#define DAEMON_DHT_NODEFILE_H

#include "daemon/dht/krpc.h"

#include <stddef.h>
#include <stdint.h>

#define NODEFILE_RECORD_LEN 38
#define NODEFILE_NODES_MAX  512
#define NODEFILE_LEN_MAX    (NODEFILE_NODES_MAX * NODEFILE_RECORD_LEN)

/**
 * nodefile_parse() - Read nodes
 * @out:	Receives NODEFILE_NODES_MAX nodes at most
 * @n:		Receives how many
 * @buf:	Bytes; borrowed
 * @len:	Bytes in @buf
 *
 * Return: bytes that are no record that anybody can use: an address that nobody has, port 0, part of
 *         a record, or too many of them
 */
size_t nodefile_parse(struct krpc_node *out, size_t *n, const uint8_t *buf, size_t len);

/**
 * nodefile_format() - Write nodes
 * @out:	Receives NODEFILE_LEN_MAX bytes at most
 * @nodes:	Nodes; borrowed
 * @n:		How many
 *
 * Return: bytes
 */
size_t nodefile_format(uint8_t *out, const struct krpc_node *nodes, size_t n);

#endif /* DAEMON_DHT_NODEFILE_H */
