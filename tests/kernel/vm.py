#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs a command under a kernel that has WireGuard, in a virtual machine on this machine's own files.

    vm.py COMMAND [ARG...]

QEMU emulates the processor: a little slow, but it needs no /dev/kvm, which many machines lack or
have in a form that does not work.
The command runs in the checkout, as root; its exit status becomes that of this program. A machine
that hangs, panics or does not boot is a failure that shows the console.
"""

import contextlib
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
KERNEL = CHECKOUT / "build" / "kernel"
QEMU = "qemu-system-x86_64"
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
BUSYBOX = "/bin/busybox"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MODULES = ("virtio_pci", "virtiofs", "overlay", "wireguard", "veth", "bridge", "tun")
MEMORY_MB = 1024
CPUS = 2
BOOT_S = 180  # until the command runs: five on a machine with nothing else to do
POLL_S = 0.1
# On a busy machine an emulated time stamp counter may be measured wrong, and time then runs three
# times too fast: so the clock is one whose rate is known.
APPEND = ("console=ttyS0", "quiet", "panic=-1", "oops=panic", "mitigations=off", "nokaslr",
          "random.trust_cpu=on", "tsc=unstable", "clocksource=hpet", "no_timer_check", "audit=0")


class Unavailable(Exception):
    """This machine cannot run the virtual machine; says what is missing."""


class Failed(Exception):
    """The virtual machine ended without the command's exit status."""


def check_machine():
    """Raise Unavailable unless all that is needed is here."""
    if platform.machine() != "x86_64":
        raise Unavailable(f"the kernel test boots an x86-64 kernel on this machine's own programs, "
                          f"which are {platform.machine()} ones; run it on an x86-64 machine")
    if os.geteuid() != 0:
        raise Unavailable("sharing this machine's files with the virtual machine takes root")
    for program in (QEMU, VIRTIOFSD, BUSYBOX, "modprobe", "cpio"):
        if not shutil.which(program):
            raise Unavailable(f"{program} is not installed; run `make deps`")
    if not (KERNEL / "version").exists():
        raise Unavailable("no kernel in build/kernel; run `make deps`")
    if os.stat(CHECKOUT).st_dev != os.stat("/").st_dev:
        raise Unavailable(f"{CHECKOUT} is not on the root file system, which is all that the "
                          f"virtual machine is shown")


def kernel_version():
    return (KERNEL / "version").read_text().strip()


def module_files(modules):
    """The modules and what they depend on, in an order that loads."""
    version, files = kernel_version(), {}
    for module in modules:
        shown = subprocess.run(
            ["modprobe", "--set-version", version, "--dirname", str(KERNEL / "tree"),
             "--show-depends", module], text=True, stdout=subprocess.PIPE, check=True).stdout
        for line in shown.splitlines():
            kind, _, path = line.partition(" ")
            if kind == "insmod":
                files[path.strip()] = None
    return list(files)


def fill_initramfs(top, init, modules):
    """Put busybox, the script that is to be /init, and modules into a directory."""
    for directory in ("bin", "dev", "proc", "sys", "root", "modules"):
        (top / directory).mkdir()
    shutil.copy(BUSYBOX, top / "bin/busybox")
    for applet in ("sh", "cp", "mount", "mkdir", "insmod", "ip", "switch_root", "reboot"):
        (top / "bin" / applet).symlink_to("busybox")
    shutil.copy(init, top / "init")
    (top / "init").chmod(0o755)
    for number, path in enumerate(module_files(modules)):
        shutil.copy(path, top / "modules" / f"{number:03}-{pathlib.Path(path).name}")


def pack(top, out):
    """Make a cpio archive, which is what the kernel unpacks, of a directory."""
    names = "\n".join(str(path.relative_to(top)) for path in sorted(top.rglob("*")))
    with open(out, "wb") as archive:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=top, stdout=archive,
                       input=names.encode(), check=True)


def make_initramfs(out, modules):
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        fill_initramfs(top, HERE / "init", modules)
        for directory in ("host", "layer"):
            (top / directory).mkdir()
        pack(top, out)


def make_disk(path, size_mb):
    """An empty disk with a file system, which takes no more room than what is written to it."""
    with open(path, "wb") as image:
        image.truncate(size_mb << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True)


def disk_options(path):
    """The disk as /dev/vda; module virtio_blk. Nothing needs to last longer than the machine here."""
    return ["-drive", f"file={path},if=none,id=disk,format=raw,cache=unsafe",
            "-device", "virtio-blk-pci,drive=disk"]


