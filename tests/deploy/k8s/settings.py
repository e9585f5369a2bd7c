"""What the manifests tell our processes: names and values that the settings classes take, ports that meet."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from services.gateway.settings import GatewaySettings
from services.notifications.settings import NotificationSettings
from shared.process.settings import ProcessSettings
from shared.security.settings import SecuritySettings
from shared.settings import ConsiliumSettings
from shared.telemetry.settings import TelemetrySettings
from tests.deploy.k8s.rendering import Manifest
from tests.deploy.k8s.workloads import Workload, of_kind, selects, workloads

CLASSES: tuple[type[ConsiliumSettings], ...] = (
    GatewaySettings,
    NotificationSettings,
    ProcessSettings,
    SecuritySettings,
    TelemetrySettings,
)
NAMES = {f"CONSILIUM_{field.upper()}" for settings in CLASSES for field in settings.model_fields}
STANDARD = {"OTEL_EXPORTER_OTLP_ENDPOINT", "PGUSER", "PGPASSWORD", "PGSSLMODE", "PGSSLROOTCERT"}
"""What OpenTelemetry's SDK and asyncpg read themselves."""
SECRETS = {
    "CONSILIUM_AMQP_URL": "amqp://user:password@rabbitmq:5672/",
    "CONSILIUM_PEER_KEY": "a secret of thirty-two bytes at least",
    "CONSILIUM_SMTP_URL": "smtps://user:password@mail.example.org:465",
}
"""Stand-ins for what comes from a Secret."""


def violations(manifests: list[Manifest]) -> Iterator[str]:
    """A sentence for everything that is not as it must be."""
    for workload in workloads(manifests):
        if workload.ours:
            environment = dict(environment_of(workload, manifests))
            yield from (f"{workload.name}: {text}" for text in _names(environment))
            yield from (f"{workload.name}: {text}" for text in _values(workload, environment))
    yield from _services(manifests)


def environment_of(workload: Workload, manifests: list[Manifest]) -> Iterator[tuple[str, str]]:
    """The variables of a workload of ours; a stand-in where the value comes from a Secret."""
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind(manifests, "ConfigMap")}
    (container,) = workload.containers
    for source in container.get("envFrom", []):
        yield from maps[source["configMapRef"]["name"]].items()
    for one in container.get("env", []):
        origin = one.get("valueFrom", {})
        if "configMapKeyRef" in origin:
            yield one["name"], maps[origin["configMapKeyRef"]["name"]][origin["configMapKeyRef"]["key"]]
        elif "secretKeyRef" in origin:
            yield one["name"], SECRETS.get(one["name"], "from-a-secret")
        else:
            yield one["name"], one["value"]


def _names(environment: dict[str, str]) -> Iterator[str]:
    for name in environment:
        if name not in NAMES | STANDARD:
            yield f"nothing reads {name}"


def _values(workload: Workload, environment: dict[str, str]) -> Iterator[str]:
    for settings in CLASSES:
        values: dict[str, Any] = {
            field: environment[f"CONSILIUM_{field.upper()}"]
            for field in settings.model_fields
            if f"CONSILIUM_{field.upper()}" in environment
        }
        try:
            settings(**values)
        except ValidationError as error:
            yield f"{settings.__name__} does not take {[one['loc'] for one in error.errors()]}"
    (container,) = workload.containers
    command = container["args"]
    if workload.service != "gateway" and "CONSILIUM_DATABASE_URL" not in environment:
        yield "it is told no database"
    if command == ["worker"] and "CONSILIUM_AMQP_URL" not in environment:
        yield "it is told no broker"
    if workload.lasting and "CONSILIUM_PEER_KEY" not in environment:
        yield "it is told no key of its peers"
    keys = {"CONSILIUM_JWKS_FILE", "CONSILIUM_JWKS_URL"} & environment.keys()
    if command == ["api"] and workload.service != "gateway" and len(keys) != 1:
        yield "it is told no keys that verify tokens, or two"
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    if workload.lasting and ports.get("http") != int(environment.get("CONSILIUM_PORT", 0)):
        yield "it listens on another port than the container's"


def _services(manifests: list[Manifest]) -> Iterator[str]:
    """Services that lead somewhere, routes and settings that lead to Services."""
    ports: dict[str, set[int | str]] = {}
    for service in of_kind(manifests, "Service"):
        name = service["metadata"]["name"]
        behind = [w for w in workloads(manifests) if selects({"matchLabels": service["spec"]["selector"]}, w.labels)]
        if len(behind) != 1:
            yield f"Service {name} leads to {len(behind)} workloads"
        named = {port["name"] for w in behind for c in w.containers for port in c.get("ports", [])}
        for port in service["spec"]["ports"]:
            ports.setdefault(name, set()).update((port["name"], port["port"]))
            if port["targetPort"] not in named:
                yield f"Service {name} leads to a port that its pods have not"
    for service_name, port in _led_to(manifests):
        if port not in ports.get(service_name, ()):
            yield f"there is no Service {service_name} with port {port}"


def _led_to(manifests: list[Manifest]) -> Iterator[tuple[str, int | str]]:
    for ingress in of_kind(manifests, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                yield backend["name"], next(iter(backend["port"].values()))
    for route in of_kind(manifests, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                yield backend["name"], backend["port"]
    for workload in workloads(manifests):
        for container in workload.containers if workload.service == "gateway" else ():
            for one in container.get("env", []):
                if one["name"].endswith("_URL"):
                    yield _address(one["value"])


def _address(url: Any) -> tuple[str, int]:
    host, _, port = str(url).removeprefix("http://").partition(":")
    return host, int(port)
