"""What must be true of every workload, in every overlay; and a violation planted for each rule, to prove it bites."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.k8s import custom_resources, network, pods, scaling, settings
from tests.deploy.k8s.rendering import OVERLAYS, Manifest, overlay, parsed, with_components
from tests.deploy.k8s.workloads import OURS, of_kind, workloads

RULES = {"pods": pods, "settings": settings, "scaling": scaling, "network": network, "custom": custom_resources}


def violations(manifests: list[Manifest]) -> Iterator[str]:
    for rule in RULES.values():
        yield from rule.violations(manifests)


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_breaks_no_rule(name: str) -> None:
    assert list(violations(overlay(name))) == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_service_has_its_workloads(name: str) -> None:
    found = {(w.service, w.labels["app.kubernetes.io/component"]) for w in workloads(overlay(name)) if w.ours}
    owners = {(service, part) for service in OURS[:3] for part in ("api", "worker", "migrate")}
    assert found == owners | {("gateway", "api")}


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_namespace_enforces_the_restricted_level(name: str) -> None:
    (namespace,) = of_kind(overlay(name), "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [one for one in overlay(name) if one["kind"] != "Namespace"]
    assert {one["metadata"]["namespace"] for one in others} == {namespace["metadata"]["name"]}


def named(manifests: list[Manifest], kind: str, name: str) -> Any:
    return next(one for one in manifests if (one["kind"], one["metadata"]["name"]) == (kind, name))


def deployment(manifests: list[Manifest]) -> Any:
    return named(manifests, "Deployment", "careplans-worker")


def pod(manifests: list[Manifest]) -> Any:
    return deployment(manifests)["spec"]["template"]["spec"]


def container(manifests: list[Manifest]) -> Any:
    return pod(manifests)["containers"][0]


def config(manifests: list[Manifest]) -> Any:
    return next(one for one in of_kind(manifests, "ConfigMap") if one["metadata"]["name"].startswith("consilium-"))


def remove(manifests: list[Manifest], kind: str, name: str) -> None:
    manifests.remove(named(manifests, kind, name))


PLANTED: dict[str, Callable[[list[Manifest]], object]] = {
    "may run as root": lambda all_: pod(all_)["securityContext"].pop("runAsNonRoot"),
    "another user": lambda all_: pod(all_)["securityContext"].update(runAsUser=1000),
    "no seccomp profile": lambda all_: pod(all_)["securityContext"].pop("seccompProfile"),
    "gets a token": lambda all_: pod(all_).pop("automountServiceAccountToken"),
    "no service account of its own": lambda all_: named(all_, "ServiceAccount", "careplans").pop(
        "automountServiceAccountToken"
    ),
    "mounts a folder of the node": lambda all_: pod(all_)["volumes"].append({"hostPath": {"path": "/"}}),
    "uses the node's namespaces": lambda all_: pod(all_).update(hostNetwork=True),
    "main is not restricted": lambda all_: container(all_)["securityContext"].update(readOnlyRootFilesystem=False),
    "no limits": lambda all_: container(all_)["resources"]["limits"].pop("memory"),
    "no requests": lambda all_: container(all_)["resources"].pop("requests"),
    "without a version": lambda all_: container(all_).update(image="registry:5000/consilium/careplans:latest"),
    "no readinessProbe": lambda all_: container(all_).pop("readinessProbe"),
    "not probed at /health": lambda all_: container(all_)["livenessProbe"]["httpGet"].update(path="/"),
    "a port that it has not": lambda all_: container(all_)["livenessProbe"]["httpGet"].update(port="web"),
    "0 PodDisruptionBudgets": lambda all_: remove(all_, "PodDisruptionBudget", "careplans-worker"),
    "short of pods": lambda all_: deployment(all_)["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
    "killed before": lambda all_: pod(all_).update(terminationGracePeriodSeconds=5),
    "not spread": lambda all_: pod(all_)["topologySpreadConstraints"].pop(),
    "stands in a file": lambda all_: all_.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}}),
    "a URL with a password": lambda all_: config(all_)["data"].update(CONSILIUM_AMQP_URL="amqp://a:b@rabbitmq/"),
    "holds PGPASSWORD": lambda all_: config(all_)["data"].update(PGPASSWORD="x"),
    "in plain text": lambda all_: container(all_)["env"].append({"name": "PGPASSWORD", "value": "x"}),
    "nothing reads CONSILIUM_TYPO": lambda all_: config(all_)["data"].update(CONSILIUM_TYPO="1"),
    "does not take": lambda all_: config(all_)["data"].update(CONSILIUM_DRAIN_S="long"),
    "another port": lambda all_: config(all_)["data"].update(CONSILIUM_PORT="8000"),
    "no broker": lambda all_: container(all_).update(
        env=[one for one in container(all_)["env"] if one["name"] != "CONSILIUM_AMQP_URL"]
    ),
    "no key of its peers": lambda all_: container(all_).update(
        env=[one for one in container(all_)["env"] if one["name"] != "CONSILIUM_PEER_KEY"]
    ),
    "no keys that verify": lambda all_: config(all_)["data"].pop("CONSILIUM_JWKS_URL"),
    "leads to 0 workloads": lambda all_: named(all_, "Service", "referrals")["spec"]["selector"].update(x="y"),
    "its pods have not": lambda all_: named(all_, "Service", "referrals")["spec"]["ports"][0].update(targetPort="web"),
    "there is no Service": lambda all_: remove(all_, "Service", "notifications"),
    "scales nothing": lambda all_: remove(all_, "Deployment", "careplans-worker"),
    "which is for an autoscaler": lambda all_: deployment(all_)["spec"].update(replicas=2),
    "nobody to relay": lambda all_: named(all_, "ScaledObject", "careplans-worker")["spec"].update(minReplicaCount=0),
    "does not hear": lambda all_: named(all_, "ScaledObject", "careplans-worker")["spec"]["triggers"][0][
        "metadata"
    ].update(queueName="notifications.events"),
    "nothing scales ['gateway-api']": lambda all_: remove(all_, "HorizontalPodAutoscaler", "gateway-api"),
    "connections": lambda all_: named(all_, "HorizontalPodAutoscaler", "careplans-api")["spec"].update(maxReplicas=60),
    "max_prepared_transactions": lambda all_: named(all_, "Cluster", "postgres")["spec"]["postgresql"][
        "parameters"
    ].pop("max_prepared_transactions"),
    "no policy closes": lambda all_: remove(all_, "NetworkPolicy", "deny-all"),
    "opens ingress to everybody": lambda all_: named(all_, "NetworkPolicy", "ingress-to-apis")["spec"]["ingress"][
        0
    ].pop("from"),
    "has no field minReplica": lambda all_: named(all_, "ScaledObject", "careplans-worker")["spec"].update(
        minReplica=1
    ),
    "is no int": lambda all_: named(all_, "Cluster", "postgres")["spec"].update(instances="3"),
    "is no text": lambda all_: named(all_, "Cluster", "postgres")["spec"]["postgresql"]["parameters"].update(
        max_connections=450
    ),
    "nothing is known": lambda all_: all_.append(
        {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": {}}
    ),
}


@pytest.mark.parametrize("told", PLANTED)
def test_a_planted_violation_is_found(told: str) -> None:
    manifests = overlay("prod")
    PLANTED[told](manifests)
    assert [text for text in violations(manifests) if told in text]


def test_production_with_the_gateway_api_and_external_secrets_breaks_no_rule(tmp_path: Path) -> None:
    components = ["gateway-api", "external-secrets"]
    assert list(violations(parsed(with_components(tmp_path, components, on="overlays/prod")))) == []
