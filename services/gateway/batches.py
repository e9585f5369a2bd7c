"""A batch: each entry on its own, each at its owner; one batch per owner, side by side."""

import asyncio
from collections import defaultdict
from typing import Any

from services.gateway.asgi import Answer
from services.gateway.bundles import Party, answer_entry, bundle_of, entries_in, in_order, renumber
from services.gateway.outcome import FHIR_JSON
from services.gateway.placing import Placed, owners_in, place
from shared.errors import ConsiliumError
from shared.fhir.json import Resource
from shared.giving_way import give_way


async def batch(party: Party, bundle: Resource, body: bytes) -> Answer:
    """The batch-response, in the order of the entries. A batch for one owner is passed on as it came."""
    answers: dict[int, dict[str, Any]] = {}
    groups: dict[str, list[Placed]] = defaultdict(list)
    beside = owners_in(bundle.get("entry", []))
    for position, entry in enumerate(bundle.get("entry", [])):
        await give_way(position)
        try:
            placed = place(position, entry, beside)
        except ConsiliumError as error:
            answers[position] = answer_entry(error)
        else:
            groups[placed.owner].append(placed)
    if len(groups) == 1 and not answers:
        return await party.send(next(iter(groups)), body)
    asked = await asyncio.gather(*(_ask(party, owner, group) for owner, group in groups.items()))
    if asked and not answers and len({answer.status for answer in asked}) == 1 and asked[0].status != 200:
        return asked[0]
    for group, answer in zip(groups.values(), asked, strict=True):
        found = entries_in(answer, len(group))
        for entry in found if answer.status == 200 else ():
            renumber(entry["response"].get("outcome", {}), [placed.position for placed in group])
        answers.update((placed.position, entry) for placed, entry in zip(group, found, strict=True))
    return Answer(200, bundle_of("batch-response", in_order(answers)), (FHIR_JSON,))


async def _ask(party: Party, owner: str, group: list[Placed]) -> Answer:
    return await party.send(owner, bundle_of("batch", (placed.entry for placed in group)))
