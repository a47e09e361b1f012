# SPDX-License-Identifier: MIT
"""`wgmesh test-peer`: it tells what is there, or what is wrong, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import socket
import time

import pytest

from lib import person
from lib import peer as protocol
from lib.container import Mount, Process
from lib.lab import SECRET
from lib.peer import Mesh
from lib.wait import eventually

pytestmark = pytest.mark.asan

PORT = Mesh(SECRET).gossip_port
NAME = "wgmesh-test-peer"


def inside(box):
    """The processes in a container that did not begin there, as those of `docker exec`."""
    ours = os.readlink(f"/proc/{box.pid}/ns/pid")
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.readlink(f"/proc/{name}/ns/pid") == ours:
                yield Process(int(name))


class Asker:
    """A container without a node, in which the command is typed."""

    def __init__(self, lab, secret=SECRET):
        mount = Mount.bind(lab.secret_file(secret), "/secret", read_only=True)
        self.box = lab.container("tester", ["sleep", "600"], mounts=[mount])

    @property
    def address(self):
        return self.box.port.address

    def ask(self, peer, *options):
        """Its exit code and what it says as JSON."""
        done = self.box.run("wgmesh", "test-peer", "--secret-file=/secret", "--peer", peer, "--json",
                            *options, check=False)
        return done.returncode, json.loads(done.stdout)

    def start(self, peer, *options):
        return self.box.popen("wgmesh", "test-peer", "--secret-file=/secret", "--peer", peer, *options)

    def process(self):
        """The process of the command that start() started."""
        return eventually(lambda: next((p for p in inside(self.box) if "test-peer" in p.argv), None),
                          "the command")


@pytest.fixture
def tester(lab):
    return Asker(lab)


@pytest.fixture
def old(lab):
    """A node of the other implementation."""
    return lab.peer("old")


def configured(node):
    return sorted(key for key, *_ in node.wg("allowed-ips"))


def table(node):
    """Every key that a node knows, silent ones too."""
    shown = json.loads(node.run("wgmesh", "status", "--json").stdout)
    return sorted(entry["pubkey"] for entry in shown["peers_detail"])


def waiting_bytes(node):
    """What lies in the receive queue of the exchange."""
    for line in node.run("cat", "/proc/net/udp6").stdout.splitlines()[1:]:
        cells = line.split()
        if cells[1].endswith(f":{PORT:04X}"):
            return int(cells[4].partition(":")[2], 16)
    return 0


def counters(node):
    return json.loads(node.run("wgmesh", "status", "--json").stdout)["counters"]


def test_it_tells_who_is_there(lab, tester):
    one = lab.node("one", volume=lab.volume("one"), join=["--advertise-routes=192.168.7.0/24"])
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    code, said = tester.ask(one.port.address)
    node = said["node"]
    assert (code, said["result"], said["asked"]) == (0, "answered", f"{one.port.address}:{PORT}")
    assert (node["pubkey"], node["hostname"]) == (one.public_key, "one")
    assert (node["mesh_ip"], node["mesh_ipv6"]) == (one.mesh_ip, one.mesh_ip6)
    assert node["observed_endpoint"].startswith(f"{tester.address}:") and node["rtt_us"] > 0
    assert node["routable_networks"] == ["192.168.7.0/24"] and node["same_program"] is True
    assert [known["pubkey"] for known in node["known_peers"]] == [two.public_key]
    assert abs(said["clock_skew_s"]) <= 2 and said["hellos_sent"] == 1


def test_it_works_over_ipv6_from_a_port_that_was_asked_for(lab, tester):
    node = lab.node("node", volume=lab.volume("node"))
    node.wait_until_up()
    code, said = tester.ask(f"[{node.port.address6}]:{PORT}", "--port=4711")
    assert code == 0 and said["node"]["observed_endpoint"] == f"[{tester.box.port.address6}]:4711"


def test_the_port_of_a_node_that_runs_here_is_refused_and_not_taken_from_it(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    done = one.run("wgmesh", "test-peer", "--peer", two.port.address, f"--port={PORT}", check=False)
    assert done.returncode == 1 and f"UDP port {PORT}" in done.stderr and not done.stdout


def test_a_node_of_ours_takes_nothing_in(lab, tester):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip), "the tunnel")
    before = configured(one), table(one), one.handshakes()
    for _ in range(3):
        assert tester.ask(one.port.address)[0] == 0
    # Whatever it did with the key is done when it has answered the next question.
    assert (configured(one), table(one), one.handshakes()) == before
    assert not one.find_log(NAME) and not two.find_log(NAME)
    assert NAME not in one.log.text() + two.log.text()


def test_a_node_of_ours_takes_nothing_in_when_the_command_is_killed(lab, tester):
    node = lab.node("node", volume=lab.volume("node"))
    node.wait_until_up()
    before = configured(node), table(node)
    # The node gets to the question only when whoever asked is dead.
    node.mesh_process().signal(signal.SIGSTOP)
    tester.start(f"{node.port.address}:{PORT}", "--timeout=60s")
    eventually(lambda: waiting_bytes(node) > 0, "the question")
    tester.process().signal(signal.SIGKILL)
    node.mesh_process().signal(signal.SIGCONT)
    eventually(lambda: waiting_bytes(node) == 0, "the node to take it")
    assert counters(node)["replies_sent"] > 0
    assert (configured(node), table(node)) == before
    assert NAME not in node.log.text()


def test_an_existing_node_hears_a_goodbye_of_the_same_key(tester, old):
    code, said = tester.ask(old.port.address)
    assert code == 0 and said["node"]["same_program"] is False
    hello = old.wait_for("HELLO")
    goodbye = old.wait_for("GOODBYE")
    assert goodbye.body["wg_pubkey"] == hello.body["wg_pubkey"]
    assert len(protocol.base64.b64decode(hello.body["wg_pubkey"])) == 32
    assert goodbye.source == hello.source, "existing nodes may check where it comes from"
    # An address that no node has: the key of an existing peer would lose its packets to us otherwise.
    assert hello.body["mesh_ip"].endswith(".255.255") and "mesh_ipv6" not in hello.body
    assert hello.body["hostname"] == NAME and hello.body["visitor"] is True


@pytest.mark.parametrize("ahead", [-300, 300])
def test_the_goodbye_has_the_time_of_whoever_is_to_believe_it(tester, old, ahead):
    code, said = reply_with(tester, old, old.seal("REPLY", old.announcement(timestamp=int(time.time()) + ahead)))
    assert code == 0 and abs(said["clock_skew_s"] - ahead) <= 3
    # Existing nodes take in who is ten minutes off, and let go of whom one minute ago.
    assert abs(old.wait_for("GOODBYE").body["timestamp"] - (time.time() + ahead)) < 30


def test_an_existing_node_that_lists_the_key_that_asks_is_understood(tester, old):
    old.answers_hello = False
    command = tester.box.popen("wgmesh", "test-peer", "--secret-file=/secret", "--peer", old.port.address,
                               "--json", stdout=-1, stderr=-1)
    hello = old.wait_for("HELLO")
    entry = {name: hello.body[name] for name in ("wg_pubkey", "mesh_ip", "wg_endpoint", "hostname")}
    other = {"wg_pubkey": protocol.new_key()[1], "mesh_ip": "10.1.2.3", "wg_endpoint": "192.0.2.1:51820"}
    address, port = hello.source
    old.send(old.seal("REPLY", old.announcement(known_peers=[entry, other])), address, port)
    said = json.loads(command.communicate(timeout=20)[0])
    assert command.returncode == 0
    assert [known["pubkey"] for known in said["node"]["known_peers"]] == [other["wg_pubkey"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_interrupted_says_goodbye_all_the_same(tester, old, number):
    old.answers_hello = False
    tester.start(old.port.address, "--timeout=60s")
    hello = old.wait_for("HELLO")
    tester.process().signal(number)
    assert old.wait_for("GOODBYE").body["wg_pubkey"] == hello.body["wg_pubkey"]


# What can be wrong

def causes(said):
    return [text.partition(":")[0].partition(",")[0] for text in said["causes"]]


def test_a_port_where_nothing_listens_is_told_at_once(lab, tester):
    port = lab.port()
    started = time.monotonic()
    code, said = tester.ask(f"{port.address}:{PORT}")
    assert (code, said["result"]) == (1, "refused") and causes(said)[0] == "no node runs there"
    assert time.monotonic() - started < 5
    code, said = tester.ask(f"{port.address}:99")
    assert (code, said["result"]) == (1, "refused") and causes(said)[0] == "wrong port"
    assert f"{PORT}" in said["causes"][0]


def test_the_same_over_ipv6(lab, tester):
    code, said = tester.ask(f"[{lab.port().address6}]:{PORT}")
    assert (code, said["result"]) == (1, "refused")


def test_an_address_without_a_route_is_told(tester):
    code, said = tester.ask("198.51.100.1")
    assert (code, said["result"]) in ((1, "unreachable"), (1, "silent"))
    tester.box.run("ip", "route", "add", "unreachable", "203.0.113.0/24")
    code, said = tester.ask("203.0.113.1")
    assert (code, said["result"]) == (1, "unreachable") and "No route to host" in said["text"]


def test_a_wrong_secret_is_silence_that_names_both_meshes(lab):
    node = lab.node("node", volume=lab.volume("node"))
    node.wait_until_up()
    tester = Asker(lab, secret="quite another secret")
    code, said = tester.ask(f"{node.port.address}:{PORT}", "--timeout=1s")
    assert (code, said["result"]) == (1, "silent")
    assert causes(said) == ["wrong port", "wrong secret", "blocked port", "wrong address", "clocks"]
    assert Mesh("quite another secret").network_id[:8].hex() in said["causes"][1]
    assert str(Mesh("quite another secret").gossip_port) in said["causes"][0]


def test_a_blocked_port_is_told_from_a_wrong_secret_by_what_is_heard_on_the_lan(tester, old):
    old.answers_hello = False
    command = tester.box.popen("wgmesh", "test-peer", "--secret-file=/secret", "--peer", old.port.address,
                               "--json", "--timeout=2s", stdout=-1, stderr=-1)
    old.wait_for("HELLO")
    old.announce()
    said = json.loads(command.communicate(timeout=20)[0])
    assert (command.returncode, said["result"], causes(said)) == (1, "silent", ["blocked port"])


def test_a_clock_that_is_off_is_heard_on_the_lan(tester, old):
    old.answers_hello = False
    command = tester.box.popen("wgmesh", "test-peer", "--secret-file=/secret", "--peer", old.port.address,
                               "--json", "--timeout=2s", stdout=-1, stderr=-1)
    old.wait_for("HELLO")
    old.announce(timestamp=int(time.time()) - 7205)
    said = json.loads(command.communicate(timeout=20)[0])
    assert (said["result"], causes(said)) == ("silent", ["clocks"])
    assert -7210 <= said["clock_skew_s"] <= -7203 and "2h 0m behind" in said["causes"][0]


def reply_with(tester, old, datagram, *options):
    """What is said when the node answers with this."""
    old.answers_hello = False
    command = tester.box.popen("wgmesh", "test-peer", "--secret-file=/secret", "--peer", old.port.address,
                               "--json", "--timeout=2s", *options, stdout=-1, stderr=-1)
    address, port = old.wait_for("HELLO").source
    old.send(datagram, address, port)
    said = json.loads(command.communicate(timeout=20)[0])
    return command.returncode, said


def test_an_answer_of_another_time_is_told(tester, old):
    code, said = reply_with(tester, old, old.seal("REPLY", old.announcement(timestamp=int(time.time()) + 3605)))
    assert (code, said["result"]) == (1, "stale") and "1h 0m ahead of" in said["causes"][0]


def test_an_answer_that_does_not_open_is_told(tester, old):
    foreign = protocol.seal(b"k" * 32, "REPLY", old.announcement())
    code, said = reply_with(tester, old, foreign)
    assert (code, said["result"], causes(said)) == (1, "not_ours", ["wrong secret"])
    assert "clock_skew_s" not in said, "what was not opened tells no time"


def test_an_answer_of_a_member_that_makes_no_sense_is_told(tester, old):
    code, said = reply_with(tester, old, old.seal("REPLY", old.announcement(mesh_ip="nowhere")))
    assert (code, said["result"]) == (1, "invalid")


def test_an_answer_from_elsewhere_is_told(lab, tester, old):
    old.answers_hello = False
    with lab.port().socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        command = tester.box.popen("wgmesh", "test-peer", "--secret-file=/secret", "--peer", old.port.address,
                                   "--json", stdout=-1, stderr=-1)
        hello = old.wait_for("HELLO")
        # What cannot be opened and was not asked for is nobody's answer.
        elsewhere.sendto(b"noise", hello.source)
        elsewhere.sendto(old.seal("REPLY", old.announcement()), hello.source)
        said = json.loads(command.communicate(timeout=20)[0])
    assert command.returncode == 0 and said["result"] == "answered"
    assert not said["node"]["answered_from"].startswith(old.port.address + ":")


def test_wrong_usage_is_refused(tmp_path, variant):
    (tmp_path / "secret").write_text(SECRET + "\n")
    secret = f"--secret-file={tmp_path / 'secret'}"
    for arguments in ([secret], [secret, "--peer=name.example:1"], [secret, "--peer=10.0.0.1", "more"],
                      ["--peer=10.0.0.1"], [secret, "--peer=10.0.0.1:0"]):
        done = person.run("test-peer", *arguments, variant=variant)
        assert done.returncode == 64 and done.stdout == "", (arguments, done)


def test_people_get_sentences(lab, tester):
    node = lab.node("node", volume=lab.volume("node"))
    node.wait_until_up()
    shown = tester.box.run("wgmesh", "test-peer", "--secret-file=/secret", "--peer", node.port.address).stdout
    assert shown.startswith(f"SUCCESS: {node.port.address}:{PORT}: answers, and has the same secret\n")
    assert f"public key     {node.public_key}" in shown and "its program    this one" in shown
