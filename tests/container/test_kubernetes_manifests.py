# SPDX-License-Identifier: MIT
"""The manifests of compose/kubernetes, rendered: against published schemas, the Pod Security Standards, and sense."""

import copy
import json
import re
import shlex
import shutil
import subprocess

import pytest

from box import CHECKOUT
from engines import DISTROLESS, FULL, STATE_DIR
from kube_controllers import containers, of_kind, pod_of, workload
from kube_podsecurity import LEVELS, beyond_baseline, beyond_restricted, level
from kube_render import COMPONENTS, KUBECTL, KUBERNETES, OVERLAYS, Manifests, Rejected
from lib.lab import programs

SCHEMAS = CHECKOUT / "tests" / "container" / "kube-schemas"
MODULES = CHECKOUT / "build" / "kube-schemas" / "node_modules"
# What kustomize takes and no API server knows, and a resource of an operator.
FOREIGN = {"PodMonitor"}
LEVEL_LABEL = "pod-security.kubernetes.io/enforce"
ROW = re.compile(r"^\| `([\w-]+)` \| `(\w+)` \| ([^|]*)\|", re.M)
CODE = re.compile(r"`([^`]+)`")
SETTING = re.compile(r"^ +(WGMESH_\w+)$", re.M)
STOP_TIMEOUT = re.compile(r"--stop-timeout.*?\[(\d+)s\]", re.S)
# An indented line of README.md that starts so is a command; what it is given or leaves is not looked at.
COMMAND = re.compile(r"^ {4,}(kubectl [^<>\n]*)", re.M)
# Where nobody listens: a command line that kubectl understands gets as far as this.
NOBODY = "http://127.0.0.1:1"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.fixture(scope="session")
def manifests(tmp_path_factory):
    if not KUBECTL.exists():
        pytest.skip(f"{KUBECTL} is missing: see tests/container/deps.sh")
    return Manifests(tmp_path_factory.mktemp("manifests"))


@pytest.fixture(params=OVERLAYS)
def overlay(request):
    return request.param


@pytest.fixture(scope="session")
def rendered(manifests):
    """Every overlay as it is, by its name."""
    return {name: manifests.render(name) for name in OVERLAYS}


@pytest.fixture
def docs(rendered, overlay):
    return copy.deepcopy(rendered[overlay])


@pytest.fixture
def pod(docs):
    return pod_of(workload(docs))


# The published schemas

def one_line(doc):
    """kustomize breaks lines in base64, which decoders of the API pass over; the schema's format does not."""
    if doc["kind"] != "Secret":
        return doc
    return {**doc, "data": {name: "".join(text.split()) for name, text in doc["data"].items()}}


