"""Liveness of the edge itself, readiness of everything behind it."""

import asyncio
from collections.abc import Mapping

from services.gateway.asgi import Answer, ASGIApp, Scope, call, inner_scope
from shared.fhir.json import dumps

_JSON = (b"content-type", b"application/json")
LIVE = Answer(200, b'{"status":"ok"}', (_JSON,))


async def ready(upstreams: Mapping[str, ASGIApp], scope: Scope) -> Answer:
    """200 when every service is ready, else 503; says which are not."""

    async def status(app: ASGIApp) -> int:
        answer = await call(app, inner_scope(scope, method="GET", path="/health/ready"))
        return answer.status

    statuses = await asyncio.gather(*(status(app) for app in upstreams.values()))
    services = {name: "ok" if code == 200 else "unavailable" for name, code in zip(upstreams, statuses, strict=True)}
    well = all(code == 200 for code in statuses)
    body = dumps({"status": "ok" if well else "unavailable", "services": services})
    return Answer(200 if well else 503, body, (_JSON,))
