# SPDX-License-Identifier: MIT
"""Pods of compose/kubernetes really run: by Podman, from the rendered manifests, with a kubelet that is played.

Few machines that run tests have the kernel's WireGuard, so every overlay gets the component `userspace`.
"""

import base64
import copy
import itertools
import json

import pytest

from engines import FULL, STATE_DIR
from kube_controllers import claims_of, container, pod_of, workload
from kube_node import Node, status, with_pods
from kube_render import SECRET, Manifests
from lib import leak
from lib.peer import new_key
from lib.wait import eventually

NO_WIREGUARD, PERMISSION, POLICY = 69, 77, 78
OTHER_SECRET = "wgmesh://v1/YW5vdGhlciBzZWNyZXQgb2YgdGhlc2UgdGVzdHMsIGxvbmc"
KEY_FILE = "wg0.json"
LEGACY_USER = "1000:1000"
REFUSED_S = 60
NUMBERS = itertools.count(1)

both = pytest.mark.parametrize("engine_name", ["podman", "podman13"])
# Where it is the node that is looked at, and Podman has little part in it.
newer = pytest.mark.parametrize("engine_name", ["podman13"])


@pytest.fixture(scope="session")
def pod_engines():
    """Podman for pods, by the name of the engine."""
    made = {}
    yield made
    for one in made.values():
        one.room.close()


@pytest.fixture
def node(engine, pod_engines, request):
    if engine.name not in pod_engines:
        pod_engines[engine.name] = with_pods(engine).images()
    the_node = request.node.lab = Node(pod_engines[engine.name])
    yield the_node
    found = leak.search([("the log", the_node.logs().encode())], leak.needles({SECRET, OTHER_SECRET}))
    the_node.close()
    assert found == []


@pytest.fixture(scope="session")
def manifests(tmp_path_factory):
    return Manifests(tmp_path_factory.mktemp("manifests"))


@pytest.fixture
def docs(manifests):
    """The overlay that runs as it is, on a machine like this one."""
    return manifests.render("userspace")


def play(node, docs, ordinal=0, change=None):
    """The pod with this ordinal, and `change` made to it."""
    owner = workload(docs)
    pod = pod_of(owner, ordinal)
    if change:
        pod = change(copy.deepcopy(pod))
    return node.play(pod, claims_of(owner, ordinal), docs)


def play_ready(node, docs, ordinal=0, change=None):
    running = play(node, docs, ordinal, change)
    running.wait_until_ready()
    return running


def pubkey(running, name="wgmesh"):
    return status(running, name)["pubkey"]


def refused(running, name="wgmesh"):
    """Exit code and termination message of a container that does not start."""
    eventually(lambda: not running.is_running(name), "the end of the container", within=REFUSED_S)
    return running.exit_code(name), running.message(name)


def once(pod):
    """A container that ends stays so, to be looked at."""
    pod["spec"]["restartPolicy"] = "Never"
    return pod


def instead_of_state(source):
    """A change: the state on another volume than the claim."""
    def change(pod):
        volumes = [volume for volume in pod["spec"]["volumes"] if volume["name"] != "state"]
        pod["spec"]["volumes"] = [*volumes, {"name": "state", **source}]
        return once(pod)
    return change


def with_setting(name, value):
    def change(pod):
        container(pod, "wgmesh").setdefault("env", []).append({"name": name, "value": value})
        return pod
    return change


# So that there is something to ask at a mesh address.
EVERYWHERE = with_setting("WGMESH_HTTP", ":9464")


# The life of a pod

@both
def test_startup_readiness_and_liveness_turn_good_in_this_order(node, docs):
    running = play(node, docs)
    running.wait_until_ready()
    said = status(running)
    assert said["hostname"] == "wgmesh-0"
    assert said["supervisor"]["verdict"] == "persistent"


@newer
def test_only_the_pods_own_address_answers_probes(node, docs):
    running = play_ready(node, docs)
    assert running.probe("wgmesh", "liveness").ok
    inside = node.engine.inside(running.id("wgmesh"), "curl", "-s", "-m", "5",
                                f"http://{status(running)['mesh_ip']}:9464/livez", check=False)
    assert inside.returncode != 0


