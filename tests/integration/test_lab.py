# SPDX-License-Identifier: MIT
"""The lab itself: what the other tests take for granted."""

import os
import signal

from lib.container import DOCKER_CAPS, Mount
from lib.ping import Ping
from lib.wait import eventually

SLEEP = ["sleep", "1000"]
CAP_NET_ADMIN = 12


def test_a_container_sees_only_its_own_processes_and_environment(lab):
    one = lab.container("one", SLEEP, env={"COLOUR": "two words"})
    lab.container("two", SLEEP)
    eventually(lambda: one.init.argv == SLEEP, "the command to run")
    assert one.run("cat", "/proc/1/cmdline").stdout == "sleep\0001000\0"
    assert "COLOUR=two words" in one.run("cat", "/proc/1/environ").stdout.split("\0")
    numbers = [int(n) for n in one.run("ls", "/proc").stdout.split() if n.isdigit()]
    assert len(numbers) == 2, "PID 1 and ls"
    assert one.run("hostname").stdout == "one\n"


def test_containers_reach_each_other_through_the_switch(lab):
    one, two = lab.container("one", SLEEP), lab.container("two", SLEEP)
    eventually(lambda: two.init.argv == SLEEP, "the second container")
    for address in (two.port.address, two.port.address6):
        one.run("ping", "-n", "-c1", "-W1", address)
    two.port.unplug()
    assert one.run("ping", "-n", "-c1", "-W1", two.port.address, check=False).returncode == 1


def test_of_a_stream_of_pings_those_without_an_answer_are_named(lab):
    one, two = lab.container("one", SLEEP), lab.container("two", SLEEP)
    ping = Ping(one, two.port.address)
    two.port.unplug()
    answered = len(ping.answered())
    lost = ping.lost(further=10, within=0.5)
    assert lost and set(lost) <= set(range(answered, answered + 20))


def test_a_container_has_the_capabilities_it_was_given_and_no_others(lab):
    docker = lab.container("docker", SLEEP, caps=DOCKER_CAPS)
    admin = lab.container("admin", SLEEP, caps=DOCKER_CAPS | {"net_admin"})
    user = lab.container("user", SLEEP, user=(1000, 1000))
    eventually(lambda: user.init.argv == SLEEP, "all containers")
    assert not docker.init.has_cap(CAP_NET_ADMIN)
    assert admin.init.has_cap(CAP_NET_ADMIN)
    assert not user.init.has_cap(CAP_NET_ADMIN)
    assert user.init.status["Uid"].split() == ["1000"] * 4
    assert docker.exec("ip", "link", "add", "x", "type", "dummy", check=False).returncode != 0


def test_the_exit_code_is_that_of_pid_1(lab):
    assert lab.container("three", ["sh", "-c", "exit 3"]).wait() == 3
    killed = lab.container("killed", SLEEP)
    assert killed.kill() == 128 + signal.SIGKILL


def test_a_volume_outlives_its_container_and_the_layer_does_not(lab):
    mounts = [Mount.bind(lab.volume("kept"), "/var/lib/wgmesh")]
    script = "echo kept >/var/lib/wgmesh/file; echo lost >/file"
    assert lab.container("one", ["sh", "-c", script], mounts=mounts).wait() == 0
    two = lab.container("two", ["cat", "/var/lib/wgmesh/file", "/file"], mounts=mounts)
    assert two.wait() == 1
    assert two.stdout.lines == ["kept"]
    assert not os.path.exists("/file")


def test_killing_a_container_kills_all_of_it(lab):
    shell = lab.container("shell", ["sh", "-c", "setsid sleep 1000 & wait"])
    family = eventually(lambda: [p for p in shell.processes() if p.argv == SLEEP], "the sleeper")
    shell.kill()
    eventually(lambda: not family[0].is_alive(), "the sleeper's end")


def test_a_network_namespace_outlives_its_container(lab):
    port = lab.port()
    command = ["ip", "link", "add", "left", "type", "veth", "peer", "name", "right"]
    assert lab.container("first", command, port=port).wait() == 0
    assert sorted(port.links()) == ["eth0", "left", "lo", "right"]
