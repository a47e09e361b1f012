# SPDX-License-Identifier: MIT
"""Docker, Podman, and Podman without root, each with storage of its own in a box."""

import io
import pathlib
import re
import resource
import shutil
import subprocess
import tarfile

from lib.lab import programs
from lib.wait import eventually

from box import ENV, Unavailable

PLAIN = "localhost/wgmesh-test:plain"
BARE = "localhost/wgmesh-test:bare"
VOLUME = "localhost/wgmesh-test:volume"
STATE_DIR = "/var/lib/wgmesh"
USER = "30000"
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
"""


def libraries(program):
    """What a dynamic program loads, by ldd(1)."""
    listed = subprocess.run(["ldd", program], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, check=False).stdout
    return LIBRARY.findall(listed)


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
        for name, source in files.items():
            content = pathlib.Path(source).read_bytes()
            info = tarfile.TarInfo(name)
            info.mode, info.size = 0o755, len(content)
            tar.addfile(info, io.BytesIO(content))


class Engine:
    """An engine's command line; the images are there when it has started."""

    name = program = None
    packages = ()

    def __init__(self, box, tar):
        self.box = box
        missing = [name for name in self.packages if not shutil.which(name, path=ENV["PATH"])]
        if missing:
            raise Unavailable(f"{', '.join(missing)}: see tests/container/deps.sh")
        self.set_up()
        for image, change in ((PLAIN, ()), (VOLUME, ("--change", f"VOLUME {STATE_DIR}"))):
            self("import", "--change", "ENV PATH=/bin", *change, tar, image)

    def set_up(self):
        """Start what has to run."""

    def argv(self, *argv):
        return [self.program, *argv]

    def env(self):
        return {}

    def __call__(self, *argv, check=True):
        return self.box.run(*self.argv(*argv), check=check, env=self.env())

    def run(self, *argv, image=PLAIN, options=(), check=True):
        """Run a command in a new container, to its end; the container is removed."""
        return self("run", "--rm", "--network", "none", *options, image, *argv, check=check)


class Docker(Engine):
    name = "docker"
    program = "/usr/bin/docker"
    packages = ("docker", "dockerd", "runc")

    def set_up(self):
        log = self.box.directory / "dockerd.log"
        # Without a bridge and without rules: its network namespace has neither, and no container asks.
        daemon = self.box.start(
            "dockerd", "--data-root", self.box.path("docker"), "--exec-root", "/run/docker", "--pidfile",
            "/run/docker.pid", "--host", "unix:///run/docker.sock", "--bridge", "none",
            "--iptables=false", "--ip6tables=false", "--cgroup-parent", f"/{self.box.cgroup}",
            "--log-level", "error", log=log)

        def answers():
            if daemon.poll() is not None:
                raise Unavailable(f"dockerd does not start: {log.read_text(errors='replace')[-600:]}")
            return self("version", check=False).returncode == 0

        eventually(answers, "dockerd", within=20)

    def env(self):
        return {"DOCKER_HOST": "unix:///run/docker.sock"}


class Podman(Engine):
    name = "podman"
    program = "/usr/bin/podman"
    packages = ("podman", "crun", "conmon")

    def set_up(self):
        allowed = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        text = CONTAINERS_CONF.format(processes=allowed if allowed > 0 else 32768)
        (self.box.directory / "containers.conf").write_text(text, encoding="utf-8")

    def argv(self, *argv):
        return [self.program, "--root", self.box.disk / "podman", "--runroot", "/run/podman",
                "--tmpdir", "/run/podman-tmp", *argv]

    def env(self):
        return {"CONTAINERS_CONF": str(self.box.directory / "containers.conf")}


class Rootless(Podman):
    name = "rootless"
    packages = ("podman", "crun", "conmon", "newuidmap", "fuse-overlayfs", "setpriv")

    def argv(self, *argv):
        return ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups",
                self.program, *argv]

    def env(self):
        return {**super().env(), "HOME": str(self.box.disk / "home"), "USER": "boxer",
                "XDG_RUNTIME_DIR": f"/run/user/{USER}"}


ENGINES = {engine.name: engine for engine in (Docker, Podman, Rootless)}
