# SPDX-License-Identifier: MIT
"""`wgmesh state verify`: what it finds is its exit code, and only --repair changes anything."""

import pytest

from lib.container import Mount
from lib.node import STATE_DIR

pytestmark = pytest.mark.asan

KEY_FILE = "wg0.json"
USAGE, DAMAGED, IO_ERROR = 64, 65, 74


@pytest.fixture
def volume(lab):
    """The state directory of a node that has stopped."""
    node = lab.node("before", volume=lab.volume("state"))
    node.wait_until_up()
    node.stop()
    return lab.volume("state")


def verify(lab, directory, *options):
    """The exit code of the command in a container of its own."""
    mounts = [Mount.bind(directory, STATE_DIR)]
    box = lab.container("box", ["wgmesh", "state", "verify", *options], mounts=mounts)
    return box.wait(), box.log.text()


def contents(directory):
    return {path.relative_to(directory): path.read_bytes()
            for path in directory.rglob("*") if path.is_file()}


def test_no_key_yet_is_0(lab):
    code, said = verify(lab, lab.volume("empty"))
    assert code == 0 and "none yet" in said


def test_good_files_are_0_and_stay_as_they_are(lab, volume):
    before = contents(volume)
    code, said = verify(lab, volume, "--repair")
    assert code == 0 and "good" in said
    assert contents(volume) == before


def test_a_damaged_key_is_65_and_stays_until_a_repair(lab, volume):
    good = (volume / KEY_FILE).read_bytes()
    (volume / KEY_FILE).write_bytes(good[:40])
    before = contents(volume)
    code, said = verify(lab, volume)
    assert code == DAMAGED and f"{STATE_DIR}/{KEY_FILE}" in said
    assert contents(volume) == before
    assert verify(lab, volume, "--repair")[0] == 0
    assert (volume / KEY_FILE).read_bytes() == good
    assert verify(lab, volume)[0] == 0


def test_a_damaged_key_without_a_snapshot_is_65_even_with_repair(lab, volume):
    for path in (volume / ".snapshots").iterdir():
        path.unlink()
    (volume / KEY_FILE).write_bytes(b"")
    before = contents(volume)
    code, said = verify(lab, volume, "--repair")
    assert code == DAMAGED and "--new-identity" in said
    assert contents(volume) == before


def test_a_damaged_cache_is_a_warning(lab, volume):
    (volume / "wg0-peers.json").write_text("[")
    code, said = verify(lab, volume)
    assert code == 0 and "wg0-peers.json" in said


def test_a_directory_that_is_not_there_is_74_and_a_wrong_option_64(lab):
    box = lab.container("box", ["wgmesh", "state", "verify", "--state-dir=/nowhere"])
    assert box.wait() == IO_ERROR and "/nowhere" in box.log.text()
    assert verify(lab, lab.volume("state"), "--repiar")[0] == USAGE
