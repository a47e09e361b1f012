/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin_nodes.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/statefile.h"
#include "daemon/dht/nodefile.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Existing nodes may have written more; the rest is of no use. */
#define READ_MAX (4 * NODEFILE_LEN_MAX)

static void name_of(const struct netadmin_node *n, char out[static NODES_FILE_SIZE])
{
	derive_nodes_file(out, n->cfg->keys, n->cfg->ifname, n->cfg->own_dht);
}

int netadmin_nodes_read(const struct netadmin_node *n)
{
	auto_close int fd = -1;
	auto_free char *buf = malloc(READ_MAX);
	char name[NODES_FILE_SIZE];
	ssize_t len;

	name_of(n, name);
	len = buf ? statefile_read(n->dirfd, name, buf, READ_MAX, NULL) : -ENOMEM;
	if (len < 0)
		return -1;
	fd = memfd_create("nodes", MFD_CLOEXEC);
	if (fd < 0 || io_write_full(fd, buf, (size_t)len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return steal_fd(&fd);
}

int netadmin_nodes_save(const struct netadmin_node *n, int fd, struct err *e)
{
	auto_free uint8_t *buf = malloc(NODEFILE_LEN_MAX + 1);
	auto_free struct krpc_node *nodes = calloc(NODEFILE_NODES_MAX, sizeof(*nodes));
	char name[NODES_FILE_SIZE];
	size_t total = 0;
	ssize_t len;

	if (!buf || !nodes || fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, -EBADF, "DHT nodes that cannot be read");
	len = io_read_bounded(fd, (char *)buf, NODEFILE_LEN_MAX + 1);
	if (len <= 0 || nodefile_parse(nodes, &total, buf, (size_t)len) != 0)
		return err_set(e, -EPROTO, "DHT nodes that are none");
	name_of(n, name);
	return statefile_replace(n->dirfd, name, buf, (size_t)len, e);
}
