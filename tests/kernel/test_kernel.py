# SPDX-License-Identifier: MIT
"""What takes a kernel of its own, in a virtual machine: its WireGuard, and its clock."""

import pytest
from kernel import vm

COMMAND = ["/usr/bin/python3", "-B", "-m", "pytest", "-c", "tests/pytest.ini", "-m", "kernel",
           "--time-scale", "5", "tests/integration"]
CLOCK = ["/usr/bin/python3", "-B", "-m", "pytest", "-c", "tests/pytest.ini", "--time-scale", "5",
         "tests/kernel/clock_in_vm.py"]


@pytest.mark.parametrize("command", [COMMAND, CLOCK], ids=["kernel-wireguard", "clock"])
def test_all_is_well_in_a_virtual_machine(command):
    try:
        status, output = vm.run(command, timeout_s=900)
    except vm.Unavailable as missing:
        pytest.skip(str(missing))
    print(output)
    assert status == 0


def test_a_virtual_machine_that_hangs_is_a_failure_with_its_last_words():
    try:
        with pytest.raises(vm.Failed, match="hung(.|\n)*still here"):
            vm.run(["sh", "-c", "echo still here; sleep 1000"], timeout_s=20)
    except vm.Unavailable as missing:
        pytest.skip(str(missing))


def test_a_virtual_machine_that_panics_is_a_failure():
    try:
        with pytest.raises(vm.Failed, match="without a status(.|\n)*sysrq"):
            vm.run(["sh", "-c", "echo c >/proc/sysrq-trigger"])
    except vm.Unavailable as missing:
        pytest.skip(str(missing))
