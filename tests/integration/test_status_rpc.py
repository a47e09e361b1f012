# SPDX-License-Identifier: MIT
"""What a node answers on its control socket is true: of itself, its peers, and what is wrong."""

import datetime
import os
import signal
import subprocess
import time

import pytest

from lib import rpc
from lib.container import Mount
from lib.lab import SECRET
from lib.node import SECRET_FILE, STATE_DIR
from lib.peer import Mesh
from lib.wait import eventually

pytestmark = pytest.mark.asan


@pytest.fixture
def node(lab):
    one = lab.node("one", volume=lab.volume("one"))
    rpc.ready(one)
    return one


@pytest.fixture
def pair(lab):
    """Two nodes whose tunnel is up."""
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip), "pings through the tunnel")
    return one, two


def peer_of(node, other):
    return rpc.ask(node, "peers.get", pubkey=other.public_key)


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def run_cure(node, text):
    """Type what the text of a check says, up to the comma or the end."""
    command = text.partition(": ")[2].partition(",")[0]
    assert command.startswith("ip "), text
    node.run(*command.split())


# What it says of itself

def test_a_node_alone_tells_all_of_itself(lab, node):
    mesh = Mesh(SECRET)
    status = rpc.ask(node, "daemon.status")
    assert status["phase"] == "running" and status["ready"] is True
    assert status["mesh_ip"] == node.mesh_ip and status["mesh_ipv6"] == node.mesh_ip6
    assert status["pubkey"] == node.public_key
    assert status["network_id"] == mesh.network_id[:8].hex()
    assert status["mesh_subnet"] == str(mesh.network)
    assert status["gossip_port"] == mesh.gossip_port and status["listen_port"] == 51820
    assert status["identity"] == "created" and status["was_adopted"] is False
    assert abs(at(status["identity_since"]) - time.time()) < 60
    assert abs(at(status["started"]) - time.time()) < 60
    assert 0 < status["uptime"] < 60e9
    assert status["nat_type"] == "unknown" and status["endpoints"] == []
    assert status["peers"] == {"active": 0, "total": 0, "dead": 0, "direct": 0, "relayed": 0}
    assert [c["name"] for c in status["checks"]] == ["netadmin", "interface", "address", "state",
                                                     "supervisor", "http", "confinement", "clock"]
    assert {c["mark"] for c in status["checks"]} == {"pass"}
    assert status["alarms"] == []
    assert status["supervisor"]["ready"] is True
    assert status["supervisor"]["verdict"] == "persistent"
    assert status["supervisor"]["restarts"] == 0
    assert not any(key.startswith("phase") for key in status["supervisor"])
    assert status["counters"]["write_errors"] == 0


def test_a_node_without_wgmesh_init_says_that_there_is_none(lab):
    mounts = [Mount.bind(lab.secret_file(SECRET), SECRET_FILE, read_only=True),
              Mount.bind(lab.volume("one"), STATE_DIR)]
    node = lab.container("one", ["wgmesh", "join"], env={"WGMESH_SECRET_FILE": SECRET_FILE},
                         mounts=mounts)
    status = rpc.ready(node)
    assert status["supervisor"] is None and status["ready"] is True
    assert rpc.check(node, "supervisor") == ("pass", "no wgmesh-init supervises this node")


# Its peers

def test_a_peer_is_told_with_its_path_and_figures_of_this_moment(pair):
    one, two = pair
    before = peer_of(one, two)
    assert before["path"] == "direct" and "why" not in before and before["configured"] is True
    assert before["handshake_age_s"] <= 5
    assert before["tunnel"].endswith(":51820") and before["endpoint"] == before["tunnel"]
    assert "lan" in before["discovered_via"]
    assert -2 <= before["clock_skew_s"] <= 2
    two.run("ping", "-n", "-c3", "-i0.2", "-s1000", one.mesh_ip)
    after = eventually(lambda: (now := peer_of(one, two))["rx_bytes"] >= before["rx_bytes"] + 3000 and now,
                       "bytes of this moment")
    assert after["tx_bytes"] >= before["tx_bytes"] + 3000
    assert rpc.ask(one, "peers.list")["peers"][0]["pubkey"] == two.public_key
    assert rpc.ask(one, "daemon.status")["peers"] == {"active": 1, "total": 1, "dead": 0,
                                                      "direct": 1, "relayed": 0}


