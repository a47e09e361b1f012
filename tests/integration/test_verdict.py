# SPDX-License-Identifier: MIT
"""Storage verdicts where the machine tells less than usual: no /proc, no statx(2), mounts that hang or stack."""

import json

import pytest

from lib.container import DOCKER_CAPS, Mount
from lib.node import STATE_DIR

NO_PROC = Mount.tmpfs("/proc")
NO_STATX = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=statx",
            "-e", "inject=statx:error=ENOSYS"]
WAIT = "until test -e /tmp/go; do sleep 0.01; done; exec \"$@\""
CHECK = ["wgmesh-init", "check", "--json", "--legacy-dir=none"]


def kinds(lab):
    """Ways to hold the state directory, by the verdict."""
    return {"layer": [],
            "memory": [Mount.tmpfs(STATE_DIR)],
            "persistent": [Mount.bind(lab.volume("state"), STATE_DIR)],
            "anonymous": [Mount.bind(lab.anonymous_volume(), STATE_DIR)],
            "readonly": [Mount.bind(lab.volume("state"), STATE_DIR, read_only=True)]}


def judge(lab, command, mounts, **options):
    """What `wgmesh-init check` says of the volume: verdict, note and duration."""
    box = lab.container("check", command, mounts=mounts, **options)
    box.wait()
    report = json.loads("\n".join(box.stdout.lines))
    volume = report["checks"]["volume"]
    return report["verdict"], volume["note"], volume["duration_ms"]


# Sanitizers need /proc, and bear no tracer: these two are for the release build.

@pytest.mark.parametrize("kind, verdict", [("layer", "layer"), ("memory", "memory"),
                                           ("readonly", "readonly"), ("persistent", "unknown"),
                                           ("anonymous", "unknown")])
def test_without_proc_nothing_is_called_persistent(lab, kind, verdict):
    assert judge(lab, CHECK, [*kinds(lab)[kind], NO_PROC])[0] == verdict


@pytest.mark.parametrize("verdict", ["layer", "memory", "persistent", "anonymous", "readonly"])
def test_without_statx_mounts_are_known_by_fdinfo(lab, verdict):
    found = judge(lab, NO_STATX + CHECK, kinds(lab)[verdict], caps=DOCKER_CAPS | {"net_admin", "sys_ptrace"})
    assert found[0] == verdict


@pytest.mark.asan
def test_a_mount_over_the_volume_counts(lab):
    mounts = [Mount.bind(lab.volume("state"), STATE_DIR), Mount.tmpfs(STATE_DIR)]
    assert judge(lab, CHECK, mounts)[0] == "memory"


@pytest.mark.asan
def test_a_mount_above_the_volume_counts(lab):
    mounts = [Mount.bind(lab.volume("state"), STATE_DIR), Mount.tmpfs("/var/lib")]
    assert judge(lab, CHECK, mounts)[0] == "memory"


@pytest.mark.asan
def test_a_volume_above_the_state_directory_is_a_volume(lab):
    assert judge(lab, CHECK, [Mount.bind(lab.volume("all"), "/var/lib")])[0] == "persistent"


@pytest.mark.asan
def test_another_mount_that_hangs_is_not_waited_for_long(lab, time_scale):
    fuse = lab.fuse(lab.volume("behind"), "-o", "attr_timeout=0,entry_timeout=0")
    box = lab.container("check", ["sh", "-c", WAIT, "sh", *CHECK], mounts=[Mount.bind(fuse.path, "/backup")])
    fuse.hang()
    box.run("touch", "/tmp/go")
    assert box.wait() == 0
    report = json.loads("\n".join(box.stdout.lines))
    assert report["verdict"] == "layer"
    # It was looked into, in vain, and for no longer than the limit of a second.
    assert 900 < report["checks"]["volume"]["duration_ms"] < 2000 * time_scale
    assert "did you mean" not in box.log.text()


@pytest.mark.asan
def test_check_leaves_the_state_directory_as_it_was(lab):
    def times():
        status = lab.volume("state").stat()
        return status.st_mtime_ns, status.st_ctime_ns, list(lab.volume("state").iterdir())

    before = times()
    assert judge(lab, CHECK, kinds(lab)["persistent"])[0] == "persistent"
    assert times() == before
