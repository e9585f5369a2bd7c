"""Settings that do not hold, or that do not go together."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import ValidationError

from shared.doctor.finding import Finding, Level, ok
from shared.process.mistakes import settings_mistakes
from shared.process.settings import ProcessSettings
from shared.security.loopback import NotLoopback, require_loopback
from shared.security.settings import AuthMode, SecuritySettings
from shared.settings import ConsiliumSettings
from shared.telemetry.settings import TelemetrySettings

CLASSES: tuple[type[ConsiliumSettings], ...] = (ProcessSettings, SecuritySettings, TelemetrySettings)


@dataclass(frozen=True, slots=True)
class Given:
    """What the environment says."""

    process: ProcessSettings
    security: SecuritySettings
    telemetry: TelemetrySettings
    apart: bool
    """It is a service in a process of its own."""
    peers: bool
    """It is one of several processes that know each other by a key: a service apart, or the gateway."""
    exporting: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """What must not be."""

    level: Level
    broken: Callable[[Given], bool]
    what: str
    do: str


def _serves_others_open(given: Given) -> bool:
    try:
        require_loopback(given.process.host, given.security.auth)
    except NotLoopback:
        return True
    return False


def _strange_issuer(given: Given) -> bool:
    foreign_keys = bool(given.security.jwks_url)
    return foreign_keys and given.security.jwt_issuer == SecuritySettings.model_fields["jwt_issuer"].default


def _keys_for_nothing(given: Given) -> bool:
    return given.security.auth is AuthMode.OPEN and bool(given.security.jwks_url or given.security.jwks_file)


def _plain_public(given: Given) -> bool:
    parts = urlsplit(given.process.public_url or "")
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


RULES = (
    Rule(Level.FAILURE, lambda given: given.apart and not given.process.database_url,
         "CONSILIUM_DATABASE_URL is not set", "A service apart needs a PostgreSQL; set it."),
    Rule(Level.WARNING, lambda given: given.apart and not given.process.amqp_url,
         "CONSILIUM_AMQP_URL is not set, so the broker was not looked at", "Ask in a worker: an API needs no broker."),
    Rule(Level.FAILURE, lambda given: given.peers and given.security.peer_key is None,
         "CONSILIUM_PEER_KEY is not set, so services do not know each other",
         "Set it, the same for all services and the gateway."),
    Rule(Level.FAILURE, lambda given: given.apart and given.security.auth is AuthMode.OPEN,
         "CONSILIUM_AUTH=open, but a service apart needs tokens", "Set CONSILIUM_AUTH=jwt and the issuer's keys."),
    Rule(Level.FAILURE, _serves_others_open,
         "CONSILIUM_AUTH=open, but CONSILIUM_HOST lets others in", "Set CONSILIUM_AUTH=jwt, or listen on 127.0.0.1."),
    Rule(Level.WARNING, lambda given: bool(given.security.jwks_url and given.security.jwks_file),
         "CONSILIUM_JWKS_URL and CONSILIUM_JWKS_FILE are both set; the URL counts", "Remove one of them."),
    Rule(Level.WARNING, _keys_for_nothing,
         "CONSILIUM_AUTH=open, so the issuer's keys are not looked at", "Set CONSILIUM_AUTH=jwt."),
    Rule(Level.WARNING, _strange_issuer,
         "CONSILIUM_JWKS_URL is set, but CONSILIUM_JWT_ISSUER is the local one", "Set it to the issuer's own `iss`."),
    Rule(Level.WARNING, _plain_public,
         "CONSILIUM_PUBLIC_URL is plain http", "Patients' data would travel unencrypted; serve it over https."),
    Rule(Level.WARNING, lambda given: given.process.trust_forwarded and not given.process.public_url,
         "CONSILIUM_TRUST_FORWARDED is on without CONSILIUM_PUBLIC_URL",
         "Set CONSILIUM_PUBLIC_URL, and be sure that only the proxy reaches this port."),
    Rule(Level.WARNING, lambda given: not given.exporting and "trace_ratio" in given.telemetry.model_fields_set,
         "CONSILIUM_TRACE_RATIO is set, but traces go nowhere", "Set OTEL_EXPORTER_OTLP_ENDPOINT."),
    Rule(Level.WARNING, lambda given: given.process.drain_s >= 10,
         "CONSILIUM_DRAIN_S leaves less than nothing of the ten seconds in which a process ends", "Set it below 5."),
)  # fmt: skip


def findings(
    *, apart: bool, peers: bool = False, more: Sequence[type[ConsiliumSettings]] = ()
) -> tuple[list[Finding], Given | None]:
    """What is wrong with the settings; what they are, where they hold. ``more``: settings of services.

    ``apart``, ``peers``: see ``Given``."""
    refused: list[str] = []
    for settings in (*CLASSES, *more):
        try:
            settings()
        except ValidationError as error:
            refused += [line for line in settings_mistakes(error) or [] if line not in refused]
    if refused:
        do = "Correct it; docs/configuration.md has what it may be."
        return [Finding("settings", Level.FAILURE, line, do) for line in refused], None
    given = Given(
        ProcessSettings(),
        SecuritySettings(),
        TelemetrySettings(),
        apart,
        apart or peers,
        bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")),
    )
    broken = [Finding("settings", rule.level, rule.what, rule.do) for rule in RULES if rule.broken(given)]
    return broken or [ok("settings", "they hold and go together")], given
