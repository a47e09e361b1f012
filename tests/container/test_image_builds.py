# SPDX-License-Identifier: MIT
"""Building the images: the same bytes every time, and the same files by every builder."""

import json
import os
import shlex
import shutil
import stat
import subprocess
import tarfile

import pytest

from box import CHECKOUT, ENV
from engines import VERSION
from imagefile import ImageFile

BASE = "debian:trixie-slim"
BASE_TAR = CHECKOUT / "build" / "images" / "cache" / "base-amd64.tar"
MAKE_S = 1800
BUILD_S = 1800
EPOCH = 1700000000
# What engines put into a container themselves.
OF_ENGINES = {"/.dockerenv", "/dev", "/dev/console", "/dev/pts", "/dev/shm", "/etc/hostname", "/etc/hosts",
              "/etc/mtab", "/etc/resolv.conf", "/proc", "/sys"}


# make images


@pytest.fixture
def elsewhere(tmp_path_factory):
    """A directory on the disk of the checkout, with a base image and no other cache; removed with all in it."""
    parent = CHECKOUT / "build" / "container"
    parent.mkdir(parents=True, exist_ok=True)
    directory = parent / tmp_path_factory.mktemp("again").parent.name
    (directory / "cache").mkdir(parents=True)
    os.link(BASE_TAR, directory / "cache" / BASE_TAR.name)
    yield directory
    shutil.rmtree(directory)


def make(directory, env):
    return subprocess.run([CHECKOUT / "images" / "make.sh", directory, VERSION, "amd64"], text=True,
                          env={**ENV, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=MAKE_S, check=False)


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        return {line.split()[4] for line in lines}


def test_two_builds_from_empty_caches_are_the_same_bytes_and_leave_nothing_mounted(elsewhere):
    before = mounts()
    epoch = next(iter(ImageFile("distroless").files.values())).info.mtime
    done = make(elsewhere, {"SOURCE_DATE_EPOCH": str(epoch)})
    assert done.returncode == 0, done.stdout
    assert mounts() == before
    for kind in ("distroless", "full"):
        first, second = ImageFile(kind), ImageFile(kind, directory=elsewhere)
        assert second.config_text == first.config_text
        assert second.path.read_bytes() == first.path.read_bytes()
        assert second.sbom_path.read_bytes() == first.sbom_path.read_bytes()
        size = f"{second.path}: {second.path.stat().st_size / 2**20:.2f} MiB"
        assert size in done.stdout and "MiB compressed" in done.stdout


def test_without_root_make_images_says_what_is_missing(tmp_path):
    directory = tmp_path / "images"
    done = subprocess.run(["setpriv", "--reuid", "30000", "--regid", "30000", "--clear-groups", "bash",
                           CHECKOUT / "images" / "make.sh", directory, VERSION, "amd64"], env=ENV, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    assert done.returncode == 1 and "sudo make images" in done.stderr
    assert not directory.exists()


# docker build


@pytest.fixture
def builder(engine):
    """The engine, with a base image that bears the name of the registry's."""
    if not engine("images", "-q", BASE).stdout:
        engine("import", BASE_TAR, BASE, within=BUILD_S)
    return engine


def layers_of(engine, image):
    return json.loads(engine("image", "inspect", "--format", "{{json .RootFS.Layers}}", image).stdout)


def facts(info):
    """What of a file every builder must agree on."""
    return info.type, info.uid, info.gid, stat.S_IMODE(info.mode), info.linkname, info.size


def files_of(engine, image):
    """The facts of all that a built image holds, by name."""
    path = engine.box.directory / "built.tar"
    container = engine("create", image).stdout.strip()
    engine("export", "-o", path, container)
    engine("rm", container)
    found = {}
    with tarfile.open(path) as tar:
        for info in tar:
            found[f"/{info.name.strip('/')}"] = facts(info)
    path.unlink()
    return found


def guide_commands(start):
    """The commands of images/README.md that begin like this."""
    text = (CHECKOUT / "images" / "README.md").read_text(encoding="utf-8")
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith(f"    {start}")]


def in_checkout(engine, *argv, env):
    """Run a command where a reader of the guide is."""
    return engine.room.run("sh", "-c", 'cd "$0" && exec "$@"', CHECKOUT, *argv, env=env, within=BUILD_S)


def build(engine, command, tag, buildkit):
    """Run a command of the guide, under another name and with a time."""
    words = [tag if word.startswith("wgmesh:") else word for word in command[1:]]
    assert words[-1] == "." and tag in words
    env = {**engine.env(), "DOCKER_BUILDKIT": "1" if buildkit else "0"}
    with engine.room.outside():
        in_checkout(engine, *engine.argv(*words[:-1], "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH}", "."), env=env)


def check_like_shipped(engine, image, kind, arch):
    """What Docker has built holds the same files as what is shipped, and is started in the same way."""
    shipped = ImageFile(kind, arch)
    built = files_of(engine, image)
    assert {name: entry for name, entry in built.items() if name not in OF_ENGINES} == {
        name: facts(entry.info) for name, entry in shipped.files.items()}
    inspected = json.loads(engine("image", "inspect", "--format", "{{json .}}", image).stdout)
    assert inspected["Architecture"] == arch
    for name in ("Entrypoint", "Cmd", "Env", "StopSignal", "ExposedPorts", "Healthcheck"):
        assert inspected["Config"][name] == shipped.config["config"][name], name


@pytest.mark.parametrize("engine_name", ["docker"])
def test_both_builders_of_docker_20_make_the_same_layer(builder):
    (command,) = guide_commands("docker build -f Dockerfile.distroless -t")
    build(builder, command, "wgmesh-build:classic", False)
    build(builder, command, "wgmesh-build:buildkit", True)
    assert layers_of(builder, "wgmesh-build:classic") == layers_of(builder, "wgmesh-build:buildkit")
    check_like_shipped(builder, "wgmesh-build:buildkit", "distroless", "amd64")
    assert builder.run("--version", image="wgmesh-build:buildkit").stdout == f"wgmesh version {VERSION}\n"


@pytest.mark.parametrize("engine_name", ["docker13"])
def test_docker_26_builds_the_full_image_for_the_other_machine(builder):
    (command,) = guide_commands("docker buildx build --platform linux/arm64")
    build(builder, command, "wgmesh-build:arm64", True)
    check_like_shipped(builder, "wgmesh-build:arm64", "full", "arm64")


@pytest.mark.parametrize("engine_name", ["docker", "docker13"])
def test_what_the_guide_says_under_verify_works(engine):
    text = (CHECKOUT / "images" / "README.md").read_text(encoding="utf-8")
    section = text.split("## Verify")[1].split("##")[0]
    commands = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    assert len(commands) == 4
    done = in_checkout(engine, "sh", "-e", "-c", "\n".join(commands), env=engine.env())
    assert f"wgmesh version {VERSION}" in done.stdout and "wgmesh://v1/" in done.stdout
