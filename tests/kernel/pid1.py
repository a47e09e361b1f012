# SPDX-License-Identifier: MIT
"""A virtual machine whose PID 1 is the program under test, on a root file system of the test's choice."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

from kernel import vm

MEMORY_MB = 256
BOOT_S = 60
# Not the kernel's own reboot, but a SIGINT for PID 1; and keys that the kernel itself answers.
KEYS = ("sysctl.kernel.ctrl-alt-del=0", "sysctl.kernel.sysrq=1")
PROMPT = b"\r\n(qemu) "
PANIC = re.compile(r"Attempted to kill init! exitcode=0x([0-9a-f]+)")


def make_root(top, files):
    """Fill an empty directory with files, {path: source}, and what a root file system has besides."""
    for directory in ("bin", "proc", "sys", "dev", "run", "tmp"):
        (top / directory).mkdir()
    for path, source in files.items():
        target = top / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        target.chmod(0o755)


def _await_prompt(monitor):
    """The monitor reads bit by bit, and forgets what it has not read when the other end closes."""
    said = b""
    while not said.endswith(PROMPT):
        more = monitor.recv(4096)
        if not more:
            return
        said += more


class Boot:
    """The machine, for the time of a with block.

    root     directory that becomes the root file system
    argv     the program, which becomes PID 1
    env      its environment
    is_bare  the kernel starts it, with nothing mounted; else an initramfs mounts /proc, /sys and /dev first
    modules  what that loads
    disk     image that it mounts as the state directory
    """

    def __init__(self, root, argv, env=None, is_bare=False, modules=(), disk=None):
        vm.check_machine()
        self._stack = contextlib.ExitStack()
        self._work = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="vm-")))
        make = self._bare if is_bare else self._prepared
        append = make(root, [str(word) for word in argv], env or {}, modules)
        options = vm.disk_options(disk) if disk else []
        monitor = ["-monitor", f"unix:{self._work / 'monitor'},server,nowait"]
        self._qemu = self._stack.enter_context(vm.running(
            vm.qemu_command(self._work, MEMORY_MB, 1, *options, *monitor,
                            append=[*KEYS, *append])))

    def _bare(self, root, argv, env, modules):
        assert not modules, "somebody has to load them"
        vm.pack(root, self._work / "initramfs")
        # A second "--" would end the arguments, so the kernel cannot pass one on.
        arguments = [f'"{word}"' if " " in word else word for word in argv[1:] if word != "--"]
        return [f"rdinit={argv[0]}", *(f"{name}={value}" for name, value in env.items()), "--", *arguments]

    def _prepared(self, root, argv, env, modules):
        top = self._work / "top"
        top.mkdir()
        drivers = ("virtio_pci", "virtio_blk")
        vm.fill_initramfs(top, vm.HERE / "pid1-init", (*drivers, *modules))
        subprocess.run(["cp", "-a", f"{root}/.", top / "image"], check=True)
        exports = [f"export {name}={shlex.quote(value)}\n" for name, value in env.items()]
        command = " ".join(map(shlex.quote, argv))
        (top / "command").write_text(f"{''.join(exports)}exec switch_root /root {command}\n")
        vm.pack(top, self._work / "initramfs")
        return ["rdinit=/init"]

    def console(self):
        """What the kernel and PID 1 said so far."""
        with contextlib.suppress(FileNotFoundError):
            return (self._work / "console").read_text(errors="replace").replace("\r", "")
        return ""

    def wait_for(self, text, within=BOOT_S):
        """Wait until the console says something."""
        deadline = time.monotonic() + within
        while text not in self.console():
            if self._qemu.poll() is not None or time.monotonic() > deadline:
                raise vm.Failed(f'no "{text}" on the console:\n{self.console()}')
            time.sleep(0.02)

    def press_ctrl_alt_del(self, within=BOOT_S):
        """Which makes the kernel send SIGINT to PID 1."""
        deadline = time.monotonic() + within
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(os.fspath(self._work / "monitor"))
            _await_prompt(monitor)
            # Keys that come before the keyboard has its driver are lost; this one changes nothing.
            while "sysrq: HELP" not in self.console():
                if time.monotonic() > deadline:
                    raise vm.Failed(f"the keyboard does not work:\n{self.console()}")
                monitor.sendall(b"sendkey alt-sysrq-h\n")
                _await_prompt(monitor)
                time.sleep(0.5)
            monitor.sendall(b"sendkey ctrl-alt-delete\n")
            _await_prompt(monitor)

    def wait(self, within=BOOT_S):
        """Wait for the end of PID 1, which is the machine's; returns its exit code, 128+n for a signal."""
        try:
            self._qemu.wait(within)
        except subprocess.TimeoutExpired:
            raise vm.Failed(f"PID 1 still runs after {within} s:\n{self.console()}") from None
        found = PANIC.search(self.console())
        if not found:
            raise vm.Failed(f"the machine ended, and not with its PID 1:\n{self.console()}")
        status = int(found[1], 16)
        return 128 + (status & 0x7F) if status & 0x7F else status >> 8

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()
