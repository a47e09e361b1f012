/* SPDX-License-Identifier: MIT */
/* netright - may the daemon set up the network (CAP_NET_ADMIN), and if not, why, in words */
#ifndef INIT_PROCESS_NETRIGHT_H
#define INIT_PROCESS_NETRIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct netright - What decides about CAP_NET_ADMIN
 * @has:	This process has it, and so may hand it on
 * @is_bound:	It is in the bounding set
 * @is_foreign: The network belongs to a user namespace outside ours, where ours counts for nothing
 * @no_new_privs: File capabilities are ineffective
 * @init_file:	wgmesh-init has it as a file capability
 * @program_file: wgmesh has it as a file capability
 * @euid:	Our user
 */
struct netright {
	bool has;
	bool is_bound;
	bool is_foreign;
	bool no_new_privs;
	bool init_file;
	bool program_file;
	uid_t euid;
};

/**
 * netright_read() - Look at this process
 * @n:		Receives what was found
 * @wgmesh:	Path of the wgmesh program, NULL when there is none
 */
void netright_read(struct netright *n, const char *wgmesh);

/**
 * netright_explain() - What is missing, and the cure; pure
 * @n:		What was found
 * @out:	Receives a sentence, empty when nothing is missing
 * @size:	Room in @out
 *
 * Return: true when nothing is missing
 */
bool netright_explain(const struct netright *n, char *out, size_t size);

#endif /* INIT_PROCESS_NETRIGHT_H */
