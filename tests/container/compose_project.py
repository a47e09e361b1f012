# SPDX-License-Identifier: MIT
"""The compose files as they are shipped, brought up by an engine, with what this machine lacks made up for."""

import itertools
import json
import os

import yaml

from box import CHECKOUT
from engines import FULL
from lib.wait import eventually
from running import Running

COMPOSE = CHECKOUT / "compose"
SECRET = "wgmesh://v1/dGhlIGNvbXBvc2UgZmlsZXMnIHNlY3JldCwgbG9uZyBlbm91Z2g"
TUN = "/dev/net/tun"
# The same for all of them, so that nodes of different files are one mesh.
OWNER = 1000
NUMBERS = itertools.count(1)


def load(name):
    """A shipped file, as it is written: variables are not filled in."""
    return yaml.safe_load((COMPOSE / name).read_text(encoding="utf-8"))


def is_node(service):
    return service.get("command") == ["join"]


def nodes_of(name):
    return [service for service, what in load(name)["services"].items() if is_node(what)]


def secret_file(box):
    """The secret as people have it: a file that only they may read, and they are not root."""
    path = box.directory / "mesh_secret"
    if not path.exists():
        path.write_text(f"{SECRET}\n", encoding="utf-8")
        path.chmod(0o600)
        os.chown(path, OWNER, OWNER)
    return path


class Service(Running):
    """The container of a service that is up."""

    def __init__(self, engine, name):  # pylint: disable=super-init-not-called
        self.engine = engine
        self.name = name


class Project:
    """One of the files, or several; leave() removes all that it made.

    names    of files of compose/
    changes  what differs from them, as another file of the kind
    env      variables, as .env would set them
    """

    def __init__(self, engine, *names, changes=None, env=None):
        self.engine = engine.images()
        self.names = names
        self.project = f"files{next(NUMBERS)}"
        self.env = {"MESH_SECRET_FILE": str(secret_file(engine.box)), "WGMESH_IMAGE": FULL,
                    "WGMESH_NO_DHT": "1", "WGMESH_NO_STUN": "1", **(env or {})}
        self.change(changes)

    @property
    def override(self):
        return self.engine.box.directory / f"{self.project}.json"

    def change(self, changes=None):
        """Differ from the files in something else than before."""
        services = {name: dict(what) for name, what in (changes or {}).items()}
        for file in self.names:
            for name in nodes_of(file):
                # The kernel of this machine may have no WireGuard, and the program needs the device.
                services.setdefault(name, {}).setdefault("devices", [TUN])
        self.override.write_text(json.dumps({"services": services}), encoding="utf-8")

    def __call__(self, *argv, check=True, env=None, within=120):
        files = [arg for name in self.names for arg in ("-f", COMPOSE / name)]
        return self.engine.compose("-p", self.project, *files, "-f", self.override, *argv, check=check,
                                   within=within, env={**self.env, **(env or {})})

    def up(self, *argv):
        self("up", "-d", *argv)
        return self

    def ids(self, *filters):
        options = [arg for wanted in filters for arg in ("--filter", wanted)]
        return self.engine("ps", "-a", "-q", "--no-trunc", "--filter",
                           f"label=com.docker.compose.project={self.project}", *options).stdout.split()

    def service(self, name):
        """The container of a service; every call looks anew, as it may be another one."""
        found = self.ids(f"label=com.docker.compose.service={name}")
        assert len(found) == 1, f"{name} has containers {found}"
        return Service(self.engine, found[0])

    def services(self):
        return [Service(self.engine, name) for name in self.ids()]

    def key(self, name="node"):
        """The public key that a node serves, once it is well."""
        return self.service(name).pubkey()

    def logs(self):
        """What its containers said: pairs of a name and a text."""
        return [(container.name[:12], container.said()) for container in self.services()]

    def leave(self):
        self("down", "-v", "-t", "5", check=False)


def reaches(node, address, within=40):
    """Wait until packets go from a container to an address and back."""
    def is_answered():
        return node.engine.inside(node.name, "ping", "-n", "-c", "1", "-W", "1", address, check=False).returncode == 0

    eventually(is_answered, f"a ping to {address}", within)


def mesh_ip(node):
    return node.wait_until_healthy().node()["mesh_ip"]
