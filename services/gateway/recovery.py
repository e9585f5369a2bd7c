"""Bringing to its end what a gateway, an owner or a database left in the middle of a transaction over services.

Every gateway looks every now and then, so any of them goes on where another one was lost. All that it does follows the
decision and may be done twice, by several at once (docs/adr/0017-transactions-over-services.md).
"""

import asyncio
import logging
from collections.abc import Mapping

from services.gateway.asgi import ASGIApp, Scope
from services.gateway.parts import Owner, Peer, Refused, Unclear
from shared.fhir.parts.wire import Committed, Ending, Prepared
from shared.messaging.waiting import either
from shared.telemetry.measures import TRANSACTIONS_RECOVERED

log = logging.getLogger(__name__)

WITHIN = 5.0
"""Seconds that an owner gets for an answer."""
LOOKS = 4
"""How often one looks in the time that a transaction may take."""


class Recovery:
    """Looks after the services behind ``upstreams``: what waits for longer than ``seconds`` is in nobody's hands."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], peer: Peer, *, seconds: float) -> None:
        self._owners = {name: Owner(name, app, _scope(), peer) for name, app in upstreams.items()}
        self._seconds = seconds
        for outcome in ("committed", "rolled-back"):
            TRANSACTIONS_RECOVERED.expect(outcome)

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again, until ``stop``."""
        while not stop.is_set():
            await self.look()
            await either(stop, seconds=self._seconds / LOOKS)

    async def look(self) -> None:
        """Finish what can be finished now."""
        await asyncio.gather(*(self._look_at(owner) for owner in self._owners.values()))

    async def _look_at(self, owner: Owner) -> None:
        try:
            waiting = await owner.waiting(self._seconds, within=WITHIN)
        except (Refused, Unclear):
            log.info("What waits in %s could not be asked.", owner.service)
            return
        for part in waiting.prepared:
            await self._finish(owner, part)
        for decided in waiting.committed:
            await self._forget(owner, decided)

    async def _finish(self, owner: Owner, part: Prepared) -> None:
        """Ask for the decision, and follow it."""
        holder = self._owners.get(part.holder)
        if holder is None:
            log.error("The decision about a prepared transaction is at a service that is unknown here.")
            return
        try:
            committed = await holder.outcome(part.transaction, within=WITHIN)
            await owner.finish(Ending(part.transaction, part.holder, committed), within=WITHIN)
        except (Refused, Unclear):
            log.warning("A prepared transaction of %s waits for %s.", owner.service, part.holder)
            return
        told = "committed" if committed else "rolled-back"
        TRANSACTIONS_RECOVERED.add(told)
        log.warning("A transaction that was left prepared in %s is %s.", owner.service, told)

    async def _forget(self, holder: Owner, decided: Committed) -> None:
        """See that every part is committed; then nobody needs the decision any more."""
        ending = Ending(decided.transaction, holder.service, commit=True)
        try:
            for service in decided.parts:
                await self._owners[service].finish(ending, within=WITHIN)
            await holder.forget(decided.transaction, within=WITHIN)
        except (KeyError, Refused, Unclear):
            log.info("A decision in %s is kept, as not all of its parts could be asked.", holder.service)


def _scope() -> Scope:
    """A request by nobody."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "server": None,
    }
