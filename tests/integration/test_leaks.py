# SPDX-License-Identifier: MIT
"""Nobody sees a secret or a private key; the search for them at the end of every test finds what there is."""

import base64
import json
import os
import pathlib
import re
import resource
import signal
import socket

import pytest

from lib import leak
from lib.container import Mount, Process
from lib.lab import CHECKOUT, SECRET, Lab
from lib.node import SECRET_FILE, STATE_DIR, Node
from lib.peer import Mesh, b64, new_key
from lib.wait import eventually

PRIVATE, PUBLIC = new_key()
PASSPHRASE = "a passphrase nobody guesses"
TERMINATION_LOG = "/dev/termination-log"
FORBIDDEN = {
    "the secret": f"wgmesh://v1/{SECRET}",
    "the key of datagrams": Mesh(SECRET).gossip_key.hex(),
    "the preshared key": b64(Mesh(SECRET).psk),
    "a private key": PRIVATE,
    "a private key without its padding": PRIVATE.rstrip("="),
    "a private key in hexadecimal": base64.b64decode(PRIVATE).hex(),
    "a passphrase": PASSPHRASE,
}


@pytest.fixture
def leaky(variant):
    """A lab of which a test may read the leaks that it made, with a key, a secret and a passphrase."""
    with Lab(variant) as lab:
        lab.secret_file(SECRET)
        lab.passphrases.add(PASSPHRASE)
        key = {"wg_private_key": PRIVATE, "wg_pubkey": PUBLIC}
        (lab.volume("state") / "wg0.json").write_text(json.dumps(key))
        yield lab


def shell(lab, script, *arguments, **options):
    """A container in which sh(1) does something, and then says that it has."""
    box = lab.container("box", ["sh", "-c", f"{script}; echo done; exec sleep 1000", "sh", *arguments], **options)
    eventually(lambda: "done" in box.stdout.lines, "the script")
    return box


def asleep(box):
    """Wait for the script's child to be what it will be."""
    eventually(lambda: any(p.argv == ["sleep", "1000"] for p in box.init.descendants()), "the child")


def to_log(lab, text):
    shell(lab, 'cat /given >&2', mounts=[given(lab, text)])


def to_standard_output(lab, text):
    shell(lab, 'cat /given', mounts=[given(lab, text)])


def to_termination_log(lab, text):
    shell(lab, f'cat /given >{TERMINATION_LOG}', mounts=[given(lab, text)])


def to_mounted_termination_log_of_a_container_that_ended(lab, text):
    log = lab.host_directory("pod") / "termination-log"
    log.touch()
    box = lab.container("box", ["cp", "/given", TERMINATION_LOG],
                        mounts=[given(lab, text), Mount.bind(log, TERMINATION_LOG)])
    assert box.wait() == 0


def to_file_in_run(lab, text):
    shell(lab, "mkdir /run/wgmesh && cp /given /run/wgmesh/status", mounts=[given(lab, text)])


def to_arguments(lab, text):
    asleep(shell(lab, 'sh -c "sleep 1000; exit" "$(cat /given)" & :', mounts=[given(lab, text)]))


def to_environment(lab, text):
    asleep(shell(lab, 'LEAK="$(cat /given)" sh -c "exec sleep 1000" & :', mounts=[given(lab, text)]))


def to_answer(lab, text):
    program = lab.host_directory("bin") / "wgmesh"
    program.write_text("#!/bin/sh\ncat /given\n")
    program.chmod(0o755)
    box = shell(lab, ":", mounts=[given(lab, text), Mount.bind(program, "/tool/wgmesh")])
    box.run("/tool/wgmesh", "status")


def to_error_text(lab, text):
    program = lab.host_directory("bin") / "wgmesh-init"
    program.write_text("#!/bin/sh\ncat /given >&2\nexit 64\n")
    program.chmod(0o755)
    box = shell(lab, ":", mounts=[given(lab, text), Mount.bind(program, "/tool/wgmesh-init")])
    box.exec("/tool/wgmesh-init", "status", check=False)


def given(lab, text):
    """A file with the text, which the search must not take for a leak itself."""
    path = lab.directory / "given"
    path.write_text(text + "\n")
    return Mount.bind(path, "/given", read_only=True)


CHANNELS = (to_log, to_standard_output, to_termination_log, to_mounted_termination_log_of_a_container_that_ended,
            to_file_in_run, to_arguments, to_environment, to_answer, to_error_text)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_leak_is_found_wherever_it_is(leaky, channel):
    channel(leaky, "nothing at all")
    assert leaky.leaks() == []
    channel(leaky, f"before {SECRET} after")
    assert len(leaky.leaks()) == 1 and leaky.leaks()[0].startswith("a secret: ")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_everything_that_is_forbidden_is_found(leaky, what):
    to_log(leaky, FORBIDDEN[what])
    (found,) = leaky.leaks()
    assert what.split()[-1].rstrip("s") in found or "the private key of" in found
    assert FORBIDDEN[what] not in found, "the report is no leak itself"


