# SPDX-License-Identifier: MIT
"""`wgmesh status`, `peers`, `log-level` and `reload` on nodes that really run."""

import json
import re
import time

import pytest

from lib import person
from lib.container import Mount
from lib.fakenode import FakeNode
from lib.lab import SECRET
from lib.node import SECRET_FILE
from lib.peer import Mesh
from lib.wait import eventually

pytestmark = pytest.mark.asan


def status(node, *options):
    return node.run("wgmesh", "status", *options).stdout


def field(text, name):
    """The rest of the line that begins with a name, and those that belong to it."""
    match = re.search(rf"(?m)^{name} +(.*(?:\n {{11}}.*)*)", text)
    assert match, f"{name} in {text}"
    return re.sub(r"\n +", " ", match[1])


@pytest.fixture
def pair(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip), "the tunnel")
    return one, two


def test_status_tells_who_the_node_is_and_where_without_a_secret(pair):
    one, two = pair
    text = status(one)
    assert one.public_key in field(text, "identity") and "created; kept since 20" in field(text, "identity")
    assert one.mesh_ip in field(text, "addresses") and one.mesh_ip6 in field(text, "addresses")
    assert field(text, "node") == "one, running, ready"
    assert "wg0, " in field(text, "interface") and "UDP port 51820" in field(text, "interface")
    assert field(text, "network id").startswith(Mesh(SECRET).network_id[:8].hex())
    assert field(text, "storage").startswith("persistent, lasts: /var/lib/wgmesh")
    assert field(text, "proof").startswith("predicted: ")
    assert field(text, "restarts") == "0"
    assert field(text, "peers") == "1 active (1 direct, 0 relayed), 0 silent"
    head, row = text.splitlines()[-2:]
    assert row.split()[:3] == ["two", two.mesh_ip, "direct"] and "PUBLIC KEY" in head
    assert "ALARM" not in text and "NOT READY" not in text


@pytest.mark.kernel
def test_every_column_of_a_peer_has_its_value(pair):
    one, two = pair
    eventually(lambda: " ms" in status(one).splitlines()[-1], "a latency")
    shown = json.loads(status(one, "--json"))
    peer, = shown["peers_detail"]
    assert (peer["hostname"], peer["path"], peer["pubkey"]) == ("two", "direct", two.public_key)
    assert peer["handshake_age_s"] < 60 and peer["rx_bytes"] > 0 and peer["latency_us"] > 0
    assert shown["pubkey"] == one.public_key and shown["supervisor"]["lock"] == "held"
    full = status(one, "--full").splitlines()[-1]
    assert two.public_key in full and two.public_key not in status(one)


def test_a_peer_without_a_tunnel_has_a_line_that_says_why(lab):
    node = lab.node("node", volume=lab.volume("node"))
    node.wait_until_up()
    lab.peer("mute").hello(node.port.address)
    eventually(lambda: "why not: " in status(node), "the reason")
    lines = status(node).splitlines()
    row = next(number for number, line in enumerate(lines) if line.startswith("mute"))
    assert " none " in lines[row] and lines[row + 1].startswith("    why not: ")


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 132])
def test_lines_fit_the_terminal(pair, columns):
    one, _ = pair
    shown = one.run("env", f"COLUMNS={columns}", "wgmesh", "status").stdout.splitlines()
    assert max(map(len, shown)) <= max(columns, 60), shown
    listed = one.run("env", f"COLUMNS={columns}", "wgmesh", "peers", "list").stdout.splitlines()
    assert max(map(len, listed)) <= columns


def test_peers_are_found_by_key_beginning_name_and_address(pair):
    one, two = pair
    for whom in (two.public_key, two.public_key[:6], "two", "TWO", two.mesh_ip):
        found = json.loads(one.run("wgmesh", "peers", "get", whom, "--json").stdout)
        assert found["pubkey"] == two.public_key
    unknown = one.run("wgmesh", "peers", "get", "three", check=False)
    assert unknown.returncode == 1 and 'the name "three"' in unknown.stderr and unknown.stdout == ""
    assert json.loads(one.run("wgmesh", "peers", "count", "--json").stdout) == {"active": 1, "total": 1, "dead": 0}


def test_without_a_node_status_says_what_to_look_at(lab):
    box = lab.container("box", ["wgmesh", "status"], env={"WGMESH_SECRET_FILE": SECRET_FILE},
                        mounts=[Mount.bind(lab.secret_file(SECRET), SECRET_FILE, read_only=True)])
    assert box.wait() == 1
    assert box.stdout.text() == "", "not what follows from the secret: that looks like a node"
    line, = box.log.lines
    assert line.startswith("wgmesh: no node answers at /run/wgmesh/wg0.sock") and "`wgmesh doctor`" in line


