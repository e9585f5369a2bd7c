"""``/health/live`` and ``/health/ready``: is the process alive, can it do its work (Kubernetes probes)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.store.database import Pool
from shared.store.revisions import runs_on
from shared.telemetry.failures import described
from shared.telemetry.measures import CHECK

Check = Callable[[], Awaitable[bool]]
"""Whether one thing that the process needs is there; raising counts as no."""

_logger = logging.getLogger(__name__)


def health_routes(checks: Mapping[str, Check], *, timeout_s: float = 2.0) -> list[Route]:
    """The two routes. Ready answers 503 and names the checks that failed; live needs nothing but the event loop."""

    async def live(request: Request) -> JSONResponse:
        return JSONResponse({"status": "pass"})

    async def ready(request: Request) -> JSONResponse:
        held = await asyncio.gather(*(holds(name, check, timeout_s=timeout_s) for name, check in checks.items()))
        results = {name: "pass" if held_ else "fail" for name, held_ in zip(checks, held, strict=True)}
        well = all(held)
        return JSONResponse({"status": "pass" if well else "fail", "checks": results}, 200 if well else 503)

    return [Route("/health/live", live, methods=["GET"]), Route("/health/ready", ready, methods=["GET"])]


async def holds(name: str, check: Check, *, timeout_s: float = 2.0) -> bool:
    """Whether ``check`` holds within ``timeout_s`` seconds; a failure is logged under its ``name``."""
    held = False
    try:
        async with asyncio.timeout(timeout_s):
            held = await check()
    except Exception as error:  # noqa: BLE001  whatever a dependency raises means that it is not ready
        _logger.info("A readiness check failed.", extra={"check": name, "error": described(error)})
    CHECK.set(int(held), name)
    return held


def database_check(pool: Pool, *, timeout_s: float = 1.5) -> Check:
    """The database answers."""

    async def answers() -> bool:
        return bool(await pool.fetchval("SELECT 1", timeout=timeout_s) == 1)

    return answers


def migrations_check(pool: Pool, head: str, *, table: str = "alembic_version") -> Check:
    """The schema has what code at revision ``head`` needs: it is there, or ahead by what this code can live with.

    During a rolling update the old processes serve on the new schema, until a contract migration leaves them behind."""

    async def suffices() -> bool:
        found = await pool.fetchval(f"SELECT version_num FROM {table}", timeout=1.5)
        if found is None or found <= head:
            return bool(found == head)
        oldest = await pool.fetchval("SELECT max(oldest) FROM schema_floor", timeout=1.5)
        return runs_on(found, head, oldest)

    return suffices
