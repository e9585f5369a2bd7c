"""What must be true of every pod: restricted security, limits, probes, how it is replaced, no secret in plain sight."""

import re
from collections.abc import Iterator
from typing import Any

from tests.deploy.k8s.rendering import Manifest
from tests.deploy.k8s.workloads import Workload, of_kind, selects, workloads

USER = 65532
DRAIN_AND_GRACE = 10
"""Seconds: CONSILIUM_DRAIN_S and shared/process/life.py's GRACE end a process before."""
SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|PRIVATE|CREDENTIAL|APIKEY|API_KEY", re.IGNORECASE)
URL_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+]*://[^/\s:@]+:[^/\s@$]+@")
RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def violations(manifests: list[Manifest]) -> Iterator[str]:
    """A sentence for everything that is not as it must be."""
    for workload in workloads(manifests):
        yield from _pod(workload, manifests)
        for container in workload.containers:
            yield from (f"{workload.name}: {text}" for text in _container(container))
        if workload.lasting:
            yield from _lasting(workload, manifests)
    yield from _secrets(manifests)


def _pod(workload: Workload, manifests: list[Manifest]) -> Iterator[str]:
    pod, name = workload.pod, workload.name
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield f"{name} may run as root"
    if workload.ours and (context.get("runAsUser"), context.get("runAsGroup")) != (USER, USER):
        yield f"{name} runs as another user than its image's"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield f"{name} has no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{name} gets a token of the Kubernetes API"
    accounts = {one["metadata"]["name"]: one for one in of_kind(manifests, "ServiceAccount")}
    account = accounts.get(pod.get("serviceAccountName", ""))
    if account is None or account.get("automountServiceAccountToken") is not False:
        yield f"{name} has no service account of its own without a token"
    if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield f"{name} uses the node's namespaces"
    if any("hostPath" in volume for volume in pod.get("volumes", [])):
        yield f"{name} mounts a folder of the node"


def _container(container: dict[str, Any]) -> Iterator[str]:
    context, name = container.get("securityContext", {}), container["name"]
    if {key: context.get(key) for key in RESTRICTED} != RESTRICTED:
        yield f"container {name} is not restricted"
    for kind in ("requests", "limits"):
        if not {"cpu", "memory"} <= set(container.get("resources", {}).get(kind, {})):
            yield f"container {name} has no {kind} of CPU and memory"
    reference = str(container["image"])
    tag = reference.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        yield f"container {name} has an image without a version"


def _lasting(workload: Workload, manifests: list[Manifest]) -> Iterator[str]:
    name = workload.name
    for container in workload.pod["containers"]:
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            found = container.get(probe)
            if not found:
                yield f"{name} has no {probe}"
            elif workload.ours and not str(found.get("httpGet", {}).get("path")).startswith("/health/"):
                yield f"{name} is not probed at /health"
            elif found.get("httpGet", {"port": next(iter(ports), None)})["port"] not in ports:
                yield f"{name} is probed at a port that it has not"
    budgets = [
        one for one in of_kind(manifests, "PodDisruptionBudget") if selects(one["spec"]["selector"], workload.labels)
    ]
    if len(budgets) != 1:
        yield f"{name} has {len(budgets)} PodDisruptionBudgets"
    if not workload.ours:
        return
    if workload.spec["strategy"].get("rollingUpdate", {}).get("maxUnavailable") != 0:
        yield f"{name} may be short of pods while it is updated"
    if workload.pod.get("terminationGracePeriodSeconds", 30) < DRAIN_AND_GRACE:
        yield f"{name} is killed before it has ended by itself"
    if {one["topologyKey"] for one in workload.pod.get("topologySpreadConstraints", [])} != {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }:
        yield f"{name} is not spread over nodes and zones"


def _secrets(manifests: list[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        if manifest["kind"] == "Secret":
            yield f"{name} stands in a file"
        for key, value in _texts(manifest):
            if URL_WITH_PASSWORD.search(value):
                yield f"{name} holds a URL with a password at {key}"
        for key, value in manifest.get("data", {}).items() if manifest["kind"] == "ConfigMap" else ():
            if SECRET_NAME.search(key) and value:
                yield f"{name} holds {key}"
    for workload in workloads(manifests):
        for container in workload.containers:
            for one in container.get("env", []):
                if SECRET_NAME.search(one["name"]) and "valueFrom" not in one:
                    yield f"{workload.name} has {one['name']} in plain text"


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, str):
        yield path, value
