# SPDX-License-Identifier: MIT
"""The mesh process holds no power: what it tries in vain, and that it misses nothing."""

import collections
import re
import signal
import subprocess

import pytest

from lib import http, rpc
from lib.container import Mount
from lib.lab import CHECKOUT
from lib.node import INTERFACE, SECRET_FILE, STATE_DIR, Node
from lib.wait import eventually

SECRET = "a secret for a mesh that is confined"
PORT = 47113  # the port that tests/helper/confined.c may bind

# What the filter answers, for each attempt, and what Landlock does alone; "-" where that is not its part.
FILES = {"read": "EACCES", "write": "EACCES", "create": "EACCES", "list": "EACCES", "remove": "EACCES",
         "mkdir": "EACCES", "symlink": "EACCES", "truncate": "EACCES", "chmod": "-", "stat": "-",
         "exec": "EACCES"}
PROCESSES = {"signal": "-", "thread-signal": "-", "ptrace": "EPERM", "read-memory": "EPERM", "pidfd": "-"}
KERNEL = {"fork": "-", "exec-memory": "EACCES", "raw": "-", "packet": "-", "unix": "-", "vsock": "-",
          "generic-netlink": "-", "user-namespace": "-", "mount-namespace": "-", "bpf": "-", "io-uring": "-", "keys": "-",
          "executable-memory": "-", "make-executable": "-", "dumpable": "-", "terminal": "-", "limits": "-"}
# How an attempt ends that the kernel lets through, where that is not a success.
REACHED = {"read-memory": "EFAULT", "terminal": "ENOTTY", "exec": "", "exec-memory": ""}


@pytest.fixture
def victim():
    """A process that has nothing to do with the confined one, but for its user."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def attempt(walls, name, argument=""):
    """How the kernel answers; in a network of its own, where a success does no harm."""
    result = subprocess.run(["unshare", "--net", "--ipc", "--", CHECKOUT / "build/release/confined", walls, name,
                             str(argument)], text=True, stdout=subprocess.PIPE, check=False, timeout=60)
    return result.stdout.strip() if result.returncode == 0 else -result.returncode


def argument_of(name, directory, pid):
    """A place where the attempt would succeed."""
    key = directory / "wg0.json"
    key.write_text("{}", encoding="ascii")
    key.chmod(0o600)
    place = {"list": directory, "exec": "/bin/true", "create": directory / "new", "mkdir": directory / "new",
             "symlink": directory / "new"}
    return pid if name in PROCESSES else place.get(name, key)


@pytest.mark.parametrize("name", [*FILES, *PROCESSES, *KERNEL])
def test_no_attempt_succeeds_and_each_would_without_the_walls(name, tmp_path, victim):
    if name != "bpf":  # which needs a program
        assert attempt("none", name, argument_of(name, tmp_path, victim.pid)) == REACHED.get(name, "done"), \
            "an attempt that fails by itself proves nothing"
    for entry in tmp_path.iterdir():
        entry.rmdir() if entry.is_dir() else entry.unlink()
    before = argument_of(name, tmp_path, victim.pid)
    content = {path.name: path.stat().st_mode for path in tmp_path.iterdir()}
    assert attempt("all", name, before) == "ENOSYS"
    assert attempt("filter", name, before) == "ENOSYS"
    alone = (FILES | PROCESSES | KERNEL)[name]
    if alone != "-":
        assert attempt("landlock", name, before) == alone
    assert {path.name: path.stat().st_mode for path in tmp_path.iterdir()} == content
    assert victim.poll() is None


def test_what_filters_cannot_see_landlock_and_the_lost_capabilities_refuse(tmp_path):
    assert attempt("none", "add-address") == "done"
    assert attempt("all", "add-address") == "EPERM"
    assert attempt("none", "bind-tcp", 47114) == "done"
    assert attempt("all", "bind-tcp", 47114) == attempt("landlock", "bind-tcp", 47114) == "EACCES"
    assert attempt("none", "connect-tcp", 47114) == "ENETUNREACH"
    assert attempt("all", "connect-tcp", 47114) == attempt("landlock", "connect-tcp", 47114) == "EACCES"
    assert attempt("landlock", "bind-unix", tmp_path / "sock") == "EACCES"


def test_calls_by_another_machines_interface_end_the_process():
    assert attempt("none", "other-abi") == "done"
    assert attempt("all", "other-abi") == signal.SIGSYS


def test_what_the_mesh_process_needs_goes_on_working():
    assert [attempt("all", name) for name in ("udp", "probe-port", "memory-file")] == ["done"] * 3
    assert attempt("all", "abort") == signal.SIGABRT


@pytest.mark.asan
def test_both_processes_of_a_node_hold_what_is_documented(lab):
    node = lab.node("node", volume=lab.volume("state"))
    rpc.ready(node)
    mesh, admin = node.mesh_process(), node.netadmin()
    assert (mesh.status["Seccomp"], mesh.status["NoNewPrivs"]) == ("2", "1")
    for caps in ("Inh", "Prm", "Eff", "Amb"):
        assert mesh.caps(caps) == set()
    assert mesh.pid != admin.pid
    assert rpc.check(node, "confinement")[0] == "pass"


# A life under strace(1)

CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
UNFINISHED = re.compile(r"^(\d+) +(\w+\(.*?) ?<unfinished \.\.\.>$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")


def traced_node(lab, trace):
    """A node whose every call is written down, with an HTTP socket in a file and one on a port."""
    return lab.container(
        "traced", ["strace", "-f", "-D", "-qq", "-s", "64", "-o", "/trace/log", "-e", "trace=!futex,nanosleep",
                   "wgmesh-init", "--stop-timeout=8", "--", "wgmesh", "join", "--http=/run/wgmesh/http.sock,9464",
                   "--peer-dns=peers.test", "--stun=192.0.2.1:3478", "--peer=192.0.2.2:4000"],
        kind=Node, caps=None, env={"WGMESH_SECRET_FILE": SECRET_FILE},
        mounts=[Mount.bind(trace, "/trace"), Mount.bind(lab.volume("traced"), STATE_DIR),
                Mount.bind(lab.secret_file(SECRET), SECRET_FILE, read_only=True)])


def live(node, other):
    """Everything that a node does in its life."""
    eventually(lambda: node.pings(other.mesh_ip), "the tunnel", 60)
    for path in ("/livez", "/readyz", "/startupz", "/health", "/stats", "/metrics"):
        assert http.ask(node.port, path, within=30).status == 200, path
    for command in (("status",), ("peers", "list"), ("peers", "count"), ("test-peer", other.mesh_ip)):
        node.run("wgmesh", *command, check=False, timeout=60)
    rpc.ask(node, "log.set", levels="debug")
    node.root(f"{STATE_DIR}/{INTERFACE}.reload").write_text("advertise-routes=192.168.77.0/24\n", encoding="ascii")
    node.signal(signal.SIGHUP)
    node.wait_for_log("reloaded")
    rpc.ask(node, "log.set", levels="info")
    node.run("ip", "link", "set", INTERFACE, "down")
    node.run("ip", "link", "set", INTERFACE, "up")
    node.wait_for_log("giving it back")
    assert http.ask(node.port, "/health", within=30).json()["supervisor"]["verdict"] == "persistent"


def whole(lines):
    """Lines of strace(1), without those that another process's call has cut in two."""
    begun = {}
    for line in lines:
        if match := UNFINISHED.match(line):
            begun[match[1]] = match[2]
        elif match := RESUMED.match(line):
            yield f"{match[1]} {begun.pop(match[1], '')}{match[2]}"
        else:
            yield line