@both
def test_a_restart_of_the_container_keeps_the_identity(node, docs):
    running = play_ready(node, docs)
    before = pubkey(running)
    running.restart()
    running.wait_until_ready()
    assert pubkey(running) == before


@both
def test_a_pod_that_is_created_again_on_its_claim_is_the_same_node_and_proves_it(node, docs):
    running = play_ready(node, docs)
    before = status(running)
    running.delete()
    after = status(play_ready(node, docs))
    assert (after["pubkey"], after["mesh_ip"]) == (before["pubkey"], before["mesh_ip"])
    assert after["supervisor"]["proof"] == "proven"


@newer
def test_another_secret_is_another_mesh_with_the_same_key(node, docs, tmp_path):
    running = play_ready(node, docs)
    before = status(running)
    running.delete()
    rotated = Manifests(tmp_path, OTHER_SECRET).render("userspace")
    after = status(play_ready(node, rotated))
    assert after["pubkey"] == before["pubkey"]
    assert after["network_id"] != before["network_id"]


@both
def test_sigterm_ends_a_pod_within_its_grace_with_0_and_no_message(node, docs):
    running = play_ready(node, docs)
    running.stop()
    assert running.exit_code("wgmesh") == 0
    assert running.message("wgmesh") == ""


@both
def test_two_replicas_are_two_nodes_that_reach_each_other_through_the_tunnel(node, docs):
    first, second = (play_ready(node, docs, ordinal, EVERYWHERE) for ordinal in range(2))
    assert pubkey(first) != pubkey(second)
    reach(first, "wgmesh", second)
    reach(second, "wgmesh", first)


def reach(running, name, peer):
    """A program in a container of a pod asks another pod's node at its mesh address, and gets an answer."""
    url = f"http://{status(peer)['mesh_ip']}:9464/livez"
    eventually(lambda: running.exec(name, "wget", "-q", "-T", "2", "-O", "-", url, check=False).stdout == "ok\n",
               f"an answer from {url} in {running.id(name)}", within=60)


# Storage

@both
@pytest.mark.parametrize("source, verdict", [({"emptyDir": {}}, "pod"),
                                             ({"emptyDir": {"medium": "Memory"}}, "memory")],
                         ids=["disk", "memory"])
def test_an_empty_dir_is_refused_and_kubectl_describe_would_show_why(node, docs, source, verdict):
    running = play(node, docs, change=instead_of_state(source))
    code, message = refused(running)
    assert code == POLICY
    assert f"(verdict: {verdict})" in message
    assert "mount a PersistentVolumeClaim at /var/lib/wgmesh" in running.log("wgmesh")


def claim(node, name, script, *arguments, source=None):
    """A claim that exists before the pod; a shell of the full image has been in it."""
    options = ("--opt", "type=none", "--opt", f"device={source}", "--opt", "o=bind") if source else ()
    node.engine("volume", "create", *options, name)
    node.claims.append(name)
    node.engine("run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", "-v", f"{name}:/claim",
                FULL, "-c", f"cd /claim; {script}", "sh", *arguments)


def look(node, name, script):
    return node.engine("run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", "-v", f"{name}:/claim",
                       FULL, "-c", f"cd /claim; {script}").stdout


def old_key():
    private_key, public_key = new_key()
    return json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2), public_key


@newer
def test_a_claim_that_is_a_disk_keeps_its_lost_and_found(node, docs, box):
    box.run("sh", "-c", 'rm -rf "$0"/*; mkdir -m 700 "$0/lost+found"', box.directory / "claim")
    claim(node, "state-wgmesh-0", ":", source=box.directory / "claim")
    running = play_ready(node, docs)
    before = pubkey(running)
    running.delete()
    assert pubkey(play_ready(node, docs)) == before
    shown = look(node, "state-wgmesh-0", "ls -lnd lost+found").split()
    assert (shown[0], shown[2:4]) == ("drwx------", ["0", "0"])


