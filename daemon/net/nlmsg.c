/* SPDX-License-Identifier: MIT */
#include "daemon/net/nlmsg.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_ERRNO 4095

/* The attributes of an extended acknowledgement follow the echoed request, if that is there. */
static void read_ack_text(struct nlmsg_verdict *out, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NLMSGERR_ATTR_MSG + 1];
	size_t echoed = sizeof(struct nlmsghdr);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		echoed = err->msg.nlmsg_len;
	if (echoed > nlh->nlmsg_len)
		return;
	if (nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(err->error) + echoed) == 0)
		nlmsg_get_text(out->text, sizeof(out->text), tb[NLMSGERR_ATTR_MSG]);
}

void nlmsg_verdict(struct nlmsg_verdict *out, const struct nlmsghdr *nlh)
{
	bool is_error = nlh->nlmsg_type == NLMSG_ERROR;
	size_t payload = mnl_nlmsg_get_payload_len(nlh);
	int code = 0;

	*out = (struct nlmsg_verdict) { .code = -EBADMSG };
	if (is_error && payload < sizeof(struct nlmsgerr))
		return;
	/* Old families end a dump with a bare NLMSG_DONE. */
	if (payload >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(nlh), sizeof(code));
	if (code > 0 || code < -MAX_ERRNO)
		return;
	out->code = code;
	if (is_error)
		read_ack_text(out, nlh);
}

/* Walks the attributes in @len bytes at @p, which is aligned as netlink wants it. */
static void sort_attrs(const struct nlattr **tb, size_t n, const void *p, size_t len)
{
	const struct nlattr *attr = p;

	for (size_t i = 0; i < n; i++)
		tb[i] = NULL;
	while (attr && mnl_attr_ok(attr, (int)len)) {
		size_t step = nlmsg_align(attr->nla_len);

		if (mnl_attr_get_type(attr) < n)
			tb[mnl_attr_get_type(attr)] = attr;
		if (step >= len)
			return;
		len -= step;
		attr = mnl_attr_next(attr);
	}
}

int nlmsg_attrs(const struct nlattr **tb, size_t n, const struct nlmsghdr *nlh, size_t header)
{
	size_t payload = mnl_nlmsg_get_payload_len(nlh);
	size_t skip = nlmsg_align(header);

	if (payload < header) {
		sort_attrs(tb, n, NULL, 0);
		return -EBADMSG;
	}
	if (payload < skip)
		skip = payload;
	sort_attrs(tb, n, mnl_nlmsg_get_payload_offset(nlh, skip), payload - skip);
	return 0;
}

void nlmsg_nested(const struct nlattr **tb, size_t n, const struct nlattr *nest)
{
	sort_attrs(tb, n, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
}

const struct nlattr *nlmsg_child(const struct nlattr *nest, const struct nlattr *prev)
{
	const uint8_t *begin = mnl_attr_get_payload(nest);
	size_t len = mnl_attr_get_payload_len(nest);
	size_t used = 0;
	const struct nlattr *next;

	if (prev)
		used = (size_t)((const uint8_t *)prev - begin) + nlmsg_align(prev->nla_len);
	if (used >= len)
		return NULL;
	next = (const void *)(begin + used);
	return mnl_attr_ok(next, (int)(len - used)) ? next : NULL;
}

int nlmsg_get(void *out, size_t len, const struct nlattr *attr)
{
	if (mnl_attr_get_payload_len(attr) != len)
		return -EBADMSG;
	memcpy(out, mnl_attr_get_payload(attr), len);
	return 0;
}

void nlmsg_get_text(char *out, size_t size, const struct nlattr *attr)
{
	const char *text = attr ? mnl_attr_get_payload(attr) : "";
	size_t len = attr ? strnlen(text, mnl_attr_get_payload_len(attr)) : 0;

	str_cut(out, size, text, len);
}

size_t nlmsg_ip_len(uint8_t family)
{
	if (family == AF_INET)
		return sizeof(struct in_addr);
	return family == AF_INET6 ? sizeof(struct in6_addr) : 0;
}

int nlmsg_get_ip(struct ip *out, uint8_t family, const struct nlattr *attr)
{
	size_t len = nlmsg_ip_len(family);

	*out = (struct ip) { 0 };
	if (len == 0 || nlmsg_get(out->b, len, attr) < 0)
		return -EBADMSG;
	out->family = family;
	return 0;
}

int nlmsg_fail(struct err *e, const struct nlmsg_verdict *v, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (v->code == -EPERM)
		return err_exit(e, EXITS_NO_PERMISSION, v->code,
				"%s: the capability CAP_NET_ADMIN is missing; give it to the "
				"container (docker run --cap-add NET_ADMIN, or in Kubernetes "
				"securityContext.capabilities.add: [NET_ADMIN])",
				what);
	if (v->text[0])
		return err_set(e, v->code, "%s: the kernel says \"%s\"", what, v->text);
	return err_set(e, v->code, "%s", what);
}
