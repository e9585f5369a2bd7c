"""Asking the owner of a part of a transaction that spans services (``shared.fhir.parts``)."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from services.gateway.asgi import Answer, ASGIApp, BrokenOff, Scope, call, inner_scope
from shared.errors import ConsiliumError, Unavailable
from shared.fhir.json import dumps, loads
from shared.fhir.parts.wire import (
    PATH,
    PEER,
    Done,
    Ending,
    Lookout,
    Outcome,
    Part,
    Plan,
    Question,
    Sketch,
    Stranger,
    Superseded,
    Waiting,
    read,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
SUPERSEDED, STRANGER = dumps(Superseded()), dumps(Stranger())
Peer = Callable[[], str]
"""This gateway's token of the moment, by which services know it."""


class Refused(Exception):
    """The owner judged, and stored nothing: ``answer`` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("an owner refused its part")
        self.answer = answer


class Moved(Exception):
    """What the conditions of the part find has changed since it was planned; nothing was stored."""


class Unclear(Unavailable):
    """The owner did not answer in time, or not in earnest: what it was asked for may have happened, or may yet."""

    def __init__(self) -> None:
        super().__init__("A service did not answer.")


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a part, asked on behalf of the request in ``scope``."""

    service: str
    app: ASGIApp
    scope: Scope
    peer: Peer

    async def plan(self, sketch: Sketch) -> Plan:
        """See ``Sketch``. Raises ``Refused``, ``Unclear``."""
        return read(await self._ask("plan", sketch, sketch.seconds), Plan)

    async def prepare(self, part: Part) -> list[dict[str, Any]]:
        """The response entries, which count once the decision does. Raises ``Refused``, ``Moved``, ``Unclear``."""
        return _entries(await self._ask("prepare", part, part.seconds), len(part.identities))

    async def commit(self, part: Part) -> list[dict[str, Any]]:
        """The response entries: all is decided. Raises ``Refused``, ``Moved``, ``Unclear``."""
        return _entries(await self._ask("commit", part, part.seconds), len(part.identities))

    async def finish(self, ending: Ending, *, within: float) -> None:
        """Commit or roll back what is prepared, if anything is. Raises ``Refused``, ``Unclear``."""
        read(await self._ask("finish", ending, within), Done)

    async def outcome(self, transaction: str, *, within: float) -> bool:
        """The decision; if there was none, it is no. Raises ``Refused``, ``Unclear``."""
        return read(await self._ask("outcome", Question(transaction), within), Outcome).committed

    async def forget(self, transaction: str, *, within: float) -> None:
        """Every part is finished. Raises ``Refused``, ``Unclear``."""
        read(await self._ask("forget", Question(transaction), within), Done)

    async def waiting(self, longer_than: float, *, within: float) -> Waiting:
        """What waits there. Raises ``Refused``, ``Unclear``."""
        return read(await self._ask("waiting", Lookout(longer_than), within), Waiting)

    async def _ask(self, step: str, asked: object, within: float) -> bytes:
        scope = inner_scope(self.scope, method="POST", path=f"{PATH}/{step}", json=True)
        # what a client sends by this name is nobody's, and what it says about its connection is not about ours
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in (PEER, b"connection")]
        scope["headers"] = [*headers, (PEER, self.peer().encode())]
        try:
            async with asyncio.timeout(within):
                answer = await call(self.app, scope, dumps(asked))
        except (TimeoutError, BrokenOff) as error:
            raise Unclear from error
        if answer.status == 200:
            return answer.body
        if answer.status == 409 and answer.body == SUPERSEDED:
            raise Moved
        if answer.body == STRANGER:
            log.error("%s does not know this gateway: is CONSILIUM_PEER_KEY the same in both?", self.service)
            raise Unclear
        if 400 <= answer.status < 500 and _is_outcome(answer.body):
            raise Refused(answer)
        raise Unclear


def _is_outcome(body: bytes) -> bool:
    try:
        found = loads(body)
    except ConsiliumError:
        return False
    return isinstance(found, dict) and found.get("resourceType") == "OperationOutcome"


def _entries(body: bytes, count: int) -> list[dict[str, Any]]:
    found = loads(body).get("entry", [])
    if len(found) != count:
        raise Unclear
    entries: list[dict[str, Any]] = found
    return entries