def test_a_private_key_is_found_that_no_file_holds_any_more(leaky):
    private_key, public_key = new_key()
    to_log(leaky, f"{public_key} and {new_key()[1]} and {new_key()[0]}")
    assert leaky.leaks() == []
    to_standard_output(leaky, private_key)
    assert [found.partition(":")[0] for found in leaky.leaks()] == [f"the private key of {public_key}"]


def test_bytes_as_they_are_in_memory_are_found(leaky):
    raw = leaky.directory / "given"
    raw.write_bytes(b"\xff\xfe" + Mesh(SECRET).psk + b"\n")
    shell(leaky, "cat /given >&2", mounts=[Mount.bind(raw, "/given", read_only=True)])
    assert leaky.leaks() == ["the preshared key: the log of box"]


def test_only_standard_output_of_who_is_asked_for_a_secret_may_hold_it():
    for argv in (["wgmesh", "init", "--secret"], ["/usr/local/bin/wgmesh", "qr"], ["wgmesh", "state", "export", "-"]):
        assert [where for where, _ in leak.of_command(argv, SECRET, SECRET)] == [f"standard error of {' '.join(argv[:3])}"]
    for argv in (["wgmesh", "status"], ["wgmesh", "state", "show"], ["wgmesh-init", "status"], ["curl", "url"]):
        assert len(list(leak.of_command(argv, SECRET, SECRET))) == 2


def test_no_program_that_a_node_starts_is_given_a_secret_or_a_key(lab):
    """Every argument and every variable of every execve(2), from PID 1's own to those of its end."""
    out = lab.host_directory("trace")
    volume = lab.volume("state")
    node = lab.container(
        "node", ["strace", "-f", "-D", "-qq", "-v", "-s", "100000", "-xx", "-e", "trace=execve", "-o", "/trace/log",
                 "wgmesh-init", "--stop-timeout=2", "--", "wgmesh", "join"], caps=None, env={"WGMESH_SECRET_FILE": SECRET_FILE},
        mounts=[Mount.bind(out, "/trace"), Mount.bind(volume, STATE_DIR),
                Mount.bind(lab.secret_file(SECRET), SECRET_FILE, read_only=True)])
    eventually(lambda: node.run("wgmesh", "peers", "count", check=False).returncode == 0, "the node", 20.0)
    node.stop()
    trace = (out / "log").read_text(encoding="ascii")
    words = [bytes.fromhex(word.replace("\\x", "")) for line in trace.splitlines() if " execve(" in line
             for word in line.split('"')[1::2]]
    assert b"state" in words and b"join" in words and b"wireguard-go" in b"".join(words)
    assert any(word.startswith(b"WGMESH_SECRET_FILE=") for word in words)
    keys = leak.keys_below(volume)
    assert keys
    assert leak.search([("execve", b"\0".join(words))], leak.needles({SECRET}, (), keys)) == []


def test_a_daemon_wipes_a_secret_that_was_in_its_environment(lab):
    node = lab.node("node", volume=lab.volume("state"), secret=None, env={"WGMESH_SECRET": SECRET})
    eventually(lambda: node.run("wgmesh", "peers", "count", check=False).returncode == 0, "the node")
    assert len(node.daemons()) == 2
    for process in node.daemons():
        assert process.read("environ") and SECRET.encode() not in process.read("environ")


# Answers. What can be asked is read from the sources, so that nothing new is left out.

METHOD = re.compile(r'^RPC_METHOD\("([a-z.]+)",', re.MULTILINE)
PATH = re.compile(r'= \{ "(/[a-z]+)", NEEDS_')
WRONG = ('{"jsonrpc":"1.0"}', '{"jsonrpc":"2.0","id":1,"method":"secret.get"}', "[1", "{" * 1000, "\xff\x00")


def source(name):
    return (CHECKOUT / "daemon" / name).read_text(encoding="utf-8")


