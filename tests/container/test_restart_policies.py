# SPDX-License-Identifier: MIT
"""Restart policies of engines with every kind of end, and loops that go on over containers."""

import time

import pytest

from cases import DOCKERS, EVERYWHERE
from engines import STATE_DIR
from lib.wait import eventually
from running import RIGHTS, secret_options, volume_options

INIT = "/usr/local/bin/wgmesh-init"
FAILS = ("--state-dir=none", "--restart=never", "--", "sh", "-c", "exit 3")
ENDS_WELL = ("--state-dir=none", "--", "sh", "-c", "exit 0")
everywhere = pytest.mark.parametrize("engine_name", EVERYWHERE)
# Policies are the engines' own affair: one of each kind will do.
each_kind = pytest.mark.parametrize("engine_name", ["docker13", "podman13", "rootless"])


def with_policy(launch, policy, argv, *options):
    return launch(*argv, options=("--restart", policy, "--entrypoint", INIT, *options))


def has_settled(container):
    """It has ended, and the engine is not about to start it again."""
    state = container.state()
    return not state["Running"] and state["Status"] in ("exited", "stopped")


def comes_back(container, runs=2):
    eventually(lambda: container.restarts() >= runs, f"{runs} restarts of {container.name}", within=30)


def kill_pid_1(container):
    """As the machine would, and not the engine, which would take it for a stop."""
    container.engine.box.run("kill", "-s", "KILL", container.state()["Pid"])


# What the policy does with each kind of end

@everywhere
@pytest.mark.parametrize("policy, restarts", [("no", 0), ("on-failure:2", 2)])
def test_a_failure_is_tried_again_as_often_as_the_policy_says(launch, policy, restarts):
    container = with_policy(launch, policy, FAILS)
    eventually(lambda: has_settled(container) and container.restarts() == restarts, "its last end", within=30)
    assert container.state()["ExitCode"] == 3


@each_kind
def test_a_success_is_not_tried_again_on_failure(launch):
    container = with_policy(launch, "on-failure:3", ENDS_WELL)
    assert container.exit_code() == 0
    assert container.restarts() == 0


@each_kind
@pytest.mark.parametrize("policy", ["always", "unless-stopped"])
def test_always_means_after_a_success_too(launch, policy):
    comes_back(with_policy(launch, policy, ENDS_WELL))


@each_kind
@pytest.mark.parametrize("policy", ["on-failure:5", "always", "unless-stopped"])
def test_after_a_stop_it_stays_stopped(launch, policy):
    container = launch.node("--restart", policy).wait_until_healthy()
    _, code = container.stop()
    assert code == 0 and has_settled(container) and container.restarts() == 0


@each_kind
def test_a_refusal_that_no_restart_cures_is_no_different_to_the_engine(launch):
    engine = launch.engine
    container = launch("join", options=("--restart", "on-failure:1", *RIGHTS, *secret_options(engine),
                                        "-e", "WGMESH_PERSISTENCE=require"))
    eventually(lambda: has_settled(container) and container.restarts() == 1, "its last end", within=30)
    assert container.state()["ExitCode"] == 78


# The death of PID 1

@each_kind
@pytest.mark.parametrize("policy", ["on-failure:5", "always"])
def test_a_node_whose_pid_1_is_killed_comes_back_with_its_key(launch, policy):
    node = launch.node("--restart", policy)
    key = node.pubkey()
    kill_pid_1(node)
    eventually(lambda: node.restarts() == 1 and node.is_running(), "the engine to start it", within=30)
    assert node.pubkey() == key
    # The container is the same one, so nothing is proven about the volume by that.
    assert node.status()["boots"] == 2


@pytest.mark.parametrize("engine_name", DOCKERS)
def test_lack_of_memory_is_named_and_does_not_hit_pid_1(launch):
    grows = ("--persistence=ignore", "--restart=never", "--", "sh", "-c", "x=0123456789; while :; do x=$x$x; done")
    container = launch(*grows, options=("--entrypoint", INIT, "--memory", "32m", "--memory-swap", "32m"))
    assert container.exit_code() == 137
    said = container.output()
    assert "memory" in said, said
    assert container.log()[-1]["msg"] == "exit code 137"


# Loops

LOOP = 10
LUCKLESS = ("--persistence=ignore", "--on-loop=hold", "--", "sh", "-c", "echo no luck >&2; exit 3")


def looping(launch, failures):
    """A container that fails at once, on a volume on which others did so before."""
    volume, now = launch.volume(), int(time.time())
    launch.engine.run("busybox", "sh", "-c", f'umask 077; for i in $(busybox seq $1); do echo "$0"; done '
                      f'>{STATE_DIR}/.wgmesh.history', f"{now} {now} code=3 5 exit", str(failures),
                      options=volume_options(volume))
    return with_policy(launch, "on-failure:5", LUCKLESS, *volume_options(volume))


@everywhere
def test_a_loop_is_counted_over_restarts_by_the_engine_and_held_for_a_look(launch):
    container = looping(launch, LOOP - 2)
    # One more is forgiven, after a long pause, in which the container dies.
    container.wait_for_log(f"failure {LOOP - 1} of {LOOP}")
    kill_pid_1(container)
    eventually(lambda: (container.status() or {}).get("state") == "holding", "the loop to be held", within=30)
    status = container.status()
    assert container.restarts() == 1
    assert status["failures"] == LOOP and status["cause"].endswith("its last line: no luck")
    assert not container.is_healthy()
    assert container.stop()[1] == 3


@each_kind
def test_a_daemon_that_is_killed_again_and_again_keeps_its_key_and_the_engine_need_not_know(launch):
    node = launch.node("--restart", "always")
    key = node.pubkey()
    for again in range(1, 4):
        node.signal_daemon("KILL")
        eventually(lambda: node.status() and node.status()["restarts"] == again, "the daemon's restart", within=30)
        assert node.pubkey() == key
    assert node.restarts() == 0
