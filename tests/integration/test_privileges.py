# SPDX-License-Identifier: MIT
"""Rights: who holds which in every kind of container, and what is said where one is missing."""

import dataclasses
import os
import signal

import pytest

from lib.container import DOCKER_CAPS, IMAGE_USER, ROOT, Mount
from lib.wait import eventually

SYSTEM, NO_PERMISSION = 71, 77

# capabilities(7)
KILL, SETGID, SETUID, SETPCAP, NET_ADMIN = 5, 6, 7, 8, 12
TO_START = {KILL, SETGID, SETUID, SETPCAP, NET_ADMIN}

# What `tmpfs:` entries give a container that never is root.
RUNTIME_DIRS = (Mount.tmpfs("/run/wgmesh", "mode=755,uid=65532,gid=65532"),
                Mount.tmpfs("/run/wireguard", "mode=700,uid=65532,gid=65532"))

NEVER_ADDED = "even from the bounding set"
ROOT_ONLY = "engines give added capabilities to root only"


@dataclasses.dataclass(frozen=True)
class Situation:
    """A kind of container, and what is to come of it.

    ids         numbers of its user namespace; 0 for none
    outside     its network belongs to the machine
    daemon      user of the daemon
    init        capabilities of PID 1
    spawner     capabilities of the spawner
    lacks       what is said when the daemon cannot run, None when it can
    lacks_nnp   the same under no_new_privs
    says        what is said although it runs
    """

    name: str
    options: dict = dataclasses.field(default_factory=dict)
    user: tuple = ROOT
    ids: int = 0
    outside: bool = False
    daemon: int = 65532
    init: frozenset = frozenset({KILL})
    spawner: frozenset = frozenset(TO_START)
    lacks: str | None = None
    lacks_nnp: str | None = None
    says: str | None = None

    def start(self, lab, **options):
        volume = lab.volume("state")
        os.chown(volume, *self.user)
        options = {"user": self.user, "mounts": RUNTIME_DIRS if self.user != ROOT else (),
                   **self.options, **options}
        if self.ids:
            namespace = lab.user_namespace(self.ids)
            options["user_namespace"] = namespace
            if not self.outside:
                options["port"] = lab.port(fd=namespace.take_network())
        return lab.node("node", volume=volume, **options)


def caps(*names):
    return {"caps": frozenset(names)}


def file_caps(program, text):
    return {"file_caps": {program: text}}


NET_ADMIN_ALONE = {"init": frozenset(), "spawner": frozenset({NET_ADMIN})}
NNP_SILENCES = "no_new_privs makes those ineffective"

SITUATIONS = [
    Situation("root with everything", {"caps": None}),
    Situation("root under an engine's defaults"),
    Situation("root with NET_ADMIN only", caps("net_admin"), daemon=0, **NET_ADMIN_ALONE,
              says="runs as root, for want of CAP_SETUID"),
    Situation("root without any", caps(), lacks=NEVER_ADDED, lacks_nnp=NEVER_ADDED),
    Situation("non-root with NET_ADMIN added", user=IMAGE_USER, lacks=ROOT_ONLY,
              lacks_nnp=ROOT_ONLY),
    Situation("non-root without any", caps(), user=IMAGE_USER, lacks=NEVER_ADDED,
              lacks_nnp=NEVER_ADDED),
    Situation("non-root with NET_ADMIN ambient", {"ambient": frozenset({"net_admin"})},
              user=IMAGE_USER, **NET_ADMIN_ALONE),
    Situation("non-root, file capability permitted", file_caps("wgmesh-init", "cap_net_admin+p"),
              user=IMAGE_USER, **NET_ADMIN_ALONE, lacks_nnp=NNP_SILENCES),
    Situation("non-root, file capability in effect", file_caps("wgmesh-init", "cap_net_admin+ep"),
              user=IMAGE_USER, **NET_ADMIN_ALONE, lacks_nnp=NNP_SILENCES),
    Situation("non-root, file capability not added",
              {**file_caps("wgmesh-init", "cap_net_admin+p"), **caps()}, user=IMAGE_USER,
              lacks=NEVER_ADDED, lacks_nnp=NEVER_ADDED),
    Situation("non-root, file capability of the daemon", file_caps("wgmesh", "cap_net_admin+ep"),
              user=IMAGE_USER, lacks="give it to wgmesh-init instead",
              lacks_nnp="give it to wgmesh-init instead"),
    Situation("user namespace with one id", {"caps": None}, ids=1, daemon=0, init=frozenset(),
              says="uid 65532 does not exist in this user namespace"),
    Situation("user namespace with 65536 ids", {"caps": None}, ids=65536),
    Situation("user namespace, network of the machine", {"caps": None}, ids=65536, outside=True,
              lacks="network belongs to the world outside",
              lacks_nnp="network belongs to the world outside"),
]


