# SPDX-License-Identifier: MIT
"""The distroless image where the kernel has WireGuard: in a virtual machine."""

import json

import pytest
from engines import DISTROLESS, IMAGES
from kernel import pid1, vm
from lib import image
from lib.lab import CHECKOUT, SECRET

ARCHIVE = IMAGES / f"{DISTROLESS.replace(':', '-')}-amd64.tar"
PYTEST = ["/usr/bin/python3", "-B", "-m", "pytest", "-c", "tests/pytest.ini", "--time-scale", "5"]
# What dockerd wants of a kernel.
FIREWALL = ("nf_tables", "nft_compat", "nft_chain_nat", "nft_masq", "nft_ct", "xt_MASQUERADE", "xt_conntrack",
            "xt_addrtype", "iptable_nat", "iptable_filter", "br_netfilter")
DISK_MB = 512
NO_WIREGUARD, POLICY = 69, 78


@pytest.fixture(autouse=True)
def machine():
    try:
        vm.check_machine()
    except vm.Unavailable as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("file, modules", [("bundle", ()), ("docker", FIREWALL)], ids=["crun", "docker"])
def test_all_is_well_with_the_kernels_wireguard(file, modules):
    status, output = vm.run([*PYTEST, f"tests/kernel/{file}_in_vm.py", f"--image={ARCHIVE.relative_to(CHECKOUT)}"],
                            timeout_s=1800, modules=modules, disk_mb=DISK_MB)
    print(output)
    assert status == 0


# The image as a machine of its own: its first program is the kernel's first process

@pytest.fixture
def root(tmp_path):
    """The image's root file system, and the command line it starts with."""
    top = tmp_path / "root"
    top.mkdir()
    start = image.unpack(ARCHIVE, top)
    (top / "mesh_secret").write_text(SECRET + "\n", encoding="ascii")
    (top / "mesh_secret").chmod(0o600)
    return top, [*start["Entrypoint"], "join"], {"WGMESH_SECRET_FILE": "/mesh_secret", "WGMESH_LOG_FORMAT": "json"}


def events(machine, name):
    """Lines of the console that are of one event."""
    lines = [json.loads(line) for line in machine.console().splitlines() if line.startswith('{"time"')]
    return [line for line in lines if line["event"] == name]


def test_with_nothing_mounted_the_image_says_what_it_lacks(root):
    top, argv, env = root
    with pid1.Boot(top, argv, env, is_bare=True) as machine:
        assert machine.wait() == NO_WIREGUARD
        assert any("no volume" in line["msg"] for line in events(machine, "storage_verdict"))
        assert "modprobe wireguard" in events(machine, "node_failed")[0]["msg"]


def test_with_nothing_mounted_require_refuses_to_make_a_key_that_will_not_last(root):
    top, argv, env = root
    with pid1.Boot(top, argv, {**env, "WGMESH_PERSISTENCE": "require"}, is_bare=True) as machine:
        assert machine.wait() == POLICY


def test_as_the_first_process_of_a_machine_it_is_the_same_node_after_the_next_boot(root, tmp_path):
    top, argv, env = root
    disk = tmp_path / "disk"
    vm.make_disk(disk, 16)
    keys = []
    for _ in range(2):
        with pid1.Boot(top, argv, {**env, "WGMESH_PERSISTENCE": "require"}, modules=("wireguard",),
                       disk=disk) as machine:
            machine.wait_for('"event":"daemon_ready"')
            keys += [line["public_key"] for name in ("identity_created", "identity_loaded")
                     for line in events(machine, name)]
            machine.press_ctrl_alt_del()
            assert machine.wait() == 0
            assert "kernel's WireGuard" in events(machine, "interface_ready")[0]["msg"]
            assert events(machine, "node_stopping") and not events(machine, "network_left")
    assert len(keys) == 2 and keys[0] == keys[1]
