"""Who may speak to whom in a cluster: the whole list, and nothing beside it."""

from itertools import product

import pytest

from tests.deploy.k8s.network import End, may_connect
from tests.deploy.k8s.rendering import Manifest, overlay
from tests.deploy.k8s.workloads import workloads

HTTP, POSTGRES, AMQP, OTLP, EPMD = 8080, 5432, 5672, 4318, 4369
SERVICES = ("referrals", "careplans", "notifications")
APIS = tuple(f"{name}-api" for name in SERVICES)
WORKERS = tuple(f"{name}-worker" for name in SERVICES)
MIGRATIONS = tuple(f"{name}-migrate" for name in SERVICES)

INGRESS = End(namespace={"consilium/ingress": "true"})
KEDA = End(namespace={"consilium/keda": "true"})
PROMETHEUS = End(namespace={"consilium/monitoring": "true"})
STRANGER = End(
    namespace={"kubernetes.io/metadata.name": "somewhere-else"}, labels={"app.kubernetes.io/name": "gateway"}
)
OUTSIDE, PRIVATE, METADATA = End(address="203.0.113.7"), End(address="10.1.2.3"), End(address="169.254.169.254")
DNS = End(namespace={"kubernetes.io/metadata.name": "kube-system"}, labels={"k8s-app": "kube-dns"})


def ends(manifests: list[Manifest], name: str) -> dict[str, End]:
    """Every pod of an overlay by name; in production the operators make those of PostgreSQL and RabbitMQ."""
    found = {}
    for workload in workloads(manifests):
        ports = {port["name"]: port["containerPort"] for one in workload.containers for port in one.get("ports", [])}
        part = workload.labels["app.kubernetes.io/component"]
        label = f"{workload.service}-{part}" if workload.ours else workload.service
        found[label] = End(labels=workload.labels, ports=ports)
    if name == "prod":
        store = {"app.kubernetes.io/part-of": "consilium", "consilium/store": "postgres", "cnpg.io/cluster": "postgres"}
        found["postgres"] = End(labels=store)
        found["rabbitmq"] = End(labels={"app.kubernetes.io/name": "rabbitmq", "consilium/store": "rabbitmq"})
    return found


def expected(pods: dict[str, End], name: str) -> set[tuple[str, str, int]]:
    """Every connection between two pods that is to be possible."""
    edges = {("gateway-api", api, HTTP) for api in APIS}
    edges |= {(pod, "postgres", POSTGRES) for pod in (*APIS, *WORKERS, *MIGRATIONS)}
    edges |= {(worker, "rabbitmq", AMQP) for worker in WORKERS}
    edges |= {(worker, api, HTTP) for worker in WORKERS for api in APIS}
    if "collector" in pods:
        edges |= {(pod, "collector", OTLP) for pod in (*APIS, *WORKERS, "gateway-api")}
    if name == "prod":
        edges |= {("postgres", "postgres", POSTGRES), ("rabbitmq", "rabbitmq", EPMD)}
    return edges


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_pods_speak_to_those_they_need_and_to_nobody_else(name: str) -> None:
    manifests = overlay(name)
    pods = ends(manifests, name)
    open_ = {
        (source, target, port)
        for source, target, port in product(pods, pods, (HTTP, POSTGRES, AMQP, OTLP, EPMD, 22))
        if may_connect(manifests, pods[source], pods[target], port)
    }
    assert open_ == expected(pods, name)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_from_outside_only_the_ingress_reaches_apis(name: str) -> None:
    manifests = overlay(name)
    pods = ends(manifests, name)
    open_ = {
        (source, target, port)
        for source, target, port in product(("ingress", "stranger", "address"), pods, (HTTP, POSTGRES, AMQP, OTLP))
        if may_connect(
            manifests, {"ingress": INGRESS, "stranger": STRANGER, "address": OUTSIDE}[source], pods[target], port
        )
    }
    assert open_ == {("ingress", api, HTTP) for api in (*APIS, "gateway-api")}


def test_keda_sees_queues_and_prometheus_sees_metrics() -> None:
    manifests = overlay("prod")
    pods = ends(manifests, "prod")
    assert may_connect(manifests, KEDA, pods["rabbitmq"], AMQP)
    assert not may_connect(manifests, KEDA, pods["postgres"], POSTGRES)
    assert may_connect(manifests, PROMETHEUS, pods["collector"], 8889)
    assert may_connect(manifests, PROMETHEUS, pods["rabbitmq"], 15692)
    assert not may_connect(manifests, PROMETHEUS, pods["careplans-api"], HTTP)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_everybody_may_ask_dns(name: str) -> None:
    manifests = overlay(name)
    assert all(may_connect(manifests, pod, DNS, 53) for pod in ends(manifests, name).values())


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_only_notifications_reach_people_and_only_apis_fetch_keys(name: str) -> None:
    manifests = overlay(name)
    ours = {label: pod for label, pod in ends(manifests, name).items() if label.rpartition("-")[0]}
    leaving = {
        (label, port)
        for label, pod in ours.items()
        for port in (25, 80, 443, 465, 587)
        if may_connect(manifests, pod, OUTSIDE, port)
    }
    assert leaving == {("notifications-worker", port) for port in (443, 465, 587)} | {(api, 443) for api in APIS}
    worker = ours["notifications-worker"]
    assert not any(may_connect(manifests, worker, address, 443) for address in (PRIVATE, METADATA))
