# SPDX-License-Identifier: MIT
"""Engines of Debian 12 and of Debian 13, each with storage and a network of its own in a box."""

import io
import pathlib
import re
import resource
import shutil
import subprocess
import tarfile

from lib.lab import programs
from lib.wait import eventually

from box import CHECKOUT, COMMAND_S, ENV, Unavailable

VERSION = re.search(r"^VERSION *:= *(\S+)$", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.M)[1]
# The images that `make images` writes.
DISTROLESS = f"wgmesh:{VERSION}"
FULL = f"wgmesh:{VERSION}-full"
IMAGES = CHECKOUT / "build" / "images"

PLAIN = "localhost/wgmesh-test:plain"
BARE = "localhost/wgmesh-test:bare"
VOLUME = "localhost/wgmesh-test:volume"
STATE_DIR = "/var/lib/wgmesh"
USER = 30000
LIBRARY = re.compile(r"(/\S+) \(0x")

# No limits are raised, no cgroups made, no journal written: none of that is ours to have.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc={processes}:{processes}"]
log_driver = "k8s-file"
cgroups = "disabled"
[engine]
events_logger = "none"
cgroup_manager = "cgroupfs"
runtime = "crun"
[network]
network_backend = "netavark"
default_subnet = "{bridge}"
default_subnet_pools = [{{"base" = "{pool}", "size" = 24}}]
"""
# Where a container's network is, unless it asks for another: apart from the uplink of its room.
BRIDGE = "172.28.0.0/24"
BRIDGE_ADDRESS = "172.28.0.1/24"
POOL = "172.28.64.0/18"


def libraries(program):
    """What a dynamic program loads, by ldd(1)."""
    listed = subprocess.run(["ldd", program], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, check=False).stdout
    return LIBRARY.findall(listed)


def add_programs(tar, files):
    """Add files that may be run, by their names in the archive."""
    for name, source in files.items():
        content = pathlib.Path(source).read_bytes()
        info = tarfile.TarInfo(name)
        info.mode, info.size = 0o755, len(content)
        tar.addfile(info, io.BytesIO(content))


def image_tar(path, *others):
    """An image without any registry: both programs and others, what they load, and the directories."""
    files = {f"bin/{pathlib.Path(program).name}": pathlib.Path(program).resolve()
             for program in (*programs(), *others)}
    for program in list(files.values()):
        files.update({library.lstrip("/"): library for library in libraries(program)})
    with tarfile.open(path, "w") as tar:
        # Engines take the state directory's owner and mode over into a new volume.
        for name, mode, owner in (("var/lib/wgmesh", 0o700, 65532), ("data", 0o755, 0),
                                  ("run", 0o755, 0), ("tmp", 0o1777, 0)):
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, mode
            directory.uid = directory.gid = owner
            tar.addfile(directory)
        link = tarfile.TarInfo("var/run")
        link.type, link.linkname = tarfile.SYMTYPE, "/run"
        tar.addfile(link)
        add_programs(tar, files)


class Engine:
    """An engine's command line; the images of the tests are there when it has started.

    room      the namespaces it runs in, with its network
    user      who it runs as on the machine
    debian13  does it come from there?
    """

    name = program = None
    packages = ()
    debian13 = False
    user = 0

    def __init__(self, box, tar):
        self.box = box
        missing = [name for name in self.packages if not shutil.which(name, path=ENV["PATH"])]
        if missing:
            raise Unavailable(f"{', '.join(missing)}: see tests/container/deps.sh")
        self.room = box.room(debian13=self.debian13)
        self._loaded = False
        self.set_up()
        for image, change in ((PLAIN, ()), (VOLUME, ("--change", f"VOLUME {STATE_DIR}"))):
            self("import", "--change", "ENV PATH=/bin", *change, tar, image)

    def set_up(self):
        """Start what has to run."""

    def argv(self, *argv):
        return [self.program, *argv]

    def env(self):
        return {}

    def __call__(self, *argv, check=True, within=COMMAND_S):
        return self.room.run(*self.argv(*argv), check=check, env=self.env(), within=within)

    def run(self, *argv, image=PLAIN, options=(), check=True):
        """Run a command in a new container, to its end; the container is removed."""
        return self("run", "--rm", "--network", "none", *options, image, *argv, check=check)

    def images(self):
        """Load the images that are shipped, unless they are there; returns self."""
        if not self._loaded:
            for image in (DISTROLESS, FULL):
                path = IMAGES / f"{image.replace(':', '-')}-amd64.tar"
                assert path.exists(), f"{path} is missing: make images"
                self("load", "-i", path)
            self._loaded = True
        return self

    def inspect(self, container, form):
        """One fact about a container, by a Go template."""
        return self("inspect", "--format", form, container).stdout.strip()

    def inside(self, container, *argv, **options):
        """Run a program of the box in a container's network, which has none of its own to look with."""
        pid = self.inspect(container, "{{.State.Pid}}")
        return self.box.run("nsenter", "-t", pid, "-n", *argv, **options)


