# SPDX-License-Identifier: MIT
"""Metrics, as Prometheus itself reads them."""

import json
import os
import re
import signal
import subprocess
import urllib.parse

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus

from lib.http import ask, status
from lib.lab import CHECKOUT
from lib.supervised import status as supervisor_status
from lib.wait import eventually

TOOLS = CHECKOUT / "build" / "prometheus"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
CONFIG = """
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
  - job_name: mesh
    static_configs: [{targets: ["127.0.0.1:9464"]}]
"""


class Prometheus:
    """Debian's Prometheus beside a node, in its network."""

    def __init__(self, lab, node):
        self._node = node
        config = lab.directory / "prometheus.yml"
        config.write_text(CONFIG)
        self._process = subprocess.Popen(node.port.command(
            TOOLS / "prometheus", f"--config.file={config}", f"--storage.tsdb.path={lab.directory}/tsdb",
            "--web.listen-address=127.0.0.1:9090", "--log.level=error"), stdin=subprocess.DEVNULL)

    def get(self, path, **query):
        """The data that its API answers; None before it does."""
        path = f"/api/v1/{path}?{urllib.parse.urlencode(query)}"
        said = self._node.port.run("curl", "-sSf", f"http://127.0.0.1:9090{path}", check=False)
        return json.loads(said.stdout)["data"] if said.returncode == 0 else None

    def value(self, expression):
        """The only value of an expression, or None."""
        data = self.get("query", query=expression)
        if not data or len(data["result"]) != 1:
            return None
        return float(data["result"][0]["value"][1])

    def close(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@pytest.fixture
def pair(lab):
    """Two nodes whose tunnel is up; the first one has metrics of single peers."""
    one = lab.node("one", volume=lab.volume("one"), join=["--metrics-peers=5"])
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: one.pings(two.mesh_ip), "a ping through the tunnel")
    eventually(lambda: status(one.port, "/readyz") == 200, "a ready node")
    return one, two


def scrape(node, accept=None):
    answer = ask(node.port, "/metrics", **({"accept": accept} if accept else {}))
    assert answer.status == 200
    return answer.body


def samples(families):
    """Samples by name and labels."""
    found = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def read(node):
    """Samples of a node, as the strict parser of OpenMetrics reads them."""
    return samples(openmetrics.text_string_to_metric_families(scrape(node, OPENMETRICS)))


def one_of(found, name, label):
    """The label's value for which the sample is 1, of which there is one."""
    holds = [dict(labels)[label] for (sample, labels), value in found.items()
             if sample == name and value == 1]
    assert len(holds) == 1, (name, holds)
    return holds[0]


