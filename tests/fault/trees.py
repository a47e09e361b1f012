# SPDX-License-Identifier: MIT
"""Directory trees as values: made in one go, read back in one go, compared."""

import dataclasses
import os
import stat


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file, or a directory when `data` is None; anything else has its kind as its data."""

    mode: int
    data: bytes
    uid: int = 0

    is_dir = property(lambda self: self.data is None)


def file(data, mode=0o600):
    return Entry(mode, data)


def directory(mode=0o700):
    return Entry(mode, None)


def plant(root, tree):
    """Make a tree below a directory that exists; parents come before their children."""
    for name, entry in tree.items():
        path = os.path.join(root, name)
        if entry.is_dir:
            os.mkdir(path)
        else:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(fd, entry.data)
            os.close(fd)
        os.chmod(path, entry.mode)
        if entry.uid:
            os.chown(path, entry.uid, entry.uid)


def read(root):
    """A tree as it is on disk; names are relative to `root`."""
    tree = {}
    if os.path.isdir(root):
        _read_into(tree, root, "")
    return tree


def _read_into(tree, root, prefix):
    with os.scandir(os.path.join(root, prefix)) as entries:
        for item in sorted(entries, key=lambda item: item.name):
            name = prefix + item.name
            tree[name] = _entry(item)
            if tree[name].is_dir:
                _read_into(tree, root, name + "/")


def _entry(item):
    status = item.stat(follow_symlinks=False)
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return Entry(mode, None, status.st_uid)
    if not stat.S_ISREG(status.st_mode):
        return Entry(mode, f"neither file nor directory: {oct(status.st_mode)}".encode(), status.st_uid)
    with open(item.path, "rb") as opened:
        return Entry(mode, opened.read(), status.st_uid)
