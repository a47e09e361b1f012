# SPDX-License-Identifier: MIT
"""The shipped images over the life of a container, as engines see it: health, stops, exit codes, identity."""

import json
import time

import pytest

from cases import DOCKERS, EVERYWHERE
from engines import DISTROLESS, FULL, PLAIN, STATE_DIR
from lib.wait import eventually
from running import SECRET, fresh, secret_options, volume_options

# What a stop may take by PID 1's own clock, from the signal to the last line.
STOP_MAX_MS = 1000
INIT = "/usr/local/bin/wgmesh-init"
# An engine asks this often in tests, instead of every 30 s.
QUICK_HEALTH = ("--health-interval", "300ms", "--health-start-period", "1ms", "--health-retries", "2")
STUBBORN = "trap '' TERM INT; echo up >&2; while :; do sleep 0.1; done"

everywhere = pytest.mark.parametrize("engine_name", EVERYWHERE)
dockers = pytest.mark.parametrize("engine_name", DOCKERS)


def moment(event):
    """Milliseconds of the day of a line of our log."""
    hours, minutes, seconds = event["time"][11:-1].split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)


def stop_took_ms(node):
    """From the stop signal to the end, as PID 1's log has it."""
    log = node.log()
    begun = next(event for event in log if event.get("event") == "stop_requested")
    return (moment(log[-1]) - moment(begun)) % (24 * 3600 * 1000)


def supervised(launch, script, *options, init=()):
    """A shell script below wgmesh-init, for what no node of ours would do."""
    return launch(*init, "--state-dir=none", "--", "sh", "-c", script, options=("--entrypoint", INIT, *options))


# Health

@everywhere
def test_a_node_is_starting_while_it_waits_for_the_volume_and_healthy_after(launch):
    volume = launch.volume()
    first = launch.node(volume=volume).wait_until_healthy()
    second = launch.node(volume=volume)
    second.wait_for_log("waiting", within=20)
    assert not second.is_healthy() and second.health() == "starting"
    first.stop()
    second.wait_until_healthy()
    assert second.status()["proof"] == "proven"


@dockers
def test_an_engine_that_asks_sees_it_healthy(launch):
    node = launch.node(*QUICK_HEALTH)
    eventually(lambda: node.health() == "healthy", "a healthy container", within=30)


@pytest.mark.parametrize("engine_name", ["podman", "podman13", "rootless"])
def test_podman_asks_when_it_is_told_to(launch):
    node = launch.node().wait_until_healthy()
    assert node("healthcheck", "run", node.name, check=False).returncode == 0
    assert node.health() == "healthy"


@everywhere
def test_the_image_says_how_to_ask_and_how_to_stop(engine):
    engine.images()
    for image in (DISTROLESS, FULL):
        config = json.loads(engine("image", "inspect", image).stdout)[0]
        # Podman has it beside the configuration.
        check = config["Config"].get("Healthcheck") or config.get("HealthCheck") or config.get("Healthcheck")
        assert check["Test"] == ["CMD", INIT, "healthcheck"]
        assert config["Config"]["StopSignal"] == "SIGTERM"
        assert not config["Config"].get("Volumes") and not config["Config"].get("User")


@dockers
def test_a_node_that_is_held_after_it_gave_up_is_unhealthy_and_can_be_asked(launch):
    node = launch.node("-e", "WGMESH_ON_LOOP=hold", "-e", "WGMESH_MTU=nonsense", *QUICK_HEALTH)
    eventually(lambda: node.health() == "unhealthy", "an unhealthy container", within=30)
    status = node.status()
    assert status["state"] == "holding" and "nonsense" in status["cause"]
    last = node.state()["Health"]["Log"][-1]
    assert last["ExitCode"] == 1 and last["Output"].strip()
    assert node.stop()[1] == 64


@dockers
def test_a_node_whose_storage_fills_up_is_unhealthy_until_there_is_room_again(launch, host):
    place = f"{host['claim']}/{fresh('full')}"
    box = launch.engine.box
    box.run("mkdir", "-m", "777", place)
    node = launch.node("-v", f"{place}:/state", "-e", "WGMESH_STATE_DIR=/state", "-e", "WGMESH_STORAGE_CHECK=1s",
                       *QUICK_HEALTH)
    eventually(lambda: node.health() == "healthy", "a healthy container", within=30)
    try:
        box.run("dd", "if=/dev/zero", f"of={place}/filler", "bs=1M", check=False)
        eventually(lambda: node.health() == "unhealthy", "an unhealthy container", within=30)
        assert node.status()["storage"] != "ok" and node.is_running()
    finally:
        box.run("rm", "-f", f"{place}/filler")
    eventually(lambda: node.health() == "healthy", "a healthy container", within=30)


