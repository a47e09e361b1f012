# SPDX-License-Identifier: MIT
"""`wgmesh doctor`: each obstacle for real, named with its cure, and the exit code that join would have."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess

import pytest

from lib import person, terminal
from lib.container import DOCKER_CAPS, Mount
from lib.doctor import GOOD_SECRET, examine, idle, read, visit, within
from lib.lab import CHECKOUT, SECRET
from lib.node import SECRET_FILE, STATE_DIR
from lib.peer import Mesh
from lib.wait import eventually

pytestmark = pytest.mark.asan

OK, FAILURE, USAGE, DAMAGED, NO_WIREGUARD, SYSTEM = 0, 1, 64, 65, 69, 71
CANNOT_CREATE, IO_ERROR, LOCKED, NO_PERMISSION, POLICY = 73, 74, 75, 77, 78
USER = (65532, 65532)
GOOD_MESH = Mesh(GOOD_SECRET)


@pytest.fixture
def volume(lab):
    """A volume that the node's user owns, as an engine or wgmesh-init makes it."""
    path = lab.volume("state")
    os.chown(path, *USER)
    return path


def gossip(address):
    """The option that has the node at an address asked, if it has the good secret."""
    return f"--peer={address}:{GOOD_MESH.gossip_port}"


def listing(directory):
    return sorted((str(p.relative_to(directory)), p.stat().st_mtime_ns, p.stat().st_mode)
                  for p in pathlib.Path(directory).rglob("*"))


# Where nothing is wrong


def test_a_container_that_is_set_up_well_passes(lab, volume):
    said = examine(lab, "--backend=userspace", volume=volume)
    assert said.code == OK and said.worst == "pass", said.said
    said.find("secret", "pass", "WGMESH_SECRET_FILE", GOOD_MESH.network_id[:8].hex())
    said.find("ports", "pass", "51820", str(GOOD_MESH.gossip_port), "9464")
    for name in ("capabilities", "storage", "key", "conflicts", "wireguard", "tun", "multicast", "mtu",
                 "clock"):
        assert [c["result"] for c in said.lines(name)] == ["pass"], said.lines(name)
    assert said.seconds < within(3)


def test_it_changes_nothing(lab, volume):
    port = lab.port()
    links, before = port.run("ip", "-details", "address").stdout, listing(volume)
    assert examine(lab, volume=volume, port=port).code == OK
    assert listing(volume) == before
    assert re.sub(r"valid_lft.*", "", port.run("ip", "-details", "address").stdout) == \
        re.sub(r"valid_lft.*", "", links)


def test_it_leaves_nothing_on_a_file_system_without_nameless_files_either(lab, volume):
    assert examine(lab, volume=lab.fuse(volume).path).lines("storage", "pass")
    assert listing(volume) == []


