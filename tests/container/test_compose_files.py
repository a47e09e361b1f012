# SPDX-License-Identifier: MIT
"""Every file of compose/ as it is shipped: it comes up, does what it is for, keeps the key, and goes."""

import json
import re

import pytest
import yaml

from box import CHECKOUT
from compose_project import COMPOSE, OWNER, SECRET, TUN, Project, load, mesh_ip, nodes_of, reaches, secret_file
from engines import BRIDGE, FULL, STATE_DIR
from lib import leak
from lib.peer import new_key
from lib.wait import eventually
from running import RIGHTS, SECRET_FILE, Launcher

COMPOSED = ("docker", "docker13")
ALONE = ("docker-compose.yml", "userspace.yml", "legacy-data.yml")
TOGETHER = ("two-nodes.yml", "gateway.yml", "cluster.yml")
OLD_VOLUME = "wgmesh-data"
KEY_FILE = "wg0.json"
POLICY = 78

composed = pytest.mark.parametrize("engine_name", COMPOSED)
# Where it is the node that is looked at, and either compose has brought the file up elsewhere.
newer = pytest.mark.parametrize("engine_name", ["docker13"])


@pytest.fixture
def project(engine, request):
    """Makes projects, which end with the test; no secret of theirs is anywhere that it could be seen."""
    made = []
    engine.images()

    def make(*names, **kwargs):
        if "legacy-data.yml" in names:
            engine("volume", "create", OLD_VOLUME)
        made.append(Project(engine, *names, **kwargs))
        request.node.launcher = made[-1]
        return made[-1]

    yield make
    shown = [piece for one in made for piece in seen(one)]
    for one in made:
        one.leave()
    engine("volume", "rm", "-f", OLD_VOLUME)
    assert leak.search(shown, leak.needles({SECRET})) == []


def seen(project):
    """All that an engine shows of containers to whoever may ask it."""
    for container in project.services():
        said = project.engine("logs", container.name, check=False)
        yield f"the log of {container.name}", (said.stdout + said.stderr).encode()
        yield f"inspect {container.name}", project.engine("inspect", container.name).stdout.encode()
        shown = project.engine("top", container.name, "-eo", "pid,args", check=False).stdout
        yield f"top {container.name}", shown.encode()


def node_options(engine, volume):
    """Options of `run` for a node of the same mesh."""
    return ("-v", f"{volume}:{STATE_DIR}", "-v", f"{secret_file(engine.box)}:{SECRET_FILE}:ro",
            "-e", f"WGMESH_SECRET_FILE={SECRET_FILE}", "-e", "WGMESH_PERSISTENCE=require")


@pytest.fixture
def beside(engine):
    """A node on the engine's own bridge, with the same secret."""
    with Launcher(engine) as launcher:
        yield lambda: launcher("join", options=(*RIGHTS, *node_options(engine, launcher.volume())))


def old_key():
    private_key, public_key = new_key()
    return json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2), public_key


def seed(engine, volume, text, owner=OWNER):
    """Files as older deployments left them: of their own user, readable for all of them."""
    engine.run("-ec", 'printf %s "$0" >/old/wg0.json; chown -R "$1" /old; chmod 700 /old; chmod 600 /old/*',
               text, f"{owner}:{owner}", image=FULL, options=("-v", f"{volume}:/old", "--entrypoint", "/bin/sh"))


def another_secret(box):
    path = box.directory / "another_secret"
    path.write_text("wgmesh://v1/YW5vdGhlciBzZWNyZXQsIGFsc28gbG9uZyBlbm91Z2g\n", encoding="utf-8")
    return path


def is_well(container):
    return container.health() == "healthy"


# Each waits for the engine's own clock, and neither compose has a part in it.
@pytest.mark.parametrize("engine_name,name", [("docker", ALONE[0]), *(("docker13", name) for name in ALONE + TOGETHER)])
def test_it_is_healthy_and_stops_in_time_with_code_zero(project, name):
    one = project(name).up()
    nodes = [one.service(node) for node in nodes_of(name)]
    for node in nodes:
        eventually(lambda: is_well(node), f"{name} to be healthy for the engine", within=60)
        assert node.status()["verdict"] == "persistent"
        assert [event["msg"] for event in node.log() if event.get("level") == "error"] == []
    one("stop")
    assert [container.state()["ExitCode"] for container in one.services()] == [0] * len(one.services())


@pytest.mark.parametrize("engine_name,name", [("docker", ALONE[0]), *(("docker13", name) for name in ALONE)])
def test_down_keeps_the_identity_and_down_with_its_volumes_loses_it(project, name):
    one = project(name).up()
    first = one.key()
    one("down")
    assert one.up().key() == first
    assert one.service("node").status()["proof"] == "proven"
    one("down", "-v")
    assert one.up().key() != first


@newer
def test_another_name_of_the_project_is_no_other_node(project):
    first = project("docker-compose.yml").up()
    key = first.key()
    first("down")
    assert project("docker-compose.yml").up().key() == key


