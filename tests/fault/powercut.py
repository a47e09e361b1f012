# SPDX-License-Identifier: MIT
"""Cuts the power: what a disk holds at the moment when every process is gone.

The operation works on an ext4 image behind a loop device. At one of its system calls all of its
processes are killed, and the image is copied as it stands: what was only in the kernel's memory is
not in the copy. The copy is mounted, which replays its journal as after a real power cut.

The mount options take away what ext4 does for programs that do not sync (see ext4(5)), and a cut
"commit" has the journal written for the sake of another file first: then names may be on the disk
without the contents they stand for.
"""

import contextlib
import os
import shutil
import subprocess

from fault import case, inject, trees
from fault.inject import Call, Fault

SIZE = 8 << 20
OPTIONS = "loop,data=writeback,noauto_da_alloc"
KINDS = ("cut", "commit")
# After the last call: what was reported as done must be there.
END = Call(0, 0, "end", "w", "-")


def faults(calls):
    """A cut at every call that changes the disk, and one after the end."""
    return [Fault(kind, "once", call) for call in (*calls, END) if call.changes_disk for kind in KINDS]


def command(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, argv))}: {done.stdout.strip()}")


class Disk:
    """An image for each scenario, and a place to mount one at a time."""

    def __init__(self, work):
        self.work = work
        self.mount_point = work / "disk"
        self.mount_point.mkdir()
        self.report = work / "report"

    def _template(self, scenario):
        image = self.work / f"{scenario.name}.img"
        if not image.exists():
            with open(image, "wb") as file:
                file.truncate(SIZE)
            command("mkfs.ext4", "-q", "-F", image)
            with self._mounted(image) as root:
                trees.plant(case.fresh(root), scenario.tree)
        return image

    @contextlib.contextmanager
    def _mounted(self, image):
        command("mount", "-t", "ext4", "-o", OPTIONS, image, self.mount_point)
        try:
            yield self.mount_point / "case"
        finally:
            command("umount", self.mount_point)

    def run(self, scenario, fault):
        """One power cut: the outcome, as case.Case.run() has it."""
        image, copy = self.work / "before.img", self.work / "after.img"
        command("cp", "--sparse=always", self._template(scenario), image)
        with self._mounted(image) as root:
            result = self._operate(scenario, case.fill(scenario.command, root), fault)
            if fault.what == "commit":
                self._commit()
            command("cp", "--sparse=always", image, copy)
        with self._mounted(copy) as root:
            killed = Fault("killall", "once", fault.call)
            outcome = case.conclude(scenario, root, result, killed)
        return outcome if fault.call == END or result.hits or result.code is None else case.Outcome(case.MISSED)

    def _operate(self, scenario, argv, fault):
        if fault.call == END:
            return inject.calls(argv, self.report, scenario.is_nfs)[0]
        killed = Fault("killall", "once", fault.call)
        return inject.strike(argv, killed, self.report, scenario.is_nfs)

    def _commit(self):
        fd = os.open(self.mount_point / "other", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, b"another program's file")
        os.fsync(fd)
        os.close(fd)


def why_not(work):
    """Why power cannot be cut here; None when it can."""
    for program in ("mkfs.ext4", "mount", "umount", "cp"):
        if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            return f"there is no {program}"
    probe = work / "probe"
    probe.mkdir()
    try:
        command("truncate", "-s", str(SIZE), probe / "image")
        command("mkfs.ext4", "-q", "-F", probe / "image")
        (probe / "m").mkdir()
        command("mount", "-t", "ext4", "-o", OPTIONS, probe / "image", probe / "m")
        command("umount", probe / "m")
    except OSError as error:
        return str(error)
    return None