def test_the_round_trip_of_an_exchange_is_the_latency(pair):
    # Whose HELLO was sent only once, one of the two at least.
    peers = [peer_of(pair[0], pair[1]), peer_of(pair[1], pair[0])]
    measured = [peer for peer in peers if "latency_us" in peer]
    assert measured
    for peer in measured:
        assert 0 < peer["latency_us"] < 1e6 and peer["latency_ms"] == peer["latency_us"] // 1000


def test_rates_are_those_between_two_questions(pair):
    one, two = pair
    peer_of(one, two)
    with two.popen("ping", "-n", "-q", "-i0.01", "-w2", "-s1000", one.mesh_ip, stdout=subprocess.DEVNULL):
        rate = eventually(lambda: (now := peer_of(one, two))["rx_rate"] > 10000 and now["rx_rate"],
                          "a rate", 10)
        assert rate < 1e6
    eventually(lambda: peer_of(one, two)["rx_rate"] < 1000, "an end of it", 10)


def test_others_tell_where_they_see_us(lab):
    nodes = [lab.node(name, volume=lab.volume(name)) for name in ("one", "two", "three")]

    def told():
        status = rpc.ready(nodes[0])
        assert len(status["endpoints"]) == 1 and status["nat_type"] == "none", status["endpoints"]
        return status["endpoints"][0]
    seen = eventually(told, "an endpoint", 15)
    address, _, port = seen.rpartition(":")
    assert int(port) == Mesh(SECRET).gossip_port
    assert address in nodes[0].run("ip", "-oneline", "-4", "address", "show").stdout


def test_a_peer_that_stopped_said_goodbye(pair):
    one, two = pair
    key = two.public_key
    two.stop()
    peer = eventually(lambda: (p := rpc.ask(one, "peers.get", pubkey=key))["path"] == "none" and p, "its end")
    assert "goodbye" in peer["why"] and peer["configured"] is False
    assert rpc.ask(one, "peers.list")["peers"] == []
    assert [p["pubkey"] for p in rpc.ask(one, "peers.list", all=True)["peers"]] == [key]
    assert rpc.ask(one, "peers.count") == {"active": 0, "total": 1, "dead": 1}


def test_a_peer_whose_wireguard_does_not_answer_names_the_port_to_look_at(lab, node):
    peer = lab.peer("deaf")
    peer.announce()
    told = eventually(lambda: (p := rpc.ask(node, "peers.list", all=True)["peers"]) and p[0].get("why", "")
                      .startswith("no handshake ever") and p[0], "a reason", 10)
    assert ":51820" in told["why"] and "blocked" in told["why"] and "--listen-port" in told["why"]


# What is wrong, and its cure

def test_an_interface_that_is_down_is_a_failed_check_until_it_is_up(node):
    node.run("ip", "link", "set", "wg0", "down")
    mark, text = eventually(lambda: (c := rpc.check(node, "interface"))[0] == "fail" and c, "the check")
    assert rpc.ask(node, "daemon.status")["ready"] is False
    run_cure(node, text)
    eventually(lambda: rpc.check(node, "interface")[0] == "pass", "the check")
    # The kernel forgets IPv6 addresses of what goes down, and the node gives them back.
    eventually(lambda: rpc.ask(node, "daemon.status")["ready"], "readiness")


def test_routes_and_addresses_come_back_when_the_interface_was_down(pair):
    one, two = pair
    write_reload(two, "advertise-routes=192.168.77.0/24,fd00:77::/64\n")
    rpc.ask(two, "daemon.reload")

    def routes():
        return [net for family, net in (("-4", "192.168.77.0/24"), ("-6", "fd00:77::/64"))
                if net in one.run("ip", family, "route", "show", "dev", "wg0").stdout]
    eventually(lambda: len(routes()) == 2, "the routes")
    one.run("ip", "link", "set", "wg0", "down")
    assert routes() == []
    one.run("ip", "link", "set", "wg0", "up")
    eventually(lambda: len(routes()) == 2, "the routes again")
    eventually(lambda: rpc.ask(one, "daemon.status")["ready"], "readiness")
    one.wait_for_event("interface_raised")
    eventually(lambda: one.pings(two.mesh_ip) and one.pings(two.mesh_ip6), "pings through the tunnel")


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_an_address_that_somebody_took_away_is_a_failed_check_until_it_is_back(node, family):
    address = node.mesh_ip if family == "-4" else node.mesh_ip6
    node.run("ip", family, "address", "flush", "dev", "wg0", "scope", "global")
    _, text = eventually(lambda: (c := rpc.check(node, "address"))[0] == "fail" and c, "the check")
    assert address in text
    assert rpc.ask(node, "daemon.status")["ready"] is False
    run_cure(node, text)
    eventually(lambda: rpc.ask(node, "daemon.status")["ready"], "readiness")