def test_beside_a_running_node_it_finds_what_the_node_has_in_order(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    # The last that a start writes.
    eventually(lambda: "served=" in (volume / ".wgmesh.volume").read_text(), "the key in the marker")
    before = listing(volume)
    said = visit(node)
    assert said.code == OK, said.said
    said.find("version", "pass", "in the node that runs")
    said.find("wireguard", "pass", "the node that runs uses")
    said.find("storage", "pass", "wgmesh-init calls it persistent")
    said.find("key", "pass", node.public_key, node.mesh_ip)
    said.find("conflicts", "pass", "wg0 is ours")
    said.find("ports", "pass", "51820 (WireGuard, ours)", f"{GOOD_MESH.gossip_port} (gossip, ours)")
    said.find("peers", "warn", "hears nobody", str(GOOD_MESH.gossip_port))
    assert listing(volume) == before


def test_beside_a_running_node_it_needs_neither_a_secret_nor_rights(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    result = node.run("setpriv", "--reuid=65532", "--clear-groups", "--bounding-set=-all", "env",
                      "-u", "WGMESH_SECRET_FILE", "wgmesh", "doctor", check=False)
    assert result.returncode == OK, result.stdout + result.stderr
    assert "none was given here; the node that runs has one, of network " \
        + GOOD_MESH.network_id[:8].hex() in result.stdout
    assert "the node that runs has CAP_NET_ADMIN; uid 65532 here need not" in result.stdout


def test_it_works_where_there_is_nothing_but_the_program(lab, variant):
    program = CHECKOUT / "build" / variant / "wgmesh"
    root = lab.host_directory("root")
    linked = subprocess.run(["ldd", program], text=True, stdout=subprocess.PIPE, check=True).stdout
    for path in [str(program), *re.findall(r"(/\S+) \(", linked)]:
        target = root / ("wgmesh" if path == str(program) else path.lstrip("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-L", path, target], check=True)
    box = idle(lab, mounts=[Mount.bind(root, "/mnt")])
    if variant == "asan":
        # A sanitizer cannot do without; we can.
        (root / "proc").mkdir()
        box.run("mount", "-t", "proc", "proc", "/mnt/proc")
    result = box.run("chroot", "/mnt", "/wgmesh", "doctor", check=False)
    assert result.returncode == USAGE and "there is no mesh secret" in result.stdout, result
    assert "wgmesh init --secret" in result.stdout


# For people


def test_on_a_terminal_lines_are_broken_and_aligned_and_nothing_else_is_sent_there(lab):
    screen = terminal.Terminal()
    screen.resize(24, 80)
    box = lab.container("doctor", ["wgmesh", "doctor"], terminal=screen)
    box.wait()
    shown = screen.read_rest().replace("\r", "")
    screen.close()
    assert "\x1b" not in shown
    lines = shown.split("\n")
    assert all(len(line) <= 80 for line in lines), lines
    table = lines[:lines.index("")]
    assert all(line[:19].strip() == "" or re.match(r"(pass|warn|fail|skip)  \S+ ", line)
               for line in table), table
    assert lines[-2] == "worst: fail, exit code 64"


def test_on_a_terminal_it_says_what_it_waits_for(lab):
    silent = lab.port()
    silent.run("nft", "add table inet filter; "
               "add chain inet filter input { type filter hook input priority 0; policy drop; }")
    screen = terminal.Terminal()
    box = lab.container("doctor", ["wgmesh", "doctor", gossip(silent.address), "--timeout=3s"], terminal=screen,
                        env={"WGMESH_SECRET": GOOD_SECRET})
    screen.read_until("wgmesh: still waiting for the node that --peer names")
    box.wait()
    assert f"{silent.address}:{GOOD_MESH.gossip_port} is silent" in screen.read_rest().replace("\r\n", "\n")
    screen.close()


def test_a_wrong_option_is_refused(lab):
    for wrong in (["--peer=nowhere"], ["--listen-port=x"], ["--mesh-subnet=x"], ["--http=x:y"], ["now"]):
        box = lab.container("doctor", ["wgmesh", "doctor", *wrong])
        assert box.wait() == USAGE
        assert wrong[0].partition("=")[0] in box.log.text()


# The secret


@pytest.mark.parametrize("given, words", [
    ({"secret": None}, ["there is no mesh secret", "wgmesh init --secret"]),
    ({"secret": "too-short-4-us"}, ["at least 16"]),
    ({"env": {"WGMESH_SECRET": SECRET}}, ["twice", "WGMESH_SECRET_FILE"]),
    ({"secret": None, "env": {"WGMESH_SECRET_FILE": "/run/secrets/absent"}},
     ["/run/secrets/absent", "No such file"]),
], ids=["missing", "short", "twice", "absent"])
def test_a_secret_that_join_would_refuse(lab, volume, given, words):
    said = examine(lab, volume=volume, **given)
    assert said.code == USAGE
    said.find("secret", "fail", *words)
    assert "too-short-4-us" not in said.said


def test_a_secret_that_people_made_up_is_called_guessable(lab):
    said = examine(lab, secret="correct horse battery staple")
    said.find("secret", "warn", "guessable", "wgmesh init --secret")
    assert "correct horse" not in said.said


def test_what_slipped_into_the_secret_is_pointed_at(lab):
    examine(lab, secret=f'"{GOOD_SECRET}"').find("secret", "warn", "quotation mark")
    examine(lab, secret=f"{GOOD_SECRET}\nsecond line").find("secret", "warn", "several lines")
    examine(lab, secret=f"\ufeff{GOOD_SECRET}").find("secret", "warn", "byte order mark")
    assert len(examine(lab, secret=f"  {GOOD_SECRET} \r\n\n").lines("secret")) == 1


def test_a_secret_file_that_everybody_on_the_host_may_read_is_a_warning(lab):
    path = lab.secret_file(GOOD_SECRET)
    env, mounts = {"WGMESH_SECRET_FILE": SECRET_FILE}, [Mount.bind(path, SECRET_FILE)]
    path.chmod(0o644)
    examine(lab, secret=None, env=env, mounts=mounts).find("secret", "warn", "mode 644", "chmod 600")
    path.chmod(0o600)
    assert examine(lab, secret=None, env=env, mounts=mounts).lines("secret", "warn") == []


def test_a_secret_file_that_never_answers_holds_nobody_up(lab):
    os.mkfifo(lab.directory / "fifo")
    mount = Mount("file", str(lab.directory / "fifo"), SECRET_FILE, "rw")
    said = examine(lab, secret=None, env={"WGMESH_SECRET_FILE": SECRET_FILE}, mounts=[mount])
    assert said.code == USAGE and said.seconds < within(3.5)
    said.find("secret", "fail", "does not answer")


def test_another_secret_than_the_node_had_is_named(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    address = node.mesh_ip
    assert node.stop() == 0
    assert len(examine(lab, volume=volume).lines("secret")) == 1
    said = examine(lab, volume=volume, secret=SECRET)
    assert said.code == FAILURE
    said.find("secret", "fail", "not the secret that this node had", address, "another mesh")


def test_another_secret_is_named_also_after_the_node_has_run_with_it(lab, volume):
    for secret in (GOOD_SECRET, SECRET):
        node = lab.node("node", volume=volume, secret=secret)
        node.wait_until_up()
        assert node.stop() == 0
    examine(lab, volume=volume, secret=SECRET).find("secret", "warn", "once had another secret")


@pytest.mark.parametrize("how", ["option", "variable"])
def test_the_secret_is_shown_to_nobody_while_the_doctor_waits(lab, volume, how):
    hanging = lab.fuse(volume)
    box = idle(lab, mounts=[Mount.bind(hanging.path, STATE_DIR)])
    given = [f"--secret={GOOD_SECRET}"] if how == "option" else []
    env = [] if how == "option" else [f"WGMESH_SECRET={GOOD_SECRET}"]
    hanging.hang()
    doctor = box.popen("env", *env, "wgmesh", "doctor", *given, stdout=subprocess.PIPE)
    try:
        # The two that stay: the doctor, and whoever waits for the storage. Before them comes the one that
        # reads the secret, as it was given.
        eventually(lambda: len(said := doctors(box)) == 2 and not any(GOOD_SECRET.encode() in text for text in said),
                   "two processes of the doctor that do not show the secret")
    finally:
        hanging.answer()
        shown = doctor.communicate(timeout=30)[0]
    assert GOOD_MESH.network_id[:8].hex() in shown and GOOD_SECRET not in shown


def doctors(box):
    """What /proc shows of each of the doctor's processes in a container."""
    found = []
    for path in box.root("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if path.read_bytes().split(b"\0")[1:2] == [b"doctor"]:
                found.append(path.read_bytes() + path.with_name("environ").read_bytes())
    return found


# Rights


def test_a_capability_that_was_never_given(lab, volume):
    said = examine(lab, volume=volume, caps=DOCKER_CAPS)
    assert said.code == NO_PERMISSION
    said.find("capabilities", "fail", "bounding set", "--cap-add NET_ADMIN", "cap_add: [NET_ADMIN]")


def test_a_capability_that_a_user_does_not_get(lab, volume):
    said = examine(lab, volume=volume, user=USER)
    assert said.code == NO_PERMISSION
    said.find("capabilities", "fail", "uid 65532", "root only", "runAsUser")


def test_a_file_capability_that_no_new_privs_takes_away(lab, volume, variant):
    if variant == "asan":
        pytest.skip("a sanitized program with file capabilities ignores its options")
    caps = {"file_caps": {"wgmesh": "cap_net_admin+ep"}, "user": USER,
            "mounts": [Mount.tmpfs("/run/wireguard", "mode=700,uid=65532,gid=65532")]}
    assert examine(lab, volume=volume, **caps).failures() == []
    said = examine(lab, volume=volume, no_new_privs=True, **caps)
    assert said.code == NO_PERMISSION
    said.find("capabilities", "fail", "no_new_privs", "allowPrivilegeEscalation: false")


def test_a_network_that_belongs_to_others(lab, volume):
    said = examine(lab, user_namespace=lab.user_namespace(65536))
    assert said.code == NO_PERMISSION
    said.find("capabilities", "fail", "user namespace", "--userns=host")


# The storage


def test_a_full_disk(lab):
    mount = Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532,size=64k")
    box = idle(lab, mounts=[mount])
    box.run("sh", "-c", f"cat /dev/zero >{STATE_DIR}/filler", check=False)
    said = visit(box)
    said.find("storage", "fail", STATE_DIR, "full", "no space is left", "df -h")
    box.run("sh", "-c", f"rm {STATE_DIR}/filler")
    visit(box).find("storage", "fail", "less than 1 MiB")


def test_a_disk_without_inodes(lab):
    mount = Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532,size=8m,nr_inodes=8")
    said = examine(lab, mounts=[mount])
    assert said.code == IO_ERROR
    said.find("storage", "fail", "inodes", "df -i")


def test_a_volume_that_is_read_only(lab, volume):
    said = examine(lab, mounts=[Mount.bind(volume, STATE_DIR, read_only=True)])
    assert said.code == CANNOT_CREATE
    said.find("storage", "fail", STATE_DIR, "read-only", ":ro")


def test_a_volume_that_belongs_to_somebody_else(lab):
    theirs = lab.volume("theirs")
    theirs.chmod(0o700)
    said = examine(lab, volume=theirs, user=USER, ambient=frozenset({"net_admin"}))
    assert said.code == NO_PERMISSION
    said.find("storage", "fail", "uid 65532", STATE_DIR, "0:0", "0700", "chown")
    theirs.chmod(0o755)
    said = examine(lab, volume=theirs, user=USER, ambient=frozenset({"net_admin"}))
    assert said.code == NO_PERMISSION
    said.find("storage", "fail", "uid 65532", "0:0", "0755", "chown")


def test_root_writes_as_the_user_whom_the_volume_belongs_to(lab, volume):
    examine(lab, volume=volume).find("storage", "pass", "uid 65532")


def test_storage_that_hangs_is_told_within_three_seconds(lab, volume):
    hanging = lab.fuse(volume)
    box = idle(lab, mounts=[Mount.bind(hanging.path, STATE_DIR)])
    hanging.hang()
    try:
        said = visit(box)
        assert said.code == USAGE and said.seconds < within(3.5)
        said.find("storage", "fail", STATE_DIR, "hangs")
        assert said.lines("clock", "pass")
    finally:
        hanging.answer()


def test_storage_that_will_not_last(lab):
    said = examine(lab)
    assert said.code == OK
    said.find("storage", "warn", "no volume is mounted", "docker run -v")
    said = examine(lab, mounts=[Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532")])
    said.find("storage", "warn", "in memory")


def test_a_directory_that_another_node_uses(lab, volume):
    first = lab.node("first", volume=volume, secret=GOOD_SECRET)
    first.wait_until_up()
    said = examine(lab, volume=volume)
    assert said.code == LOCKED
    said.find("storage", "fail", "first", "a volume of its own")


def test_a_key_that_is_damaged_or_open_to_others(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    assert node.stop() == 0
    (volume / "wg0.json").chmod(0o644)
    examine(lab, volume=volume).find("key", "warn", "mode 644", "chmod 600")
    (volume / "wg0.json").write_text("{}")
    said = examine(lab, volume=volume)
    assert said.code == DAMAGED
    said.find("key", "fail", "wg0.json", "wgmesh state restore")


# WireGuard


def test_neither_module_nor_program(lab, volume):
    said = examine(lab, volume=volume, absent=("/usr/bin/wireguard-go",))
    assert said.code == NO_WIREGUARD
    said.find("wireguard", "fail", "the kernel has no WireGuard", "wireguard-go", "modprobe wireguard")


def test_a_backend_that_is_not_there(lab, volume):
    said = examine(lab, "--backend=kernel", volume=volume)
    assert said.code == NO_WIREGUARD
    said.find("wireguard", "fail", "--backend=kernel", "modprobe wireguard")
    said.find("tun", "skip")


def test_the_backend_that_was_asked_for_is_nothing_to_warn_about(lab, volume):
    said = examine(lab, "--backend=userspace", volume=volume)
    assert said.worst == "pass", said.said
    said.find("wireguard", "pass", "wireguard-go")


def test_without_the_right_to_make_namespaces_the_kernel_is_asked(lab, volume):
    """Root in most containers has no CAP_SYS_ADMIN: the answer is the same."""
    tried, asked = (examine(lab, volume=volume, **caps).lines("wireguard") for caps in ({"caps": None}, {}))
    assert [c["result"] for c in tried] == [c["result"] for c in asked]


def test_a_tun_device_that_is_missing(lab, volume):
    said = examine(lab, volume=volume, absent=("/dev/net/tun",))
    assert said.code == NO_WIREGUARD
    said.find("tun", "fail", "not there", "--device /dev/net/tun", "devices: [/dev/net/tun]")


def test_a_tun_device_that_is_something_else(lab, volume):
    said = examine(lab, volume=volume, mounts=[Mount("file", "/dev/null", "/dev/net/tun", "rw")])
    assert said.code == NO_WIREGUARD
    said.find("tun", "fail", "not the character device 10:200")


def test_a_tun_device_that_only_root_may_open(lab, volume):
    theirs = lab.directory / "tun"
    os.mknod(theirs, stat.S_IFCHR | 0o600, os.makedev(10, 200))
    said = examine(lab, volume=volume, user=USER, ambient=frozenset({"net_admin"}),
                   mounts=[Mount("file", str(theirs), "/dev/net/tun", "rw"),
                           Mount.tmpfs("/run/wireguard", "mode=700,uid=65532,gid=65532")])
    assert said.code == NO_WIREGUARD
    said.find("tun", "fail", "0:0", "0600", "chmod 666")


def test_no_place_for_the_userspace_programs_socket(lab, volume):
    said = examine(lab, volume=volume, user=USER, ambient=frozenset({"net_admin"}))
    assert said.code == CANNOT_CREATE
    said.find("wireguard", "fail", "/var/run/wireguard", "/run")


# The network


def test_a_foreign_interface_of_that_name(lab, volume):
    port = lab.port()
    port.ip("link add wg0 type veth peer name foreign")
    said = examine(lab, volume=volume, port=port)
    assert said.code == POLICY
    said.find("conflicts", "fail", "wg0", "veth", "--interface")


def test_an_address_of_the_host_inside_the_meshs_subnet(lab, volume):
    port = lab.port()
    port.ip(f"addr add 10.{GOOD_MESH.subnet[0]}.7.1/24 dev eth0")
    said = examine(lab, volume=volume, port=port)
    assert said.code == OK
    said.find("conflicts", "warn", f"10.{GOOD_MESH.subnet[0]}.7.1/24 of eth0", "--mesh-subnet")
    assert said.lines("conflicts", "pass") == []
    said = examine(lab, "--mesh-subnet=10.254.0.0/16", volume=volume, port=port)
    assert said.lines("conflicts", "pass")


def test_a_route_of_the_host_inside_the_meshs_subnet(lab, volume):
    port = lab.port()
    port.ip(f"route add 10.{GOOD_MESH.subnet[0]}.7.0/24 dev eth0")
    examine(lab, volume=volume, port=port).find("conflicts", "warn", "route", "eth0")


def test_a_port_that_is_taken(lab, volume):
    port = lab.port()
    with port.socket(socket.AF_INET, socket.SOCK_DGRAM) as blocker:
        blocker.bind(("0.0.0.0", 51820))
        said = examine(lab, volume=volume, port=port)
        assert said.code == SYSTEM
        said.find("ports", "fail", "51820", "taken", "--listen-port")
        assert examine(lab, "--listen-port=51821", volume=volume, port=port).code == OK


def test_a_port_that_is_taken_on_ipv6_only(lab, volume):
    port = lab.port()
    with port.socket(socket.AF_INET6, socket.SOCK_DGRAM) as blocker:
        blocker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        blocker.bind(("::", GOOD_MESH.gossip_port))
        said = examine(lab, volume=volume, port=port)
        assert said.code == SYSTEM
        said.find("ports", "fail", str(GOOD_MESH.gossip_port), "gossip")


def test_an_http_address_that_is_taken_or_not_ours(lab, volume):
    port = lab.port()
    with port.socket(socket.AF_INET, socket.SOCK_STREAM) as blocker:
        blocker.bind(("127.0.0.1", 9464))
        blocker.listen()
        examine(lab, volume=volume, port=port).find("ports", "warn", "127.0.0.1:9464", "--http")
        assert examine(lab, "--http=none", volume=volume, port=port).lines("ports", "warn") == []
    said = examine(lab, "--http=192.0.2.9:80", volume=volume, port=port)
    said.find("ports", "warn", "192.0.2.9:80", "--http")


@pytest.mark.parametrize("rule, words", [
    ("input udp dport 51820 drop", ["51820", "swallowed"]),
    ("input udp dport 51820 reject", ["51820", "rejected"]),
    (f"output udp dport {GOOD_MESH.gossip_port} drop", [str(GOOD_MESH.gossip_port), "refuses to send"]),
    (f"output udp sport {GOOD_MESH.gossip_port} drop", [str(GOOD_MESH.gossip_port), "refuses to send"]),
    ("output oifname eth0 udp sport 51820 drop", ["51820", "refuses to send"]),
])
def test_a_port_that_the_hosts_own_firewall_blocks(lab, volume, rule, words):
    port = lab.port()
    hook = rule.partition(" ")[0]
    port.run("nft", "add table inet filter; "
             f"add chain inet filter {hook} {{ type filter hook {hook} priority 0; }}; "
             f"add rule inet filter {rule}")
    said = examine(lab, volume=volume, port=port)
    assert said.code == FAILURE
    said.find("ports", "fail", "blocked", "firewall", "nft", *words)


def test_multicast_that_the_hosts_own_firewall_drops(lab, volume):
    port = lab.port()
    port.run("nft", "add table ip filter; "
             "add chain ip filter input { type filter hook input priority 0; }; "
             "add rule ip filter input ip daddr 224.0.0.0/4 drop")
    examine(lab, volume=volume, port=port).find("multicast", "warn", "did not come back", "firewall")


def test_a_container_without_a_network(lab, volume):
    port = lab.port()
    port.ip("link del eth0")
    said = examine(lab, volume=volume, port=port)
    assert said.code == OK
    said.find("multicast", "warn", "--network none")
    said.find("mtu", "warn", "loopback")


def test_lan_discovery_that_is_turned_off_needs_no_multicast(lab, volume):
    examine(lab, volume=volume, env={"WGMESH_NO_LAN_DISCOVERY": "true"}).find("multicast", "skip")


def test_an_mtu_that_does_not_fit(lab, volume):
    port = lab.port()
    port.ip("link set eth0 mtu 1400")
    examine(lab, volume=volume, port=port).find("mtu", "pass", "tunnel 1320", "network 1400")
    said = examine(lab, "--mtu=1420", volume=volume, port=port)
    said.find("mtu", "warn", "1420", "1400", "--mtu 1320")


def test_networks_are_advertised_that_nothing_is_forwarded_to(lab, volume):
    port = lab.port()
    env = {"WGMESH_ADVERTISE_ROUTES": "192.168.7.0/24"}
    port.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward")
    said = examine(lab, volume=volume, port=port, env=env)
    said.find("forwarding", "warn", "IPv4", "net.ipv4.ip_forward=1")
    examine(lab, volume=volume, port=port).find("forwarding", "skip", "IPv4 off")
    port.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; "
             "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; "
             "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter")
    examine(lab, volume=volume, port=port, env=env).find("forwarding", "warn", "rp_filter=2")
    port.run("sh", "-c", "for f in all default; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done")
    examine(lab, volume=volume, port=port, env=env).find("forwarding", "pass")


# A node in trouble


def test_why_a_node_ended_is_repeated_while_wgmesh_init_holds_the_container(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET, init=["--on-loop=hold"],
                    join=["--listen-port=7"], env={"WGMESH_LISTEN_PORT": "51820"},
                    absent=("/usr/bin/wireguard-go",))
    eventually(lambda: visit(node).lines("node", "fail"), "the end of the node")
    said = visit(node)
    said.find("node", "fail", "ended with code 69", "WireGuard")
    assert said.code == NO_WIREGUARD


def test_a_node_that_hangs_is_told_within_three_seconds(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET, init=["--watchdog=0"])
    node.wait_until_up()
    node.mesh_process().signal(signal.SIGSTOP)
    said = visit(node)
    assert said.code == FAILURE and said.seconds < within(3.5)
    said.find("node", "fail", "does not answer", "hangs")
    # What it holds is still known to be its own.
    assert said.failures() == ["node"]


def test_whom_the_node_does_not_answer_is_told_to_be_root(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    result = node.run("setpriv", "--reuid=1000", "--clear-groups", "wgmesh", "doctor")
    assert "a node runs here, but answers only root and its own user" in result.stdout
    assert "taken" not in result.stdout, result.stdout


def test_a_port_that_is_blocked_under_a_running_node(lab, volume):
    node = lab.node("node", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    assert visit(node).failures() == []
    node.port.run("nft", "add table inet filter; "
                  "add chain inet filter input { type filter hook input priority 0; }; "
                  f"add rule inet filter input udp dport {GOOD_MESH.gossip_port} drop")
    said = visit(node)
    said.find("ports", "fail", str(GOOD_MESH.gossip_port), "blocked", "swallowed")
    assert said.code == FAILURE and said.seconds < within(3)


# One node that is asked


def test_a_node_that_is_there_answers_and_does_not_take_the_doctor_for_a_peer(lab, volume):
    node = lab.node("there", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    said = examine(lab, gossip(node.port.address))
    said.find("peers", "pass", "there", node.public_key)
    said.find("mtu", "pass", "the way to peers")
    assert said.code == OK and said.seconds < within(3)
    assert node.wg("peers") == []


def test_a_node_with_another_secret_or_none_at_all(lab, volume):
    node = lab.node("other", volume=volume, secret=SECRET)
    node.wait_until_up()
    said = examine(lab, gossip(node.port.address), "--timeout=1s")
    assert said.code == FAILURE
    said.find("peers", "fail", "nothing listens", "secret", str(GOOD_MESH.gossip_port))
    said = examine(lab, f"--peer={node.port.address}:{Mesh(SECRET).gossip_port}", "--timeout=1s")
    said.find("peers", "fail", "is silent", "the secrets differ, which is likely")
    assert said.seconds < within(4)


def test_a_node_behind_a_firewall(lab, volume):
    node = lab.node("there", volume=volume, secret=GOOD_SECRET)
    node.wait_until_up()
    node.port.run("nft", "add table inet filter; "
                  "add chain inet filter input { type filter hook input priority 0; }; "
                  f"add rule inet filter input udp dport {GOOD_MESH.gossip_port} drop")
    said = examine(lab, gossip(node.port.address), "--timeout=7s", within=15)
    assert said.code == FAILURE
    said.find("peers", "fail", "announces itself on the LAN", "blocked")


def test_a_node_that_this_host_may_not_send_to(lab):
    port = lab.port()
    port.run("nft", "add table inet filter; "
             "add chain inet filter output { type filter hook output priority 0; }; "
             f"add rule inet filter output ip daddr {lab.switch.gateway} drop")
    said = examine(lab, gossip(lab.switch.gateway), "--timeout=1s", port=port)
    said.find("peers", "fail", "cannot be reached", "firewall")


def test_a_node_is_not_asked_without_the_secret(lab):
    examine(lab, gossip("192.0.2.1"), secret=None).find("peers", "skip", "that takes the secret")


def test_a_secret_that_comes_by_a_pipe_is_read_as_it_is():
    done = subprocess.run([person.program(), "doctor", "--json", "--state-dir=none", "--secret-file=/dev/stdin"],
                          input=GOOD_SECRET, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=30, check=False, env=person.environment())
    read(done.returncode, done.stdout, done.stderr).find("secret", "pass", GOOD_MESH.network_id[:8].hex())


def test_a_peer_without_a_port_is_asked_at_that_of_the_secret(lab):
    said = examine(lab, "--peer=127.0.0.1")
    said.find("peers", "fail", f"127.0.0.1:{GOOD_MESH.gossip_port}")
