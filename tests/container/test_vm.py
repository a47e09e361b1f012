# SPDX-License-Identifier: MIT
"""The distroless image where the kernel has WireGuard: in a virtual machine."""

import os
import pytest
from kernel import vm

BUNDLE = "bundle_in_vm.py"


@pytest.mark.parametrize("file", [BUNDLE])
def test_all_is_well_with_the_kernels_wireguard(file):
    command = ["/usr/bin/python3", "-B", "-m", "pytest", "-c", "tests/pytest.ini", "--time-scale", "5",
               f"tests/kernel/{file}", *os.environ.get("K","").split()]
    try:
        status, output = vm.run(command, timeout_s=300, disk_mb=256)
    except vm.Unavailable as missing:
        pytest.skip(str(missing))
    print(output)
    assert status == 0
