# SPDX-License-Identifier: MIT
"""What must be true of a state directory whatever was done to the program that worked in it."""

import base64
import re

from lib import leak
from fault.scenarios import KEY, read_key

# common/exits.h; every one of them is documented.
EXIT_CODES = frozenset({0, 64, 65, 69, 70, 71, 73, 74, 75, 77, 78})
KILLED = -9
REASON = re.compile(r"^(\S+ error \S+: |wgmesh: (?!not asked)).{20,}$", re.MULTILINE)
PUBLIC_KEY = re.compile(r"^[A-Za-z0-9+/]{43}=$", re.MULTILINE)

KEY_FILE = re.compile(r"state/(wg0\.json|\.snapshots/wg0\.json\.\d{20})")
# Found damaged, or in the way; whatever it is, nobody takes it for the key file.
DAMAGED = re.compile(r"state/\.snapshots/wg0\.json\.damaged-\d+")
ASIDE = re.compile(r"state/\.snapshots/legacy-[^/]+")
# What a program that was killed may leave: nobody takes it for the file itself.
TEMPORARY = re.compile(r"(state|legacy)/(\.snapshots/)?\.[^/]+\.new|\.backup\.\d+\.new|state/\.wgmesh\.probe[^/]*")
# Anything goes for the lock; the others are text, a line for each fact.
LOCK = re.compile(r"state/\.wgmesh\.(daemon\.)?(lock|lease)[^/]*")
LINES = re.compile(r"state/\.wgmesh\.(migrated|history)|legacy/\.migrated-to-wgmesh")
MARKER = "state/.wgmesh.volume"
PRIVATE_KEY = re.compile(rb'"wg_private_key": ?"([A-Za-z0-9+/]{43}=)"')
WHOLE_LINES = re.compile(rb"([ -~]+\n)+")


def tree_problems(scenario, tree, before):
    """What is wrong with a tree after the operation; `before` is what it began with."""
    for name, entry in tree.items():
        problem = _entry_problem(scenario, name, entry, before.get(name))
        if problem:
            yield f"{name} {problem}"
    for name, entry in before.items():
        if name.startswith("legacy") and tree.get(name) != entry:
            yield f"{name}, which is not ours to touch, has changed"
    yield from _key_problems(scenario, tree)
    yield from _losses(tree, before)


def _losses(tree, before):
    """Whatever takes a key's or a file's place, what was there is still somewhere."""
    lost = _keys_in(before) - _keys_in(tree)
    if lost:
        yield "there is no copy left of " + " ".join(sorted(lost))
    contents = {entry.data for entry in tree.values()}
    for name, entry in before.items():
        is_key = not entry.is_dir and read_key(entry.data)
        if name not in tree and entry.data not in contents and not is_key and not TEMPORARY.fullmatch(name):
            yield f"{name} is gone"


def _keys_in(tree):
    """All keys of which there is a whole file, whatever its name."""
    return {read_key(entry.data) for entry in tree.values() if not entry.is_dir} - {None}


def _entry_problem(scenario, name, entry, before):
    if entry.is_dir:
        return _mode_problem(entry, 0o755 if name == "legacy" else 0o700)
    if before == entry:
        return None
    return _mode_problem(entry, 0o600) or _content_problem(scenario, name, entry, before)


def _mode_problem(entry, mode):
    return f"has mode {entry.mode:04o}" if entry.mode != mode else None


def _content_problem(scenario, name, entry, before):
    if any(pattern.fullmatch(name) for pattern in (TEMPORARY, LOCK, DAMAGED)):
        return None
    if not entry.data:
        return "is empty"
    if name in scenario.contents:
        return None if scenario.contents[name](entry.data) else "is half-written"
    if KEY_FILE.fullmatch(name):
        return None if read_key(entry.data) else "is half-written"
    if ASIDE.fullmatch(name):
        known = {other.data for other in scenario.tree.values()}
        return None if entry.data in known else "is not what was copied there"
    if name == MARKER:
        return None if _is_whole_marker(entry.data) else "is half-written"
    if LINES.fullmatch(name):
        return None if WHOLE_LINES.fullmatch(entry.data) else "is half-written"
    return "has no business there"


def _is_whole_marker(data):
    """Its last lines are as many as it says."""
    starts = data.count(b"\nboot=")
    return data.startswith(b"version=1\n") and data.endswith(b"\n") and b"\nboots=%d\n" % starts in data


def live_keys(scenario, tree):
    """Public keys that a start could take for this node's."""
    return {read_key(entry.data) for name, entry in tree.items()
            if KEY_FILE.fullmatch(name) and not entry.is_dir and not _is_kept(scenario, name)} - {None}


def _is_kept(scenario, name):
    return name.startswith(scenario.kept or ("\0",))


def _key_problems(scenario, tree):
    keys = live_keys(scenario, tree)
    if len(keys) > 1 and not scenario.other:
        yield "there are two keys"
    if scenario.key and keys - {scenario.key, scenario.other}:
        yield "there is another key"


def known_keys(scenario, tree, result):
    """The keys that the node is known by after the operation: a restart must serve all of them."""
    if scenario.other:
        return {read_key(tree[KEY].data)} if KEY in tree else set()
    return (live_keys(scenario, tree) | {scenario.key, printed_key(result)}) - {None}


def stray_keys(scenario, tree, key):
    """Keys in any file at all, that are neither the node's nor kept aside on purpose."""
    return [name for name, entry in tree.items()
            if name.startswith("state/") and not entry.is_dir and read_key(entry.data) not in (None, key, scenario.key, scenario.other)
            and not _is_kept(scenario, name)]


def printed_key(result):
    found = PUBLIC_KEY.findall(result.out)
    return found[-1] if found else None


def result_problems(scenario, result, fault, tree):
    """What is wrong with how the operation ended; `fault` may be None, `tree` is what it left."""
    if result.code is None:
        yield "it hangs"
    elif result.code == KILLED and fault and fault.ends_process:
        return
    elif result.code not in EXIT_CODES:
        yield f"it ended with {result.code}, which is not documented"
    elif result.code == 0 and scenario.is_lost:
        yield "it went on without the key"
    elif result.code == 0 and not scenario.is_done(tree):
        yield "it says that it is done, and is not"
    elif result.code != 0 and not REASON.search(result.err) and not result.is_mute:
        yield f"it refused with {result.code} and gave no reason"


def leak_problems(result, said, *trees):
    """Whatever happens, a private key is in a file or nowhere."""
    keys = {key for tree in trees for entry in tree.values() if not entry.is_dir
            for key in PRIVATE_KEY.findall(entry.data)}
    told = "\n".join((result.out, result.err, said)).encode()
    if any(form in told for key in keys for form in leak.forms("a key", base64.b64decode(key))):
        yield "it shows a private key"


def owner_problems(scenario, tree):
    """A file that the program's user cannot read is as good as lost."""
    if scenario.owner and tree.get(KEY) and KEY not in scenario.tree and tree[KEY].uid != scenario.owner:
        yield f"{KEY} belongs to {tree[KEY].uid}"