def problems(docs):
    """What the schemas of the API say against it."""
    if not shutil.which("node") or not MODULES.exists():
        pytest.skip("the validators are missing: see tests/container/deps.sh")
    done = subprocess.run(["node", SCHEMAS / "validate.js", MODULES], text=True, check=True,
                          input=json.dumps([one_line(doc) for doc in docs]), stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def test_every_overlay_is_what_the_api_takes(docs):
    assert problems(docs) == []


@pytest.mark.parametrize("components", [("tun-device-plugin", "read-write-once-pod"), ("read-write-once-pod",)],
                         ids=" and ".join)
def test_the_components_are_too(manifests, components):
    assert problems(manifests.render("userspace", *components)) == []


def renamed(doc, old, new):
    return json.loads(json.dumps(doc).replace(f'"{old}"', f'"{new}"'))


@pytest.mark.parametrize("kind, old, new", [
    ("StatefulSet", "readOnlyRootFilesystem", "readOnlyRootFileSystem"),
    ("StatefulSet", "volumeClaimTemplates", "volumeClaimTemplate"),
    ("StatefulSet", "livenessProbe", "livenesProbe"),
    ("StatefulSet", "fieldPath", "fieldpath"),
    ("StatefulSet", "serviceName", "servicename"),
    ("PodDisruptionBudget", "maxUnavailable", "maxUnavailble"),
    ("NetworkPolicy", "endPort", "endport"),
    ("Service", "publishNotReadyAddresses", "publishNotReadyAdresses"),
    ("ServiceAccount", "automountServiceAccountToken", "automountServiceaccountToken")])
def test_a_slip_in_the_name_of_a_field_would_be_found(rendered, kind, old, new):
    doc = of_kind(rendered["kernel"], kind)[0]
    assert any(new in problem["path"] or old in problem["problem"] for problem in problems([renamed(doc, old, new)]))


def test_a_wrong_type_and_a_kind_that_is_not_would_be_found(rendered):
    owner = workload(rendered["kernel"])
    wrong = copy.deepcopy(owner)
    wrong["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = "30"
    assert [problem["path"] for problem in problems([wrong])] == \
        ["/spec/template/spec/terminationGracePeriodSeconds"]
    assert problems([{**owner, "kind": "StatefullSet"}]) != []
    assert problems([{**owner, "apiVersion": "apps/v1beta7"}]) != []


# Pod Security

def promised():
    """The table of README.md: overlay to its level, and what it says that the level is needed for."""
    text = (KUBERNETES / "README.md").read_text(encoding="utf-8")
    return {name: (needed, set(CODE.findall(why))) for name, needed, why in ROW.findall(text) if needed in LEVELS}


def test_the_readme_says_of_every_overlay_which_level_it_needs():
    assert sorted(promised()) == list(OVERLAYS)


def test_each_overlay_needs_just_the_level_that_the_readme_says_and_for_these_reasons(pod, overlay):
    needed, why = promised()[overlay]
    assert level(pod) == needed
    assert set(beyond_baseline(pod)) == why


def test_the_namespace_of_an_overlay_admits_its_pods_and_has_no_higher_level(docs, pod, overlay):
    namespaces = of_kind(docs, "Namespace")
    if overlay == "migrate-legacy":
        # It goes into a namespace that is there already.
        assert namespaces == []
        return
    assert [one["metadata"]["labels"][LEVEL_LABEL] for one in namespaces] == [level(pod)]
    assert {one["metadata"]["name"] for one in namespaces} == {workload(docs)["metadata"]["namespace"]}


def test_each_overlay_has_a_namespace_of_its_own(rendered):
    names = [workload(rendered[overlay])["metadata"]["namespace"] for overlay in OVERLAYS if overlay != "migrate-legacy"]
    assert len(set(names)) == len(names)


def test_nothing_but_what_it_takes_to_start_as_root_keeps_a_pod_from_restricted(rendered):
    """Beside what the table names: PID 1 starts as root, with capabilities that "baseline" allows."""
    pod = pod_of(workload(rendered["kernel"]))
    rest = set(beyond_restricted(pod)) - set(beyond_baseline(pod))
    assert rest == {"runAsNonRoot is not true", "runAsUser: 0",
                    *(f"capabilities.add: {name}" for name in
                      ("CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"))}


def test_the_app_beside_a_sidecar_would_be_admitted_by_restricted(rendered):
    pod = pod_of(workload(rendered["sidecar"]))
    pod["spec"].pop("initContainers")
    assert level(pod) == "restricted"


def admitted():
    """A pod that "restricted" admits."""
    return {"spec": {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                     "volumes": [{"name": "a", "emptyDir": {}}],
                     "containers": [{"name": "a", "securityContext": {
                         "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}]}}


def _inner(**context):
    def change(pod):
        pod["spec"]["containers"][0]["securityContext"].update(context)
    return change


def _spec(**fields):
    def change(pod):
        pod["spec"].update(fields)
    return change


@pytest.mark.parametrize("change, needed", [
    (_spec(), "restricted"),
    (_inner(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}), "restricted"),
    (_inner(capabilities={"drop": ["ALL"], "add": ["CHOWN"]}), "baseline"),
    (_inner(capabilities={"drop": ["NET_RAW"]}), "baseline"),
    (_inner(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]}), "privileged"),
    (_inner(capabilities={"drop": ["ALL"], "add": ["NET_RAW"]}), "privileged"),
    (_inner(privileged=True), "privileged"),
    (_inner(allowPrivilegeEscalation=True), "baseline"),
    (_inner(runAsUser=0), "baseline"),
    (_inner(runAsNonRoot=False), "baseline"),
    (_inner(procMount="Unmasked"), "privileged"),
    (_inner(seccompProfile={"type": "Unconfined"}), "privileged"),
    (_inner(seLinuxOptions={"type": "spc_t"}), "privileged"),
    (_spec(securityContext={"runAsNonRoot": True}), "baseline"),
    (_spec(hostNetwork=True), "privileged"),
    (_spec(hostPID=True), "privileged"),
    (_spec(volumes=[{"name": "a", "hostPath": {"path": "/"}}]), "privileged"),
    (_spec(volumes=[{"name": "a", "nfs": {}}]), "baseline"),
    (_spec(initContainers=[{"name": "b", "securityContext": {"privileged": True}}]), "privileged")])
def test_the_standards_are_held_as_published(change, needed):
    pod = admitted()
    change(pod)
    assert level(pod) == needed


# Sense

def test_without_a_secret_nothing_is_rendered_and_the_file_is_named(manifests, tmp_path):
    with pytest.raises(Rejected, match="common/mesh_secret"):
        Manifests(tmp_path, secret=None).render("kernel")


def test_a_new_secret_or_setting_creates_the_pods_again(manifests, overlay, tmp_path):
    before = workload(manifests.render(overlay))["spec"]["template"]
    assert workload(manifests.render(overlay))["spec"]["template"] == before
    other = Manifests(tmp_path, secret="wgmesh://v1/another")
    rotated = workload(other.render(overlay))["spec"]["template"]
    assert rotated != before
    settings = other.directory / "common" / "wgmesh.env"
    settings.write_text(settings.read_text(encoding="utf-8").replace("=info", "=debug"), encoding="utf-8")
    assert workload(other.render(overlay))["spec"]["template"] not in (before, rotated)


def test_every_selector_finds_the_pods(docs, pod):
    labels = pod["metadata"]["labels"].items()
    selectors = [workload(docs)["spec"]["selector"]["matchLabels"]]
    selectors += [doc["spec"]["selector"] for doc in of_kind(docs, "Service")]
    selectors += [doc["spec"]["selector"]["matchLabels"] for doc in of_kind(docs, "PodDisruptionBudget")]
    selectors += [doc["spec"]["podSelector"]["matchLabels"] for doc in of_kind(docs, "NetworkPolicy")]
    selectors += [one["labelSelector"]["matchLabels"] for one in pod["spec"].get("topologySpreadConstraints", ())]
    assert all(selector.items() <= labels for selector in selectors)


def test_the_service_is_the_one_that_names_the_pods(docs, pod):
    """Headless, so that its name stands for the address of each node; before they are ready, since they wait for it."""
    owner, (service,) = workload(docs), of_kind(docs, "Service")
    assert service["spec"]["clusterIP"] == "None" and service["spec"]["publishNotReadyAddresses"] is True
    node = next(one for one in containers(pod) if one["name"] == "wgmesh")
    asked = next(row["value"] for row in node["env"] if row["name"] == "WGMESH_PEER_DNS")
    # As the pods' own resolver completes it.
    assert service["metadata"]["name"] == asked
    assert service["metadata"]["namespace"] == owner["metadata"]["namespace"]
    if owner["kind"] == "StatefulSet":
        assert service["metadata"]["name"] == owner["spec"]["serviceName"]


def named_ports(one):
    return {port["name"]: port["containerPort"] for port in one.get("ports", ())}


def test_every_probe_and_every_service_asks_at_a_port_that_is_there(docs, pod):
    for one in containers(pod):
        asked = {probe["httpGet"]["port"] for probe in (one.get(name, {}) for name in PROBES) if "httpGet" in probe}
        assert asked <= set(named_ports(one))
    node = next(one for one in containers(pod) if one["name"] == "wgmesh")
    for service in of_kind(docs, "Service"):
        assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == named_ports(node)


def test_a_node_listens_where_its_ports_are_and_its_probes_ask(docs, pod):
    node = next(one for one in containers(pod) if one["name"] == "wgmesh")
    env = {variable["name"]: variable for variable in node.get("env", ())}
    asks_by_http = any("httpGet" in node[name] for name in PROBES)
    assert asks_by_http == ("WGMESH_HTTP" in env)
    assert of_kind(docs, "ConfigMap")[0]["data"]["WGMESH_LISTEN_PORT"] == str(named_ports(node)["wireguard"])
    if asks_by_http:
        assert env["POD_IP"]["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP"
        assert env["WGMESH_HTTP"]["value"] == f"$(POD_IP):{named_ports(node)['http']}"
        # Only what stands before is known to $(NAME).
        assert list(env).index("POD_IP") < list(env).index("WGMESH_HTTP")


def test_a_policy_lets_in_what_a_node_listens_at(rendered):
    docs = rendered["kernel"]
    node = containers(pod_of(workload(docs)))[0]
    opened = [(port["protocol"], port["port"], port.get("endPort", port["port"]))
              for rule in of_kind(docs, "NetworkPolicy")[0]["spec"]["ingress"] for port in rule["ports"]]
    ports = [(port["protocol"], port["containerPort"]) for port in node["ports"]]
    assert all(any((protocol, low <= port <= high) == (name, True) for name, low, high in opened)
               for protocol, port in ports)
    # The exchange: one of a thousand, as the secret has it; and the announcements in the LAN.
    assert ("UDP", 51821, 52820) in opened


def known_settings():
    """What both programs know, by their own help."""
    init, daemon = programs("release")
    said = [subprocess.run(argv, text=True, stdout=subprocess.PIPE, check=True).stdout
            for argv in ((init, "--help"), (daemon, "join", "--help"))]
    return set(SETTING.findall("\n".join(said))), "\n".join(said)


def test_every_setting_is_one_that_the_programs_know(docs, pod):
    known, _ = known_settings()
    given = {name for doc in of_kind(docs, "ConfigMap") for name in doc["data"]}
    given |= {variable["name"] for one in containers(pod) for variable in one.get("env", ())
              if variable["name"] != "POD_IP"}
    assert given and given <= known


def test_every_node_requires_storage_that_lasts_and_reads_the_secret_where_it_is_mounted(docs, pod):
    data = of_kind(docs, "ConfigMap")[0]["data"]
    assert data["WGMESH_PERSISTENCE"] == "require"
    node = next(one for one in containers(pod) if one["name"] == "wgmesh")
    mounts = {mount["name"]: mount["mountPath"] for mount in node["volumeMounts"]}
    assert mounts["state"] == STATE_DIR
    assert data["WGMESH_SECRET_FILE"] == f"{mounts['secret']}/mesh_secret"
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert set(mounts) <= set(volumes)
    assert volumes["secret"]["secret"]["defaultMode"] == 0o400
    assert list(of_kind(docs, "Secret")[0]["data"]) == ["mesh_secret"]
    assert not any("subPath" in mount for mount in node["volumeMounts"])


def test_the_grace_is_longer_than_a_stop_may_take(docs, pod):
    _, said = known_settings()
    longest = int(STOP_TIMEOUT.search(said)[1])
    given = of_kind(docs, "ConfigMap")[0]["data"].get("WGMESH_STOP_TIMEOUT", f"{longest}s")
    assert pod["spec"]["terminationGracePeriodSeconds"] >= int(given.rstrip("s")) + 10


def seconds(probe):
    return probe["periodSeconds"] * probe["failureThreshold"]


def test_the_kubelet_leaves_pid_1_the_time_to_mend_it(pod):
    """A daemon that hangs is found after a minute, and started again after half a minute at most."""
    node = next(one for one in containers(pod) if one["name"] == "wgmesh")
    assert seconds(node["livenessProbe"]) >= 60 + 30
    # A predecessor may have to be waited for, --lock-timeout, and a daemon is tried twice, --start-timeout.
    assert seconds(node["startupProbe"]) >= 30 + 90 + 30
    assert seconds(node["readinessProbe"]) <= 15


def test_images_are_ours_and_the_transformer_moves_all_of_them(manifests, overlay, pod):
    assert {one["image"] for one in containers(pod)} <= {DISTROLESS, FULL}
    moved = manifests.render(overlay, images=[{"name": "wgmesh", "newName": "registry.example/mesh/wgmesh"}])
    assert all(one["image"].startswith("registry.example/mesh/wgmesh:") for one in containers(pod_of(workload(moved))))


def test_no_pod_has_a_token_or_variables_of_services(docs, pod):
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["enableServiceLinks"] is False
    assert of_kind(docs, "ServiceAccount")[0]["metadata"]["name"] == pod["spec"]["serviceAccountName"]
    assert of_kind(docs, "ServiceAccount")[0]["automountServiceAccountToken"] is False


def test_no_update_runs_two_pods_on_one_identity(docs):
    owner = workload(docs)
    if owner["kind"] == "DaemonSet":
        assert owner["spec"]["updateStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    else:
        assert owner["spec"]["updateStrategy"] == {"type": "RollingUpdate"}
        assert owner["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain",
                                                                         "whenScaled": "Retain"}
        assert [claim["spec"]["accessModes"] for claim in owner["spec"]["volumeClaimTemplates"]] == [["ReadWriteOnce"]]


def test_the_daemonset_is_in_the_machine_s_network_and_asks_by_exec(rendered):
    pod = pod_of(workload(rendered["daemonset"]))
    assert pod["spec"]["hostNetwork"] is True and pod["spec"]["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert all("exec" in pod["spec"]["containers"][0][name] for name in PROBES)
    assert next(volume for volume in pod["spec"]["volumes"] if volume["name"] == "state")["hostPath"] == \
        {"path": STATE_DIR, "type": "DirectoryOrCreate"}


def test_the_sidecar_is_a_native_one(rendered):
    spec = pod_of(workload(rendered["sidecar"]))["spec"]
    assert [(one["name"], one["restartPolicy"]) for one in spec["initContainers"]] == [("wgmesh", "Always")]
    assert [one["name"] for one in spec["containers"]] == ["app"]


def test_userspace_reaches_every_overlay(manifests, overlay):
    docs = manifests.render(overlay) if overlay == "userspace" else manifests.render(overlay, "userspace")
    pod = pod_of(workload(docs))
    node = next(one for one in containers(pod) if one["name"] == "wgmesh")
    assert node["image"] == FULL
    assert {"name": "tun", "hostPath": {"path": "/dev/net/tun", "type": "CharDevice"}} in pod["spec"]["volumes"]
    assert {"name": "tun", "mountPath": "/dev/net/tun"} in node["volumeMounts"]
    assert [one["name"] for one in containers(pod)].count("wgmesh") == 1


def test_a_device_plugin_takes_the_place_of_the_machine_s_path(manifests):
    pod = pod_of(workload(manifests.render("userspace", "tun-device-plugin")))
    assert not any("hostPath" in volume for volume in pod["spec"]["volumes"])
    assert pod["spec"]["containers"][0]["resources"]["limits"]["squat.ai/tun"] == 1
    assert beyond_baseline(pod) == ["capabilities.add: NET_ADMIN"]


def test_a_claim_may_be_one_pod_s_alone(manifests):
    for overlay in ("kernel", "sidecar", "migrate-legacy"):
        owner = workload(manifests.render(overlay, "read-write-once-pod"))
        assert owner["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_a_pod_monitor_finds_the_pods_and_their_port(manifests):
    docs = manifests.render("kernel", "pod-monitor", namespace="wgmesh")
    monitor = of_kind(docs, *FOREIGN)[0]
    pod = pod_of(workload(docs))
    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert [one["port"] for one in monitor["spec"]["podMetricsEndpoints"]] == ["http"]
    assert "http" in named_ports(pod["spec"]["containers"][0])


def test_every_component_is_tried():
    assert set(COMPONENTS) == {"pod-monitor", "read-write-once-pod", "tun-device-plugin", "userspace"}


# README.md

def commands():
    return COMMAND.findall((KUBERNETES / "README.md").read_text(encoding="utf-8"))


def test_the_readme_has_commands():
    assert len(commands()) > 10


@pytest.mark.parametrize("command", commands())
def test_kubectl_understands_the_commands_of_the_readme(manifests, command):
    """With the manifests rendered; then it looks for the cluster that is not there."""
    program, *arguments = shlex.split(command.replace("compose/kubernetes", str(manifests.directory)))
    assert program == "kubectl"
    needs_cluster = arguments[0] != "kustomize"
    server = ["--server", NOBODY] if needs_cluster else []
    done = subprocess.run([KUBECTL, *server, *arguments], env={"HOME": "/nonexistent"}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if needs_cluster:
        assert "connection to the server 127.0.0.1:1 was refused" in done.stderr or "connection refused" in done.stderr
    else:
        assert done.returncode == 0 and "kind: StatefulSet" in done.stdout