@contextlib.contextmanager
def running(argv, **kwargs):
    """A process for the time of a with block, and not longer than this program."""
    process = subprocess.Popen(["setpriv", "--pdeathsig=KILL", *argv], stdin=subprocess.DEVNULL,
                               **kwargs)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def file_server(socket, directory, log, read_only):
    """Serve a directory to the virtual machine.

    virtiofsd knows no read-only mode, and leaves a directory in /run behind: so it is given a view
    of the directory and a /run of its own.
    """
    view = str(socket) + ".view"
    os.mkdir(view)
    script = 'mount --bind "$0" "$1" && mount -o "remount,bind,$2" "$1" && mount -t tmpfs run /run && ' \
             'shift 2 && exec "$@"'
    serve = [VIRTIOFSD, f"--socket-path={socket}", "-o", "sandbox=chroot", "--rlimit-nofile=0",
             "-o", "cache=always" if read_only else "cache=none", "-o", f"source={view}"]
    return running(["unshare", "--mount", "--propagation", "private", "sh", "-c", script,
                    str(directory), view, "ro" if read_only else "rw", *serve],
                   stdout=log, stderr=log)


def share_options(work, memory_mb):
    """The two directories that the machine is shown, and the memory it shares with their servers."""
    options = ["-object", f"memory-backend-memfd,id=mem,size={memory_mb}M,share=on",
               "-numa", "node,memdev=mem"]
    for tag in ("host", "out"):
        options += ["-chardev", f"socket,id={tag},path={work / tag}.sock",
                    "-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}"]
    return options


def qemu_command(work, memory_mb, cpus, *options, append=()):
    """A machine that starts the initramfs in `work`, and writes its console there."""
    return [
        QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35",
        "-m", str(memory_mb), "-smp", str(cpus), "-nodefaults", "-no-user-config", "-no-reboot",
        "-display", "none", "-serial", f"file:{work / 'console'}", "-device", "virtio-rng-pci", *options,
        "-kernel", str(KERNEL / "tree/boot" / f"vmlinuz-{kernel_version()}"),
        "-initrd", str(work / "initramfs"), "-append", " ".join([*APPEND, *append]),
    ]


def write_job(path, argv):
    command = " ".join(shlex.quote(word) for word in argv)
    path.write_text(f"#!/bin/sh\nexport PATH={PATH}\n: >/out/begun\n"
                    f"cd {shlex.quote(str(CHECKOUT))} && exec {command} >/out/log 2>&1\n")
    path.chmod(0o755)


def run(argv, timeout_s=120, modules=(), memory_mb=MEMORY_MB, disk_mb=0):
    """Run a command in a virtual machine; returns (exit status, what it printed).

    timeout_s  what the command may take; the machine has BOOT_S to get there
    modules    further ones to load
    disk_mb    size of a disk at /disk, for what must not be in memory; 0 for none

    The job's own output comes back in a file: the emulated serial line is slow, and is left to
    the kernel's last words.
    """
    check_machine()
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vm-")))
        out = work / "out"
        out.mkdir()
        log = stack.enter_context(open(work / "log", "wb"))
        options = share_options(work, memory_mb)
        if disk_mb:
            make_disk(work / "disk", disk_mb)
            options += disk_options(work / "disk")
            modules = (*modules, "virtio_blk")
        make_initramfs(work / "initramfs", (*MODULES, *modules))
        write_job(out / "job", argv)
        stack.enter_context(file_server(work / "host.sock", "/", log, read_only=True))
        stack.enter_context(file_server(work / "out.sock", out, log, read_only=False))
        wait_for_sockets(work)
        qemu = stack.enter_context(running(qemu_command(work, memory_mb, CPUS, *options),
                                           stdout=log, stderr=log))
        wait_for_job(work, qemu)
        try:
            qemu.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"the virtual machine hung for {timeout_s} s\n{last_words(work)}") from None
        try:
            status = int((out / "status").read_text())
        except (OSError, ValueError):
            raise Failed(f"the virtual machine ended with {qemu.returncode}, and without a status\n"
                         f"{last_words(work)}") from None
        return status, (out / "log").read_text(errors="replace")


def wait_for_sockets(work):
    deadline = time.monotonic() + 5
    while not all((work / f"{tag}.sock").exists() for tag in ("host", "out")):
        if time.monotonic() > deadline:
            raise Failed(f"virtiofsd did not start\n{last_words(work)}")
        time.sleep(0.01)


def wait_for_job(work, qemu):
    """Wait until the machine has booted and the command runs; or until it is over, for whatever reason."""
    deadline = time.monotonic() + BOOT_S
    while qemu.poll() is None and not (work / "out/begun").exists():
        if time.monotonic() > deadline:
            raise Failed(f"the virtual machine did not boot within {BOOT_S} s\n{last_words(work)}")
        time.sleep(POLL_S)


def last_words(work):
    """Everything that was said, of which somebody will need the last lines."""
    files = (work / "log", work / "console", work / "out/log")
    return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')}"
                     for path in files if path.exists())


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        status, output = run(sys.argv[1:])
    except (Unavailable, Failed) as error:
        print(f"vm.py: {error}", file=sys.stderr)
        return 69 if isinstance(error, Unavailable) else 70
    print(output, end="")
    return status


if __name__ == "__main__":
    sys.exit(main())
