# SPDX-License-Identifier: MIT
"""A deployment of the existing image moves over by the commands of docs/migration.md, and back again.

The commands are read from the page: tests choose the names and look at what came of it.
"""

import hashlib
import itertools
import json

import pytest

import old_node
from engines import FULL, STATE_DIR
from guide import Guide
from lib import leak
from lib.wait import eventually
from old_node import KEY, REWRITTEN, SECRET, STATE, OldNode

EVERYWHERE = ("docker", "podman", "rootless")
EXPECTED = {name: hashlib.sha256(data).hexdigest() for name, data in STATE.items()}
NUMBERS = itertools.count(1)


class Move:
    """One deployment on its way, and the page that it goes by."""

    def __init__(self, engine, old, data):
        number = next(NUMBERS)
        self.engine, self.name, self.old = engine, old.name, old
        self.state = f"moved{number}"
        directory = engine.box.path(f"move/{engine.name}-{number}")
        self.guide = Guide(engine, "migration.md", directory,
                           names={"docker": "podman"} if "docker" not in engine.name else {},
                           settings={"NODE": self.name, "NEW": FULL, "STATE": self.state, "DATA": data,
                                     "NETWORK": "none", "OPTIONS": "--interface wg0 --listen-port 51999"})

    def look(self):
        """What the page says before anything is changed."""
        with self.guide.section("Where the key is") as section:
            # One of the two directories is not there in some deployments, and ls(1) says so.
            seen = section.step(check=False)
            said = section.step(check=False)
        self.guide.run("Save the secret")
        return seen.stdout + said.stdout

    def settle(self):
        """Wait for the new node, and ask as the page does; what it says."""
        eventually(lambda: self.new("wgmesh-init", "healthcheck", check=False).returncode == 0,
                   "the new node", within=30)
        with self.guide.section("Is it well") as section:
            said = section.step().stdout
        assert "on UDP port 51999" in said
        return said

    def new(self, *argv, check=True):
        return self.engine("exec", self.name, *argv, check=check)

    def log(self):
        said = self.engine("logs", self.name, check=False)
        return said.stdout + said.stderr

    def go_back(self):
        self.guide.shell(self.guide.commands("Go back")[0])

    def close(self):
        found = leak.search([("the log", self.log().encode())], leak.needles({SECRET}))
        for name in (self.name, f"{self.name}-old"):
            self.engine("rm", "-f", name, check=False)
        self.engine("volume", "rm", "-f", self.state, check=False)
        assert found == []


@pytest.fixture
def move(engine):
    """A function that begins one: Move(old node, its old volume or directory)."""
    moves = []

    def begin(old, data="none"):
        moves.append(Move(engine, old, data))
        return moves[-1]
    yield begin
    for one in moves:
        one.close()


def is_kept(said, digests):
    """The node that runs now is the old one, and so is every file of it."""
    assert f"serves=wg0 {KEY['wg_pubkey']}" in said
    assert "verdict=persistent" in said and KEY["mesh_ip"] in said
    assert "loaded" in said and "created" not in said
    for name in EXPECTED.keys() - REWRITTEN:
        assert digests[name] == EXPECTED[name], name


def is_old_again(old):
    """The old program serves the old key, and makes no other one."""
    eventually(lambda: old.served() == KEY["wg_pubkey"], "the old node", within=20)
    now = old.digests()
    for name in EXPECTED.keys() - REWRITTEN:
        assert now[name] == EXPECTED[name], name


@pytest.mark.parametrize("engine_name", EVERYWHERE)
def test_the_old_program_loses_its_key_with_its_container(engine):
    """What all of this is about: it is why the page shouts."""
    first, second = OldNode(engine), OldNode(engine)
    try:
        assert eventually(first.served, "a key", within=20) != eventually(second.served, "a key", within=20)
    finally:
        engine("rm", "-f", first.name, second.name)


NOTHING, EMPTY = "nothing mounted", "an empty volume at /data"


@pytest.mark.parametrize("engine_name, mounted", [
    ("docker", NOTHING), ("docker", EMPTY), ("podman", NOTHING), ("podman", EMPTY), ("rootless", EMPTY)])
