"""A transaction: all or nothing. All its writes belong to one service, which stores it in one database transaction.

What other services know is asked before anything is stored: conditional references to their types, and GET entries (in
a transaction these come after the writes; writes of one service cannot change what another answers).
"""

import asyncio
from collections import defaultdict
from typing import Any

from services.gateway.asgi import Answer
from services.gateway.bundles import Party, Placed, bundle_of, entries_in, in_order, place
from services.gateway.outcome import FHIR_JSON
from services.gateway.references import foreign_conditionals, resolve
from services.gateway.routing import CAREPLANS
from shared.errors import ConsiliumError, Issue, PreconditionFailed, Unprocessable
from shared.fhir.json import Resource, dumps, loads
from shared.giving_way import give_way


async def transaction(party: Party, bundle: Resource, body: bytes) -> Answer:
    """The transaction-response, or the owner's refusal of the whole.

    Raises ``Invalid``, ``NotFound``, ``Unprocessable`` (it spans services) and ``PreconditionFailed`` (a conditional
    reference does not resolve, a read fails); then nothing was stored."""
    placed = await _place_all(bundle.get("entry", []))
    owner = _owner_of_writes(placed)
    own = [item for item in placed if item.owner == owner]
    foreign = [item for item in placed if item.owner != owner]
    conditionals = foreign_conditionals((item.entry for item in placed), owner)
    answers = await _read(party, foreign)
    await resolve(conditionals, lambda service, urls: _search(party, service, urls))
    if conditionals or foreign:
        body = dumps({**bundle, "entry": [item.entry for item in own]})
    stored = await party.send(owner, body)
    if stored.status != 200 or not foreign:
        return stored
    found = entries_in(stored, len(own))
    answers.update((item.position, entry) for item, entry in zip(own, found, strict=True))
    return Answer(200, bundle_of("transaction-response", in_order(answers)), (FHIR_JSON,))


async def _place_all(entries: list[object]) -> list[Placed]:
    placed: list[Placed] = []
    errors: list[ConsiliumError] = []
    for position, entry in enumerate(entries):
        await give_way(position)
        try:
            placed.append(place(position, entry))
        except ConsiliumError as error:
            errors.append(error)
    if errors:
        raise type(errors[0]).of(tuple(issue for error in errors for issue in error.issues)[:20])
    return placed


def _owner_of_writes(placed: list[Placed]) -> str:
    """The service that all writes belong to; of reads only, the first entry's. Raises ``Unprocessable``."""
    writers: dict[str, int] = {}
    for item in placed:
        if not item.reads:
            writers.setdefault(item.owner, item.position)
    if len(writers) > 1:
        raise Unprocessable.of(
            tuple(
                Issue(
                    "not-supported",
                    "A transaction that writes to several services is not supported; "
                    f"this entry is the first for {name}. Nothing was stored. Send one transaction per service.",
                    (f"Bundle.entry[{position}]",),
                )
                for name, position in writers.items()
            )
        )
    if writers:
        return next(iter(writers))
    return placed[0].owner if placed else CAREPLANS


async def _read(party: Party, items: list[Placed]) -> dict[int, dict[str, Any]]:
    """The answers to reads of other services. Raises ``PreconditionFailed`` when one fails."""
    groups: dict[str, list[Placed]] = defaultdict(list)
    for item in items:
        groups[item.owner].append(item)
    batches = (party.send(owner, bundle_of("batch", (item.entry for item in group))) for owner, group in groups.items())
    answers: dict[int, dict[str, Any]] = {}
    for group, answer in zip(groups.values(), await asyncio.gather(*batches), strict=True):
        for item, entry in zip(group, entries_in(answer, len(group)), strict=True):
            status = str(entry.get("response", {}).get("status", ""))
            if not status.startswith(("2", "304")):
                path = f"Bundle.entry[{item.position}]"
                raise PreconditionFailed("A read in the transaction failed; nothing was stored.", expression=(path,))
            answers[item.position] = entry
    return answers


async def _search(party: Party, service: str, urls: list[str]) -> list[Resource | None]:
    """The searchset of each URL, by one batch; None where it was refused."""
    asked = bundle_of("batch", ({"request": {"method": "GET", "url": url}} for url in urls))
    answer = await party.send(service, asked)
    found = loads(answer.body).get("entry", []) if answer.status == 200 else []
    resources = [entry.get("resource") for entry in found]
    searchsets = [item if item and item.get("resourceType") == "Bundle" else None for item in resources]
    return searchsets if len(searchsets) == len(urls) else [None] * len(urls)
