# SPDX-License-Identifier: MIT
"""`wgmesh doctor`, run in containers, and what it says."""

import dataclasses
import json
import time

from lib import wait
from lib.container import Mount
from lib.node import SECRET_FILE, STATE_DIR

# As `wgmesh init --secret` makes one; a human's would be warned about.
GOOD_SECRET = ("wgmesh://v1/9tXqAv3kZrWm5uHs0YbLxe7dNfGc2pJoQ4iTgV8yDnRzKlMwUj1sEaBhPCO6FI-_5xk"
               "3ZrWm5uHs0YbLxe7dNfGc2pJoQ4iTgV8yDnRzKlMwUj1sEaBhPCO6FIqXv3kZrWm5uHs0YbLxe7dNfGc2")
RESULTS = ("pass", "skip", "warn", "fail")


@dataclasses.dataclass
class Diagnosis:
    """What a doctor said, how it ended, and how long it took."""

    code: int
    checks: list
    worst: str
    said: str
    seconds: float

    def lines(self, name, result=None):
        return [c for c in self.checks if c["name"] == name and result in (None, c["result"])]

    def find(self, name, result, *words):
        """The line of that name and result whose finding and cure together have all the words."""
        for check in self.lines(name, result):
            whole = f'{check["text"]} {check["cure"]}'
            if all(word in whole for word in words):
                return check
        raise AssertionError(f"no {result} of {name} with {words} in {self.lines(name) or self.said}")

    def failures(self):
        return [c["name"] for c in self.checks if c["result"] == "fail"]


def read(code, out, err, seconds=0.0):
    """What was printed with --json, checked for its form."""
    try:
        shown = json.loads(out)
    except ValueError:
        raise AssertionError(f"exit {code}, no JSON: {out}{err}") from None
    assert set(shown) == {"checks", "worst", "exit_code"} and shown["exit_code"] == code, (code, out)
    for check in shown["checks"]:
        assert set(check) == {"name", "result", "text", "cure"} and check["result"] in RESULTS
        # A complaint without a cure is half a complaint; alarms of the node have it in their sentence.
        assert check["cure"] or check["name"] in ("node", "peers") or check["result"] in RESULTS[:2], check
    return Diagnosis(code, shown["checks"], shown["worst"], out + err, seconds)


def examine(lab, *arguments, secret=GOOD_SECRET, volume=None, mounts=(), env=None, within=10.0, **options):
    """A doctor in a container of its own, as before the first `join`."""
    mounts = list(mounts)
    env = dict(env or {})
    if secret is not None:
        env.setdefault("WGMESH_SECRET_FILE", SECRET_FILE)
        mounts.append(Mount.bind(lab.secret_file(secret), SECRET_FILE, read_only=True))
    if volume is not None:
        mounts.append(Mount.bind(volume, STATE_DIR))
    box = lab.container("doctor", ["wgmesh", "doctor", "--json", *arguments], mounts=mounts, env=env,
                        **options)
    code = box.wait(within)
    return read(code, box.stdout.text(), box.log.text(), time.monotonic() - box.started)


def idle(lab, **options):
    """A container in which nothing runs yet, for doctors to visit."""
    box = lab.container("box", ["sh", "-c", "echo ready; exec sleep 1000"], **options)
    wait.eventually(lambda: box.stdout.lines, "the container")
    return box


def visit(node, *arguments):
    """A doctor in a node's container, as by `docker exec`."""
    begin = time.monotonic()
    result = node.exec("wgmesh", "doctor", "--json", *arguments, check=False)
    return read(result.returncode, result.stdout, result.stderr, time.monotonic() - begin)


def within(seconds):
    """The limit for a duration that a test measures."""
    return seconds * wait.scale