def test_prometheus_scrapes_a_running_node(lab, pair):
    one, two = pair
    with Prometheus(lab, one) as server:
        eventually(lambda: server.value('up{job="mesh"}') == 1, "a scrape", 15)
        target, = server.get("targets")["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
        assert server.value("wgmesh_active_peers") == 1
        assert server.value("wgmesh_ready") == 1
        assert server.value("wgmesh_up == 1") == 1
        assert server.value('wgmesh_peers{path="direct"}') == 1
        assert server.value(f'wgmesh_peer_info{{hostname="two",mesh_ip="{two.mesh_ip}"}}') == 1
        assert server.value('wgmesh_persistence_verdict{verdict="persistent"}') == 1
        assert server.value("sum(wgmesh_datagrams_total) > bool 0") == 1
        assert server.value("sum(wgmesh_alarm)") == 0
        assert server.value("count(wgmesh_alarm)") >= 5
        # Units are told in OpenMetrics only.
        known = {entry["metric"]: entry for entry in server.get("targets/metadata", match_target='{job="mesh"}')}
        assert known["wgmesh_reconcile_duration_seconds"]["unit"] == "seconds"
        assert known["wgmesh_reconcile_duration_seconds"]["type"] == "histogram"
        assert known["wgmesh_datagrams"]["type"] == "counter"
        # Nothing of what was scraped was refused.
        assert server.value("scrape_samples_scraped - scrape_samples_post_metric_relabeling") == 0
        assert server.value("scrape_samples_scraped") == len(read(one))


def words_in(source, pattern, function=""):
    """What the sources call things, in one function only where it is named."""
    text = (CHECKOUT / source).read_text(encoding="utf-8")
    if function:
        text = text.partition(function)[2].partition("\n}\n")[0]
    return set(re.findall(pattern, text))


def test_every_alarm_verdict_proof_and_state_has_a_series(pair):
    """The table of metrics lists them a second time, and must not fall behind."""
    one, _ = pair
    found = read(one)

    def told(name, label):
        return {dict(labels)[label] for sample, labels in found if sample == name}

    assert told("wgmesh_alarm", "name") == words_in("daemon/view/judge.c", r'alarm_on\(\s*\w+,\s*"(\w+)"')
    assert told("wgmesh_persistence_verdict", "verdict") == words_in(
        "init/volume/volume.c", r'\[VERDICT_\w+\] = \{ "([\w-]+)"')
    assert told("wgmesh_persistence_proof", "proof") == words_in(
        "init/volume/proof.c", r'\[PROOF_\w+\] = "([\w-]+)"')
    assert told("wgmesh_storage_state", "state") == words_in(
        "init/volume/volwatch.c", r'\[VOLWATCH_\w+\] = "([\w-]+)"', "*volwatch_state_name(")


def test_promtool_finds_nothing_to_say(pair):
    one, _ = pair
    result = one.port.run(TOOLS / "promtool", "check", "metrics", stdin=None, input=scrape(one))
    assert result.stdout == ""


@pytest.mark.asan
def test_both_forms_are_well_formed_and_say_the_same(pair):
    one, _ = pair
    moving = ("process_", "wgmesh_uptime", "wgmesh_datagrams", "wgmesh_peer_", "wgmesh_reconcile", "wgmesh_probe",
              "wgmesh_discovery", "wgmesh_nat_traversal", "wgmesh_supervisor_uptime")
    strict = read(one)
    text = samples(prometheus.text_string_to_metric_families(scrape(one)))
    assert set(text) == set(strict)
    for key, value in text.items():
        if not key[0].startswith(moving):
            assert strict[key] == value, key
    assert scrape(one, OPENMETRICS).endswith("\n# EOF\n")


@pytest.mark.asan
def test_a_peer_that_is_not_named_is_summed_up(lab, pair):
    one, two = pair
    three = lab.node("three", volume=lab.volume("three"), join=["--metrics-peers=1"])
    eventually(lambda: three.pings(one.mesh_ip) and three.pings(two.mesh_ip), "both tunnels")
    received = {dict(labels)["peer_key"]: value for (name, labels), value in read(three).items()
                if name == "wgmesh_peer_received_bytes_total"}
    named, = set(received) - {"other"}
    assert named in (one.public_key[:8], two.public_key[:8])
    assert min(received.values()) > 0
    found = read(one)
    assert found["wgmesh_peer_rtt_seconds", (("peer_key", two.public_key[:8]),)] < 5
    # Without being asked for, no label tells of a single peer.
    assert {dict(labels)["peer_key"] for _, labels in read(two) if "peer_key" in dict(labels)} == {"other"}


@pytest.mark.asan
def test_restarts_boots_and_the_last_exit_are_told(lab):
    node = lab.node("web", volume=lab.volume("state"))
    eventually(lambda: status(node.port, "/readyz") == 200, "a ready node", 10)
    first = read(node)
    assert one_of(first, "wgmesh_persistence_verdict", "verdict") == "persistent"
    assert one_of(first, "wgmesh_persistence_proof", "proof") == "predicted"
    assert one_of(first, "wgmesh_storage_state", "state") == "ok"
    assert first["wgmesh_boots_total", ()] == 1 and first["wgmesh_restarts_total", ()] == 0
    assert ("wgmesh_last_exit_code", ()) not in first
    node.mesh_process().signal(signal.SIGKILL)
    eventually(lambda: supervisor_status(node)["restarts"] == 1, "the next run")
    eventually(lambda: supervisor_status(node)["ready"] and status(node.port, "/readyz") == 200, "a ready one", 10)
    again = read(node)
    assert again["wgmesh_restarts_total", ()] == 1
    assert again["wgmesh_last_exit_code", ()] == 128 + signal.SIGKILL
    assert node.stop() == 0
    new = lab.node("web", volume=lab.volume("state"))
    eventually(lambda: status(new.port, "/readyz") == 200, "a ready node", 10)
    found = read(new)
    assert found["wgmesh_boots_total", ()] == 2
    assert one_of(found, "wgmesh_persistence_proof", "proof") == "proven"


def test_the_process_is_told_as_the_kernel_sees_it(pair):
    one, _ = pair
    found = read(one)
    mesh = one.mesh_process()
    assert abs(found["process_open_fds", ()] - len(os.listdir(f"/proc/{mesh.pid}/fd"))) <= 3
    assert 1e6 < found["process_resident_memory_bytes", ()] < 1e8
    assert json.loads(ask(one.port, "/stats").body)["process"]["max_fds"] == found["process_max_fds", ()]
