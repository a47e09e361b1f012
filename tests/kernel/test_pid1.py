# SPDX-License-Identifier: MIT
"""wgmesh-init as PID 1 of a machine: nobody above it, and the kernel panics when it ends."""

import pytest
from kernel import vm
from kernel.pid1 import Boot, make_root
from lib.lab import programs

INIT = "/bin/wgmesh-init"
PLAIN = [INIT, "--state-dir=none", "--restart=never", "--"]
SHELL = ["/bin/busybox", "sh"]
ORPHANS = 300

# Leaves orphans that end, tries to end PID 1, and has a second process ask it to.
HARDSHIPS = f"""#!/bin/busybox sh
ps() {{ /bin/busybox ps -o ppid,stat; }}
trap 'echo told to stop; exit 3' TERM
/bin/busybox sh -c 'n=0; while [ $n -lt {ORPHANS} ]; do /bin/busybox true & n=$((n + 1)); done'
for signal in KILL STOP; do kill -$signal 1; done
while ps | /bin/busybox grep -q '^ *1 Z'; do :; done
echo survived, and no zombie is left
(kill -TERM 1) &
while :; do /bin/busybox sleep 1; done
"""


@pytest.fixture
def root(tmp_path):
    try:
        vm.check_machine()
    except vm.Unavailable as missing:
        pytest.skip(str(missing))
    top = tmp_path / "root"
    top.mkdir()
    make_root(top, {INIT: programs()[0], "/bin/busybox": vm.BUSYBOX})
    return top


def test_started_by_the_kernel_with_nothing_mounted_it_ends_with_the_programs_code(root):
    with Boot(root, [*PLAIN, *SHELL, "-c", "exit 7"], is_bare=True) as machine:
        assert machine.wait() == 7


def test_it_survives_reaps_and_stops_when_a_second_process_asks(root):
    (root / "hardships").write_text(HARDSHIPS)
    with Boot(root, [*PLAIN, *SHELL, "/hardships"]) as machine:
        machine.wait_for("survived, and no zombie is left")
        assert machine.wait() == 3
        assert "told to stop" in machine.console()


def test_ctrl_alt_del_is_a_stop(root):
    script = "trap 'echo interrupted; exit 4' INT; echo here; while :; do /bin/busybox sleep 1; done"
    with Boot(root, [*PLAIN, *SHELL, "-c", script]) as machine:
        machine.wait_for("here")
        machine.press_ctrl_alt_del()
        assert machine.wait() == 4
        assert "interrupted" in machine.console()