def test_without_a_node_status_tells_what_init_knows(lab):
    box = lab.container("box", ["wgmesh-init", "--restart=always", "--on-loop=hold", "--", "wgmesh", "join", "--mtu=x"],
                        mounts=[Mount.bind(lab.volume("box"), "/var/lib/wgmesh")])
    eventually(lambda: "64" in box.run("wgmesh", "status", check=False).stdout, "the view of PID 1")
    result = box.run("wgmesh", "status", check=False)
    assert result.returncode == 1 and "no node answers" in result.stderr
    assert field(result.stdout, "init") and "ended with 64" in field(result.stdout, "restarts")
    assert field(result.stdout, "storage").startswith("persistent, ")


def test_storage_that_will_not_last_is_said_in_status(lab):
    node = lab.node("node")
    node.wait_until_up()
    assert field(status(node), "storage").startswith("layer, LOST when the container is made anew: ")


def test_log_levels_are_changed_and_refused(pair):
    one, _ = pair
    assert one.run("wgmesh", "log-level", "info,exchange=debug").stdout == "info,exchange=debug\n"
    refused = one.run("wgmesh", "log-level", "loud", check=False)
    assert refused.returncode == 1 and '"loud"' in refused.stderr
    assert one.run("wgmesh", "log-level", check=False).returncode == 64


def test_reload_is_done_and_breaks_no_tunnel(pair):
    one, two = pair
    before = one.handshakes()
    assert one.run("wgmesh", "reload").stdout == ""
    assert one.handshakes() == before and one.pings(two.mesh_ip)
    assert one.run("wgmesh", "reload", "--interface=wg9", check=False).returncode == 1


# What no node of ours says

def test_an_answer_of_an_existing_node_is_shown_as_far_as_it_goes(tmp_path, variant):
    answers = {
        "daemon.status": {"mesh_ip": "10.77.0.1", "pubkey": "k" * 43 + "=", "uptime": 61 * 10**9,
                          "interface": "wg0", "version": "v1.2"},
        "peers.list": {"peers": [{"pubkey": "p" * 43 + "=", "hostname": "old", "mesh_ip": "10.77.0.2",
                                  "endpoint": "192.0.2.1:51820", "discovered_via": ["dht"],
                                  "last_seen": "2026-01-01T01:00:00.123456789+01:00", "latency_ms": 7}]},
    }
    with FakeNode(tmp_path / "sock", answers) as fake:
        shown = person.run("status", "--socket-path", fake.path, variant=variant)
        assert shown.returncode == 0 and "uptime     1m 1s" in shown.stdout and "7.0 ms" in shown.stdout
        listed = person.run("peers", "list", "--socket-path", fake.path, variant=variant)
        assert " 7.0 ms  dht" in listed.stdout


@pytest.mark.parametrize("answer", [b"", b"{}\n", b"[]\n", b"nonsense\n", b'{"result": 7}\n', b'{"result": [1]}\n',
                                    b'{"error": "x"}\n', b'{"result": {"peers": 7, "checks": 1, "alarms": {}}}\n'])
def test_an_answer_that_makes_no_sense_is_survived(tmp_path, variant, answer):
    with FakeNode(tmp_path / "sock", {"daemon.status": answer, "peers.list": answer}) as fake:
        for command in (["status"], ["status", "--json"], ["peers", "list"], ["peers", "get", "x"],
                        ["reload"], ["log-level", "info"]):
            done = person.run(*command, "--socket-path", fake.path, variant=variant)
            assert done.returncode in (0, 1, 64), (command, done)
            assert "Sanitizer" not in done.stderr


@pytest.mark.parametrize("answer", [b'{"jsonrpc":"2.0","id":2}', b'{"jsonrpc":"2.0","id":2,"result":null}',
                                    b'{"jsonrpc":"2.0","id":2,"result":[1]}', b"[1]", b"5", b""])
@pytest.mark.parametrize("command", [("status",), ("status", "--json"), ("peers", "list"),
                                     ("peers", "count", "--json"), ("reload",)])
def test_what_is_no_answer_is_not_shown_as_one(tmp_path, command, answer):
    answers = dict.fromkeys(("daemon.status", "peers.list", "peers.count", "daemon.reload"), answer + b"\n")
    with FakeNode(tmp_path / "sock", answers) as fake:
        done = person.run(*command, "--socket-path", fake.path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the node answered with " in done.stderr


def test_a_sentence_about_a_missing_node_ends_with_what_to_do(tmp_path):
    done = person.run("status", "--socket-path", tmp_path / "sock")
    assert done.returncode == 1 and f"{tmp_path}/sock (No such file or directory); " in done.stderr
    assert done.stderr.endswith("`wgmesh doctor` looks for the cause\n")


def test_a_node_that_takes_a_question_and_hangs_is_named(tmp_path):
    with FakeNode(tmp_path / "sock", {"peers.count": lambda params: time.sleep(6)}) as fake:
        done = person.run("peers", "count", "--socket-path", fake.path)
    assert done.returncode == 1 and done.stderr.startswith("wgmesh: the node takes questions, but does not answer")
