#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Records the mount tables of tests/data/mountinfo: every case, every engine, and bare namespaces.

    tests/container/record.py [DIRECTORY]

The first line of a file holds the facts that its container's own tools found beside the table. Names of
directories of this machine are replaced; generated names stay, as they are different in every run.
"""

import pathlib
import re
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]

from box import BUSYBOX, WIREGUARD, Box  # noqa: E402
from cases import TABLE, CASES, EVERYWHERE, places  # noqa: E402
from engines import ENGINES, STATE_DIR, image_tar  # noqa: E402
from test_verdicts import fill, make_volumes  # noqa: E402
from lib.container import Mount  # noqa: E402
from lib.lab import Lab  # noqa: E402

# The numbers of the two mounts, the file system's magic number, and the table.
SCRIPT = """\
dir=$1
mount_of() { exec 9<"$1"; sed -n 's/^mnt_id:[^0-9]*//p' /proc/self/fdinfo/9; exec 9<&-; }
kind=directory; [ -d "$dir" ] || kind=file
echo "# path=$dir mount=$(mount_of "$dir") root=$(mount_of /) magic=0x$(stat -f -c %t "$dir") kind=$kind"
cat /proc/self/mountinfo
"""
APPLETS = "sed() { busybox sed \"$@\"; }; stat() { busybox stat \"$@\"; }; cat() { busybox cat \"$@\"; }\n"
LAYERS = re.compile(r"(lowerdir|upperdir|workdir)=[^, \n]*")
NAMESPACES = {"nothing-mounted": lambda lab: [],
              "tmpfs": lambda lab: [Mount.tmpfs(STATE_DIR)],
              "named-volume": lambda lab: [Mount.bind(lab.volume("state"), STATE_DIR)],
              "anonymous-volume": lambda lab: [Mount.bind(lab.anonymous_volume(), STATE_DIR)],
              "bind": lambda lab: [Mount.bind(lab.host_directory("state"), STATE_DIR)],
              "bind-read-only": lambda lab: [Mount.bind(lab.host_directory("state"), STATE_DIR, True)]}


def own_cgroups():
    """Those that this program is in, which a container without one of its own shows."""
    paths = (line.split(":", 2)[2] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines())
    return sorted({path for path in paths if path != "/"})


def neutral(text, directory):
    text = text.replace(str(directory), "/box")
    for path in own_cgroups():
        text = text.replace(f"{path} ", "/machine ")
    return LAYERS.sub(r"\1=x", text)


def record(engine, case, host):
    path = "/state" if "file-as-directory" in case.name else STATE_DIR
    command = ("busybox", "sh", "-c", APPLETS + SCRIPT, "sh", path)
    make_volumes(engine, case, host)
    if not case.delete:
        return engine.run(*command, image=case.image, options=fill(case.options, host)).stdout
    engine("run", "-d", "--name", "recorded", "--network", "none", *fill(case.options, host), case.image,
           "busybox", "sleep", "1000")
    engine.box.run("rmdir", host[case.delete])
    text = engine("exec", "recorded", *command).stdout
    engine("kill", "recorded")
    engine("rm", "-f", "recorded")
    engine.box.path(host[case.delete].relative_to(engine.box.disk))
    return text


def save(to, group, name, text):
    (to / group).mkdir(parents=True, exist_ok=True)
    (to / group / f"{name}.txt").write_text(text, encoding="utf-8")


def record_engines(to):
    with Box() as box:
        tar = box.directory / "image.tar"
        image_tar(tar, BUSYBOX, WIREGUARD)
        box.run("mkdir", "-m", "777", "/run/memory")
        host = places(box)
        for name in EVERYWHERE:
            engine = ENGINES[name](box, tar)
            for case in CASES:
                if name in case.engines:
                    save(to, name, case.name, neutral(record(engine, case, host), box.directory))


def record_namespaces(to):
    with Lab() as lab:
        for name, mounts in NAMESPACES.items():
            box = lab.container(name, ["sh", "-c", SCRIPT, "sh", STATE_DIR], mounts=mounts(lab))
            box.wait()
            save(to, "namespace", name, neutral("\n".join(box.stdout.lines) + "\n", lab.directory))


def main():
    to = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE.parent
    record_engines(to)
    record_namespaces(to)


if __name__ == "__main__":
    main()
