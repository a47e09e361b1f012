# SPDX-License-Identifier: MIT
"""How little a node needs: read-only roots, dropped capabilities, other users, user namespaces, foreign networks."""

import pytest

from cases import DOCKERS, EVERYWHERE, WITH_ROOT
from engines import FULL
from lib.wait import eventually
from running import SECRET_FILE, fresh, secret_options, volume_options

USAGE, NO_PERMISSION, REFUSED = 64, 77, 78
TUN = ("--device", "/dev/net/tun")
OWNED = "mode=0700,uid=65532,gid=65532"
# What the daemon writes outside of its volume, where the root file system is read-only.
RUN = ("--tmpfs", f"/run/wgmesh:{OWNED}", "--tmpfs", f"/run/wireguard:{OWNED}")
# The smallest set with which the daemon runs as its own user, and what it takes to hand directories over.
SMALLEST = ("NET_ADMIN", "SETGID", "SETUID")
WITH_CHOWN = (*SMALLEST, "CHOWN")
# A user who never was root can be given directories by nobody; not every Podman knows of owners here.
WRITABLE_RUN = ("--tmpfs", "/run/wgmesh:mode=1777", "--tmpfs", "/run/wireguard:mode=1777")
NO_NEW_PRIVILEGES = ("--security-opt", "no-new-privileges")

everywhere = pytest.mark.parametrize("engine_name", EVERYWHERE)
dockers = pytest.mark.parametrize("engine_name", DOCKERS)


def only(*names):
    """Options that leave a container these capabilities alone."""
    return ("--cap-drop", "ALL", *(f"--cap-add={name}" for name in names))


def complaints(node):
    """Warnings and errors, but for those about this test's secret and about networks without IPv6."""
    usual = ("secret_guessable", "mesh_ipv6_missing")
    return [event["msg"] for event in node.log()
            if event.get("level") in ("warn", "error") and event.get("event") not in usual]


def daemon_status(node):
    """/proc/PID/status of the daemon."""
    pid = node.status()["daemon_pid"]
    lines = node.exec("cat", f"/proc/{pid}/status").stdout.splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def check_unprivileged(node):
    """The mesh process has its own user, no capability, and no way to get one."""
    status = daemon_status(node)
    assert status["Uid"].split() == ["65532"] * 4
    assert int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


# What suffices

@everywhere
def test_an_ordinary_container_runs_the_daemon_without_any_right(launch):
    node = launch.node().wait_until_healthy()
    check_unprivileged(node)
    assert complaints(node) == []


@dockers
@pytest.mark.parametrize("caps, options", [
    (SMALLEST, ("--read-only", *RUN)),
    (SMALLEST, ("--read-only", *RUN, *NO_NEW_PRIVILEGES)),
    (WITH_CHOWN, ("--read-only", "--tmpfs", "/run", *NO_NEW_PRIVILEGES)),
    (WITH_CHOWN, NO_NEW_PRIVILEGES),
], ids=["read-only", "read-only-no-new-privileges", "read-only-one-tmpfs", "writable-root"])
def test_three_capabilities_suffice_or_four_where_directories_have_to_be_handed_over(launch, caps, options):
    node = launch.node(*only(*caps), *options).wait_until_healthy()
    check_unprivileged(node)
    assert complaints(node) == []
    assert node.stop()[1] == 0


@pytest.mark.parametrize("engine_name", ["podman", "podman13", "rootless"])
@pytest.mark.parametrize("options", [(), NO_NEW_PRIVILEGES], ids=["", "no-new-privileges"])
def test_podman_needs_no_more(launch, options):
    node = launch.node(*only(*WITH_CHOWN), "--read-only", "--read-only-tmpfs=false", "--tmpfs", "/run", *options)
    node.wait_until_healthy()
    check_unprivileged(node)
    assert complaints(node) == []
    assert node.stop()[1] == 0


@dockers
def test_with_the_smallest_set_a_daemon_that_hangs_is_killed_in_time_all_the_same(launch):
    node = launch.node(*only(*SMALLEST), "--read-only", *RUN, "-e", "WGMESH_STOP_TIMEOUT=2s").wait_until_healthy()
    node.signal_daemon("STOP")
    seconds, code = node.stop("-t", "60")
    assert code != 0 and seconds < 50


