"""$import at the edge: the body is split by the owners of its lines while it arrives, into one part at each service.

No more than a few batches and a line are held. The parts end only when the whole body has come well: what breaks off,
or is too large, is started nowhere.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.gateway.asgi import Answer, ASGIApp, BrokenOff, Message, Receive, Scope, collected
from services.gateway.bulk import IMPORTS, Bulk, part_headers, part_scope, worst
from services.gateway.bundles import Party, turned_away
from services.gateway.outcome import error_answer
from services.gateway.splitting import Split
from shared.bodies import body_parts, declared_length
from shared.errors import NotAllowed, TooLarge
from shared.fhir.bulk.lines import lines
from shared.fhir.bulk.part import Reach
from shared.fhir.bulk.receiving import LONGEST_LINE
from shared.fhir.bulk.settings import BulkSettings

IMPORT = "/fhir/$import"
BATCH_BYTES, BATCH_LINES = 64 * 1024, 1_000
"""After which lines are sent on."""
ALIVE_S = 5.0
"""Seconds after which a service gets a space, while the client is slow or its lines are for others: it would think that
nothing comes any more. JSON and empty lines may have spaces."""
ENDING_S = 5.0
"""Seconds that a service has to let go of a part that broke off, and that a refused client is waited for."""
_MEDIA = frozenset({b"content-type", b"content-encoding"})
_GONE: Message = {"type": "http.disconnect"}


@dataclass(slots=True)
class _Feed:
    """The body of one part on its way."""

    waiting: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(maxsize=1))
    over: bool = False

    async def send(self, body: bytes, *, more: bool = True) -> None:
        """Let the service have ``body`` when it has taken what was before."""
        await self.waiting.put({"type": "http.request", "body": body, "more_body": more})

    def break_off(self) -> None:
        """What was sent is no longer wanted."""
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(_GONE)

    async def receive(self) -> Message:
        """The next message of the request."""
        if self.over:
            return _GONE
        try:
            async with asyncio.timeout(ALIVE_S):
                message = await self.waiting.get()
        except TimeoutError:
            return {"type": "http.request", "body": b" ", "more_body": True}
        self.over = not message.get("more_body", False)
        return message


@dataclass(slots=True)
class _Upload:
    """The request's body. A message that the server is about to hand out is waited for: who cancels that loses it, and
    whoever reads on after a refusal (``shared.lingering``) would wait for the end of a body that has ended."""

    messages: Receive
    coming: asyncio.Future[Message] | None = None

    async def receive(self) -> Message:
        """The next message."""
        self.coming = asyncio.ensure_future(self.messages())
        return await asyncio.shield(self.coming)

    async def leave(self) -> None:
        """Nobody reads it any more."""
        if self.coming is not None and not self.coming.done():
            await asyncio.wait([self.coming], timeout=ENDING_S)
            self.coming.cancel()


@dataclass(frozen=True, slots=True)
class Imports:
    """Kick-offs of imports; their status, report and end are those of any job."""

    bulk: Bulk

    async def start(self, scope: Scope, receive: Receive) -> Answer:
        """202 where all services have their part; else the refusal of one, and nothing is left of the others'.

        Raises ``NotAllowed``, ``TooLarge``, ``TooSlow``, and ``Invalid`` where the client is gone."""
        if scope["method"] != "POST":
            raise NotAllowed("An import is started with POST.", methods=("POST",))
        most = BulkSettings().bulk_import_max_bytes
        if (declared_length(scope) or 0) > most:
            raise TooLarge("The NDJSON is larger than this server takes.")
        refusal = await turned_away(Party(self.bulk.upstreams, scope))
        if refusal is not None:
            return refusal
        id_, told = part_headers(scope, Reach.SYSTEM)
        headers = [*told, *((name, value) for name, value in scope["headers"] if name.lower() in _MEDIA)]
        feeds = {name: _Feed() for name in self.bulk.upstreams}
        asked = {
            name: asyncio.ensure_future(
                _answer(app, part_scope(scope, method="POST", path=IMPORT, headers=headers), feeds[name].receive)
            )
            for name, app in self.bulk.upstreams.items()
        }
        upload = _Upload(receive)
        feeding = asyncio.ensure_future(_feed(feeds, upload.receive, most))
        try:
            await asyncio.wait({feeding, *asked.values()}, return_when=asyncio.FIRST_COMPLETED)
            if feeding.done():
                feeding.result()
                answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
                return await self.bulk.started(scope, f"{IMPORTS}{id_}", answers)
            early = worst([task.result() for task in asked.values() if task.done()], 202)
            return early or error_answer(BrokenOff(), path=IMPORT, status=502)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
            await asyncio.gather(upload.leave(), _end(feeds, asked))


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    try:
        return await collected(app, scope, receive)
    except BrokenOff as error:
        return error_answer(error, path=IMPORT, status=502)


async def _feed(feeds: Mapping[str, _Feed], receive: Receive, most: int) -> None:
    """The whole body, to all. Raises what reading it raises."""
    split = Split(feeds)

    async def pass_on(*, more: bool) -> None:
        taken = split.take()
        await asyncio.gather(*(feed.send(taken[name], more=more) for name, feed in feeds.items()))

    async for line in lines(body_parts(receive), longest=LONGEST_LINE, most_bytes=most):
        split.add(line)
        if split.size >= BATCH_BYTES or split.lines >= BATCH_LINES:
            await pass_on(more=True)
    await pass_on(more=False)


async def _end(feeds: Mapping[str, _Feed], asked: Mapping[str, asyncio.Future[Answer]]) -> None:
    """Leave nothing running. A service whose part breaks off forgets it."""
    left = [name for name, task in asked.items() if not task.done()]
    if not left:
        return
    for name in left:
        feeds[name].break_off()
    _, late = await asyncio.wait([asked[name] for name in left], timeout=ENDING_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*(asked[name] for name in left), return_exceptions=True)