@both
def test_the_capabilities_are_enough_for_a_claim_of_another_user_and_a_secret_of_root_s_alone(node, docs):
    text, public_key = old_key()
    claim(node, "state-wgmesh-0", f'umask 077; echo "$1" >{KEY_FILE}; chown -R {LEGACY_USER} .; chmod 700 .', text)
    running = play_ready(node, docs)
    assert pubkey(running) == public_key
    events = [json.loads(line) for line in running.log("wgmesh").splitlines() if line.startswith("{")]
    # The name server of a cluster, which knows the Service, is not played.
    assert [event["msg"] for event in events
            if event["level"] in ("warn", "error") and event["event"] != "dns_failed"] == []
    shown = running.exec("wgmesh", "ls", "-ln", "/run/secrets/mesh_secret", f"{STATE_DIR}/{KEY_FILE}").stdout
    assert [(row.split()[0], row.split()[2]) for row in shown.splitlines()] == \
        [("-r--------", "0"), ("-rw-------", "65532")]
    running.stop()
    assert running.exit_code("wgmesh") == 0


# What the kubelet makes of a volume for a pod with fsGroup, at each start of a pod.
FS_GROUP = "chgrp -R {0} .; chmod -R g+rw .; find . -type d -exec chmod g+xs {{}} +"


@newer
@pytest.mark.parametrize("group", [65532, 2000], ids=["the-daemon-s-group", "another-group"])
def test_a_claim_that_the_kubelet_gives_to_a_group_keeps_its_key(node, docs, group):
    text, public_key = old_key()
    claim(node, "state-wgmesh-0", f'umask 077; echo "$1" >{KEY_FILE}; {FS_GROUP.format(group)}', text)
    for _ in range(2):
        running = play_ready(node, docs)
        assert pubkey(running) == public_key
        running.delete()
        look(node, "state-wgmesh-0", FS_GROUP.format(group))


@newer
def test_storage_that_fails_makes_a_pod_unready_but_never_dead(node, docs):
    running = play_ready(node, docs, change=with_setting("WGMESH_STORAGE_CHECK", "1s"))
    where = node.engine("volume", "inspect", "--format", "{{.Mountpoint}}", "state-wgmesh-0").stdout.strip()
    node.engine.box.run("chattr", "+i", where)
    try:
        eventually(lambda: not running.probe("wgmesh", "readiness").ok, "an unready pod", within=30)
        assert running.probe("wgmesh", "liveness").ok
        assert running.probe("wgmesh", "startup").ok
    finally:
        node.engine.box.run("chattr", "-i", where)
    running.wait_for("wgmesh", "readiness")


# Rights

