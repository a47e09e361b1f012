/* SPDX-License-Identifier: MIT */
/* judge - facts in, lines with findings and cures out, one function for each kind of finding; pure */
#ifndef DAEMON_DOCTOR_JUDGE_H
#define DAEMON_DOCTOR_JUDGE_H

#include "daemon/doctor/facts.h"
#include "daemon/doctor/report.h"

/**
 * judge_all() - Judge everything, in the order in which `wgmesh join` meets it
 * @r:		Report to add to
 * @f:		What was found
 */
void judge_all(struct report *r, const struct facts *f);

/* Its parts; each adds at least one line, but judge_asked() only when somebody was to be asked. */
void judge_version(struct report *r, const struct facts *f);
void judge_secret(struct report *r, const struct facts *f);
void judge_caps(struct report *r, const struct facts *f);
void judge_storage(struct report *r, const struct facts *f);
void judge_key(struct report *r, const struct facts *f);
void judge_conflicts(struct report *r, const struct facts *f);
void judge_wireguard(struct report *r, const struct facts *f);
void judge_tun(struct report *r, const struct facts *f);
void judge_ports(struct report *r, const struct facts *f);
void judge_multicast(struct report *r, const struct facts *f);
void judge_mtu(struct report *r, const struct facts *f);
void judge_forward(struct report *r, const struct facts *f);
void judge_clock(struct report *r, const struct facts *f);
void judge_asked(struct report *r, const struct facts *f);
void judge_peers(struct report *r, const struct facts *f);

/**
 * judge_probe() - Could a part be looked at?
 * @r:		Report; receives a line when it could not
 * @name:	Name of the line
 * @probe:	The prober's own result
 *
 * Return: true when it could
 */
bool judge_probe(struct report *r, const char *name, int probe);

/**
 * judge_uses_kernel() - Would `wgmesh join` take the kernel's WireGuard?
 */
bool judge_uses_kernel(const struct facts *f);

#endif /* DAEMON_DOCTOR_JUDGE_H */