def test_state_in_the_container_is_copied_out_and_moves_over(engine, move, mounted):
    empty = f"empty{next(NUMBERS)}"
    old = OldNode(engine, [f"{empty}:/data"] if "/data" in mounted else [])
    old.become_existing()
    going = move(old)
    seen = going.look()
    assert KEY["wg_pubkey"] in seen and "wg0.json" in seen
    assert ("/data is" in seen) == ("/data" in mounted) and f"{STATE_DIR} is" not in seen
    said = going.guide.run("The key is in the container")
    assert said.stdout
    is_kept(going.settle(), old_node.digests(engine, going.state))
    going.go_back()
    is_old_again(old)


@pytest.mark.parametrize("engine_name, owner", [("docker", 0), ("docker", 1000), ("podman", 1000), ("rootless", 1000)])
def test_a_volume_at_data_is_copied_beside_it(engine, move, owner):
    data = f"data{next(NUMBERS)}"
    old_node.load_image(engine)
    old_node.seed(engine, data, owner)
    # Somebody pointed the old program there by hand.
    old = OldNode(engine, [f"{data}:/data"])
    old.exec(f"rm -rf {STATE_DIR}; busybox ln -s /data {STATE_DIR}")
    engine("restart", "-t", "2", old.name)
    going = move(old, data)
    going.look()
    with going.guide.section("The volume is at /data") as section:
        section.step()
        foreseen = section.skip()
    is_kept(going.settle(), old_node.digests(engine, going.state))
    # All that there is has been copied, so a rehearsal has nothing to do now, and the source is as it was.
    engine("stop", going.name)
    assert ": 0 files would be copied" in going.guide.shell(foreseen).stdout
    assert {name: old_node.digests(engine, data)[name] for name in EXPECTED} == EXPECTED
    going.go_back()
    is_old_again(old)


@pytest.mark.parametrize("engine_name", ["docker", "podman"])
def test_a_volume_without_a_name_is_copied_into_one_that_has_one(engine, move):
    """As an image with a VOLUME makes it."""
    old = OldNode(engine, [STATE_DIR])
    old.become_existing()
    going = move(old, engine.inspect(old.name, "{{(index .Mounts 0).Name}}"))
    assert f"{STATE_DIR} is" in going.look()
    going.guide.shell(going.guide.commands("The volume is at /data")[0])
    is_kept(going.settle(), old_node.digests(engine, going.state))
    going.go_back()
    is_old_again(old)


def own_directory(engine):
    """A directory of the host for bind mounts, of whoever runs the engine."""
    path = engine.box.path(f"srv/place{next(NUMBERS)}")
    engine.box.run("chown", f"{engine.user}:{engine.user}", path)
    return path


VOLUME, ROOT, USER_1000 = "a volume", "a directory of root", "a directory of 1000:1000"


@pytest.mark.parametrize("engine_name, kind", [
    ("docker", VOLUME), ("docker", ROOT), ("docker", USER_1000), ("podman", VOLUME), ("podman", USER_1000),
    ("rootless", USER_1000)])
def test_state_at_its_place_is_used_as_it_is(engine, move, kind):
    data = f"place{next(NUMBERS)}" if kind == VOLUME else own_directory(engine)
    old_node.load_image(engine)
    old_node.seed(engine, data, 1000 if kind == USER_1000 else 0)
    old = OldNode(engine, [f"{data}:{STATE_DIR}"])
    assert eventually(old.served, "the old node", within=20) == KEY["wg_pubkey"]
    going = move(old, data)
    assert f"{STATE_DIR} is" in going.look()
    going.guide.run("The volume is at /var/lib/wgmesh")
    is_kept(going.settle(), old_node.digests(engine, data))
    going.go_back()
    is_old_again(old)


@pytest.mark.parametrize("engine_name", ["docker", "rootless"])
def test_files_may_stay_with_user_1000(engine, move):
    data = own_directory(engine)
    old_node.load_image(engine)
    old_node.seed(engine, data, 1000)
    old = OldNode(engine, [f"{data}:{STATE_DIR}"])
    going = move(old, data)
    going.look()
    (text,) = going.guide.commands("The volume is at /var/lib/wgmesh")
    going.guide.shell(text.replace(' "$NEW"', ' -e WGMESH_USER=1000:1000 "$NEW"'))
    is_kept(going.settle(), old_node.digests(engine, data))
    owners = old_node.in_old(engine, data, 'cd "$1"; busybox stat -c %u wg0.json .', "/seed").stdout
    assert owners.split() == ["1000", "1000"]


