# SPDX-License-Identifier: MIT
"""The Pod Security Standards of Kubernetes, over a pod: which level it needs, and what keeps it from a lower one; pure.

From the published text of the standards, for Linux. What a standard forbids is said as the field and its value.
"""

from kube_controllers import containers

LEVELS = ("restricted", "baseline", "privileged")
BASELINE_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"})
BASELINE_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes"})
BASELINE_SELINUX_TYPES = frozenset({
    "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
RESTRICTED_VOLUMES = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"})
PROFILES = ("RuntimeDefault", "Localhost")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def _context(one):
    return one.get("securityContext") or {}


def _contexts(pod):
    """The pod's security context and those of its containers, by the names of their places."""
    yield "spec", _context(pod["spec"])
    for one in containers(pod):
        yield one["name"], _context(one)


def _host(pod):
    spec = pod["spec"]
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{field}: true"
    for volume in spec.get("volumes", ()):
        if "hostPath" in volume:
            yield f"hostPath: {volume['hostPath']['path']}"
    for one in containers(pod):
        # In the machine's network each port is one of the machine: the API server fills that in.
        yield from (f"hostPort: {port['containerPort']}" for port in one.get("ports", ())
                    if port.get("hostPort") or spec.get("hostNetwork"))
        for handler in (*(one.get(probe) or {} for probe in PROBES), *(one.get("lifecycle") or {}).values()):
            for action in ("httpGet", "tcpSocket"):
                if (handler.get(action) or {}).get("host"):
                    yield f"{action}.host: {handler[action]['host']}"


def _rights(pod):
    for one in containers(pod):
        context = _context(one)
        if context.get("privileged"):
            yield "privileged: true"
        added = (context.get("capabilities") or {}).get("add", ())
        yield from (f"capabilities.add: {name}" for name in added if name not in BASELINE_CAPABILITIES)
        if context.get("procMount", "Default") != "Default":
            yield f"procMount: {context['procMount']}"


def _modules(pod):
    for _, context in _contexts(pod):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            yield "windowsOptions.hostProcess: true"
        labels = context.get("seLinuxOptions") or {}
        if labels.get("type", "") not in BASELINE_SELINUX_TYPES or labels.get("user") or labels.get("role"):
            yield "seLinuxOptions"
        for field in ("seccompProfile", "appArmorProfile"):
            if (context.get(field) or {}).get("type", "RuntimeDefault") not in PROFILES:
                yield f"{field}: {context[field]['type']}"
    for sysctl in _context(pod["spec"]).get("sysctls", ()):
        if sysctl["name"] not in BASELINE_SYSCTLS:
            yield f"sysctls: {sysctl['name']}"


def beyond_baseline(pod):
    """What the level "baseline" forbids, and the pod has."""
    return sorted({*_host(pod), *_rights(pod), *_modules(pod)})


def _users(pod):
    outer = _context(pod["spec"])
    for one in containers(pod):
        if not _context(one).get("runAsNonRoot", outer.get("runAsNonRoot", False)):
            yield "runAsNonRoot is not true"
    for _, context in _contexts(pod):
        if context.get("runAsUser") == 0:
            yield "runAsUser: 0"


def _escalation(pod):
    outer = _context(pod["spec"])
    for one in containers(pod):
        context = _context(one)
        capabilities = context.get("capabilities") or {}
        if context.get("allowPrivilegeEscalation", True):
            yield "allowPrivilegeEscalation is not false"
        if "ALL" not in capabilities.get("drop", ()):
            yield "capabilities.drop lacks ALL"
        yield from (f"capabilities.add: {name}" for name in capabilities.get("add", ())
                    if name != "NET_BIND_SERVICE")
        profile = context.get("seccompProfile") or outer.get("seccompProfile") or {}
        if profile.get("type") not in PROFILES:
            yield "seccompProfile is not set"


def _volumes(pod):
    for volume in pod["spec"].get("volumes", ()):
        yield from (f"volumes: {kind}" for kind in volume
                    if kind != "name" and kind not in RESTRICTED_VOLUMES | {"hostPath"})


def beyond_restricted(pod):
    """What the level "restricted" forbids, and the pod has; with what "baseline" forbids."""
    return sorted({*beyond_baseline(pod), *_users(pod), *_escalation(pod), *_volumes(pod)})


def level(pod):
    """The lowest level that admits the pod."""
    if beyond_baseline(pod):
        return "privileged"
    return "baseline" if beyond_restricted(pod) else "restricted"
