"""A transaction: all or nothing. What one service owns alone is one database transaction there; else see ``spanning``.

What other services know is asked before anything is stored: conditional references to their types, and GET entries (in
a transaction these come after the writes; writes of one service cannot change what another answers). Where several
services store something, GET entries are asked after that.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from services.gateway.asgi import Answer
from services.gateway.bundles import Party, bundle_of, entries_in, in_order, renumbered
from services.gateway.outcome import FHIR_JSON
from services.gateway.parts import Refused
from services.gateway.placing import Placed, owners_in, place
from services.gateway.references import foreign_conditionals, resolve
from services.gateway.routing import CAREPLANS
from services.gateway.spanning import Spanning
from shared.errors import ConsiliumError, PreconditionFailed
from shared.fhir.json import Resource, dumps
from shared.giving_way import give_way


async def transaction(party: Party, bundle: Resource, body: bytes, spanning: Spanning) -> Answer:
    """The transaction-response, or an owner's refusal of the whole.

    Raises ``Invalid``, ``NotFound`` and ``PreconditionFailed`` (a conditional reference does not resolve, a read
    fails), and what ``resolve`` raises; then nothing was stored; and what ``Spanning.store`` raises."""
    placed = await _place_all(bundle.get("entry", []))
    writers = {item.owner for item in placed if not item.reads}
    if len(writers) > 1:
        return await _over_services(party, placed, spanning)
    owner = next(iter(writers)) if writers else placed[0].owner if placed else CAREPLANS
    own = [item for item in placed if item.owner == owner]
    foreign = [item for item in placed if item.owner != owner]
    conditionals = foreign_conditionals(placed)
    answers = await _read_before(party, foreign)
    await resolve(conditionals, lambda service, urls: _search(party, service, urls))
    if conditionals or foreign:
        body = dumps({**bundle, "entry": [item.entry for item in own]})
    stored = await party.send(owner, body)
    if not foreign:
        return stored
    if stored.status != 200:
        return renumbered(stored, [item.position for item in own])
    found = entries_in(stored, len(own))
    answers.update((item.position, entry) for item, entry in zip(own, found, strict=True))
    return _answer(answers)


async def _over_services(party: Party, placed: list[Placed], spanning: Spanning) -> Answer:
    await resolve(foreign_conditionals(placed), lambda service, urls: _search(party, service, urls))
    try:
        answers = await spanning.store(party, [item for item in placed if not item.reads])
    except Refused as error:
        return error.answer
    return _answer(answers | await _read(party, [item for item in placed if item.reads]))


def _answer(answers: Mapping[int, dict[str, Any]]) -> Answer:
    return Answer(200, bundle_of("transaction-response", in_order(answers)), (FHIR_JSON,))


async def _place_all(entries: list[object]) -> list[Placed]:
    placed: list[Placed] = []
    errors: list[ConsiliumError] = []
    beside = owners_in(entries)
    for position, entry in enumerate(entries):
        await give_way(position)
        try:
            placed.append(place(position, entry, beside))
        except ConsiliumError as error:
            errors.append(error)
    if errors:
        raise type(errors[0]).of(tuple(issue for error in errors for issue in error.issues)[:20])
    return placed


async def _read_before(party: Party, items: list[Placed]) -> dict[int, dict[str, Any]]:
    """The answers to reads of other services. Raises ``PreconditionFailed`` when one fails."""
    answers = await _read(party, items)
    for position, entry in answers.items():
        if not str(entry.get("response", {}).get("status", "")).startswith(("2", "304")):
            path = f"Bundle.entry[{position}]"
            raise PreconditionFailed("A read in the transaction failed; nothing was stored.", expression=(path,))
    return answers


async def _read(party: Party, items: list[Placed]) -> dict[int, dict[str, Any]]:
    """The answers to reads, by position, by one batch per service."""
    groups: dict[str, list[Placed]] = defaultdict(list)
    for item in items:
        groups[item.owner].append(item)
    batches = (party.send(owner, bundle_of("batch", (item.entry for item in group))) for owner, group in groups.items())
    return {
        item.position: entry
        for group, answer in zip(groups.values(), await asyncio.gather(*batches), strict=True)
        for item, entry in zip(group, entries_in(answer, len(group)), strict=True)
    }


async def _search(party: Party, service: str, urls: list[str]) -> list[dict[str, Any]]:
    """The response entry of each search, by one batch. A parameter that is unknown is refused, whatever the client
    prefers: what is left of the criteria would find another."""
    asked = bundle_of("batch", ({"request": {"method": "GET", "url": url}} for url in urls))
    return entries_in(await party.send(service, asked, prefer=b"handling=strict"), len(urls))
