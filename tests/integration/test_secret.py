# SPDX-License-Identifier: MIT
"""The mesh secret: how a node gets it, and that nobody else does."""

import pathlib
import signal

import pytest

from lib.container import Mount, Process
from lib.lab import SECRET
from lib.node import SECRET_FILE
from lib.wait import eventually

pytestmark = pytest.mark.asan

CREDENTIALS = "/run/credentials/wgmesh.service"


def node_with_secret_of_mode(lab, mode):
    path = lab.secret_file(SECRET)
    path.chmod(mode)
    return lab.node("node", volume=lab.volume("state"), secret=None,
                    env={"WGMESH_SECRET_FILE": SECRET_FILE},
                    mounts=[Mount.bind(path, SECRET_FILE, read_only=True)])


def test_a_secret_that_only_root_may_read_reaches_the_daemon_at_every_start(lab):
    node = node_with_secret_of_mode(lab, 0o600)
    eventually(node.has_interface, "the interface")
    before = eventually(node.mesh_process, "the mesh process")
    before.signal(signal.SIGKILL)
    eventually(lambda: getattr(node.mesh_process(), "pid", before.pid) != before.pid, "a new daemon")
    eventually(lambda: node.run("wgmesh", "peers", "count", check=False).returncode == 0, "its socket")


def test_a_credential_of_systemd_that_only_root_may_read_reaches_the_daemon_at_every_start(lab):
    """As in a service that is root: the directory is closed to others, too (systemd.exec(5))."""
    credentials = lab.directory / "credentials"
    credentials.mkdir()
    lab.secret_file(SECRET).rename(credentials / "wgmesh-secret").chmod(0o400)
    credentials.chmod(0o500)
    node = lab.node("node", volume=lab.volume("state"), secret=None, env={"CREDENTIALS_DIRECTORY": CREDENTIALS},
                    mounts=[Mount.bind(credentials, CREDENTIALS, read_only=True)])
    before = eventually(node.mesh_process, "the mesh process")
    eventually(lambda: node.run("wgmesh", "peers", "count", check=False).returncode == 0, "the node")
    assert before.status["Uid"].split()[0] == "65532"
    before.signal(signal.SIGKILL)
    eventually(lambda: getattr(node.mesh_process(), "pid", before.pid) != before.pid, "a new daemon")
    eventually(lambda: node.run("wgmesh", "peers", "count", check=False).returncode == 0, "its socket")


def test_the_daemon_keeps_no_descriptor_of_the_secret(lab):
    node = node_with_secret_of_mode(lab, 0o600)
    eventually(lambda: node.run("wgmesh", "peers", "count", check=False).returncode == 0, "the node")
    for process in node.daemons():
        links = [str(link.readlink()) for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()]
        assert links and not [link for link in links if "secrets" in link]


def test_no_process_that_holds_a_secret_leaves_a_core_dump_or_shows_its_memory(lab):
    node = node_with_secret_of_mode(lab, 0o644)
    eventually(node.has_interface, "the interface")
    # It waits for somebody who writes to the pipe.
    command = node.popen("setpriv", "--reuid=65532", "--clear-groups", "sh", "-c",
                         "mkfifo /tmp/f && exec wgmesh status --secret-file /tmp/f")
    status = eventually(lambda: next((p for p in Process(command.pid).children()
                                      if p.argv[:2] == ["wgmesh", "status"] and p.state == "S"), None),
                        "the command")
    for process in [*node.daemons(), status]:
        limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
        (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core")]
        assert core[4:6] == ["0", "0"]
        # The files of a process that is not dumpable are root's: proc(5).
        assert process.status["Uid"].split()[0] == "65532"
        assert pathlib.Path(f"/proc/{process.pid}/environ").stat().st_uid == 0
    status.signal(signal.SIGKILL)
    command.wait()


def test_a_new_secret_written_to_a_file_is_the_secret_alone(lab):
    box = lab.container("box", ["wgmesh", "init", "--secret"])
    assert box.wait() == 0
    (line,) = box.stdout.lines
    assert line.startswith("wgmesh://v1/") and len(line) == len("wgmesh://v1/") + 171
