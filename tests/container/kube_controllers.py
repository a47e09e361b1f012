# SPDX-License-Identifier: MIT
"""What the controllers of Kubernetes make of rendered manifests, as far as one pod goes; pure.

A StatefulSet names its pods and their claims by ordinals, a DaemonSet has one pod on each node. Documents
are what yaml.safe_load_all() gives.
"""

import copy

WORKLOADS = ("StatefulSet", "DaemonSet")


def of_kind(docs, *kinds):
    return [doc for doc in docs if doc["kind"] in kinds]


def workload(docs):
    """The one thing in it that makes pods."""
    found = of_kind(docs, *WORKLOADS)
    assert len(found) == 1, [doc["metadata"]["name"] for doc in found]
    return found[0]


def containers(pod):
    """All of a pod's, those first that come first."""
    spec = pod["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]


def container(pod, name):
    return next(one for one in containers(pod) if one["name"] == name)


def claim_name(template, pod_name):
    return f"{template['metadata']['name']}-{pod_name}"


def _pod(owner, name):
    template = copy.deepcopy(owner["spec"]["template"])
    metadata = {**template["metadata"], "name": name}
    if "namespace" in owner["metadata"]:
        metadata["namespace"] = owner["metadata"]["namespace"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def pod_of(owner, ordinal=0):
    """The pod of a StatefulSet with this ordinal, or that of a DaemonSet on the node with this number."""
    if owner["kind"] == "DaemonSet":
        return _pod(owner, f"{owner['metadata']['name']}-node{ordinal}")
    pod = _pod(owner, f"{owner['metadata']['name']}-{ordinal}")
    name = pod["metadata"]["name"]
    pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = name
    pod["spec"].update(hostname=name, subdomain=owner["spec"]["serviceName"])
    volumes = pod["spec"].setdefault("volumes", [])
    for template in owner["spec"].get("volumeClaimTemplates", ()):
        volumes.append({"name": template["metadata"]["name"],
                        "persistentVolumeClaim": {"claimName": claim_name(template, name)}})
    return pod


def claims_of(owner, ordinal=0):
    """The claims that come with that pod, and stay when it goes."""
    name = f"{owner['metadata']['name']}-{ordinal}"
    claims = []
    for template in owner["spec"].get("volumeClaimTemplates", ()):
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **copy.deepcopy(template)}
        claim["metadata"]["name"] = claim_name(template, name)
        claims.append(claim)
    return claims