@newer
def test_the_same_node_goes_on_with_the_other_wireguard(project):
    first = project("docker-compose.yml").up()
    key = first.key()
    first("down")
    assert project("userspace.yml").up().key() == key


@composed
def test_a_volume_that_is_forgotten_is_refused(project):
    one = project("docker-compose.yml", changes={"node": {"volumes": [STATE_DIR]}}).up()
    node = one.service("node")
    node.wait_for_log("(verdict: anonymous)")
    eventually(lambda: node.state()["ExitCode"] == POLICY, "an end with 78", within=30)
    # As README.md says: the engine knows no code that another try does not cure, until it is told to stop.
    eventually(lambda: node.restarts() >= 2, "two more tries", within=30)
    one("stop")
    assert not node.state()["Running"] and not node.state()["Restarting"]


@composed
def test_a_secret_that_is_missing_is_named_before_anything_starts(project):
    one = project("docker-compose.yml")
    missing = f"{one.engine.box.directory}/no_such_secret"
    done = one("up", "-d", check=False, env={"MESH_SECRET_FILE": missing})
    assert done.returncode != 0
    assert missing in done.stderr and "does not exist" in done.stderr


@composed
def test_compose_builds_from_the_checkout_and_its_config_shows_no_secret(engine):
    """What `docker compose build` would build is what test_image_builds.py builds."""
    for name in ALONE + TOGETHER:
        shown = engine.compose("-f", COMPOSE / name, "config",
                               env={"MESH_SECRET_FILE": str(secret_file(engine.box))}).stdout
        assert leak.search([(name, shown.encode())], leak.needles({SECRET})) == []
        for service in yaml.safe_load(shown)["services"].values():
            context = COMPOSE / service["build"]["context"]
            assert context.resolve() == CHECKOUT.resolve()
            assert (context / service["build"]["dockerfile"]).is_file()


@composed
def test_two_nodes_find_each_other(project):
    one = project("two-nodes.yml").up()
    reaches(one.service("one"), mesh_ip(one.service("two")))
    reaches(one.service("two"), one.service("one").node()["mesh_ipv6"])
    assert one.service("one").exec("wgmesh", "peers", "get", "two").returncode == 0


@composed
@pytest.mark.parametrize("name", ("docker-compose.yml", "userspace.yml"))
def test_a_node_on_the_host_meets_one_behind_a_bridge(project, beside, name):
    one = project(name).up()
    other = beside().wait_until_healthy()
    reaches(other, mesh_ip(one.service("node")))
    assert one.engine.room.run("ip", "link", "show", "wg0").returncode == 0
    one("stop")
    assert one.engine.room.run("ip", "link", "show", "wg0", check=False).returncode != 0


@composed
def test_a_network_behind_a_gateway_is_reached_through_it(project):
    # Off, whatever the machine has: it is the node that switches it on, where it needs it.
    one = project("gateway.yml", changes={"gateway": {"sysctls": {"net.ipv4.ip_forward": 0}}}).up()
    laptop = one.service("laptop").wait_until_healthy()
    reaches(laptop, "172.29.90.9")
    laptop.exec("ping", "-c", "1", "172.29.90.9")
    path = one.engine.inside(laptop.name, "ip", "route", "get", "172.29.90.9").stdout
    assert "dev wg0" in path
    one("stop", "gateway")
    eventually(lambda: "dev wg0" not in one.engine.inside(laptop.name, "ip", "route", "get", "172.29.90.9").stdout,
               "the route to be gone with its gateway", within=30)


def tables(engine):
    """The firewall's tables in the network of the machine."""
    return set(engine.room.run("nft", "list", "tables").stdout.splitlines())


@pytest.fixture
def dropping(engine):
    """Docker's policy on a machine that did not forward before Docker came."""
    engine.room.run("iptables", "-P", "FORWARD", "DROP")
    yield
    engine.room.run("iptables", "-P", "FORWARD", "ACCEPT")


@newer
@pytest.mark.usefixtures("dropping")
def test_a_gateway_on_the_host_forwards_when_asked_says_what_the_engine_drops_and_leaves_nothing(project, engine):
    before = tables(engine)
    one = project("docker-compose.yml", env={"WGMESH_ADVERTISE_ROUTES": BRIDGE, "WGMESH_FORWARD": "1"}).up()
    node = one.service("node").wait_until_healthy()
    said = {event.get("event"): event["msg"] for event in node.log()}
    assert "forwarding_set" in said and tables(engine) > before
    # As README.md says: what has DROP for a policy goes on dropping, and there is a chain for such cases.
    assert "iptables -I DOCKER-USER -i wg0 -j ACCEPT" in said["forwarding_limited"]
    one("stop")
    assert tables(engine) == before


@composed
def test_five_nodes_all_see_each_other(project):
    one = project("cluster.yml").up()
    for name in nodes_of("cluster.yml"):
        node = one.service(name)
        eventually(lambda: len((node.node() or {}).get("peers_detail", ())) == 4, f"{name} to have four peers",
                   within=60)
    reaches(one.service("five"), mesh_ip(one.service("one")))


