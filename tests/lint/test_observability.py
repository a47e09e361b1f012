# SPDX-License-Identifier: MIT
"""Alert rules by Prometheus's own tests; provisioning and dashboard of Grafana by their structure.

Debian has no Grafana: that it shows the dashboard as it is meant is not tested, that every expression in it
is valid and about metrics that exist is.
"""

import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = CHECKOUT / "compose" / "observability"
GRAFANA = SHIPPED / "grafana"
PROMTOOL = CHECKOUT / "build" / "prometheus" / "promtool"
TESTS = CHECKOUT / "tests" / "prometheus" / "alerts_test.yml"
DAY_TESTS = TESTS.with_name("alerts_day_test.yml")
DASHBOARD = json.loads((GRAFANA / "dashboards" / "wgmesh.json").read_text(encoding="utf-8"))
# What Prometheus itself makes, and the parts that a histogram is stored as.
OWN = {"up", "ALERTS"}
SUFFIXES = re.compile(r"_bucket$")
METRIC = re.compile(r"\b(wgmesh_\w+|process_\w+|up|ALERTS)\b(?!=)")
SELECTOR = re.compile(r"\b((?:wgmesh|process)_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
COLUMNS = 24


def load(*path):
    return yaml.safe_load(SHIPPED.joinpath(*path).read_text(encoding="utf-8"))


def service_of(name):
    return yaml.safe_load((SHIPPED.parent / "observability.yml").read_text(encoding="utf-8"))["services"][name]


RULES = [rule for group in load("alerts.yml")["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]


def promtool(*argv):
    done = subprocess.run([PROMTOOL, *map(str, argv)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def metrics():
    """Labels by metric, with their values where those are listed, from the reference."""
    page = (CHECKOUT / "docs" / "reference.md").read_text(encoding="utf-8")
    table = page.partition("<!-- generated: metrics -->")[2].partition("<!-- end -->")[0]
    found = {}
    for name, labels in re.findall(r"^\| `(\w+)` \| \w+ \| (.*?) \| [^|]*\|$", table.replace("\\|", "/"), re.MULTILINE):
        pairs = [label.partition("=") for label in labels.split(", ") if label.strip()]
        found[name] = {label: set(values.split("/")) if values else None for label, _, values in pairs}
    return found


def headings(page):
    """The anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def expressions():
    return [(rule["alert"], rule["expr"]) for rule in RULES] + [(title, target["expr"]) for title, target in TARGETS]


# Alerts

def test_the_configuration_and_the_rules_are_valid():
    assert promtool("check", "config", SHIPPED / "prometheus.yml")[0] == 0
    assert promtool("check", "rules", SHIPPED / "alerts.yml")[0] == 0


def test_every_alert_passes_its_test():
    code, said = promtool("test", "rules", TESTS, DAY_TESTS)
    assert code == 0, said


@pytest.mark.parametrize("alert", [rule["alert"] for rule in RULES])
def test_the_test_of_an_alert_fails_without_it(alert, tmp_path):
    rules, tests = tmp_path / "compose" / "observability", tmp_path / "tests" / "prometheus"
    rules.mkdir(parents=True)
    tests.mkdir(parents=True)
    shutil.copy(TESTS, tests)
    groups = load("alerts.yml")
    for group in groups["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule["alert"] != alert]
    (rules / "alerts.yml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    assert promtool("test", "rules", tests / TESTS.name)[0] != 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_what_happened_and_what_to_do(rule):
    assert rule["alert"].startswith("Wgmesh")
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert "{{ $labels.instance }}" in rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 50
    page, _, heading = rule["annotations"]["runbook"].partition("#")
    assert heading in headings(CHECKOUT / page)


def test_there_is_an_alert_for_each_thing_that_the_mesh_can_lose():
    assert {rule["alert"] for rule in RULES} >= {
        "WgmeshIdentityChanged", "WgmeshStorageEphemeral", "WgmeshRestartLoop", "WgmeshClone", "WgmeshClock",
        "WgmeshPeersLost", "WgmeshNotReady", "WgmeshStorageBad", "WgmeshForeignDatagrams", "WgmeshStaleDatagrams"}


def test_the_page_counts_them_right():
    assert f"| {len(RULES)} alerts, " in (SHIPPED.parent / "README.md").read_text(encoding="utf-8")


def test_what_to_watch_lists_these_alerts_and_how_bad_they_are():
    page = (CHECKOUT / "docs" / "observe.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(Wgmesh\w+)` \| (\w+) \| \S", page, re.MULTILINE)
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]


def test_every_alert_on_a_job_is_on_the_one_that_the_pages_name():
    jobs = {job for rule in RULES for job in re.findall(r'\bjob="([^"]*)"', rule["expr"])}
    assert jobs == {load("prometheus.yml")["scrape_configs"][0]["job_name"]} == {"wgmesh"}


def test_every_alarm_of_a_node_is_an_alert():
    read = "\n".join(rule["expr"] for rule in RULES)
    covered_by = {"storage": "wgmesh_storage_state", "supervisor": "wgmesh_failures >= 2"}
    for alarm in metrics()["wgmesh_alarm"]["name"]:
        assert covered_by.get(alarm, f'wgmesh_alarm{{name="{alarm}"}}') in read, alarm


def test_the_parts_of_the_configuration_find_each_other():
    config = load("prometheus.yml")
    files = [*config["rule_files"], *config["scrape_configs"][0]["file_sd_configs"][0]["files"]]
    assert [name for name in files if not (SHIPPED / name).is_file()] == []
    service = service_of("prometheus")
    assert "./observability:/etc/prometheus:ro" in service["volumes"]
    assert "--config.file=/etc/prometheus/prometheus.yml" in service["command"]
    assert config["scrape_configs"][0]["job_name"] == "wgmesh"


# What is asked for exists

def test_every_metric_that_is_asked_for_exists():
    known = set(metrics()) | OWN
    assert len(known) > 40
    for where, expression in expressions():
        bare = re.sub(r'"[^"]*"', '""', expression)
        named = {SUFFIXES.sub("", name) for name in METRIC.findall(bare)}
        assert named and named <= known, (where, named - known)


def test_every_label_that_is_asked_for_exists_with_that_value():
    known = metrics()
    checked = 0
    for where, expression in expressions():
        for name, selector in SELECTOR.findall(expression):
            labels = known[SUFFIXES.sub("", name)]
            for label, operator, value in MATCHER.findall(selector):
                if label in ("instance", "job"):
                    continue
                assert label in labels, (where, label)
                if labels[label] and operator in ("=", "!="):
                    assert value in labels[label], (where, label, value)
                checked += 1
    assert checked > 10


def test_every_expression_of_the_dashboard_is_valid(tmp_path):
    records = [{"record": f"panel:{number}", "expr": target["expr"].replace("$__rate_interval", "1m")}
               for number, (_, target) in enumerate(TARGETS)]
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}), encoding="utf-8")
    code, said = promtool("check", "rules", rules)
    assert code == 0 and f"{len(records)} rules found" in said, said


# Grafana

def test_the_dashboard_asks_the_datasource_that_is_provisioned():
    source, = load("grafana", "provisioning", "datasources", "wgmesh.yml")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    for panel in PANELS:
        assert panel["datasource"] == wanted, panel["title"]
        assert all(target["datasource"] == wanted for target in panel["targets"]), panel["title"]
    assert [variable["datasource"] for variable in DASHBOARD["templating"]["list"]] == [wanted]


def test_grafana_finds_the_dashboard_where_compose_mounts_it():
    provider, = load("grafana", "provisioning", "dashboards", "wgmesh.yml")["providers"]
    service = service_of("grafana")
    mounts = dict(reversed(volume.split(":")[:2]) for volume in service["volumes"])
    assert mounts[provider["options"]["path"]] == "./observability/grafana/dashboards"
    for part in ("datasources", "dashboards"):
        assert mounts[f"/etc/grafana/provisioning/{part}"] == f"./observability/grafana/provisioning/{part}"
    home = service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/wgmesh.json"


def test_every_panel_is_one_of_its_own_and_says_what_it_shows():
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers)) > 25
    for panel in PANELS:
        assert panel["title"] and len(panel["description"]) > 10, panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert letters and len(letters) == len(set(letters))
        assert panel["fieldConfig"] and panel["type"] in ("stat", "table", "timeseries", "state-timeline")


def test_no_panel_lies_on_another():
    taken = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert 0 <= at["x"] and at["x"] + at["w"] <= COLUMNS, panel["title"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} lies on {taken.get(cell)}"
            taken[cell] = panel["title"]
