# SPDX-License-Identifier: MIT
"""Many short lives of a PID 1: each start is the first process of a PID namespace of its own.

A container of lib.container takes some 50 ms, which is too much for hundreds of starts. starts() runs
this file as a script inside one container; that script clones, lets the child become the program, may
send it a signal, and tells how it ended.
"""

import ctypes
import dataclasses
import json
import os
import pathlib
import select
import signal
import sys
import time

CLONE_NEWPID = 0x20000000
SYS_CLONE = {"x86_64": 56, "aarch64": 220}
HANG = "hang"
BLOCKS_WITHIN_S = 1.0


@dataclasses.dataclass
class Start:
    """One life.

    argv        the program and its arguments
    sig         signal to send, or 0
    delay_us    how long after clone(2) to send it
    is_seen     False: the signal is blocked until the program blocks it itself, so that every delay
                counts. True: it is not, and is sent `delay_us` after the program has been seen to
                block it, since the kernel throws away what comes before a program's first instruction.
    """

    argv: list
    sig: int = 0
    delay_us: int = 0
    is_seen: bool = False


def starts(box, lives, within_s=5):
    """Run `lives` in `box`, one after the other; a list of exit codes, 128+n. From one that hangs on: HANG."""
    source = pathlib.Path(__file__).read_text(encoding="utf-8")
    said = box.run("/usr/bin/python3", "-B", "-I", "-c", source, str(within_s),
                   json.dumps([dataclasses.astuple(life) for life in lives]), timeout=120)
    return json.loads(said.stdout)


def _clone():
    """fork(2) into a new PID namespace; the C library does not know, so the child must only exec."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    pid = call(SYS_CLONE[os.uname().machine], CLONE_NEWPID | signal.SIGCHLD, 0, 0, 0, 0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    return pid


def _blocks(pid, sig):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        blocked = next(line for line in status if line.startswith("SigBlk"))
    return bool(int(blocked.split()[1], 16) >> (sig - 1) & 1)


def _send(pid, life, begun):
    if life.is_seen:
        while not _blocks(pid, life.sig) and time.monotonic() - begun < BLOCKS_WITHIN_S:
            pass
        begun = time.monotonic()
    while (time.monotonic() - begun) * 1e6 < life.delay_us:
        pass
    os.kill(pid, life.sig)


def _live(life, within_s):
    if life.sig and not life.is_seen:
        signal.pthread_sigmask(signal.SIG_BLOCK, [life.sig])
    begun = time.monotonic()
    pid = _clone()
    if pid == 0:
        try:
            os.execvp(life.argv[0], life.argv)
        finally:
            os._exit(127)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    end = os.pidfd_open(pid)
    if life.sig:
        _send(pid, life, begun)
    is_over = select.select([end], [], [], within_s)[0]
    if not is_over:
        os.kill(pid, signal.SIGKILL)
    os.close(end)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return (code if code >= 0 else 128 - code) if is_over else HANG


def main():
    # What it prints is no result of ours.
    result = os.dup(1)
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    ends = []
    for fields in json.loads(sys.argv[2]):
        # One that hangs is answer enough: to wait for each would take minutes.
        ends.append(HANG if HANG in ends else _live(Start(*fields), float(sys.argv[1])))
    os.write(result, json.dumps(ends).encode())


if __name__ == "__main__":
    main()
