# SPDX-License-Identifier: MIT
"""compose/kubernetes, rendered by the kubectl of Debian 13, whose kustomize is a current one."""

import pathlib
import shutil
import subprocess

import yaml

from box import CHECKOUT

KUBERNETES = CHECKOUT / "compose" / "kubernetes"
KUBECTL = CHECKOUT / "build" / "debian13" / "root" / "usr" / "bin" / "kubectl"
OVERLAYS = tuple(sorted(path.name for path in (KUBERNETES / "overlays").iterdir()))
COMPONENTS = tuple(sorted(path.name for path in (KUBERNETES / "components").iterdir()))
# Of these tests alone; whoever uses the manifests makes one.
SECRET = "wgmesh://v1/dGhlIHRlc3RzJyBvd24gc2VjcmV0LCBsb25nIGVub3VnaCE"


class Rejected(Exception):
    """kubectl did not render it; its words."""


def kustomize(directory):
    """The text that `kubectl kustomize` prints."""
    done = subprocess.run([KUBECTL, "kustomize", directory], env={"HOME": "/nonexistent"}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Rejected(done.stderr)
    return done.stdout


class Manifests:
    """A copy of the directory, as somebody has it who uses it: with a secret."""

    def __init__(self, directory, secret=SECRET):
        self.directory = pathlib.Path(directory) / "kubernetes"
        shutil.copytree(KUBERNETES, self.directory, ignore=shutil.ignore_patterns("mesh_secret"))
        if secret is not None:
            (self.directory / "common" / "mesh_secret").write_text(f"{secret}\n", encoding="utf-8")

    def render(self, overlay, *components, **changes):
        """The documents of an overlay, with components and with other members of a kustomization."""
        if not components and not changes:
            return self._load(self.directory / "overlays" / overlay)
        top = self.directory / "-".join(("top", overlay, *components))
        top.mkdir(exist_ok=True)
        text = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
                "resources": [f"../overlays/{overlay}"],
                "components": [f"../components/{name}" for name in components], **changes}
        (top / "kustomization.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
        return self._load(top)

    @staticmethod
    def _load(directory):
        return list(yaml.safe_load_all(kustomize(directory)))
