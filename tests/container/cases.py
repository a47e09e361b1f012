# SPDX-License-Identifier: MIT
"""Ways to hold the state directory in a container, as far as engines can do it here.

What each must be judged as is in tests/data/mountinfo/cases.txt.
"""

import dataclasses

from box import CHECKOUT
from engines import PLAIN, STATE_DIR, VOLUME

TABLE = CHECKOUT / "tests" / "data" / "mountinfo" / "cases.txt"
DOCKERS = ("docker", "docker13")
WITH_ROOT = (*DOCKERS, "podman", "podman13")
EVERYWHERE = (*WITH_ROOT, "rootless")
PODMAN = ("podman", "podman13", "rootless")


def expectations():
    """Verdicts by case."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines if line and not line.startswith("#")}


@dataclasses.dataclass(frozen=True)
class Case:
    """A way to run a container.

    name     as in the table
    options  of `run`; {names} are places of the box, see places()
    volumes  options of `volume create` by the volume's name
    delete   a place whose directory is deleted while the container runs
    """

    name: str
    options: tuple = ()
    engines: tuple = EVERYWHERE
    image: str = PLAIN
    volumes: tuple = ()
    delete: str = ""

    def __str__(self):
        return self.name


def places(box):
    """Directories of the host, for bind mounts: open to every user, as these tests run as several."""
    here = {name: box.path(f"srv/{name}") for name in ("bind", "driver", "gone", "parent")}
    box.path("srv/parent/wgmesh")
    here["tmp"] = box.path("tmp/wgmesh")
    # Engines give directories that become volumes to the image's user: it must not lie in one.
    here["file"] = box.path("srv/files") / "file"
    here["claim"] = box.directory / "claim"
    here["claimed"] = here["claim"] / "sub"
    here["overlay"] = box.directory / "overlay"
    here["overlaid"] = here["overlay"] / "sub"
    here["memory"] = "/run/memory"
    here["remembered"] = "/run/memory/sub"
    for name in ("claimed", "overlaid", "remembered"):
        box.run("mkdir", "-p", "-m", "777", here[name])
    box.run("chmod", "777", here["claim"], here["overlay"], here["memory"])
    box.run("touch", here["file"])
    box.run("chmod", "666", here["file"])
    return here


def volume(source, *options):
    return "-v", ":".join((source, STATE_DIR, *options))


NAMED = volume("case-named")
KEY_FILE = ("-v", f"{{file}}:{STATE_DIR}/wg0.json")

CASES = (
    Case("nothing-mounted"),
    Case("nothing-but-data", ("-v", "case-data:/data")),
    Case("image-volume", image=VOLUME),
    Case("anonymous-volume", ("-v", STATE_DIR)),
    Case("anonymous-by-type", ("--mount", f"type=volume,dst={STATE_DIR}")),
    Case("anonymous-below-memory", ("--tmpfs", "/var/lib"), image=VOLUME, engines=WITH_ROOT),
    Case("named-volume", NAMED),
    Case("named-on-read-only-root", ("--read-only", *NAMED)),
    Case("named-in-memory", volume("case-memory"), engines=WITH_ROOT,
         volumes=(("case-memory", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=nodev"),)),
    Case("named-from-bind", volume("case-bind"), engines=WITH_ROOT,
         volumes=(("case-bind", "-o", "type=none", "-o", "device={driver}", "-o", "o=bind"),)),
    Case("named-uid-map", ("--uidmap", "0:100000:65536", *volume("case-mapped")), engines=("podman", "podman13")),
    Case("bind", volume("{bind}")),
    Case("bind-parent", ("-v", "{parent}:/var/lib")),
    Case("bind-below-tmp", volume("{tmp}")),
    Case("bind-of-memory", volume("{memory}")),
    Case("bind-below-memory", volume("{remembered}")),
    Case("bind-of-overlay", volume("{overlay}")),
    Case("bind-below-overlay", volume("{overlaid}")),
    Case("bind-deleted", volume("{gone}"), delete="gone"),
    Case("disk-is-volume", volume("{claim}")),
    Case("disk-sub-path", volume("{claimed}")),
    Case("tmpfs", ("--tmpfs", STATE_DIR)),
    Case("tmpfs-by-type", ("--mount", f"type=tmpfs,dst={STATE_DIR}")),
    Case("read-only-root", ("--read-only",)),
    Case("named-read-only", volume("case-named", "ro")),
    Case("bind-read-only", volume("{bind}", "ro")),
    Case("file-in-layer", KEY_FILE),
    Case("file-in-volume", (*volume("case-split"), *KEY_FILE)),
    # Docker and crun make a file of the image's directory there, where they can.
    Case("file-as-directory", ("-v", "{file}:/state", "-e", "WGMESH_STATE_DIR=/state")),
    Case("overlay-mount", volume("{bind}", "O"), engines=PODMAN),
    Case("image-volume-tmpfs", ("--image-volume", "tmpfs"), image=VOLUME, engines=PODMAN),
    Case("image-volume-ignored", ("--image-volume", "ignore"), image=VOLUME, engines=PODMAN),
)


def runs():
    """Every case with every engine that can do it."""
    return [(engine, case) for case in CASES for engine in case.engines]
