# SPDX-License-Identifier: MIT
"""What wgmesh-init finds out inside real containers about what holds its state directory."""

import json
import pathlib

import pytest

from cases import CASES, EVERYWHERE, expectations, runs
from engines import STATE_DIR

EXPECTED = expectations()
REFUSED = 78


def fill(options, host):
    return [option.format(**host) for option in options]


def make_volumes(engine, case, host):
    for name, *options in case.volumes:
        engine("volume", "rm", "-f", name, check=False)
        engine("volume", "create", *fill(options, host), name)


def check_while_deleted(engine, case, host):
    """`wgmesh-init check` in a container whose mount lost its source."""
    name = f"case-{case.name}"
    engine("run", "-d", "--name", name, "--network", "none", *fill(case.options, host), case.image,
           "busybox", "sleep", "1000")
    engine.box.run("rmdir", host[case.delete])
    try:
        return engine("exec", name, "wgmesh-init", "check", "--json", check=False)
    finally:
        engine("kill", name)
        engine("rm", "-f", name)
        engine.box.path(host[case.delete].relative_to(engine.box.disk))


def check(engine, case, host):
    make_volumes(engine, case, host)
    if case.delete:
        return check_while_deleted(engine, case, host)
    return engine.run("wgmesh-init", "check", "--json", image=case.image,
                      options=fill(case.options, host), check=False)


@pytest.mark.parametrize("engine_name, case", runs(), ids=str)
def test_the_verdict_is_that_of_the_table(engine, case, host):
    done = check(engine, case, host)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == EXPECTED[case.name], report["checks"]["volume"]
    # Within the container's own clock, all forks and looks included; generous, since engines are busy.
    assert report["checks"]["volume"]["duration_ms"] < 1000


@pytest.mark.parametrize("engine_name", EVERYWHERE)
@pytest.mark.parametrize("case", [case for case in CASES if case.name in
                                  ("nothing-mounted", "image-volume", "tmpfs", "named-volume")], ids=str)
def test_persistence_require_refuses_all_but_persistent_storage(engine, case, host):
    done = engine.run("wgmesh-init", "--persistence=require", "--", "busybox", "true", image=case.image,
                      options=fill(case.options, host), check=False)
    verdict = EXPECTED[case.name]
    assert done.returncode == (0 if verdict == "persistent" else REFUSED), done.stderr
    if verdict != "persistent":
        assert f"(verdict: {verdict})" in done.stderr
        assert STATE_DIR in done.stderr


@pytest.mark.parametrize("engine_name", EVERYWHERE)
def test_a_directory_that_hosts_empty_is_accepted_with_a_warning(engine, host):
    # A start gives it to the container's user, who is another one for each engine.
    place = f"{host['tmp']}/{engine.name}"
    engine.box.run("mkdir", "-m", "777", place)
    done = engine.run("wgmesh-init", "--persistence=require", "--", "busybox", "true",
                      options=("-v", f"{place}:{STATE_DIR}"))
    said = next(line for line in map(json.loads, done.stderr.splitlines())
                if line["component"] == "volume")
    assert said["level"] == "warn"
    assert "the host decides" in said["msg"]


@pytest.mark.parametrize("engine_name", EVERYWHERE)
def test_what_nobody_can_tell_is_accepted_once_another_container_has_used_it(engine, host):
    place = f"{host['overlaid']}/{engine.name}"
    engine.box.run("mkdir", "-m", "777", place)
    options = ("-v", f"{place}:{STATE_DIR}")
    strict = ("wgmesh-init", "--persistence=require", "--", "busybox", "true")
    assert engine.run(*strict, options=options, check=False).returncode == REFUSED
    engine.run("wgmesh-init", "--", "busybox", "true", options=options)
    done = engine.run(*strict, options=options, check=False)
    assert done.returncode == 0, done.stderr
    assert "another container has used it before" in done.stderr


@pytest.mark.parametrize("engine_name", EVERYWHERE)
def test_a_start_names_the_engine_s_own_cure(engine):
    done = engine.run("wgmesh-init", "--", "busybox", "true")
    assert f"{pathlib.Path(engine.program).name} run: add -v" in done.stderr
    assert "Kubernetes:" not in done.stderr


@pytest.mark.parametrize("engine_name", EVERYWHERE)
def test_a_start_asks_whether_the_old_path_was_meant(engine):
    done = engine.run("wgmesh-init", "--", "busybox", "true", options=("-v", "meant-data:/data"))
    assert "did you mean /data? A volume is mounted there, where older deployments kept the key" in done.stderr


@pytest.mark.parametrize("engine_name", EVERYWHERE)
def test_a_start_asks_whether_the_volume_with_this_node_s_files_was_meant(engine):
    engine.run("busybox", "touch", "/srv/wg0.json", options=("-v", "meant-state:/srv"))
    done = engine.run("wgmesh-init", "--", "busybox", "true",
                      options=("-v", "meant-data:/data", "-v", "meant-state:/srv"))
    assert "did you mean /srv? The volume there holds files of this node" in done.stderr


@pytest.mark.parametrize("engine_name", EVERYWHERE)
def test_a_volume_of_other_files_is_not_suggested(engine):
    engine.run("busybox", "touch", "/srv/package.json", options=("-v", "meant-other:/srv"))
    done = engine.run("wgmesh-init", "--", "busybox", "true", options=("-v", "meant-other:/srv"))
    assert "did you mean" not in done.stderr
