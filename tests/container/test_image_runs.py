# SPDX-License-Identifier: MIT
"""The images in real engines: the command line of the existing image, and a static daemon that serves."""

import json

import pytest

from box import WIREGUARD
from engines import DISTROLESS, FULL, VERSION, libraries
from lib.wait import eventually
from running import RIGHTS, secret_options, volume_options

ENGINES = ("docker", "docker13", "podman", "podman13", "rootless")
NO_PERMISSION = 77

engines = pytest.mark.parametrize("engine_name", ENGINES)
two_engines = pytest.mark.parametrize("engine_name", ("docker", "podman"))
images = pytest.mark.parametrize("image", [DISTROLESS, FULL])


def run(engine, image, *argv, options=()):
    return engine.images().run(*argv, image=image, options=options, check=False)


# The command line


@engines
@images
def test_without_a_word_an_image_explains_itself(engine, image):
    done = run(engine, image)
    assert done.returncode == 0 and done.stdout.startswith("Usage: wgmesh COMMAND")
    assert "join" in done.stdout


@engines
@images
def test_an_image_says_its_version(engine, image):
    done = run(engine, image, "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"wgmesh version {VERSION}")


@engines
@images
def test_an_image_makes_a_secret_that_can_be_stored_as_it_is(engine, image):
    done = run(engine, image, "init", "--secret")
    assert done.returncode == 0
    assert done.stdout.startswith("wgmesh://v1/") and len(done.stdout.splitlines()) == 1


@engines
@images
def test_a_word_it_does_not_know_is_an_error(engine, image):
    done = run(engine, image, "jion")
    assert done.returncode != 0 and "jion" in done.stderr


@engines
def test_the_small_image_has_no_shell(engine):
    for shell in ("sh", "/bin/sh", "/bin/busybox"):
        done = run(engine, DISTROLESS, options=("--entrypoint", shell))
        assert done.returncode in (126, 127), shell


@engines
def test_the_tools_of_the_full_image_run(engine):
    script = "set -e; wg --version; ip -V; bridge -V; ping -V; wireguard-go --version; busybox true; ls -l /"
    done = run(engine, FULL, "-c", script, options=("--entrypoint", "sh"))
    assert done.returncode == 0, done.stderr
    for said in ("wireguard-tools", "iproute2", "iputils", "wireguard-go"):
        assert said in done.stdout, said


@two_engines
@images
def test_join_without_a_right_says_which(engine, image):
    done = run(engine, image, "join", options=secret_options(engine))
    assert done.returncode == NO_PERMISSION and "CAP_NET_ADMIN" in done.stderr


# A daemon without loader, library and name service


def outside(engine, container, path):
    """A file of a running container, by its name on the machine."""
    return f"/proc/{engine.inspect(container.name, '{{.State.Pid}}')}/root{path}"


def curl(engine, container, *argv):
    """Ask from within the container's network; status and body."""
    done = engine.inside(container.name, "curl", "-s", "-m", "10", "-w", "\n%{http_code}", *argv, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body


def address_of(engine, container, where):
    """How curl(1) gets to what is served there."""
    if where.startswith("/"):
        return "--unix-socket", outside(engine, container, where), "http://node"
    return (f"http://{where}",)


@two_engines
@pytest.mark.parametrize("setting, where", [
    (None, "127.0.0.1:9464"), (":9465", "127.0.0.1:9465"), (":9465", "[::1]:9465"),
    ("/run/wgmesh/http.sock", "/run/wgmesh/http.sock")])
def test_a_static_daemon_serves_wherever_it_is_told_to(launch, engine, setting, where):
    # The only dynamic program there; the machine's kernel may have no WireGuard.
    mounts = [("-v", f"{path}:{path}:ro") for path in (WIREGUARD, *libraries(WIREGUARD))]
    options = [*RIGHTS, *secret_options(engine), *volume_options(launch.volume()), "--network", "none",
               *[word for mount in mounts for word in mount]]
    options += ["-e", f"WGMESH_HTTP={setting}"] if setting else []
    # Docker's containers have none unless they are told to.
    options += ["--sysctl", "net.ipv6.conf.all.disable_ipv6=0"] if "::" in where else []
    node = launch("join", image=DISTROLESS, options=options).wait_until_healthy()
    *how, base = address_of(engine, node, where)
    for _ in range(3):
        assert curl(engine, node, *how, f"{base}/livez") == (200, "ok\n")
    eventually(lambda: curl(engine, node, *how, f"{base}/readyz")[0] == 200, "a ready node")
    assert json.loads(curl(engine, node, *how, f"{base}/health")[1])["pubkey"] == node.node()["pubkey"]
    assert "wgmesh_" in curl(engine, node, *how, f"{base}/metrics")[1]
    assert node.restarts() == 0 and node.status()["restarts"] == 0
    took, code = node.stop()
    assert code == 0, took
