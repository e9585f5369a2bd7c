"""Liveness of the edge itself, readiness of everything behind it."""

import asyncio
from collections.abc import Mapping

from services.gateway.asgi import Answer, ASGIApp, BrokenOff, Scope, call, inner_scope
from shared.errors import ConsiliumError
from shared.fhir.json import dumps, loads
from shared.telemetry.health import Check, holds

_JSON = (b"content-type", b"application/json")
WITHIN = 2.0
"""Seconds; whoever asks the gateway waits for three."""
SILENT = Answer(504, b"{}", (_JSON,))
LIVE = Answer(200, b'{"status":"ok"}', (_JSON,))


async def ready(
    upstreams: Mapping[str, ASGIApp], checks: Mapping[str, Check], scope: Scope, *, excused: bool = False
) -> Answer:
    """200 when every service is ready and every check holds, else 503; says which are not, and what fails there.

    Where it is ``excused``, 200 with the status ``degraded`` instead of 503."""
    asked = (_asked(app, scope) for app in upstreams.values())
    held = (holds(name, check) for name, check in checks.items())
    answers, results = await asyncio.gather(asyncio.gather(*asked), asyncio.gather(*held))
    services = {name: _standing(answer) for name, answer in zip(upstreams, answers, strict=True)}
    others = {name: "ok" if held else "unavailable" for name, held in zip(checks, results, strict=True)}
    well = all(results) and all(answer.status == 200 for answer in answers)
    status = "ok" if well else "degraded" if excused else "unavailable"
    told = {"status": status, "services": services} | ({"checks": others} if others else {})
    return Answer(200 if well or excused else 503, dumps(told), (_JSON,))


async def _asked(app: ASGIApp, scope: Scope) -> Answer:
    """What a service says of itself; a service that says nothing must not keep the gateway from answering in time."""
    try:
        async with asyncio.timeout(WITHIN):
            return await call(app, inner_scope(scope, method="GET", path="/health/ready"))
    except (TimeoutError, BrokenOff):
        return SILENT


def _standing(answer: Answer) -> str:
    """``ok``, or ``unavailable`` with the names of the service's checks that fail."""
    if answer.status == 200:
        return "ok"
    try:
        told = loads(answer.body)
    except ConsiliumError:
        told = None
    checks = told.get("checks") if isinstance(told, dict) else None
    failing = [name for name, result in checks.items() if result != "pass"] if isinstance(checks, dict) else []
    return f"unavailable: {', '.join(failing)}" if failing else "unavailable"
