# SPDX-License-Identifier: MIT
"""Runs a program, and does one thing to it at one of its system calls; see tracer.c."""

import dataclasses
import errno
import functools
import os
import pathlib
import re
import signal
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build" / "release"
TIME_LIMIT_S = 20

ERRORS = ("ENOSPC", "EIO", "EROFS", "EACCES", "EDQUOT", "EINTR")
# "once": this call; "twice": the next of its kind too; "from": all that follow and change the disk.
HOWS = ("once", "twice", "from")

# They have no way to fail with such an error, or are about memory and the process itself: the C
# library's start and exit. A process is killed at these too.
INFALLIBLE = frozenset("""
    brk mmap munmap mprotect mremap madvise arch_prctl set_tid_address set_robust_list rseq prlimit64
    getrandom capget capset prctl execve exit exit_group getpid getppid gettid getuid geteuid getgid getegid umask
    rt_sigprocmask rt_sigaction rt_sigreturn clock_gettime uname sched_getaffinity""".split())


@functools.lru_cache(maxsize=None)
def call_names():
    """Number to name, as the C library's headers of this machine have it."""
    done = subprocess.run(["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                          stdout=subprocess.PIPE, text=True, check=True)
    return {int(number): name
            for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", done.stdout, re.MULTILINE)}


@dataclasses.dataclass(frozen=True)
class Call:
    """A system call of a clean run; numbers count from 1, calls per process."""

    process: int
    number: int
    name: str
    flags: str
    target: str

    changes_disk = property(lambda self: "w" in self.flags)
    can_be_short = property(lambda self: "s" in self.flags)
    is_log = property(lambda self: "l" in self.flags)


@dataclasses.dataclass(frozen=True)
class Fault:
    """What to do at which call; `what` is an error's name, "short", "kill" or "killall"."""

    what: str
    how: str
    call: Call

    ends_process = property(lambda self: self.what in ("kill", "killall"))

    def arguments(self):
        what = getattr(errno, self.what, self.what)
        return [str(what), self.how, str(self.call.process), str(self.call.number)]


@dataclasses.dataclass(frozen=True)
class Result:
    """How a run ended; code is None when it did not within its time, negative for a signal.

    hits  calls that something was done to
    """

    code: int
    out: str
    err: str
    hits: tuple = ()

    # A program whose log could not be written can give no reason.
    is_mute = property(lambda self: any(call.is_log for call in self.hits))


def environment():
    """Nothing of the caller's may change what the programs do."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "WGMESH_LOG_FORMAT": "text"}


def run(argv):
    """A run without any fault."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(), start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=TIME_LIMIT_S)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            code = None
    return Result(code, out.decode(errors="replace"), err.decode(errors="replace"))


def tracer(report, is_nfs):
    """The tool's command line; on NFS, nothing can be renamed without replacing."""
    return [str(BUILD / "tracer"), *(["nfs"] if is_nfs else []), str(report)]


def strike(argv, fault, report, is_nfs=False):
    """A run with a fault; `report` is a file to use."""
    result = run([*tracer(report, is_nfs), *fault.arguments(), "--", *argv])
    return dataclasses.replace(result, hits=tuple(read_report(report)))


def calls(argv, report, is_nfs=False):
    """Every system call of a run that nothing is done to."""
    result = run([*tracer(report, is_nfs), "list", "--", *argv])
    return result, list(read_report(report))


def read_report(report):
    for line in report.read_text(encoding="ascii").splitlines():
        process, number, name, flags, target = line.split(" ", 4)
        yield Call(int(process), int(number), call_names().get(int(name), name), flags, target)


def faults(call):
    """Everything that is done at one call, one thing a run."""
    result = []
    if call.name not in INFALLIBLE:
        result += [Fault(error, how, call) for error in ERRORS for how in HOWS if is_apt(error, how, call)]
        if call.can_be_short:
            result += [Fault("short", how, call) for how in HOWS if how == "once" or call.changes_disk]
    result.append(Fault("kill", "once", call))
    if call.process > 1:
        result.append(Fault("killall", "once", call))
    return result


def is_apt(error, how, call):
    # Whoever interrupts every single call from now on need not be surprised when nothing ends.
    return how != "from" or (call.changes_disk and error != "EINTR")
