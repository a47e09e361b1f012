# SPDX-License-Identifier: MIT
"""A deployment of the existing kind, simulated by its files: the image, the container, what lies in its state.

The program stands in for the existing daemon: it serves the key in /var/lib/wgmesh, and where there is none that
it can read, it makes another one and says nothing.
"""

import base64
import io
import itertools
import json
import tarfile

from box import BUSYBOX, CHECKOUT
from lib.peer import Mesh
from lib.wait import eventually

IMAGE = "wgmesh-old:test"
STATE_DIR = "/var/lib/wgmesh"
FILES = json.loads((CHECKOUT / "tests/data/vectors.json").read_text(encoding="utf-8"))["state_files"]
NUMBERS = itertools.count(1)
# The first line is apart, since lint takes whatever begins with it for a script.
PROGRAM = "#!/bin/sh\n" + """\
[ "${1:---help}" = join ] || { echo "usage: wgmesh join --secret SECRET"; exit 0; }
dir=/var/lib/wgmesh
mkdir -p $dir
chmod 700 $dir
umask 077
random() { head -c 32 /dev/urandom | base64; }
grep -q '^  "wg_private_key": "' $dir/wg0.json 2>/dev/null ||
    printf '{\\n  "wg_pubkey": "%s",\\n  "wg_private_key": "%s"\\n}' "$(random)" "$(random)" >$dir/wg0.json
grep wg_pubkey $dir/wg0.json
trap 'exit 0' TERM
while :; do sleep 1000 & wait $!; done
"""
APPLETS = ("sh", "ls", "cat", "grep", "sleep", "head", "base64", "mkdir", "chmod", "chown", "sha256sum", "sed")


SECRET = "the secret of an existing mesh, as somebody made it up"
MESH = Mesh(SECRET)
KEY = json.loads(FILES["iface_json"]["text"])
KEY |= {"mesh_ip": MESH.mesh_ip(KEY["wg_pubkey"]), "mesh_ipv6": MESH.mesh_ip6(KEY["wg_pubkey"])}
# Every name that the existing daemon, or its user, may have put there.
STATE = {
    "wg0.json": json.dumps(KEY, indent=2).encode(),
    "wg0-peers.json": FILES["peers_json_empty"]["text"].encode(),
    f"wg0-{MESH.network_id[:8].hex()}-dht.nodes": bytes.fromhex(FILES["dht_nodes"]["hex"]),
    "wg0-dht.nodes": bytes.fromhex(FILES["dht_nodes"]["hex"]),
    "wg0.reload": b"advertise-routes=10.9.0.0/16\n",
    "mesh-state.json": b"ZW5jcnlwdGVkLCBhbmQgbm9uZSBvZiBvdXIgYnVzaW5lc3M=",
    "state.json": b"{}",
    "account.json": b'{\n  "api_key": "k"\n}',
    "services.json": b"[]",
    "referral.json": b'{\n  "code": "abc"\n}',
}
# What the next run of a node writes anew; all others stay to the byte.
REWRITTEN = {"wg0-peers.json"}


def image_tar(path):
    """The root of the existing image: the program, a shell, /data of user 1000."""
    with tarfile.open(path, "w") as tar:
        def add(name, data=b"", mode=0o755, owner=0, kind=tarfile.REGTYPE, link=""):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.size, info.linkname = kind, mode, len(data), link
            info.uid = info.gid = owner
            tar.addfile(info, io.BytesIO(data))
        add("data", owner=1000, kind=tarfile.DIRTYPE)
        add("tmp", mode=0o1777, kind=tarfile.DIRTYPE)
        add("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nwgmesh:x:1000:1000::/data:/bin/sh\n", 0o644)
        add("bin/busybox", open(BUSYBOX, "rb").read())
        for name in APPLETS:
            add(f"bin/{name}", kind=tarfile.SYMTYPE, link="busybox")
        add("usr/local/bin/wgmesh", PROGRAM.encode())


def load_image(engine):
    """Have the engine know the image, beside those that are shipped; again costs nothing."""
    engine.images()
    if engine("inspect", "--type", "image", IMAGE, check=False).returncode == 0:
        return
    tar = engine.box.directory / f"old-{engine.name}.tar"
    image_tar(tar)
    changes = ["WORKDIR /data", 'ENTRYPOINT ["/usr/local/bin/wgmesh"]', 'CMD ["--help"]',
               "EXPOSE 51820/udp", "ENV PATH=/usr/local/bin:/bin"]
    engine("import", *(word for change in changes for word in ("--change", change)), tar, IMAGE)


def archive(owner=0, files=None):
    """The state as a small archive, in letters, as command lines carry it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in (STATE if files is None else files).items():
            info = tarfile.TarInfo(name)
            info.mode, info.size, info.uid, info.gid = 0o600, len(data), owner, owner
            tar.addfile(info, io.BytesIO(data))
    return base64.b64encode(out.getvalue()).decode()


SEED = 'cd "$1"; printf "%s" "$2" | base64 -d | busybox tar -xz; chown "$3" .'
SHOW = 'cd "$1"; for f in * .*; do [ -f "$f" ] && sha256sum "$f"; done; :'


def seed(engine, mount, owner=0, files=None):
    """Put the state of an existing node into a volume or a directory."""
    in_old(engine, mount, SEED, "/seed", archive(owner, files), f"{owner}:{owner}")


def digests(engine, mount):
    """Name to digest of each file in a volume or a directory."""
    return parse(in_old(engine, mount, SHOW, "/seed").stdout)


def parse(text):
    return {line.split()[1]: line.split()[0] for line in text.splitlines()}


def in_old(engine, mount, script, *words):
    return engine("run", "--rm", "--network", "none", "-v", f"{mount}:/seed", "--entrypoint", "/bin/sh",
                  IMAGE, "-c", script, "sh", *words)


class OldNode:
    """A container of the existing image, as its documentation starts it."""

    def __init__(self, engine, mounts=(), options=(), secret=SECRET):
        load_image(engine)
        self.engine, self.name = engine, f"old{next(NUMBERS)}"
        volumes = [word for mount in mounts for word in ("-v", mount)]
        engine("run", "-d", "--name", self.name, "--network", "none", "--cap-add", "NET_ADMIN", *volumes, *options,
               IMAGE, "join", "--secret", secret, "--interface", "wg0", "--listen-port", "51820")
        eventually(self.served, "the old program", within=20)

    def exec(self, script, *words):
        return self.engine("exec", self.name, "sh", "-c", script, "sh", *words).stdout

    def become_existing(self, owner=0):
        """Give it the state of a node that has run for long, in the place where it looks."""
        self.exec(SEED, STATE_DIR, archive(owner), "0:0")
        self.engine("restart", "-t", "2", self.name)

    def served(self):
        """The public key that it says it serves, since its last start; None before the first."""
        lines = [line for line in self.engine("logs", self.name).stdout.splitlines() if "wg_pubkey" in line]
        return lines and json.loads("{" + lines[-1].strip().rstrip(",") + "}")["wg_pubkey"]

    def digests(self):
        return parse(self.exec(SHOW, STATE_DIR))
