# SPDX-License-Identifier: MIT
"""What docs/hardening.md says of capabilities, users and files is so in a container."""

import itertools
import re

import pytest

from engines import FULL, STATE_DIR
from guide import Guide, page
from lib.wait import eventually

NUMBERS = itertools.count(1)
SMALLEST = ("NET_ADMIN", "SETUID", "SETGID", "CHOWN")
USAGE, CANNOT_CREATE, PERMISSION = 64, 73, 77
NET_ADMIN, KILL, SETGID, SETUID = 1 << 12, 1 << 5, 1 << 6, 1 << 7
DAEMON = 65532
SECRET = "/run/secrets/mesh_secret"

pytestmark = pytest.mark.parametrize("engine_name", ["docker"])


class Place:
    """A directory to run the page's commands in, and names of its own for what they make."""

    def __init__(self, engine):
        self.engine, self.number = engine.images(), next(NUMBERS)
        self.name, self.volume = f"hardened{self.number}", f"hardened{self.number}-state"
        self.directory = engine.box.path(f"hardened/{self.number}")
        self.secret(0)
        self.guide = Guide(engine, "hardening.md", self.directory,
                           names={"hardened": self.name, "wgmesh-state": self.volume})

    def secret(self, owner):
        self.engine.box.run("sh", "-c", 'echo "a secret, and it is long enough" >"$0"; chmod 600 "$0"; chown "$1" "$0"',
                            self.directory / "mesh_secret", owner)

    def run(self, *caps):
        """The node with other capabilities than the page's."""
        text = re.sub(r" *--cap-add \w+ ?", "", self.guide.commands("The whole of it")[0])
        added = " ".join(f"--cap-add {cap}" for cap in caps)
        self.guide.shell(text.replace("--cap-drop ALL", f"--cap-drop ALL {added}"))

    def is_healthy(self):
        return self.engine("exec", self.name, "wgmesh-init", "healthcheck", check=False).returncode == 0

    def log(self):
        return self.engine("logs", self.name).stderr

    def code(self):
        """Its exit code, or what the daemon ends with again and again."""
        def ended():
            if self.engine.inspect(self.name, "{{.State.Running}}") == "false":
                return int(self.engine.inspect(self.name, "{{.State.ExitCode}}"))
            found = re.search(r'daemon_failed.*"exit_code":"(\d+)"', self.log())
            return found and int(found[1])
        return eventually(ended, "its end", within=30)

    def processes(self):
        """Name, effective user and effective capabilities of each process, as the kernel has them."""
        rows = []
        for line in self.engine("top", self.name, "-o", "pid").stdout.split()[1:]:
            status = self.engine.box.run("cat", f"/proc/{line}/status").stdout
            fact = dict(re.findall(r"^(\w+):\t(.*)$", status, re.MULTILINE))
            rows.append((fact["Name"], int(fact["Uid"].split()[1]), int(fact["CapEff"], 16), fact["NoNewPrivs"]))
        return rows

    def close(self):
        self.engine("rm", "-f", self.name, check=False)
        self.engine("volume", "rm", "-f", self.volume, check=False)


@pytest.fixture
def place(engine):
    the_place = Place(engine)
    yield the_place
    the_place.close()


def test_the_whole_of_it_runs_and_each_process_has_what_the_table_says(place):
    with place.guide.section("The whole of it") as section:
        section.step()
        eventually(place.is_healthy, "the node", within=30)
        has = {name: (user, caps) for name, user, caps, _ in place.processes()}
        assert has["wgmesh-init"] == (0, 0)
        # Linux cuts names at fifteen letters.
        assert has["wgmesh-spawner"[:15]] == (0, NET_ADMIN | SETUID | SETGID)
        assert has["wgmesh-netadmin"[:15]] == (DAEMON, NET_ADMIN)
        assert has["wgmesh"] == (DAEMON, 0)
        assert has["wireguard-go"] == (DAEMON, NET_ADMIN)
        assert {nnp for *_, nnp in place.processes()} == {"1"}
        assert all(f"`{name}`" in page("hardening.md") for name in has)
        place.engine("stop", place.name)
        assert "would be user 65532:65532 with CAP_NET_ADMIN" in section.step().stdout


def test_what_confines_the_mesh_process_is_seen_from_inside(place):
    place.run(*SMALLEST)
    eventually(place.is_healthy, "the node", within=30)
    with place.guide.section("The mesh process is confined") as section:
        said = section.step().stdout
    confined = {found[1] for found in re.finditer(r"/proc/(\d+)/status:Seccomp:\t2", said)}
    assert any(f"/proc/{pid}/status:CapEff:\t{0:016x}" in said for pid in confined)


@pytest.mark.parametrize("lacking, code", [("NET_ADMIN", PERMISSION), ("CHOWN", CANNOT_CREATE),
                                           ("SETUID", PERMISSION), ("SETGID", PERMISSION)])
def test_without_one_capability_it_ends_with_the_code_of_the_table(place, lacking, code):
    place.run(*(cap for cap in SMALLEST if cap != lacking))
    assert place.code() == code
    # What is named is a cure, not always the one that lacks.
    assert re.search(r"CAP_\w+|capability|/var/run/wireguard", place.log())


def test_as_root_with_dac_override_it_runs_and_warns(place):
    place.run("NET_ADMIN", "CHOWN", "DAC_OVERRIDE")
    eventually(place.is_healthy, "the node", within=30)
    assert "the daemon runs as root" in place.log()
    assert {caps for name, _, caps, _ in place.processes() if name == "wgmesh"} == {0}


def test_a_secret_of_another_user_takes_dac_override(place):
    place.secret(1000)
    place.run(*SMALLEST)
    assert place.code() == USAGE and SECRET in place.log()
    place.engine("rm", "-f", place.name)
    place.run(*SMALLEST, "DAC_OVERRIDE")
    eventually(place.is_healthy, "the node", within=30)


def test_without_a_place_for_sockets_it_says_so(place):
    text = place.guide.commands("The whole of it")[0]
    place.guide.shell(text.replace("--tmpfs /run:mode=0755,size=1m", ""))
    eventually(lambda: "control sockets will not work" in place.log(), "the warning", within=30)


def test_root_can_ask_a_node_with_the_fewest_rights_also_on_the_image_s_own_run(place):
    """The directory for the socket may be there already, of the daemon's user and for him alone."""
    text = place.guide.commands("The whole of it")[0]
    place.guide.shell(text.replace("--read-only --tmpfs /run:mode=0755,size=1m", ""))
    eventually(place.is_healthy, "the node", within=30)
    assert "running, ready" in place.engine("exec", place.name, "wgmesh", "status").stdout


def test_a_container_that_is_not_root_is_told(place):
    done = place.engine("run", "--rm", "--user", "65532", "--cap-add", "NET_ADMIN", "-v",
                        f"{place.volume}:{STATE_DIR}", "-e", "WGMESH_SECRET=long enough, and more", FULL, "join", check=False)
    assert done.returncode == PERMISSION and "NET_ADMIN" in done.stderr


def test_a_secret_is_made_for_its_owner_alone(place):
    place.engine.box.run("rm", place.directory / "mesh_secret")
    assert place.guide.run("Secrets").stdout.startswith("-rw-------")


def test_neither_inspect_nor_the_process_list_has_the_secret(place):
    place.run(*SMALLEST)
    eventually(place.is_healthy, "the node", within=30)
    assert "long enough" not in place.engine("inspect", place.name).stdout
    assert "long enough" not in place.engine("top", place.name, "-o", "pid,args").stdout
