"""The gateway as a pure ASGI app: one dictionary look-up between the socket and the service."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from services.gateway import health
from services.gateway.asgi import Answer, ASGIApp, Receive, Scope, Send, send_answer
from services.gateway.batches import batch
from services.gateway.bulk import JOBS, Bulk, is_kick_off
from services.gateway.bundles import Party, bundle_of, entries_in, parse, turned_away
from services.gateway.capability import Capabilities
from services.gateway.definitions import Definitions
from services.gateway.formats import as_asked, as_json, in_json, is_xml, require_acceptable, require_json
from services.gateway.forwarding import ForwardingApp
from services.gateway.histories import history
from services.gateway.imports import IMPORT, Imports
from services.gateway.limits import limited
from services.gateway.messages import content_of, response_to, transaction_of
from services.gateway.operations import EdgeOperation, edge_operation
from services.gateway.outcome import FHIR_JSON, error_answer
from services.gateway.parts import Peer
from services.gateway.recovery import Recovery
from services.gateway.routing import API_PREFIXES, CAREPLANS, NOTIFICATIONS, OWNED_TYPES, REFERRALS, ROOTS, type_at
from services.gateway.settings import GatewaySettings
from services.gateway.spanning import Spanning
from services.gateway.spread import Spread
from services.gateway.transactions import transaction
from shared.bodies import BODY_METHODS, declared_length, read_body, read_rest_body, replayed
from shared.clock import system_clock
from shared.engine import SPREAD
from shared.errors import ConsiliumError, Invalid, NotAllowed, NotFound, TooLarge
from shared.fhir.json import Resource, dumps, received
from shared.telemetry.health import Check
from shared.telemetry.http import ROUTE

Edge = Callable[[Scope, Receive], Awaitable[Answer]]
_REPEATED = frozenset({409, 412, 422})
"""How a message may be refused that was processed before: by what is there."""


class Gateway:
    """Everything that the gateway answers; ``upstreams`` by service name."""

    def __init__(
        self,
        upstreams: Mapping[str, ASGIApp],
        settings: GatewaySettings | None = None,
        *,
        peer: Peer = lambda: "",
        checks: Mapping[str, Check] | None = None,
        stays_ready: bool = False,
    ) -> None:
        """``peer``: by what the services know this gateway; without it they store no transaction over several of them.

        ``checks``: what must hold beside the services before this process is ready.

        ``stays_ready``: once all was well, a service that is not is no reason to say that the gateway is not."""
        self._checks = dict(checks or {})
        self._stays_ready, self._was_ready = stays_ready, False
        self._settings = settings or GatewaySettings()
        self._upstreams = dict(upstreams)
        self._by_type = {type_: upstreams[service] for service, types in OWNED_TYPES.items() for type_ in types}
        self._by_type |= dict.fromkeys(SPREAD, Spread(self._upstreams))
        self._by_type["OperationDefinition"] = Definitions(self._by_type["OperationDefinition"])
        self._bulk = Bulk(self._upstreams, self._settings.max_resource_bytes)
        self._imports = Imports(self._bulk)
        self._capabilities = Capabilities(self._upstreams, seconds=self._settings.capability_seconds)
        self._spanning = Spanning(self._upstreams, peer, seconds=self._settings.prepared_s)
        self._recovery = Recovery(self._upstreams, peer, seconds=self._settings.prepared_s)
        self._own: dict[str, Edge] = {
            "/fhir": self._base,
            "/fhir/": self._base,
            "/fhir/metadata": self._metadata,
            "/fhir/_history": self._history,
            "/fhir/$process-message": self._process_message,
            IMPORT: self._imports.start,
            "/health/live": self._live,
            "/health/ready": self._ready,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._lifespan(scope, receive, send)
        path: str = scope["path"]
        if path.startswith("/fhir/"):
            app = self._by_type.get(type_at(path))
            asked_here = "/$" in path and (is_kick_off(path) or edge_operation(path) is not None)
            if app is not None and scope["method"] not in BODY_METHODS and not asked_here:
                return await app(scope, receive, send)
        return await self._slower(scope, receive, send)

    async def _slower(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All but reads of a resource type."""
        path: str = scope["path"]
        try:
            own = self._own.get(path)
            if own is not None:
                scope[ROUTE] = path.rstrip("/")
                answer = await as_asked(await own(scope, receive), scope)
                return await send_answer(answer, send, body=scope["method"] != "HEAD")
            if path.startswith(JOBS) and self._bulk.holder(path) is None:
                answer = await self._bulk.job(scope, receive)
                return await send_answer(answer, send, body=scope["method"] != "HEAD")
            if is_kick_off(path):
                return await send_answer(await self._bulk.start(scope, receive), send)
            operation = edge_operation(path)
            if operation is not None:
                await self._operation(operation, scope, receive, send)
                return None
            app = self._app(path)
            if scope["method"] in BODY_METHODS:
                if not path.startswith("/fhir"):
                    receive = replayed(await read_rest_body(scope, receive), receive)
                else:
                    receive = limited(scope, receive, limit=self._settings.max_resource_bytes)
            return await app(scope, receive, send)
        except ConsiliumError as error:
            await send_answer(await as_asked(error_answer(error, path=path), scope), send)

    def _app(self, path: str) -> ASGIApp:
        """The service that ``path`` belongs to. Raises ``NotFound``."""
        # "OPTIONS *" has a path without a slash
        _, room, name, *_ = (*path.split("/", 3), "", "")
        if room == "fhir":
            app = self._bulk.holder(path) if path.startswith(JOBS) else self._by_type.get(type_at(path))
            if app is not None:
                return app
            raise NotFound("No such resource type or operation.", code="not-supported")
        if room == "api" and name in API_PREFIXES:
            return self._upstreams[API_PREFIXES[name]]
        if room in ROOTS:
            return self._upstreams[ROOTS[room]]
        raise NotFound("No such address.")

    async def _base(self, scope: Scope, receive: Receive) -> Answer:
        """Batches, transactions and messages."""
        if scope["method"] == "OPTIONS":
            require_acceptable(scope)
            return await self._capabilities.answer(scope)
        if scope["method"] != "POST":
            raise NotAllowed("The base takes Bundles only.", methods=("POST", "OPTIONS"))
        party, body = await self._admitted(scope, receive)
        if isinstance(body, Answer):
            return body
        bundle = parse(received(body))
        if bundle["type"] == "transaction":
            return await transaction(party, bundle, body, self._spanning)
        return await (self._message(party, bundle) if bundle["type"] == "message" else batch(party, bundle, body))

    async def _process_message(self, scope: Scope, receive: Receive) -> Answer:
        """http://hl7.org/fhir/R4/messageheader-operation-process-message.html"""
        if scope["method"] != "POST":
            raise NotAllowed("A message is posted.", methods=("POST",))
        party, body = await self._admitted(scope, receive)
        if isinstance(body, Answer):
            return body
        resource = received(body)
        message = parse(content_of(resource) if isinstance(resource, dict) else resource)
        if message["type"] != "message":
            raise Invalid("This is no message.", code="value", expression=("Bundle.type",))
        return await self._message(party, message)

    async def _admitted(self, scope: Scope, receive: Receive) -> tuple[Party, bytes | Answer]:
        """On whose behalf services are asked, and the body; or the refusal of a caller whom they do not know."""
        limit = self._settings.max_bundle_bytes
        if (declared_length(scope) or 0) > limit:
            raise TooLarge("The request body is larger than this server takes.")
        in_xml = is_xml(scope)
        require_acceptable(scope)
        party = Party(self._upstreams, scope)
        refusal = await turned_away(party)
        if refusal is not None:
            return party, refusal
        body = await read_body(scope, receive, limit=limit)
        return party, await as_json(body) if in_xml else body

    async def _message(self, party: Party, message: Resource) -> Answer:
        """The response to a message that was processed, or the refusal of the transaction that it became."""
        made = transaction_of(message)
        try:
            answer = await transaction(party, made, dumps(made), self._spanning)
        except ConsiliumError as error:
            answer = error_answer(error, path="/fhir")
        if answer.status != 200 and not (answer.status in _REPEATED and await _is_known(party, made)):
            return answer
        own = self._settings.public_base or _own_base(party.scope)
        return Answer(200, dumps(response_to(message, own=own, at=system_clock())), (FHIR_JSON,))

    async def _metadata(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] not in ("GET", "HEAD"):
            raise NotAllowed("The CapabilityStatement can only be read.", methods=("GET", "HEAD"))
        require_acceptable(scope)
        return await self._capabilities.answer(scope)

    async def _history(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] not in ("GET", "HEAD"):
            raise NotAllowed("A history can only be read.", methods=("GET", "HEAD"))
        return await history(self._upstreams, scope)

    async def _operation(self, operation: EdgeOperation, scope: Scope, receive: Receive, send: Send) -> None:
        """What takes all services to answer."""
        if scope["method"] not in operation.methods:
            raise NotAllowed("This operation does not take this method.", methods=operation.methods)
        scope[ROUTE] = "/fhir/{type}/{id}/${operation}"
        (require_json if operation.streamed else require_acceptable)(scope)
        body = b""
        if scope["method"] == "POST":
            # who is turned away there does not get to send megabytes
            refusal = await turned_away(Party(self._upstreams, scope))
            if refusal is not None:
                await send_answer(refusal, send)
                return
            _, receive = await in_json(scope, receive, limit=self._settings.max_resource_bytes)
            body = await read_body(scope, receive, limit=self._settings.max_resource_bytes)
        await operation.run(self._upstreams, scope, send, body)

    async def _live(self, scope: Scope, receive: Receive) -> Answer:
        return health.LIVE

    async def _ready(self, scope: Scope, receive: Receive) -> Answer:
        answer = await health.ready(self._upstreams, self._checks, scope, excused=self._was_ready)
        self._was_ready = self._stays_ready and answer.status == 200
        return answer

    async def recover(self, stop: asyncio.Event) -> None:
        """Bring to its end what is left of transactions over services, until ``stop``: a job beside answering."""
        await self._recovery.run(stop)

    async def aclose(self) -> None:
        """Finish what is under way beside answers, and close the connections to services."""
        await self._spanning.rest()
        for app in self._upstreams.values():
            if isinstance(app, ForwardingApp):
                await app.aclose()

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the connections to services when the server stops; refuse WebSockets."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _is_known(party: Party, made: Resource) -> bool:
    """Whether the header of the message that became the transaction ``made`` is stored: the message comes again.

    Its own condition (If-None-Match) is not always what refuses it: services judge one after the other, and to the
    first it may look like a change of what the same message stored a moment ago."""
    asked = bundle_of("batch", [{"request": {"method": "GET", "url": made["entry"][0]["request"]["url"]}}])
    (told,) = entries_in(await party.send(CAREPLANS, asked), 1)
    return str(told["response"]["status"]).startswith("200")


def _own_base(scope: Scope) -> str:
    """Our base URL as the caller wrote it."""
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}/fhir"


def over_http(settings: GatewaySettings, peer: Peer, *, leaving: asyncio.Event | None = None) -> Gateway:
    """A gateway in a process of its own: services behind the URLs in ``settings``, which know it by ``peer``.

    Event streams end on ``leaving``.

    It stays ready when a service fails: requests to that service are answered 503, and the others go on. Were it not
    ready, every gateway would be taken out at once, and with one service all of them would be unreachable."""
    urls = {
        REFERRALS: settings.referrals_url,
        CAREPLANS: settings.careplans_url,
        NOTIFICATIONS: settings.notifications_url,
    }
    upstreams: dict[str, ASGIApp] = {
        name: ForwardingApp(
            url, timeout=settings.upstream_timeout_seconds, trust_forwarded=settings.trust_forwarded, leaving=leaving
        )
        for name, url in urls.items()
    }
    return Gateway(upstreams, settings, peer=peer, stays_ready=True)
