# SPDX-License-Identifier: MIT
"""A node of a cluster, played by Podman and these tests: runs pods of rendered manifests.

Podman makes the pod, its network, its claims and ConfigMaps. What it does not do as the kubelet does, this
plays: directories of emptyDir and of Secrets under the kubelet's names (Podman has volumes of its own for
these, one for all pods), the termination message, the downward API, the order of native sidecars, probes.
"""

import copy
import dataclasses
import itertools
import json
import re
import subprocess
import uuid

import yaml

from box import HERE, Namespaces
from kube_controllers import container, containers, of_kind
from lib.wait import eventually

# The network of pods; the first addresses are the engine's to give.
SUBNET = "10.244.0."
NETWORK = "pods"
FIRST_ADDRESS = 100
API_SERVER = "10.96.0.1"
REFERENCE = re.compile(r"\$\((\w+)\)")
# What `kubectl exec` and the probes may take here, where processors are few and shared.
STARTED_S = 60
OURS = ("startupProbe", "livenessProbe", "readinessProbe", "terminationMessagePath",
        "terminationMessagePolicy", "resources", "ports")
NUMBERS = itertools.count()


# What the kubelet does to a pod's text; pure.

def is_native_sidecar(one):
    return one.get("restartPolicy") == "Always"


def with_sidecars_as_containers(pod):
    """Native sidecars become containers, in front: Podman has none, and runs them to their end."""
    pod = copy.deepcopy(pod)
    spec = pod["spec"]
    sidecars = [one for one in spec.get("initContainers", ()) if is_native_sidecar(one)]
    spec["initContainers"] = [one for one in spec.get("initContainers", ()) if not is_native_sidecar(one)]
    spec["containers"] = [{name: value for name, value in one.items() if name != "restartPolicy"}
                          for one in sidecars] + spec["containers"]
    if not spec["initContainers"]:
        del spec["initContainers"]
    return pod


def resolve_env(env, facts):
    """Fields of the pod and $(NAME) of what stands before, filled in; of one name, the last counts."""
    known = {}
    for variable in env:
        field = variable.get("valueFrom", {}).get("fieldRef")
        value = facts[field["fieldPath"]] if field else variable["value"]
        value = REFERENCE.sub(lambda match: known.get(match[1], match[0]), value)
        known[variable["name"]] = value
    return [{"name": name, "value": value} for name, value in known.items()]


def for_podman(pod, volumes, facts, messages):
    """The pod as Podman takes it.

    volumes   hostPath volumes in place of those that the kubelet would make, by name
    facts     what the downward API knows, by path
    messages  files for the termination messages, by container
    """
    pod = with_sidecars_as_containers(pod)
    spec = pod["spec"]
    spec["volumes"] = [{"name": volume["name"], "hostPath": volumes[volume["name"]]}
                       if volume["name"] in volumes else volume for volume in spec.get("volumes", ())]
    for one in containers(pod):
        mount = one.get("terminationMessagePath", "/dev/termination-log")
        one.setdefault("volumeMounts", []).append({"name": f"message-{one['name']}", "mountPath": mount})
        spec["volumes"].append({"name": f"message-{one['name']}",
                                "hostPath": {"path": str(messages[one["name"]]), "type": "File"}})
        # The kubelet tells every container where the API server is.
        one["env"] = [*resolve_env(one.get("env", ()), facts),
                      {"name": "KUBERNETES_SERVICE_HOST", "value": API_SERVER}]
        for field in OURS:
            one.pop(field, None)
    return pod


def port_of(one, wanted):
    if isinstance(wanted, int):
        return wanted
    return next(port["containerPort"] for port in one["ports"] if port["name"] == wanted)


@dataclasses.dataclass(frozen=True)
class Probed:
    """What a probe came to."""

    ok: bool
    said: str


