"""Write what ``deploy/k8s/components`` has from elsewhere: ``python -m tools.kubernetes``.

Routes come from the ownership table, alerts from deploy/observability (kustomize cannot wrap a file into a resource).
Ingress (https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types) and HTTPRoute
(https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec) both know exact paths and prefixes of whole segments;
the longest prefix wins. So most addresses of the gateway are exact, the types of referrals and notifications are
prefixes, and ``/fhir`` itself is a prefix of careplans, which owns the other 130 types: no regular expression, whose
meaning differs between controllers, and no list that outgrows a load balancer's limit.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from services.gateway.operations import OPERATIONS
from services.gateway.routing import API_PREFIXES, CAREPLANS, OWNED_TYPES, ROOTS
from shared.engine import SPREAD

GATEWAY = "gateway"
PORT = 8080
MATCHES_PER_RULE = 8
"""What every version of the Gateway API allows."""

EXACT: Mapping[str, str] = {
    "/fhir": GATEWAY,
    "/fhir/": GATEWAY,
    "/fhir/metadata": GATEWAY,
    "/fhir/$export": GATEWAY,
    "/fhir/Patient/$export": GATEWAY,
    "/fhir/$import": GATEWAY,
    "/fhir/_history": GATEWAY,
    "/fhir/$process-message": GATEWAY,
}
"""Batches, transactions, the whole CapabilityStatement, and what is asked of all services together."""
OVER_THE_GATEWAY = frozenset({"Group", "OperationDefinition"}).union(SPREAD, *(each.types for each in OPERATIONS))
"""Types that live in every service, or that have operations over all: by its prefix an operation on an instance cannot
be told from a read."""
OF_ALL = ("/fhir/bulk-export", "/fhir/bulk-import", *(f"/fhir/{type_}" for type_ in sorted(OVER_THE_GATEWAY)))
"""Prefixes of the gateway: these types, and jobs that every service has a part of."""

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPONENTS = DEPLOY / "k8s" / "components"


def prefixes() -> dict[str, str]:
    """Path prefix -> service, by service; the last is the gateway's, for everything else."""
    found = {f"/fhir/{type_}": owner for owner, types in OWNED_TYPES.items() if owner != CAREPLANS for type_ in types}
    found |= {"/fhir": CAREPLANS} | dict.fromkeys(OF_ALL, GATEWAY)
    found |= {f"/api/{name}": owner for name, owner in API_PREFIXES.items()}
    found |= {f"/{name}": owner for name, owner in ROOTS.items()}
    services = [*OWNED_TYPES, GATEWAY]
    return dict(sorted((found | {"/": GATEWAY}).items(), key=lambda item: services.index(item[1])))


def ingress() -> str:
    """The manifest of the Ingress, for any host."""
    lines = [
        "apiVersion: networking.k8s.io/v1",
        "kind: Ingress",
        "metadata:",
        "  name: consilium",
        "  annotations:",
        "    # ingress-nginx limits bodies, other controllers do not: a Bundle may have 32 MiB",
        "    nginx.ingress.kubernetes.io/proxy-body-size: 33m",
        "spec:",
        "  rules:",
        "    - http:",
        "        paths:",
    ]
    for path_type, table in (("Exact", EXACT), ("Prefix", prefixes())):
        for path, service in table.items():
            backend = f"{{service: {{name: {service}, port: {{name: http}}}}}}"
            # ingress-nginx refuses a dollar in the other two types; this one is for what a controller makes of it
            kind = "ImplementationSpecific" if "$" in path else path_type
            lines.append(f"          - {{path: {path}, pathType: {kind}, backend: {backend}}}")
    return _written("services/gateway/routing.py", lines)


def route() -> str:
    """The manifest of the HTTPRoute, for any host that its Gateway serves."""
    lines = [
        "apiVersion: gateway.networking.k8s.io/v1",
        "kind: HTTPRoute",
        "metadata:",
        "  name: consilium",
        "spec:",
        "  parentRefs:",
        "    - name: consilium",
        "  rules:",
    ]
    for service, matches in _rules():
        lines += ["    - backendRefs:", f"        - {{name: {service}, port: {PORT}}}", "      matches:"]
        lines += [f"        - path: {{type: {path_type}, value: {path}}}" for path_type, path in matches]
    return _written("services/gateway/routing.py", lines)


def alerts() -> str:
    """The manifests of the alerts, for Prometheus' operator: a PrometheusRule per file."""
    lines = []
    for path in sorted((DEPLOY / "observability" / "alerts").glob("*.yaml")):
        lines += [
            "---",
            "apiVersion: monitoring.coreos.com/v1",
            "kind: PrometheusRule",
            "metadata:",
            f"  name: consilium-{path.stem}",
            "spec:",
            *(f"  {line}".rstrip() for line in path.read_text().splitlines()),
        ]
    return _written("deploy/observability/alerts", lines)


def _written(source: str, lines: list[str]) -> str:
    return "\n".join([f"# Written by `python -m tools.kubernetes` from {source}; change that.", *lines, ""])


def _rules() -> Iterable[tuple[str, list[tuple[str, str]]]]:
    table = [("Exact", path, service) for path, service in EXACT.items()]
    table += [("PathPrefix", path, service) for path, service in prefixes().items()]
    for service in dict.fromkeys(service for _, _, service in table):
        matches = [(path_type, path) for path_type, path, owner in table if owner == service]
        for start in range(0, len(matches), MATCHES_PER_RULE):
            yield service, matches[start : start + MATCHES_PER_RULE]


FILES = {
    COMPONENTS / "ingress" / "ingress.yaml": ingress,
    COMPONENTS / "gateway-api" / "routes.yaml": route,
    COMPONENTS / "pod-monitors" / "alerts.yaml": alerts,
}


def main() -> None:
    """Write all."""
    for path, text in FILES.items():
        path.write_text(text())


if __name__ == "__main__":
    main()