@dockers
def test_a_volume_of_root_takes_two_capabilities_more(launch, host):
    place = f"{host['bind']}/{fresh('root')}"
    launch.engine.box.run("mkdir", "-m", "700", place)
    options = ("--read-only", *RUN, *TUN, *secret_options(launch.engine), "-v", f"{place}:/var/lib/wgmesh")
    refused = launch("join", options=(*only(*SMALLEST), *options))
    assert refused.exit_code() == NO_PERMISSION
    assert "CHOWN" in refused.output()
    node = launch("join", options=(*only(*WITH_CHOWN, "DAC_OVERRIDE", "FOWNER"), *options)).wait_until_healthy()
    check_unprivileged(node)


# What does not suffice

def start_with(launch, *options, secret_mode=0o400):
    """A start with all that a node needs but for its rights."""
    return launch("join", options=(*TUN, *secret_options(launch.engine, secret_mode),
                                   *volume_options(launch.volume()), *options))


@everywhere
@pytest.mark.parametrize("caps", [("SETUID", "SETGID", "CHOWN"), ()], ids=["without-net-admin", "without-any"])
def test_without_net_admin_the_cure_is_named(launch, caps):
    refused = start_with(launch, *only(*caps))
    assert refused.exit_code() == NO_PERMISSION
    assert "cap_add: [" in refused.output()


@dockers
def test_without_the_right_to_change_users_the_cure_is_named(launch):
    refused = start_with(launch, *only("NET_ADMIN"), "--read-only", *RUN)
    assert refused.exit_code() == NO_PERMISSION
    said = refused.output()
    assert "65532" in said and "CAP_" in said


# Another user

@dockers
@pytest.mark.parametrize("options", [("--cap-add", "NET_ADMIN"), only("NET_ADMIN")], ids=["caps", "only-net-admin"])
def test_docker_gives_capabilities_to_root_alone_and_the_refusal_says_so(launch, options):
    refused = start_with(launch, "--user", "65532:65532", *options, secret_mode=0o444)
    assert refused.exit_code() == NO_PERMISSION
    assert "engines give added capabilities to root only" in refused.output()


@pytest.mark.parametrize("engine_name", ["podman", "podman13"])
def test_podman_gives_them_to_any_user(launch):
    node = start_with(launch, "--user", "65532:65532", *only("NET_ADMIN"), *WRITABLE_RUN, secret_mode=0o444)
    node.wait_until_healthy()
    check_unprivileged(node)


@everywhere
def test_a_secret_that_another_user_may_not_read_is_named(launch):
    refused = start_with(launch, "--cap-add", "NET_ADMIN", "--user", "65532:65532")
    assert refused.exit_code() == USAGE
    assert SECRET_FILE in refused.output() and "Permission denied" in refused.output()


# User namespaces

@pytest.mark.parametrize("engine_name, options", [
    ("podman", ("--uidmap", "0:100000:65536")),
    ("podman13", ("--uidmap", "0:100000:65536")),
    ("podman", ("--userns=auto:size=65536",)),
    ("podman13", ("--userns=auto:size=65536",)),
    ("remapped", ()),
])
def test_in_a_user_namespace_it_runs_as_it_does_elsewhere(launch, options):
    # Its root is nobody in particular outside, where the file belongs to the machine's.
    node = launch.node(*options, secret_mode=0o444)
    key = node.pubkey()
    check_unprivileged(node)
    map_ = node.exec("cat", "/proc/self/uid_map").stdout.split()
    assert map_[1] != "0", "this is no user namespace"
    node.restart()
    assert node.pubkey() == key
    assert node.stop()[1] == 0


@pytest.mark.parametrize("engine_name", ["rootless"])
def test_rootless_a_user_of_the_machine_runs_a_node(launch):
    node = launch.node().wait_until_healthy()
    check_unprivileged(node)
    owner = launch.engine.box.run("stat", "-c", "%u", f"/proc/{node.state()['Pid']}").stdout.strip()
    assert owner == str(launch.engine.user)


@pytest.mark.parametrize("engine_name", ["podman13"])
def test_a_user_namespace_without_the_daemon_s_user_is_told_and_its_root_runs_the_node(launch, host):
    place = f"{host['bind']}/{fresh('small')}"
    launch.engine.box.run("mkdir", "-m", "777", place)
    node = launch("join", options=(
        *TUN, "--cap-add", "NET_ADMIN", *secret_options(launch.engine, 0o444), "--userns=auto:size=1000",
        "-v", f"{place}:/var/lib/wgmesh:U")).wait_until_healthy()
    assert any("65532 does not exist in this user namespace" in said for said in complaints(node))


