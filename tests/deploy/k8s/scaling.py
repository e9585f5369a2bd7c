"""Who rules how many there are, by what, and whether the database has a connection for each of them."""

from collections.abc import Iterator

from services.careplans.main import SERVICE as CAREPLANS
from services.notifications.main import SERVICE as NOTIFICATIONS
from services.referrals.main import SERVICE as REFERRALS
from tests.deploy.k8s.rendering import Manifest
from tests.deploy.k8s.settings import environment_of
from tests.deploy.k8s.workloads import of_kind, workloads

QUEUES = {
    service.name: {binding.queue for binding in service.bindings} for service in (REFERRALS, CAREPLANS, NOTIFICATIONS)
}
RESERVED = 20
"""Connections for the operator, replication, backups, migrations and a person who looks."""


def violations(manifests: list[Manifest]) -> Iterator[str]:
    """A sentence for everything that is not as it must be."""
    deployments = {w.manifest["metadata"]["name"]: w for w in workloads(manifests) if w.ours and w.lasting}
    most: dict[str, int] = {}
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        name, spec = f"{scaler['kind']} {scaler['metadata']['name']}", scaler["spec"]
        target = spec["scaleTargetRef"]["name"]
        least = spec.get("minReplicas", spec.get("minReplicaCount", 0))
        if target not in deployments:
            yield f"{name} scales nothing"
            continue
        if target in most:
            yield f"{target} is scaled twice"
        if least < 1:
            yield f"{name} leaves nobody to relay the outbox and keep clocks"
        most[target] = spec.get("maxReplicas", spec.get("maxReplicaCount", 0))
        for trigger in spec.get("triggers", []):
            if trigger["metadata"]["queueName"] not in QUEUES[deployments[target].service]:
                yield f"{name} looks at a queue that its service does not hear"
    for name, workload in deployments.items():
        if "replicas" in workload.spec:
            yield f"{name} says how many there are, which is for an autoscaler to say"
    if most and set(deployments) != set(most):
        yield f"nothing scales {sorted(set(deployments) - set(most))}"
    yield from _connections(manifests, most)


def _connections(manifests: list[Manifest], most: dict[str, int]) -> Iterator[str]:
    """Every process with its pool full, and one more of each while it is updated."""
    for cluster in of_kind(manifests, "Cluster"):
        offered = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
        needed = RESERVED
        for workload in workloads(manifests):
            environment = dict(environment_of(workload, manifests)) if workload.ours else {}
            if workload.lasting and "CONSILIUM_DATABASE_URL" in environment:
                replicas = most.get(workload.manifest["metadata"]["name"], 1) + 1
                needed += replicas * int(environment["CONSILIUM_POOL_SIZE"])
        if needed > offered:
            yield f"PostgreSQL offers {offered} connections, {needed} may be asked for"
        if int(cluster["spec"]["postgresql"]["parameters"].get("max_prepared_transactions", 0)) < 1:
            yield "transactions over several services need max_prepared_transactions"