def test_an_interface_that_somebody_deleted_comes_back_with_the_same_key(node):
    key = node.public_key
    node.run("ip", "link", "delete", "wg0")
    said = node.wait_for_log("deleted by somebody else")
    assert said["level"] == "error" and "wg0" in said["msg"]
    status = eventually(lambda: (s := rpc.ready(node))["supervisor"]["restarts"] == 1 and s, "the next run", 10)
    assert status["pubkey"] == key and status["identity"] == "loaded" and status["ready"]
    assert node.wg("public-key") == [[key]]


def test_storage_that_goes_bad_is_a_failed_check_and_an_alarm(lab, node):
    node.run("mount", "-t", "tmpfs", "tmpfs", STATE_DIR)
    _, text = eventually(lambda: (c := rpc.check(node, "state"))[0] == "fail" and c, "the check", 15)
    assert STATE_DIR in text and "mount it again" in text
    assert rpc.alarm(node, "storage") == text
    assert rpc.check(node, "supervisor")[0] == "warn"
    node.run("umount", STATE_DIR)
    eventually(lambda: rpc.check(node, "state")[0] == "pass" and not rpc.alarm(node, "storage"), "its end", 15)
    eventually(lambda: [e["level"] for e in node.log.events() if e.get("alarm") == "storage"]
               == ["warn", "info"], "both lines in the log")


def test_without_wgmesh_init_the_last_write_tells_of_the_storage(lab):
    mounts = [Mount.bind(lab.secret_file(SECRET), SECRET_FILE, read_only=True),
              Mount.tmpfs(STATE_DIR, "mode=700,size=128k")]
    node = lab.container("one", ["wgmesh", "join"], env={"WGMESH_SECRET_FILE": SECRET_FILE}, mounts=mounts)
    rpc.ready(node)
    node.run("dd", "if=/dev/zero", f"of={STATE_DIR}/filler", "bs=4k", check=False)
    lab.peer("peer").announce()
    _, text = eventually(lambda: (c := rpc.check(node, "state"))[0] == "fail" and c, "the check", 15)
    assert STATE_DIR in text and "No space left on device" in text
    said = [e for e in node.log.events() if e.get("event") == "peer_cache_unsaved"]
    assert len(said) == 1 and "No space left on device" in said[0]["msg"]


def test_a_netadmin_that_hangs_costs_each_answer_less_than_a_second_and_is_named(node):
    netadmin = node.netadmin()
    netadmin.signal(signal.SIGSTOP)
    # An answer that is younger than a second is given again.
    eventually(lambda: rpc.check(node, "netadmin")[0] == "warn", "a warning")
    begin = time.monotonic()
    rpc.ask(node, "daemon.status")
    assert 0.7 < time.monotonic() - begin < 3
    _, text = eventually(lambda: (c := rpc.check(node, "netadmin"))[0] == "fail" and c, "the check", 10)
    assert "has not answered for" in text
    netadmin.signal(signal.SIGCONT)
    eventually(lambda: rpc.check(node, "netadmin")[0] == "pass", "its answer")


def test_a_restart_loop_is_an_alarm(node):
    for n in (1, 2):
        os.kill(node.mesh_process().pid, signal.SIGKILL)
        eventually(lambda: rpc.ready(node)["supervisor"].get("failures") == n, "the next run", 20)
    assert "failed 2 times in a row" in rpc.alarm(node, "supervisor")
    assert rpc.check(node, "supervisor")[0] in ("pass", "warn")


# Clocks

def test_a_peer_from_another_time_is_an_alarm_that_ends_by_itself(lab, node):
    peer = lab.peer("late")
    # A REPLY of it would have today's time.
    peer.answers_hello = False
    peer.announce(timestamp=int(time.time()) - 90)
    text = eventually(lambda: rpc.alarm(node, "clock"), "the alarm")
    assert "90 s behind" in text or "89 s behind" in text or "91 s behind" in text
    eventually(lambda: peer.announce() or not rpc.alarm(node, "clock"), "its end", 10)


def test_datagrams_too_old_to_be_heard_name_the_clock(lab, node):
    peer = lab.peer("ancient")

    def speak():
        peer.announce(timestamp=int(time.time()) - 5000)
        return rpc.alarm(node, "clock")
    text = eventually(speak, "the alarm", 20)
    assert "s behind ours" in text and "neither hears the other" in text
    assert rpc.ask(node, "daemon.status")["counters"]["datagrams"]["stale"] >= 2


