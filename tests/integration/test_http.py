# SPDX-License-Identifier: MIT
"""Health over HTTP: what each path answers in each state is what the documentation says."""

import re
import signal
import socket
import stat
import time

import pytest

from lib.container import Mount
from lib.http import LOOPBACK, PATHS, REFUSED, ask, dial, parse, read_all, status
from lib.lab import CHECKOUT
from lib.node import STATE_DIR
from lib.peer import Mesh
from lib.lab import SECRET
from lib.supervised import status as supervisor_status
from lib.wait import eventually

pytestmark = pytest.mark.asan

USAGE = 64
EVERY_SECOND = "--storage-check=1s"
ROW = re.compile(r"^\| (?:`(/\w+)`|endpoint) \|(.*)\|$")

# A userspace WireGuard that starts when it is let.
GATED = """#!/bin/sh
while [ ! -e /srv/gate/open ]; do read -r -t 0.01 _ </srv/gate/never; done 2>/dev/null
exec wireguard-go "$@"
"""


def documented():
    """The table of docs/observe: state to path to status."""
    for path in sorted((CHECKOUT / "docs").glob("observe*.md")):
        rows = [ROW.match(line) for line in path.read_text(encoding="utf-8").splitlines()]
        rows = [(row[1], [cell.strip() for cell in row[2].split("|")]) for row in rows if row]
        head = next((cells for name, cells in rows if name is None), None)
        if head:
            return {state: {name: cells[i] for name, cells in rows if name and len(cells) == len(head)}
                    for i, state in enumerate(head)}
    raise AssertionError("docs/observe*.md has no table of endpoints and states")


DOCUMENTED = documented()


def statuses(node):
    return {path: str(status(node.port, path)) for path in PATHS}


def assert_documented(node, state):
    assert statuses(node) == DOCUMENTED[state], state


def test_the_documentation_knows_every_path():
    assert all(set(paths) == set(PATHS) for paths in DOCUMENTED.values())


# States

def test_a_starting_node_is_live_and_not_ready(lab):
    gate = lab.host_directory("gate")
    script = lab.directory / "gated"
    script.write_text(GATED)
    script.chmod(0o755)
    node = lab.node("web", volume=lab.volume("state"),
                    mounts=[Mount.bind(gate, "/srv/gate"), Mount.bind(script, "/usr/local/bin/gated")],
                    join=["--backend=userspace", "--wireguard-go=gated"])
    eventually(lambda: status(node.port, "/livez") == 200, "a live node")
    assert_documented(node, "starting")
    assert "not up yet" in ask(node.port, "/readyz").body
    health = ask(node.port, "/health").json()
    assert (health["status"], health["phase"], health["ready"]) == ("fail", "starting", False)
    assert "mesh_ip" not in health
    assert 'wgmesh_up{phase="starting"} 1' in ask(node.port, "/metrics").body
    (gate / "open").touch()
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node")
    assert_documented(node, "ready")


def test_a_ready_node_tells_everything(lab):
    node = lab.node("web", volume=lab.volume("state"))
    node.wait_until_up()
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node")
    assert_documented(node, "ready")
    assert ask(node.port, "/readyz").body == "ok\n"
    lines = ask(node.port, "/readyz?verbose").body.splitlines()
    assert lines[-1] == "readyz check passed"
    assert {"[+]netadmin ok", "[+]interface ok", "[+]address ok", "[+]state ok"} <= set(lines)
    health = ask(node.port, "/health").json()
    assert health["status"] == "pass"
    assert health["pubkey"] == node.public_key
    assert health["mesh_ip"] == node.mesh_ip
    assert health["supervisor"]["verdict"] == "persistent"
    assert health["peers_detail"] == []
    stats = ask(node.port, "/stats").json()
    assert stats["process"]["open_fds"] > 5
    assert stats["reconcile_duration_seconds"]["count"] > 0
    assert "wgmesh_ready 1" in ask(node.port, "/metrics").body.splitlines()


def test_health_lists_every_peer(lab):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "a ping through the tunnel")
    peer, = ask(one.port, "/health").json()["peers_detail"]
    assert (peer["pubkey"], peer["hostname"], peer["path"]) == (two.public_key, "two", "direct")
    assert peer["rx_bytes"] > 0 and peer["handshake_age_s"] < 60