class RunningPod:
    """A pod on the node."""

    def __init__(self, node, pod, address, messages):
        self._node, self.pod, self.address, self._messages = node, pod, address, messages
        self.name = pod["metadata"]["name"]

    def id(self, name):
        return f"{self.name}-{name}"

    def podman(self, *argv, check=True):
        return self._node.engine(*argv, check=check)

    def exec(self, name, *argv, check=True):
        return self.podman("exec", self.id(name), *argv, check=check)

    def inspect(self, name, what):
        return self.podman("inspect", "--format", f"{{{{{what}}}}}", self.id(name)).stdout.strip()

    def log(self, name):
        done = self.podman("logs", self.id(name), check=False)
        return done.stdout + done.stderr

    def message(self, name):
        """The termination message, which `kubectl describe pod` shows."""
        return self._node.run("cat", self._messages[name]).stdout

    def exit_code(self, name):
        return int(self.inspect(name, ".State.ExitCode"))

    def is_running(self, name):
        return self.inspect(name, ".State.Running") == "true"

    def probe(self, name, kind):
        """Do what the manifest says for `kind`, as the kubelet does: GET from outside, or run an argument vector."""
        one = container(self.pod, name)
        probe = one[f"{kind}Probe"]
        limit = probe.get("timeoutSeconds", 1)
        if "exec" in probe:
            done = self.exec(name, *probe["exec"]["command"], check=False)
            return Probed(done.returncode == 0, done.stdout + done.stderr)
        get = probe["httpGet"]
        return self._node.get(f"http://{self.address}:{port_of(one, get['port'])}{get['path']}", limit)

    def wait_for(self, name, kind, within=STARTED_S):
        def is_content():
            probed = self.probe(name, kind)
            assert probed.ok, probed.said
            return True
        eventually(is_content, f"the {kind} probe of {self.id(name)}", within=within)

    def wait_until_ready(self, name="wgmesh"):
        """The kubelet's order: nothing else is asked before the start was seen."""
        self.wait_for(name, "startup")
        self.wait_for(name, "readiness")
        assert self.probe(name, "liveness").ok

    def start(self, name):
        self.podman("start", self.id(name))

    def restart(self, name="wgmesh"):
        """SIGTERM for the container alone; the pod's restart policy starts it again."""
        before = self.inspect(name, ".State.Pid")
        self._node.run("kill", "-TERM", before)
        eventually(lambda: self.inspect(name, ".State.Pid") not in (before, "0"),
                   f"another start of {self.id(name)}", within=STARTED_S)

    def stop(self, name="wgmesh"):
        """SIGTERM, the pod's grace, SIGKILL."""
        grace = self.pod["spec"]["terminationGracePeriodSeconds"]
        self.podman("stop", "-t", str(grace), self.id(name))

    def delete(self):
        self._node.delete(self)


class Cage(Namespaces):
    """The room of an engine, with cgroups and a network of its own."""

    def __init__(self, engine):
        super().__init__(engine.room.argv("unshare", "-m", "-n", HERE / "kube_cage.sh", engine.box.cgroup),
                         ["-m", "-n", "-p"])
        self.wait_until_ready()


def with_pods(engine):
    """The same Podman once more, for pods: with cgroups, which they need, and with storage of its own."""
    class PodEngine(type(engine)):
        """Podman, as a node of a cluster has it."""

        name = f"{engine.name}-pods"

        def __init__(self):
            self.box, self.room, self._loaded = engine.box, Cage(engine), False
            self.set_up()
            # The machine's own list of networks is none of ours.
            text = self._conf().read_text(encoding="utf-8").replace('cgroups = "disabled"\n', "")
            text += f'network_config_dir = "{self.box.path(self.name + "-networks")}"\n'
            self._conf().write_text(text, encoding="utf-8")
            self("network", "create", "--subnet", f"{SUBNET}0/24", NETWORK)

    return PodEngine()


