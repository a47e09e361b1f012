# SPDX-License-Identifier: MIT
"""The images for arm64: what is in them, and that they run, under emulation.

The emulator is mounted into the containers and starts each program there, so that nothing is registered
with the machine's kernel.
"""

import pytest

from box import CHECKOUT, WIREGUARD
from engines import VERSION, libraries
from imagefile import ImageFile
from lib.wait import eventually
from running import RIGHTS, SECRET, Running
from test_images import INTERPRETER, MOST_COMPRESSED, PROGRAMS, program_headers

EMULATOR = CHECKOUT / "build" / "emulator" / "qemu-aarch64"
MACHINE_AARCH64 = 183

kinds = pytest.mark.parametrize("kind", ["distroless", "full"])
on_docker = pytest.mark.parametrize("engine_name", ["docker"])


def machine(content):
    """What an ELF file is for."""
    return int.from_bytes(content[18:20], "little")


@pytest.fixture
def load(engine):
    """Loads an image under a name of its own, since the shipped one is that of the machine's own kind."""
    if not EMULATOR.exists():
        pytest.skip("build/emulator is missing: see tests/container/deps.sh")

    def load_image(kind):
        name = f"wgmesh-arm64:{kind}"
        if not engine("images", "-q", name).stdout:
            path = ImageFile(kind, "arm64").path
            engine.images()("load", "-i", path)
            engine("tag", ImageFile(kind).manifest["RepoTags"][0], name)
            # The name goes back to the image that the other tests know by it.
            engine("load", "-i", ImageFile(kind).path)
        return name

    return load_image


def emulated(program):
    """Options and arguments of `run` that have the emulator start a program."""
    return ("-v", f"{EMULATOR}:/emulator:ro", "--entrypoint", "/emulator", "--network", "none"), (program,)


def run(engine, image, program, *argv, options=()):
    start, words = emulated(program)
    return engine("run", "--rm", *start, *options, image, *words, *argv, check=False)


@kinds
def test_every_program_is_for_arm64(kind):
    image = ImageFile(kind, "arm64")
    assert image.config["architecture"] == "arm64" and image.config["os"] == "linux"
    machines = {machine(entry.content) for entry in image.files.values() if entry.content[:4] == b"\x7fELF"}
    assert machines == {MACHINE_AARCH64}


@pytest.mark.parametrize("name", PROGRAMS)
def test_both_programs_need_no_loader_and_no_library_on_arm64_either(name):
    assert INTERPRETER not in program_headers(ImageFile("distroless", "arm64").files[name].content)


def test_the_small_image_for_arm64_is_under_a_mebibyte_and_a_half_compressed():
    size = ImageFile("distroless", "arm64").compressed_size()
    print(f"arm64: {size / 2**20:.2f} MiB compressed")
    assert size < MOST_COMPRESSED


def neutral(name):
    """A name without what in it tells machines apart."""
    for part in ("x86_64-linux-gnu", "aarch64-linux-gnu", "-arm64-cross"):
        name = name.replace(part, "")
    return name


def common_names(files):
    """Loaders lie where each machine has them."""
    return {neutral(name) for name in files if "/ld-linux" not in name and not name.endswith("/lib64")}


def packages(image):
    return {neutral(package["name"]) for package in image.sbom()["packages"]}


@kinds
def test_the_images_differ_in_nothing_but_the_machine(kind):
    ours, theirs = (ImageFile(kind, arch) for arch in ("amd64", "arm64"))
    assert common_names(ours.files) == common_names(theirs.files)
    assert packages(ours) == packages(theirs)
    assert ours.config["config"] == theirs.config["config"]


@on_docker
@kinds
def test_the_daemon_says_its_version(engine, load, kind):
    done = run(engine, load(kind), "/usr/local/bin/wgmesh", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"wgmesh version {VERSION}"), done.stderr


@on_docker
@kinds
def test_pid_1_checks_a_container(engine, load, kind):
    done = run(engine, load(kind), "/usr/local/bin/wgmesh-init", "check")
    assert done.returncode == 0, done.stderr
    assert "a start would go ahead" in done.stdout and "layer: /var/lib/wgmesh" in done.stdout


@on_docker
def test_the_tools_of_the_full_image_are_whole(engine, load):
    image = load("full")
    for program, option in (("wg", "--version"), ("ip", "-V"), ("ping", "-V"), ("dash", "-c:true"),
                            ("wireguard-go", "--version"), ("busybox", "true")):
        done = run(engine, image, f"/usr/bin/{program}", *option.split(":"))
        assert done.returncode == 0, (program, done.stderr)


@on_docker
def test_pid_1_starts_the_daemon_and_stops_it_at_sigterm(engine, load, request):
    image = load("full")
    # The daemon starts this one by itself, and so it is of the machine's own kind.
    mounts = [word for path in (WIREGUARD, *libraries(WIREGUARD)) for word in ("-v", f"{path}:{path}:ro")]
    start, words = emulated("/usr/local/bin/wgmesh-init")
    # PID 1 starts the emulator in the daemon's place, which knows no `state verify`.
    node = Running(engine, *words, "--state-dir=none", "--", "/emulator", "/usr/local/bin/wgmesh", "join",
                   image=image, options=(*start, *RIGHTS, *mounts, "-e", f"WGMESH_SECRET={SECRET}"))
    request.addfinalizer(node.close)
    node.wait_for_log("is ready")
    assert node.find_log("wg0 created by userspace WireGuard")
    # The emulator has neither Landlock nor seccomp; the node says so, and works.
    (partly,) = [event for event in node.log() if event.get("event") == "confined_partly"]
    assert "Landlock" in partly["msg"] and "seccomp" in partly["msg"]
    eventually(lambda: engine.inside(node.name, "curl", "-s", "http://127.0.0.1:9464/livez").stdout == "ok\n",
               "an answer of the emulated daemon")
    _, code = node.stop()
    assert code == 0
    assert node.find_log("SIGTERM: stopping") and node.find_log("deleting wg0")
