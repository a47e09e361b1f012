# SPDX-License-Identifier: MIT
"""The commands of compose/README.md, as they stand there, in a copy of the folder."""

import json
import re
import shutil

import pytest

from box import CHECKOUT
from compose_prometheus import image as make_image, query
from compose_project import COMPOSE, TUN
from engines import BRIDGE_ADDRESS, DISTROLESS, FULL
from lib.wait import eventually
from running import Running

SECTIONS = ("Quick start", "Day to day", "Upgrade", "Back up", "Restore, or move to another machine")


def commands(section):
    """The lines of the indented blocks below a heading."""
    page = (COMPOSE / "README.md").read_text(encoding="utf-8")
    below = re.split(r"^#+ ", page.partition(f"# {section}\n")[2], flags=re.MULTILINE)[0]
    return [line[4:] for line in below.splitlines() if line.startswith("    ")]


class Copy:
    """compose/ somewhere else, on a machine whose kernel has no WireGuard."""

    def __init__(self, engine):
        self.engine = engine
        self.top = engine.box.directory / "readme"
        self.directory = self.top / "compose"
        shutil.copytree(COMPOSE, self.directory)
        (self.top / "build").symlink_to(CHECKOUT / "build")
        (self.directory / ".env").write_text(f"WGMESH_IMAGE={FULL}\n", encoding="utf-8")
        # Compose reads it beside docker-compose.yml, and nowhere else.
        override = json.dumps({"services": {"node": {"devices": [TUN]}}})
        (self.directory / "docker-compose.override.yml").write_text(override, encoding="utf-8")

    def sh(self, command, check=True):
        return self.engine.room.run("sh", "-ec", f'cd "$0"; {command}', self.directory, check=check,
                                    env={**self.engine.env(), "COMPOSE_PROJECT_NAME": "readme"}, within=120)

    def run(self, section):
        return [self.sh(command) for command in commands(section)]

    def node(self):
        found = self.engine("ps", "-q", "--filter", "label=com.docker.compose.project=readme").stdout.split()
        assert len(found) == 1
        node = Running.__new__(Running)
        node.engine, node.name = self.engine, found[0]
        return node.wait_until_healthy()


@pytest.fixture
def copy(engine):
    the_copy = Copy(engine.images())
    yield the_copy
    the_copy.sh("docker compose -f docker-compose.yml -f observability.yml down -v", check=False)
    shutil.rmtree(the_copy.top)


@pytest.mark.parametrize("engine_name", ["docker13"])
def test_the_commands_of_the_page_do_what_it_says(copy):
    # The last of them shows a node, which takes a moment to be there.
    for command in commands("Quick start")[:3]:
        copy.sh(command)
    key = copy.node().pubkey()
    assert f"{key}, created" in copy.sh(commands("Quick start")[3].replace("exec node", "exec -T node")).stdout
    assert (copy.directory / "mesh_secret").stat().st_mode & 0o777 == 0o600
    copy.run("Day to day")
    (copy.directory / ".env").write_text(f"WGMESH_IMAGE={FULL}\nWGMESH_LOG_LEVEL=debug\n", encoding="utf-8")
    copy.run("Upgrade")
    assert copy.node().pubkey() == key
    assert copy.node().status()["proof"] == "proven"
    copy.run("Back up")
    copy.sh("docker compose down -v")
    copy.run("Restore, or move to another machine")
    assert copy.node().pubkey() == key


@pytest.mark.parametrize("engine_name", ["docker13"])
def test_the_first_try_of_the_page_comes_up_and_leaves_nothing(copy):
    up, ask, down = commands("Quick start")[4:]
    copy.sh(commands("Quick start")[1].replace(DISTROLESS, FULL))
    changes = {"services": {name: {"devices": [TUN]} for name in ("one", "two")}}
    (copy.directory / "tun.json").write_text(json.dumps(changes), encoding="utf-8")
    with_tun = [command.replace("-f two-nodes.yml", "-f two-nodes.yml -f tun.json") for command in (up, ask, down)]
    copy.sh(with_tun[0])
    listed = with_tun[1].replace("exec one", "exec -T one")
    eventually(lambda: "two" in copy.sh(listed, check=False).stdout, "the other one in the list", within=40)
    copy.sh(with_tun[2])
    assert "wgmesh-one" not in copy.sh("docker volume ls -q").stdout


@pytest.mark.parametrize("engine_name", ["docker13"])
def test_the_node_of_this_machine_is_watched_as_the_page_says(copy):
    page = (COMPOSE / "README.md").read_text(encoding="utf-8")
    loopback, docker0 = re.search(r"`WGMESH_HTTP=([\d.:]+),([\d.]+):9464`", page).groups()
    target = re.search(r"write `(host[\w.]+:9464)`", page)[1]
    command = next(line for line in commands("Watch it") if line.startswith("docker compose -f docker-compose.yml"))
    image = make_image(copy.engine)
    assert docker0 == "172.17.0.1"  # Docker's own default; the bridge of the test has another address
    (copy.directory / ".env").write_text(
        f"WGMESH_IMAGE={FULL}\nWGMESH_HTTP={loopback},{BRIDGE_ADDRESS.split('/')[0]}:9464\nPROMETHEUS_IMAGE={image}\n",
        encoding="utf-8")
    (copy.directory / "observability" / "targets.yml").write_text(f"- targets: [{target}]\n", encoding="utf-8")
    copy.sh(commands("Quick start")[0])
    copy.sh(commands("Quick start")[1])
    override = "-f docker-compose.override.yml up -d node prometheus"  # there is no Grafana here
    copy.sh(command.replace("up -d", override))
    eventually(lambda: query(copy.engine, f'wgmesh_ready{{instance="{target}"}}'), "the node's metrics", within=90)
    # As an editor changes it: by another file of that name.
    copy.sh(f"echo '- targets: [{target}, nobody:9464]' >new.yml; mv new.yml observability/targets.yml")
    eventually(lambda: query(copy.engine, 'up{instance="nobody:9464"} == 0'), "the other target", within=90)


def test_every_section_with_commands_for_one_node_is_run():
    assert [section for section in SECTIONS if not commands(section)] == []
