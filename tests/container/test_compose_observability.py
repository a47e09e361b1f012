# SPDX-License-Identifier: MIT
"""Debian's Prometheus in the place of its image, with the configuration that is shipped, beside real nodes."""

import json

import pytest

from compose_project import COMPOSE, Project
from compose_prometheus import PROGRAM, api, image, query
from engines import STATE_DIR
from lib.wait import eventually
from running import RIGHTS, SECRET_FILE, Launcher

DASHBOARD = COMPOSE / "observability" / "grafana" / "dashboards" / "wgmesh.json"
PROVOKED = (("WgmeshRestartLoop", "one:9464"), ("WgmeshIdentityChanged", "two:9464"),
            ("WgmeshStorageEphemeral", "two:9464"))
KILLS = 5
# Two scrapes and two evaluations, and a machine that has other things to do.
WITHIN_S = 120

# What is provoked takes its time, and docker-compose 1.29 has no part in it.
provoked = pytest.mark.parametrize("engine_name", ["docker13"], scope="module")


class Watched(Project):
    """Two nodes and their Prometheus."""

    def __init__(self, engine):
        super().__init__(engine, "two-nodes.yml", "observability.yml", env={"PROMETHEUS_IMAGE": image(engine)})

    def ask(self, expression):
        """The samples of an expression: labels and a number."""
        return query(self.engine, expression)

    def firing(self):
        return {(labels["alertname"], labels["instance"]) for labels, _ in self.ask('ALERTS{alertstate="firing"}')}

    def kill_daemon(self, name):
        """Kill it from outside, and wait until it has come back."""
        node = self.service(name)
        before = node.status()["restarts"]
        listed = self.engine("top", node.name, "-eo", "pid,ppid,args").stdout.splitlines()[1:]
        pid = next(line.split()[0] for line in listed if line.split(None, 2)[2] == "/usr/local/bin/wgmesh join")
        self.engine.room.run("kill", "-9", pid)
        eventually(lambda: (node.status() or {"restarts": before})["restarts"] > before, "another start", within=60)
        node.wait_until_healthy(within=60)


@pytest.fixture(scope="module")
def well(engine_name, start_engine):
    """Two nodes that Prometheus has seen well."""
    engine = start_engine(engine_name)
    if not PROGRAM.exists():
        pytest.skip("Prometheus is missing: make deps")
    with_prometheus = Watched(engine)
    try:
        with_prometheus.up("one", "two", "prometheus")
        eventually(lambda: len(with_prometheus.ask("wgmesh_ready == 1")) == 2, "two nodes that are ready", WITHIN_S)
        assert with_prometheus.firing() == set()
        yield with_prometheus
    finally:
        with_prometheus.leave()


@pytest.fixture(scope="module")
def watched(well):
    """The same, after one node has failed five times and the other has lost its volume."""
    for _ in range(KILLS):
        well.kill_daemon("one")
    # Compose gives a container that it replaces the volumes of the one before.
    well("rm", "-s", "-f", "two")
    well.change({"two": {"volumes": [STATE_DIR], "environment": {"WGMESH_PERSISTENCE": "warn"}}})
    well.up("one", "two", "prometheus")
    return well


@pytest.mark.parametrize("engine_name", ["docker"], scope="module")
def test_nodes_that_are_well_are_watched_and_set_off_nothing(well):
    assert {labels["instance"] for labels, _ in well.ask("up == 1")} == {"one:9464", "two:9464"}
    # Evaluated once more since they were all there.
    eventually(lambda: well.ask("timestamp(up) > time() - 5"), "another scrape", WITHIN_S)
    assert well.firing() == set()


@provoked
def test_each_alert_fires_for_the_node_that_it_is_about_and_for_no_other(watched):
    for alert, instance in PROVOKED:
        eventually(lambda: (alert, instance) in watched.firing(), f"{alert} to fire", WITHIN_S)
        assert [where for name, where in watched.firing() if name == alert] == [instance]


def expressions():
    """Every expression of the dashboard, with what Grafana would put in the place of its variables."""
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")


@provoked
def test_every_expression_of_the_dashboard_has_something_to_show(watched):
    eventually(lambda: watched.firing(), "an alert", WITHIN_S)

    def is_there(expression):
        # The median of nothing is no number, and no curve.
        return any(value == value for _, value in watched.ask(expression))

    asked = list(expressions())
    assert len(asked) > 30
    for title, expression in asked:
        eventually(lambda: is_there(expression), f"something in the panel {title}: {expression}", WITHIN_S)


@provoked
def test_every_rule_is_evaluated_without_an_error(watched):
    def rules():
        return [rule for group in (api(watched.engine, "rules") or {"groups": []})["groups"] for rule in group["rules"]]

    eventually(lambda: rules() and all(rule["health"] != "unknown" for rule in rules()), "evaluations", WITHIN_S)
    assert [(rule["name"], rule.get("lastError")) for rule in rules() if rule["health"] != "ok"] == []


@provoked
def test_what_the_alerts_read_exists(watched):
    """An alert on a metric that nobody has would be silent for ever."""
    names = {"wgmesh_node_info", "wgmesh_alarm", "wgmesh_storage_state", "wgmesh_ready", "wgmesh_restarts_total",
             "wgmesh_boots_total", "wgmesh_failures", "wgmesh_supervisor_up", "wgmesh_active_peers", "wgmesh_peers",
             "wgmesh_datagrams_total", "up"}
    text = (COMPOSE / "observability" / "alerts.yml").read_text(encoding="utf-8")
    for name in names:
        assert name in text
        assert len({labels["instance"] for labels, _ in watched.ask(name)}) == 2, name
    for label in ("clone", "clock", "ephemeral", "alone"):
        assert watched.ask(f'wgmesh_alarm{{name="{label}"}}'), label


@provoked
def test_a_copy_of_a_node_sets_off_the_alert(watched):
    """Last, since both are ill afterwards."""
    engine = watched.engine
    with Launcher(engine) as launcher:
        copy = launcher.volume()
        engine.run("-ec", "cp -a /from/. /to/", image=watched.env["WGMESH_IMAGE"],
                   options=("-v", "wgmesh-one:/from:ro", "-v", f"{copy}:/to", "--entrypoint", "/bin/sh"))
        launcher("join", options=(
            *RIGHTS, "--network", f"{watched.project}_default", "--hostname", "copy", "-v", f"{copy}:{STATE_DIR}",
            "-v", f"{watched.env['MESH_SECRET_FILE']}:{SECRET_FILE}:ro", "-e", f"WGMESH_SECRET_FILE={SECRET_FILE}"))
        eventually(lambda: ("WgmeshClone", "one:9464") in watched.firing(), "WgmeshClone to fire", WITHIN_S)
