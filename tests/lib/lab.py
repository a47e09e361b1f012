# SPDX-License-Identifier: MIT
"""Everything one test needs, and its end: a switch, containers, volumes, peers."""

import contextlib
import itertools
import pathlib
import secrets
import shutil
import tempfile

from lib import leak
from lib.container import Container, Mount, Spec
from lib.fuse import Fuse
from lib.netns import Switch
from lib.node import SECRET_FILE, STATE_DIR, Node
from lib.peer import Peer
from lib.userns import UserNamespace

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SECRET = "a secret for the tests, long enough"


def programs(variant="release"):
    """The two programs as the Makefile leaves them."""
    return tuple(CHECKOUT / "build" / variant / name for name in ("wgmesh-init", "wgmesh"))


def helpers(variant="release"):
    """What tests put beside them: see tests/helper. The demo runs without it."""
    probe = CHECKOUT / "build" / variant / "probe"
    return (probe,) if probe.exists() else ()


class Lab:
    """A switch and what is plugged into it; close() leaves nothing behind."""

    def __init__(self, variant="release"):
        self._cleanup = contextlib.ExitStack()
        self._serial = itertools.count(1)
        self.variant = variant
        self.containers = []
        self.secrets = set()
        self.passphrases = set()
        self.answers = []  # of our programs, run on the machine itself: arguments, output and error
        # Volumes belong on a disk, and /tmp is memory on many machines.
        parent = CHECKOUT / "build" / "lab"
        parent.mkdir(parents=True, exist_ok=True)
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=parent))
        self._cleanup.callback(shutil.rmtree, self.directory)
        self.switch = self._cleanup.enter_context(Switch())

    # Volumes: named as an engine's, because wgmesh-init reads the names

    def volume(self, name):
        """A named volume's directory; the same name is the same volume."""
        return self._directory(f"volumes/{name}/_data")

    def anonymous_volume(self):
        """A volume with a name that an engine made up."""
        return self.volume(secrets.token_hex(32))

    def host_directory(self, name):
        """A directory of the host, for a bind mount."""
        return self._directory(f"srv/{name}")

    def fuse(self, source, *options):
        """A directory that shows `source` as a file server would, with locks of its own; see lib.fuse."""
        target = self._directory(f"fuse/{next(self._serial)}")
        return self._cleanup.enter_context(Fuse(source, target, *options))

    def _directory(self, name):
        path = self.directory / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def secret_file(self, text):
        """A file with a secret as engines mount it: readable by all inside, on one line."""
        self.secrets.add(text)
        path = self.directory / f"secret-{next(self._serial)}"
        path.write_text(text + "\n")
        return path

    # Things to plug in

    def port(self, number=None, fd=None):
        return self._cleanup.enter_context(self.switch.attach(number, fd))

    def user_namespace(self, count):
        """A user namespace in which the numbers below `count` exist; see lib.userns."""
        return self._cleanup.enter_context(UserNamespace(count))

    def container(self, name, command, port=None, kind=Container, **options):
        """Start a container; options are those of container.Spec."""
        spec = Spec(command=list(command), programs=programs(self.variant) + helpers(self.variant),
                    **options)
        container = kind(name, port or self.port(), spec, self.directory)
        self.containers.append(container)
        self._cleanup.callback(container.destroy)
        return container

    def node(self, name, volume=None, init=(), join=(), secret=SECRET, env=None, mounts=(),
             **options):
        """Start a mesh node.

        volume  directory to mount as the state directory; None mounts nothing there
        init    further options of wgmesh-init
        join    further options of wgmesh join
        secret  the mesh secret, handed over as a file; None hands over none
        """
        env = dict(env or {})
        env.setdefault("WGMESH_NO_DHT", "1")  # tests of the DHT bring one with them
        mounts = list(mounts)
        if "WGMESH_SECRET" in env:
            self.secrets.add(env["WGMESH_SECRET"])
        if secret is not None:
            env.setdefault("WGMESH_SECRET_FILE", SECRET_FILE)
            mounts.append(Mount.bind(self.secret_file(secret), SECRET_FILE, read_only=True))
        if volume is not None:
            mounts.append(Mount.bind(volume, STATE_DIR))
        command = ["wgmesh-init", *init, "--", "wgmesh", "join", *join]
        return self.container(name, command, kind=Node, env=env, mounts=mounts, **options)

    def peer(self, hostname="peer", secret=SECRET, port=None):
        """Start a scripted existing node."""
        return self._cleanup.enter_context(Peer(port or self.port(), secret, hostname))

    # The end

    def logs(self):
        """What every container said so far, for a person to read after a failure."""
        parts = []
        for container in self.containers:
            parts.append(f"--- {container.name}: {' '.join(container.spec.command)}")
            parts.extend(container.log.lines + container.stdout.lines)
        return "\n".join(parts)

    def leaks(self):
        """Secrets and keys that somebody could see; see lib.leak. A list, empty if all is well."""
        kept = [self.directory / "volumes", self.directory / "srv"]
        kept += [container.root(STATE_DIR) for container in self.containers
                 if container.is_running() and not container.has_mount(STATE_DIR)]
        sought = leak.needles(self.secrets, self.passphrases, leak.keys_below(*kept))
        return leak.search(self._evidence(), sought)

    def _evidence(self):
        answers = list(self.answers)
        for container in self.containers:
            yield from leak.of_container(container)
            answers += container.answers
        for argv, out, err in answers:
            yield from leak.of_command(argv, out, err)

    def close(self):
        self._cleanup.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
