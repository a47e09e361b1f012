/* SPDX-License-Identifier: MIT */
#include "daemon/net/mtu.h"

uint32_t mtu_of_path(const struct mtu_path *p, const struct ip *to)
{
	if (p->via_gateway && p->bytes > MTU_INTERNET && ip_is_global(to))
		return MTU_INTERNET;
	return p->bytes;
}

uint32_t mtu_inside(uint32_t outside)
{
	if (outside == 0)
		return MTU_DEFAULT;
	if (outside < MTU_MIN + MTU_OVERHEAD)
		return MTU_MIN;
	return outside - MTU_OVERHEAD > MTU_MAX ? MTU_MAX : outside - MTU_OVERHEAD;
}