def test_one_old_datagram_sent_again_and_again_is_no_clock(lab, node):
    peer = lab.peer("replay")
    body = peer.announcement(timestamp=int(time.time()) - 5000)
    datagram = peer.seal("ANNOUNCE", body)

    def heard():
        peer.send_lan(datagram)
        return rpc.ask(node, "daemon.status")["counters"]["datagrams"]["stale"] >= 5
    eventually(heard, "it to be counted", 15)
    assert rpc.alarm(node, "clock") is None


# Changes while running

def write_reload(node, text):
    node.root(f"{STATE_DIR}/wg0.reload").write_text(text)


def routes_of(node, other):
    return peer_of(node, other).get("routable_networks", [])


def test_a_reload_announces_new_routes_at_once(pair):
    one, two = pair
    write_reload(one, "# the office\nadvertise-routes=192.168.77.0/24\n")
    one.signal(signal.SIGHUP)
    eventually(lambda: routes_of(two, one) == ["192.168.77.0/24"], "the route")
    eventually(lambda: "192.168.77.0/24" in two.run("ip", "route").stdout, "the route in the kernel")
    write_reload(one, "advertise-routes=\n")
    assert rpc.ask(one, "daemon.reload") == {"reloaded": True}
    eventually(lambda: routes_of(two, one) == [], "its end")


def test_a_bad_line_changes_nothing_and_is_named(pair):
    one, two = pair
    write_reload(one, "advertise-routes=192.168.77.0/24\nlog-level=loud\n")
    with pytest.raises(rpc.Refused) as refused:
        rpc.ask(one, "daemon.reload")
    assert refused.value.code == -32603
    assert f"{STATE_DIR}/wg0.reload line 2" in str(refused.value) and "debug" in str(refused.value)
    assert one.wait_for_log("wg0.reload line 2")["level"] == "warn"
    write_reload(one, "advertise-routes=192.168.77.0/24\nlisten-port=7\n")
    one.signal(signal.SIGHUP)
    assert "restart" in one.wait_for_log("\"listen-port\" is not known")["msg"]
    assert routes_of(two, one) == []


def test_without_a_file_a_reload_changes_nothing(node):
    assert rpc.ask(node, "daemon.reload") == {"reloaded": True}
    assert node.find_log("there is no")


def test_log_levels_change_in_both_processes(lab, node):
    assert rpc.ask(node, "log.set", levels="info,lan=debug,exchange=debug") == {
        "levels": "info,lan=debug,exchange=debug"}
    stranger = lab.peer("stranger", secret="another secret, long enough as well")
    stranger.send(b"noise", rpc_address(node), Mesh(SECRET).gossip_port)
    node.wait_for_log("datagram from")
    write_reload(node, "log-level=error\n")
    rpc.ask(node, "daemon.reload")
    with pytest.raises(rpc.Refused) as refused:
        rpc.ask(node, "log.set", levels="loud")
    assert refused.value.code == -32602 and "debug" in str(refused.value)


def rpc_address(node):
    """Its address on the switch."""
    line = next(line for line in node.run("ip", "-oneline", "-4", "address", "show").stdout.splitlines()
                if " lo " not in line and " wg0 " not in line)
    return line.split()[3].partition("/")[0]


# The socket itself

def test_answers_come_in_the_order_of_the_questions(node):
    with rpc.Client(node) as client:
        for method in ("daemon.status", "daemon.ping", "peers.count", "daemon.ping"):
            client.send(method)
        kinds = [sorted(client.take())[0] for _ in range(4)]
    assert kinds == ["alarms", "pong", "active", "pong"]


def test_only_root_and_the_nodes_own_user_are_answered(node):
    def count(uid):
        return node.run("setpriv", f"--reuid={uid}", "--clear-groups", "wgmesh", "peers", "count", check=False)
    assert count(0).returncode == 0
    assert count(65532).returncode == 0
    refused = count(1234)
    assert refused.returncode != 0 and "own user" in refused.stderr


def test_thirty_three_silent_clients_keep_nobody_out(node):
    silent = [rpc.Client(node) for _ in range(33)]
    assert rpc.ask(node, "daemon.ping")["pong"] is True
    assert rpc.ask(node, "daemon.status")["counters"]["clients_evicted"] >= 2
    for client in silent:
        client.close()


def test_clients_that_leave_while_they_wait_do_no_harm(node):
    for _ in range(50):
        client = rpc.Client(node)
        client.send("daemon.status")
        client.close()
    assert rpc.ask(node, "daemon.ping")["pong"] is True
