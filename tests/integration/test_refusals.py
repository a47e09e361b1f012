# SPDX-License-Identifier: MIT
"""What cannot work is refused at once: one sentence with the cure, and a documented exit code."""

import os
import socket

import pytest

from lib.container import DOCKER_CAPS, Mount
from lib.lab import SECRET
from lib.node import SECRET_FILE
from lib.wait import eventually

pytestmark = pytest.mark.asan

USAGE, NO_WIREGUARD, SYSTEM, NO_PERMISSION, NOT_EXECUTABLE, NOT_FOUND = 64, 69, 71, 77, 126, 127


def refusal(node):
    """The errors of a node that ended: its sentences for the operator."""
    return [event["msg"] for event in node.events("error")]


def assert_refused(node, code, *words):
    """It ended with the code, quickly, and one sentence holds all the words."""
    assert node.wait() == code, node.log.text()
    sentences = refusal(node)
    assert any(all(word in sentence for word in words) for sentence in sentences), sentences
    assert not node.has_interface()


@pytest.mark.parametrize("join, words", [
    (["--interface=9lives"], ["--interface", "9lives"]),
    (["--interface=much-too-long-a-name"], ["--interface", "much-too-long-a-name"]),
    (["--listen-port=0"], ["--listen-port", "65535"]),
    (["--listen-port=65536"], ["--listen-port", "65535"]),
    (["--listen-port=http"], ["--listen-port", "65535"]),
    (["--mesh-subnet=10.0.0.0/33"], ["--mesh-subnet", "10.0.0.0/33"]),
    (["--mesh-subnet=fd00::/64"], ["--mesh-subnet", "fd00::/64"]),
    (["--advertise-routes=192.168.0.0"], ["--advertise-routes", "192.168.0.0"]),
    (["--advertise-routes=0.0.0.0/0"], ["--advertise-routes", "default route"]),
    (["--lisen-port=51820"], ["--lisen-port", "--listen-port"]),
    (["--backend=quantum"], ["--backend", "auto"]),
], ids=lambda value: value[0] if value and value[0].startswith("--") and "=" in value[0] else "")
def test_a_bad_option_is_named_with_what_is_accepted(lab, join, words):
    assert_refused(lab.node("node", volume=lab.volume("state"), join=join), USAGE, *words)


@pytest.mark.parametrize("name, value", [
    ("WGMESH_LISTEN_PORT", "http"), ("WGMESH_INTERFACE", "9lives"), ("WGMESH_MESH_SUBNET", "x")])
def test_a_bad_variable_is_named_like_an_option(lab, name, value):
    node = lab.node("node", volume=lab.volume("state"), env={name: value})
    assert_refused(node, USAGE, name, value)


def test_a_bad_option_is_told_in_the_form_that_was_asked_for(lab):
    node = lab.node("node", volume=lab.volume("state"), join=["--listen-port=x"],
                    env={"WGMESH_LOG_FORMAT": "text"})
    assert node.wait() == USAGE
    said, told = [line for line in node.log.lines if "listen-port" in line]
    assert "error wgmesh/config: --listen-port" in said
    assert "wgmesh ended with code 64" in told and "--listen-port" in told


def test_a_bad_option_of_init_is_named_too(lab):
    node = lab.node("node", volume=lab.volume("state"), init=["--persistance=require"])
    assert_refused(node, USAGE, "--persistance", "--persistence")


def test_a_secret_that_is_too_short_is_refused_without_showing_it(lab):
    node = lab.node("node", volume=lab.volume("state"), secret="too-short-4-us")
    assert_refused(node, USAGE, "16")
    assert "too-short-4-us" not in node.log.text()


def test_a_missing_secret_is_asked_for(lab):
    node = lab.node("node", volume=lab.volume("state"), secret=None)
    assert_refused(node, USAGE, "WGMESH_SECRET_FILE")


def test_a_secret_given_twice_is_refused(lab):
    node = lab.node("node", volume=lab.volume("state"), env={"WGMESH_SECRET": SECRET})
    assert_refused(node, USAGE, "twice")


def test_a_secret_file_that_is_not_there_is_named(lab):
    node = lab.node("node", volume=lab.volume("state"), secret=None,
                    env={"WGMESH_SECRET_FILE": "/run/secrets/absent"})
    assert_refused(node, USAGE, "/run/secrets/absent")