def rpc(node, line):
    """The answer of the control socket to one line."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(node.root("/run/wgmesh/wg0.sock")))
        sock.sendall(line.encode("latin-1") + b"\n")
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.fixture
def asked(lab):
    """A node with a peer, to ask; its private keys are none that an answer may hold."""
    node, peer = lab.node("node", volume=lab.volume("state")), lab.peer()
    node.wait_until_up()
    peer.announce()
    eventually(lambda: node.find_log("peer configured"), "the peer")
    return node, peer


def assert_harmless(lab, node, evidence):
    keys = leak.keys_below(lab.volume("state"))
    assert keys and node.public_key.encode() in b"".join(data for _, data in evidence), "somewhere it is said"
    assert leak.search(evidence, leak.needles({SECRET}, (), keys)) == []


def test_no_answer_of_the_control_socket_holds_a_secret_or_a_key(lab, asked):
    node, peer = asked
    methods, evidence = METHOD.findall(source("rpc/rpc.def")), []
    assert len(methods) >= 7
    for method in methods:
        params = {"pubkey": peer.public_key, "levels": "debug", "all": True}
        answer = rpc(node, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        evidence.append((method, answer))
        assert answer.startswith(b'{"jsonrpc"'), method
    evidence += [(f"error {number}", rpc(node, line)) for number, line in enumerate(WRONG)]
    assert_harmless(lab, node, evidence)


def test_no_answer_over_http_holds_a_secret_or_a_key(lab, asked):
    node, _ = asked
    paths, evidence = PATH.findall(source("http/endpoints.c")), []
    assert len(paths) >= 6
    for path in [*paths, *(f"{path}?verbose" for path in paths), "/", "/secret", "/health?" + "x" * 9000]:
        answer = node.run("curl", "-sS", "-i", f"http://127.0.0.1:9464{path}").stdout
        evidence.append((path, answer.encode()))
        assert answer.startswith("HTTP/1.1 "), path
    assert_harmless(lab, node, evidence)


# Core dumps. core_pattern belongs to the whole machine, so the test takes it as it is. A relative
# name puts the dump where the process is, where the test can look; a pipe would take it away, and
# then that the kernel makes none is known from what it says of the process alone.

CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip()
CRASHES = (signal.SIGSEGV, signal.SIGABRT)


def cores(box):
    """Core dumps in the directories where the container's processes are."""
    return [path for path in box.root("/").iterdir() if path.name.startswith("core")] + \
           [path for path in box.root(STATE_DIR).iterdir() if path.name.startswith("core")]


def unlimited_node(lab):
    """A node that may dump core as much as it likes."""
    assert resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY
    node = lab.container(
        "node", ["prlimit", "--core=unlimited", "wgmesh-init", "--", "wgmesh", "join"],
        kind=Node, env={"WGMESH_SECRET_FILE": SECRET_FILE},
        mounts=[Mount.bind(lab.volume("state"), STATE_DIR),
                Mount.bind(lab.secret_file(SECRET), SECRET_FILE, read_only=True)])
    eventually(lambda: node.run("wgmesh", "peers", "count", check=False).returncode == 0, "the node")
    return node


@pytest.mark.parametrize("number", CRASHES)
@pytest.mark.parametrize("who", ["netadmin", "mesh_process", "userspace"])
def test_a_crash_leaves_no_core_dump_though_the_container_allows_one(lab, who, number):
    node = unlimited_node(lab)
    # The userspace WireGuard holds the private key as well.
    victim = getattr(node, who)() if who != "userspace" else \
        next(p for p in node.processes() if p.comm == "wireguard-go")
    # Where it is, it may write: nothing but its own care keeps it from dumping.
    node.run("chmod", "777", "/")
    assert os.readlink(f"/proc/{victim.pid}/cwd") == "/"
    victim.signal(number)
    eventually(lambda: not victim.is_alive(), "its end")
    assert cores(node) == []
    if "/" in CORE_PATTERN or CORE_PATTERN.startswith("|"):
        return
    # The same crash of any other program does leave one here.
    node.run("setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "prlimit", "--core=unlimited",
             "sh", "-c", f"kill -{int(number)} $$", check=False, cwd="/")
    assert len(cores(node)) == 1


SNOOP = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
class Vec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
pid = int(sys.argv[1])
maps = "/proc/%d/maps" % pid
said = []
buf = ctypes.create_string_buffer(16)
here, there = Vec(ctypes.addressof(buf), 16), Vec(int(sys.argv[2], 16), 16)
n = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
said.append("readv=%s" % (n if n >= 0 else os.strerror(ctypes.get_errno())))
for name in ("mem", "maps", "environ"):
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as file:
            said.append("%s=open" % name)
    except OSError as e:
        said.append("%s=%s" % (name, e.strerror))
n = libc.ptrace(0x4206, pid, 0, 0)
said.append("ptrace=%s" % (n if n >= 0 else os.strerror(ctypes.get_errno())))
print(" ".join(said))
"""


def test_another_process_of_the_same_user_sees_no_memory_of_a_daemon(lab):
    node = unlimited_node(lab)
    # What this proves of the daemons it first disproves of a program like any other.
    plain = node.popen("setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "sleep", "1000")
    asleep = eventually(lambda: next((p for p in all_below(plain.pid) if p.comm == "sleep"), None), "sleep")
    assert "readv=16 mem=open maps=open environ=open ptrace=0" in snoop(node, asleep)
    for process in node.daemons():
        said = snoop(node, process)
        assert "=open" not in said and "readv=16" not in said and "ptrace=0" not in said, said
        assert said.count("=") == 5
    plain.kill()
    plain.wait()


def all_below(pid):
    process = Process(pid)
    return [process, *process.family()]


def snoop(node, process):
    """What another process of the daemon's user, with all that it may have, can read of one."""
    maps = process.read("maps").decode().splitlines()
    start = next(line for line in maps if " r" in line).partition("-")[0]
    result = node.run("setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "/usr/bin/python3", "-I", "-c",
                      SNOOP, str(process.inner_pid), start)
    return result.stdout.strip()
