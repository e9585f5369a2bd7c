"""The ASGI face of a service's parts: ``POST /internal/transactions/<step>``.

Only a gateway of ours asks, and says so with a token of its own beside the caller's. What stores something acts for
the caller whose token comes along, and is judged like any write of theirs. What finishes or asks acts for nobody: it
follows a decision that was made, and reveals none of what is stored.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from shared.bodies import read_body
from shared.errors import Forbidden, Invalid, NotAllowed, NotFound, Unauthenticated
from shared.fhir.app import FhirApp
from shared.fhir.http import Request, Response
from shared.fhir.json import dumps
from shared.fhir.outcome import failure_response
from shared.fhir.parts import steps
from shared.fhir.parts.wire import (
    GATEWAY,
    PATH,
    PEER,
    Committed,
    Done,
    Ending,
    Lookout,
    Outcome,
    Part,
    Prepared,
    Question,
    Sketch,
    Stranger,
    Superseded,
    Waiting,
    read,
)
from shared.security.caller import internal
from shared.security.peers import KnownPeers
from shared.status import STATUS
from shared.store import decisions, prepared
from shared.store.database import spare_of
from shared.store.prepared import Name
from shared.telemetry.http import ROUTE

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ABOUT_IT = 8 * 1024 * 1024
"""Bytes that may come beside the largest Bundle: identities and targets of its entries."""
SMALL = 4096
"""Bytes of a question."""


class PartsApp:
    """The parts of the service behind ``fhir``, for gateways that ``peers`` knows; for nobody where that is None."""

    def __init__(self, fhir: FhirApp, peers: KnownPeers | None) -> None:
        self._fhir = fhir
        self._peers = peers
        self._engine = fhir.engine
        # those who wait for what is prepared may have taken every connection: who ends it waits for none of them
        self._unhindered = spare_of(fhir.engine.pool)
        self._for_callers: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "plan": self._plan,
            "prepare": self._prepare,
            "commit": self._commit,
        }
        self._for_nobody: dict[str, Callable[[bytes], Awaitable[Done | Outcome | Waiting]]] = {
            "finish": self._finish,
            "outcome": self._outcome,
            "forget": self._forget,
            "waiting": self._waiting,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one step."""
        try:
            self._require_gateway(scope)
        except (Unauthenticated, Forbidden) as error:
            response = Response(STATUS[error.category], dumps(Stranger()))
        else:
            response = await self._response(scope, receive)
        await send({"type": "http.response.start", "status": response.status, "headers": response.wire_headers()})
        await send({"type": "http.response.body", "body": response.body})

    def _require_gateway(self, scope: Scope) -> None:
        """Before a byte of the body is read. Raises ``Unauthenticated``, ``Forbidden``."""
        tokens = [value for name, value in scope["headers"] if name.lower() == PEER]
        if self._peers is None or len(tokens) != 1:
            raise Unauthenticated("A gateway says who it is.")
        if self._peers.caller(tokens[0].decode("latin-1")) != internal(GATEWAY):
            raise Forbidden("Only a gateway may ask for this.")

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        try:
            return await self._answer(scope, receive)
        except steps.Superseded:
            return Response(409, dumps(Superseded()))
        except Exception as error:  # noqa: BLE001  the edge: every failure has an answer, and none leaves as a text
            return failure_response(error)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        step = scope["path"].removeprefix(f"{PATH}/")
        for_caller, for_nobody = self._for_callers.get(step), self._for_nobody.get(step)
        if for_caller is None and for_nobody is None:
            raise NotFound("There is no such step.")
        scope[ROUTE] = f"{PATH}/{step}"
        if scope["method"] != "POST":
            raise NotAllowed("A step is posted.", methods=("POST",))
        if for_caller is not None:
            request = await self._fhir.request(scope, receive, (), limit=self._fhir.largest_bundle + ABOUT_IT)
            return await for_caller(request)
        assert for_nobody is not None
        return Response(200, dumps(await for_nobody(await read_body(scope, receive, limit=SMALL))))

    async def _plan(self, request: Request) -> Response:
        return Response(200, dumps(await steps.plan(self._engine, request, read(request.body, Sketch))))

    async def _prepare(self, request: Request) -> Response:
        return await steps.prepare(self._engine, request, read(request.body, Part))

    async def _commit(self, request: Request) -> Response:
        return await steps.commit(self._engine, request, read(request.body, Part))

    async def _finish(self, body: bytes) -> Done:
        ending = read(body, Ending)
        try:
            name = Name(ending.transaction, ending.holder, self._engine.service)
        except ValueError as error:
            raise Invalid("The transaction's id is a UUID.", code="value") from error
        if await prepared.finish(self._unhindered, name, commit=ending.commit) and ending.commit:
            # its events are to be seen from now on
            self._engine.wake_relay()
        return Done()

    async def _outcome(self, body: bytes) -> Outcome:
        return Outcome(await decisions.outcome(self._unhindered, read(body, Question).transaction))

    async def _forget(self, body: bytes) -> Done:
        await decisions.forget(self._unhindered, read(body, Question).transaction)
        return Done()

    async def _waiting(self, body: bytes) -> Waiting:
        longer_than = read(body, Lookout).longer_than
        names = await prepared.waiting(self._unhindered, longer_than=longer_than)
        decided = await decisions.unfinished(self._unhindered, longer_than=longer_than)
        return Waiting(
            [Prepared(name.transaction, name.holder) for name in names],
            [Committed(one.transaction, list(one.parts)) for one in decided],
        )
