# SPDX-License-Identifier: MIT
"""Namespaces that container engines run in, with a disk of their own; nothing of it outlasts the tests."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import uuid

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
BUSYBOX = "/bin/busybox"
WIREGUARD = "/usr/bin/wireguard-go"
# Another docker may come first elsewhere, and Debian's is the one that is tested with.
ENV = {"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", "HOME": "/run", "LANG": "C.UTF-8"}
COMMAND_S = 60


class Unavailable(Exception):
    """This machine cannot run engines; says which capability is missing."""


class Box:
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
        self._holder = subprocess.Popen(
            ["unshare", "-m", "-n", "-p", "-f", "--kill-child", "--mount-proc", HERE / "box.sh",
             self.directory], env=ENV, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = self._holder.stdout.readline().strip()
        if said != "ready":
            why = said or self._holder.stderr.read().strip()
            self.close()
            raise Unavailable(why or "namespaces for mounts, the network and processes")
        children = pathlib.Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        self._pid = children.read_text(encoding="ascii").split()[0]

    @property
    def disk(self):
        return self.directory / "disk"

    def path(self, name):
        """A directory on the disk, made when it is first asked for; open to everybody."""
        self.run("mkdir", "-p", "-m", "777", self.disk / name)
        return self.disk / name

    def argv(self, *argv):
        return ["nsenter", "-t", self._pid, "-m", "-n", "-p", "--", *map(str, argv)]

    def run(self, *argv, check=True, env=None, **options):
        """Run a command inside, to its end."""
        done = subprocess.run(self.argv(*argv), env={**ENV, **(env or {})}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=COMMAND_S, check=False, **options)
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
