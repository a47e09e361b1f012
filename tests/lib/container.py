# SPDX-License-Identifier: MIT
"""A container without a container engine, started in some 50 ms.

What PID 1 sees is what Docker shows it: namespaces of its own, an overlay as root, volumes as bind
mounts, /dev with the usual few devices, a capability bounding set, pipes for its output, and an
environment with nothing in it that was not asked for.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import secrets
import signal
import subprocess
import threading
import time

from lib import wait

SCRIPT = pathlib.Path(__file__).with_name("container.sh")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What `docker run` leaves a container: capabilities(7) names without the prefix.
DOCKER_CAPS = frozenset(
    "chown dac_override fsetid fowner mknod net_raw setgid setuid setfcap setpcap "
    "net_bind_service sys_chroot kill audit_write".split())
ROOT = (0, 0)
IMAGE_USER = (65532, 65532)


@dataclasses.dataclass(frozen=True)
class Mount:
    """A mount of a container: bind mount of a directory or a file, or a tmpfs."""

    kind: str
    source: str
    target: str
    options: str

    @staticmethod
    def bind(source, target, read_only=False):
        kind = "file" if os.path.isfile(source) else "bind"
        return Mount(kind, str(source), target, "ro" if read_only else "rw")

    @staticmethod
    def tmpfs(target, options="mode=755,nosuid,nodev"):
        return Mount("tmpfs", "tmpfs", target, options)

    def line(self):
        return f"{self.kind} {self.source} {self.target} {self.options}\n"


@dataclasses.dataclass
class Spec:
    """How to run a container: the options of `docker run`, more or less.

    caps        capabilities of the bounding set; None keeps those of the machine's root
    groups      supplementary groups, as Kubernetes' fsGroup adds one
    ambient     capabilities that a user who is not root has in effect, as under Podman
    absent      paths to leave out of the image ("/dev/net/tun", "/usr/bin/wireguard-go")
    programs    files to put into /usr/local/bin
    file_caps   file capabilities by name of a program: {"wgmesh-init": "cap_net_admin+p"}
    user_namespace  a userns.UserNamespace to run in; the machine's own otherwise
    terminal    a terminal.Terminal as standard input, output and error; nothing is collected then
    """

    command: list
    env: dict = dataclasses.field(default_factory=dict)
    mounts: list = dataclasses.field(default_factory=list)
    user: tuple = ROOT
    groups: tuple = ()
    caps: frozenset | None = DOCKER_CAPS | {"net_admin"}
    ambient: frozenset = frozenset()
    no_new_privs: bool = False
    read_only: bool = False
    absent: tuple = ()
    programs: tuple = ()
    file_caps: dict = dataclasses.field(default_factory=dict)
    user_namespace: object = None
    terminal: object = None
    state_owner: tuple = IMAGE_USER

    def credentials(self):
        """The arguments of setpriv(1) that give a process this container's rights."""
        uid, gid = self.user
        args = ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={gid}",
                "--groups=" + ",".join(map(str, self.groups)) if self.groups else "--clear-groups",
                # A change of user clears the order to die with the parent.
                "--pdeathsig=KILL"]
        if self.caps is not None:
            args.append(",".join(["--bounding-set=-all", *(f"+{cap}" for cap in sorted(self.caps))]))
            ambient = [f"+{cap}" for cap in sorted(self.ambient)]
            args.append(",".join(["--inh-caps=-all", *ambient]))
            if ambient:
                args.append("--ambient-caps=" + ",".join(ambient))
        if self.no_new_privs:
            args.append("--no-new-privs")
        return args

    def environment(self):
        variables = {"PATH": PATH, **self.env}
        return ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items())]