def as_user(pod):
    """As the level "restricted" would have it."""
    container(pod, "wgmesh")["securityContext"] = {
        "runAsUser": 65532, "runAsGroup": 65532, "runAsNonRoot": True, "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    # Root alone could read it, and is not there.
    next(volume for volume in pod["spec"]["volumes"] if "secret" in volume)["secret"]["defaultMode"] = 0o444
    return once(pod)


@newer
def test_a_pod_that_starts_without_root_says_what_is_missing(node, docs):
    code, message = refused(play(node, docs, change=as_user))
    assert code == PERMISSION
    assert "CAP_NET_ADMIN is missing" in message
    assert "securityContext.capabilities.add" in message


# The other overlays

def has_wireguard(node):
    """Does the kernel of this machine know it?"""
    made = node.run("unshare", "-n", "ip", "link", "add", "probe0", "type", "wireguard", check=False)
    return made.returncode == 0


@both
def test_the_smallest_image_runs_on_the_kernel_s_wireguard_or_says_that_there_is_none(node, manifests):
    running = play(node, manifests.render("kernel"), change=once)
    if has_wireguard(node):
        running.wait_until_ready()
        assert status(running)["backend"] == "kernel"
        return
    code, message = refused(running)
    assert code == NO_WIREGUARD
    assert "this kernel has no WireGuard" in message


@both
def test_an_old_deployment_s_claim_on_data_is_copied_and_left_as_it_is(node, manifests):
    text, public_key = old_key()
    claim(node, "wgmesh-data", f'umask 077; echo "$1" >{KEY_FILE}; chown -R {LEGACY_USER} .', text)
    before = look(node, "wgmesh-data", f"ls -ln {KEY_FILE}; cat {KEY_FILE}")
    docs = manifests.render("migrate-legacy", "userspace")
    running = play_ready(node, docs)
    assert pubkey(running) == public_key
    running.delete()
    assert look(node, "wgmesh-data", f"ls -ln {KEY_FILE}; cat {KEY_FILE}") == before
    # The old claim may go: the next pod is that of the overlay for new nodes.
    assert pubkey(play_ready(node, manifests.render("userspace"))) == public_key


def at(place):
    """A change: the state in this directory of the machine, as the machine's own is none of ours."""
    def change(pod):
        state = next(volume for volume in pod["spec"]["volumes"] if volume["name"] == "state")
        assert state["hostPath"] == {"path": STATE_DIR, "type": "DirectoryOrCreate"}
        state["hostPath"]["path"] = str(place)
        return pod
    return change


def links(node):
    return node.run("ip", "-o", "link").stdout


@both
def test_a_pod_of_the_daemonset_brings_the_mesh_into_the_machine_s_network(node, manifests, box):
    docs = manifests.render("daemonset", "userspace")
    place = box.path(f"srv/daemonset-{next(NUMBERS)}") / "wgmesh"
    assert ": wg0:" not in links(node)
    running = play_ready(node, docs, change=at(place))
    before = pubkey(running)
    assert ": wg0:" in links(node)
    running.delete()
    assert ": wg0:" not in links(node)
    assert pubkey(play_ready(node, docs, change=at(place))) == before


def play_with_sidecar(node, docs):
    """As the kubelet does: the app is started once the sidecar's startup probe is content."""
    owner = workload(docs)
    running = node.play(pod_of(owner), claims_of(owner), docs, start=False)
    running.start("wgmesh")
    running.wait_for("wgmesh", "startup")
    running.start("app")
    running.wait_until_ready()
    return running


@both
def test_an_app_reaches_a_peer_through_its_sidecar_and_outlives_it(node, manifests, docs):
    peer = play_ready(node, docs, change=EVERYWHERE)
    running = play_with_sidecar(node, manifests.render("sidecar", "userspace"))
    reach(running, "app", peer)
    app, before = running.inspect("app", ".State.Pid"), pubkey(running)
    running.restart("wgmesh")
    running.wait_until_ready()
    assert pubkey(running) == before
    assert running.inspect("app", ".State.Pid") == app
    reach(running, "app", peer)


@both
def test_an_app_and_then_its_sidecar_end_within_the_grace(node, manifests):
    running = play_with_sidecar(node, manifests.render("sidecar", "userspace"))
    for name in ("app", "wgmesh"):
        running.stop(name)
        assert running.exit_code(name) == 0


@newer
def test_a_pod_without_the_secret_names_the_file_that_is_missing(node, docs):
    def change(pod):
        container(pod, "wgmesh")["volumeMounts"] = [
            mount for mount in container(pod, "wgmesh")["volumeMounts"] if mount["name"] != "secret"]
        return once(pod)
    code, message = refused(play(node, docs, change=change))
    assert code == 64
    assert "/run/secrets/mesh_secret" in message


@both
def test_the_secret_is_shown_to_nobody_but_pid_1(node, docs):
    running = play_ready(node, docs)
    secret = base64.b64decode(next(doc for doc in docs if doc["kind"] == "Secret")["data"]["mesh_secret"])
    assert secret.decode().strip() == SECRET
    listed = node.engine("inspect", running.id("wgmesh")).stdout
    assert SECRET not in listed
    shown = running.exec("wgmesh", "ls", "-ln", "/run/secrets/mesh_secret").stdout.split()
    assert (shown[0], shown[2:4]) == ("-r--------", ["0", "0"])
