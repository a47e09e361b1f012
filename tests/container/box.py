# SPDX-License-Identifier: MIT
"""Namespaces that container engines run in, with a disk of their own; nothing of it outlasts the tests.

A box has processes, mounts and a disk. Each engine has a room in it: a network that leads outside, since two
engines would undo each other's rules in one, and where asked for the root directory of Debian 13.
"""

import contextlib
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import uuid

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
DEBIAN13 = CHECKOUT / "build" / "debian13"
BUSYBOX = "/bin/busybox"
WIREGUARD = "/usr/bin/wireguard-go"
# Another docker may come first elsewhere, and Debian's is the one that is tested with.
ENV = {"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", "HOME": "/run", "LANG": "C.UTF-8"}
COMMAND_S = 60
# What a room's uplink calls itself; slirp4netns answers for names at the third address.
UPLINK = "192.168.250.0/24"
RESOLVER = "192.168.250.3"
# Nothing that is tested reaches the internet, whatever it tries; see Room.outside().
CLOSED = """
table inet closed {
    chain own { type filter hook output priority 0; oifname "uplink0" reject; }
    chain others { type filter hook forward priority 0; oifname "uplink0" reject; }
}
"""


class Unavailable(Exception):
    """This machine cannot run engines; says which capability is missing."""


class Namespaces:
    """A process that holds namespaces, and commands in them."""

    def __init__(self, argv, kinds):
        self._kinds = kinds
        self._life = None
        self._holder = subprocess.Popen([*map(str, argv)], env=ENV, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_until_ready(self):
        """Wait for its word; Unavailable with what it said instead."""
        said = self._holder.stdout.readline().strip()
        if said != "ready":
            why = said or self._holder.stderr.read().strip()
            self.close()
            raise Unavailable(why or "namespaces for mounts, the network and processes")
        self._life = os.pidfd_open(int(self.pid))

    @property
    def pid(self):
        """The holder's number on the machine: it is the only child of what has started it."""
        starter = self._holder.pid
        children = pathlib.Path(f"/proc/{starter}/task/{starter}/children")
        return children.read_text(encoding="ascii").split()[0]

    def argv(self, *argv):
        return ["nsenter", "-t", self.pid, *self._kinds, "--", *map(str, argv)]

    def run(self, *argv, check=True, env=None, within=COMMAND_S, **options):
        """Run a command inside, to its end."""
        done = subprocess.run(self.argv(*argv), env={**ENV, **(env or {})}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=within, check=False, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def start(self, *argv, log, env=None):
        """Start a command inside that runs as long as the box."""
        with open(log, "wb") as output:
            return subprocess.Popen(self.argv(*argv), env={**ENV, **(env or {})},
                                    stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def close(self):
        self._holder.send_signal(signal.SIGKILL)
        self._holder.communicate()
        if self._life is not None:
            # It ends after what has started it; as PID 1 of a namespace, after all others there.
            select.select([self._life], [], [], COMMAND_S)
            os.close(self._life)
            self._life = None


class Room(Namespaces):
    """A network of its own in a box, and if `root` is given that as the root directory.

    Its uplink is as that of a machine behind a firewall which lets nothing out.
    """

    def __init__(self, box, root=None, uplink=True):
        kinds = ["-m", "-n", "-p"]
        super().__init__(box.argv("unshare", "-n", *(["-m"] if root else []), HERE / "room.sh",
                                  box.directory, CHECKOUT, *([root] if root else [])), kinds)
        self._leash = self._uplink = None
        self.wait_until_ready()
        if uplink:
            self._connect()

    def _connect(self):
        """Lead to the outside, through a process there that ends with this one."""
        ready, say_ready = os.pipe()
        end, self._leash = os.pipe()
        try:
            self._uplink = subprocess.Popen(
                ["slirp4netns", "--configure", "--disable-host-loopback", "--cidr", UPLINK,
                 "--ready-fd", str(say_ready), "--exit-fd", str(end), self.pid, "uplink0"],
                env=ENV, pass_fds=(say_ready, end), text=True, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except FileNotFoundError as missing:
            self.close()
            raise Unavailable("slirp4netns: see tests/container/deps.sh") from missing
        finally:
            os.close(say_ready)
            os.close(end)
        connected = os.read(ready, 1)
        os.close(ready)
        if not connected:
            why = self._uplink.communicate()[1].strip()
            self.close()
            raise Unavailable(f"a network that leads outside: {why}")
        self._shut()

    def _shut(self):
        self.run("nft", CLOSED)

    @contextlib.contextmanager
    def outside(self):
        """The internet, for what has to fetch packages."""
        self.run("nft", "delete table inet closed")
        try:
            yield
        finally:
            self._shut()

    def close(self):
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None
        if self._uplink is not None:
            self._uplink.communicate()
        super().close()


class Box(Namespaces):
    """The namespaces, held by one process; close() ends everything in them."""

    def __init__(self):
        if os.geteuid() != 0:
            raise Unavailable("root: engines mount file systems")
        if not shutil.which("mkfs.ext4", path=ENV["PATH"]):
            raise Unavailable("mkfs.ext4 (package e2fsprogs)")
        parent = CHECKOUT / "build" / "container"
        parent.mkdir(parents=True, exist_ok=True)
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=parent))
        # The user of the rootless engine passes through.
        self.directory.chmod(0o755)
        self.cgroup = f"wgmesh-test-{uuid.uuid4().hex[:12]}"
        self._rooms = []
        self._debian13 = None
        super().__init__(["unshare", "-m", "-n", "-p", "-f", "--kill-child", "--mount-proc",
                          HERE / "box.sh", self.directory, RESOLVER], ["-m", "-n", "-p"])
        self.wait_until_ready()

    @property
    def disk(self):
        return self.directory / "disk"

    def path(self, name):
        """A directory on the disk, made when it is first asked for; open to everybody."""
        self.run("mkdir", "-p", "-m", "777", self.disk / name)
        return self.disk / name

    def room(self, debian13=False, uplink=True):
        """A room of its own for an engine."""
        root = None
        if debian13:
            root = DEBIAN13 / "root"
            if not (DEBIAN13 / "made").exists():
                raise Unavailable("build/debian13: see tests/container/deps.sh")
        self._rooms.append(Room(self, root, uplink))
        return self._rooms[-1]

    def debian13(self, *argv, **options):
        """Run a program of Debian 13, as kubectl(1), which needs no engine; to its end."""
        if self._debian13 is None:
            self._debian13 = self.room(debian13=True, uplink=False)
        return self._debian13.run(*argv, **options)

    def close(self):
        for room in self._rooms:
            room.close()
        super().close()
        for top, names, _ in os.walk("/sys/fs/cgroup"):
            depth = len(pathlib.Path(top).relative_to("/sys/fs/cgroup").parts)
            if self.cgroup in names:
                self._remove_cgroup(os.path.join(top, self.cgroup))
            names[:] = names if depth < 1 else []
        shutil.rmtree(self.directory)

    @staticmethod
    def _remove_cgroup(path):
        for top, _, _ in os.walk(path, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(top)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
