# SPDX-License-Identifier: MIT
"""What each kind of storage means for a node of the shipped images: is it kept, was that said, is it refused?"""

import dataclasses
import json

import pytest

from cases import EVERYWHERE
from engines import DISTROLESS, FULL, STATE_DIR
from running import RIGHTS, secret_options

POLICY = 78
INIT = "/usr/local/bin/wgmesh-init"


@dataclasses.dataclass(frozen=True)
class Storage:
    """A way to run a node.

    name      what holds its state directory
    verdict   what wgmesh-init calls that
    options   of `run`; {name} is a name of this run's own, {place} a directory of the machine
    restart   does the key outlast a restart of the container?
    replaced  does it outlast the container, when its volumes are left alone?
    """

    name: str
    verdict: str
    options: tuple = ()
    restart: bool = True
    replaced: bool = False

    def __str__(self):
        return self.name


MATRIX = (
    Storage("nothing", "layer"),
    Storage("old-path", "layer", ("-v", "{name}:/data")),
    Storage("named-volume", "persistent", ("-v", f"{{name}}:{STATE_DIR}"), replaced=True),
    Storage("named-volume-read-only-root", "persistent",
            ("--read-only", "--tmpfs", "/run", "-v", f"{{name}}:{STATE_DIR}"), replaced=True),
    Storage("bind-mount", "persistent", ("-v", f"{{place}}:{STATE_DIR}"), replaced=True),
    Storage("anonymous-volume", "anonymous", ("-v", STATE_DIR)),
    Storage("tmpfs", "memory", ("--tmpfs", STATE_DIR), restart=False),
)


@pytest.fixture
def options(engine, launch, storage):
    """Those of a node on that storage, but for its rights."""
    name = launch.volume()
    place = engine.box.path("srv/matrix") / name
    engine.box.run("mkdir", "-m", "777", place)
    return [option.format(name=name, place=place) for option in storage.options]


everywhere = pytest.mark.parametrize("engine_name", EVERYWHERE)
both_makes = pytest.mark.parametrize("engine_name", ["docker13", "podman13"])
every_storage = pytest.mark.parametrize("storage", MATRIX, ids=str)


@everywhere
@every_storage
def test_the_distroless_image_judges_it(engine, options, storage):
    done = engine.images()("run", "--rm", "--network", "none", "--entrypoint", INIT, *options, DISTROLESS,
                           "check", "--json", check=False)
    report = json.loads(done.stdout)
    assert report["verdict"] == storage.verdict, report["checks"]["volume"]


@both_makes
@every_storage
def test_require_lets_only_that_start_which_will_last(engine, options, storage):
    done = engine.images()("run", "--rm", "--network", "none", "-e", "WGMESH_PERSISTENCE=require", *options,
                           *secret_options(engine), "--cap-add", "NET_ADMIN", DISTROLESS, "join", check=False)
    # What is let in ends for another reason: this image needs the kernel's WireGuard.
    refused = done.returncode == POLICY
    assert refused == (storage.verdict != "persistent"), done.stderr
    if refused:
        assert f"(verdict: {storage.verdict})" in done.stderr


@both_makes
@every_storage
def test_the_key_lives_as_long_as_was_said(launch, options, storage):
    node = launch("join", image=FULL, options=(*RIGHTS, *secret_options(launch.engine), *options))
    key = node.pubkey()
    warned = any(event["level"] == "error" and event["component"] == "volume" for event in node.log()
                 if "component" in event)
    assert warned == (storage.verdict != "persistent")
    node.restart()
    assert (node.pubkey() == key) == storage.restart
    if storage.restart:
        again = launch.keep(node.replace())
        assert (again.pubkey() == key) == storage.replaced