def rights(process):
    """What /proc/PID/status says about a process, but for its bounding set."""
    status = process.status
    if not status:
        return {}
    return {"uid": set(status["Uid"].split()), "gid": set(status["Gid"].split()),
            "permitted": process.caps("Prm"), "effective": process.caps("Eff"),
            "inheritable": process.caps("Inh"), "ambient": process.caps("Amb"),
            "no_new_privs": status["NoNewPrivs"], "seccomp": status["Seccomp"]}


def expected(uid, held=(), inherited=(), no_new_privs=True, seccomp=False):
    return {"uid": {str(uid)}, "gid": {str(uid)},
            "permitted": set(held), "effective": set(held),
            "inheritable": set(inherited), "ambient": set(inherited),
            "no_new_privs": "1" if no_new_privs else "0", "seccomp": "2" if seccomp else "0"}


def check_init(box, uid, held):
    # A sanitizer needs more calls than the filter lets through.
    is_filtered = "asan" not in str(box.spec.programs[0])
    want = expected(uid, held, seccomp=is_filtered)
    eventually(lambda: rights(box.init) == want, f"{want} instead of {rights(box.init)}")


def check_daemon(node, uid):
    held = {NET_ADMIN}
    admin, mesh = node.netadmin(), node.mesh_process()
    assert admin and rights(admin) == expected(uid, held, inherited=held)
    assert mesh and rights(mesh) == expected(uid, seccomp=True)


def settled_daemon(node, uid=65532):
    """The daemon's first process, a child of PID 1, once both have the rights they should have."""
    def check():
        check_daemon(node, uid)
        return next(p for p in node.init.children() if p.argv[1:2] == ["join"])
    return eventually(check, "the daemon")