@pytest.mark.parametrize("engine_name,owner", [("docker", OWNER), ("docker13", OWNER), ("docker13", 0)])
def test_an_old_volume_at_data_hands_its_key_over_and_may_go(project, engine, owner):
    text, public_key = old_key()
    engine.images()
    seed(engine, OLD_VOLUME, text, owner)
    one = project("legacy-data.yml").up()
    assert one.key() == public_key
    one("down")
    kept = engine.run("/old/wg0.json", image=FULL, options=("-v", f"{OLD_VOLUME}:/old", "--entrypoint", "/bin/cat"))
    assert kept.stdout == text
    assert project("docker-compose.yml").up().key() == public_key


@composed
def test_an_old_volume_that_is_not_there_is_named(project):
    one = project("legacy-data.yml", env={"OLD_VOLUME": "wgmesh-nosuch"})
    done = one("up", "-d", check=False)
    assert done.returncode != 0 and "wgmesh-nosuch" in done.stderr
    assert one.ids() == []


def bind(path):
    """The directory in the place of the old volume, as a comment in the file has it."""
    comment = re.search(r"^ *# - (\{type: bind, .*\})$", (COMPOSE / "legacy-data.yml").read_text(encoding="utf-8"),
                        re.MULTILINE)
    return {"node": {"volumes": [{**yaml.safe_load(comment[1]), "source": str(path)}]}}


@composed
def test_an_old_directory_at_data_hands_its_key_over(project, engine):
    text, public_key = old_key()
    engine.images()
    directory = engine.box.path(f"old-{engine.name}")
    seed(engine, directory, text)
    assert project("legacy-data.yml", changes=bind(directory)).up().key() == public_key


@composed
def test_an_old_directory_that_is_not_there_is_named(project, engine):
    one = project("legacy-data.yml", changes=bind("/srv/no-such-directory"))
    done = one("up", "-d", check=False)
    assert done.returncode != 0 and "/srv/no-such-directory" in done.stderr


@newer
def test_a_second_node_on_the_machine_is_one_of_another_mesh(project, engine):
    first = project("docker-compose.yml").up()
    second = project("docker-compose.yml", env={
        "WGMESH_INTERFACE": "wg1", "WGMESH_LISTEN_PORT": "51810", "WGMESH_HTTP": "127.0.0.1:9465",
        "WGMESH_VOLUME": "wgmesh-second", "MESH_SECRET_FILE": str(another_secret(engine.box))}).up()
    assert first.key() != second.key()
    engine.room.run("ip", "link", "show", "wg0")
    engine.room.run("ip", "link", "show", "wg1")
    second("down")
    second.env["MESH_SECRET_FILE"] = first.env["MESH_SECRET_FILE"]
    second("down", "-v")
    node = second.up().service("node")
    node.wait_for_log("wgmesh ended with code 71")
    assert node.find_log("which follows from the secret, is taken", level="error")
    assert first.service("node").is_healthy()


# The rights of the file, on a volume and with a secret that belong to user 1000, as old deployments have them.

def rights(*missing):
    """Options of `run` with the file's rights, but some."""
    node = load("docker-compose.yml")["services"]["node"]
    options = ["--read-only", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0"]
    for option, values in (("--cap-drop", node["cap_drop"]), ("--security-opt", node["security_opt"]),
                           ("--tmpfs", node["tmpfs"]),
                           ("--cap-add", [name for name in node["cap_add"] if name not in missing])):
        options += [word for value in values for word in (option, value)]
    return options


@pytest.fixture
def confined(engine):
    """Starts nodes with the file's rights, but some."""
    engine.images()
    with Launcher(engine) as launcher:
        def start(*missing):
            volume = launcher.volume()
            seed(engine, volume, old_key()[0])
            return launcher("join", options=(*rights(*missing), "--device", TUN, *node_options(engine, volume)))

        yield start


@newer
def test_the_capabilities_are_enough(confined):
    node = confined().wait_until_healthy()
    assert [event["msg"] for event in node.log() if event.get("level") in ("warn", "error")] == []
    daemon = node.engine("top", node.name, "-eo", "pid,uid,args").stdout
    assert re.search(r"^ *\d+ +65532 +/usr/local/bin/wgmesh join$", daemon, re.MULTILINE), daemon
    assert node.stop()[1] == 0


WITHOUT = {"NET_ADMIN": "CAP_NET_ADMIN is missing",
           "SETUID": "the daemon runs as root",
           "SETGID": "the daemon runs as root",
           "CHOWN": "wgmesh-init is root without CAP_CHOWN",
           "DAC_OVERRIDE": "secret file /run/secrets/mesh_secret cannot be read"}


@newer
@pytest.mark.parametrize("missing", load("docker-compose.yml")["services"]["node"]["cap_add"])
def test_none_of_the_capabilities_could_be_left_out(confined, missing):
    confined(missing).wait_for_log(WITHOUT[missing])
