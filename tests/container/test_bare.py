# SPDX-License-Identifier: MIT
"""An image with nothing but both programs and what they load: everything about a node can be asked there."""

import itertools
import json

import pytest

from box import WIREGUARD
from cases import WITH_ROOT
from engines import BARE, STATE_DIR, image_tar
from lib.doctor import GOOD_SECRET, read
from lib.wait import eventually

ENTRYPOINT = ["/bin/wgmesh-init", "--", "/bin/wgmesh"]
SECRET = ("-e", f"WGMESH_SECRET={GOOD_SECRET}")
RIGHTS = ("--cap-add", "NET_ADMIN", "--device", "/dev/net/tun")
NO_PERMISSION = 77
NUMBERS = itertools.count(1)

pytestmark = pytest.mark.parametrize("engine_name", WITH_ROOT)


@pytest.fixture(scope="session")
def bare_tar(box):
    path = box.directory / "bare.tar"
    image_tar(path)
    return path


@pytest.fixture
def bare(engine, bare_tar):
    """The engine, with the image, which is started as README.md has it."""
    engine("import", "--change", f"ENTRYPOINT {json.dumps(ENTRYPOINT)}", "--change", 'CMD ["join"]',
           bare_tar, BARE)
    return engine


class Node:
    """A node in a container of that image."""

    def __init__(self, engine):
        self._engine = engine
        self._name = f"bare-{next(NUMBERS)}"
        # The only program that is not in the image: the kernel of this machine may have no WireGuard.
        engine("run", "-d", "--name", self._name, "--network", "none", *RIGHTS, *SECRET,
               "-v", f"{self._name}:{STATE_DIR}", "-v", f"{WIREGUARD}:/usr/bin/wireguard-go:ro", BARE)

    def exec(self, *argv, check=True):
        return self._engine("exec", self._name, *argv, check=check)

    def get(self, path):
        """Status and body, from within its network."""
        pid = self._engine("inspect", "--format", "{{.State.Pid}}", self._name).stdout.strip()
        body, _, status = self._engine.box.run(
            "nsenter", "-t", pid, "-n", "curl", "-s", "-w", "\n%{http_code}",
            f"http://127.0.0.1:9464{path}", check=False).stdout.rpartition("\n")
        return int(status), body

    def close(self):
        self._engine("rm", "-f", self._name)
        self._engine("volume", "rm", "-f", self._name)


@pytest.fixture
def node(bare):
    the_node = Node(bare)
    try:
        eventually(lambda: the_node.get("/readyz") == (200, "ok\n"), "a ready node", within=20)
        yield the_node
    finally:
        the_node.close()


def doctor(engine, *options):
    """`docker run IMAGE doctor`."""
    done = engine.run("doctor", "--json", image=BARE, options=(*SECRET, *options), check=False)
    return read(done.returncode, done.stdout, done.stderr)


def test_there_is_no_shell_in_it(bare):
    done = bare("run", "--rm", "--network", "none", "--entrypoint", "sh", BARE, check=False)
    assert done.returncode == 127


def test_a_running_node_tells_everything_there(node):
    status = json.loads(node.exec("wgmesh", "status", "--json").stdout)
    assert status["ready"] is True and status["supervisor"]["verdict"] == "persistent"
    shown = node.exec("wgmesh", "status").stdout
    assert status["pubkey"] in shown and "persistent" in shown
    assert node.exec("wgmesh", "peers", "list").returncode == 0
    assert json.loads(node.exec("wgmesh", "peers", "count", "--json").stdout)["active"] == 0
    assert node.exec("wgmesh-init", "healthcheck").returncode == 0
    assert "ready=true" in node.exec("wgmesh-init", "status").stdout.splitlines()
    assert node.get("/livez") == (200, "ok\n")
    code, health = node.get("/health")
    assert code == 200 and json.loads(health)["pubkey"] == status["pubkey"]


def test_a_doctor_finds_nothing_that_fails_beside_a_running_node(node):
    done = node.exec("wgmesh", "doctor", "--json", check=False)
    said = read(done.returncode, done.stdout, done.stderr)
    assert said.code == 0 and said.failures() == [], said.said
    assert said.find("storage", "pass") and said.find("wireguard", "pass")


def test_without_net_admin_the_doctor_says_so_before_there_is_a_node(bare):
    said = doctor(bare)
    assert said.code == NO_PERMISSION
    said.find("capabilities", "fail", "CAP_NET_ADMIN", "--cap-add NET_ADMIN")


def test_without_net_admin_the_node_says_so_itself(bare):
    done = bare("run", "--rm", "--network", "none", *SECRET, BARE, check=False)
    assert done.returncode == NO_PERMISSION
    assert "CAP_NET_ADMIN" in done.stderr and "--cap-add NET_ADMIN" in done.stderr
    assert GOOD_SECRET not in done.stderr


def test_without_a_volume_the_doctor_says_that_the_key_will_not_last(bare):
    said = doctor(bare, *RIGHTS, "-v", f"{WIREGUARD}:/usr/bin/wireguard-go:ro")
    assert said.failures() == [], said.said
    said.find("storage", "warn", STATE_DIR, f"docker run -v wgmesh-state:{STATE_DIR}")
