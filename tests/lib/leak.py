# SPDX-License-Identifier: MIT
"""What nobody may show: the secret of a mesh, what follows from it, private keys and passphrases.

A needle is one of these in one of the forms that a program may write it in. Evidence is what a test
could see: where it was, and the bytes. search() looks for every needle in all of the evidence.
"""

import base64
import functools
import os
import pathlib
import re
import stat

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from lib.peer import Mesh, b64, bare_secret

KEY = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=|(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
KEPT_KEY = re.compile(rb'"wg_private_key"\s*:\s*"([A-Za-z0-9+/]{43}=)"')
FILE_MAX = 1 << 20

# What a program of ours says is evidence, and what curl(1) got from one; wg(8) may show keys.
SPEAKERS = frozenset({"wgmesh", "wgmesh-init", "curl"})
# These print a secret or a key because that is what they are for, and on standard output alone.
TELLERS = (("wgmesh", "init"), ("wgmesh", "qr"), ("wgmesh", "state", "export"))


def _decode(text):
    return bytes.fromhex(text.decode()) if len(text) == 64 else base64.b64decode(text)


@functools.lru_cache(maxsize=4096)
def public_key(private_key):
    public = X25519PrivateKey.from_private_bytes(private_key).public_key()
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _keys(data):
    """Whatever may be a key, private or public."""
    return {_decode(found) for found in KEY.findall(data)}


# Needles: bytes to what they give away

def forms(what, value):
    """A value as it is, and as programs write bytes."""
    found = {base64.b64encode(value).rstrip(b"="): f"{what} in base64",
             base64.urlsafe_b64encode(value).rstrip(b"="): f"{what} in base64",
             value.hex().encode(): f"{what} in hexadecimal",
             value.hex().upper().encode(): f"{what} in hexadecimal",
             value: what}
    # A secret that is too short to be one is in many a word.
    return {needle: name for needle, name in found.items() if len(needle) >= 8}


@functools.lru_cache(maxsize=256)
def secret_needles(secret):
    """A mesh secret and the keys that follow from it."""
    mesh = Mesh(secret)
    return {**forms("a secret", bare_secret(secret).encode()),
            **forms("the key of datagrams", mesh.gossip_key),
            **forms("the preshared key", mesh.psk)}


def key_needles(key):
    return forms(f"the private key of {b64(public_key(key))}", key)


def needles(secrets=(), passphrases=(), keys=()):
    found = {}
    for secret in secrets:
        found.update(secret_needles(secret))
    for passphrase in passphrases:
        found.update(forms("a passphrase", passphrase.encode()))
    for key in keys:
        found.update(key_needles(key))
    return found


def keys_below(*directories):
    """The private keys in the files of state directories, whole or damaged."""
    keys = set()
    for data in (data for directory in directories for _, data in _files_below(directory)):
        keys.update(base64.b64decode(found) for found in KEPT_KEY.findall(data))
    return keys


# Evidence: where it was, and the bytes

def _files_below(directory):
    for where, _, names in os.walk(directory):
        for name in names:
            data = read(pathlib.Path(where) / name)
            if data:
                yield pathlib.Path(where) / name, data


def read(path):
    """The bytes of a regular file that is not too large; none of anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return b""
        try:
            return file.read(FILE_MAX)
        except OSError:
            return b""


def is_teller(argv):
    names = (os.path.basename(argv[0]), *argv[1:]) if argv else ()
    return any(names[:len(teller)] == teller for teller in TELLERS)


def of_command(argv, out, err):
    """What a command said, if it is a program of ours."""
    argv = [str(arg) for arg in argv]
    if not argv or os.path.basename(argv[0]) not in SPEAKERS:
        return
    name = " ".join(argv[:3])
    if not is_teller(argv):
        yield f"standard output of {name}", _as_bytes(out)
    yield f"standard error of {name}", _as_bytes(err)


def _as_bytes(text):
    return text if isinstance(text, bytes) else (text or "").encode(errors="surrogateescape")


def of_container(container):
    """What a container wrote, and while it runs what others there can see of it."""
    name = container.name
    yield f"the log of {name}", container.log.data()
    if not is_teller(container.spec.command):
        yield f"the standard output of {name}", container.stdout.data()
    for mount in container.spec.mounts:
        if mount.target == "/dev/termination-log":
            yield f"the termination log of {name}", read(mount.source)
    if container.is_running():
        yield from _of_processes(container)
        yield from _of_files(container)


def _of_processes(container):
    """Arguments and environments, without what whoever started the container put there himself."""
    given = {arg.encode() for arg in container.spec.command}
    given |= {f"{name}={value}".encode() for name, value in container.spec.env.items()}
    for process in container.all_processes():
        for what in ("cmdline", "environ"):
            words = [word for word in process.read(what).split(b"\0") if word not in given]
            yield f"{what} of {process.comm} in {container.name}", b"\0".join(words)


def _of_files(container):
    """What is left where anybody may look."""
    mounted = {mount.target for mount in container.spec.mounts}
    for where in ("/run", "/dev/termination-log"):
        root = container.root(where)
        found = [(root, read(root))] if where == "/dev/termination-log" else _files_below(root)
        for path, data in found:
            inside = f"/{path.relative_to(container.root('/'))}"
            if not any(inside == at or inside.startswith(f"{at}/") for at in mounted):
                yield f"{inside} in {container.name}", data


def search(evidence, sought):
    """What the evidence gives away: a list of what and where, and never the thing itself.

    A key is private, though no needle, when the public key that belongs to it is seen as well.
    """
    found, keys = set(), {}
    for where, data in evidence:
        found.update(f"{what}: {where}" for needle, what in sought.items() if needle in data)
        for key in _keys(data):
            keys.setdefault(key, set()).add(where)
    for key, places in keys.items():
        if public_key(key) in keys:
            found.update(f"the private key of {b64(public_key(key))}: {where}" for where in places)
    return sorted(found)
