# SPDX-License-Identifier: MIT
"""Debian's Prometheus in the place of its image, with the configuration that is shipped, beside real nodes."""

import io
import json
import pathlib
import subprocess
import tarfile
import urllib.parse

import pytest

from compose_project import COMPOSE, Project
from engines import STATE_DIR, libraries
from box import CHECKOUT
from lib.wait import eventually
from running import RIGHTS, SECRET_FILE, Launcher

IMAGE = "localhost/wgmesh-test:prometheus"
PROGRAM = CHECKOUT / "build" / "prometheus" / "prometheus"
DASHBOARD = COMPOSE / "observability" / "grafana" / "dashboards" / "wgmesh.json"
NOBODY = 65534
PROVOKED = (("WgmeshRestartLoop", "one:9464"), ("WgmeshIdentityChanged", "two:9464"),
            ("WgmeshStorageEphemeral", "two:9464"))
KILLS = 5
# Two scrapes and two evaluations, and a machine that has other things to do.
WITHIN_S = 120

pytestmark = pytest.mark.parametrize("engine_name", ["docker", "docker13"], scope="module")


def prometheus_tar(path):
    """What the published image has: the program, run as nobody, and a place for its data."""
    files = {"bin/prometheus": PROGRAM, **{name.lstrip("/"): name for name in libraries(PROGRAM)}}
    with tarfile.open(path, "w") as tar:
        for name in ("prometheus", "etc/prometheus"):
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            directory.uid = directory.gid = NOBODY
            tar.addfile(directory)
        for name, source in files.items():
            content = pathlib.Path(source).read_bytes()
            info = tarfile.TarInfo(name)
            info.mode, info.size = 0o755, len(content)
            tar.addfile(info, io.BytesIO(content))


class Watched(Project):
    """Two nodes and their Prometheus."""

    def __init__(self, engine):
        tar = engine.box.directory / "prometheus.tar"
        if not tar.exists():
            prometheus_tar(tar)
        engine("import", "--change", 'ENTRYPOINT ["/bin/prometheus"]', "--change", f"USER {NOBODY}", tar, IMAGE)
        super().__init__(engine, "two-nodes.yml", "observability.yml", env={"PROMETHEUS_IMAGE": IMAGE})

    def get(self, path, **query):
        """The data that its API answers on the machine; None before it does."""
        url = f"http://127.0.0.1:9090/api/v1/{path}?{urllib.parse.urlencode(query)}"
        # Programs of this machine, in the network of the engine's.
        said = subprocess.run(["nsenter", "-t", self.engine.room.pid, "-n", "curl", "-sSf", "-m", "5", url],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return json.loads(said.stdout)["data"] if said.returncode == 0 else None

    def ask(self, expression):
        """The samples of an expression: labels and a number."""
        data = self.get("query", query=expression) or {"result": []}
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

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
def watched(engine_name, start_engine):
    """One node fails five times, the other loses its volume, once Prometheus has seen them well."""
    engine = start_engine(engine_name)
    if isinstance(engine, Exception):
        pytest.skip(f"{engine_name} cannot run here, for lack of {engine}")
    if not PROGRAM.exists():
        pytest.skip("Prometheus is missing: make deps")
    with_prometheus = Watched(engine)
    try:
        with_prometheus.up("one", "two", "prometheus")
        eventually(lambda: len(with_prometheus.ask("wgmesh_ready == 1")) == 2, "two nodes that are ready", WITHIN_S)
        assert with_prometheus.firing() == set()
        for _ in range(KILLS):
            with_prometheus.kill_daemon("one")
        # Compose gives a container that it replaces the volumes of the one before.
        with_prometheus("rm", "-s", "-f", "two")
        with_prometheus.change({"two": {"volumes": [STATE_DIR], "environment": {"WGMESH_PERSISTENCE": "warn"}}})
        with_prometheus.up("one", "two", "prometheus")
        yield with_prometheus
    finally:
        with_prometheus.leave()


def test_each_alert_fires_for_the_node_that_it_is_about_and_for_no_other(watched):
    for alert, instance in PROVOKED:
        eventually(lambda: (alert, instance) in watched.firing(), f"{alert} to fire", WITHIN_S)
        assert [where for name, where in watched.firing() if name == alert] == [instance]


def expressions():
    """Every expression of the dashboard, with what Grafana would put in the place of its variables."""
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")


def test_every_expression_of_the_dashboard_has_something_to_show(watched):
    eventually(lambda: watched.firing(), "an alert", WITHIN_S)

    def is_there(expression):
        # The median of nothing is no number, and no curve.
        return any(value == value for _, value in watched.ask(expression))

    asked = list(expressions())
    assert len(asked) > 30
    for title, expression in asked:
        eventually(lambda: is_there(expression), f"something in the panel {title}: {expression}", WITHIN_S)


def test_every_rule_is_evaluated_without_an_error(watched):
    def rules():
        return [rule for group in (watched.get("rules") or {"groups": []})["groups"] for rule in group["rules"]]

    eventually(lambda: rules() and all(rule["health"] != "unknown" for rule in rules()), "evaluations", WITHIN_S)
    assert [(rule["name"], rule.get("lastError")) for rule in rules() if rule["health"] != "ok"] == []


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