@pytest.mark.parametrize("read_only", [False, True], ids=["writable", "read-only"])
@pytest.mark.parametrize("no_new_privs", [False, True], ids=["", "no_new_privs"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.name)
def test_each_process_holds_what_it_needs_or_the_start_ends_with_a_reason(
        lab, situation, no_new_privs, read_only):
    node = situation.start(lab, no_new_privs=no_new_privs, read_only=read_only)
    lacks = situation.lacks_nnp if no_new_privs else situation.lacks
    if lacks:
        assert node.wait() == NO_PERMISSION
        assert node.find_log(lacks, "warn"), node.log.text()
        return
    eventually(node.has_interface, "the interface")
    uid = situation.user[0]
    check_init(node, uid, situation.init)
    assert rights(node.spawner) == expected(uid, situation.spawner, no_new_privs=no_new_privs)
    settled_daemon(node, situation.daemon)
    warned = [e["msg"] for e in node.events("warn") if e["component"] == "privileges"]
    assert any(situation.says in text for text in warned) if situation.says else not warned, warned
    assert node.stop() == 0


@pytest.mark.asan
def test_nothing_that_was_given_up_can_come_back(lab):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(node.has_interface, "the interface")
    assert eventually(lambda: node.init.caps("Prm") == {KILL}, "PID 1 at rest")
    assert node.init.caps("Bnd") == set()
    assert node.netadmin().caps("Bnd") == {NET_ADMIN}
    assert node.mesh_process().caps("Prm") == set()


@pytest.mark.asan
def test_a_killed_daemon_comes_back_with_the_same_rights(lab):
    node = lab.node("node", volume=lab.volume("state"))
    for _ in range(3):
        parent = settled_daemon(node)
        parent.signal(signal.SIGKILL)
        eventually(lambda: not parent.is_alive(), "its end")
    settled_daemon(node)
    check_init(node, 0, {KILL})
    assert node.stop() == 0


def plain(lab, *command, init=(), **options):
    return lab.container("box", ["wgmesh-init", "--state-dir=none", *init, "--", *command],
                         **options)


def find(box, *argv):
    return next((p for p in box.processes() if p.is_alive() and p.argv == list(argv)), None)


@pytest.mark.asan
def test_a_plain_program_has_all_that_its_container_has_every_time(lab):
    box = plain(lab, "sleep", "1000", caps=DOCKER_CAPS)
    for _ in range(4):
        sleep = eventually(lambda: find(box, "sleep", "1000"), "the program")
        held = sleep.caps("Bnd")
        assert len(held) == len(DOCKER_CAPS)
        assert rights(sleep) == expected(0, held, no_new_privs=False) | {
            "inheritable": set(), "ambient": set()}
        sleep.signal(signal.SIGKILL)
        eventually(lambda: not sleep.is_alive(), "its end")
    check_init(box, 0, {KILL})
    assert box.init.caps("Bnd") == set()


@pytest.mark.asan
def test_any_program_with_state_is_confined_as_the_daemon_is(lab):
    box = lab.container("box", ["setpriv", "--groups=4,27", "wgmesh-init", "--", "sleep", "1000"],
                        mounts=[Mount.bind(lab.volume("state"), "/var/lib/wgmesh")])
    sleep = eventually(lambda: find(box, "sleep", "1000"), "the program")
    assert rights(sleep) == expected(65532, {NET_ADMIN}, inherited={NET_ADMIN})
    assert sleep.status["Groups"] == ""


# Not with the sanitizers: the search for leaks at the end signals another user's process.
def test_without_the_capability_to_signal_it_can_stop_the_daemon_which_cannot_stop_the_spawner(lab):
    node = lab.node("node", volume=lab.volume("state"), caps=(DOCKER_CAPS | {"net_admin"}) - {"kill"})
    eventually(node.has_interface, "the interface")
    spawner = eventually(lambda: node.spawner, "the spawner")
    eventually(lambda: spawner.status["Uid"].split() == ["0"] * 4, "no user that the daemon is, too")
    killed = settled_daemon(node)
    killed.signal(signal.SIGKILL)
    eventually(lambda: not killed.is_alive(), "its end")
    settled_daemon(node)
    assert node.stop() == 0


@pytest.mark.asan
def test_it_needs_no_writable_path_no_known_user_and_no_right(lab):
    box = plain(lab, "sh", "-c", "echo up; exec sleep 1000", user=(1000660000, 0), caps=frozenset(),
                no_new_privs=True, read_only=True)
    eventually(lambda: "up" in box.stdout.lines, "the program")
    assert box.run("wgmesh-init", "healthcheck").stderr == ""
    assert box.stop() == 128 + 15
    assert {event["level"] for event in box.log.events()} == {"info"}, box.log.text()


# Where the daemon is as mighty as PID 1 and its spawner are, nothing else keeps it out.
@pytest.mark.asan
@pytest.mark.parametrize("caps, uid", [(DOCKER_CAPS | {"net_admin"}, 65532), ({"net_admin"}, 0)],
                         ids=["another-user", "the-same-user"])
def test_what_has_the_daemons_rights_does_not_look_into_pid_1_or_its_spawner(lab, caps, uid):
    node = lab.node("node", volume=lab.volume("state"), caps=frozenset(caps))
    eventually(node.has_interface, "the interface")
    as_daemon = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups",
                 "--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin",
                 "--ambient-caps=+net_admin"]
    assert node.run(*as_daemon, "cat", "/proc/self/environ").stdout
    for process in (node.init, node.spawner):
        proc = f"/proc/{process.inner_pid}"
        for tool in (["cat", f"{proc}/environ"], ["cat", f"{proc}/maps"],
                     ["dd", f"if={proc}/mem", "count=1"], ["readlink", "-v", f"{proc}/fd/0"],
                     ["readlink", "-v", f"{proc}/cwd"]):
            result = node.run(*as_daemon, *tool, check=False)
            assert result.returncode != 0, tool
            assert "ermi" in result.stderr, result.stderr


