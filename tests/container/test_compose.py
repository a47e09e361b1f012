# SPDX-License-Identifier: MIT
"""Identities of real nodes over the life of a compose file: up, down, changed, up again."""

import itertools
import json
import shutil

import pytest

from box import ENV
from engines import PLAIN, STATE_DIR
from lib import leak
from lib.peer import new_key
from lib.wait import eventually

SECRET = "wgmesh://v1/dGhlIHRlc3RzJyBvd24gc2VjcmV0LCBsb25nIGVub3VnaCE"
KEY_FILE = "wg0.json"
NUMBERS = itertools.count(1)

pytestmark = pytest.mark.parametrize("engine_name", ["docker"])


class Project:
    """A compose file with one node, which may change between two `up`."""

    def __init__(self, engine):
        self.engine = engine
        self.name = f"mesh{next(NUMBERS)}"
        self.directory = engine.box.directory / self.name
        self.directory.mkdir()

    def __call__(self, *argv, check=True):
        return self.engine.box.run("docker-compose", "-p", self.name, "-f", self.directory / "compose.json",
                                   *argv, check=check, env=self.engine.env())

    def write(self, volumes):
        """The file; every volume with a name is one of the file's own."""
        named = {volume.split(":")[0]: {} for volume in volumes if not volume.startswith("/")}
        node = {"image": PLAIN, "network_mode": "none", "cap_add": ["NET_ADMIN"],
                "devices": ["/dev/net/tun"], "volumes": list(volumes),
                "environment": {"WGMESH_SECRET": SECRET},
                "command": ["wgmesh-init", "--", "wgmesh", "join"]}
        text = json.dumps({"version": "2.4", "services": {"node": node}, "volumes": named})
        (self.directory / "compose.json").write_text(text, encoding="utf-8")

    def up(self, *options):
        """Bring the node up; its identity, once it has one."""
        self("up", "-d", *options)

        def is_healthy():
            return self.exec("wgmesh-init", "healthcheck", check=False).returncode == 0

        eventually(is_healthy, "the node", within=20)
        return self.identity()

    def identity(self):
        return json.loads(self.exec("busybox", "cat", f"{STATE_DIR}/{KEY_FILE}").stdout)

    # The engine itself answers sooner than compose.

    def exec(self, *argv, check=True):
        return self.engine("exec", f"{self.name}_node_1", *argv, check=check)

    def log(self):
        return self.engine("logs", f"{self.name}_node_1").stderr

    def leaks(self):
        """Secrets and keys in the log of the last container; see lib.leak."""
        said = self.engine("logs", f"{self.name}_node_1", check=False)
        return leak.search([("the log", (said.stdout + said.stderr).encode())], leak.needles({SECRET}))

    def seed(self, volume, text):
        """Put a key file into a volume, as an older deployment left it."""
        self.engine.run("busybox", "sh", "-c", 'echo "$0" >"/seed/$1"', text, KEY_FILE,
                        options=("-v", f"{self.name}_{volume}:/seed"))


@pytest.fixture
def project(engine):
    if not shutil.which("docker-compose", path=ENV["PATH"]):
        pytest.skip("docker-compose is missing: see tests/container/deps.sh")
    the_project = Project(engine)
    yield the_project
    found = the_project.leaks()
    the_project("down", "-v", "-t", "5", check=False)
    assert found == []


@pytest.fixture
def old_key():
    """The key file of an older deployment, and its public key."""
    private_key, public_key = new_key()
    return json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2), public_key


def test_a_named_volume_keeps_the_identity_whatever_happens_to_the_container(project):
    project.write([f"state:{STATE_DIR}"])
    first = project.up()
    project("restart")
    assert project.up() == first
    assert project.up("--force-recreate") == first
    project("down")
    assert project.up() == first
    assert "persistent: " in project.log()


def test_an_anonymous_volume_keeps_it_until_down_and_that_was_said(project):
    project.write([STATE_DIR])
    first = project.up()
    assert "the anonymous volume" in project.log()
    assert "give the volume a name: docker run: add -v" in project.log()
    assert project.up("--force-recreate") == first
    project("down")
    assert project.up()["wg_pubkey"] != first["wg_pubkey"]


def test_without_a_volume_the_next_container_is_another_node_and_that_was_said(project):
    project.write([])
    first = project.up()
    assert "gives this node a new key" in project.log()
    assert project.up("--force-recreate")["wg_pubkey"] != first["wg_pubkey"]


def test_a_volume_left_at_data_is_asked_about_and_then_moved_without_a_loss(project, old_key):
    text, public_key = old_key
    project.seed("old", text)
    project.write(["old:/data"])
    assert project.up()["wg_pubkey"] == public_key
    assert "did you mean /data? The volume there holds files of this node" in project.log()
    project("down")
    project.write([f"old:{STATE_DIR}"])
    assert project.up()["wg_pubkey"] == public_key
