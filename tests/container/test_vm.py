# SPDX-License-Identifier: MIT
"""The distroless image where the kernel has WireGuard: in a virtual machine."""

import pytest
from kernel import vm

PYTEST = ["/usr/bin/python3", "-B", "-m", "pytest", "-c", "tests/pytest.ini", "--time-scale", "5"]
# What dockerd wants of a kernel.
FIREWALL = ("nf_tables", "nft_compat", "nft_chain_nat", "nft_masq", "nft_ct", "xt_MASQUERADE",
            "xt_conntrack", "xt_addrtype", "iptable_nat", "iptable_filter", "br_netfilter")
DISK_MB = 512


@pytest.mark.parametrize("file, modules", [("bundle", ()), ("docker", FIREWALL)], ids=["crun", "docker"])
def test_all_is_well_with_the_kernels_wireguard(file, modules):
    try:
        status, output = vm.run([*PYTEST, f"tests/kernel/{file}_in_vm.py"], timeout_s=400, modules=modules,
                                disk_mb=DISK_MB)
    except vm.Unavailable as missing:
        pytest.skip(str(missing))
    print(output)
    assert status == 0
