# SPDX-License-Identifier: MIT
"""The manifests of compose/kubernetes, without kubectl: each is whole, and none differs by accident."""

import copy
import pathlib
import re
import subprocess

import pytest
import yaml

from lib.lab import programs

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
KUBERNETES = CHECKOUT / "compose" / "kubernetes"
FILES = sorted(KUBERNETES.rglob("*.yaml"))
OVERLAYS = ("daemonset", "kernel", "migrate-legacy", "sidecar", "userspace")
VERSION = re.search(r"^VERSION *:= *(\S+)$", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
IMAGE = re.compile(r"\bimage: (\S+)")
SETTING = re.compile(r"^ +(WGMESH_\w+)$", re.MULTILINE)
SECRET = re.compile(r"wgmesh://v1/[A-Za-z0-9_-]{8,}")
LINK = re.compile(r"\]\(([^):#]+)(?:#[^)]*)?\)")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def load(path):
    return yaml.safe_load((KUBERNETES / path).read_text(encoding="utf-8"))


def relative(path):
    return str(path.relative_to(KUBERNETES))


every_file = pytest.mark.parametrize("path", FILES, ids=relative)


@every_file
def test_a_file_is_one_document_with_a_licence_and_a_word_on_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-License-Identifier: MIT\n")
    documents = list(yaml.safe_load_all(text))
    assert len(documents) == 1
    assert {"apiVersion", "kind"} <= set(documents[0])
    if documents[0]["kind"] not in ("Kustomization", "Component"):
        assert documents[0]["metadata"]["name"]


@every_file
def test_an_image_is_of_this_version(path):
    assert set(IMAGE.findall(path.read_text(encoding="utf-8"))) <= {f"wgmesh:{VERSION}", f"wgmesh:{VERSION}-full"}


def test_there_is_an_overlay_for_each_need_and_the_readme_tells_of_it():
    assert tuple(sorted(path.name for path in (KUBERNETES / "overlays").iterdir())) == OVERLAYS
    text = (KUBERNETES / "README.md").read_text(encoding="utf-8")
    parts = [*OVERLAYS, *(path.name for path in (KUBERNETES / "components").iterdir())]
    assert [name for name in parts if f"| `{name}` |" not in text] == []


def test_what_the_readme_links_to_is_there():
    links = LINK.findall((KUBERNETES / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 2
    assert [link for link in links if not (KUBERNETES / link).exists()] == []


def named(kustomization):
    """Files and directories that a kustomization names."""
    text = load(relative(kustomization))
    patches = [patch["path"] for patch in text.get("patches", ()) if "path" in patch]
    settings = [name for one in text.get("configMapGenerator", ()) for name in one.get("envs", ())]
    return [*text.get("resources", ()), *text.get("components", ()), *patches, *settings]


def test_every_file_is_named_by_a_kustomization_and_every_name_is_a_file():
    kustomizations = [path for path in FILES if path.name == "kustomization.yaml"]
    found = {(path.parent / name).resolve() for path in kustomizations for name in named(path)}
    assert [path for path in found if not path.exists()] == []
    assert [relative(path) for path in FILES if path not in kustomizations and path.resolve() not in found] == []


def test_no_secret_is_in_the_repository_and_git_would_take_none():
    assert [path for path in KUBERNETES.rglob("*")
            if path.is_file() and path.name != "mesh_secret" and SECRET.search(path.read_text(encoding="utf-8"))] == []
    kinds = [load(relative(path))["kind"] for path in FILES]
    assert "Secret" not in kinds
    ignored = (KUBERNETES / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert load("common/kustomization.yaml")["secretGenerator"] == [{"name": "wgmesh-secret", "files": ["mesh_secret"]}]
    assert "mesh_secret" in ignored


def node_of(path):
    """The node's container in a workload."""
    spec = load(path)["spec"]["template"]["spec"]
    return next(one for one in [*spec.get("initContainers", ()), *spec["containers"]] if one["name"] == "wgmesh")


def test_the_sidecar_is_the_node_of_the_base_and_a_native_sidecar():
    sidecar = node_of("overlays/sidecar/statefulset.yaml")
    assert sidecar.pop("restartPolicy") == "Always"
    model = node_of("base/statefulset.yaml")
    # Each looks up the headless service of its own pods.
    for node in (sidecar, model):
        service = next(row for row in node["env"] if row["name"] == "WGMESH_PEER_DNS")
        node["env"].remove(service)
        assert service["value"]
    assert sidecar == model


def test_the_daemonset_has_the_node_of_the_base_but_for_what_the_machine_s_network_asks():
    node, model = node_of("overlays/daemonset/daemonset.yaml"), node_of("base/statefulset.yaml")
    for probe in PROBES:
        model[probe].pop("httpGet")
        assert node[probe].pop("exec")["command"][0] == "wgmesh-init"
    model.pop("env")
    assert [row["name"] for row in node.pop("env")] == ["WGMESH_PEER_DNS"]
    model["ports"] = [port for port in model["ports"] if port["name"] == "wireguard"]
    assert node == model


def test_pods_have_the_same_members_of_their_own():
    """What is said of a pod, and not of its containers."""
    specs = [copy.deepcopy(load(path)["spec"]["template"]["spec"]) for path in
             ("base/statefulset.yaml", "overlays/sidecar/statefulset.yaml", "overlays/daemonset/daemonset.yaml")]
    for name in ("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks",
                 "terminationGracePeriodSeconds", "securityContext"):
        assert [spec[name] for spec in specs] == [specs[0][name]] * 3
    without_state = [[volume for volume in spec["volumes"] if volume["name"] != "state"] for spec in specs]
    assert without_state == [without_state[0]] * 3


def test_both_statefulsets_have_the_same_claims_and_rules():
    base, sidecar = (load(path)["spec"] for path in ("base/statefulset.yaml", "overlays/sidecar/statefulset.yaml"))
    for name in ("volumeClaimTemplates", "persistentVolumeClaimRetentionPolicy", "updateStrategy",
                 "podManagementPolicy", "replicas"):
        assert base[name] == sidecar[name]


def test_a_node_has_least_privilege():
    context = node_of("base/statefulset.yaml")["securityContext"]
    assert context["capabilities"]["drop"] == ["ALL"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["privileged"] is False and context["allowPrivilegeEscalation"] is False


def reasons(path):
    """What stands beside each capability of a file, in the order of the file."""
    return re.findall(r"^ +- ([A-Z_]+) +# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", [KUBERNETES / "base" / "statefulset.yaml",
                                  KUBERNETES / "overlays" / "sidecar" / "statefulset.yaml",
                                  KUBERNETES / "overlays" / "daemonset" / "daemonset.yaml"], ids=relative)
def test_a_node_has_the_capabilities_of_the_compose_files_for_the_same_reasons(path):
    node = node_of(relative(path))
    model = reasons(KUBERNETES.parent / "docker-compose.yml")
    assert reasons(path) == model
    assert node["securityContext"]["capabilities"]["add"] == [name for name, _ in model]


def test_a_pod_monitor_names_job_and_node_as_the_alerts_have_them():
    """Addresses of pods change: a node that is compared with itself a day ago needs a name that stays."""
    spec = load("components/pod-monitor/podmonitor.yaml")["spec"]
    labels = load("base/statefulset.yaml")["spec"]["template"]["metadata"]["labels"]
    assert labels[spec["jobLabel"]] == "wgmesh"
    assert [(one["sourceLabels"], one["targetLabel"]) for one in spec["podMetricsEndpoints"][0]["relabelings"]] == \
        [(["__meta_kubernetes_namespace", "__meta_kubernetes_pod_name"], "instance")]


def test_settings_are_variables_that_the_programs_know():
    lines = (KUBERNETES / "common" / "wgmesh.env").read_text(encoding="utf-8").splitlines()
    given = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    help_texts = [subprocess.run(argv, text=True, stdout=subprocess.PIPE, check=True).stdout
                  for argv in ([programs("release")[0], "--help"], [programs("release")[1], "join", "--help"])]
    assert {"WGMESH_PERSISTENCE", "WGMESH_SECRET_FILE"} <= given <= set(SETTING.findall("\n".join(help_texts)))


def test_each_namespace_says_its_pod_security_level():
    for path in (KUBERNETES / "overlays").glob("*/namespace.yaml"):
        namespace = load(relative(path))
        assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "privileged"}
        assert load(f"overlays/{path.parent.name}/kustomization.yaml")["namespace"] == namespace["metadata"]["name"]
