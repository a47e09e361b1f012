/* SPDX-License-Identifier: MIT */
/* holder - who uses a state directory: as key=value lines in locks and leases, and for people; pure */
#ifndef COMMON_HOLDER_H
#define COMMON_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define HOLDER_TEXT_SIZE 320

/**
 * struct holder - Who holds, or last held, a state directory; empty texts when not known
 * @host:	Host name: a container's id or a pod's name
 * @container:	Container id
 * @pid:	Process number, in its own namespace
 * @since:	When it was taken
 * @boot:	Random number of this run of the kernel
 */
struct holder {
	char host[80];
	char container[68];
	char pid[16];
	char since[28];
	char boot[40];
};

/**
 * holder_parse() - Find a holder among key=value lines
 * @text:	Lines
 * @out:	Receives what is in them, without anything that is no printable character
 */
void holder_parse(const char *text, struct holder *out);

/**
 * holder_format() - Write a holder as key=value lines
 * @h:		Holder
 * @out:	Receives the lines, cut to @size
 * @size:	Room in @out, at least 1
 *
 * Return: bytes written, without the NUL
 */
size_t holder_format(const struct holder *h, char *out, size_t size);

/**
 * holder_describe() - Name a holder in a sentence: "HOST (container ID), process N, since TIME"
 * @h:		Holder
 * @out:	Receives the text
 */
void holder_describe(const struct holder *h, char out[static HOLDER_TEXT_SIZE]);

/**
 * holder_is_known() - Is there anything to tell about it?
 */
bool holder_is_known(const struct holder *h);

/**
 * holder_is_same_place() - Did both run in one container, of an engine that gives ids, since one and
 *			    the same boot of its host?
 */
bool holder_is_same_place(const struct holder *a, const struct holder *b);

#endif /* COMMON_HOLDER_H */
