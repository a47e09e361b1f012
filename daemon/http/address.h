/* SPDX-License-Identifier: MIT */
/*
 * address - where the HTTP server listens, read from the settings; pure, literals only
 *
 *   9464              127.0.0.1
 *   localhost:9464    127.0.0.1
 *   :9464, *:9464     every address, IPv6 and IPv4
 *   192.0.2.7:9464    this address; 0.0.0.0 and [::] are every one of their kind
 *   [2001:db8::7]:80  this address
 *   2001:db8::7:80    the same, since manifests say $(POD_IP):80: the last number is the port
 *   /run/w.sock       Unix socket, also as unix:/run/w.sock
 *   none              nowhere
 */
#ifndef DAEMON_HTTP_ADDRESS_H
#define DAEMON_HTTP_ADDRESS_H

#include "common/err.h"
#include "common/settings.h"
#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ADDRESSES_MAX 8
#define HTTP_PATH_SIZE	   108 /* sun_path, unix(7) */

/**
 * struct http_address - One place to listen at
 * @is_any:	Every address, IPv6 and IPv4; @at has the port only
 * @at:		Address and port; unused for a Unix socket
 * @path:	Path of a Unix socket; empty for TCP
 */
struct http_address {
	bool is_any;
	struct endpoint at;
	char path[HTTP_PATH_SIZE];
};

/**
 * struct http_addresses - All of them, none twice
 * @list:	Addresses
 * @n:		Entries in @list; 0 for no HTTP at all
 */
struct http_addresses {
	struct http_address list[HTTP_ADDRESSES_MAX];
	size_t n;
};

/**
 * http_addresses_load() - Read --http, and --metrics, which is one more address
 * @out:	Receives the addresses
 * @s:		Settings
 * @e:		Names the setting, what is wrong and what to write
 *
 * Return: 0 or a negative errno value, with exit code 64
 */
int http_addresses_load(struct http_addresses *out, const struct settings *s, struct err *e);

/**
 * http_address_format() - Write an address as one can be given: ":9464", "127.0.0.1:9464", "/path"
 * @out:	Receives the text
 * @a:		Address
 *
 * Return: @out
 */
char *http_address_format(char out[static HTTP_PATH_SIZE], const struct http_address *a);

#endif /* DAEMON_HTTP_ADDRESS_H */
