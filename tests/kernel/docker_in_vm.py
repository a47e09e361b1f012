# SPDX-License-Identifier: MIT
"""The shipped compose files with the shipped image, both unchanged: runs in the virtual machine only."""

import contextlib
import json
import pathlib
import subprocess

import pytest

from lib.lab import CHECKOUT
from lib.wait import eventually

DISK = pathlib.Path("/disk")
CONTAINERD = pathlib.Path("/run/containerd.sock")
KEY_FILE = "/var/lib/wgmesh/wg0.json"
HEALTHY_S = 30  # the first look of the engine comes after ten


def run(*argv, check=True, **kwargs):
    done = subprocess.run([str(word) for word in argv], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **kwargs)
    assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done


def docker(*argv, **kwargs):
    return run("/usr/bin/docker", *argv, **kwargs).stdout.strip()


@contextlib.contextmanager
def running(*argv, is_up):
    """A daemon, as soon as it is up, and until it is no longer needed."""
    log = DISK / f"{pathlib.Path(argv[0]).name}.log"
    with open(log, "wb") as output:
        daemon = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        eventually(lambda: daemon.poll() is not None or is_up(), argv[0], 30)
        assert daemon.poll() is None, log.read_text(errors="replace")
        yield
    finally:
        daemon.terminate()
        daemon.wait()


@pytest.fixture(scope="module", autouse=True)
def engine(archive):
    # One that dockerd starts itself has 15 seconds, which an emulated processor may need.
    config = DISK / "containerd.toml"
    config.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', encoding="ascii")
    with running("/usr/bin/containerd", "--config", config, "--root", DISK / "containerd", "--state", "/run/containerd",
                 "--address", CONTAINERD, "--log-level", "error", is_up=CONTAINERD.exists), \
         running("/usr/sbin/dockerd", "--containerd", CONTAINERD, "--data-root", DISK / "docker", "--log-level", "error",
                 is_up=lambda: run("/usr/bin/docker", "version", check=False).returncode == 0):
        docker("load", "-i", archive)
        yield


class Project:
    """A compose file and its containers."""

    def __init__(self, name):
        self.file = CHECKOUT / "compose" / f"{name}.yml"
        secret = DISK / "mesh_secret"
        secret.write_text("the secret of a mesh in a machine, and long\n", encoding="ascii")
        secret.chmod(0o600)
        # The machine has no way to the internet, and an emulated processor takes its time.
        self.env = {"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", "HOME": "/run", "MESH_SECRET_FILE": str(secret),
                    "WGMESH_NO_DHT": "1", "WGMESH_NO_STUN": "1", "COMPOSE_HTTP_TIMEOUT": "600"}

    def up(self, *services):
        # Not for the rest, which the engine does itself: an emulated processor takes long to start this.
        run("docker-compose", "-p", "vm", "-f", self.file, "up", "-d", env=self.env)
        containers = [f"vm_{service}_1" for service in services]
        for container in containers:
            eventually(lambda: inspect(container, "{{.State.Health.Status}}") == "healthy",
                       f"{container} to be healthy", HEALTHY_S)
        return containers


def inspect(container, form):
    return docker("inspect", "--format", form, container)


def stop(*containers):
    """Stop them as `docker-compose stop` does, by the image's signal; returns their exit codes."""
    docker("stop", "-t", "15", *containers)
    return [inspect(container, "{{.State.ExitCode}}") for container in containers]


def key_of(container):
    # The image has nothing to read a file with.
    state = pathlib.Path(f"/proc/{inspect(container, '{{.State.Pid}}')}/root{KEY_FILE}")
    return json.loads(state.read_text(encoding="ascii"))


def status(container):
    return json.loads(docker("exec", container, "wgmesh", "status", "--json"))


def in_network(container, *argv, **kwargs):
    """Run a program of the machine in a container's network."""
    return run("nsenter", "-t", inspect(container, "{{.State.Pid}}"), "-n", *argv, **kwargs)


def links():
    return run("ip", "-oneline", "link", "show").stdout


def test_two_nodes_form_a_mesh_over_the_kernels_wireguard_and_stop_in_time():
    project = Project("two-nodes")
    one, two = project.up("one", "two")
    assert status(one)["backend"] == status(two)["backend"] == "kernel"
    keys = key_of(one), key_of(two)
    eventually(lambda: in_network(one, "ping", "-n", "-c1", "-W1", keys[1]["mesh_ip"], check=False).returncode == 0,
               "the tunnel", 10)
    assert stop(one, two) == ["0", "0"]
    docker("rm", one, two)
    project.up("one", "two")
    assert (key_of(one), key_of(two)) == keys


def test_one_node_makes_the_machine_a_member_and_takes_its_interface_along():
    project = Project("docker-compose")
    node, = project.up("node")
    assert status(node)["backend"] == "kernel" and ": wg0: " in links()
    assert stop(node) == ["0"] and ": wg0: " not in links()
