"""The pods in a set of manifests, whatever makes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.deploy.k8s.rendering import Manifest

OURS = ("referrals", "careplans", "notifications", "gateway")
LASTING = ("Deployment", "StatefulSet")


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet or Job."""

    manifest: Manifest

    @property
    def name(self) -> str:
        return f"{self.manifest['kind']} {self.manifest['metadata']['name']}"

    @property
    def lasting(self) -> bool:
        return self.manifest["kind"] in LASTING

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.manifest["spec"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.manifest["spec"]["template"]["metadata"]["labels"])

    @property
    def pod(self) -> dict[str, Any]:
        return dict(self.manifest["spec"]["template"]["spec"])

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def service(self) -> str:
        """Which of our services it runs; its own name for what is not ours."""
        return self.labels["app.kubernetes.io/name"]

    @property
    def ours(self) -> bool:
        return self.service in OURS


def workloads(manifests: Iterable[Manifest]) -> Iterator[Workload]:
    """All that make pods."""
    return (Workload(manifest) for manifest in manifests if manifest["kind"] in (*LASTING, "Job"))


def of_kind(manifests: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    """The manifests of some kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector selects ``labels``; an empty one selects everything."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(
        (labels.get(one["key"]) in one["values"]) == (one["operator"] == "In")
        for one in selector.get("matchExpressions", [])
    )