class Output(threading.Thread):
    """Collects the lines a container writes to one of its streams."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self._stream = stream
        self._watchers = []
        self._lock = threading.Lock()
        self._data = []
        self.lines = []
        self.start()

    def run(self):
        with self._stream:
            for line in self._stream:
                text = line.decode(errors="replace").rstrip("\n")
                with self._lock:
                    self._data.append(line)
                    self.lines.append(text)
                    for watcher in self._watchers:
                        watcher(text)

    def watch(self, watcher):
        """Call `watcher` with every line so far, and every further one from the thread that reads it."""
        with self._lock:
            for text in self.lines:
                watcher(text)
            self._watchers.append(watcher)

    def text(self):
        return "\n".join(self.lines)

    def data(self):
        """The bytes as they came."""
        with self._lock:
            return b"".join(self._data)

    def events(self):
        """The lines as dictionaries: JSON as it is, anything else as {"msg": line}."""
        return [as_event(line) for line in list(self.lines)]


def as_event(line):
    """A line of a log as a dictionary."""
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"msg": line}


class Process:
    """A process inside a container, by its number on the machine."""

    def __init__(self, pid):
        self.pid = pid

    def read(self, name):
        """A file of /proc/PID; empty once the process is gone."""
        try:
            return pathlib.Path(f"/proc/{self.pid}/{name}").read_bytes()
        except OSError:
            return b""

    @property
    def argv(self):
        return [arg.decode(errors="replace") for arg in self.read("cmdline").split(b"\0")[:-1]]

    def has_own_root(self):
        """Is its root another one than ours? Not known of one that has gone: then it is."""
        try:
            return not os.path.samefile(f"/proc/{self.pid}/root", "/")
        except OSError:
            return True

    @property
    def comm(self):
        """The name the process gave itself, or that of its program."""
        return self.read("comm").decode(errors="replace").rstrip("\n")

    @property
    def environ(self):
        """The environment it was started with, as /proc shows it now."""
        entries = self.read("environ").decode(errors="replace").split("\0")
        return dict(entry.split("=", 1) for entry in entries if "=" in entry)

    @property
    def status(self):
        """/proc/PID/status as a dictionary of text; empty once the process is gone."""
        lines = self.read("status").decode().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    @property
    def is_spawner(self):
        """Is it the process that starts programs for wgmesh-init? A copy of it, by another name."""
        return self.comm == "wgmesh-spawner"

    @property
    def is_init(self):
        """Is it a part of wgmesh-init: the spawner, or whoever notes something on the volume?"""
        return self.is_spawner or self.comm == "wgmesh-volume"

    @property
    def state(self):
        """One letter: R, S, D, T, Z ..., or "" once the process is gone."""
        return self.status.get("State", "")[:1]

    @property
    def inner_pid(self):
        """Its number inside the container."""
        return int(self.status.get("NSpid", "0").split()[-1])

    def caps(self, which):
        """One of its sets of capabilities, "Eff", "Prm", "Bnd", "Inh" or "Amb", as numbers."""
        bits = int(self.status.get(f"Cap{which}", "0"), 16)
        return {number for number in range(64) if bits >> number & 1}

    def has_cap(self, number):
        return bool(int(self.status.get("CapEff", "0"), 16) >> number & 1)

    def is_alive(self):
        return self.state not in ("", "Z", "X")

    def children(self):
        numbers = self.read(f"task/{self.pid}/children").split()
        return [Process(int(number)) for number in numbers]

    def descendants(self):
        """Children, grandchildren and so on, parents first; without those that are wgmesh-init's own."""
        found = [child for child in self.children() if not child.is_init]
        for child in found:
            found.extend(child.children())
        return found

    def family(self):
        """All below it, wgmesh-init's own processes too."""
        found = self.children()
        for child in found:
            found.extend(child.children())
        return found

    def signal(self, number):
        os.kill(self.pid, number)

    def __repr__(self):
        return f"<{self.pid} {' '.join(self.argv)}>"


