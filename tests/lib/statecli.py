# SPDX-License-Identifier: MIT
"""`wgmesh state` and what it says, run in containers of their own beside the volumes of a lab."""

import dataclasses
import json
import os
import pathlib
import shlex
import subprocess

from lib.container import Mount
from lib.lab import SECRET
from lib.node import SECRET_FILE, STATE_DIR

KEY_FILE = "wg0.json"
PEERS_FILE = "wg0-peers.json"
BACKUP_DIR = "/backup"
PASSPHRASE = "correct horse battery"
USAGE, DAMAGED, CANNOT_CREATE, IO_ERROR, LOCKED, NO_PERMISSION, POLICY = 64, 65, 73, 74, 75, 77, 78


@dataclasses.dataclass
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def undo(self):
        """The commands it printed that undo it."""
        return [line.removeprefix("undo: ") for line in self.out.splitlines()
                if line.startswith("undo: ")]


def state(lab, volume, *arguments, secret=None, env=None, within=20.0):
    """Run `wgmesh state ARGUMENTS` in a container with a volume, and /backup for files to keep."""
    mounts = [Mount.bind(lab.host_directory("backup"), BACKUP_DIR)]
    if volume is not None:
        mounts.append(Mount.bind(volume, STATE_DIR))
    env = dict(env or {})
    if secret is not None:
        env["WGMESH_SECRET_FILE"] = SECRET_FILE
        mounts.append(Mount.bind(lab.secret_file(secret), SECRET_FILE, read_only=True))
    box = lab.container("box", ["wgmesh", "state", *arguments], mounts=mounts, env=env)
    return Said(box.wait(within), box.stdout.text(), box.log.text())


def run_shell(lab, volume, command):
    """Run a command line that was printed, in a container with the volume."""
    box = lab.container("shell", shlex.split(command), mounts=[Mount.bind(volume, STATE_DIR)])
    assert box.wait() == 0, box.log.text()


def passphrase_file(lab, text=PASSPHRASE, name="passphrase"):
    """A file with a passphrase; returns its path inside."""
    lab.passphrases.add(text)
    (lab.host_directory("backup") / name).write_text(text + "\n")
    return f"{BACKUP_DIR}/{name}"


def backup(lab, name):
    """A file in /backup, from outside."""
    return lab.host_directory("backup") / name


def export(lab, volume, name="node.wgmesh", *options):
    return state(lab, volume, "export", "--passphrase-file", passphrase_file(lab), *options,
                 f"{BACKUP_DIR}/{name}")


def import_(lab, volume, name="node.wgmesh", *options, secret=None):
    return state(lab, volume, "import", "--passphrase-file", passphrase_file(lab), *options,
                 f"{BACKUP_DIR}/{name}", secret=secret)


def make_node(lab, name, volume, **options):
    """A node that was up once; returns its identity."""
    node = lab.node(name, volume=lab.volume(volume), **options)
    node.wait_until_up()
    identity = node.identity()
    assert node.stop() == 0
    return identity


def contents(directory):
    """Every file below a directory with its bytes."""
    return {str(path.relative_to(directory)): path.read_bytes()
            for path in sorted(pathlib.Path(directory).rglob("*"))
            if path.is_file() and not path.is_symlink()}


def without_locks(files):
    return {name: data for name, data in files.items() if not name.endswith(".lock")}


def bare_daemon(lab, volume, *options):
    """`wgmesh join` with nothing around it, as under systemd."""
    mounts = [Mount.bind(volume, STATE_DIR),
              Mount.bind(lab.secret_file(SECRET), SECRET_FILE, read_only=True)]
    return lab.container("bare", ["wgmesh", "join", *options], mounts=mounts,
                         env={"WGMESH_SECRET_FILE": SECRET_FILE})


def run_on_machine(lab, directory, *arguments, wrapper=()):
    """Run `wgmesh state ARGUMENTS` on the machine itself, which a wrapper such as strace may disturb."""
    program = pathlib.Path(__file__).resolve().parents[2] / "build" / lab.variant / "wgmesh"
    done = subprocess.run([*wrapper, program, "state", *arguments, "--state-dir", directory],
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0"})
    lab.answers.append((["wgmesh", "state", *arguments], done.stdout, done.stderr))
    return done