def test_a_node_without_its_volume_is_live_and_not_ready(lab):
    node = lab.node("web", volume=lab.volume("state"), init=[EVERY_SECOND])
    node.wait_until_up()
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node")
    node.run("umount", "--lazy", STATE_DIR)
    eventually(lambda: status(node.port, "/readyz") == 503, "a node that is not ready")
    assert_documented(node, "storage bad")
    answer = ask(node.port, "/readyz")
    assert answer.body.startswith("state: ") and STATE_DIR in answer.body
    assert "[-]state failed: " in ask(node.port, "/readyz?verbose").body
    assert ask(node.port, "/health").json()["supervisor"]["storage"] == "unmounted"
    assert 'wgmesh_storage_state{state="unmounted"} 1' in ask(node.port, "/metrics").body


def test_a_full_volume_makes_a_node_not_ready_until_there_is_room(lab):
    node = lab.node("web", init=[EVERY_SECOND],
                    mounts=[Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532,size=8m")])
    node.wait_until_up()
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node")
    node.run("sh", "-c", f"head -c 8388608 /dev/zero >{STATE_DIR}/ballast", check=False)
    eventually(lambda: status(node.port, "/readyz") == 503, "a node that is not ready", 8)
    assert_documented(node, "storage bad")
    node.run("rm", f"{STATE_DIR}/ballast")
    eventually(lambda: status(node.port, "/readyz") == 200, "a node that is ready again", 8)


def test_a_node_whose_netadmin_hangs_is_live_and_not_ready(lab):
    node = lab.node("web", volume=lab.volume("state"))
    node.wait_until_up()
    netadmin = node.netadmin()
    netadmin.signal(signal.SIGSTOP)
    eventually(lambda: status(node.port, "/readyz") == 503, "a node that is not ready", 20)
    assert "netadmin" in ask(node.port, "/readyz").body
    assert_documented(node, "netadmin hangs")
    began = time.monotonic()
    assert status(node.port, "/livez") == 200
    assert time.monotonic() - began < 0.5, "liveness waits for nobody"
    netadmin.signal(signal.SIGCONT)
    eventually(lambda: status(node.port, "/readyz") == 200, "a node that is ready again", 10)


def test_a_stopping_node_is_live_and_not_ready(lab):
    node = lab.node("web", volume=lab.volume("state"))
    node.wait_until_up()
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node")
    netadmin = node.netadmin()
    netadmin.signal(signal.SIGSTOP)
    node.signal(signal.SIGTERM)
    node.wait_for_log("stopping: saying goodbye")
    assert_documented(node, "stopping")
    netadmin.signal(signal.SIGCONT)
    assert node.wait() == 0


def test_in_a_restart_loop_nobody_listens_between_two_runs_and_pid_1_tells(lab):
    port = lab.port()
    taken = port.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    taken.bind(("::", Mesh(SECRET).gossip_port))
    node = lab.node("web", volume=lab.volume("state"), port=port)

    def looping():
        said = supervisor_status(node)
        return said["state"] == "backoff" and said["restarts"] >= 2 and statuses(node) or None

    assert eventually(looping, "a pause between two runs", 15) == DOCUMENTED["restart loop"]
    said = supervisor_status(node)
    assert not said["healthy"] and said["cause"]
    assert node.exec("wgmesh-init", "healthcheck", check=False).returncode == 1
    taken.close()


# Requests

def test_curl_gets_every_path_by_every_kind_of_address(lab):
    node = lab.node("web", volume=lab.volume("state"), join=["--http=9464,[::1]:9465,/run/wgmesh/http.sock"])
    node.wait_until_up()
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node")
    for where in (["http://127.0.0.1:9464"], ["http://localhost:9464"], ["http://[::1]:9465"],
                  ["--unix-socket", "/run/wgmesh/http.sock", "http://anything"]):
        for path in PATHS:
            for method in ([], ["--head"]):
                said = node.run("curl", "-sS", "--globoff", "-o", "/dev/null", "-w",
                                "%{http_code} %{size_download} %{num_connects}", *method,
                                *where[:-1], where[-1] + path).stdout.split()
                assert said[0] == "200" and said[2] == "1", (where, path)
                assert (said[1] == "0") == bool(method)


def test_the_unix_socket_goes_with_the_node(lab):
    node = lab.node("web", volume=lab.volume("state"), join=["--http=/run/wgmesh/http.sock"], init=["--restart=never"])
    node.wait_until_up()
    path = node.root("/run/wgmesh/http.sock")
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert status(node.port, "/livez") == REFUSED, "and no TCP port"
    node.mesh_process().signal(signal.SIGTERM)
    eventually(lambda: not path.exists(), "the socket to go")


@pytest.mark.parametrize("text", [":9464", "[::]:9464", "0.0.0.0:9464", "own", "own6"])
def test_others_are_answered_only_where_that_was_asked_for(lab, text):
    port, other = lab.port(), lab.port()
    own = {"own": f"{port.address}:9464", "own6": f"{port.address6}:9464"}
    node = lab.node("web", volume=lab.volume("state"), port=port, join=[f"--http={own.get(text, text)}"])
    node.wait_until_up()
    by_ipv4 = text in (":9464", "0.0.0.0:9464", "own")
    by_ipv6 = text in (":9464", "[::]:9464", "own6")
    assert status(other, "/livez", address=(port.address, 9464)) == (200 if by_ipv4 else REFUSED)
    assert status(other, "/livez", address=(port.address6, 9464)) == (200 if by_ipv6 else REFUSED)


def test_by_default_nobody_else_is_answered(lab):
    node = lab.node("web", volume=lab.volume("state"))
    node.wait_until_up()
    other = lab.port()
    assert status(node.port, "/livez") == 200
    assert status(other, "/livez", address=(node.port.address, 9464)) == REFUSED
    assert status(other, "/livez", address=(node.port.address6, 9464)) == REFUSED


def test_metrics_is_one_more_address_and_none_is_none(lab):
    node = lab.node("web", volume=lab.volume("state"), join=["--http=none", "--metrics=localhost:9090"])
    node.wait_until_up()
    assert status(node.port, "/metrics", address=("127.0.0.1", 9090)) == 200
    assert status(node.port, "/metrics") == REFUSED
    silent = lab.node("silent", volume=lab.volume("silent"), join=["--http=none"])
    silent.wait_until_up()
    assert status(silent.port, "/livez") == REFUSED
    assert not [event for event in silent.log.events() if event.get("component") == "http"]


def test_a_text_that_is_no_address_is_refused_in_one_sentence(lab):
    node = lab.node("web", volume=lab.volume("state"), env={"WGMESH_HTTP": "node7.example:9464"})
    assert node.wait() == USAGE
    said = [event["msg"] for event in node.events("error") if "WGMESH_HTTP" in event["msg"]]
    assert said and "names are not looked up" in said[0]


def test_a_port_that_is_taken_is_an_error_in_the_log_until_it_is_free(lab):
    port = lab.port()
    taken = port.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.bind(LOOPBACK)
    taken.listen()
    node = lab.node("web", volume=lab.volume("state"), port=port)
    node.wait_until_up()
    said = node.find_log("127.0.0.1:9464", "error")
    assert "Address already in use" in said["msg"] and "--http" in said["msg"]
    taken.close()
    eventually(lambda: status(port, "/readyz") == 200, "an answer", 8)
    assert len([event for event in node.events("error") if "9464" in event["msg"]]) == 1


def test_no_request_is_logged(lab):
    node = lab.node("web", volume=lab.volume("state"))
    node.wait_until_up()
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node")
    before = len(node.log.lines)
    for _ in range(5):
        for path in (*PATHS, "/nothing"):
            ask(node.port, path)
        ask(node.port, "/livez", method="POST")
    assert node.log.lines[before:] == []


def test_what_else_may_be_asked_is_answered_with_the_reason(lab):
    node = lab.node("web", volume=lab.volume("state"))
    node.wait_until_up()
    nothing = ask(node.port, "/")
    assert nothing.status == 404 and all(path in nothing.body for path in PATHS)
    post = ask(node.port, "/livez", method="POST")
    assert post.status == 405 and post.headers["allow"] == "get, head"
    assert ask(node.port, "/health", host="evil.example:9464").status == 403
    assert ask(node.port, "/livez", host="web:9464").status == 200, "the host's own name"
    with dial(node.port) as sock:
        sock.sendall(b"GET /livez HTTP/1.1\r\nA: " + b"a" * 20000 + b"\r\n\r\n")
        assert parse(read_all(sock)).status == 400
    head = ask(node.port, "/health", method="HEAD")
    assert head.status == 200 and head.body == "" and int(head.headers["content-length"]) > 500
    assert head.headers["cache-control"] == "no-store"