class Container:
    """A running container; its network namespace is somebody else's (netns.Port)."""

    def __init__(self, name, port, spec, directory):
        self.name = name
        self.port = port
        self.spec = spec
        self.id = secrets.token_hex(32)
        self._directory = pathlib.Path(directory) / "containers" / self.id
        (self._directory / "layer").mkdir(parents=True)
        self._killed = False
        self.answers = []  # of commands that ran inside: arguments, standard output and error
        # The chain of exec calls ends in unshare(1), which waits for PID 1. Should this process
        # die, so does unshare (pdeathsig), hence PID 1 (kill-child), hence all in its namespace.
        with self._streams() as (stdin, stdout, stderr):
            self._unshare = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL",
                 *port.command("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork",
                               "--kill-child", "--propagation", "private",
                               "busybox", "sh", str(SCRIPT),
                               *spec.credentials(), *spec.environment(), *spec.command)],
                env={"PATH": PATH, **self._script_environment()}, cwd="/",
                stdin=stdin, stdout=stdout, stderr=stderr)
        self.started = time.monotonic()
        self.stdout = Output(self._unshare.stdout or open(os.devnull, "rb"))
        self.log = Output(self._unshare.stderr or open(os.devnull, "rb"))
        self.init = wait.eventually(self._find_init, f"PID 1 of {name}")

    @contextlib.contextmanager
    def _streams(self):
        if self.spec.terminal is None:
            yield subprocess.DEVNULL, subprocess.PIPE, subprocess.PIPE
            return
        slave = self.spec.terminal.take_slave()
        yield slave, slave, slave
        os.close(slave)

    def _script_environment(self):
        spec = self.spec
        return {
            "CT_NAME": self.name,
            "CT_DIR": str(self._directory / "layer"),
            "CT_COPY": " ".join(str(program) for program in spec.programs),
            "CT_MOUNTS": "".join(mount.line() for mount in [*self._engine_files(), *spec.mounts]),
            "CT_ABSENT": " ".join(spec.absent),
            "CT_FILECAPS": " ".join(f"{name}={caps}" for name, caps in spec.file_caps.items()),
            "CT_USERNS": spec.user_namespace.path if spec.user_namespace else "",
            "CT_OWNER": ":".join(str(number) for number in spec.state_owner),
            "CT_READONLY": "yes" if spec.read_only else "",
        }

    def _engine_files(self):
        """The three files that every engine mounts, from a directory named by the container's id."""
        files = {
            "hostname": self.name + "\n",
            "hosts": f"127.0.0.1 localhost\n::1 localhost\n{self.port.address} {self.name}\n",
            "resolv.conf": "",
        }
        for name, text in files.items():
            (self._directory / name).write_text(text)
            yield Mount.bind(self._directory / name, f"/etc/{name}")

    def _find_init(self):
        for child in Process(self._unshare.pid).children():
            # Who enters before the script has become the command is in the machine's root.
            is_ready = child.argv and str(SCRIPT) not in child.argv and child.has_own_root()
            return child if is_ready else None
        # It may have come and gone already.
        return Process(0) if self._unshare.poll() is not None else None

    @property
    def pid(self):
        """Number of PID 1 on the machine."""
        return self.init.pid

    def is_running(self):
        return self._unshare.poll() is None

    @property
    def spawner(self):
        """The process that starts programs for PID 1, or None."""
        return next((p for p in self.init.children() if p.is_spawner), None)

    def processes(self):
        """PID 1 and everything below it but its own helpers; orphans are children of PID 1, so none is missing."""
        return [self.init, *self.init.descendants()] if self.is_running() else []

    def all_processes(self):
        """The same with its helpers."""
        return [self.init, *self.init.family()] if self.is_running() else []

    def _enter(self):
        return ["nsenter", f"--target={self.pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--"]

    def has_mount(self, path):
        """Is something mounted at a path, or above it?"""
        return any(f"{path}/".startswith(f"{mount.target}/") for mount in self.spec.mounts)

    def run(self, *argv, check=True, **kwargs):
        """Run a command inside, as the machine's root; returns a CompletedProcess with text."""
        return self._run([*self._enter(), *self.spec.environment(), *argv], argv, check, kwargs)

    def exec(self, *argv, check=True, **kwargs):
        """Run a command inside with the container's own user and rights, as `docker exec` does."""
        return self._run([*self.command(), *argv], argv, check, kwargs)

    def command(self):
        """What goes before a command to run it inside with the container's own user and rights."""
        return [*self._enter(), *self.spec.credentials(), *self.spec.environment()]

    def _run(self, command, argv, check, kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("timeout", 30)
        result = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, check=False, **kwargs)
        self.answers.append((argv, result.stdout, result.stderr))
        if check:
            said = (result.stdout + result.stderr).strip()
            assert result.returncode == 0, f"{self.name}: {' '.join(argv)}: " \
                                           f"exit {result.returncode}: {said}"
        return result

    def popen(self, *argv, **kwargs):
        """Start a command inside, as the machine's root, and let it run."""
        return subprocess.Popen([*self._enter(), *self.spec.environment(), *argv], text=True,
                                stdin=subprocess.DEVNULL, **kwargs)

    def root(self, path):
        """A path inside the container as one of this process."""
        return pathlib.Path(f"/proc/{self.pid}/root{path}")

    def signal(self, number):
        """Send a signal to PID 1 from outside, as an engine does."""
        self.init.signal(number)

    def wait(self, within=10.0):
        """Wait until PID 1 has ended; returns its exit code, 128+n for a signal."""
        within *= wait.scale
        try:
            code = self._unshare.wait(within)
        except subprocess.TimeoutExpired:
            raise wait.NotYet(f"{self.name} still runs after {within:g} s") from None
        self.stdout.join()
        self.log.join()
        if self._killed:
            return 128 + signal.SIGKILL  # which unshare(1) cannot pass on: it says 1
        return code if code >= 0 else 128 - code

    def stop(self, within=10.0):
        """SIGTERM and wait, as `docker stop` does; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(within)

    def kill(self):
        """SIGKILL PID 1, and with it everything in the container."""
        if self.is_running():
            # It may be about to end by itself, since its terminal hung up, say.
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
                self._killed = True
        return self.wait()

    destroy = kill
