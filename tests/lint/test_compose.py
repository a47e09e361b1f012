# SPDX-License-Identifier: MIT
"""The compose files, without an engine: each is whole, none differs from the others by accident, none has a secret."""

import pathlib
import re

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
COMPOSE = CHECKOUT / "compose"
FILES = sorted(COMPOSE.glob("*.yml"))
VERSION = re.search(r"^VERSION *:= *(\S+)$", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
STATE_DIR = "/var/lib/wgmesh"
SECRET_FILE = "/run/secrets/mesh_secret"
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::-([^}]*))?\}")
# What every node is given, in every file the same.
SAME = ("cap_drop", "cap_add", "security_opt", "read_only", "tmpfs", "init", "restart", "stop_grace_period",
        "healthcheck", "logging", "secrets", "command")
# docker-compose 1.29 does not know the first two; the others are of files that have a version.
NOT_AT_THE_TOP = {"name", "include", "version", "configs"}


def read(name):
    return (COMPOSE / name).read_text(encoding="utf-8")


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def is_node(service):
    return service.get("command") == ["join"]


def services(path):
    return load(path)["services"].items()


def nodes():
    """Every service that is a node, with its file."""
    return [(path, name, what) for path in FILES for name, what in services(path) if is_node(what)]


def node_ids():
    return [f"{path.name}:{name}" for path, name, _ in nodes()]


MODEL = load(COMPOSE / "docker-compose.yml")["services"]["node"]
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
every_node = pytest.mark.parametrize("path,name,node", nodes(), ids=node_ids())


def test_there_is_a_file_for_each_need():
    names = {path.stem for path in FILES}
    assert names >= {"docker-compose", "two-nodes", "userspace", "legacy-data", "gateway", "observability", "cluster"}


@every_file
def test_a_file_says_what_it_is_and_has_only_what_both_composes_know(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-License-Identifier: MIT\n# ")
    assert f"{path.name} " in text.partition("\n\n")[0] + " " or path.name == "docker-compose.yml"
    assert NOT_AT_THE_TOP & set(load(path)) == set()


@every_node
def test_a_node_is_given_what_every_node_is_given(path, name, node):
    assert {key: node.get(key) for key in SAME} == {key: MODEL[key] for key in SAME}
    assert node["environment"]["WGMESH_SECRET_FILE"] == SECRET_FILE
    assert node["environment"]["WGMESH_PERSISTENCE"] == "require"


def test_that_is_least_privilege_a_health_check_and_time_to_stop():
    assert MODEL["cap_drop"] == ["ALL"] and MODEL["read_only"] is True and MODEL["init"] is False
    assert MODEL["security_opt"] == ["no-new-privileges:true"]
    assert MODEL["healthcheck"]["test"] == ["CMD", "/usr/local/bin/wgmesh-init", "healthcheck"]
    # wgmesh-init takes 8 s at most for the daemon, and then has an interface to take down.
    assert int(MODEL["stop_grace_period"].rstrip("s")) > 8 + 5
    assert MODEL["logging"]["options"]["max-size"]
    assert not any(key in node for _, _, node in nodes() for key in ("privileged", "user", "pid", "ipc", "ports"))


@every_node
def test_a_capability_has_its_reason_beside_it(path, name, node):
    if path.name == "docker-compose.yml":
        text = path.read_text(encoding="utf-8")
        assert [cap for cap in node["cap_add"] if not re.search(rf"- {cap} +# \w", text)] == []


@every_node
def test_a_node_runs_the_image_of_this_release_or_is_built_from_it(path, name, node):
    image = VARIABLE.fullmatch(node["image"])
    full = path.name == "userspace.yml"
    assert image[1] == "WGMESH_IMAGE" and image[2] == f"wgmesh:{VERSION}" + ("-full" if full else "")
    assert node["build"] == {"context": "..", "dockerfile": "Dockerfile" if full else "Dockerfile.distroless"}
    assert (COMPOSE / node["build"]["context"] / node["build"]["dockerfile"]).is_file()


@every_node
def test_a_node_has_a_volume_of_its_own_by_a_name_of_its_own(path, name, node):
    mounts = dict(reversed(volume.split(":")[:2]) for volume in node["volumes"])
    volume = load(path)["volumes"][mounts[STATE_DIR]]
    assert VARIABLE.sub(lambda found: found[2], volume["name"]).startswith("wgmesh-")
    assert not volume.get("external")
    others = [other for service, other in services(path) if is_node(other) and service != name]
    assert not any(text.split(":")[0] == mounts[STATE_DIR] for other in others for text in other["volumes"])


@every_file
def test_a_secret_is_a_file_and_nothing_else(path):
    text = path.read_text(encoding="utf-8")
    assert "wgmesh://" not in text
    for name, service in services(path):
        words = [*map(str, service.get("command") or ()), *map(str, service.get("entrypoint") or ())]
        assert [word for word in words if "secret" in word.lower()] == [], name
        assert not {"WGMESH_SECRET", "WGMESH_PASSPHRASE"} & set(service.get("environment") or ()), name
        assert "env_file" not in service
    for secret in load(path).get("secrets", {}).values():
        assert secret == {"file": "${MESH_SECRET_FILE:-./mesh_secret}"}


def test_secrets_that_people_put_here_stay_out_of_the_repository_and_of_the_example():
    assert {"mesh_secret", ".env", "passphrase", "*.wgmesh"} <= set(read(".gitignore").split())
    assert not re.search(r"^#?WGMESH_SECRET", read(".env.example"), re.MULTILINE)


def test_every_variable_is_explained_and_its_default_is_what_the_files_have():
    used = {}
    for path in FILES:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
        for name, default in VARIABLE.findall("\n".join(lines)):
            used.setdefault(name, set()).add(default)
    explained = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE))
    assert explained.pop("COMPOSE_PROJECT_NAME") == "wgmesh"
    assert sorted(explained) == sorted(used)
    for name, value in explained.items():
        # An empty one leaves the default to the node, which the example tells.
        assert used[name] == {""} or value in used[name], name


def test_every_variable_of_a_node_exists():
    known = set(re.findall(r"^\| `(WGMESH_\w+)` \|", (CHECKOUT / "docs" / "reference.md").read_text(encoding="utf-8"),
                           re.MULTILINE))
    assert len(known) > 30
    assert [(path.name, key) for path, _, node in nodes() for key in node["environment"] if key not in known] == []


def test_the_page_has_a_row_for_every_file():
    rows = re.findall(r"^\| `([\w.-]+\.yml)`", read("README.md"), re.MULTILINE)
    assert sorted(rows) == [path.name for path in FILES]


def test_the_page_explains_every_capability_and_says_when_an_identity_is_lost():
    page = read("README.md")
    section = page.partition("## What it is allowed to do")[2].partition("\n## ")[0]
    named = [name for row in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert named == MODEL["cap_add"]
    assert re.search(r"^\| `docker compose down -v` \| \*\*is lost\*\*", page, re.MULTILINE)