# What engines put around it

@everywhere
def test_below_the_engine_s_own_init_a_node_runs_and_stops_as_it_does_elsewhere(launch):
    node = launch.node("--init").wait_until_healthy()
    assert "wgmesh-init" not in node.exec("cat", "/proc/1/comm").stdout
    assert node.stop()[1] == 0
    assert node.log()[-1]["msg"] == "exit code 0"


@everywhere
def test_below_the_engine_s_own_init_orphans_come_to_it_all_the_same(launch):
    orphaning = launch("--state-dir=none", "--", "sh", "-c", "(tail -f /dev/null &); exec sleep 1000",
                       options=("--init", "--entrypoint", "/usr/local/bin/wgmesh-init"))

    def parent_of_orphan():
        lines = orphaning.exec("busybox", "ps", "-o", "comm,pid,ppid").stdout.splitlines()
        processes = {comm: (pid, parent) for comm, pid, parent in map(str.split, lines[1:])}
        return processes["tail"][1] == processes["wgmesh-init"][0] != "1"

    eventually(lambda: "tail" in orphaning.exec("busybox", "ps", "-o", "comm").stdout, "the orphan", within=20)
    eventually(parent_of_orphan, "wgmesh-init to be its parent", within=20)


@everywhere
def test_the_engine_s_own_filter_of_system_calls_is_in_force(launch):
    node = launch.node().wait_until_healthy()
    status = node.exec("cat", "/proc/1/status").stdout
    assert "Seccomp:\t2" in status


@dockers
def test_the_device_of_a_machine_that_keeps_it_to_root_is_good_enough(launch):
    box = launch.engine.box
    device = box.directory / fresh("tun")
    box.run("mknod", "-m", "600", device, "c", "10", "200")
    node = launch("join", options=("--cap-add", "NET_ADMIN", "--device", f"{device}:/dev/net/tun",
                                   *secret_options(launch.engine), *volume_options(launch.volume())))
    node.wait_until_healthy()
    check_unprivileged(node)


# The machine's own network

@pytest.fixture
def foreign(engine):
    """An interface wg0 that somebody else has made in the network of the machine; how it looks."""
    room = engine.room
    room.run("ip", "tuntap", "add", "wg0", "mode", "tun")
    room.run("ip", "address", "add", "10.99.0.1/24", "dev", "wg0")
    room.run("ip", "link", "set", "wg0", "up")

    def look():
        return room.run("sh", "-c", "ip -d address show dev wg0; ip route show dev wg0").stdout

    yield look
    room.run("ip", "link", "delete", "wg0", check=False)


@pytest.mark.parametrize("engine_name", WITH_ROOT)
def test_in_the_machine_s_network_a_foreign_interface_is_refused_and_left_alone(launch, foreign):
    before = foreign()
    refused = start_with(launch, "--cap-add", "NET_ADMIN", "--network", "host")
    assert refused.exit_code() == REFUSED
    assert "wg0" in refused.output() and "--interface" in refused.output()
    assert foreign() == before


@pytest.mark.parametrize("engine_name", WITH_ROOT)
def test_beside_a_foreign_interface_it_takes_another_and_leaves_no_trace_of_it(launch, foreign):
    before, room = foreign(), launch.engine.room
    node = launch.node("--network", "host", "-e", "WGMESH_LISTEN_PORT=51999", join=("--interface", "wg7"))
    node.wait_until_healthy()
    assert "wg7" in room.run("ip", "-br", "link").stdout
    assert node.stop()[1] == 0
    assert "wg7" not in room.run("ip", "-br", "link").stdout
    assert foreign() == before


@pytest.mark.parametrize("engine_name", ["docker"])
def test_a_foreign_interface_of_a_userspace_wireguard_is_refused_too(launch):
    engine = launch.engine
    log = engine.box.directory / "foreign.log"
    foreign = engine.room.start("wireguard-go", "-f", "wg0", log=log)
    try:
        eventually(lambda: engine.room.run("wg", "show", "wg0", check=False).returncode == 0, "the foreign interface")
        refused = start_with(launch, "--cap-add", "NET_ADMIN", "--network", "host")
        assert refused.exit_code() == REFUSED
        assert engine.room.run("wg", "show", "wg0").returncode == 0
    finally:
        engine.room.run("ip", "link", "delete", "wg0", check=False)
        foreign.wait(timeout=20)
