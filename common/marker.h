/* SPDX-License-Identifier: MIT */
/*
 * marker - the volume marker: who kept state on this volume, when, and with which key; pure
 *
 * Lines "KEY=VALUE" in the state directory, in this order, each ended by a line break:
 *
 *     version=1
 *     volume=0123456789abcdef0123456789abcdef
 *     created=2026-01-01T00:00:00Z
 *     served=wg0 6Hs...44 characters...wE=
 *     proven=2026-01-03T00:00:00Z
 *     last_exit=2026-01-02T00:00:00Z 0
 *     boots=2
 *     boot=2026-01-03T00:00:00Z CONTAINER HOST IMAGE KERNEL
 *     boot=2026-01-01T00:00:00Z CONTAINER HOST IMAGE KERNEL
 *
 * Newest first, and "-" for what is not known. "proven" is when a container last found the marker of
 * another one, which outlasts the list of boots. A public key is its own fingerprint: it is what peers
 * know a node by, and it is no secret. "boots" says how many "boot" lines follow, so a file that was
 * cut anywhere is known to be. Whoever writes a file that this parser does not take raises "version".
 */
#ifndef COMMON_MARKER_H
#define COMMON_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKER_FILE	    ".wgmesh.volume"
#define MARKER_DAMAGED	    MARKER_FILE ".damaged" /* where one that cannot be parsed is moved to */
#define MARKER_VERSION	    1
#define MARKER_BOOTS_MAX    8
#define MARKER_SERVED_MAX   4
#define MARKER_VOLUME_SIZE  33 /* 32 hexadecimal digits */
#define MARKER_WORD_SIZE    65 /* a container id, a host name (64 bytes at most) */
#define MARKER_KERNEL_SIZE  37
#define MARKER_IFNAME_SIZE  16
#define MARKER_KEY_SIZE	    45
#define MARKER_TEXT_SIZE    4096
#define MARKER_ID_BYTES	    16
#define MARKER_UNKNOWN_WORD "-"

/**
 * struct marker_boot - A container that used the volume
 * @at_s:	When it started, UTC seconds
 * @container:	Container id, or "-"
 * @host:	Host name, or "-"
 * @image:	Version of the image, or "-"
 * @kernel:	Boot id of the kernel, or "-": another one, and the machine was started in between
 */
struct marker_boot {
	int64_t at_s;
	char container[MARKER_WORD_SIZE];
	char host[MARKER_WORD_SIZE];
	char image[MARKER_WORD_SIZE];
	char kernel[MARKER_KERNEL_SIZE];
};

/**
 * struct marker_key - A key that was served from the volume
 * @ifname:	Interface
 * @public_key:	Public key in base64
 */
struct marker_key {
	char ifname[MARKER_IFNAME_SIZE];
	char public_key[MARKER_KEY_SIZE];
};

/**
 * struct marker - The file
 * @volume:	Random id of the volume, made once
 * @created_s:	When, UTC seconds
 * @has_proof:	@proven_s is known
 * @proven_s:	When a container last found that another one had used the volume, UTC seconds
 * @has_exit:	@exit_s and @exit_code are known
 * @exit_s:	When the last container ended, UTC seconds
 * @exit_code:	With what, 0 to 255
 * @boots:	Containers that ever used the volume
 * @n_boot:	Entries in @boot
 * @boot:	The newest of them, newest first
 * @n_served:	Entries in @served
 * @served:	Keys last served, one for an interface, newest first
 */
struct marker {
	char volume[MARKER_VOLUME_SIZE];
	int64_t created_s;
	bool has_proof;
	int64_t proven_s;
	bool has_exit;
	int64_t exit_s;
	int exit_code;
	uint64_t boots;
	size_t n_boot;
	struct marker_boot boot[MARKER_BOOTS_MAX];
	size_t n_served;
	struct marker_key served[MARKER_SERVED_MAX];
};

/**
 * marker_init() - Begin the marker of a volume that has none
 * @m:		Marker to fill
 * @id:		Random bytes
 * @now_s:	UTC seconds
 */
void marker_init(struct marker *m, const uint8_t id[static MARKER_ID_BYTES], int64_t now_s);

/**
 * marker_parse() - Read the file's text
 * @m:		Receives what is in it; all zero on failure
 * @text:	Text, terminated
 *
 * Return: 0, -EBADMSG for one that is damaged, or -EPROTONOSUPPORT for one of a later release, which
 *         is not to be touched
 */
int marker_parse(struct marker *m, const char *text);

/**
 * marker_format() - Write the file's text
 * @m:		Marker
 * @out:	Receives the text
 *
 * Return: bytes written, without the terminating NUL
 */
size_t marker_format(const struct marker *m, char out[static MARKER_TEXT_SIZE]);

/**
 * marker_is_same_container() - Were these two starts of one container?
 * @a:		A start
 * @b:		Another
 *
 * Container ids tell; where one of them is not known, host names do: engines make them from the id,
 * and of those that people choose, equal ones prove nothing.
 */
bool marker_is_same_container(const struct marker_boot *a, const struct marker_boot *b);

/**
 * marker_add_boot() - Note that a container starts to use the volume
 * @m:		Marker
 * @boot:	The container; an empty word becomes "-", what has no place in the file "_"
 */
void marker_add_boot(struct marker *m, const struct marker_boot *boot);

/**
 * marker_set_exit() - Note how a container ended
 * @m:		Marker
 * @at_s:	When, UTC seconds
 * @code:	Exit code, 0 to 255
 */
void marker_set_exit(struct marker *m, int64_t at_s, int code);

/**
 * marker_set_served() - Note the key that an interface is served with
 * @m:		Marker
 * @key:	Interface and key; where there is no room, what was served longest ago goes
 *
 * Return: 0, or -EINVAL when either is malformed
 */
int marker_set_served(struct marker *m, const struct marker_key *key);

/**
 * marker_served() - Find the key that an interface was last served with
 * @m:		Marker
 * @ifname:	Interface
 *
 * Return: public key in base64, borrowed from @m, or NULL when none is recorded
 */
const char *marker_served(const struct marker *m, const char *ifname);

/**
 * marker_is_public_key() - Is it the base64 of 32 bytes, in the one way to write it?
 * @text:	Candidate
 */
bool marker_is_public_key(const char *text);

#endif /* COMMON_MARKER_H */
