# SPDX-License-Identifier: MIT
"""The commands of docs/quickstart.md make a mesh of two nodes, with each engine that the page names."""

import configparser
import itertools
import json
import shlex

import pytest
import yaml

from box import CHECKOUT
from engines import DISTROLESS, FULL, IMAGES
from guide import Guide
from lib.lab import programs
from lib.wait import eventually

NUMBERS = itertools.count(1)
ONE, TWO = "one", "two"
TRY = "-f compose/two-nodes.yml"
TUN = {"services": {name: {"devices": ["/dev/net/tun"]} for name in (ONE, TWO)}}


# The same node where the kernel has no WireGuard, asked without a terminal.
HERE = {"compose/docker-compose.yml": "compose/userspace.yml", "exec node": "exec -T node"}


@pytest.fixture
def checkout(engine):
    """A directory with the compose files and the images, where commands look for them."""
    directory = engine.box.path(f"quick/{engine.name}-{next(NUMBERS)}")
    engine.images()
    engine.box.run("mkdir", "-p", directory / "build/images")
    engine.box.run("cp", *sorted(IMAGES.glob("*-amd64.tar")), directory / "build/images")
    engine.box.run("cp", "-r", CHECKOUT / "compose", directory)
    if engine.user:
        engine.box.run("chown", "-R", engine.user, directory)
    return directory


@pytest.fixture
def guide(engine, checkout):
    """The page, in a checkout."""
    names = {"docker": "podman"} if "podman" in str(engine.program) else {}
    return Guide(engine, "quickstart.md", checkout, names={
        **names, TRY: f"{TRY} -f compose/tun.json", "$PWD/": f"{checkout}/"})


def sees_the_other(text):
    return "running, ready" in text and "1 active (1 direct" in text


@pytest.mark.parametrize("engine_name", ["docker", "docker13", "podman", "podman13", "rootless"])
def test_docker_and_podman(guide, engine):
    with guide.section("Docker") as section:
        section.step()
        look = section.skip()
        try:
            eventually(lambda: sees_the_other(guide.shell(look, check=False).stdout), "a mesh of two", within=60)
            assert "storage    persistent, lasts" in guide.shell(look).stdout
        finally:
            section.step()
    assert ONE not in engine("ps", "-a", "--format", "{{.Names}}").stdout.split()


@pytest.mark.parametrize("engine_name", ["docker", "docker13"])
def test_compose(guide):
    guide.shell(f"echo '{json.dumps(TUN)}' > compose/tun.json")
    start, look, end = guide.commands("Docker compose")
    image = f"export WGMESH_IMAGE={FULL}\n"
    try:
        guide.shell(image + start)
        eventually(lambda: sees_the_other(guide.shell(image + look, check=False).stdout), "a mesh of two", within=60)
    finally:
        guide.shell(image + end)


@pytest.mark.parametrize("engine_name", ["docker", "docker13"])
def test_the_first_node_of_the_front_page(engine, checkout):
    front = Guide(engine, "../README.md", checkout, names=HERE)
    (text,) = front.commands("Run a node")
    *start, look = text.splitlines()
    try:
        front.shell("\n".join(start))
        eventually(lambda: "running, ready" in front.shell(look, check=False).stdout, "the node", within=60)
    finally:
        front.shell("docker compose -f compose/docker-compose.yml down -v", check=False)


def unit(text):
    """A unit file that the page writes, as sections."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(text.partition("<<'END'\n")[2].partition("\nEND")[0])
    return parser


QUADLET = ("/usr/libexec/podman/quadlet", "-dryrun")


@pytest.mark.parametrize("engine_name", ["podman13"])
def test_quadlet(guide, engine):
    """What podman's generator makes of the unit is run; there is no systemd here that would."""
    directory = guide.directory / "systemd"
    (text,) = guide.commands("Quadlet")
    guide.shell("podman run --rm wgmesh:0.1.0-full init --secret > mesh_secret")
    guide.shell(text.replace("/etc/containers/systemd", str(directory)))
    made = engine.room.run(*QUADLET, env={"QUADLET_UNIT_DIRS": str(directory)})
    start = next(line for line in made.stdout.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(start.partition("=")[2])
    assert words[0].endswith("podman") and "--cap-drop" in " ".join(words)
    # systemd's own: its id file, and its notifications.
    wanted = [word for word in words[1:] if not word.startswith(("--sdnotify", "--cgroups"))]
    wanted = [word.replace("%t", "/run").replace("%N", "wgmesh") for word in wanted]
    try:
        engine(*wanted)
        eventually(lambda: engine("exec", "wgmesh", "wgmesh-init", "healthcheck", check=False).returncode == 0,
                   "the node", within=40)
        assert "running, ready" in engine("exec", "wgmesh", "wgmesh", "status").stdout
    finally:
        engine("stop", "wgmesh", check=False)
        engine("rm", "-f", "wgmesh", check=False)
        engine("volume", "rm", "-f", "wgmesh-state")
        engine("secret", "rm", "mesh_secret")


@pytest.mark.parametrize("engine_name", ["docker"])
def test_kubernetes(guide, engine):
    with guide.section("Kubernetes") as section:
        make, render = section.skip().splitlines()
    guide.shell(make)
    assert render.startswith("kubectl kustomize ")
    place = guide.directory / render.split()[-1]
    docs = list(yaml.safe_load_all(engine.box.debian13("kubectl", "kustomize", place).stdout))
    kinds = {doc["kind"]: doc for doc in docs}
    assert {"StatefulSet", "Secret", "Namespace"} <= kinds.keys()
    assert kinds["Namespace"]["metadata"]["name"] == "wgmesh-userspace"
    image = kinds["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image in (FULL, DISTROLESS)


@pytest.mark.parametrize("engine_name", ["docker"])
def test_debian_with_systemd(guide, engine):
    """systemd finds nothing wrong with the unit, and what it would start becomes ready."""
    (text,) = guide.commands("Debian with systemd")
    root = guide.directory / "root"
    for program in programs():
        engine.box.run("install", "-D", program, root / "usr/local/sbin" / program.name)
    engine.box.run("install", "-D", "/bin/true", root / "bin/kill")
    here = text.replace("/etc/", f"{root}/etc/").replace("wgmesh init", f"{programs()[1]} init")
    guide.shell("mkdir -p root/etc/systemd/system\n" + here.replace(f"={root}/etc", "=/etc"))
    # Of the unit itself; there are no others in that root.
    said = engine.box.run("systemd-analyze", "verify", f"--root={root}", "wgmesh.service", check=False)
    assert [line for line in said.stderr.splitlines() if "wgmesh.service:" in line and "not found" not in line] == []
    service = unit(text)["Service"]
    argv = service["ExecStart"].replace("/usr/local/sbin/", "/usr/local/bin/").split()
    settings = [word for pair in service["Environment"].split() for word in ("-e", pair)]
    assert argv[:3] == ["/usr/local/bin/wgmesh-init", "--", "/usr/local/bin/wgmesh"]
    engine("run", "-d", "--name", "unit", "--network", "none", "--cap-add", "NET_ADMIN", "--device", "/dev/net/tun",
           "-v", f"{root}/etc/wgmesh:/etc/wgmesh:ro", *settings, FULL, *argv[3:])
    try:
        eventually(lambda: engine("exec", "unit", "wgmesh-init", "healthcheck", check=False).returncode == 0,
                   "the node", within=30)
        assert '"level":"error"' not in engine("logs", "unit").stderr
    finally:
        engine("rm", "-f", "unit")