@dockers
def test_a_program_that_never_gets_ready_is_unhealthy(launch):
    held = supervised(launch, STUBBORN, *QUICK_HEALTH, init=("--notify",))
    eventually(lambda: held.health() == "unhealthy", "an unhealthy container", within=30)
    assert held.is_running()


@pytest.mark.parametrize("engine_name", ["docker13"])
def test_a_daemon_that_hangs_is_started_again_with_its_key_and_the_engine_need_not_know(launch):
    node = launch.node("-e", "WGMESH_WATCHDOG=12s")
    before = node.pubkey()
    started = node.state()["StartedAt"]
    node.signal_daemon("STOP")
    eventually(lambda: node.status()["restarts"] == 1, "the watchdog", within=60)
    assert "watchdog" in node.status()["cause"] or "silent" in node.status()["cause"]
    assert node.pubkey() == before
    assert node.state()["StartedAt"] == started


# Stops

@everywhere
def test_a_stop_ends_with_0_within_a_second(launch):
    node = launch.node().wait_until_healthy()
    _, code = node.stop()
    assert code == 0, node.output()
    assert stop_took_ms(node) < STOP_MAX_MS
    assert node.log()[-1]["msg"] == "exit code 0"


@everywhere
@pytest.mark.parametrize("name", ["INT", "QUIT"])
def test_other_stop_signals_do_the_same(launch, name):
    node = launch.node().wait_until_healthy()
    node.signal(name)
    assert node.exit_code() == 0
    assert stop_took_ms(node) < STOP_MAX_MS
    assert f"stopped by SIG{name}" in node.output()


@everywhere
def test_a_signal_that_is_no_stop_leaves_it_running(launch):
    node = launch.node().wait_until_healthy()
    before = node.status()["daemon_pid"]
    node.signal("HUP")
    node.wait_for_log("reload")
    node.wait_until_healthy()
    assert node.status()["daemon_pid"] == before


@everywhere
def test_who_ignores_the_stop_is_killed_before_the_engine_would(launch):
    stubborn = supervised(launch, STUBBORN, init=("--stop-timeout=1s",))
    stubborn.wait_for_log("up")
    seconds, code = stubborn.stop("-t", "30")
    assert code == 137 and seconds < 25
    assert "did not end" in stubborn.output() or "killed" in stubborn.output()


@everywhere
def test_a_second_stop_signal_cuts_that_short(launch):
    stubborn = supervised(launch, STUBBORN, init=("--stop-timeout=600s",))
    stubborn.wait_for_log("up")
    stubborn.signal("TERM")
    stubborn.wait_for_log("SIGTERM")
    assert stubborn.is_running()
    stubborn.signal("INT")
    assert stubborn.exit_code() == 137


@everywhere
def test_a_stop_during_the_start_ends_the_start(launch):
    volume = launch.volume()
    first = launch.node(volume=volume).wait_until_healthy()
    second = launch.node(volume=volume)
    second.wait_for_log("waiting", within=20)
    seconds, code = second.stop("-t", "30")
    assert code == 143 and seconds < 25
    assert first.is_healthy()


@pytest.mark.parametrize("engine_name", ["docker13"])
def test_a_pause_is_not_taken_for_a_hang(launch):
    node = launch.node("-e", "WGMESH_WATCHDOG=6s").wait_until_healthy()
    before = node.status()["daemon_pid"]
    node("pause", node.name)
    # The interval has to pass; nothing could be waited for in a container that stands still.
    time.sleep(7)
    node("unpause", node.name)
    node.wait_until_healthy()
    assert node.status()["daemon_pid"] == before and node.status()["restarts"] == 0


# Refusals, as the engine sees them

def seeded(launch, text, user=65532):
    """A volume with a key file of that text."""
    volume = launch.volume()
    launch.engine.run("busybox", "sh", "-c", f'umask 077; echo "$0" >{STATE_DIR}/wg0.json', text,
                      options=("-u", str(user), *volume_options(volume)))
    return volume


