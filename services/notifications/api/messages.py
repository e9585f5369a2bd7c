"""A caller's messages: the list, and the stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.notifications.app import queries
from services.notifications.channels.stream import Hub, hub_of
from services.notifications.settings import NotificationSettings
from shared.engine import Engine
from shared.errors import Forbidden, Invalid
from shared.fhir.json import loads
from shared.security.dependency import CurrentCaller

# at DEBUG it logs what it sends, which is for the receiver only
logging.getLogger("sse_starlette").setLevel(logging.INFO)

router = APIRouter()

_SEQ = re.compile(r"[0-9]{1,18}")


class Messages(BaseModel):
    """A page, newest first; ``next`` is the query of the page after it."""

    messages: list[dict[str, Any]]
    next: str | None = None


@router.get("/messages")
async def list_messages(
    request: Request,
    caller: CurrentCaller,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    count: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Messages:
    """The caller's messages: to them, their organization, their discipline; to coordinators, if they are one."""
    engine: Engine = request.app.state.engine
    entries = await queries.messages(engine.pool, caller, before=before, limit=count + 1)
    page = entries[:count]
    more = f"before={page[-1].seq}&count={count}" if len(entries) > count else None
    return Messages(messages=[{"id": str(entry.seq)} | loads(entry.data) for entry in page], next=more)


@router.get("/stream", response_class=EventSourceResponse)
async def stream_messages(
    request: Request, caller: CurrentCaller, last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> EventSourceResponse:
    """The caller's messages as they come. With Last-Event-ID, first all that came after it; ``0``: all there are."""
    receivers = queries.receivers_of(caller)
    if not receivers:
        raise Forbidden("No receiver stands for this caller.")
    if last_event_id is not None and _SEQ.fullmatch(last_event_id) is None:
        raise Invalid("Last-Event-ID is none of this stream.", expression=("Last-Event-ID",))
    hub = hub_of(request.app.state.engine)
    after = int(last_event_id) if last_event_id is not None else await hub.now()
    settings = NotificationSettings()
    events = _events(hub, receivers, after, settings.stream_max_age)
    return EventSourceResponse(events, ping=settings.stream_heartbeat, sep="\n", ping_message_factory=_heartbeat)


async def _events(hub: Hub, receivers: frozenset[str], after: int, age: float) -> AsyncIterator[ServerSentEvent]:
    deadline = asyncio.get_running_loop().time() + age
    # the head of the answer goes out with the first chunk: without one the client cannot tell that it is listening
    yield ServerSentEvent(comment="listening", sep="\n")
    async with aclosing(hub.follow(receivers, after)) as entries:
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    entry = await anext(entries)
            except (TimeoutError, StopAsyncIteration):
                return
            yield ServerSentEvent(data=entry.data.decode(), id=str(entry.seq), event="message", sep="\n")


def _heartbeat() -> ServerSentEvent:
    return ServerSentEvent(comment="heartbeat", sep="\n")