@pytest.mark.asan
def test_without_its_spawner_the_daemon_goes_on_until_it_ends(lab):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(node.has_interface, "the interface")
    node.spawner.signal(signal.SIGKILL)
    node.wait_for_log("cannot be started again")
    assert node.is_running() and len(node.daemons()) == 2
    settled_daemon(node).signal(signal.SIGKILL)
    assert node.wait() == 128 + signal.SIGKILL
    assert node.find_log("restart the container", "error")


@pytest.mark.asan
def test_a_spawner_that_hangs_is_given_up(lab):
    box = plain(lab, "sleep", "1000")
    sleep = eventually(lambda: find(box, "sleep", "1000"), "the program")
    eventually(lambda: box.spawner, "the spawner").signal(signal.SIGSTOP)
    sleep.signal(signal.SIGKILL)
    assert box.wait() == 128 + signal.SIGKILL
    assert "was killed or hangs" in box.log.text()


@pytest.mark.asan
def test_without_a_spawner_the_code_is_never_0(lab):
    box = plain(lab, "sh", "-c", "trap 'exit 0' USR1; echo ready; while :; do sleep 0.01; done",
                init=["--restart=always"])
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    eventually(lambda: box.spawner, "the spawner").signal(signal.SIGKILL)
    eventually(lambda: box.spawner is None, "its end")
    box.signal(signal.SIGUSR1)
    assert box.wait() == SYSTEM


@pytest.mark.asan
def test_without_a_spawner_a_held_loop_is_told_once(lab):
    """Every orphan's end is then the end of the last child."""
    box = plain(lab, "sh", "-c", "trap 'exit 64' USR1; echo ready; while :; do sleep 0.01; done",
                init=["--on-loop=hold"])
    eventually(lambda: "ready" in box.stdout.lines, "the program")
    eventually(lambda: box.spawner, "the spawner").signal(signal.SIGKILL)
    eventually(lambda: box.spawner is None, "its end")
    box.signal(signal.SIGUSR1)
    eventually(lambda: "giving up" in box.log.text(), "the loop to be held")
    for _ in range(3):
        box.exec("sh", "-c", "sleep 0.1 &")
        eventually(lambda: not box.init.children(), "the end of the orphan")
    assert box.stop() == 64
    assert box.log.text().count("giving up") == 1


@pytest.mark.asan
def test_a_program_does_not_outlive_an_init_that_is_not_pid_1(lab):
    box = lab.container("box", ["sh", "-c", "wgmesh-init --state-dir=none -- sleep 1000; sleep 1001"])
    for _ in range(2):
        eventually(lambda: find(box, "sleep", "1000"), "the program").signal(signal.SIGKILL)
        eventually(lambda: find(box, "sleep", "1000") is None, "its end")
    eventually(lambda: find(box, "sleep", "1000"), "the program, started by the spawner")
    init = next(p for p in box.processes() if p.argv[:1] == ["wgmesh-init"])
    init.signal(signal.SIGKILL)
    eventually(lambda: find(box, "sleep", "1001"), "the shell to go on")
    eventually(lambda: len(box.processes()) == 2, "nobody but the shell and its sleep")


def test_a_user_that_is_not_mapped_is_refused_by_number(lab):
    one = Situation("", {"caps": None}, ids=1)
    node = one.start(lab, init=["--user=4711"])
    assert node.wait() == NO_PERMISSION
    event = node.find_log("uid 4711 does not exist in this user namespace", "error")
    assert event and "/proc/self/uid_map has only: 0" in event["msg"], node.log.text()


def test_check_tells_the_same_and_changes_nothing(lab):
    namespace = lab.user_namespace(1)
    volume = lab.volume("state")
    box = lab.container("box", ["wgmesh-init", "check"], user_namespace=namespace, caps=None,
                        mounts=[Mount.bind(volume, "/var/lib/wgmesh")])
    assert box.wait() == 0
    said = box.stdout.text() + box.log.text()
    assert "uid 65532 does not exist in this user namespace" in said
    assert "network belongs to the world outside" in said
    assert list(volume.iterdir()) == []