def test_a_call_that_was_cut_in_two_is_one():
    lines = ['7 seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=9} <unfinished ...>', "8 close(3) = 0", "7 <... seccomp resumed>) = 0",
             "7 landlock_restrict_self(3, 0) = 0"]
    assert list(whole(lines)) == ["8 close(3) = 0", "7 seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=9}) = 0",
                                  "7 landlock_restrict_self(3, 0) = 0"]


def calls_after_the_walls(lines):
    """The calls of the mesh process once both walls are up, as (name, arguments and result)."""
    mesh, has_landlock, calls = None, set(), []
    for line in whole(lines):
        pid, name, rest = CALL.match(line).groups() if CALL.match(line) else (None, "", "")
        if name == "landlock_restrict_self" and rest.endswith("= 0"):
            has_landlock.add(pid)
        elif name == "seccomp" and "SET_MODE_FILTER" in rest and rest.endswith("= 0") and pid in has_landlock:
            mesh = pid
        elif mesh and pid == mesh:
            calls.append((name, rest))
    return calls


def test_in_a_whole_life_no_call_is_refused(lab):
    trace = lab.host_directory("trace")
    other = lab.node("other", volume=lab.volume("other"), secret=SECRET)
    node = traced_node(lab, trace)
    live(node, other)
    node.stop(within=30)
    assert not node.root("/run/wgmesh").exists() or not list(node.root("/run/wgmesh").iterdir())
    lines = (trace / "log").read_text(encoding="ascii", errors="replace").splitlines()
    calls = calls_after_the_walls(lines)
    used = collections.Counter(name for name, _ in calls)
    assert {"recvmsg", "sendmsg", "epoll_wait", "socket"} <= set(used), used
    assert [call for call in calls if "ENOSYS" in call[1] or "EPERM" in call[1] or "EACCES" in call[1]] == []