def refusal(launch, *options, image=FULL, join=(), volume=None, secret=True):
    """The code and the sentence with which a start ends, and what the engine was given to keep."""
    engine = launch.engine
    log = engine.box.path("termination") / fresh("log")
    engine.box.run("sh", "-c", f': >"{log}"; chmod 666 "{log}"')
    refused = launch("join", *join, image=image, options=(
        *(secret_options(engine) if secret else ()), *volume_options(launch.volume(volume)),
        "-v", f"{log}:/dev/termination-log", *options))
    code = refused.exit_code()
    return code, refused.output(), engine.box.run("cat", log).stdout


NET_ADMIN = ("--cap-add", "NET_ADMIN")
TUN = ("--device", "/dev/net/tun")


@everywhere
@pytest.mark.parametrize("code, words, options, settings", [
    (64, "secret", (*NET_ADMIN, *TUN), {"secret": False}),
    (64, "--listen-port", (*NET_ADMIN, *TUN), {"join": ("--listen-port=many",)}),
    (69, "no WireGuard", NET_ADMIN, {"image": DISTROLESS}),
    (69, "no WireGuard", (*NET_ADMIN, *TUN), {"join": ("--backend=kernel",)}),
    (77, "CAP_NET_ADMIN", (), {}),
], ids=["no-secret", "bad-option", "distroless", "kernel-only", "no-capability"])
def test_a_refusal_has_its_code_and_its_sentence(launch, code, words, options, settings):
    ended, said, kept = refusal(launch, *options, **settings)
    assert ended == code, said
    assert words in said and SECRET not in said
    # One line, which Kubernetes shows.
    assert words in kept and kept.count("\n") <= 1


@everywhere
def test_the_distroless_image_names_what_this_kernel_lacks_and_the_other_image_as_a_cure(launch):
    _, said, _ = refusal(launch, *NET_ADMIN, *TUN, image=DISTROLESS)
    assert "modprobe wireguard" in said


@everywhere
def test_a_damaged_key_is_refused_and_stays_as_it_is(launch):
    volume = seeded(launch, "this was a key once")
    code, said, kept = refusal(launch, *NET_ADMIN, *TUN, volume=volume)
    assert code == 65, said
    assert "wg0.json" in said and "wg0.json" in kept
    left = launch.engine.run("busybox", "cat", f"{STATE_DIR}/wg0.json", options=volume_options(volume))
    assert left.stdout == "this was a key once\n"


@everywhere
def test_a_second_container_on_the_volume_is_refused_and_told_who_has_it(launch):
    volume = launch.volume()
    first = launch.node("--hostname", "holder", volume=volume).wait_until_healthy()
    code, said, kept = refusal(launch, *NET_ADMIN, *TUN, "-e", "WGMESH_LOCK_TIMEOUT=1s", volume=volume)
    assert code == 75, said
    assert "holder" in said and "holder" in kept
    assert first.is_healthy()


@everywhere
@pytest.mark.parametrize("image", [DISTROLESS, FULL], ids=["distroless", "full"])
def test_storage_that_will_not_last_is_refused_where_that_is_asked_for(launch, image):
    refused = launch("join", image=image, options=(
        *NET_ADMIN, *TUN, *secret_options(launch.engine), "-e", "WGMESH_PERSISTENCE=require"))
    assert refused.exit_code() == 78
    assert "(verdict: layer)" in refused.output()


# Identity

@everywhere
def test_a_node_keeps_its_key_through_restart_kill_and_re_creation(launch):
    node = launch.node()
    key = node.pubkey()
    node.restart()
    assert node.pubkey() == key
    node.signal("KILL")
    assert node.exit_code() == 137
    node.start()
    assert node.pubkey() == key
    again = launch.keep(node.replace())
    assert again.pubkey() == key
    status = again.status()
    assert status["boots"] == 4 and status["proof"] == "proven"


@everywhere
def test_two_nodes_find_each_other_and_ping_through_the_tunnel(launch):
    network = launch.network()
    one, two = (launch.node("--network", network).wait_until_healthy() for _ in range(2))

    def sees_the_other():
        peers = json.loads(one.exec("wgmesh", "peers", "count", "--json").stdout)
        return peers["active"] == 1

    eventually(sees_the_other, "a peer", within=30)
    address = two.node()["mesh_ip"]
    eventually(lambda: launch.engine.inside(one.name, "ping", "-n", "-c1", "-W1", address,
                                            check=False).returncode == 0, "an answer", within=20)
    assert two.stop()[1] == 0
    # It has said goodbye: nobody waits for a timeout.
    eventually(lambda: not sees_the_other(), "the other to be gone", within=20)
