# SPDX-License-Identifier: MIT
"""What the start-up checks of wgmesh-init cost, phase by phase, and how much of it is the disk's."""

import os
import re
import statistics

from lib.container import DOCKER_CAPS, Mount
from lib.lab import Lab
from lib.node import STATE_DIR

COMMAND = ["wgmesh-init", "--log-format=json", "--", "probe", "exit", "0"]
SYNCS = "fsync,fdatasync,sync_file_range,syncfs,sync"
STRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-T", "-o", "/out/trace", "-e", f"trace={SYNCS},execve"]
CALL = re.compile(rf"^(\d+) .*\b({SYNCS.replace(',', '|')})\b.*<([\d.]+)>$")
EXECUTED = re.compile(r'^(\d+) .*execve\("[^"]*/wgmesh"')

MANY_MOUNTS = 300
CROWDED_ROUNDS = 10


class Start:
    """One start with a clean state directory: milliseconds by phase."""

    def __init__(self, lab, name, state, is_traced=False, others=()):
        out = lab.host_directory(name)
        # Or the first fsync(2) writes what others left behind.
        os.sync()
        box = lab.container(name, (STRACE if is_traced else []) + COMMAND,
                            mounts=[state, Mount.bind(out, "/out"), *others],
                            caps=DOCKER_CAPS | {"net_admin", "sys_ptrace"})
        code = box.wait()
        if code != 0:
            raise RuntimeError(f"wgmesh-init ended with {code}:\n{box.log.text()}")
        self.ms = {event["component"]: float(event["duration_ms"]) for event in box.log.events()
                   if "duration_ms" in event and event["component"] != "supervise"}
        trace = (out / "trace").read_text().splitlines() if is_traced else []
        verifiers = {found[1] for found in map(EXECUTED.match, trace) if found}
        syncs = [found for found in map(CALL.match, trace) if found and found[1] not in verifiers]
        self.sync_ms = sum(float(found[3]) for found in syncs) * 1e3
        self.n_syncs = len(syncs)

    @property
    def all_ms(self):
        return sum(self.ms.values())


def measure(rounds, say):
    """Rows of name, milliseconds and explanation."""
    on_disk, traced, in_memory, crowded = [], [], [], []
    kinds = [lambda lab: on_disk.append(Start(lab, "disk", Mount.bind(lab.volume("disk"), STATE_DIR))),
             lambda lab: traced.append(Start(lab, "traced", Mount.bind(lab.volume("traced"), STATE_DIR), True)),
             lambda lab: in_memory.append(Start(lab, "memory", Mount.tmpfs(STATE_DIR)))]
    for turn in range(rounds):
        say(f"phases: {turn}/{rounds}")
        with Lab() as lab:
            for start in kinds[turn % 3:] + kinds[:turn % 3]:
                start(lab)
            if turn < CROWDED_ROUNDS:
                others = [Mount.tmpfs(f"/mnt/volumes/{number}") for number in range(MANY_MOUNTS)]
                crowded.append(Start(lab, "crowded", Mount.bind(lab.volume("crowded"), STATE_DIR), others=others))

    def median(starts, what):
        return statistics.median(what(start) for start in starts)

    all_ms = median(on_disk, lambda start: start.all_ms)
    verify_ms = median(on_disk, lambda start: start.ms["verify"])
    rest_ms = median(in_memory, lambda start: start.all_ms - start.ms["verify"])
    n_syncs = median(traced, lambda start: start.n_syncs)
    return [(f"phase {name}", median(on_disk, lambda start, name=name: start.ms[name]), "")
            for name in on_disk[0].ms] + [
        ("volume, crowded", median(crowded, lambda start: start.ms["volume"]),
         f"phase volume with {MANY_MOUNTS} other mounts in the container"),
        ("all phases", all_ms, "their sum in one start, without supervise, which is the program's life"),
        ("... verify", verify_ms, "of it; `wgmesh state verify` as a child: loader, libraries and all"),
        ("... the rest", rest_ms, "all phases but verify with the state directory on a tmpfs, where "
         "fsync(2) costs nothing: what wgmesh-init itself takes, and it is to stay below 1 ms"),
        ("... the disk", all_ms - verify_ms - rest_ms, "what remains of the sum"),
        ("fsync", median(traced, lambda start: start.sync_ms),
         f"for comparison: time in fsync(2) and its kind outside of verify, {n_syncs:g} calls, from strace -T "
         "in starts of their own"),
    ]