class Node:
    """Runs pods of a set of rendered manifests, and takes away what it made."""

    def __init__(self, engine):
        self.engine = engine
        self._root = engine.box.path(f"kubelet-{engine.name}-{uuid.uuid4().hex[:6]}")
        self._pods = []
        self.claims = []

    def run(self, *argv, check=True):
        """Run a command of the machine in the network that the pods are in."""
        return self.engine.room.run(*argv, check=check)

    def get(self, url, limit):
        """GET from the node itself, where the kubelet is: in the network that leads to the pods."""
        done = subprocess.run(["nsenter", "-t", self.engine.room.pid, "-n", "--", "curl", "-s", "-m", str(limit),
                               "-w", "\n%{http_code}", url], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        body, _, code = done.stdout.rpartition("\n")
        return Probed(code.isdecimal() and 200 <= int(code) < 400, body)

    def _directory(self, uid, *names):
        path = self._root.joinpath("pods", uid, *names)
        self.run("mkdir", "-p", path)
        return path

    def _secret(self, uid, volume, docs):
        """A directory in memory with a Secret's files, readable as the volume says."""
        source = volume["secret"]
        secret = next(doc for doc in of_kind(docs, "Secret") if doc["metadata"]["name"] == source["secretName"])
        path = self._directory(uid, "volumes", "kubernetes.io~secret", volume["name"])
        self.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path)
        for name, text in secret["data"].items():
            self.run("sh", "-c", 'printf %s "$2" | base64 -d >"$0/$1"', path, name, text)
            self.run("chmod", f"{source.get('defaultMode', 0o644):o}", path / name)
        return path

    def _volume(self, uid, volume, docs):
        """The kubelet's own directory for a volume, or None where Podman makes it."""
        if "secret" in volume:
            return self._secret(uid, volume, docs)
        if "emptyDir" not in volume:
            return None
        path = self._directory(uid, "volumes", "kubernetes.io~empty-dir", volume["name"])
        if volume["emptyDir"].get("medium") == "Memory":
            self.run("mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", path)
        self.run("chmod", "777", path)
        return path

    def _write(self, uid, docs):
        path = self._root / f"{uid}.yaml"
        text = yaml.safe_dump_all(docs)
        self.run("sh", "-c", 'printf %s "$1" >"$0"', path, text)
        return path

    def _new(self, claims):
        """Those that are not there yet: a controller makes no claim again, and Podman would not take it."""
        return [claim for claim in claims
                if self.engine("volume", "exists", claim["metadata"]["name"], check=False).returncode != 0]

    def play(self, pod, claims, docs, start=True):
        """Run a pod with its claims; ConfigMaps and Secrets are those of `docs`."""
        uid = str(uuid.uuid4())
        address = f"{SUBNET}{FIRST_ADDRESS + next(NUMBERS) % 100}"
        made = {volume["name"]: self._volume(uid, volume, docs) for volume in pod["spec"].get("volumes", ())}
        volumes = {name: {"path": str(path), "type": "Directory"} for name, path in made.items() if path}
        messages = {}
        for one in containers(pod):
            messages[one["name"]] = self._directory(uid, "containers", one["name"]) / "message"
            self.run("sh", "-c", ': >"$0"; chmod 666 "$0"', messages[one["name"]])
        facts = {"status.podIP": address, "metadata.name": pod["metadata"]["name"]}
        text = for_podman(pod, volumes, facts, messages)
        path = self._write(uid, [*of_kind(docs, "ConfigMap"), *self._new(claims), text])
        network = () if pod["spec"].get("hostNetwork") else ("--network", NETWORK, "--ip", address)
        running = RunningPod(self, pod, address, messages)
        self._pods.append(running)
        self.claims += [claim["metadata"]["name"] for claim in claims]
        self.engine("kube", "play", *network, f"--start={str(start).lower()}", path)
        return running

    def delete(self, running):
        """The pod goes, its claims stay."""
        grace = running.pod["spec"]["terminationGracePeriodSeconds"]
        self.engine("pod", "stop", "-t", str(grace), running.name, check=False)
        self.engine("pod", "rm", "-f", running.name)
        self._pods.remove(running)

    def logs(self):
        """What the containers of the pods that are left said."""
        return "\n".join(f"--- {running.id(one['name'])}\n{running.log(one['name'])}"
                         for running in self._pods for one in containers(running.pod))

    def close(self):
        for running in list(self._pods):
            self.engine("pod", "rm", "-f", running.name, check=False)
        for claim in self.claims:
            self.engine("volume", "rm", "-f", claim, check=False)


def status(running, name="wgmesh"):
    """What the mesh node in a pod says of itself."""
    return json.loads(running.exec(name, "wgmesh", "status", "--json").stdout)
