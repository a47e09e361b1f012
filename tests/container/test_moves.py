# SPDX-License-Identifier: MIT
"""A node moves between volumes by the commands of docs/persistence.md, through real engines' streams."""

import itertools
import json

import pytest

from cases import EVERYWHERE
from engines import PLAIN, STATE_DIR
from lib.peer import new_key

KEY_FILE = f"{STATE_DIR}/wg0.json"
ENTRY = ("wgmesh-init", "--", "wgmesh")
NUMBERS = itertools.count(1)


def seeded(engine, user):
    """A volume with a key, and the public one."""
    private_key, public_key = new_key()
    volume = f"moves-{next(NUMBERS)}"
    text = json.dumps({"wg_pubkey": public_key, "wg_private_key": private_key}, indent=2)
    engine.run("busybox", "sh", "-c", f'umask 077; echo "$0" >{KEY_FILE}', text,
               options=("-u", user, "-v", f"{volume}:{STATE_DIR}"))
    return volume, public_key


def key_in(engine, volume):
    shown = engine.run("busybox", "cat", KEY_FILE, options=("-v", f"{volume}:{STATE_DIR}"))
    return json.loads(shown.stdout)["wg_pubkey"]


@pytest.mark.parametrize("engine_name", EVERYWHERE)
@pytest.mark.parametrize("user", ["0", "65532"])
def test_a_node_is_exported_by_exec_and_imported_by_run(engine, user):
    volume, public_key = seeded(engine, user)
    place = engine.box.path(f"moves/{engine.name}-{user}")
    passphrase, exported = place / "passphrase", place / "node.wgmesh"
    engine.box.run("sh", "-c", f"echo correct horse battery >{passphrase}; : >{exported}; chmod 666 {exported}")
    name = f"{volume}-node"
    engine("run", "-d", "--name", name, "--network", "none", "-u", user, "-v", f"{volume}:{STATE_DIR}",
           PLAIN, "busybox", "sleep", "1000")
    try:
        # The box has a disk of its own, which only its processes see: so a shell in it opens the files.
        export = engine.argv("exec", "-i", name, "wgmesh", "state", "export", "--passphrase-file",
                             "/dev/stdin", "-")
        shell(engine, export, f"<{passphrase} >{exported}")
    finally:
        engine("kill", name)
        engine("rm", "-f", name)
    import_ = engine.argv("run", "--rm", "-i", "--network", "none", "-u", user,
                          "-v", f"{volume}-new:{STATE_DIR}", "-v", f"{passphrase}:/run/passphrase:ro",
                          PLAIN, *ENTRY, "state", "import", "--passphrase-file",
                          "/run/passphrase", "-")
    said = shell(engine, import_, f"<{exported}")
    assert "undo: rm" in said.stdout and public_key in said.stdout
    assert key_in(engine, f"{volume}-new") == public_key


def shell(engine, argv, streams):
    return engine.room.run("sh", "-c", f'"$@" {streams}', "sh", *argv, env=engine.env())