OLD_COMPOSE = """\
version: "3"
services:
  node1:
    image: {image}
    network_mode: none
    cap_add: [NET_ADMIN, SYS_MODULE]
    restart: unless-stopped
    volumes:
      - ./data/node1:{place}
    command: join --secret "${{MESH_SECRET}}" --interface wg0 --listen-port 51820 --log-level ${{LOG_LEVEL:-info}}
"""


class Compose:
    """A project in a directory, with the old file in it."""

    def __init__(self, engine, place):
        old_node.load_image(engine)
        self.engine = engine
        self.directory = engine.box.path(f"move/compose{next(NUMBERS)}")
        self.guide = Guide(engine, "migration.md", self.directory, names={"network_mode: host": "network_mode: none"})
        self.write(".env", f"MESH_SECRET={SECRET}\n")
        self.write("docker-compose.yml", OLD_COMPOSE.format(image=old_node.IMAGE, place=place))
        engine.box.run("mkdir", "-p", self.directory / "data/node1")
        self.guide.shell("docker compose up -d")

    def write(self, name, text):
        self.engine.box.run("sh", "-c", 'printf %s "$0" >"$1"', text, self.directory / name)

    def node(self):
        return self.guide.shell("docker compose ps -q node1").stdout.strip()

    def exec(self, *argv, check=True):
        return self.engine("exec", self.node(), *argv, check=check)

    def settle(self):
        eventually(lambda: self.exec("wgmesh-init", "healthcheck", check=False).returncode == 0,
                   "the new node", within=30)
        return self.exec("wgmesh-init", "status").stdout + self.exec("wgmesh", "status").stdout

    def close(self):
        self.guide.shell("docker compose down -v", check=False)


@pytest.mark.parametrize("engine_name", ["docker"])
@pytest.mark.parametrize("owner", [0, 1000])
def test_a_compose_file_moves_over_and_its_secret_leaves_the_command_line(engine, owner):
    project = Compose(engine, STATE_DIR)
    data = project.directory / "data/node1"
    try:
        project.guide.shell("docker compose stop")
        old_node.seed(engine, data, owner)
        assert SECRET in engine("inspect", project.node()).stdout
        with project.guide.section("Compose") as section:
            section.step()
            section.skip()
            section.step()
        is_kept(project.settle(), old_node.digests(engine, data))
        assert SECRET not in engine("inspect", project.node()).stdout
        project.guide.shell(project.guide.commands("Go back")[1])
        kept = old_node.digests(engine, data)
        eventually(lambda: KEY["wg_pubkey"] in engine("logs", project.node()).stdout, "the old node", within=20)
        assert kept["wg0.json"] == EXPECTED["wg0.json"]
    finally:
        project.close()


@pytest.mark.parametrize("engine_name", ["docker"])
def test_a_compose_file_moves_over_whose_key_is_in_the_container(engine):
    """The old file mounts /data, and the program never wrote there."""
    project = Compose(engine, "/data")
    copy = project.directory / "node-state"
    try:
        engine("exec", project.node(), "sh", "-c", old_node.SEED, "sh", STATE_DIR, old_node.archive(), "0:0")
        with project.guide.section("Compose") as section:
            section.step()
            assert KEY["wg_pubkey"] in section.step().stdout
            project.guide.shell(section.skip().replace("./data/node1:", "./node-state:"))
        is_kept(project.settle(), old_node.digests(engine, copy))
        project.guide.shell("sed -i 's|./data/node1:/data|./node-state:/var/lib/wgmesh|' docker-compose.old.yml")
        project.guide.shell(project.guide.commands("Go back")[1])
        eventually(lambda: KEY["wg_pubkey"] in engine("logs", project.node()).stdout, "the old node", within=20)
        assert old_node.digests(engine, copy)["wg0.json"] == EXPECTED["wg0.json"]
    finally:
        project.close()


@pytest.mark.parametrize("engine_name", ["docker", "podman"])
def test_a_moved_node_is_asked_as_the_page_says(engine, move):
    old = OldNode(engine)
    old.become_existing()
    going = move(old)
    going.look()
    going.guide.run("The key is in the container")
    going.settle()
    said = going.guide.run("Node by node").stdout
    status = json.loads(said[said.index("{"):])
    assert status["healthy"] is True and KEY["wg_pubkey"] in status["serves"]
