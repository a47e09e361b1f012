/* SPDX-License-Identifier: MIT */
/*
 * probe - the probers of `wgmesh doctor`: each looks at one part of the system and leaves no trace
 *
 * They have the type inchild_fn and run in a child each: @out is their struct of facts.h, @arg a
 * const struct facts with what is known by then. Only probe_secret() and probe_node() run before the
 * secret and the node are known to the others.
 */
#ifndef DAEMON_DOCTOR_PROBE_H
#define DAEMON_DOCTOR_PROBE_H

void probe_secret(void *out, const void *arg);
void probe_node(void *out, const void *arg);
void probe_supervisor(void *out, const void *arg);
void probe_storage(void *out, const void *arg);
void probe_caps(void *out, const void *arg);
void probe_wireguard(void *out, const void *arg);
void probe_tun(void *out, const void *arg);
void probe_links(void *out, const void *arg);
void probe_ports(void *out, const void *arg);
void probe_multicast(void *out, const void *arg);
void probe_forward(void *out, const void *arg);
void probe_clock(void *out, const void *arg);
void probe_asked(void *out, const void *arg);

#endif /* DAEMON_DOCTOR_PROBE_H */