class Docker(Engine):
    """dockerd and docker-compose of Debian 12: 20.10, 1.29."""

    name = "docker"
    program = "/usr/bin/docker"
    packages = ("docker", "dockerd", "runc", "iptables")
    options = ()

    def set_up(self):
        log = self.box.directory / f"{self.name}.log"
        bridge = self.room.run("ip", "link", "add", "bridge0", "type", "bridge", check=False)
        if bridge.returncode != 0:
            raise Unavailable(f"network bridges: {bridge.stderr.strip()}")
        self.room.run("ip", "address", "add", BRIDGE_ADDRESS, "dev", "bridge0")
        self.room.run("ip", "link", "set", "bridge0", "up")
        daemon = self.room.start(
            "dockerd", "--data-root", self.box.path(self.name), "--exec-root", f"/run/{self.name}",
            "--pidfile", f"/run/{self.name}.pid", "--host", self.env()["DOCKER_HOST"],
            "--bridge", "bridge0", "--default-address-pool", f"base={POOL},size=24",
            "--cgroup-parent", f"/{self.box.cgroup}", "--log-level", "error", *self.options, log=log)

        eventually(lambda: daemon.poll() is not None or self("version", check=False).returncode == 0,
                   "dockerd", within=30)
        assert daemon.poll() is None, f"dockerd does not start: {log.read_text(errors='replace')[-600:]}"

    def env(self):
        return {"DOCKER_HOST": f"unix:///run/{self.name}.sock"}

    def compose(self, *argv, **options):
        """compose, as a program of its own."""
        return self.room.run("docker-compose", *argv, env={**self.env(), **options.pop("env", {})}, **options)


class Remapped(Docker):
    """Docker whose containers are in a user namespace."""

    name = "remapped"
    options = ("--userns-remap", "boxer:boxer")


class Docker13(Docker):
    """dockerd, compose and buildx of Debian 13: 26.1, 2.26, 0.13."""

    name = "docker13"
    packages = ()
    debian13 = True

    def compose(self, *argv, **options):
        """compose, as a command of docker."""
        return self.room.run(*self.argv("compose", *argv),
                             env={**self.env(), **options.pop("env", {})}, **options)


class Podman(Engine):
    """Podman of Debian 12: 4.3."""

    name = "podman"
    program = "/usr/bin/podman"
    packages = ("podman", "crun", "conmon", "iptables")

    def set_up(self):
        allowed = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        text = CONTAINERS_CONF.format(processes=allowed if allowed > 0 else 32768, bridge=BRIDGE,
                                      pool=POOL)
        self._conf().write_text(text, encoding="utf-8")

    def _conf(self):
        return self.box.directory / f"{self.name}.conf"

    def argv(self, *argv):
        return [self.program, "--root", self.box.disk / self.name, "--runroot", f"/run/{self.name}",
                "--tmpdir", f"/run/{self.name}-tmp", *argv]

    def env(self):
        return {"CONTAINERS_CONF": str(self._conf())}


class Podman13(Podman):
    """Podman of Debian 13: 5.4."""

    name = "podman13"
    packages = ()
    debian13 = True

    def env(self):
        # It would rather have version 2, and says so at every command.
        return {**super().env(), "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}


class Rootless(Podman):
    """Podman of Debian 12, of a user."""

    name = "rootless"
    user = USER
    packages = ("podman", "crun", "conmon", "newuidmap", "fuse-overlayfs", "setpriv", "slirp4netns")

    def argv(self, *argv):
        return ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups",
                self.program, *argv]

    def env(self):
        return {**super().env(), "HOME": str(self.box.disk / "home"), "USER": "boxer",
                "XDG_RUNTIME_DIR": f"/run/user/{USER}"}


ENGINES = {engine.name: engine for engine in (Docker, Remapped, Docker13, Podman, Podman13, Rootless)}
