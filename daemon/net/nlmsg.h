/* SPDX-License-Identifier: MIT */
/*
 * nlmsg - what all netlink families share: attribute tables and acknowledgements; pure
 *
 * linux/netlink.h. Nothing a message says about its own lengths is believed before it is checked.
 */
#ifndef DAEMON_NET_NLMSG_H
#define DAEMON_NET_NLMSG_H

#include "common/err.h"
#include "daemon/net/addr.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NLMSG_TEXT_SIZE 128

/**
 * struct nlmsg_verdict - How a request ended
 * @code:	0 or a negative errno value
 * @text:	The kernel's own explanation (extended acknowledgement), often empty
 */
struct nlmsg_verdict {
	int code;
	char text[NLMSG_TEXT_SIZE];
};

/**
 * nlmsg_align() - Round a length up as netlink does
 */
static inline size_t nlmsg_align(size_t len)
{
	return (len + (NLMSG_ALIGNTO - 1)) & ~(size_t)(NLMSG_ALIGNTO - 1);
}

/**
 * nlmsg_is_whole() - Does a message lie within the bytes that are left of a datagram?
 * @nlh:	Message
 * @left:	Bytes; negative behind the last one, where mnl_nlmsg_next() may have gone by its padding
 *
 * mnl_nlmsg_ok() takes a length of 2 GiB and more for a negative one, which is below any other.
 */
static inline bool nlmsg_is_whole(const struct nlmsghdr *nlh, int left)
{
	return left >= (int)sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) &&
	       nlh->nlmsg_len <= (uint32_t)left;
}

/**
 * nlmsg_verdict() - Read an NLMSG_ERROR or NLMSG_DONE message
 * @out:	Receives the verdict; -EBADMSG when the message is malformed
 * @nlh:	Message whose length has been checked
 */
void nlmsg_verdict(struct nlmsg_verdict *out, const struct nlmsghdr *nlh);

/**
 * nlmsg_attrs() - Sort the attributes behind a message's family header by type
 * @tb:		Receives @n pointers into @nlh, NULL where there is none; the last of a type counts
 * @n:		Entries in @tb; higher types are left out
 * @nlh:	Message whose length has been checked
 * @header:	Bytes of the family's own header
 *
 * Return: 0, or -EBADMSG when the message is shorter than its header
 */
int nlmsg_attrs(const struct nlattr **tb, size_t n, const struct nlmsghdr *nlh, size_t header);

/**
 * nlmsg_nested() - The same for the attributes inside an attribute
 */
void nlmsg_nested(const struct nlattr **tb, size_t n, const struct nlattr *nest);

/**
 * nlmsg_child() - Walk the attributes inside an attribute, in order
 * @nest:	Outer attribute
 * @prev:	Child returned before, or NULL to begin
 *
 * Return: the next child, NULL at the end or at a malformed one
 */
const struct nlattr *nlmsg_child(const struct nlattr *nest, const struct nlattr *prev);

/**
 * nlmsg_get() - Copy a fixed-size value out of an attribute
 * @out:	Receives @len bytes; untouched on failure
 * @len:	Size of the value
 * @attr:	Attribute
 *
 * Return: 0, or -EBADMSG when the attribute's payload has another size
 */
int nlmsg_get(void *out, size_t len, const struct nlattr *attr);

/**
 * nlmsg_get_text() - Copy a string out of an attribute, cut to what fits
 * @out:	Receives the text, always terminated
 * @size:	Room in @out
 * @attr:	Attribute; NULL gives the empty text
 */
void nlmsg_get_text(char *out, size_t size, const struct nlattr *attr);

/**
 * nlmsg_get_ip() - Copy an address out of an attribute
 * @out:	Receives the address
 * @family:	AF_INET or AF_INET6
 * @attr:	Attribute
 *
 * Return: 0, or -EBADMSG when family and size do not fit
 */
int nlmsg_get_ip(struct ip *out, uint8_t family, const struct nlattr *attr);

/**
 * nlmsg_ip_len() - Bytes of an address of this family on the wire; 0 for another family
 */
size_t nlmsg_ip_len(uint8_t family);

/**
 * nlmsg_fail() - Turn a verdict into a reason
 * @e:		Receives the reason; -EPERM names the capability, the cure and exit code 77
 * @v:		Verdict
 * @fmt:	printf() format of what was being done: "create interface wg0"
 *
 * Return: the verdict's code
 */
__attribute__((format(printf, 3, 4))) int nlmsg_fail(struct err *e, const struct nlmsg_verdict *v,
						     const char *fmt, ...);

#endif /* DAEMON_NET_NLMSG_H */
