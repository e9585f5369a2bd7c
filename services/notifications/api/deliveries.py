"""Deliveries as coordinators see them: what failed and why, and trying again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel

from services.notifications.app import commands, queries
from services.notifications.app.queries import Attempt, Delivery
from services.notifications.domain.delivery import Status
from shared.engine import Engine
from shared.errors import NotFound
from shared.security.caller import Caller, Role
from shared.security.dependency import require_role

router = APIRouter()

ID = r"^[A-Za-z0-9\-.]{1,64}$"
PLACE = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""Our own ids: any other text would begin the list somewhere by chance."""
DeliveryId = Annotated[str, Path(pattern=ID)]
Coordinator = Annotated[Caller, Depends(require_role(Role.COORDINATOR))]


class Deliveries(BaseModel):
    """A page, newest first; ``next`` is the query of the page after it."""

    deliveries: list[Delivery]
    next: str | None = None


@router.get("/deliveries")
async def list_deliveries(
    request: Request,
    caller: Coordinator,
    status: Status = Status.FAILED,
    before: Annotated[str | None, Query(pattern=PLACE)] = None,
    count: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Deliveries:
    """Deliveries in one status; by default those that failed."""
    engine: Engine = request.app.state.engine
    found = await queries.deliveries(engine.pool, status, before=before, limit=count + 1)
    page = found[:count]
    more = f"status={status}&before={page[-1].id}&count={count}" if len(found) > count else None
    return Deliveries(deliveries=page, next=more)


@router.get("/deliveries/{id}/attempts")
async def list_attempts(request: Request, caller: Coordinator, id: DeliveryId) -> list[Attempt]:
    """The log of one delivery. Raises ``NotFound`` where there is none."""
    engine: Engine = request.app.state.engine
    found = await queries.attempts(engine.pool, id)
    if not found:
        raise NotFound("No attempt at such a delivery.")
    return found


@router.post("/deliveries/{id}/replay", status_code=202)
async def replay_delivery(request: Request, caller: Coordinator, id: DeliveryId) -> None:
    """Have a failed delivery tried again. Raises ``NotFound``, or ``Conflict`` where it has not failed."""
    await commands.replay(request.app.state.engine, caller, id)
