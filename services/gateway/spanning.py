"""A transaction that writes to several services: all or nothing (docs/adr/0017-transactions-over-services.md).

Each owner says what its entries are about (plan); all but one prepare their parts, one after the other in an order that
is the same for all transactions, so that no two wait for each other across databases; the last one stores its own part
and, in the same commit, the decision; then the others are told. Whoever fails before that commit, nothing is stored;
whoever fails after it, ``recovery`` brings it to its end.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from services.gateway.asgi import ASGIApp
from services.gateway.bundles import Party, renumbered
from services.gateway.parts import Moved, Owner, Peer, Refused, Unclear
from services.gateway.placing import Placed
from services.gateway.routing import CAREPLANS, NOTIFICATIONS, REFERRALS
from shared.errors import Conflict, Invalid, Unavailable
from shared.fhir.json import Resource
from shared.fhir.parts.wire import Ending, Identity, Part, Plan, Sketch
from shared.ids import uuid7

log = logging.getLogger(__name__)

T = TypeVar("T")

ORDER = (REFERRALS, NOTIFICATIONS, CAREPLANS)
"""Who comes when. The last of those who take part commits: the shared record, which mostly has the most to store."""
SOON = 2.0
"""Seconds in which the parts are normally finished; the answer waits that long for them."""
AGAIN = 0.5
"""Seconds between two attempts at what must come to its end."""
ATTEMPTS = 5
"""How often a transaction is planned anew because others changed what its conditions find."""

SLOW = "A transaction over several services took too long; nothing was stored. Send fewer entries, or try again."
UNANSWERED = "A service that this transaction writes to did not answer; nothing was stored."
UNTOLD = (
    "It could not be told in time whether the transaction was stored. It is stored as a whole or not at all, and is"
    " settled as soon as the services answer again; look before you repeat it, or repeat it with conditions."
)


@dataclass(frozen=True, slots=True)
class Share:
    """What one service owns of a transaction's writes."""

    owner: Owner
    items: Sequence[Placed]

    @property
    def bundle(self) -> Resource:
        """Its entries as a transaction of their own."""
        return {"resourceType": "Bundle", "type": "transaction", "entry": [item.entry for item in self.items]}

    async def told(self, asking: Coroutine[Any, Any, T]) -> T:
        """What the owner says. A refusal names the entries as they stood."""
        try:
            return await asking
        except Refused as error:
            raise Refused(renumbered(error.answer, [item.position for item in self.items])) from error

    def answered(self, entries: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """``entries`` by where the requests stood."""
        return {item.position: entry for item, entry in zip(self.items, entries, strict=True)}


class Spanning:
    """Transactions over the services behind ``upstreams``, which hold locks for ``seconds`` at most."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], peer: Peer, *, seconds: float) -> None:
        self._upstreams = upstreams
        self._peer = peer
        self._seconds = seconds
        self._settling: set[asyncio.Task[None]] = set()

    async def store(self, party: Party, writes: Sequence[Placed]) -> dict[int, dict[str, Any]]:
        """The response entries of ``writes`` by position: all are stored.

        Raises ``Refused``, ``Invalid`` and ``Conflict``: nothing is stored; and ``Unavailable``: its text says what is
        known."""
        shares = self._shares(party, writes)
        until = _now() + self._seconds
        for _ in range(ATTEMPTS):
            try:
                return await self._attempt(shares, until)
            except Moved:
                continue
        raise Conflict("Others keep changing what the conditions of this transaction find; nothing was stored.")

    async def rest(self) -> None:
        """Wait a little for what is committed and not finished."""
        if self._settling:
            await asyncio.wait(self._settling, timeout=SOON)

    def _shares(self, party: Party, writes: Sequence[Placed]) -> list[Share]:
        items: dict[str, list[Placed]] = defaultdict(list)
        for item in writes:
            items[item.owner].append(item)
        owners = [Owner(name, self._upstreams[name], party.scope, self._peer) for name in ORDER if name in items]
        return [Share(owner, items[owner.service]) for owner in owners]

    async def _attempt(self, shares: Sequence[Share], until: float) -> dict[int, dict[str, Any]]:
        *preparing, last = shares
        try:
            plans = await _plans(shares, until)
            attempt = _Attempt(uuid7(), preparing, last, plans, _targets(shares, plans), until)
            answers = await attempt.prepared()
        except Unclear as error:
            raise Unavailable(SLOW if _now() > until else UNANSWERED, code="timeout") from error
        answers |= await attempt.committed()
        settled = asyncio.Event()
        settling = asyncio.create_task(attempt.settle(settled, _now() + self._seconds))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)
        try:
            async with asyncio.timeout(SOON):
                await settled.wait()
        except TimeoutError:
            log.warning("A part of a committed transaction is not finished yet.")
        return answers


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One way through a transaction, under an id of its own."""

    id: str
    preparing: Sequence[Share]
    last: Share
    plans: Mapping[str, Plan]
    targets: Mapping[str, Mapping[str, str]]
    until: float
    """By the loop's clock: whatever is not decided by then is given up."""

    async def prepared(self) -> dict[int, dict[str, Any]]:
        """The answers of all who prepare. Raises what made one fail; then nothing stays prepared that is known."""
        answers: dict[int, dict[str, Any]] = {}
        for reached, share in enumerate(self.preparing, start=1):
            try:
                answers |= share.answered(await share.told(share.owner.prepare(self._part(share))))
            except Unclear:
                await self._give_up(reached)
                raise
            except (Refused, Moved):
                await self._give_up(reached - 1)
                raise
        return answers

    async def committed(self) -> dict[int, dict[str, Any]]:
        """The answers of the one who commits: all is decided.

        Raises ``Refused``, ``Moved``: it is not committed, and given up; ``Unavailable``: as its text says."""
        try:
            return self.last.answered(await self.last.told(self.last.owner.commit(self._part(self.last))))
        except (Refused, Moved):
            await self._give_up(len(self.preparing))
            raise
        except Unclear as error:
            committed = await self._outcome()
            if committed is None:
                raise Unavailable(UNTOLD, code="timeout") from error
            if not committed:
                await self._give_up(len(self.preparing))
                raise Unavailable(SLOW if _now() > self.until else UNANSWERED, code="timeout") from error
        return self.last.answered(_from_plan(self.last, self.plans[self.last.owner.service]))

    async def settle(self, settled: asyncio.Event, until: float) -> None:
        """Tell everybody that it is committed, again and again; ``recovery`` goes on after ``until``."""
        while not await self._finished(self.preparing, commit=True):
            if _now() > until:
                return
            await asyncio.sleep(AGAIN)
        settled.set()
        try:
            await self.last.owner.forget(self.id, within=SOON)
        except (Refused, Unclear):
            log.info("A finished transaction is remembered until recovery comes by.")

    async def _outcome(self) -> bool | None:
        """The decision, asked for until there is an answer or the time is over, and at least once."""
        while True:
            try:
                return await self.last.owner.outcome(self.id, within=SOON)
            except (Refused, Unclear):
                if _now() > self.until:
                    return None
            await asyncio.sleep(AGAIN)

    async def _give_up(self, reached: int) -> None:
        """Roll back those who may have prepared, at once; who does not hear it is told by ``recovery``."""
        if not await self._finished(self.preparing[:reached], commit=False):
            log.warning("A part of a transaction that was given up may wait for recovery.")

    async def _finished(self, shares: Sequence[Share], *, commit: bool) -> bool:
        ending = Ending(self.id, self.last.owner.service, commit)
        asked = (share.owner.finish(ending, within=SOON) for share in shares)
        results = await asyncio.gather(*asked, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, Refused | Unclear):
                raise result
        return all(result is None for result in results)

    def _part(self, share: Share) -> Part:
        service = share.owner.service
        return Part(
            self.id,
            self.last.owner.service,
            [one.owner.service for one in self.preparing],
            share.bundle,
            self.plans[service].identities,
            {url: target for other, some in self.targets.items() if other != service for url, target in some.items()},
            max(0.1, self.until - _now()),
        )


async def _plans(shares: Sequence[Share], until: float) -> dict[str, Plan]:
    """What the entries of each service are about. Raises ``Refused``, ``Unclear``."""
    left = max(0.1, until - _now())
    sketches = [Sketch(share.bundle, share is not shares[-1], left) for share in shares]
    asked = (share.told(share.owner.plan(sketch)) for share, sketch in zip(shares, sketches, strict=True))
    plans = await asyncio.gather(*asked)
    return {share.owner.service: plan for share, plan in zip(shares, plans, strict=True)}


def _targets(shares: Sequence[Share], plans: Mapping[str, Plan]) -> dict[str, dict[str, str]]:
    """What the fullUrls of each service's entries turn into. Raises ``Invalid`` where two services have the same."""
    targets = {service: plan.targets for service, plan in plans.items()}
    seen: set[str] = set()
    for share in shares:
        mine = targets[share.owner.service]
        twin = next((item for item in share.items if item.entry.get("fullUrl") in seen), None)
        if twin is not None:
            where = (f"Bundle.entry[{twin.position}].fullUrl",)
            raise Invalid("Two entries of a transaction have the same fullUrl.", code="duplicate", expression=where)
        seen.update(mine)
    return targets


def _from_plan(share: Share, plan: Plan) -> list[dict[str, Any]]:
    """What is known of a commit whose own answer was lost."""
    return [_known(item, identity) for item, identity in zip(share.items, plan.identities, strict=True)]


def _known(item: Placed, identity: Identity) -> dict[str, Any]:
    if item.entry["request"]["method"] == "DELETE":
        return {"response": {"status": "204 No Content"}}
    if identity.new:
        return {"response": {"status": "201 Created", "location": f"{identity.reference}/_history/1", "etag": 'W/"1"'}}
    return {"response": {"status": "200 OK", "location": identity.reference}}


def _now() -> float:
    return asyncio.get_running_loop().time()