@pytest.mark.parametrize("how", ["file", "variable", "option"])
def test_the_daemon_shows_its_secret_to_nobody(lab, how):
    given = {"file": {"secret": SECRET}, "variable": {"env": {"WGMESH_SECRET": SECRET}},
             "option": {"join": ["--secret", SECRET]}}[how]
    given = {"secret": None, "join": [], **given}
    given["join"] = [*given["join"], "--log-level=debug"]
    node = lab.node("node", volume=lab.volume("state"), init=["--log-level=debug"], **given)
    node.wait_until_up()
    private_key = node.state()["wg_private_key"]
    # PID 1 has it, and what it forks to look at the volume, which are as closed to others: test_privileges.py.
    processes = [p for p in node.init.descendants() if p.argv and "wgmesh-init" not in p.argv[0]]
    assert len(processes) >= 2
    for process in processes:
        shown = " ".join([*process.argv, *process.environ.values()])
        assert SECRET not in shown and private_key not in shown, process
    assert SECRET not in node.log.text() and private_key not in node.log.text()


def test_an_unknown_variable_is_one_warning_that_suggests_the_right_one(lab):
    node = lab.node("node", volume=lab.volume("state"), env={"WGMESH_LISTEN_PROT": "4711"})
    node.wait_until_up()
    warnings = [event for event in node.events("warn") if event.get("event") == "variable_unknown"]
    assert [event["program"] for event in warnings] == ["wgmesh-init"]
    assert "did you mean WGMESH_LISTEN_PORT?" in warnings[0]["msg"]


def test_an_unknown_variable_of_a_daemon_without_a_supervisor_is_a_warning_too(lab):
    env = {"WGMESH_LISTEN_PROT": "4711", "WGMESH_SECRET_FILE": "/nowhere", "NOTIFY_SOCKET": "/run/notify"}
    box = lab.container("bare", ["wgmesh", "join"], env=env)
    assert box.wait() != 0
    assert any(event.get("event") == "variable_unknown" for event in box.log.events()), box.log.text()


def test_a_missing_net_admin_is_named_with_the_cure(lab):
    node = lab.node("node", volume=lab.volume("state"), caps=DOCKER_CAPS)
    assert_refused(node, NO_PERMISSION, "NET_ADMIN")


def test_a_user_without_capabilities_is_told_why(lab):
    volume = lab.volume("state")
    os.chown(volume, 65532, 65532)
    node = lab.node("node", volume=volume, user=(65532, 65532))
    assert_refused(node, NO_PERMISSION, "NET_ADMIN")


def test_without_kernel_module_and_tun_device_both_are_named(lab):
    node = lab.node("node", volume=lab.volume("state"), absent=("/dev/net/tun",))
    assert_refused(node, NO_WIREGUARD, "/dev/net/tun")


def test_without_kernel_module_and_userspace_program_both_are_named(lab):
    node = lab.node("node", volume=lab.volume("state"), absent=("/usr/bin/wireguard-go",))
    assert_refused(node, NO_WIREGUARD, "wireguard-go")


def test_a_taken_port_is_named(lab):
    port = lab.port()
    with port.socket(socket.AF_INET, socket.SOCK_DGRAM) as blocker:
        blocker.bind(("0.0.0.0", 51820))
        node = lab.node("node", volume=lab.volume("state"), port=port, init=["--restart=never"])
        assert_refused(node, SYSTEM, "51820", "--listen-port")


def test_an_unreadable_secret_file_names_the_file(lab):
    path = lab.secret_file(SECRET)
    path.chmod(0o000)
    node = lab.node("node", volume=lab.volume("state"), secret=None,
                    env={"WGMESH_SECRET_FILE": SECRET_FILE},
                    mounts=[Mount.bind(path, SECRET_FILE, read_only=True)],
                    caps=(DOCKER_CAPS | {"net_admin"}) - {"dac_override"})
    assert node.wait() in (USAGE, NO_PERMISSION)
    assert any(SECRET_FILE in sentence for sentence in refusal(node)), refusal(node)


def test_a_program_that_does_not_exist_is_127(lab):
    node = lab.container("node", ["wgmesh-init", "--state-dir=none", "--", "no-such-program"])
    assert node.wait() == NOT_FOUND
    assert "no-such-program" in node.log.text()


@pytest.mark.parametrize("program, code", [
    ("/etc", NOT_EXECUTABLE),
    ("/etc/hostname", NOT_EXECUTABLE),
    ("/etc/hostname/program", NOT_EXECUTABLE),
    ("/tmp/script", NOT_FOUND),
    ("/no/such/program", NOT_FOUND),
], ids=["directory", "no-program", "below-a-file", "interpreter-missing", "missing"])
def test_a_program_that_cannot_be_executed_is_named_and_not_tried_again(lab, program, code):
    make = "printf '#!/no/such/interpreter\\n' >/tmp/script; chmod +x /tmp/script; exec \"$@\""
    box = lab.container("node", ["sh", "-c", make, "sh", "wgmesh-init", "--state-dir=none", "--", program])
    assert box.wait() == code
    said = [event["msg"] for event in box.log.events() if "could not be started" in event["msg"]]
    assert len(said) == 1 and f"execute {program}: " in said[0], box.log.text()
