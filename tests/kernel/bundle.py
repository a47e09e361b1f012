# SPDX-License-Identifier: MIT
"""A node from our image, run by crun without an engine, as the shipped compose file wants it."""

import json
import pathlib
import re
import secrets
import subprocess
import time

import yaml

from lib import wait
from lib.container import Mount, Output, Process, Spec
from lib.lab import CHECKOUT
from lib.node import STATE_DIR, Node

COMPOSE = CHECKOUT / "compose" / "two-nodes.yml"
SERVICE = "one"
SECRET_FILE = "/run/secrets/mesh_secret"
VARIABLE = re.compile(r"\$\{(\w+):-(.*?)\}")
MASKED = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def shipped_service():
    """What the compose file says of a node, with nothing set in the environment."""
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"][SERVICE]
    service["environment"] = {name: VARIABLE.sub(lambda found: found[2], value)
                              for name, value in service["environment"].items()}
    return service


def mount(kind, target, *options, source=None):
    return {"type": kind, "source": str(source or kind), "destination": target, "options": list(options)}


class Bundle(Node):
    """A running container.

    rootfs, image  the unpacked image, and what it says of its start
    volume         directory mounted as the state directory; None mounts nothing there
    memory         limit in bytes, with memory.oom.group as `oom_group` says
    env            variables beside those of the compose file
    read_only      as in the compose file; False lets the container write into its own layer
    """

    def __init__(self, name, port, directory, image, volume=None, secret=None, env=None, memory=None,
                 oom_group=False, read_only=True):
        self.name, self.port = name, port
        self.id = f"{name}-{secrets.token_hex(4)}"
        self.cgroup = pathlib.Path(f"/sys/fs/cgroup/{self.id}")
        self.answers = []
        self._killed = False
        self._directory = pathlib.Path(directory) / self.id
        self._directory.mkdir(parents=True)
        rootfs, start = image
        service = shipped_service()
        argv = [*start["Entrypoint"], *service["command"]]
        variables = dict(pair.split("=", 1) for pair in start["Env"])
        variables.update(service["environment"], **(env or {}))
        self.spec = Spec(command=argv, env=variables,
                         mounts=[Mount.bind(volume, STATE_DIR)] if volume else [])
        mounts = self._mounts(service, volume, secret)
        limits = {"memory": {"limit": memory}, "unified": {"memory.oom.group": str(int(oom_group))}}
        config = self._config(rootfs, service, mounts, limits if memory else {})
        config["root"]["readonly"] = read_only and service["read_only"]
        (self._directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
        self._unshare = subprocess.Popen(
            [*self._crun("run"), "--bundle", self._directory, self.id], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started = time.monotonic()
        self.stdout, self.log = Output(self._unshare.stdout), Output(self._unshare.stderr)
        self.init = wait.eventually(self._find_pid_1, f"PID 1 of {name}")

    @staticmethod
    def _crun(*argv):
        return ["crun", "--cgroup-manager=cgroupfs", *argv]

    def _mounts(self, service, volume, secret):
        yield mount("proc", "/proc", "nosuid", "noexec", "nodev")
        yield mount("tmpfs", "/dev", "nosuid", "mode=755", "size=65536k")
        yield mount("devpts", "/dev/pts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")
        yield mount("tmpfs", "/dev/shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k")
        yield mount("mqueue", "/dev/mqueue", "nosuid", "noexec", "nodev")
        yield mount("sysfs", "/sys", "nosuid", "noexec", "nodev", "ro")
        yield mount("cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev", "relatime", "ro")
        for line in service["tmpfs"]:
            target, _, options = line.partition(":")
            yield mount("tmpfs", target, "nosuid", "noexec", "nodev", *options.split(","))
        if secret:
            file = self._directory / "secret"
            file.write_text(secret + "\n")
            file.chmod(0o600)
            yield mount("bind", SECRET_FILE, "rbind", "ro", source=file)
        if volume:
            yield mount("bind", STATE_DIR, "rbind", "rw", source=volume)

    def _config(self, rootfs, service, mounts, resources):
        rights = [f"CAP_{name}" for name in service["cap_add"]]
        kinds = ("pid", "ipc", "uts", "mount", "cgroup")
        return {
            "ociVersion": "1.0.2", "hostname": self.name,
            "root": {"path": str(rootfs)},
            "process": {
                "user": {"uid": 0, "gid": 0}, "cwd": "/", "args": self.spec.command,
                "env": [f"{name}={value}" for name, value in self.spec.env.items()],
                "capabilities": {kind: rights for kind in ("bounding", "effective", "permitted")},
                "noNewPrivileges": "no-new-privileges:true" in service["security_opt"]},
            "mounts": list(mounts),
            "linux": {
                "cgroupsPath": f"/{self.id}", "resources": resources,
                "maskedPaths": MASKED, "readonlyPaths": READ_ONLY,
                "namespaces": [*({"type": kind} for kind in kinds),
                               {"type": "network", "path": self.port.path}]},
        }

    def _find_pid_1(self):
        if self._unshare.poll() is not None:
            return Process(0)
        said = subprocess.run(self._crun("state", self.id), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        state = json.loads(said.stdout) if said.returncode == 0 else {}
        return Process(state["pid"]) if state.get("status") == "running" else None

    def run(self, *argv, check=True, **kwargs):
        """Run a command of the machine in the container's network: the image has neither wg nor ping."""
        return self._run(self.port.command(*argv), argv, check, kwargs)

    def command(self):
        return self._crun("exec", self.id)

    def signal(self, number):
        subprocess.run(self._crun("kill", self.id, str(int(number))), check=True)

    def memory_events(self):
        """Counters of its memory cgroup."""
        lines = (self.cgroup / "memory.events").read_text(encoding="ascii").splitlines()
        return {name: int(value) for name, value in map(str.split, lines)}
